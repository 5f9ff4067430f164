/* sendmsg and recvmsg, with a struct as scripts write it:
 *
 *     {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 200}], msg_flags=0,
 *      msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=0}]}
 *
 * and ioctl. */
#include "calls.h"

#include <linux/errqueue.h>
#include <string.h>

#include "pieces.h"

enum { CONTROL_MAX = 256 };

/* A part that must be there. */
static const struct expr *msg_part(struct calling *c, const char *name)
{
    const struct expr *e = call_arg(c, 1);
    const struct expr *part = e && e->kind == EXPR_STRUCT ? expr_part(e, name) : NULL;

    if (!part)
        call_fail(c, "the message has no %s", name);
    return part;
}

/* The pieces and the address of the message. Calls pieces_free() later. */
static void make_message(struct calling *c, struct pieces *p, struct msghdr *msg)
{
    const struct expr *iov = msg_part(c, "msg_iov");

    memset(msg, 0, sizeof *msg);
    pieces_make(c, iov, p);
    msg->msg_iov = p->iov;
    msg->msg_iovlen = (size_t)p->n;
}

/* {ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ...} */
static void compare_error(struct calling *c, const struct expr *e,
                          const struct cmsghdr *h)
{
    struct sock_extended_err got;

    if (h->cmsg_len < CMSG_LEN(sizeof got)) {
        call_fail(c, "cmsg_data is too short for an error");
        return;
    }
    memcpy(&got, CMSG_DATA(h), sizeof got);
    call_compare(c, "ee_errno", expr_part(e, "ee_errno"), got.ee_errno);
    call_compare(c, "ee_origin", expr_part(e, "ee_origin"), got.ee_origin);
    call_compare(c, "ee_type", expr_part(e, "ee_type"), got.ee_type);
    call_compare(c, "ee_code", expr_part(e, "ee_code"), got.ee_code);
    call_compare(c, "ee_info", expr_part(e, "ee_info"), got.ee_info);
    call_compare(c, "ee_data", expr_part(e, "ee_data"), got.ee_data);
}

/* What came beside the data, one item for one of the script's. */
static void compare_control(struct calling *c, struct msghdr *msg)
{
    const struct expr *list = expr_part(call_arg(c, 1), "msg_control");
    const struct expr *e = list ? list->parts : NULL;
    struct cmsghdr *h = CMSG_FIRSTHDR(msg);
    int n;

    for (; e && h && !c->failed; e = e->next, h = CMSG_NXTHDR(msg, h)) {
        call_compare(c, "cmsg_level", expr_part(e, "cmsg_level"), h->cmsg_level);
        call_compare(c, "cmsg_type", expr_part(e, "cmsg_type"), h->cmsg_type);
        const struct expr *data = expr_part(e, "cmsg_data");
        if (data && data->kind == EXPR_STRUCT) {
            compare_error(c, data, h);
            continue;
        }
        memcpy(&n, CMSG_DATA(h), sizeof n);
        call_compare(c, "cmsg_data", data, n);
    }
    if (list && (!e != !h) && !c->failed)
        call_fail(c, "there are %s items of control data", e ? "fewer" : "more");
}

void do_recvmsg(struct calling *c)
{
    _Alignas(struct cmsghdr) char control[CONTROL_MAX];
    const struct expr *flags = msg_part(c, "msg_flags");
    struct pieces p = { .n = 0 };
    struct msghdr msg;
    int fd = call_fd(c, 0), how = (int)call_number(c, 2);
    ssize_t n;

    make_message(c, &p, &msg);
    msg.msg_control = control;
    msg.msg_controllen = sizeof control;
    if (!c->failed) {
        pieces_prepare(&p);
        n = tapir_recvmsg(fd, &msg, how);
        if (call_result(c, n) && n >= 0) {
            pieces_check(c, &p, n);
            call_compare(c, "msg_flags", flags, msg.msg_flags);
            compare_control(c, &msg);
        }
    }
    pieces_free(&p);
}

void do_sendmsg(struct calling *c)
{
    struct sockaddr_in addr;
    struct pieces p = { .n = 0 };
    struct msghdr msg;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 2);
    struct flow *f = call_flow(c->run, (int)call_number(c, 0));
    bool opens = flags & MSG_FASTOPEN;

    make_message(c, &p, &msg);
    if (f && (f->kind == PACKET_UDP || opens) && f->state == FLOW_NEW) {
        call_default_address(c, &addr, false);
        msg.msg_name = &addr;
        msg.msg_namelen = sizeof addr;
        if (opens)
            call_connects(c, f, &addr);
    }
    if (!c->failed)
        call_result(c, tapir_sendmsg(fd, &msg, flags));
    pieces_free(&p);
}

void do_ioctl(struct calling *c)
{
    const struct expr *e = call_arg(c, 2);
    unsigned long request = (unsigned long)call_number(c, 1);
    int fd = call_fd(c, 0);
    int value = e && e->kind == EXPR_LIST && e->parts ? (int)expr_number(c, e->parts)
                                                      : 0;

    if (!c->failed && call_result(c, tapir_ioctl(fd, request, &value)) && e &&
        e->kind == EXPR_LIST)
        call_compare(c, "the value", e->parts, value);
}
