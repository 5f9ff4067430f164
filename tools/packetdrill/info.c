/* packetdrill asks for TCP_INFO and its like by libc's getsockopt(), past the table. So
 * the object is to be preloaded as well: this getsockopt() then stands before libc's.
 * It answers for our sockets, always with as many bytes as were asked for, and hands
 * all others to the kernel. Children of packetdrill are preloaded, too: nothing here
 * runs by itself. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adapter.h"
#include "edge/bsd.h"

enum { NAME_CC_INFO = 26, NAME_MEMINFO = 55, MEMINFO_LEN = 36 };

/* What is left of *len bytes behind the first n is zero. */
static void fill_up(void *value, size_t n, size_t len)
{
    if (n < len)
        memset((char *)value + n, 0, len - n);
}

static int answer(int fd, int level, int name, void *value, socklen_t *len)
{
    socklen_t asked = *len;
    int r = 0;

    if (level == IPPROTO_TCP && name == NAME_CC_INFO) {
        *len = 0;
    } else if (level == SOL_SOCKET && name == NAME_MEMINFO) {
        fill_up(value, 0, asked);
        *len = asked < MEMINFO_LEN ? asked : MEMINFO_LEN;
    } else {
        r = tapir_getsockopt(fd, level, name, value, len);
        if (r == 0 && level == IPPROTO_TCP && name == TCP_INFO) {
            fill_up(value, *len, asked);
            *len = asked;
        }
    }
    return r;
}

static bool is_ours(int fd)
{
    struct file *f = file_get(fd);

    if (f)
        file_put(f);
    return f != NULL;
}

__attribute__((visibility("default"))) int getsockopt(int fd, int level, int name,
                                                      void *restrict value,
                                                      socklen_t *restrict len)
{
    struct adapter *a = adapter_current();
    struct visit v;
    int r;

    if (!a || !value || !len || !is_ours(fd))
        return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
    visit_begin(&v, a);
    r = answer(fd, level, name, value, len);
    visit_end(&v);
    return r;
}
