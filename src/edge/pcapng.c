/* Writing captures as pcapng.
 *
 *     section header block      who wrote it
 *     interface block           one an interface: Ethernet, its name, time stamps
 *                               count nanoseconds
 *     enhanced packet block     one a frame: time, lengths, bytes, direction
 *     ...
 *
 * Every block is type, total length, body, total length again; bytes and options are
 * padded to multiples of four. Numbers stand in this machine's own order: the section
 * header's magic number tells the reader which that is.
 *
 * A capture shows the wire, not the device: super-segments are cut and partial
 * checksums completed first, so that readers see what the peer's wire would carry. A
 * raw capture shows what the device was given. */
#include "edge/pcapng.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "net/gso.h"

enum {
    SECTION_BLOCK = 0x0a0d0d0a,
    INTERFACE_BLOCK = 1,
    PACKET_BLOCK = 6,
    ORDER_MAGIC = 0x1a2b3c4d,

    LINKTYPE_ETHERNET = 1,

    OPT_END = 0,
    SHB_USERAPPL = 4,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    EPB_FLAGS = 2,

    INBOUND = 1, /* in EPB_FLAGS */
    OUTBOUND = 2,

    NANOSECONDS = 9, /* in IF_TSRESOL: ten to the minus ninth */
    OPTION_TEXT_MAX = 63,
};

/* A block, or the part of one that is not frame bytes, while it is built. */
struct block {
    uint8_t b[160];
    size_t n; /* bytes in use */
};

static size_t pad4(size_t n)
{
    return (4 - n % 4) % 4;
}

static void add_bytes(struct block *k, const void *at, size_t n)
{
    memcpy(k->b + k->n, at, n);
    memset(k->b + k->n + n, 0, pad4(n));
    k->n += n + pad4(n);
}

static void add32(struct block *k, uint32_t v)
{
    add_bytes(k, &v, sizeof v);
}

/* Two 16-bit fields in a row. */
static void add16x2(struct block *k, uint16_t first, uint16_t second)
{
    uint16_t v[2] = { first, second };
    add_bytes(k, v, sizeof v);
}

static void add_option(struct block *k, uint16_t code, const void *value, size_t n)
{
    add16x2(k, code, (uint16_t)n);
    add_bytes(k, value, n);
}

static void begin_block(struct block *k, uint32_t type)
{
    k->n = 0;
    add32(k, type);
    add32(k, 0); /* the length, known at the end */
}

/* Ends the options and writes the length at both ends. */
static void end_block(struct block *k)
{
    add16x2(k, OPT_END, 0);
    uint32_t total = (uint32_t)(k->n + sizeof total);
    add32(k, total);
    memcpy(k->b + 4, &total, sizeof total);
}

static void write_bytes(struct pcapng *p, const void *at, size_t n)
{
    if (p->error == 0 && n > 0 && fwrite(at, 1, n, p->out) != n)
        p->error = errno ? -errno : -EIO;
}

static void flush(struct pcapng *p)
{
    if (p->error == 0 && fflush(p->out) != 0)
        p->error = -errno;
}

static void write_section(struct pcapng *p)
{
    static const char writer[] = "tapir";
    static const uint64_t unknown_length = UINT64_MAX;
    struct block k;

    begin_block(&k, SECTION_BLOCK);
    add32(&k, ORDER_MAGIC);
    add16x2(&k, 1, 0); /* the format's version */
    add_bytes(&k, &unknown_length, sizeof unknown_length);
    add_option(&k, SHB_USERAPPL, writer, strlen(writer));
    end_block(&k);
    write_bytes(p, k.b, k.n);
}

static void write_interface(struct pcapng *p, const char *name)
{
    static const uint8_t resolution = NANOSECONDS;
    struct block k;

    begin_block(&k, INTERFACE_BLOCK);
    add16x2(&k, LINKTYPE_ETHERNET, 0);
    add32(&k, 0); /* frames are never cut short */
    add_option(&k, IF_NAME, name, min_size(strlen(name), OPTION_TEXT_MAX));
    add_option(&k, IF_TSRESOL, &resolution, 1);
    end_block(&k);
    write_bytes(p, k.b, k.n);
}

static void write_packet(struct pcapng *p, uint32_t interface, const struct pkt *frame,
                         bool out, usec at)
{
    static const uint8_t zeros[4];
    uint64_t ns = (uint64_t)(p->epoch + at) * 1000;
    uint32_t len = (uint32_t)pkt_total(frame);
    uint32_t flags = out ? OUTBOUND : INBOUND;
    struct block head, tail = { .n = 0 };

    add_option(&tail, EPB_FLAGS, &flags, sizeof flags);
    add16x2(&tail, OPT_END, 0);

    begin_block(&head, PACKET_BLOCK);
    add32(&head, interface);
    add32(&head, (uint32_t)(ns >> 32));
    add32(&head, (uint32_t)ns);
    add32(&head, len); /* as captured, and as it was */
    add32(&head, len);
    uint32_t total = (uint32_t)(head.n + len + pad4(len) + tail.n + sizeof total);
    memcpy(head.b + 4, &total, sizeof total);
    add32(&tail, total);

    write_bytes(p, head.b, head.n);
    write_bytes(p, frame->data, frame->len);
    for (unsigned i = 0; i < frame->n_text; i++)
        write_bytes(p, frame->text[i].at, frame->text[i].len);
    write_bytes(p, zeros, pad4(len));
    write_bytes(p, tail.b, tail.n);
}

/* Anything but a plain file may have a reader that waits for each frame. */
static bool is_live(FILE *f)
{
    struct stat st;
    return fstat(fileno(f), &st) == 0 && !S_ISREG(st.st_mode);
}

int pcapng_open(struct pcapng *p, const char *file, const char *if_name, bool raw,
                int64_t epoch)
{
    bool is_stdout = strcmp(file, "-") == 0;

    *p = (struct pcapng){ .close_it = !is_stdout, .raw = raw, .epoch = epoch };
    pkt_pool_init(&p->pool, PKT_LARGE, 0);
    p->scratch = pkt_new(&p->pool, PKT_LARGE - PKT_HEADROOM);
    if (!p->scratch)
        return -ENOMEM;
    p->out = is_stdout ? stdout : fopen(file, "we");
    if (!p->out) {
        p->error = -errno;
    } else {
        p->live = is_stdout || is_live(p->out);
        write_section(p);
        write_interface(p, if_name);
        flush(p);
    }
    return p->error < 0 ? pcapng_close(p) : 0;
}

void pcapng_interface(struct pcapng *p, const char *if_name)
{
    write_interface(p, if_name);
    flush(p);
}

void pcapng_frame(struct pcapng *p, const struct pkt *frame, bool out, usec at)
{
    pcapng_frame_at(p, 0, frame, out, at);
}

void pcapng_frame_at(struct pcapng *p, uint32_t interface, const struct pkt *frame,
                     bool out, usec at)
{
    bool as_on_wire = frame->gso_size == 0 && frame->csum == PKT_CSUM_FULL;

    if (p->error < 0)
        return;
    if (p->raw || as_on_wire) {
        write_packet(p, interface, frame, out, at);
    } else {
        struct gso g;
        gso_begin(&g, frame);
        while (gso_next(&g, p->scratch))
            write_packet(p, interface, p->scratch, out, at);
    }
    if (p->live)
        flush(p);
}

int pcapng_close(struct pcapng *p)
{
    if (p->out) {
        flush(p);
        if (p->close_it && fclose(p->out) != 0 && p->error == 0)
            p->error = -errno;
    }
    p->out = NULL;
    pkt_free(p->scratch);
    p->scratch = NULL;
    pkt_pool_free(&p->pool);
    return p->error;
}
