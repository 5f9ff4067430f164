/* Captures: pcapng (draft-ietf-opsawg-pcapng), whose blocks each have their length in
 * front and behind, and pcap (draft-ietf-opsawg-pcap), a header and records. Either may
 * have either order of bytes; a number at the front tells. Of a pcapng file only
 * interface descriptions and enhanced packets matter here.
 *
 *     link          bytes in front of IP
 *     Ethernet      14, 4 more with a VLAN
 *     raw IP        none
 *     Linux "any"   16, or 20
 *     loopback      4
 *
 * Times count from the first packet. */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    BLOCK_MAX = 1 << 20,
    SECTION = 0x0a0d0d0a,
    INTERFACE = 1,
    PACKET = 6,
    INTERFACES = 16,
    OPTION_TSRESOL = 9,
};

struct link {
    uint32_t type;
    double tick; /* seconds */
};

struct reader {
    FILE *in;
    struct lan *lan;
    unsigned *left_out;
    bool little; /* the file's order of bytes */
    struct link link[INTERFACES];
    unsigned links;
    double first; /* seconds; below 0: no packet yet */
    uint8_t *block;
};

/* --- numbers --- */

static uint32_t get(const struct reader *r, const uint8_t *at)
{
    return r->little ? (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                           (uint32_t)at[3] << 24
                     : get32(at);
}

static uint16_t get_short(const struct reader *r, const uint8_t *at)
{
    return r->little ? (uint16_t)(at[0] | (unsigned)at[1] << 8) : get16(at);
}

/* --- packets --- */

/* Bytes in front of IP; negative: it is no IPv4, or the link is not known. */
static int link_header(uint32_t type, const uint8_t *at, size_t len)
{
    enum { ETHERNET = 1, RAW = 101, RAW_IP4 = 228, LOOP = 0, ANY = 113, ANY2 = 276 };
    enum { IP4 = 0x0800, VLAN = 0x8100 };

    if (type == RAW || type == RAW_IP4)
        return 0;
    if (type == LOOP)
        return 4;
    if (type == ETHERNET && len > 18 && get16(at + 12) == VLAN)
        return get16(at + 16) == IP4 ? 18 : -1;
    if (type == ETHERNET)
        return len > 14 && get16(at + 12) == IP4 ? 14 : -1;
    if (type == ANY)
        return len > 16 && get16(at + 14) == IP4 ? 16 : -1;
    return type == ANY2 && len > 20 && get16(at) == IP4 ? 20 : -1;
}

static int take_packet(struct reader *r, const struct link *link, double at,
                       const uint8_t *frame, size_t len)
{
    enum { IP_SHORTEST = 20, TCP_PROTOCOL = 6, TIME_MAX = 1000000000 };
    int n = link_header(link->type, frame, len);
    const uint8_t *ip = frame + n;

    if (n < 0 || len < (size_t)n + IP_SHORTEST || ip[0] >> 4 != 4 ||
        ip[9] != TCP_PROTOCOL)
        return 0;
    if (r->first < 0)
        r->first = at;
    double since = at - r->first;
    if (since < -TIME_MAX || since > TIME_MAX)
        since = 0; /* a clock that was set, or nonsense */
    int err = lan_record(r->lan, (int64_t)(since * 1e6 + 0.5), ip, len - (size_t)n);
    *r->left_out += err == -ENOSPC;
    return err == -ENOSPC ? 0 : err;
}

/* --- pcapng --- */

/* Seconds of a time stamp's unit, from the options of an interface. */
static double resolution(const struct reader *r, const uint8_t *at, const uint8_t *end)
{
    double tick = 1e-6;

    while (at + 4 <= end && get_short(r, at) != 0) {
        uint16_t code = get_short(r, at), len = get_short(r, at + 2);
        if (code == OPTION_TSRESOL && len == 1 && at + 5 <= end) {
            tick = 1;
            for (int i = at[4] & 0x7f; i > 0; i--)
                tick /= at[4] & 0x80 ? 2 : 10;
        }
        at += 4 + ((len + 3U) & ~3U);
    }
    return tick;
}

static int take_block(struct reader *r, uint32_t type, size_t len)
{
    const uint8_t *b = r->block;

    if (type == INTERFACE && len >= 8 && r->links < INTERFACES)
        r->link[r->links++] = (struct link){ get_short(r, b),
                                             resolution(r, b + 8, b + len) };
    if (type != PACKET || len < 20)
        return 0;
    uint32_t interface = get(r, b), captured = get(r, b + 12);
    if (interface >= r->links || captured > len - 20)
        return -EINVAL;
    double at = (double)((uint64_t)get(r, b + 4) << 32 | get(r, b + 8));
    return take_packet(r, &r->link[interface], at * r->link[interface].tick, b + 20,
                       captured);
}

/* A section says its order of bytes, and has interfaces of its own. */
static int begin_section(struct reader *r, const uint8_t *magic)
{
    static const uint8_t little[4] = { 0x4d, 0x3c, 0x2b, 0x1a };

    r->little = memcmp(magic, little, 4) == 0;
    r->links = 0;
    return r->little || get32(magic) == 0x1a2b3c4d ? 0 : -EINVAL;
}

/* A block's type, its length and what is in it. The length may be read only when the
 * order is known, which a section's block says behind it. 1; 0: the end. */
static int read_block(struct reader *r, const uint8_t head[8])
{
    uint8_t magic[4];
    size_t had = 0;

    if (get32(head) == SECTION) {
        if (fread(magic, 1, 4, r->in) < 4 || begin_section(r, magic) < 0)
            return -EINVAL;
        had = 4;
    }
    uint32_t len = get(r, head + 4);
    if (len < 12 + had || len > BLOCK_MAX || len % 4)
        return -EINVAL;
    size_t rest = len - 8 - had;
    if (fread(r->block, 1, rest, r->in) < rest)
        return 0; /* somebody stopped in the middle of it */
    int err = had ? 0 : take_block(r, get(r, head), rest - 4);
    return err < 0 ? err : 1;
}

static int read_pcapng(struct reader *r, const uint8_t first[8])
{
    uint8_t head[8];
    int more = read_block(r, first);

    while (more > 0)
        more = fread(head, 1, 8, r->in) == 8 ? read_block(r, head) : 0;
    return more;
}

/* --- pcap --- */

static int read_pcap(struct reader *r, bool nano)
{
    enum { HEADER_REST = 16, RECORD = 16 };
    uint8_t head[RECORD];
    struct link link = { .tick = nano ? 1e-9 : 1e-6 };
    int err = 0;

    if (fread(head, 1, HEADER_REST, r->in) < HEADER_REST)
        return -EINVAL;
    link.type = get(r, head + 12) & 0xffff;
    while (err == 0 && fread(head, 1, RECORD, r->in) == RECORD) {
        uint32_t len = get(r, head + 8);
        if (len > BLOCK_MAX)
            return -EINVAL;
        if (fread(r->block, 1, len, r->in) < len)
            break;
        err = take_packet(r, &link, get(r, head) + get(r, head + 4) * link.tick,
                          r->block, len);
    }
    return err;
}

/* --- either --- */

static int read_any(struct reader *r)
{
    static const struct {
        uint32_t magic;
        bool little, nano;
    } row[] = { { 0xa1b2c3d4, false, false },
                { 0xd4c3b2a1, true, false },
                { 0xa1b23c4d, false, true },
                { 0x4d3cb2a1, true, true } };
    uint8_t first[8];

    if (fread(first, 1, sizeof first, r->in) < sizeof first)
        return -EINVAL;
    if (get32(first) == SECTION)
        return read_pcapng(r, first);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (get32(first) == row[i].magic) {
            r->little = row[i].little;
            return read_pcap(r, row[i].nano);
        }
    return -EINVAL;
}

int capture_read(const char *file, struct lan *lan, unsigned *left_out)
{
    struct reader r = { .lan = lan, .left_out = left_out, .first = -1 };
    bool standard = strcmp(file, "-") == 0;
    int err = -ENOMEM;

    *left_out = 0;
    r.in = standard ? stdin : fopen(file, "re");
    if (!r.in)
        return -errno;
    r.block = malloc(BLOCK_MAX);
    if (r.block)
        err = read_any(&r);
    free(r.block);
    if (!standard)
        fclose(r.in);
    return err;
}
