/* What a name server may send. The first byte chooses, the rest is the message, or
 * a file, ending where a page ends:
 *
 *     a message   is refused, or its records lie in it; names read from it are names,
 *                 print and (where they are plain) come back; what it says of its
 *                 question holds
 *     our query   is a message that asks what it was made of
 *     resolv.conf is within its limits */
#include <errno.h>

#include "app/dns_msg.h"
#include "app/resolv_conf.h"
#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"

enum { LINE = 2048 };

static void check_name(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT];
    struct dns_name again;
    struct text t;
    size_t at = 0;

    while (name->b[at])
        at += 1 + (size_t)name->b[at];
    assert(at + 1 == name->len && name->len >= 1);
    assert(dns_name_equal(name, name) && dns_name_within(name, name));
    text_init(&t, text, sizeof text);
    dns_name_print(&t, name);
    assert(!t.cut && t.len > 0);
    for (size_t i = 0; i < t.len; i++)
        assert(text[i] > ' ' && text[i] <= '~');
    if (dns_name_from_text(text, &again))
        assert(dns_name_equal(name, &again));
}

/* Record by record; how many there are. */
static unsigned check_records(const struct dns_message *m)
{
    struct dns_walk walk = dns_walk(m);
    struct dns_record record;
    struct dns_name name;
    unsigned n = 0;

    for (; dns_next(&walk, &record); n++) {
        check_name(&record.name);
        assert(record.data_at + record.size <= m->len && record.ttl <= INT32_MAX);
        for (size_t at = 0; at <= record.size && at < 8; at++) {
            size_t end = dns_record_name(m, &record, at, &name);
            assert(end == 0 || (end > at && end <= record.size));
            if (end)
                check_name(&name);
        }
    }
    return n;
}

static void check_answer(const struct dns_message *m)
{
    struct dns_answer a;
    int err = dns_read_answer(m, &a);

    assert(err == 0 || err == -EBADMSG);
    if (err < 0)
        return;
    check_name(&a.end);
    assert(a.n <= DNS_ADDRESSES && a.links <= DNS_CHAIN_MAX && a.ttl <= 7 * 86400);
    if (a.links == 0)
        assert(dns_name_equal(&a.end, &m->question.name));
}

static void one_message(const uint8_t *at, size_t n)
{
    struct dns_message m, again;
    uint8_t query[DNS_QUERY_MAX];
    int err = dns_parse(at, n, &m);

    assert(err == 0 || err == -EBADMSG);
    if (err < 0)
        return;
    unsigned records = check_records(&m);
    unsigned told = (unsigned)m.count[0] + m.count[1] + m.count[2];
    assert(m.cut ? records <= told : records == told);
    fuzz_mark(at, min_size(n, records));
    if (m.asked == 0)
        return;
    check_name(&m.question.name);
    check_answer(&m);
    size_t len = dns_write_query(query, m.id, &m.question, n % 2);
    assert(len <= sizeof query && dns_parse(query, len, &again) == 0);
    again.is_answer = true;
    assert(dns_answers(&again, m.id, &m.question));
}

static void one_file(const char *text)
{
    struct resolv_conf conf;

    resolv_conf_init(&conf);
    resolv_conf_servers(&conf, text);
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        resolv_conf_line(&conf, text);
    assert(conf.n_servers <= RESOLV_SERVERS && conf.n_search <= RESOLV_SEARCH);
    assert(conf.ndots <= 15 && conf.timeout >= 1 && conf.timeout <= 30);
    assert(conf.attempts >= 1 && conf.attempts <= 5);
    for (unsigned i = 0; i < conf.n_search; i++)
        assert(strlen(conf.search[i]) < RESOLV_NAME);
}

void fuzz_dns(const uint8_t *data, size_t size)
{
    static char room[LINE];
    struct fuzz_in in = { data, size };
    bool file = fuzz_u8(&in) % 4 == 3;
    size_t n = fuzz_bytes(&in, (uint8_t *)room, LINE - 1);

    room[n] = '\0';
    if (file)
        one_file(guarded(room, n + 1));
    else
        one_message((const uint8_t *)guarded(room, n), n);
}
