/* How it works
 *
 * A network namespace has its own devices, routes and ports. To make one takes
 * CAP_SYS_ADMIN. Who has it makes just that. Who has not makes a user namespace in the
 * same call: in there the process has every capability, over what belongs to that
 * namespace only, which includes the network namespace born with it.
 *
 *     unshare(NEWUSER|NEWNET)  ->  /proc/self/setgroups  "deny"      (else no gid_map)
 *                              ->  /proc/self/uid_map    "0 UID 1"   (we are root
 * inside)
 *                              ->  /proc/self/gid_map    "0 GID 1"
 *                              ->  lo up
 *
 * The namespace lives as long as a process in it: a killed program leaves nothing. */
#include "edge/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "edge/explain.h"

/* Writes one short text to a file of /proc. 0 or negative errno. */
static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        err = -errno;
    close(fd);
    return err;
}

/* The number in a file of /proc/sys, or -1 when there is none. */
static long read_number(const char *path)
{
    FILE *f = fopen(path, "re");
    long n = -1;

    if (!f)
        return -1;
    if (fscanf(f, "%ld", &n) != 1)
        n = -1;
    fclose(f);
    return n;
}

/* A sysctl that forbids user namespaces, and the value that allows them. */
static const struct {
    const char *path, *name;
    long forbids;
    const char *allow;
} gate[] = {
    { "/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", 0, "15000" },
    { "/proc/sys/user/max_net_namespaces", "user.max_net_namespaces", 0, "15000" },
    { "/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone",
      0, "1" },
    { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
      "kernel.apparmor_restrict_unprivileged_userns", 1, "0" },
};

static const char other_ways[] = "run as root, use a TAP that root made "
                                 "(--link tap:NAME), or no device at all (--link sim)";

void ns_explain(struct tapir_error *error, int err)
{
    for (size_t i = 0; i < sizeof gate / sizeof gate[0]; i++) {
        if (read_number(gate[i].path) != gate[i].forbids)
            continue;
        explain_cause(error, "this host forbids it: %s=%ld", gate[i].name,
                      gate[i].forbids);
        explain_fix(error, "sudo sysctl -w %s=%s", gate[i].name, gate[i].allow);
        return;
    }
    if (err == -EINVAL)
        explain_cause(error, "the process has threads already, or the kernel is built "
                             "without user namespaces");
    else if (err == -ENOSPC || err == -EUSERS)
        explain_cause(error, "too many namespaces exist, or are nested too deep");
    else
        explain_cause(error, "a container's seccomp or security profile forbids "
                             "unshare(2) (Docker's does by default)");
    explain_fix(error, "%s", other_ways);
}

/* user_namespaces(7): one uid and one gid, our own, become root inside; a process
 * without CAP_SETGID must give up setgroups(2) before it may write gid_map. */
static int map_ids(uid_t uid, gid_t gid)
{
    char uid_map[32], gid_map[32];
    int err;

    snprintf(uid_map, sizeof uid_map, "0 %u 1", (unsigned)uid);
    snprintf(gid_map, sizeof gid_map, "0 %u 1", (unsigned)gid);
    err = write_file("/proc/self/setgroups", "deny");
    if (err < 0 && err != -ENOENT)
        return err;
    err = write_file("/proc/self/uid_map", uid_map);
    return err < 0 ? err : write_file("/proc/self/gid_map", gid_map);
}

static int loopback_up(void)
{
    struct ifreq ifr = { .ifr_name = "lo" };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (s < 0)
        return -errno;
    ifr.ifr_flags = IFF_UP;
    if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
        err = -errno;
    close(s);
    return err;
}

int ns_enter(struct tapir_error *error)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    bool rootless = false;
    int err;

    if (unshare(CLONE_NEWNET) < 0) {
        rootless = true;
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
            err = explain(error, -errno, "cannot make a user and network namespace");
            ns_explain(error, err);
            return err;
        }
    }
    if (rootless && (err = map_ids(uid, gid)) < 0) {
        explain(error, err, "cannot map this user to root in its new namespace");
        ns_explain(error, err);
        return err;
    }
    err = loopback_up();
    if (err < 0) {
        explain(error, err, "cannot set lo up in the new network namespace");
        ns_explain(error, err);
    }
    return err;
}
