/* A message is a header of 12 bytes, the question, and three sections of records. Of an
 * answer only those records count whose owner stands on the chain that begins with the
 * question's name: whatever else a server puts into its answer, it is not believed.
 *
 *     question www.a.test   www.a.test CNAME web.b.test    web.b.test A 192.0.2.7
 *         |________________________|   |________________________|
 *
 * How long an answer may be kept is the least time to live on the chain; of a negative
 * one, what the zone's SOA says (RFC 2308 s5), and without that it may not be kept. */
#include "app/dns_msg.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum { HEADER = 12, RECORD = 10, CLASS_IN = 1, OPT_RECORD = 11 };

enum { FLAG_QR = 0x8000, FLAG_TC = 0x0200, FLAG_RD = 0x0100 };

enum {
    TTL_MAX = 7 * 86400,      /* seconds; RFC 8767 s4 advises a cap of days */
    TTL_NEGATIVE_MAX = 10800, /* RFC 2308 s5: one to three hours */
};

/* --- writing --------------------------------------------------------------------- */

/* RFC 6891 s6.1.2: the root as name, the class is our size, no options. */
static size_t write_opt(uint8_t *at)
{
    memset(at, 0, OPT_RECORD);
    put16(at + 1, DNS_OPT);
    put16(at + 3, DNS_UDP_MAX);
    return OPT_RECORD;
}

size_t dns_write_query(uint8_t *at, uint16_t id, const struct dns_question *question,
                       bool edns)
{
    size_t n = HEADER;

    memset(at, 0, HEADER);
    put16(at, id);
    put16(at + 2, FLAG_RD);
    put16(at + 4, 1);
    put16(at + 10, edns);
    memcpy(at + n, question->name.b, question->name.len);
    n += question->name.len;
    put16(at + n, question->type);
    put16(at + n + 2, CLASS_IN);
    n += 4;
    return edns ? n + write_opt(at + n) : n;
}

/* --- reading --------------------------------------------------------------------- */

static size_t read_question(struct dns_message *m)
{
    size_t at = dns_name_read(m->at, m->len, HEADER, &m->question.name);

    if (at == 0 || m->len - at < 4 || get16(m->at + at + 2) != CLASS_IN)
        return 0;
    m->question.type = get16(m->at + at);
    return at + 4;
}

struct dns_walk dns_walk(const struct dns_message *m)
{
    return (struct dns_walk){ .m = m, .at = m->records, .left = m->count[0] };
}

/* The record at the walk's place; false: it does not fit into the message. */
static bool read_record(struct dns_walk *walk, struct dns_record *out)
{
    const uint8_t *msg = walk->m->at;
    size_t len = walk->m->len;
    size_t at = dns_name_read(msg, len, walk->at, &out->name);

    if (at == 0 || len - at < RECORD)
        return false;
    out->type = get16(msg + at);
    out->class = get16(msg + at + 2);
    out->ttl = get32(msg + at + 4);
    /* RFC 2181 s8: one with the first bit set is 0. */
    if (out->ttl > INT32_MAX)
        out->ttl = 0;
    out->size = get16(msg + at + 8);
    out->data_at = at + RECORD;
    out->data = msg + out->data_at;
    if (out->size > len - out->data_at)
        return false;
    out->section = (enum dns_section)walk->section;
    walk->at = out->data_at + out->size;
    return true;
}

bool dns_next(struct dns_walk *walk, struct dns_record *out)
{
    while (walk->left == 0 && walk->section < DNS_ADDITIONAL)
        walk->left = walk->m->count[++walk->section];
    if (walk->left == 0 || !read_record(walk, out))
        return false;
    walk->left--;
    return true;
}

bool dns_next_of(struct dns_walk *walk, const struct dns_name *name, uint16_t type,
                 struct dns_record *out)
{
    while (dns_next(walk, out) && out->section == DNS_ANSWER)
        if (out->type == type && out->class == CLASS_IN &&
            dns_name_equal(&out->name, name))
            return true;
    return false;
}

int dns_parse(const uint8_t *at, size_t len, struct dns_message *out)
{
    struct dns_record record;

    if (len < HEADER)
        return -EBADMSG;
    *out = (struct dns_message){ .at = at, .len = len, .id = get16(at) };
    unsigned flags = get16(at + 2);
    out->is_answer = flags & FLAG_QR;
    out->cut = flags & FLAG_TC;
    out->opcode = flags >> 11 & 15;
    out->rcode = flags & 15;
    out->asked = get16(at + 4);
    for (size_t i = 0; i < 3; i++)
        out->count[i] = get16(at + 6 + 2 * i);
    out->records = HEADER;
    if (out->asked > 1)
        return -EBADMSG;
    if (out->asked == 1 && (out->records = read_question(out)) == 0)
        return -EBADMSG;
    struct dns_walk walk = dns_walk(out);
    while (dns_next(&walk, &record))
        ;
    return walk.left > 0 && !out->cut ? -EBADMSG : 0;
}

bool dns_answers(const struct dns_message *m, uint16_t id,
                 const struct dns_question *question)
{
    if (!m->is_answer || m->opcode != 0 || m->id != id)
        return false;
    /* Who does not know EDNS may not have read the question (RFC 6891 s7). */
    if (m->asked == 0)
        return m->rcode == DNS_FORMERR || m->rcode == DNS_NOTIMP;
    return m->question.type == question->type &&
           dns_name_equal(&m->question.name, &question->name);
}

size_t dns_record_name(const struct dns_message *m, const struct dns_record *record,
                       size_t at, struct dns_name *out)
{
    size_t end = record->data_at + record->size;
    size_t next = dns_name_read(m->at, end, record->data_at + at, out);

    return next ? next - record->data_at : 0;
}

/* --- what it says ---------------------------------------------------------------- */

int dns_chain(const struct dns_message *m, struct dns_name *end, unsigned *links,
              uint32_t *ttl)
{
    struct dns_record alias;

    *end = m->question.name;
    *links = 0;
    *ttl = UINT32_MAX;
    if (m->question.type == DNS_CNAME)
        return 0;
    for (;;) {
        struct dns_walk walk = dns_walk(m);
        if (!dns_next_of(&walk, end, DNS_CNAME, &alias))
            return 0;
        if (++*links > DNS_CHAIN_MAX || alias.size == 0 ||
            dns_record_name(m, &alias, 0, end) != alias.size)
            return -EBADMSG;
        *ttl = min_u32(*ttl, alias.ttl);
    }
}

/* RFC 2308 s5: the lesser of the SOA's own time to live and its last field, MINIMUM.
 * The zone is one that the name lies in. */
static uint32_t negative_ttl(const struct dns_message *m, const struct dns_name *name)
{
    struct dns_walk walk = dns_walk(m);
    struct dns_record soa;

    while (dns_next(&walk, &soa))
        if (soa.section == DNS_AUTHORITY && soa.type == DNS_SOA && soa.size >= 22 &&
            dns_name_within(name, &soa.name))
            return min_u32(min_u32(soa.ttl, get32(soa.data + soa.size - 4)),
                           TTL_NEGATIVE_MAX);
    return 0;
}

int dns_read_answer(const struct dns_message *m, struct dns_answer *out)
{
    size_t size = m->question.type == DNS_A ? 4 : 16;
    struct dns_record record;

    memset(out, 0, sizeof *out);
    out->rcode = m->rcode;
    if (dns_chain(m, &out->end, &out->links, &out->ttl) < 0)
        return -EBADMSG;
    struct dns_walk walk = dns_walk(m);
    while (dns_next_of(&walk, &out->end, m->question.type, &record)) {
        if (record.size != size)
            return -EBADMSG;
        /* RFC 2181 s5.2: one set has one time to live; where not, the least. */
        out->ttl = min_u32(out->ttl, record.ttl);
        if (out->n < DNS_ADDRESSES)
            memcpy(out->address[out->n++], record.data, size);
    }
    if (out->n == 0)
        out->ttl = min_u32(out->ttl, negative_ttl(m, &out->end));
    out->ttl = min_u32(out->ttl, TTL_MAX);
    return 0;
}
