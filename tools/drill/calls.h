/* System calls of a script: the table of them, and what they share. A call takes its
 * arguments from the line, is made through tapir/socket.h, and its result and whatever
 * it filled in is compared with the line.
 *
 * To add a call: a function in one of the calls_*.c, and its row in calls.c. */
#ifndef TAPIR_TOOLS_DRILL_CALLS_H
#define TAPIR_TOOLS_DRILL_CALLS_H

#include <netinet/in.h>

#include "run.h"

/* A call while it is made. */
struct calling {
    struct run *run;
    const struct event *event;
    const struct call_line *line;
    bool failed; /* the line cannot be made a call of, or something differed */
};

/* The line and the call do not agree: the run fails. */
void call_fail(struct calling *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- arguments; they fail the call and return 0 or NULL where the line has something
 * else --- */

/* The i-th argument, from 0 on. */
const struct expr *call_arg(const struct calling *c, size_t i);

/* The part of a struct with this name; NULL: there is none. */
const struct expr *expr_part(const struct expr *e, const char *name);

/* A number: itself, a name for one, or several joined by |. */
long long expr_number(struct calling *c, const struct expr *e);
long long call_number(struct calling *c, size_t i);

/* The same in brackets, as [1]. */
long long call_boxed(struct calling *c, size_t i);

/* Is it "..."? */
bool expr_is_any(const struct expr *e);
bool expr_is_null(const struct expr *e);

/* The real descriptor behind the script's. */
int expr_fd(struct calling *c, const struct expr *e);
int call_fd(struct calling *c, size_t i);

/* An address: "..." is the default; else a struct, or AF_UNSPEC. Its length. */
socklen_t call_address(struct calling *c, size_t i, struct sockaddr_in *out,
                       bool local);

/* The address that "..." stands for. */
void call_default_address(const struct calling *c, struct sockaddr_in *out, bool local);

/* --- results --- */

/* Compares result and errno with the line. True: it is as expected. */
bool call_result(struct calling *c, long long result);

/* The same for a call that makes a descriptor: the line has the script's number. */
bool call_new_fd(struct calling *c, int fd);

/* Compares one thing that the call filled in. */
void call_compare(struct calling *c, const char *what, const struct expr *expected,
                  long long actual);

/* Forgets the script's number. */
void call_forget_fd(struct run *r, int script);

/* The socket with this descriptor of the script; NULL. */
struct flow *call_flow(struct run *r, int script);

/* --- the calls ------------------------------------------------------------------- */

/* calls_socket.c: they make, connect and end sockets */
void do_socket(struct calling *c);
void do_bind(struct calling *c);
void do_listen(struct calling *c);
void do_connect(struct calling *c);
void call_connects(struct calling *c, struct flow *f, const struct sockaddr_in *to);
void do_accept(struct calling *c);
void do_accept4(struct calling *c);
void do_close(struct calling *c);
void do_shutdown(struct calling *c);
void do_getsockname(struct calling *c);
void do_getpeername(struct calling *c);
void do_fcntl(struct calling *c);

/* calls_data.c: they move data */
void do_read(struct calling *c);
void do_readv(struct calling *c);
void do_recv(struct calling *c);
void do_recvfrom(struct calling *c);
void do_write(struct calling *c);
void do_writev(struct calling *c);
void do_send(struct calling *c);
void do_sendto(struct calling *c);

/* calls_msg.c */
void do_recvmsg(struct calling *c);
void do_sendmsg(struct calling *c);
void do_ioctl(struct calling *c);

/* calls_option.c */
void do_getsockopt(struct calling *c);
void do_setsockopt(struct calling *c);

/* calls_wait.c */
void do_poll(struct calling *c);
void do_epoll_create(struct calling *c);
void do_epoll_ctl(struct calling *c);
void do_epoll_wait(struct calling *c);

#endif
