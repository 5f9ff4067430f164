/* The far end of a simulated link. For a client of ours: HTTP with the site that ships
 * with the project, and perf's services. For a server of ours: a visitor who fetches /
 * and then every file of the site that the page names, each once, over connections of
 * its own, and says what it got. */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "tapir/sim.h"

enum { PAGE_MAX = 1 << 20, FILES_MAX = 32, NAME_LEN = 128 };

/* --- services --- */

/* Beside the program in the source tree (build/tapir, build/VARIANT/tapir) and where
 * `make install` puts it. */
const char *site_dir(void)
{
    static const char *const places[] = { "../tools/site", "../../tools/site",
                                          "../share/tapir/site" };
    static char path[PATH_MAX + 32];
    char self[PATH_MAX];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return NULL;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", self, places[i]);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return path;
    }
    return NULL;
}

static void site_program(void *arg)
{
    const char *dir = site_dir();
    if (dir)
        serve_files(arg, dir, 80);
    else
        tell("the far end has no site to serve",
             "the program stands neither in the source tree nor where it was installed",
             "make install, or run build/tapir");
}

static void perf_program(void *arg)
{
    perf_serve(arg, NULL);
}

int far_start(struct options *far)
{
    int err = sim_spawn(far->tapir, site_program, far);
    return err < 0 ? err : sim_spawn(far->tapir, perf_program, far);
}

/* --- the visitor --- */

struct visit {
    const char *host;
    struct sockaddr_in to;
    char name[FILES_MAX][NAME_LEN]; /* paths to fetch, the first is "/" */
    unsigned n;
    char *page; /* PAGE_MAX bytes and a NUL: the response at hand */
    size_t len;
};

/* Sends the request and reads until the server closes. 0 or -errno. */
static int exchange(struct visit *v, int fd, const char *path)
{
    char request[NAME_LEN + 160];
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
                     v->host);
    ssize_t got = 1;
    v->len = 0;
    if (tapir_connect(fd, (struct sockaddr *)&v->to, sizeof v->to) < 0 ||
        tapir_write(fd, request, (size_t)n) < 0)
        return -errno;
    while (got > 0) {
        /* Of a longer file the end is read over the last part: it only counts. */
        size_t at = v->len < PAGE_MAX / 2 ? v->len : PAGE_MAX / 2;
        got = tapir_read(fd, v->page + at, PAGE_MAX - at);
        v->len += got > 0 ? (size_t)got : 0;
    }
    v->page[v->len < PAGE_MAX ? v->len : PAGE_MAX] = '\0';
    return got < 0 ? -errno : 0;
}

/* A path of the page's own site, not yet known, without "..". */
static void add_name(struct visit *v, const char *name, size_t len)
{
    char path[NAME_LEN];
    if (len == 0 || len > NAME_LEN - 2 || v->n == FILES_MAX || memchr(name, ':', len) ||
        name[0] == '#' || strncmp(name, "//", 2) == 0)
        return;
    snprintf(path, sizeof path, "%s%.*s", name[0] == '/' ? "" : "/", (int)len, name);
    path[strcspn(path, "#?")] = '\0';
    for (unsigned i = 0; i < v->n; i++)
        if (strcmp(v->name[i], path) == 0)
            return;
    snprintf(v->name[v->n++], NAME_LEN, "%s", path);
}

/* href="..." and src="..." of an HTML page. */
static void find_names(struct visit *v)
{
    static const char *const words[] = { "href=\"", "src=\"" };
    for (size_t i = 0; i < 2; i++) {
        const char *at = v->page;
        while ((at = strstr(at, words[i]))) {
            at += strlen(words[i]);
            add_name(v, at, strcspn(at, "\""));
        }
    }
}

static int fetch(struct visit *v, const char *path)
{
    int64_t begin = tapir_now();
    int status = 0, fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    int err = fd < 0 ? -errno : exchange(v, fd, path);
    if (fd >= 0)
        tapir_close(fd);
    if (err < 0 || sscanf(v->page, "HTTP/1.%*d %d", &status) != 1) {
        fprintf(stderr, "GET %s: %s\n", path, err ? strerror(-err) : "no HTTP");
        return 1;
    }
    const char *head_end = strstr(v->page, "\r\n\r\n");
    size_t head = head_end ? (size_t)(head_end - v->page) + 4 : v->len;
    fprintf(stderr, "GET %s: %d, %zu bytes in %.3f ms of virtual time\n", path, status,
            v->len - head, (double)(tapir_now() - begin) / 1000);
    return status == 200 ? 0 : 1;
}

int far_visit(struct options *far, const char *host, uint16_t port)
{
    struct visit v = { .host = host, .n = 1, .name = { "/" } };
    int failed;
    (void)far;
    v.to.sin_family = AF_INET;
    v.to.sin_port = htons(port);
    inet_pton(AF_INET, host, &v.to.sin_addr);
    v.page = calloc(1, PAGE_MAX + 1);
    if (!v.page)
        return 1;
    failed = fetch(&v, "/");
    find_names(&v);
    for (unsigned i = 1; i < v.n; i++)
        failed |= fetch(&v, v.name[i]);
    free(v.page);
    return failed;
}
