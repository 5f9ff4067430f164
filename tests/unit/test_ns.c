#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/ns.h"

/* A process cannot go back to its old namespaces, so each test happens in a child. The
 * child's status is one of these, or the line on which it found something wrong. */
enum { GOOD = 0, NOT_PERMITTED = 255 };

#define CHECK(truth)         \
    do {                     \
        if (!(truth))        \
            _exit(__LINE__); \
    } while (0)

static void in_child(void (*body)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(GOOD);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_PERMITTED)
        skip();
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

static void enter(void)
{
    struct tapir_error e;
    int err = ns_enter(&e);

    if (err == -EPERM || err == -ENOSPC)
        _exit(NOT_PERMITTED);
    CHECK(err == 0);
}

static bool loopback_is_up_and_alone(void)
{
    struct if_nameindex *all = if_nameindex();
    struct ifreq ifr = { .ifr_name = "lo" };
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(all && s >= 0);
    for (struct if_nameindex *i = all; i->if_index; i++)
        CHECK(strcmp(i->if_name, "lo") == 0 || strchr("gist", i->if_name[0]));
    CHECK(ioctl(s, SIOCGIFFLAGS, &ifr) == 0);
    if_freenameindex(all);
    close(s);
    return ifr.ifr_flags & IFF_UP;
}

static void as_root(void)
{
    if (geteuid() != 0)
        _exit(NOT_PERMITTED);
    enter();
    CHECK(loopback_is_up_and_alone());
}

static void root_gets_a_network_namespace_with_loopback_up(void **state)
{
    in_child(as_root);
}

static void as_nobody(void)
{
    if (geteuid() == 0) {
        CHECK(setgroups(0, NULL) == 0);
        CHECK(setgid(65534) == 0);
        CHECK(setuid(65534) == 0);
        /* Else /proc/self would still belong to root. */
        CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    }
    enter();
    CHECK(geteuid() == 0 && getegid() == 0);
    CHECK(loopback_is_up_and_alone());
}

static void an_ordinary_user_becomes_root_of_a_namespace_of_his_own(void **state)
{
    in_child(as_nobody);
}

static void enter_twice(void)
{
    enter();
    enter();
    CHECK(loopback_is_up_and_alone());
}

static void a_namespace_may_be_entered_from_within_one(void **state)
{
    in_child(enter_twice);
}

static bool written(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    close(fd);
    return ok;
}

/* The limits belong to a user namespace: in one of our own we may set them. */
static void where_namespaces_are_forbidden(void)
{
    struct tapir_error e;
    char uid[32], gid[32];

    snprintf(uid, sizeof uid, "0 %u 1", (unsigned)geteuid());
    snprintf(gid, sizeof gid, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER) < 0 || !written("/proc/self/setgroups", "deny") ||
        !written("/proc/self/uid_map", uid) || !written("/proc/self/gid_map", gid) ||
        !written("/proc/sys/user/max_net_namespaces", "0"))
        _exit(NOT_PERMITTED);
    CHECK(ns_enter(&e) == -ENOSPC);
    CHECK(strcmp(e.what, "cannot make a user and network namespace: ENOSPC (No space "
                         "left on device)") == 0);
    CHECK(strcmp(e.cause, "this host forbids it: user.max_net_namespaces=0") == 0);
    CHECK(strcmp(e.fix, "sudo sysctl -w user.max_net_namespaces=15000") == 0);
}

static void a_sysctl_that_forbids_is_named_with_the_command_that_allows(void **state)
{
    in_child(where_namespaces_are_forbidden);
}

/* A status has 8 bits, so this file must end before line 255 for CHECK to be told from
 * NOT_PERMITTED. */
static_assert(__LINE__ < 200, "CHECK reports its line in an exit status");

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_gets_a_network_namespace_with_loopback_up),
        cmocka_unit_test(an_ordinary_user_becomes_root_of_a_namespace_of_his_own),
        cmocka_unit_test(a_namespace_may_be_entered_from_within_one),
        cmocka_unit_test(a_sysctl_that_forbids_is_named_with_the_command_that_allows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
