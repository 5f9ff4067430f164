#include "harness/cable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/bsd.h"
#include "edge/tap.h"
#include "harness/hosts.h"

/* As tap_send(), with a vnet header that says nothing. */
static int cable_send(struct link *link, const struct pkt *p)
{
    struct tap *tap = (struct tap *)(void *)link;
    uint8_t vnet[12] = { 0 };
    struct iovec iov[4] = { { vnet, sizeof vnet }, { p->data, p->len } };
    int n = 2;

    for (unsigned i = 0; i < p->n_text; i++)
        iov[n++] = (struct iovec){ (void *)(uintptr_t)p->text[i].at, p->text[i].len };
    if (writev(tap->port.fd, iov, n) >= 0)
        return 0;
    if (errno == EAGAIN)
        return -EAGAIN;
    net_drop(tap->port.net, NULL, DROP_LINK_ERROR);
    return 0;
}

static struct port *cable_port(int fd, struct net *net)
{
    static const struct port_ops ops = { .read = tap_read,
                                         .look = tap_look,
                                         .close = tap_close };
    struct tap *tap = calloc(1, sizeof *tap);

    must(tap != NULL);
    tap->header = 12;
    tap->made = true; /* there is no device to put back as it was */
    tap->port = (struct port){ .link = { .send = cable_send },
                               .ops = &ops,
                               .net = net,
                               .name = "cable0",
                               .mtu = 1500,
                               .fd = fd,
                               .door = -1 };
    return &tap->port;
}

struct tapir *cable_stack(int fd, const char *addr)
{
    struct tapir_config config = { .link = "tap:cable0", .addr = addr };
    struct tapir_error error;
    struct plan plan;
    struct tapir *t;

    must(plan_make(&config, false, &plan, &error) == 0);
    must((t = tapir_assemble(&plan, &error)) != NULL);
    t->port = cable_port(fd, &t->stack->net);
    t->nif.link = &t->port->link;
    t->nif.mtu = 1500;
    strcpy(t->nif.name, "cable0");
    t->now = loop_clock(t);
    must(tapir_attach(t, &plan, &error) == 0);
    must(tapir_start_watch(t) == 0);
    bsd_stack_up(t);
    return t;
}

void cable_up(struct cable *c)
{
    int fd[2];

    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) ==
         0);
    c->a = cable_stack(fd[0], "192.0.2.1/24");
    c->b = cable_stack(fd[1], "192.0.2.2/24");
}

void cable_down(struct cable *c)
{
    tapir_down(c->a);
    tapir_down(c->b);
}
