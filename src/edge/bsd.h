/* Between the BSD calls: descriptors, the frame of a call (enter, wait, leave), and
 * addresses. Private to edge. */
#ifndef TAPIR_EDGE_BSD_H
#define TAPIR_EDGE_BSD_H

#include "edge/tapir.h"

struct epoll;

/* An open descriptor: a socket, or a set of descriptors (epoll). In the table while
 * open; lives until the last call on it is over. */
struct file {
    struct list node; /* in tapir->files while open */
    struct tapir *t;
    struct sock *sock;     /* NULL once it is closed, and for a set */
    struct epoll *epoll;   /* the same of a set; NULL for a socket */
    int fd;                /* its number: see bsd.c */
    bool nonblock;         /* O_NONBLOCK */
    atomic_int refs;       /* the table's and one for each call inside */
    struct list waiters;   /* struct waiter.node: calls that wait for it */
    struct list interests; /* struct interest.of_file: sets that watch it */
    unsigned edges;        /* how many of them have EPOLLET */
    unsigned seen;         /* if any has: how it was ... */
    uint32_t arrivals;     /* ... and what had come, when they last heard of it ... */
    uint32_t sends;        /* ... and how many sends were reported on */
};

/* --- the table; bsd.c ------------------------------------------------------------ */

/* A new descriptor of t, not yet in the table and without a socket. NULL with *err. */
struct file *file_new(struct tapir *t, int flags, int *err);

/* Gives it a socket (NULL: it is a set) and puts it into the table. */
void file_open(struct file *f, struct sock *s);

/* Is it one of Tapir's own, which the kernel does not know? */
bool number_is_own(int fd);

/* Undoes file_new(). */
void file_discard(struct file *f);

/* The descriptor's file, with a reference; NULL when the number is not ours. */
struct file *file_get(int fd);
void file_put(struct file *f);

/* As file_get() for each fds[i].fd, into out[i] (NULL: not ours). How many are ours. */
size_t file_get_all(const struct pollfd *fds, size_t n, struct file **out);

/* Takes the number out of the table and gives it back to the kernel. The table's
 * reference is the caller's from then on; NULL when the number is not ours. */
struct file *file_take(int fd);

/* Ends what is open: the socket is closed, calls that wait get -EBADF. Lock held. */
void file_shut(struct file *f);

/* Has it not been shut? Lock held. */
static inline bool file_is_open(const struct file *f)
{
    return f->sock || f->epoll;
}

/* What poll(2) would say of it: bits as SOCK_IN, and POLLRDNORM, POLLWRNORM. 0 when it
 * is shut. Lock held. */
unsigned file_readiness(const struct file *f);

/* Something happened to f: whoever waits for it, or polls, looks again. Lock held. */
void file_wake(struct file *f);

/* This thread's stack, or the first one; NULL. */
struct tapir *bsd_current(void);

/* Is a batch of t's open on this thread? */
bool bsd_in_batch(const struct tapir *t);

/* A stack came up or goes away: the default follows. */
void bsd_stack_up(struct tapir *t);
void bsd_stack_down(struct tapir *t);

/* --- waiting; bsd_wait.c --------------------------------------------------------- */

void waiter_init(struct waiter *w, unsigned budget);
void waiter_done(struct waiter *w);

/* Makes w look again, wherever it sleeps. Lock held. */
void waiter_wake(struct tapir *t, struct waiter *w);

/* Waits until w is woken or its deadline. Lock held; dropped only while asleep. 0,
 * -ETIMEDOUT, -EINTR; in a simulation -EDEADLK or -ECANCELED. */
int waiter_wait(struct tapir *t, struct waiter *w);

/* Lock, time, what became due; and: flush, wake, kick the driver, unlock. In a batch of
 * this thread's: lock and unlock. */
void tapir_enter(struct tapir *t);
void tapir_leave(struct tapir *t);

/* What tapir_enter() does behind the lock. */
void call_begins(struct tapir *t);

/* Takes what the device has, if no other call reads it; settles. Lock held. */
void tapir_look(struct tapir *t);

/* The background thread's whole life. */
void *watch_main(void *arg);

/* The length of its next tick, milliseconds, after one in which calls came and went. */
long watch_next_tick(struct tapir *t, long tick);

/* Gets the background thread up, wherever it sleeps. Lock held. */
void watch_ring(struct tapir *t);

/* --- a call ---------------------------------------------------------------------- */

enum call_kind { CALL_RECEIVE, CALL_SEND };

struct call {
    struct tapir *t;
    struct file *file;
    struct sock *sock;
    enum call_kind kind; /* which timeout, and how much of the device it takes */
    bool nonblock;       /* as the descriptor, or MSG_DONTWAIT */
    bool looked;         /* non-blocking: it took what the device had */
    bool waited;         /* blocking: the deadline is set */
    struct waiter w;
    char text[128]; /* for the trace; "" when nobody listens */
};

/* Enters a call on fd. 0; -EBADF when it was closed meanwhile; 1: the number is not
 * ours, nothing was entered. Unless it is 0 there is nothing to leave. */
int call_enter(struct call *c, int fd, enum call_kind kind);

/* The same for a set, too, which call_enter() takes for -ENOTSOCK. */
int call_enter_any(struct call *c, int fd, enum call_kind kind);

/* What the call waits for has not happened. 0: look again; -EAGAIN: it does not wait,
 * or its timeout is over; -EINTR; -EBADF: closed meanwhile (c->sock is gone). */
int call_wait(struct call *c);

/* Tells the trace, leaves, and turns negative errno into -1 and errno. */
ssize_t call_leave(struct call *c, ssize_t result);

/* The text of the trace, as printf: only if somebody listens. */
void call_say(struct call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* -1 and errno for a negative errno. */
ssize_t bsd_result(ssize_t result);

/* --- text; bsd_io.c -------------------------------------------------------------- */

struct receive {
    const struct iovec *iov;
    size_t n;
    size_t total, done;      /* room in all pieces; of it filled so far */
    int flags;               /* MSG_... */
    struct sock_message got; /* what is told of it, when there is something */
    bool report;             /* it is of the error queue: of sends, ... */
    uint32_t first, last;    /* ... from this one to that */
};

struct send {
    const struct iovec *iov;
    size_t n;
    size_t total, done; /* bytes of all pieces; of them taken so far */
    int flags;
    const struct sock_name *to; /* NULL: the connected peer */
    const struct ip_ask *ip;    /* datagrams: NULL: nothing */
};

/* 0, or -EINVAL; the sum of the lengths in *total. */
int iov_check(const struct iovec *iov, size_t n, size_t *total);

/* Receives as the flags and the descriptor say. Bytes or negative errno. */
ssize_t receive_wait(struct call *c, struct receive *r);

/* Sends; s->total need not be known. */
ssize_t send_checked(struct call *c, struct send *s);

/* --- sets of descriptors; bsd_epoll.c; lock held --------------------------------- */

/* Something happened to f: the sets that watch it hear of it. */
void epoll_notice(struct file *f);

/* A call on f is over: what it is not any more will be news again. */
void epoll_settle(struct file *f);

/* f is shut: no set watches it any more. */
void epoll_forget(struct file *f);

void epoll_free(struct epoll *set);

/* Is anything of the stack ready in it? */
bool epoll_readable(const struct epoll *set);

/* The kernel's descriptors in it: readable when one is; -1 when there are none. */
int epoll_kernel(const struct epoll *set);

/* --- addresses; bsd_addr.c ------------------------------------------------------- */

/* 0, -EINVAL (too short), -EFAULT (NULL), -EAFNOSUPPORT. */
int addr_in(const struct sockaddr *sa, socklen_t len, struct sock_name *out);

/* Cut to *len, which becomes the whole length, as the kernel does; NULLs are fine. */
void addr_out(const struct sock_name *name, struct sockaddr *sa, socklen_t *len);

/* "192.0.2.1:80", into buf; "-" for NULL. Returns buf. */
const char *addr_text(const struct sock_name *name, char *buf, size_t room);

#endif
