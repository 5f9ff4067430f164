/* libtapir-packetdrill.so, loaded as the packetdrill program loads it and driven
 * through its table by a small driver: we are the peer 192.0.2.1 port 4000, the stack
 * is 192.0.2.2 port 80. All times are virtual, since the object was loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/packetdrill/interface.h"
#include "base/bytes.h"
#include "harness/frame.h"
#include "harness/object.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

#define MS 1000
#define SO "libtapir-packetdrill.so"

typedef void init_fn(const char *flags, struct packetdrill_interface *ifc);
typedef int getsockopt_fn(int fd, int level, int name, void *value, socklen_t *len);

struct driver {
    struct packetdrill_interface ifc;
    void *u;
    struct pkt_pool pool;
    long long began; /* the clock when it was loaded */
    struct seq isn;  /* the stack's */
    char line[200];  /* the packet received last */
};

/* ---- the driver ---- */

static long long clock_now(const struct driver *d)
{
    struct timeval tv;

    d->ifc.gettimeofday(d->u, &tv, NULL);
    return (long long)tv.tv_sec * 1000000 + tv.tv_usec;
}

static long long now(const struct driver *d)
{
    return clock_now(d) - d->began;
}

static void up(struct driver *d, const char *flags)
{
    char text[200];
    init_fn *init;

    memset(d, 0, sizeof *d);
    object_function(SO, "packetdrill_interface_init", &init, sizeof init);
    snprintf(text, sizeof text,
             "ipv=4 local=192.0.2.2 remote=192.0.2.1 seed=1 profile=tapir %s", flags);
    init(text, &d->ifc);
    d->u = d->ifc.userdata;
    pkt_pool_init(&d->pool, 1 << 20, 0);
    d->began = clock_now(d);
}

static void down(struct driver *d)
{
    d->ifc.free(d->u);
    pkt_pool_free(&d->pool);
}

static void put(struct driver *d, const char *line)
{
    struct frame_from from = { .us = false, .our_port = 80, .peer_port = 4000 };
    struct pkt *p = frame_tcp(&d->pool, from, line);

    assert_int_equal(d->ifc.netdev_send(d->u, p->data + ETH_LEN, p->len - ETH_LEN), 0);
    pkt_free(p);
}

/* A segment that acknowledges the stack's numbers up to `ack`, its SYN being 0. */
static void put_ack(struct driver *d, const char *what, uint32_t ack)
{
    char line[100];

    snprintf(line, sizeof line, "%s ack %u win 65535", what, seq_add(d->isn, ack).n);
    put(d, line);
}

/* The next packet of the stack's: when it was sent, and as a line. */
static long long take(struct driver *d)
{
    static uint8_t buf[65536];
    size_t n = sizeof buf;
    long long at = 0;
    struct tcp_seg seg;
    struct ip4 ip;
    struct text t;

    assert_int_equal(d->ifc.netdev_receive(d->u, buf, &n, &at), 0);
    d->line[0] = '\0';
    if (n == 0)
        return -1;
    assert_int_equal(ip4_parse(buf, n, &ip), 0);
    assert_int_equal(tcp_parse(buf + ip.header_len, n - ip.header_len, &seg), 0);
    if (seg.flags & TCP_SYN)
        d->isn = seg.seq;
    text_init(&t, d->line, sizeof d->line);
    tcp_print(&t, &seg, d->isn, seq_at(0));
    return at - d->began;
}

static void assert_line(const struct driver *d, const char *begin)
{
    if (strncmp(d->line, begin, strlen(begin)) != 0)
        fail_msg("it was '%s', not '%s ...'", d->line, begin);
}

/* Where a script says so, up to a millisecond late. */
static void assert_about(long long at, long long want)
{
    assert_in_range(at, want, want + MS);
}

static int listener(const struct driver *d)
{
    struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(80) };
    int fd = d->ifc.socket(d->u, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    assert_true(fd >= 0);
    put32((uint8_t *)&me.sin_addr, 0xc0000202);
    assert_int_equal(d->ifc.bind(d->u, fd, (struct sockaddr *)&me, sizeof me), 0);
    assert_int_equal(d->ifc.listen(d->u, fd, 1), 0);
    return fd;
}

static int accepted(struct driver *d, int l)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    int fd;

    put(d, "S 0:0(0) win 65535 <mss 1000>");
    take(d);
    put_ack(d, ". 1:1(0)", 1);
    fd = d->ifc.accept(d->u, l, (struct sockaddr *)&peer, &len);
    assert_true(fd >= 0);
    assert_int_equal(len, sizeof peer);
    assert_int_equal(ntohs(peer.sin_port), 4000);
    assert_int_equal(get32((uint8_t *)&peer.sin_addr), 0xc0000201);
    return fd;
}

/* ---- loading ---- */

static void every_member_of_the_table_is_there(void **state)
{
    struct driver d;
    void *member[33];

    up(&d, "");
    memcpy(member, &d.ifc, sizeof member);
    assert_int_equal(sizeof d.ifc, 264);
    for (int i = 0; i < 33; i++)
        assert_non_null(member[i]);
    down(&d);
}

static void nothing_else_of_the_object_can_be_seen(void **state)
{
    void *so = object_load(SO);

    assert_non_null(dlsym(so, "packetdrill_interface_init"));
    assert_non_null(dlsym(so, "getsockopt"));
    assert_null(dlsym(so, "tapir_socket"));
    assert_null(dlsym(so, "sim_new"));
}

static void it_can_be_loaded_without_words(void **state)
{
    struct packetdrill_interface ifc;
    init_fn *init;

    object_function(SO, "packetdrill_interface_init", &init, sizeof init);
    memset(&ifc, 0, sizeof ifc);
    init(NULL, &ifc);
    assert_non_null(ifc.userdata);
    ifc.free(ifc.userdata);
}

/* ---- the clock ---- */

static void the_clock_goes_on_when_asked_and_when_slept(void **state)
{
    struct driver d;
    long long at;

    up(&d, "");
    at = now(&d);
    assert_int_equal(now(&d), at + 1);
    assert_int_equal(d.ifc.usleep(d.u, 4000000), 0);
    assert_int_equal(now(&d), at + 4000002);
    down(&d);
}

static void where_nothing_is_ever_sent_the_packet_is_empty(void **state)
{
    struct driver d;

    up(&d, "");
    assert_int_equal(take(&d), -1);
    down(&d);
}

/* ---- a connection ---- */

static void a_handshake_and_what_is_retransmitted_come_at_their_moments(void **state)
{
    static const char text[2500];
    struct driver d;
    int l, fd;

    up(&d, "");
    l = listener(&d);
    fd = accepted(&d, l);
    d.ifc.usleep(d.u, 100 * MS);
    assert_int_equal(d.ifc.write(d.u, fd, text, sizeof text), 2500);
    assert_about(take(&d), 100 * MS);
    assert_line(&d, ". 1:1001(1000)");
    take(&d);
    assert_line(&d, ". 1001:2001(1000)");
    take(&d);
    assert_line(&d, "P. 2001:2501(500)");
    put_ack(&d, ". 1:1(0)", 2001);
    assert_in_range(take(&d), 300 * MS,
                    320 * MS); /* RFC 6298: 200 ms is Linux's least */
    assert_line(&d, "P. 2001:2501(500)");
    assert_in_range(take(&d), 700 * MS, 740 * MS);
    assert_line(&d, "P. 2001:2501(500)");
    down(&d);
}

static void a_socket_is_a_real_descriptor_that_the_kernel_closes(void **state)
{
    struct driver d;
    int fd;

    up(&d, "");
    fd = d.ifc.socket(d.u, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_int_equal(d.ifc.fcntl(d.u, fd, F_GETFL), 2);
    assert_int_equal(d.ifc.fcntl(d.u, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    assert_int_equal(d.ifc.fcntl(d.u, fd, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_int_equal(close(fd), 0);
    down(&d);
}

static void there_is_no_ipv6(void **state)
{
    struct driver d;

    up(&d, "");
    assert_int_equal(d.ifc.socket(d.u, AF_INET6, SOCK_STREAM, IPPROTO_TCP), -1);
    assert_int_equal(errno, EAFNOSUPPORT);
    down(&d);
}

/* ---- what the words say ---- */

/* What a listener offers of the two that the peer offers. */
static int assert_offers(struct driver *d, bool wscale, bool stamp)
{
    int fd = listener(d);

    put(d, "S 0:0(0) win 65535 <mss 1000,sackOK,TS val 1 ecr 0,wscale 7>");
    take(d);
    assert_int_equal(strstr(d->line, "wscale") != NULL, wscale);
    assert_int_equal(strstr(d->line, "TS") != NULL, stamp);
    return fd;
}

static void words_set_mtu_and_tunables(void **state)
{
    struct driver d;

    up(&d, "mtu=1000 net.ipv4.tcp_window_scaling=0 net.ipv4.tcp_timestamps=0");
    assert_offers(&d, false, false);
    assert_non_null(strstr(d.line, "<mss 960,"));
    down(&d);
}

/* In its units: 15000 milliseconds are fifteen seconds. */
static void words_have_freebsds_names_too(void **state)
{
    struct driver d;
    int fd, n = 0;
    socklen_t len = sizeof n;

    up(&d, "profile=bsd net.inet.tcp.keepidle=15000 rfc1323=0");
    fd = assert_offers(&d, false, false);
    assert_int_equal(d.ifc.getsockopt(d.u, fd, IPPROTO_TCP, TCP_KEEPIDLE, &n, &len), 0);
    assert_int_equal(n, 15);
    down(&d);
}

/* In a namespace of our own; false: that is not permitted here. A user namespace is for
 * those who are not root, and not for a process with threads, which ThreadSanitizer
 * makes of any. */
static bool enter_namespace(void)
{
    return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static bool set_in_namespace(const char *path, const char *value)
{
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(value, f) >= 0;

    return f && fclose(f) == 0 && ok;
}

/* What a script sets after the object was loaded counts at once, and with every
 * profile, also to the value that was there; what was set before is nobody's wish but
 * Linux's. */
static void check_namespace(void)
{
    struct driver d;

    set_in_namespace("/proc/sys/net/ipv4/tcp_window_scaling", "0");
    up(&d, "");
    set_in_namespace("/proc/sys/net/ipv4/tcp_timestamps", "0");
    assert_offers(&d, true, false);
    down(&d);
    up(&d, "");
    set_in_namespace("/proc/sys/net/ipv4/tcp_window_scaling", "0");
    assert_offers(&d, false, true);
    down(&d);
}

static void what_a_script_sets_in_its_namespace_counts_at_once(void **state)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (!enter_namespace() ||
            !set_in_namespace("/proc/sys/net/ipv4/tcp_timestamps", "1"))
            _exit(77);
        check_namespace();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

/* FreeBSD's switch: RFC 793 resets in the whole window. */
static void a_switch_of_freebsd_makes_a_reset_in_the_window_count(void **state)
{
    struct driver d;
    int error = 0, fd;
    socklen_t len = sizeof error;

    up(&d, "profile=bsd insecure_rst");
    fd = accepted(&d, listener(&d));
    put(&d, "R 101:101(0) win 0");
    assert_int_equal(d.ifc.getsockopt(d.u, fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, ECONNRESET);
    down(&d);
}

/* ---- calls that block ---- */

struct blocked {
    struct driver *d;
    int fd;
    atomic_int tid;
    ssize_t result;
    int error;
    long long at; /* when the thread heard that it was over */
};

static void *call_accept(void *arg)
{
    struct blocked *b = arg;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;

    b->tid = (int)syscall(SYS_gettid);
    b->result = b->d->ifc.accept(b->d->u, b->fd, (struct sockaddr *)&peer, &len);
    b->at = now(b->d);
    return NULL;
}

static void *call_read(void *arg)
{
    struct blocked *b = arg;
    char buf[10];

    b->tid = (int)syscall(SYS_gettid);
    b->result = b->d->ifc.read(b->d->u, b->fd, buf, sizeof buf);
    b->error = errno;
    b->at = now(b->d);
    return NULL;
}

static bool sleeps(int tid)
{
    char path[64], text[128];
    const char *after = NULL;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    f = fopen(path, "r");
    if (f && fgets(text, sizeof text, f))
        after = strrchr(text, ')');
    if (f)
        fclose(f);
    return after && after[2] == 'S';
}

/* Begins a call that blocks, which the program tells by the thread's state. */
static pthread_t begin(struct blocked *b, void *(*call)(void *))
{
    pthread_t thread;

    b->tid = 0;
    assert_int_equal(pthread_create(&thread, NULL, call, b), 0);
    while (!b->tid || !sleeps(b->tid))
        sched_yield();
    return thread;
}

static void blocking_calls_return_at_the_moment_of_what_they_waited_for(void **state)
{
    struct driver d;
    struct blocked b = { .d = &d };
    pthread_t thread;

    up(&d, "");
    b.fd = listener(&d);
    thread = begin(&b, call_accept);
    d.ifc.usleep(d.u, 100 * MS);
    put(&d, "S 0:0(0) win 65535 <mss 1000>");
    take(&d);
    d.ifc.usleep(d.u, 100 * MS);
    put_ack(&d, ". 1:1(0)", 1);
    pthread_join(thread, NULL);
    assert_true(b.result >= 0);
    assert_about(b.at, 200 * MS);

    b.fd = (int)b.result;
    thread = begin(&b, call_read);
    d.ifc.usleep(d.u, 100 * MS);
    put_ack(&d, "P. 1:4(3)", 1);
    d.ifc.usleep(d.u, 700 * MS);
    pthread_join(thread, NULL);
    assert_int_equal(b.result, 3);
    assert_about(b.at, 300 * MS);
    take(&d);
    assert_line(&d, ". 1:1(0) ack 4");
    down(&d);
}

static void a_call_that_times_out_ends_though_no_hook_is_called(void **state)
{
    struct timeval two = { .tv_sec = 2 };
    struct driver d;
    struct blocked b = { .d = &d };
    pthread_t thread;

    up(&d, "");
    b.fd = accepted(&d, listener(&d));
    assert_int_equal(
        d.ifc.setsockopt(d.u, b.fd, SOL_SOCKET, SO_RCVTIMEO, &two, sizeof two), 0);
    thread = begin(&b, call_read);
    pthread_join(thread, NULL);
    assert_int_equal(b.result, -1);
    assert_int_equal(b.error, EAGAIN);
    assert_about(b.at, 2000 * MS);
    down(&d);
}

/* ---- what packetdrill asks past the table ---- */

static void the_preloaded_getsockopt_answers_for_our_sockets(void **state)
{
    struct driver d;
    getsockopt_fn *ask;
    uint8_t info[280];
    socklen_t len = sizeof info;
    int fd, type = 0, theirs = socket(AF_UNIX, SOCK_DGRAM, 0);

    object_function(SO, "getsockopt", &ask, sizeof ask);
    up(&d, "");
    fd = accepted(&d, listener(&d));
    memset(info, 0xaa, sizeof info);
    assert_int_equal(ask(fd, IPPROTO_TCP, TCP_INFO, info, &len), 0);
    assert_int_equal(len, 280);
    assert_int_equal(info[0], 1); /* ESTABLISHED */
    assert_int_equal(info[279], 0);
    len = sizeof info;
    assert_int_equal(ask(fd, IPPROTO_TCP, 26, info, &len), 0); /* TCP_CC_INFO */
    assert_int_equal(len, 0);
    len = 36;
    assert_int_equal(ask(fd, SOL_SOCKET, 55, info, &len), 0); /* SO_MEMINFO */
    assert_int_equal(len, 36);
    len = sizeof type;
    assert_int_equal(ask(theirs, SOL_SOCKET, SO_TYPE, &type, &len), 0);
    assert_int_equal(type, SOCK_DGRAM);
    close(theirs);
    down(&d);
}

static void assert_file(const char *path, const char *want)
{
    char text[400] = "";
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(text, want);
}

static void the_state_file_follows_every_call(void **state)
{
    char path[] = "/tmp/tapir-test-states-XXXXXX";
    struct driver d;
    int l, fd;

    close(mkstemp(path));
    setenv("PDSO_STATE_FILE", path, 1);
    up(&d, "");
    unsetenv("PDSO_STATE_FILE");
    l = listener(&d);
    assert_file(path, "tcp4 192.0.2.2:80 0.0.0.0:0 LISTEN\n");
    put(&d, "S 0:0(0) win 65535 <mss 1000>");
    assert_file(path, "tcp4 192.0.2.2:80 0.0.0.0:0 LISTEN\n"
                      "tcp4 192.0.2.2:80 192.0.2.1:4000 SYN_RCVD\n");
    take(&d);
    put_ack(&d, ". 1:1(0)", 1);
    fd = d.ifc.accept(d.u, l, NULL, NULL);
    d.ifc.close(d.u, l);
    assert_file(path, "tcp4 192.0.2.2:80 192.0.2.1:4000 ESTABLISHED\n");
    d.ifc.shutdown(d.u, fd, SHUT_WR);
    put_ack(&d, "F. 1:1(0)", 2);
    d.ifc.close(d.u, fd);
    assert_file(path, "tcp4 192.0.2.2:80 192.0.2.1:4000 TIME_WAIT\n");
    down(&d);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_of_the_table_is_there),
        cmocka_unit_test(nothing_else_of_the_object_can_be_seen),
        cmocka_unit_test(it_can_be_loaded_without_words),
        cmocka_unit_test(the_clock_goes_on_when_asked_and_when_slept),
        cmocka_unit_test(where_nothing_is_ever_sent_the_packet_is_empty),
        cmocka_unit_test(a_handshake_and_what_is_retransmitted_come_at_their_moments),
        cmocka_unit_test(a_socket_is_a_real_descriptor_that_the_kernel_closes),
        cmocka_unit_test(there_is_no_ipv6),
        cmocka_unit_test(words_set_mtu_and_tunables),
        cmocka_unit_test(words_have_freebsds_names_too),
        cmocka_unit_test(what_a_script_sets_in_its_namespace_counts_at_once),
        cmocka_unit_test(a_switch_of_freebsd_makes_a_reset_in_the_window_count),
        cmocka_unit_test(blocking_calls_return_at_the_moment_of_what_they_waited_for),
        cmocka_unit_test(a_call_that_times_out_ends_though_no_hook_is_called),
        cmocka_unit_test(the_preloaded_getsockopt_answers_for_our_sockets),
        cmocka_unit_test(the_state_file_follows_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
