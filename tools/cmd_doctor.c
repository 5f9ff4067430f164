/* tapir doctor: what on this host would stop Tapir, and the command that mends it.
 *
 * Rights cannot be read off anywhere: a capability may be there and a seccomp filter
 * forbid its use, a device node may be open to all and a container's rules close it. So
 * each check does the thing itself and reports what happened; what changes the process
 * (namespaces) or makes a device happens in a child, which hands its error back through
 * a pipe. Nothing on the host is changed.
 *
 * A check is essential if the default link needs it. What another link or only speed
 * needs is told, but the host counts as healthy without it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "edge/explain.h"
#include "edge/ns.h"
#include "edge/tap.h"
#include "options.h"

/* What a check found: 0 and a remark in error.what, or negative errno and the error. */
struct finding {
    int err;
    struct tapir_error error;
};

struct check {
    const char *name;
    const char *need; /* what cannot be done without it */
    bool essential;   /* the default link needs it */
    bool alone;       /* changes the process: runs in a child */
    int (*try)(struct tapir_error *e);
};

static void remark(struct tapir_error *e, const char *text)
{
    memset(e, 0, sizeof *e);
    snprintf(e->what, sizeof e->what, "%s", text);
}

/* ---- the checks ---- */

static int try_node(struct tapir_error *e)
{
    struct tap t;
    struct port_setup setup = { .name = "tapir-doctor", .mtu = 1500 };
    struct stat st;
    char text[64];
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    /* The sentences are tap_open()'s, which fails in the same place. */
    if (fd < 0)
        return tap_open(&t, &setup, e);
    if (fstat(fd, &st) < 0)
        st.st_mode = 0;
    close(fd);
    snprintf(text, sizeof text, "mode %04o, opens", (unsigned)st.st_mode & 07777);
    remark(e, text);
    return 0;
}

static int try_user_namespace(struct tapir_error *e)
{
    int err;

    remark(e, "allowed");
    if (unshare(CLONE_NEWUSER) == 0)
        return 0;
    err = explain(e, -errno, "cannot make a user namespace");
    ns_explain(e, err);
    return err;
}

static int try_network_namespace(struct tapir_error *e)
{
    int err = ns_enter(e);

    if (err == 0)
        remark(e, "made one, loopback is up");
    return err;
}

static int try_device(struct tapir_error *e, bool offload)
{
    struct port_setup setup = { .name = "tapir-doctor",
                                .mtu = 1500,
                                .offload = offload };
    struct tap t;
    int err = ns_enter(e);

    if (err == 0)
        err = tap_open(&t, &setup, e);
    if (err < 0)
        return err;
    tap_close(&t.port);
    remark(e, offload ? "checksums and super-segments up to 64 KiB"
                      : "made one, set it up");
    return 0;
}

static int try_tap(struct tapir_error *e)
{
    return try_device(e, false);
}

static int try_offload(struct tapir_error *e)
{
    return try_device(e, true);
}

static int try_capability(struct tapir_error *e)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct cap[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

    if (syscall(SYS_capget, &head, cap) == 0 &&
        (cap[0].effective & 1u << CAP_NET_ADMIN)) {
        remark(e, "this process has it");
        return 0;
    }
    explain(e, -EPERM, "this process has no CAP_NET_ADMIN");
    explain_cause(e, "--link tap:NAME then takes a device that stands and is yours");
    explain_fix(e,
                "sudo ip tuntap add dev tap0 mode tap user $(id -un) vnet_hdr && sudo "
                "ip addr add 192.0.2.1/24 dev tap0 && sudo ip link set tap0 up");
    return -EPERM;
}

static int try_clock(struct tapir_error *e)
{
    struct timespec res;

    if (clock_getres(CLOCK_MONOTONIC, &res) < 0)
        return explain(e, -errno, "there is no monotonic clock");
    if (res.tv_sec == 0 && res.tv_nsec <= 1000000) {
        remark(e, "CLOCK_MONOTONIC, fine enough for timers");
        return 0;
    }
    explain(e, -ERANGE, "CLOCK_MONOTONIC is coarser than a millisecond");
    explain_cause(e, "the kernel has no high-resolution timers");
    explain_fix(e, "boot without highres=off, with a kernel of CONFIG_HIGH_RES_TIMERS");
    return -ERANGE;
}

static const struct check check[] = {
    { "/dev/net/tun", "TAP devices", true, false, try_node },
    { "network namespace", "--link ns", true, true, try_network_namespace },
    { "TAP device", "--link ns", true, true, try_tap },
    { "offload", "bulk at full speed", false, true, try_offload },
    { "user namespace", "--link ns without root", false, true, try_user_namespace },
    { "CAP_NET_ADMIN", "--link tap:NAME making its device", false, false,
      try_capability },
    { "clock", "timers", true, false, try_clock },
};

enum { CHECKS = sizeof check / sizeof check[0] };

/* ---- running them ---- */

static void child(const struct check *c, int to)
{
    struct finding f;
    ssize_t n;

    memset(&f, 0, sizeof f);
    f.err = c->try(&f.error);
    n = write(to, &f, sizeof f);
    _exit(n == (ssize_t)sizeof f ? 0 : 1);
}

/* In a child; one that dies, of a seccomp filter for instance, is a finding as well. */
static struct finding run_alone(const struct check *c)
{
    struct finding f;
    int ends[2], status;
    ssize_t n = -1;
    pid_t pid = -1;

    memset(&f, 0, sizeof f);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        f.err = explain(&f.error, -errno, "cannot make a pipe");
        return f;
    }
    pid = fork();
    if (pid == 0)
        child(c, ends[1]);
    close(ends[1]);
    if (pid > 0) {
        n = read(ends[0], &f, sizeof f);
        waitpid(pid, &status, 0);
    }
    close(ends[0]);
    if (n != (ssize_t)sizeof f) {
        f.err = explain(&f.error, -ECHILD, "the process that tried it was ended");
        explain_cause(&f.error, "a security filter of this host or container kills it");
    }
    return f;
}

static struct finding run(const struct check *c)
{
    struct finding f;

    if (c->alone)
        return run_alone(c);
    memset(&f, 0, sizeof f);
    f.err = c->try(&f.error);
    return f;
}

/* ---- telling ---- */

static const char *status_of(const struct check *c, const struct finding *f)
{
    if (f->err == 0)
        return "ok";
    return c->essential ? "FAIL" : "missing";
}

/* Did an earlier check meet the very same error? */
static bool told_before(const struct finding *f, int i)
{
    for (int k = 0; k < i; k++)
        if (f[k].err && strcmp(f[k].error.what, f[i].error.what) == 0)
            return true;
    return false;
}

static void print_text(const struct finding *f, bool healthy)
{
    for (int i = 0; i < CHECKS; i++) {
        const struct tapir_error *e = &f[i].error;

        printf("%-8s %-18s %s\n", status_of(&check[i], &f[i]), check[i].name, e->what);
        if (f[i].err == 0)
            continue;
        printf("         needed for: %s\n", check[i].need);
        if (told_before(f, i))
            continue;
        if (*e->cause)
            printf("         cause: %s\n", e->cause);
        if (*e->fix)
            printf("         fix:   %s\n", e->fix);
    }
    printf("%s\n",
           healthy ? "Tapir runs here: --link ns, sim and kernel."
                   : "--link ns does not work here; --link sim and --link kernel do.");
}

static void print_json_field(const char *name, const char *value)
{
    printf(",\"%s\":", name);
    print_json_string(value);
}

static void print_json(const struct finding *f, bool healthy)
{
    printf("{\"ok\":%s,\"checks\":[", healthy ? "true" : "false");
    for (int i = 0; i < CHECKS; i++) {
        printf("%s{\"essential\":%s", i ? "," : "",
               check[i].essential ? "true" : "false");
        print_json_field("name", check[i].name);
        print_json_field("status", status_of(&check[i], &f[i]));
        print_json_field("needed_for", check[i].need);
        print_json_field("found", f[i].error.what);
        print_json_field("cause", f[i].error.cause);
        print_json_field("fix", f[i].error.fix);
        putchar('}');
    }
    puts("]}");
}

static int diagnose(bool json)
{
    struct finding f[CHECKS];
    bool healthy = true;

    fflush(stdout);
    for (int i = 0; i < CHECKS; i++) {
        f[i] = run(&check[i]);
        if (f[i].err < 0 && check[i].essential)
            healthy = false;
    }
    if (json)
        print_json(f, healthy);
    else
        print_text(f, healthy);
    return healthy ? 0 : 1;
}

int doctor_run(int argc, char **argv)
{
    static const struct option_row own[] = { { 'j', 0, "json", false },
                                             { 0, 0, NULL, false } };
    struct options o;
    bool json = false;
    int id;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, own)) != OPT_END) {
        if (id == OPT_WORD)
            return tell_usage("doctor takes no argument", "tapir doctor");
        if (id != 'j')
            return options_exit(id);
        json = true;
    }
    return diagnose(json);
}
