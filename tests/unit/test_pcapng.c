#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "edge/pcapng.h"
#include "harness/frame.h"
#include "wire/ip4_wire.h"

enum { ROOM = 1 << 18 };

static const struct frame_from we = { true, 40000, 80 };

/* A capture file that is being written, and its bytes once it is read back. */
struct fixture {
    char path[32];
    struct pcapng cap;
    struct pkt_pool pool;
    uint8_t b[ROOM];
    size_t n, at; /* bytes in b; where the next block begins */
};

/* One block as it stands in the file: its type, and its body. */
struct block {
    uint32_t type, len; /* len: of the body */
    const uint8_t *body;
};

/* Numbers are in this machine's order. */
static uint16_t own16(const uint8_t *b)
{
    uint16_t v;
    memcpy(&v, b, sizeof v);
    return v;
}

static uint32_t own32(const uint8_t *b)
{
    uint32_t v;
    memcpy(&v, b, sizeof v);
    return v;
}

static void begin(struct fixture *f, bool raw, int64_t epoch)
{
    strcpy(f->path, "/tmp/tapir-pcapng-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    pkt_pool_init(&f->pool, 1 << 20, 0);
    f->n = f->at = 0;
    assert_int_equal(pcapng_open(&f->cap, f->path, "tap0", raw, epoch), 0);
}

static void read_back(struct fixture *f)
{
    FILE *in = fopen(f->path, "r");
    assert_non_null(in);
    f->n = fread(f->b, 1, ROOM, in);
    fclose(in);
}

static void finish(struct fixture *f)
{
    assert_int_equal(pcapng_close(&f->cap), 0);
    read_back(f);
    unlink(f->path);
    assert_int_equal(f->pool.live, 0);
    pkt_pool_free(&f->pool);
}

static void put(struct fixture *f, struct pkt *p, bool out, usec at)
{
    pcapng_frame(&f->cap, p, out, at);
    pkt_free(p);
}

/* The next block; false at the end of the file. Both its lengths must agree. */
static bool next(struct fixture *f, struct block *k)
{
    const uint8_t *b = f->b + f->at;

    if (f->at == f->n)
        return false;
    assert_true(f->n - f->at >= 12);
    uint32_t total = own32(b + 4);
    assert_true(total % 4 == 0 && total >= 12 && total <= f->n - f->at);
    assert_int_equal(own32(b + total - 4), total);
    *k = (struct block){ own32(b), total - 12, b + 8 };
    f->at += total;
    return true;
}

/* The value of an option among those from `at` in the body, or NULL; *n is its length.
 * The list must end with the block. */
static const uint8_t *option(const struct block *k, size_t at, uint16_t code, size_t *n)
{
    const uint8_t *found = NULL;

    while (own16(k->body + at) != 0) {
        if (own16(k->body + at) == code) {
            found = k->body + at + 4;
            *n = own16(k->body + at + 2);
        }
        at += 4 + (own16(k->body + at + 2) + 3u) / 4 * 4;
        assert_true(at + 4 <= k->len);
    }
    assert_int_equal(own16(k->body + at + 2), 0);
    assert_int_equal(at + 4, k->len);
    return found;
}

static void expect_headers(struct fixture *f)
{
    struct block k;

    assert_true(next(f, &k) && k.type == 0x0a0d0d0a);
    assert_true(next(f, &k) && k.type == 1);
}

/* A packet block: its bytes, and what is known of them. */
struct captured {
    const uint8_t *at;
    uint32_t interface, len, flags;
    uint64_t ns;
};

static bool next_frame(struct fixture *f, struct captured *c)
{
    struct block k;
    size_t n = 0;

    if (!next(f, &k))
        return false;
    assert_int_equal(k.type, 6);
    c->interface = own32(k.body);
    c->ns = (uint64_t)own32(k.body + 4) << 32 | own32(k.body + 8);
    c->len = own32(k.body + 12);
    assert_int_equal(own32(k.body + 16), c->len);
    c->at = k.body + 20;
    const uint8_t *flags = option(&k, 20 + (c->len + 3) / 4 * 4, 2, &n);
    assert_non_null(flags);
    assert_int_equal(n, 4);
    c->flags = own32(flags);
    return true;
}

/* Does the TCP checksum of a frame with a 20-byte IP header hold? */
static bool tcp_sum_holds(const struct captured *c)
{
    uint64_t sum = ip_pseudo_sum(ip4_addr(get32(c->at + 26)),
                                 ip4_addr(get32(c->at + 30)), 6, c->len - 34);
    return cksum_fold(cksum_add(sum, c->at + 34, c->len - 34, 0)) == 0xffff;
}

static void a_capture_begins_with_its_section_and_its_interface(void **state)
{
    static struct fixture f;
    struct block k;
    size_t n = 0;

    begin(&f, false, 0);
    finish(&f);
    assert_true(next(&f, &k));
    assert_int_equal(k.type, 0x0a0d0d0a);
    assert_int_equal(own32(k.body), 0x1a2b3c4d);
    assert_int_equal(own16(k.body + 4), 1); /* version 1.0 */
    assert_int_equal(own16(k.body + 6), 0);
    assert_int_equal(own32(k.body + 8), 0xffffffff); /* length not known */
    assert_int_equal(own32(k.body + 12), 0xffffffff);
    assert_memory_equal(option(&k, 16, 4, &n), "tapir", 5);
    assert_int_equal(n, 5);

    assert_true(next(&f, &k));
    assert_int_equal(k.type, 1);
    assert_int_equal(own16(k.body), 1);     /* Ethernet */
    assert_int_equal(own32(k.body + 4), 0); /* frames are not cut short */
    assert_memory_equal(option(&k, 8, 2, &n), "tap0", 4);
    assert_int_equal(n, 4);
    assert_int_equal(option(&k, 8, 9, &n)[0], 9); /* nanoseconds */
    assert_int_equal(n, 1);
    assert_false(next(&f, &k));
}

static void a_frame_has_its_bytes_its_time_and_its_direction(void **state)
{
    static struct fixture f;
    struct captured c;
    struct pkt *p;

    begin(&f, false, 1700000000000000);
    p = frame_arp(&f.pool, true);
    pcapng_frame(&f.cap, p, true, 42);
    pcapng_frame(&f.cap, p, false, 1000043);
    pcapng_close(&f.cap);
    read_back(&f);
    unlink(f.path);
    expect_headers(&f);
    assert_true(next_frame(&f, &c));
    assert_int_equal(c.len, 42);
    assert_memory_equal(c.at, p->data, 42);
    assert_true(c.ns == 1700000000000042000);
    assert_int_equal(c.flags, 2); /* outbound */
    assert_int_equal(c.interface, 0);
    assert_true(next_frame(&f, &c));
    assert_true(c.ns == 1700000001000043000);
    assert_int_equal(c.flags, 1); /* inbound */
    assert_false(next_frame(&f, &c));
    pkt_free(p);
    assert_int_equal(f.pool.live, 0);
    pkt_pool_free(&f.pool);
}

static void a_frame_may_be_of_another_interface(void **state)
{
    static struct fixture f;
    struct captured c;
    struct block k;
    struct pkt *p;
    size_t n = 0;

    begin(&f, false, 0);
    pcapng_interface(&f.cap, "second");
    p = frame_arp(&f.pool, true);
    pcapng_frame_at(&f.cap, 1, p, true, 42);
    pkt_free(p);
    finish(&f);
    expect_headers(&f);
    assert_true(next(&f, &k));
    assert_int_equal(k.type, 1);
    assert_memory_equal(option(&k, 8, 2, &n), "second", 6);
    assert_int_equal(n, 6);
    assert_true(next_frame(&f, &c));
    assert_int_equal(c.interface, 1);
    assert_int_equal(c.len, 42);
    assert_false(next_frame(&f, &c));
}

/* Blocks are padded to multiples of four, whatever the frame's length. */
static void frames_of_any_length_are_padded(void **state)
{
    static struct fixture f;
    struct captured c;

    begin(&f, false, 0);
    for (uint32_t n = 14; n < 30; n++) {
        struct pkt *p = pkt_new(&f.pool, n);
        memset(pkt_put(p, n), (int)n, n);
        put(&f, p, true, n);
    }
    finish(&f);
    expect_headers(&f);
    for (uint32_t n = 14; n < 30; n++) {
        assert_true(next_frame(&f, &c));
        assert_int_equal(c.len, n);
        assert_int_equal(c.at[n - 1], n);
        assert_int_equal(c.ns, n * 1000);
    }
    assert_false(next_frame(&f, &c));
}

static void a_super_segment_is_written_as_the_segments_of_the_wire(void **state)
{
    static struct fixture f;
    static const uint32_t len[3] = { 1460, 1460, 80 };
    struct captured c;
    uint32_t seq = 1000;

    begin(&f, false, 0);
    put(&f, frame_tcp_gso(&f.pool, we, "P. 1000:4000(3000) ack 1 win 9", 1460), true,
        7);
    finish(&f);
    expect_headers(&f);
    for (int i = 0; i < 3; i++) {
        assert_true(next_frame(&f, &c));
        assert_int_equal(c.len, 54 + len[i]);
        assert_int_equal(get16(c.at + 16), 40 + len[i]);
        assert_int_equal(get32(c.at + 38), seq);
        assert_true(tcp_sum_holds(&c));
        assert_int_equal(c.ns, 7000);
        seq += len[i];
    }
    assert_false(next_frame(&f, &c));
}

static void a_partial_checksum_is_completed(void **state)
{
    static struct fixture f;
    struct captured c;

    begin(&f, false, 0);
    struct pkt *p = frame_tcp_gso(&f.pool, we, "P. 1000:1100(100) ack 1 win 9", 1460);
    p->gso_size = 0;
    put(&f, p, true, 0);
    finish(&f);
    expect_headers(&f);
    assert_true(next_frame(&f, &c));
    assert_int_equal(c.len, 154);
    assert_true(tcp_sum_holds(&c));
    assert_false(next_frame(&f, &c));
}

static void a_raw_capture_shows_what_the_device_was_given(void **state)
{
    static struct fixture f;
    struct captured c;

    begin(&f, true, 0);
    put(&f, frame_tcp_gso(&f.pool, we, "P. 1000:4000(3000) ack 1 win 9", 1460), true,
        0);
    finish(&f);
    expect_headers(&f);
    assert_true(next_frame(&f, &c));
    assert_int_equal(c.len, 3054);
    assert_false(tcp_sum_holds(&c));
    assert_false(next_frame(&f, &c));
}

/* On the way down text is borrowed from a send buffer, in up to two pieces. */
static void borrowed_text_is_written_behind_the_headers(void **state)
{
    static struct fixture f;
    struct captured c;

    for (int raw = 0; raw < 2; raw++) {
        begin(&f, raw, 0);
        struct pkt *p = pkt_new(&f.pool, 20);
        memset(pkt_put(p, 20), 'h', 20);
        p->n_text = 2;
        p->text[0] = (struct piece){ (const uint8_t *)"abc", 3 };
        p->text[1] = (struct piece){ (const uint8_t *)"de", 2 };
        put(&f, p, true, 0);
        finish(&f);
        expect_headers(&f);
        assert_true(next_frame(&f, &c));
        assert_int_equal(c.len, 25);
        assert_memory_equal(c.at + 18, "hhabcde", 7);
    }
}

/* Somebody who reads along gets each frame when it is written, not when the buffer is
 * full; a plain file is buffered. */
static void a_pipe_is_flushed_after_every_frame(void **state)
{
    static struct fixture f;
    struct captured c;
    char path[64];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    pkt_pool_init(&f.pool, 1 << 20, 0);
    assert_int_equal(pcapng_open(&f.cap, path, "tap0", false, 0), 0);
    put(&f, frame_arp(&f.pool, true), true, 0);
    f.n = (size_t)read(ends[0], f.b, ROOM);
    f.at = 0;
    expect_headers(&f);
    assert_true(next_frame(&f, &c));
    assert_int_equal(c.len, 42);
    assert_int_equal(pcapng_close(&f.cap), 0);
    close(ends[0]);
    close(ends[1]);
    pkt_pool_free(&f.pool);

    begin(&f, false, 0);
    read_back(&f);
    size_t before = f.n;
    put(&f, frame_arp(&f.pool, true), true, 0);
    read_back(&f);
    assert_int_equal(f.n, before);
    finish(&f);
    assert_true(f.n > before);
}

static void a_file_that_cannot_be_made_is_an_error(void **state)
{
    static struct pcapng cap;

    assert_int_equal(pcapng_open(&cap, "/nonexistent/x.pcapng", "tap0", false, 0),
                     -ENOENT);
    assert_null(cap.out);
    assert_int_equal(cap.pool.live, 0);
}

/* A full disk: the first error is kept and told at the end, the rest is silence. */
static void a_failed_write_is_told_once_at_the_end(void **state)
{
    static struct fixture f;

    assert_int_equal(pcapng_open(&f.cap, "/dev/full", "tap0", false, 0), -ENOSPC);

    pkt_pool_init(&f.pool, 1 << 20, 0);
    begin(&f, false, 0);
    assert_non_null(freopen("/dev/full", "w", f.cap.out));
    for (int i = 0; i < 1000; i++)
        put(&f, frame_arp(&f.pool, true), true, i);
    assert_int_equal(pcapng_close(&f.cap), -ENOSPC);
    unlink(f.path);
    assert_int_equal(f.pool.live, 0);
    pkt_pool_free(&f.pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_begins_with_its_section_and_its_interface),
        cmocka_unit_test(a_frame_has_its_bytes_its_time_and_its_direction),
        cmocka_unit_test(a_frame_may_be_of_another_interface),
        cmocka_unit_test(frames_of_any_length_are_padded),
        cmocka_unit_test(a_super_segment_is_written_as_the_segments_of_the_wire),
        cmocka_unit_test(a_partial_checksum_is_completed),
        cmocka_unit_test(a_raw_capture_shows_what_the_device_was_given),
        cmocka_unit_test(borrowed_text_is_written_behind_the_headers),
        cmocka_unit_test(a_pipe_is_flushed_after_every_frame),
        cmocka_unit_test(a_file_that_cannot_be_made_is_an_error),
        cmocka_unit_test(a_failed_write_is_told_once_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
