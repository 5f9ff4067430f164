/* The shared-object interface of the packetdrill program, as it is in memory: a table
 * of functions that the object fills in, each with `userdata` first. Socket calls have
 * their kernel twins' arguments, results and errno. */
#ifndef TAPIR_PACKETDRILL_INTERFACE_H
#define TAPIR_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

/* clang-format off */
struct packetdrill_interface {
    void *userdata; /* the object's own */
    void (*free)(void *u);
    int (*socket)(void *u, int domain, int type, int protocol);
    int (*bind)(void *u, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(void *u, int fd, int backlog);
    int (*accept)(void *u, int fd, struct sockaddr *addr, socklen_t *len);
    int (*connect)(void *u, int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*read)(void *u, int fd, void *buf, size_t n);
    ssize_t (*readv)(void *u, int fd, const struct iovec *iov, int n);
    ssize_t (*recv)(void *u, int fd, void *buf, size_t n, int flags);
    ssize_t (*recvfrom)(void *u, int fd, void *buf, size_t n, int flags,
                        struct sockaddr *addr, socklen_t *len);
    ssize_t (*recvmsg)(void *u, int fd, struct msghdr *msg, int flags);
    ssize_t (*write)(void *u, int fd, const void *buf, size_t n);
    ssize_t (*writev)(void *u, int fd, const struct iovec *iov, int n);
    ssize_t (*send)(void *u, int fd, const void *buf, size_t n, int flags);
    ssize_t (*sendto)(void *u, int fd, const void *buf, size_t n, int flags,
                      const struct sockaddr *addr, socklen_t len);
    ssize_t (*sendmsg)(void *u, int fd, const struct msghdr *msg, int flags);
    int (*fcntl)(void *u, int fd, int cmd, ...);
    int (*ioctl)(void *u, int fd, unsigned long request, ...);
    int (*close)(void *u, int fd);
    int (*shutdown)(void *u, int fd, int how);
    int (*getsockopt)(void *u, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *u, int fd, int level, int name, const void *value,
                      socklen_t len);
    int (*poll)(void *u, struct pollfd *fds, nfds_t n, int timeout_ms);

    /* One IP packet to the stack, which is through with it on return; and the oldest
     * that the stack sent, with the moment on gettimeofday's clock: *n comes in as buf's
     * room, and is 0 where nothing will ever be sent. */
    int (*netdev_send)(void *u, const void *ip, size_t n);
    int (*netdev_receive)(void *u, void *buf, size_t *n, long long *at);

    /* The program's clock. */
    int (*usleep)(void *u, useconds_t us);
    int (*gettimeofday)(void *u, struct timeval *now, struct timezone *zone);

    int (*epoll_create)(void *u, int size);
    int (*epoll_ctl)(void *u, int set, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *u, int set, struct epoll_event *events, int max,
                      int timeout_ms);
    int (*pipe)(void *u, int fds[2]);
    int (*splice)(void *u, int in, loff_t *in_at, int out, loff_t *out_at, size_t n,
                  unsigned flags);
};
/* clang-format on */

_Static_assert(sizeof(struct packetdrill_interface) == 33 * sizeof(void *),
               "33 pointers");

/* What the program looks up in the object. `flags` is the text of --so_flags, or
 * NULL. */
__attribute__((visibility("default"))) void packetdrill_interface_init(
    const char *flags, struct packetdrill_interface *ifc);

#endif
