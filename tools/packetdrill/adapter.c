/* How it works.
 *
 * packetdrill's main thread is the simulation's outer thread: in a hook it has the
 * baton, and between hooks nothing happens. A call that the script lets block runs on a
 * second thread, which comes in as a guest and from then on is one of the simulation's
 * programs: it waits for the baton on a condition, which is how packetdrill sees that
 * it blocked, and wakes at its moment of virtual time, within some hook of main's.
 *
 *     main     ──hook──┐      ┌──hook─────────────┐        ┌──hook
 *     guest            └ call ┘ (waits for the baton) call ends └► gettimeofday
 *
 * A guest's call is over at a moment that main's clock may leave behind. So the guest
 * keeps the moment and answers its next gettimeofday with it, and main waits in real
 * time, a little, until that was asked.
 *
 * Where packetdrill waits for the guest and calls no hook, virtual time would stand
 * still for ever: a third thread, the warden, then lets it go on in main's place. */
#include "adapter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    NAP = 50,        /* microseconds of real time between two looks ... */
    NAPS = 40,       /* ... and how many there are at most */
    IDLE_MS = 400,   /* of real time without a hook until the warden acts */
    STEP = 1000,     /* of virtual time that it lets go on at once ... */
    STEPS = 3600000, /* ... and how often at most: an hour */
};

static struct adapter *current;

struct adapter *adapter_current(void)
{
    return current;
}

/* ---- the warden ---- */

static void *warden_main(void *arg)
{
    struct adapter *a = arg;
    unsigned long long seen = 0;
    struct timespec until;

    pthread_mutex_lock(&a->gate);
    while (!a->ended) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += IDLE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&a->ending, &a->gate, &until) == 0)
            continue;
        if (a->visits == seen) {
            sim_regain(a->sim);
            for (int i = 0; a->guests > 0 && i < STEPS; i++)
                raw_run(a->host, a->sim->now + STEP);
        }
        seen = a->visits;
    }
    pthread_mutex_unlock(&a->gate);
    return NULL;
}

/* The gate is held. */
static void ward(struct adapter *a)
{
    if (!a->warded)
        a->warded = pthread_create(&a->warden, NULL, warden_main, a) == 0;
}

static void end_warden(struct adapter *a)
{
    pthread_mutex_lock(&a->gate);
    a->ended = true;
    pthread_cond_signal(&a->ending);
    pthread_mutex_unlock(&a->gate);
    if (a->warded)
        pthread_join(a->warden, NULL);
}

/* ---- in and out ---- */

void visit_begin(struct visit *v, void *userdata)
{
    struct adapter *a = userdata;

    v->a = a;
    v->guest = !pthread_equal(pthread_self(), a->main);
    pthread_mutex_lock(&a->gate);
    if (v->guest) {
        ward(a);
        a->guests++;
        sim_guest_in(&v->thread, a->host);
        pthread_mutex_unlock(&a->gate);
    } else {
        a->visits++;
        sim_regain(a->sim);
    }
}

/* Lets guests that have returned ask for their time, before main's goes on. */
static void wait_for_guests(const struct adapter *a)
{
    for (int i = 0; a->owed > 0 && i < NAPS; i++)
        usleep(NAP);
}

void visit_end(struct visit *v)
{
    struct adapter *a = v->a;
    int error = errno;

    if (v->guest) {
        clock_stamp(a->sim->now);
        a->owed++;
        a->guests--;
        sim_guest_out(&v->thread);
    } else {
        listing_write(a);
        pthread_mutex_unlock(&a->gate);
        wait_for_guests(a);
    }
    errno = error;
}

/* ---- life ---- */

static void adapter_free(void *userdata)
{
    struct adapter *a = userdata;

    if (!a)
        return;
    end_warden(a);
    if (current == a)
        current = NULL;
    sim_free(a->sim);
    settings_end(a);
    free(a->listed);
    pthread_cond_destroy(&a->ending);
    pthread_mutex_destroy(&a->gate);
    free(a);
}

static int make_host(struct adapter *a)
{
    const struct settings *s = &a->settings;
    char addr[40];
    struct tapir_config config = {
        .addr = addr, .profile = s->profile, .pcap = s->pcap, .ladder = s->ladder
    };
    struct tapir_error error;

    /* The net in which packetdrill takes addresses. */
    snprintf(addr, sizeof addr, "%.32s/16", s->local);
    a->sim = sim_new(s->seed);
    if (!a->sim)
        return -ENOMEM;
    a->host = sim_host(a->sim, &config, &error);
    if (a->host)
        return sim_wire_raw(a->host);
    fprintf(stderr, "libtapir-packetdrill: %s\n", error.what);
    return -EINVAL;
}

static void init_locks(struct adapter *a)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->ending, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&a->gate, NULL);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
    struct adapter *a = calloc(1, sizeof *a);

    if (!a || !settings_parse(&a->settings, flags))
        exit(2);
    init_locks(a);
    a->main = pthread_self();
    a->state_file = getenv("PDSO_STATE_FILE");
    if (make_host(a) < 0 || !settings_begin(a))
        exit(2);
    current = a;
    ifc->userdata = a;
    ifc->free = adapter_free;
    clock_hooks(ifc);
    call_hooks(ifc);
}
