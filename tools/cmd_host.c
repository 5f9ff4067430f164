/* tapir host: what the name servers say of a name, in host(1)'s words. Without -t the
 * hosts file is looked at first, as every program's look-up does, and what it has is
 * the answer; then A, AAAA and MX are asked for. An address is asked for its name
 * (PTR). The questions are asked anew, past the cache; names are completed by `search`
 * as resolv.conf(5) says. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/dns.h"
#include "app/names.h"
#include "base/bytes.h"
#include "commands.h"
#include "options.h"

enum { TEXT_ROOM = 4096 };

static const struct kind {
    const char *name;
    uint16_t type;
    const char *words; /* between the name and what it has */
} kinds[] = {
    { "A", DNS_A, "has address" },          { "AAAA", DNS_AAAA, "has IPv6 address" },
    { "MX", DNS_MX, "mail is handled by" }, { "CNAME", DNS_CNAME, "is an alias for" },
    { "NS", DNS_NS, "name server" },        { "PTR", DNS_PTR, "domain name pointer" },
    { "SOA", DNS_SOA, "has SOA record" },   { "SRV", DNS_SRV, "has SRV record" },
    { "TXT", DNS_TXT, "descriptive text" },
};

struct host {
    const char *name;
    const struct kind *kind; /* of -t; NULL: the first three */
    bool json;

    struct dns *dns;
    struct dns_reply *reply;
    unsigned printed; /* records, aliases on the way included */
    bool found;       /* one of what was asked for */
};

static const struct option_row rows[] = {
    { 't', 't', "type", true },
    { 'j', 0, "json", false },
    { 0, 0, NULL, false },
};

/* --- what a record has -------------------------------------------------------------
 */

struct reader {
    const struct dns_message *m;
    const struct dns_record *record;
    struct text *t;
    size_t at; /* within the data */
    bool bad;
};

static void put_name(struct reader *r, const char *dot)
{
    struct dns_name name;
    size_t next = r->bad ? 0 : dns_record_name(r->m, r->record, r->at, &name);

    r->bad = next == 0;
    if (r->bad)
        return;
    r->at = next;
    dns_name_print(r->t, &name);
    text_put(r->t, name.len > 1 ? dot : "");
}

/* A number of 2 or 4 bytes. */
static void put_number(struct reader *r, size_t size, const char *behind)
{
    if (r->bad || r->record->size - r->at < size) {
        r->bad = true;
        return;
    }
    const uint8_t *b = r->record->data + r->at;
    text_u64(r->t, size == 2 ? get16(b) : get32(b));
    text_put(r->t, behind);
    r->at += size;
}

static void put_soa(struct reader *r)
{
    put_name(r, ". ");
    put_name(r, ". ");
    for (int i = 0; i < 5; i++)
        put_number(r, 4, i < 4 ? " " : "");
}

/* RFC 1035 s3.3.14: strings, each behind its length. */
static void put_strings(struct reader *r)
{
    const uint8_t *data = r->record->data;
    size_t size = r->record->size, at = 0;

    while (at < size) {
        size_t n = data[at++];
        if (n > size - at) {
            r->bad = true;
            return;
        }
        text_put(r->t, at > 1 ? " \"" : "\"");
        for (size_t i = 0; i < n; i++, at++) {
            bool plain = data[at] >= ' ' && data[at] <= '~';
            if (!plain || strchr("\"\\", data[at]))
                text_char(r->t, '\\');
            if (plain)
                text_char(r->t, (char)data[at]);
            else
                text_u64_width(r->t, data[at], 3);
        }
        text_char(r->t, '"');
    }
    r->at = at;
}

static void put_address(struct reader *r, int family, size_t size)
{
    char address[INET6_ADDRSTRLEN];

    r->bad = r->record->size != size;
    if (r->bad)
        return;
    text_put(r->t, inet_ntop(family, r->record->data, address, sizeof address));
    r->at = size;
}

/* The data as text; false: it is not what the type has. */
static bool put_data(struct text *t, const struct dns_message *m,
                     const struct dns_record *record)
{
    struct reader r = { .m = m, .record = record, .t = t };

    switch (record->type) {
    case DNS_A:
        put_address(&r, AF_INET, 4);
        break;
    case DNS_AAAA:
        put_address(&r, AF_INET6, 16);
        break;
    case DNS_MX:
        put_number(&r, 2, " ");
        put_name(&r, ".");
        break;
    case DNS_SRV:
        for (int i = 0; i < 3; i++)
            put_number(&r, 2, " ");
        put_name(&r, ".");
        break;
    case DNS_SOA:
        put_soa(&r);
        break;
    case DNS_TXT:
        put_strings(&r);
        break;
    default:
        put_name(&r, ".");
        break;
    }
    return !r.bad && r.at == record->size && !t->cut;
}

/* --- printing -------------------------------------------------------------------- */

static const struct kind *kind_of(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

/* The first one opens the object that the last line of host_body() closes. */
static void begin_record(struct host *h, const char *name, const struct kind *kind)
{
    fputs(h->printed++ ? ",{\"name\":" : "{\"records\":[{\"name\":", stdout);
    print_json_string(name);
    printf(",\"type\":\"%s\"", kind->name);
}

static void print_record(struct host *h, const struct dns_record *record)
{
    const struct kind *kind = kind_of(record->type);
    char name[DNS_NAME_TEXT], data[TEXT_ROOM];
    struct text n, d;

    text_init(&n, name, sizeof name);
    text_init(&d, data, sizeof data);
    dns_name_print(&n, &record->name);
    if (!put_data(&d, &h->reply->message, record))
        return;
    if (!h->json) {
        printf("%s %s %s\n", name, kind->words, data);
        h->printed++;
        return;
    }
    begin_record(h, name, kind);
    printf(",\"ttl\":%u,\"data\":", record->ttl);
    print_json_string(data);
    putchar('}');
}

/* The links of the chain of aliases, in order, then what its end has. */
static void print_answer(struct host *h, const struct dns_question *question)
{
    const struct dns_message *m = &h->reply->message;
    struct dns_name at = question->name, end;
    struct dns_record record;
    struct dns_walk walk;
    unsigned links;
    uint32_t ttl;

    if (dns_chain(m, &end, &links, &ttl) < 0)
        return;
    for (unsigned i = 0; i < links; i++) {
        walk = dns_walk(m);
        dns_next_of(&walk, &at, DNS_CNAME, &record);
        dns_record_name(m, &record, 0, &at);
        /* Of several questions each has the chain: it is printed once. */
        if (question->type == DNS_A || h->kind)
            print_record(h, &record);
    }
    walk = dns_walk(m);
    while (dns_next_of(&walk, &end, question->type, &record)) {
        print_record(h, &record);
        h->found = true;
    }
}

static const char *rcode_name(unsigned rcode)
{
    static const char *const names[] = { "NOERROR",  "FORMERR", "SERVFAIL",
                                         "NXDOMAIN", "NOTIMP",  "REFUSED" };

    return rcode < ARRAY_LEN(names) ? names[rcode] : "RCODE";
}

static void print_found(struct host *h, const struct names_found *found)
{
    char address[INET6_ADDRSTRLEN];

    h->found = true;
    for (size_t i = 0; i < found->n; i++) {
        int family = found->at[i].family;
        const struct kind *kind = &kinds[family == AF_INET ? 0 : 1];
        inet_ntop(family, found->at[i].b, address, sizeof address);
        if (!h->json) {
            printf("%s %s %s\n", h->name, kind->words, address);
            h->printed++;
            continue;
        }
        begin_record(h, h->name, kind);
        printf(",\"data\":\"%s\"}", address);
    }
}

/* --- asking ---------------------------------------------------------------------- */

static int failed(const struct host *h, int err)
{
    char what[400];

    if (err == -ENOENT || (err == -EIO && h->reply->message.rcode)) {
        unsigned rcode = err == -ENOENT ? DNS_NXDOMAIN : h->reply->message.rcode;
        snprintf(what, sizeof what, "Host %.255s not found: %u(%s)", h->name, rcode,
                 rcode_name(rcode));
        tell(what, "a name server says so", NULL);
        return 1;
    }
    snprintf(what, sizeof what, "cannot look up %.255s", h->name);
    if (err == -ENONET)
        tell(what, names_trouble(-ENOENT), "name one: --dns ADDR");
    else
        tell(what, names_trouble(err),
             "check --dns, --gateway and that the server is up");
    return 1;
}

/* One question, under the first name that exists. 0; -ENOENT; or as dns_ask(). */
static int ask(struct host *h, uint16_t type, struct dns_question *question)
{
    const struct resolv_conf *conf = dns_conf(h->dns);
    int err = -ENOENT;

    question->type = type;
    for (unsigned n = 0; dns_candidate(conf, h->name, n, &question->name); n++) {
        err = dns_ask(h->dns, question, NEVER, h->reply);
        if (err < 0 || h->reply->message.rcode == DNS_NOERROR)
            return err;
        err = -ENOENT;
    }
    return err;
}

static int ask_kinds(struct host *h)
{
    const struct kind *kind = h->kind ? h->kind : &kinds[0];
    unsigned n = h->kind ? 1 : 3;
    struct dns_question question;
    char what[400];

    for (unsigned i = 0; i < n; i++) {
        int err = ask(h, kind[i].type, &question);
        /* Some servers deny a name of which they do not know this type. */
        if (err == -ENOENT && h->found)
            continue;
        if (err < 0)
            return failed(h, err);
        print_answer(h, &question);
    }
    if (h->found)
        return 0;
    snprintf(what, sizeof what, "%.255s has no %s record", h->name,
             h->kind ? h->kind->name : "A, AAAA or MX");
    tell(what, "a name server says so", NULL);
    return 1;
}

/* RFC 1035 s3.5 and RFC 3596 s2.5: an address as the name that has its PTR. */
static const char *reverse_name(const char *address, char *room, size_t cap)
{
    static const char digit[] = "0123456789abcdef";
    uint8_t b[16];
    struct text t;

    text_init(&t, room, cap);
    if (inet_pton(AF_INET, address, b) == 1) {
        for (int i = 3; i >= 0; i--) {
            text_u64(&t, b[i]);
            text_char(&t, '.');
        }
        text_put(&t, "in-addr.arpa.");
        return room;
    }
    if (inet_pton(AF_INET6, address, b) != 1)
        return NULL;
    for (int i = 15; i >= 0; i--) {
        char pair[] = { digit[b[i] & 15], '.', digit[b[i] >> 4], '.', '\0' };
        text_put(&t, pair);
    }
    text_put(&t, "ip6.arpa.");
    return room;
}

static int look_up(struct host *h)
{
    struct names_found found;
    char room[128];
    const char *reverse = reverse_name(h->name, room, sizeof room);

    if (reverse) {
        h->name = reverse;
        h->kind = h->kind ? h->kind : kind_of(DNS_PTR);
    } else if (!h->kind && names_local("/etc/hosts", h->name, AF_UNSPEC, &found) == 0) {
        print_found(h, &found);
        return 0;
    }
    return ask_kinds(h);
}

static int host_body(struct options *o, void *arg)
{
    struct host *h = arg;
    int status;

    options_wait_far(o, 53);
    h->dns = dns_current();
    h->reply = calloc(1, sizeof *h->reply);
    if (!h->dns || !h->reply) {
        tell("cannot make a resolver", "there is no memory", NULL);
        free(h->reply);
        return 1;
    }
    status = look_up(h);
    if (h->json && h->printed)
        printf("],\"found\":%s}\n", h->found ? "true" : "false");
    free(h->reply);
    return status;
}

/* --- the command ----------------------------------------------------------------- */

static int take_type(struct host *h, const char *value)
{
    char what[100];

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcasecmp(kinds[i].name, value) == 0)
            h->kind = &kinds[i];
    if (h->kind)
        return 0;
    snprintf(what, sizeof what, "bad value for -t: '%.40s'", value);
    return tell_usage(what, "-t A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT");
}

static int take_option(struct host *h, int id, const char *value)
{
    switch (id) {
    case 't':
        return take_type(h, value);
    case 'j':
        h->json = true;
        return 0;
    case OPT_WORD:
        if (h->name)
            return tell_usage("host takes one NAME", "tapir help host");
        h->name = value;
        return 0;
    default:
        return 2;
    }
}

int host_run(int argc, char **argv)
{
    struct options o;
    struct host h = { .name = NULL };
    struct job job = { .body = host_body, .arg = &h, .failed = 1 };
    int id, status;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        status = take_option(&h, id, o.value);
        if (status != 0)
            return status;
    }
    if (!h.name || !*h.name)
        return tell_usage("host needs a NAME", "tapir host www.example.org");
    status = options_run(&o, &job);
    if (h.json && !h.printed)
        tell_json();
    return status;
}
