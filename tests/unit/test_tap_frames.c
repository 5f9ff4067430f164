/* Frames through a real TAP device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/tap.h"
#include "harness/tap_rig.h"

static void a_small_frame_comes_in_a_small_packet_and_the_large_one_stays(void **state)
{
    struct port_setup how = tap_rig_how("tapir-small", true);
    struct virtio_net_hdr vnet = { 0 };
    uint8_t frame[200];
    size_t len = plain_frame(frame, 100);
    struct rig r;
    struct pkt *p;

    rig_open(&r, &how);
    for (int i = 0; i < 3; i++) {
        peer_send(&r, &vnet, frame, len);
        p = rig_read(&r);
        assert_int_equal(p->cap, 2048);
        assert_int_equal(p->len, 114);
        assert_memory_equal(p->data, frame, 114);
        assert_int_equal(p->csum, PKT_CSUM_FULL);
        assert_int_equal(p->gso_size, 0);
        assert_int_equal(r.net.pool.live, 2);
        pkt_free(p);
    }
    rig_close(&r);
}

/* Looks until there is something, five seconds at most. */
static void look(struct rig *r)
{
    time_t until = time(NULL) + 5;

    while (!r->tap.port.ahead && time(NULL) <= until)
        tap_look(&r->tap.port);
    assert_true(r->tap.port.ahead);
}

static void what_a_look_has_found_is_the_next_that_is_read(void **state)
{
    struct port_setup how = tap_rig_how("tapir-look", true);
    struct virtio_net_hdr vnet = { 0 };
    uint8_t frame[2][200];
    size_t len[2] = { plain_frame(frame[0], 100), plain_frame(frame[1], 60) };
    struct rig r;
    struct pkt *p;

    rig_open(&r, &how);
    tap_look(&r.tap.port); /* there is no spare to read into */
    assert_false(r.tap.port.ahead);
    peer_send(&r, &vnet, frame[0], len[0]);
    pkt_free(rig_read(&r));
    for (int i = 0; i < 2; i++)
        peer_send(&r, &vnet, frame[i], len[i]);
    look(&r);
    tap_look(&r.tap.port); /* the one is kept, the other waits */
    for (int i = 0; i < 2; i++) {
        p = rig_read(&r);
        assert_int_equal(p->len, len[i]);
        assert_memory_equal(p->data, frame[i], len[i]);
        pkt_free(p);
    }
    assert_false(r.tap.port.ahead);
    rig_close(&r);
}

static void a_look_at_a_deleted_device_is_told_by_the_next_read(void **state)
{
    struct port_setup how = tap_rig_how("tapir-gone", true);
    struct pkt *p = NULL;
    struct rig r;

    rig_open(&r, &how);
    while (tap_read(&r.tap.port, &r.net.pool, &p) == 1)
        pkt_free(p);
    device_delete("tapir-gone");
    look(&r);
    assert_int_equal(tap_read(&r.tap.port, &r.net.pool, &p), -ENETDOWN);
    assert_true(r.tap.port.dead);
    rig_close(&r);
}

static void a_super_segment_comes_whole_with_its_segment_size(void **state)
{
    struct port_setup how = tap_rig_how("tapir-gso", true);
    static uint8_t frame[64000];
    size_t len = tcp_frame(frame, 60000);
    struct rig r;
    struct pkt *p;

    rig_open(&r, &how);
    peer_send(&r, &rig_super, frame, len);
    p = rig_read(&r);
    assert_int_equal(p->len, 60054);
    assert_memory_equal(p->data, frame, 60054);
    assert_int_equal(p->gso_size, 1460);
    assert_int_equal(p->csum, PKT_CSUM_PARTIAL);
    assert_ptr_equal(p->csum_at, p->data + 34);
    assert_int_equal(p->csum_field, 16);
    pkt_free(p);
    rig_close(&r);
}

static void without_offload_the_kernel_cuts_and_sums_it(void **state)
{
    struct port_setup how = tap_rig_how("tapir-cut", false);
    static const uint16_t length[] = { 1514, 1514, 1134 };
    static uint8_t frame[5000];
    size_t len = tcp_frame(frame, 4000);
    struct rig r;

    rig_open(&r, &how);
    peer_send(&r, &rig_super, frame, len);
    for (size_t i = 0; i < 3; i++) {
        struct pkt *p = rig_read(&r);

        assert_int_equal(p->len, length[i]);
        assert_int_equal(p->cap, 2048);
        assert_int_equal(p->gso_size, 0);
        assert_int_not_equal(p->csum, PKT_CSUM_PARTIAL);
        assert_memory_equal(p->data + 54, frame + 54 + 1460 * i, p->len - 54);
        pkt_free(p);
    }
    rig_close(&r);
}

static void when_the_pool_is_exhausted_the_frame_stays_in_the_device(void **state)
{
    struct port_setup how = tap_rig_how("tapir-pool", true);
    struct virtio_net_hdr vnet = { 0 };
    uint8_t frame[200];
    size_t len = plain_frame(frame, 100);
    struct pkt *p = NULL;
    struct rig r;

    rig_open(&r, &how);
    r.net.pool.limit = 1000;
    peer_send(&r, &vnet, frame, len);
    assert_int_equal(tap_read(&r.tap.port, &r.net.pool, &p), -ENOBUFS);
    assert_null(p);
    r.net.pool.limit = 66000; /* the large packet and no small one */
    p = rig_read(&r);
    assert_int_equal(p->len, 114);
    assert_int_equal(r.net.pool.live, 1);
    pkt_free(p);
    rig_close(&r);
}

static void a_frame_beyond_the_mtu_of_this_side_is_dropped_and_counted(void **state)
{
    struct port_setup how = tap_rig_how("tapir-big", false);
    struct virtio_net_hdr vnet = { 0 };
    static uint8_t frame[5000];
    struct pkt *p = NULL;
    struct rig r;

    close(device_make("tapir-big", 9000));
    rig_open(&r, &how);
    peer_send(&r, &vnet, frame, plain_frame(frame, 3000));
    peer_send(&r, &vnet, frame, plain_frame(frame, 1500));
    p = rig_read(&r);
    assert_int_equal(p->len, 1514);
    assert_int_equal(r.net.count.drop[DROP_LINK_TOO_BIG], 1);
    pkt_free(p);
    rig_close(&r);
    device_delete("tapir-big");
}

/* ---- sending ---- */

static void a_frame_and_its_borrowed_text_leave_as_one(void **state)
{
    static const uint8_t one[] = "borrowed ", two[] = "text";
    struct port_setup how = tap_rig_how("tapir-send", false);
    struct virtio_net_hdr vnet;
    uint8_t frame[2000];
    struct pkt *p;
    struct rig r;

    rig_open(&r, &how);
    p = pkt_new(&r.net.pool, 100);
    plain_frame(pkt_put(p, 34), 20);
    p->text[0] = (struct piece){ one, 9 };
    p->text[1] = (struct piece){ two, 4 };
    p->n_text = 2;
    assert_int_equal(r.tap.port.link.send(&r.tap.port.link, p), 0);
    assert_int_equal(peer_recv(&r, &vnet, frame), 47);
    assert_memory_equal(frame, p->data, 34);
    assert_memory_equal(frame + 34, "borrowed text", 13);
    assert_int_equal(vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
    assert_int_equal(vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    pkt_free(p);
    rig_close(&r);
}

static struct pkt *partial_tcp(struct rig *r, const uint8_t *text, size_t len)
{
    struct pkt *p = pkt_new(&r->net.pool, 100);
    uint8_t frame[54];

    tcp_frame(frame, 0);
    put16(frame + 16, (uint16_t)(40 + len));
    memcpy(pkt_put(p, 54), frame, 54);
    p->text[0] = (struct piece){ text, len };
    p->n_text = 1;
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data + 34;
    p->csum_field = 16;
    p->gso_size = 1460;
    return p;
}

static void a_super_segment_leaves_whole_with_what_is_left_to_do(void **state)
{
    static const struct {
        size_t text;
        uint8_t gso_type;
        uint16_t gso_size;
    } row[] = {
        { 60000, VIRTIO_NET_HDR_GSO_TCPV4, 1460 },
        { 1461, VIRTIO_NET_HDR_GSO_TCPV4, 1460 },
        { 1460, VIRTIO_NET_HDR_GSO_NONE, 0 },
    };
    struct port_setup how = tap_rig_how("tapir-out", true);
    static uint8_t text[60000], frame[70000];
    struct rig r;

    rig_open(&r, &how);
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct virtio_net_hdr vnet;
        struct pkt *p = partial_tcp(&r, text, row[i].text);

        assert_int_equal(r.tap.port.link.send(&r.tap.port.link, p), 0);
        assert_int_equal(peer_recv(&r, &vnet, frame), row[i].text + 54);
        assert_int_equal(vnet.gso_type, row[i].gso_type);
        assert_int_equal(vnet.gso_size, row[i].gso_size);
        assert_true(vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
        assert_int_equal(vnet.csum_start, 34);
        assert_int_equal(vnet.csum_offset, 16);
        pkt_free(p);
    }
    rig_close(&r);
}

/* Where the kernel takes it: no byte of it is lost, and the kernel knows its length
 * though its IP header does not. */
static void a_super_segment_beyond_64_kib_leaves_whole(void **state)
{
    struct port_setup how = tap_rig_how("tapir-huge", true);
    static uint8_t text[200000], frame[210000];
    struct virtio_net_hdr vnet;
    struct pkt *p;
    struct rig r;

    rig_open(&r, &how);
    if (!(r.tap.port.link.caps & LINK_BIG)) {
        rig_close(&r);
        skip();
    }
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
    p = partial_tcp(&r, text, sizeof text);
    put16(p->data + 16, 0);
    assert_int_equal(r.tap.port.link.send(&r.tap.port.link, p), 0);
    assert_int_equal(peer_recv(&r, &vnet, frame), 200054);
    assert_memory_equal(frame + 54, text, sizeof text);
    assert_int_equal(vnet.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(vnet.gso_size, 1460);
    pkt_free(p);
    rig_close(&r);
}

/* Sixteen megabytes are more than any kernel takes. */
static void what_the_kernel_has_no_memory_for_ends_such_frames(void **state)
{
    struct port_setup how = tap_rig_how("tapir-much", true);
    static uint8_t text[16 << 20];
    struct pkt *p;
    struct rig r;

    rig_open(&r, &how);
    p = partial_tcp(&r, text, sizeof text);
    assert_int_equal(r.tap.port.link.send(&r.tap.port.link, p), -EAGAIN);
    assert_int_equal(r.tap.port.link.caps, LINK_CSUM | LINK_TSO);
    pkt_free(p);
    rig_close(&r);
}

/* ---- the device goes ---- */

static int send_plain(struct rig *r)
{
    struct pkt *p = pkt_new(&r->net.pool, 100);
    int err;

    plain_frame(pkt_put(p, 60), 46);
    err = r->tap.port.link.send(&r->tap.port.link, p);
    pkt_free(p);
    return err;
}

static void a_device_that_is_down_costs_the_frame_and_may_come_back(void **state)
{
    struct port_setup how = tap_rig_how("tapir-flap", true);
    struct pkt *p;
    struct rig r;

    rig_open(&r, &how);
    device_set_flags("tapir-flap", 0);
    assert_int_equal(send_plain(&r), 0);
    assert_int_equal(r.net.count.drop[DROP_LINK_DOWN], 1);
    assert_false(r.tap.port.dead);
    assert_int_equal(tap_read(&r.tap.port, &r.net.pool, &p), 0);
    device_set_flags("tapir-flap", IFF_UP);
    assert_int_equal(send_plain(&r), 0);
    assert_int_equal(r.net.count.drop[DROP_LINK_DOWN], 1);
    rig_close(&r);
}

static void a_device_that_was_deleted_is_dead(void **state)
{
    struct port_setup how = tap_rig_how("tapir-gone", true);
    struct pkt *p = NULL;
    struct rig r;

    rig_open(&r, &how);
    device_delete("tapir-gone");
    assert_int_equal(send_plain(&r), 0);
    assert_int_equal(r.net.count.drop[DROP_LINK_DOWN], 1);
    assert_true(r.tap.port.dead);
    r.tap.port.dead = false;
    assert_int_equal(tap_read(&r.tap.port, &r.net.pool, &p), -ENETDOWN);
    assert_true(r.tap.port.dead);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_frame_comes_in_a_small_packet_and_the_large_one_stays),
        cmocka_unit_test(what_a_look_has_found_is_the_next_that_is_read),
        cmocka_unit_test(a_look_at_a_deleted_device_is_told_by_the_next_read),
        cmocka_unit_test(a_super_segment_comes_whole_with_its_segment_size),
        cmocka_unit_test(without_offload_the_kernel_cuts_and_sums_it),
        cmocka_unit_test(when_the_pool_is_exhausted_the_frame_stays_in_the_device),
        cmocka_unit_test(a_frame_beyond_the_mtu_of_this_side_is_dropped_and_counted),
        cmocka_unit_test(a_frame_and_its_borrowed_text_leave_as_one),
        cmocka_unit_test(a_super_segment_leaves_whole_with_what_is_left_to_do),
        cmocka_unit_test(a_super_segment_beyond_64_kib_leaves_whole),
        cmocka_unit_test(what_the_kernel_has_no_memory_for_ends_such_frames),
        cmocka_unit_test(a_device_that_is_down_costs_the_frame_and_may_come_back),
        cmocka_unit_test(a_device_that_was_deleted_is_dead),
    };

    return cmocka_run_group_tests(tests, tap_rig_enter, NULL);
}
