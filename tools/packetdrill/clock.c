/* packetdrill's clock is the simulation's, and moves in these hooks alone: usleep lets
 * it go on, gettimeofday by a microsecond, because packetdrill waits for a moment by
 * asking over and over; netdev_receive lets it go on until the stack has sent. A packet
 * bears the moment at which it was sent, whenever it is fetched. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "base/bytes.h"
#include "base/cksum.h"
#include "wire/ip4_wire.h"

/* Real time at virtual time 0, some day in 2023; and how long a script can wait for a
 * packet. */
#define EPOCH   ((long long)1700000000 * USEC_PER_SEC)
#define LONGEST (3600 * USEC_PER_SEC)

/* When this thread's blocking call returned; NEVER: none has, or it was asked. */
static _Thread_local usec stamp = NEVER;

void clock_stamp(usec at)
{
    stamp = at;
}

static int hook_usleep(void *u, useconds_t us)
{
    struct visit v;

    visit_begin(&v, u);
    raw_run(v.a->host, v.a->sim->now + (usec)us);
    visit_end(&v);
    return 0;
}

static void tell(struct timeval *out, long long at)
{
    out->tv_sec = (time_t)(at / USEC_PER_SEC);
    out->tv_usec = (suseconds_t)(at % USEC_PER_SEC);
}

static int hook_gettimeofday(void *u, struct timeval *now, struct timezone *zone)
{
    struct visit v;

    (void)zone;
    if (stamp != NEVER) {
        struct adapter *a = u;
        tell(now, EPOCH + stamp);
        stamp = NEVER;
        a->owed--;
        return 0;
    }
    visit_begin(&v, u);
    raw_run(v.a->host, v.a->sim->now + 1);
    tell(now, EPOCH + v.a->sim->now);
    visit_end(&v);
    return 0;
}

/* Programs that the packet wakes run before packetdrill goes on. */
static int hook_netdev_send(void *u, const void *ip, size_t n)
{
    struct visit v;
    int r;

    visit_begin(&v, u);
    settings_follow(v.a);
    r = raw_put(v.a->host, ip, n);
    raw_run(v.a->host, v.a->sim->now);
    visit_end(&v);
    return r < 0 ? -1 : 0;
}

/* packetdrill believes what we send; so it is checked here. */
static void check_sums(const struct raw_packet *p)
{
    struct ip4 ip;
    uint64_t sum;
    int r = ip4_parse(p->data, p->len, &ip);

    assert(r == 0);
    if (r < 0 || ip.proto != IP_PROTO_TCP)
        return;
    sum = ip_pseudo_sum(ip.src, ip.dst, ip.proto, p->len - ip.header_len);
    sum = cksum_add(sum, p->data + ip.header_len, p->len - ip.header_len, 0);
    if (cksum_finish(sum) != 0)
        abort();
}

/* -1 would be tried again for ever: nothing is an empty packet. */
static int hook_netdev_receive(void *u, void *buf, size_t *n, long long *at)
{
    struct raw_packet *p = NULL;
    struct visit v;

    visit_begin(&v, u);
    if (raw_wait(v.a->host, v.a->sim->now + LONGEST) == 0)
        p = raw_take(v.a->host);
    if (p) {
        check_sums(p);
        *n = min_size(*n, p->len);
        memcpy(buf, p->data, *n);
        *at = EPOCH + p->at;
    } else {
        *n = 0;
        *at = EPOCH + v.a->sim->now;
    }
    free(p);
    visit_end(&v);
    return 0;
}

void clock_hooks(struct packetdrill_interface *ifc)
{
    ifc->usleep = hook_usleep;
    ifc->gettimeofday = hook_gettimeofday;
    ifc->netdev_send = hook_netdev_send;
    ifc->netdev_receive = hook_netdev_receive;
}
