/* The load generator against servers of this test's own on the loopback: it counts what
 * really happened, and a server that does not behave is no figure. Time is real here:
 * a run is 0.3 s, and a server has to answer once in that. */
#include "../../tools/bench/load.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a server --- */

struct server {
    int listener;
    struct sockaddr_in at;
    pthread_t thread;
    void (*serve)(struct server *s, int fd); /* one connection, until it ends */
    atomic_ullong accepted, bytes;
};

static void *accept_all(void *arg)
{
    struct server *s = arg;
    int fd, one = 1;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        s->accepted++;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        s->serve(s, fd);
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *s, void (*serve)(struct server *s, int fd))
{
    socklen_t len = sizeof s->at;
    *s = (struct server){ .listener = socket(AF_INET, SOCK_STREAM, 0), .serve = serve };
    s->at.sin_family = AF_INET;
    s->at.sin_addr.s_addr = htonl(0x7f000001);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&s->at, sizeof s->at), 0);
    assert_int_equal(listen(s->listener, 64), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&s->at, &len), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, accept_all, s), 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

/* Reads a request up to its empty line. False: the client has closed. */
static bool read_request(int fd)
{
    char last[4] = "", c;
    while (read(fd, &c, 1) == 1) {
        memmove(last, last + 1, 3);
        last[3] = c;
        if (memcmp(last, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static void say(int fd, const char *text)
{
    send(fd, text, strlen(text), MSG_NOSIGNAL);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

static void serve_answers(struct server *s, int fd)
{
    (void)s;
    while (read_request(fd))
        say(fd, HEAD "hello");
}

static void serve_in_bits(struct server *s, int fd)
{
    (void)s;
    while (read_request(fd))
        for (const char *c = HEAD "hello"; *c; c++)
            send(fd, c, 1, MSG_NOSIGNAL);
}

/* Our end first; what the client still sends must not turn that into a reset. */
static void serve_end(struct server *s, int fd)
{
    char c;
    (void)s;
    shutdown(fd, SHUT_WR);
    while (read(fd, &c, 1) == 1)
        ;
}

static void serve_once(struct server *s, int fd)
{
    if (read_request(fd))
        say(fd, HEAD "hello");
    serve_end(s, fd);
}

static void serve_404(struct server *s, int fd)
{
    (void)s;
    while (read_request(fd))
        say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static void serve_too_much(struct server *s, int fd)
{
    (void)s;
    while (read_request(fd))
        say(fd, HEAD "hello and more");
}

static void serve_too_little(struct server *s, int fd)
{
    (void)s;
    if (read_request(fd))
        say(fd, HEAD "hel");
}

static void serve_no_http(struct server *s, int fd)
{
    (void)s;
    if (read_request(fd))
        say(fd, "220 mail.example\r\n\r\n");
}

static void serve_echo(struct server *s, int fd)
{
    char buffer[4096];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        s->bytes += (unsigned long long)n;
        send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
    }
}

static void serve_discard(struct server *s, int fd)
{
    char buffer[65536];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        s->bytes += (unsigned long long)n;
}

static void serve_source(struct server *s, int fd)
{
    static const char buffer[65536];
    ssize_t n;
    while ((n = send(fd, buffer, sizeof buffer, MSG_NOSIGNAL)) > 0)
        s->bytes += (unsigned long long)n;
}

/* --- a load on it --- */

static void load_begin(struct load *l, const char *kind, const struct server *s)
{
    *l = (struct load){
        .to = s->at, .path = "/", .conns = 1, .size = 1000, .seconds = 0.3
    };
    for (l->kind = load_kinds; strcmp(l->kind->name, kind) != 0; l->kind++)
        assert_non_null(l->kind->name);
    assert_true(load_init(l));
}

static void runs(struct load *l)
{
    bool good = load_run(l);
    assert_string_equal(l->broken, "");
    assert_true(good);
}

/* A server that behaves badly: the load ends with `why`. */
static void breaks(const char *kind, void (*serve)(struct server *, int),
                   const char *why)
{
    struct server s;
    struct load l;
    server_start(&s, serve);
    load_begin(&l, kind, &s);
    l.seconds = 10; /* it ends long before */
    assert_false(load_run(&l));
    assert_string_equal(l.broken, why);
    load_free(&l);
    server_stop(&s);
}

static void each_answer_is_counted_with_its_time_and_its_body(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_answers);
    load_begin(&l, "get", &s);
    runs(&l);
    assert_true(l.answers > 0);
    assert_int_equal(l.times.n, l.answers);
    assert_int_equal(l.conn[0].bytes, 5 * l.answers);
    assert_true(samples_percentile(&l.times, 0) > 0);
    assert_int_equal(s.accepted, 1);
    load_free(&l);
    server_stop(&s);
}

static void an_answer_may_come_in_bits(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_in_bits);
    load_begin(&l, "get", &s);
    runs(&l);
    assert_true(l.answers > 0);
    load_free(&l);
    server_stop(&s);
}

static void connect_opens_a_connection_for_each_answer(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_once);
    load_begin(&l, "connect", &s);
    runs(&l);
    assert_true(l.answers > 0);
    assert_true(s.accepted >= l.answers);
    assert_int_equal(l.times.n, l.answers);
    load_free(&l);
    server_stop(&s);
}

static void an_echo_is_complete_when_all_its_bytes_are_back(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_echo);
    load_begin(&l, "echo", &s);
    runs(&l);
    assert_true(l.answers > 0);
    assert_in_range(s.bytes, 1000 * l.answers, UINT64_MAX);
    load_free(&l);
    server_stop(&s);
}

/* What is in our send buffer yet has not arrived. */
static void a_flow_out_counts_what_the_peer_has_acknowledged(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_discard);
    load_begin(&l, "send", &s);
    runs(&l);
    uint64_t counted = l.conn[0].bytes;
    load_free(&l);
    server_stop(&s);
    assert_true(counted > 0);
    assert_in_range(counted, 1, s.bytes);
}

static void a_flow_in_counts_what_was_read(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_source);
    load_begin(&l, "recv", &s);
    runs(&l);
    assert_in_range(l.conn[0].bytes, 1, s.bytes);
    load_free(&l);
    server_stop(&s);
}

static void held_connections_asked_once_or_never(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_answers);
    load_begin(&l, "kept", &s);
    runs(&l);
    assert_int_equal(l.answers, 1);
    load_free(&l);
    load_begin(&l, "idle", &s);
    runs(&l);
    assert_int_equal(l.conn[0].bytes, 0);
    load_free(&l);
    server_stop(&s);
}

static void a_server_that_does_not_behave_is_no_figure(void **state)
{
    breaks("get", serve_404, "the answer was not 200");
    breaks("get", serve_too_much, "more came than was asked");
    breaks("get", serve_too_little, "the server closed a kept connection");
    breaks("get", serve_once, "the server closed a kept connection");
    breaks("kept", serve_once, "the server closed a kept connection");
    breaks("get", serve_no_http, "that was no HTTP answer with a Content-Length");
    breaks("connect", serve_too_little, "the server closed too early");
    breaks("echo", serve_end, "the echo ended");
    breaks("recv", serve_end, "the flow ended");
    breaks("idle", serve_source, "the server spoke to or closed an idle connection");
}

static void a_port_where_nobody_listens_is_no_figure(void **state)
{
    struct server s;
    struct load l;
    server_start(&s, serve_answers);
    server_stop(&s);
    load_begin(&l, "get", &s);
    assert_false(load_run(&l));
    assert_string_equal(l.broken, "cannot connect: Connection refused");
    load_free(&l);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char path[1100];
    struct load l = { .kind = load_kinds, .path = path, .conns = 1 };
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(load_init(&l));
    assert_string_equal(l.broken, "that path is too long");
    load_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_counted_with_its_time_and_its_body),
        cmocka_unit_test(an_answer_may_come_in_bits),
        cmocka_unit_test(connect_opens_a_connection_for_each_answer),
        cmocka_unit_test(an_echo_is_complete_when_all_its_bytes_are_back),
        cmocka_unit_test(a_flow_out_counts_what_the_peer_has_acknowledged),
        cmocka_unit_test(a_flow_in_counts_what_was_read),
        cmocka_unit_test(held_connections_asked_once_or_never),
        cmocka_unit_test(a_server_that_does_not_behave_is_no_figure),
        cmocka_unit_test(a_port_where_nobody_listens_is_no_figure),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
