#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/ns.h"
#include "edge/tap.h"
#include "harness/tap_rig.h"

/* ---- opening and closing ---- */

static uint32_t address_of(struct ifreq ifr)
{
    return get32((const uint8_t *)&ifr.ifr_addr + 4);
}

static void a_missing_device_is_made_with_its_host_side_and_goes_on_close(void **state)
{
    struct port_setup how = tap_rig_how("tapir-made", true);
    struct rig r;

    how.mtu = 1400;
    rig_open(&r, &how);
    assert_true(r.tap.made);
    assert_string_equal(r.tap.port.name, "tapir-made");
    assert_int_equal(r.tap.port.mtu, 1400);
    assert_int_equal(r.tap.port.link.caps & ~(uint32_t)LINK_BIG, LINK_CSUM | LINK_TSO);
    assert_int_equal(address_of(device_ask("tapir-made", SIOCGIFADDR)), 0xc0000201);
    assert_int_equal(address_of(device_ask("tapir-made", SIOCGIFNETMASK)), 0xffffff00);
    assert_int_equal(device_ask("tapir-made", SIOCGIFMTU).ifr_mtu, 1400);
    assert_int_equal(device_ask("tapir-made", SIOCGIFTXQLEN).ifr_qlen, 32768);
    assert_true(device_ask("tapir-made", SIOCGIFFLAGS).ifr_flags & IFF_UP);
    rig_close(&r);
    assert_int_equal(if_nametoindex("tapir-made"), 0);
}

static void a_device_that_stands_keeps_its_host_side_and_is_put_back(void **state)
{
    struct port_setup how = tap_rig_how("tapir-stands", true);
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    struct rig r;
    int fd, header = 0;

    close(device_make("tapir-stands", 1300));
    rig_open(&r, &how);
    assert_false(r.tap.made);
    assert_int_equal(device_ask("tapir-stands", SIOCGIFMTU).ifr_mtu, 1300);
    assert_true(device_ask("tapir-stands", SIOCGIFFLAGS).ifr_flags & IFF_UP);
    assert_int_equal(device_tso("tapir-stands"), 1);
    rig_close(&r);
    assert_int_not_equal(if_nametoindex("tapir-stands"), 0);
    assert_int_equal(device_tso("tapir-stands"), 0);

    fd = open("/dev/net/tun", O_RDWR);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "tapir-stands");
    assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
    assert_int_equal(ioctl(fd, TUNGETVNETHDRSZ, &header), 0);
    assert_int_equal(header, 10);
    close(fd);
    device_delete("tapir-stands");
}

static void offload_left_on_by_another_program_is_switched_off(void **state)
{
    struct port_setup how = tap_rig_how("tapir-left", false);
    struct rig r;
    int fd;

    fd = device_make("tapir-left", 1500);
    assert_int_equal(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4), 0);
    close(fd);
    assert_int_equal(device_tso("tapir-left"), 1);
    rig_open(&r, &how);
    assert_int_equal(r.tap.port.link.caps, LINK_SHORT_QUEUE);
    assert_int_equal(device_tso("tapir-left"), 0);
    rig_close(&r);
    device_delete("tapir-left");
}

/* ---- errors ---- */

static struct tapir_error refused(const char *name, int err)
{
    struct port_setup how = tap_rig_how(name, true);
    struct tapir_error e;
    struct tap t;

    assert_int_equal(tap_open(&t, &how, &e), err);
    assert_int_equal(t.port.fd, -1);
    assert_true(e.what[0] && e.cause[0] && e.fix[0]);
    return e;
}

static void a_name_that_no_device_can_have_is_refused(void **state)
{
    static const char *const name[] = {
        "", "a-name-too-long0", "a b", "a/b", "tap%d", "..", "a:1"
    };

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        refused(name[i], -EINVAL);
}

static void a_device_in_use_is_refused_with_how_to_find_who(void **state)
{
    struct port_setup how = tap_rig_how("tapir-busy", true);
    struct tapir_error e;
    struct rig r;

    rig_open(&r, &how);
    e = refused("tapir-busy", -EBUSY);
    assert_string_equal(e.what,
                        "cannot attach to tapir-busy: EBUSY (Device or resource busy)");
    assert_string_equal(e.cause, "another process holds tapir-busy");
    assert_non_null(strstr(e.fix, "grep -l 'iff:.*tapir-busy$' /proc/[0-9]*/fdinfo/*"));
    rig_close(&r);
}

static void what_is_no_tap_device_is_refused(void **state)
{
    struct tapir_error e;

    tap_rig_need();
    e = refused("lo", -EINVAL);
    assert_string_equal(e.cause, "lo exists and is no TAP device with one queue");
    assert_null(strstr(e.fix, "link del")); /* it may be the host's own */
}

/* Runs body in a child, which may spoil its own rights and mounts. */
static void in_child(void (*body)(void))
{
    int status;
    pid_t pid;

    tap_rig_need();
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void drop_rights(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

    assert_int_equal(syscall(SYS_capset, &head, none), 0);
}

static void open_without_rights(void)
{
    struct port_setup how = tap_rig_how("tapir-up", false);
    struct tapir_error e;
    struct tap t;

    drop_rights();
    e = refused("tapir-missing", -EPERM);
    assert_non_null(strstr(e.cause, "tapir-missing does not exist"));
    assert_non_null(
        strstr(e.fix, "sudo ip tuntap add dev tapir-missing mode tap user"));
    e = refused("tapir-down", -EPERM);
    assert_string_equal(e.cause,
                        "tapir-down is down, and to set it up takes CAP_NET_ADMIN");
    assert_string_equal(e.fix, "sudo ip link set tapir-down up");
    assert_int_equal(tap_open(&t, &how, &e), 0);
    tap_close(&t.port);
}

static void without_rights_a_device_that_is_up_serves_and_others_are_explained(
    void **state)
{
    close(device_make("tapir-up", 1500));
    close(device_make("tapir-down", 1500));
    device_set_flags("tapir-up", IFF_UP);
    in_child(open_without_rights);
    device_delete("tapir-up");
    device_delete("tapir-down");
}

static bool written(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    close(fd);
    return ok;
}

static void open_in_user_namespace(void)
{
    struct port_setup how = tap_rig_how("tapir-user", true);
    struct tapir_error e;
    struct tap t;
    char map[32];

    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    assert_int_equal(unshare(CLONE_NEWUSER), 0);
    assert_true(written("/proc/self/uid_map", map));
    assert_int_equal(ns_enter(&e), 0);
    if (tap_open(&t, &how, &e) < 0)
        fail_msg("%s; %s; %s", e.what, e.cause, e.fix);
    assert_int_equal(device_ask("tapir-user", SIOCGIFTXQLEN).ifr_qlen, 32768);
    assert_int_equal(address_of(device_ask("tapir-user", SIOCGIFADDR)), 0xc0000201);
    assert_true(device_ask("tapir-user", SIOCGIFFLAGS).ifr_flags & IFF_UP);
    tap_close(&t.port);
}

static void the_rights_of_a_user_namespace_are_enough_to_make_a_device(void **state)
{
    in_child(open_in_user_namespace);
}

static void open_without_node(void)
{
    struct tapir_error e;

    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("none", "/dev/net", "tmpfs", 0, NULL), 0);
    e = refused("tapir-no-node", -ENOENT);
    assert_string_equal(e.what,
                        "cannot open /dev/net/tun: ENOENT (No such file or directory)");
    assert_non_null(strstr(e.fix, "mknod /dev/net/tun c 10 200"));
}

static void a_missing_device_node_is_explained(void **state)
{
    in_child(open_without_node);
}

/* ---- reading ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_device_is_made_with_its_host_side_and_goes_on_close),
        cmocka_unit_test(a_device_that_stands_keeps_its_host_side_and_is_put_back),
        cmocka_unit_test(offload_left_on_by_another_program_is_switched_off),
        cmocka_unit_test(a_name_that_no_device_can_have_is_refused),
        cmocka_unit_test(a_device_in_use_is_refused_with_how_to_find_who),
        cmocka_unit_test(what_is_no_tap_device_is_refused),
        cmocka_unit_test(
            without_rights_a_device_that_is_up_serves_and_others_are_explained),
        cmocka_unit_test(the_rights_of_a_user_namespace_are_enough_to_make_a_device),
        cmocka_unit_test(a_missing_device_node_is_explained),
    };

    return cmocka_run_group_tests(tests, tap_rig_enter, NULL);
}
