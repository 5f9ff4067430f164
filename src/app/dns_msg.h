/* DNS messages as bytes (RFC 1035 s4): questions are written, answers are read. No
 * socket and no time; what came from the network is checked here. */
#ifndef TAPIR_APP_DNS_MSG_H
#define TAPIR_APP_DNS_MSG_H

#include "app/dns_name.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_OPT = 41,
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
};

enum {
    DNS_QUERY_MAX = 12 + DNS_NAME_MAX + 4 + 11, /* bytes of a query */
    DNS_UDP_MAX =
        1232, /* of an answer by UDP that we ask for: fits any path unbroken */
    DNS_MESSAGE_MAX = 65535,
    DNS_CHAIN_MAX = 16, /* aliases in a row that are followed */
    DNS_ADDRESSES = 24, /* of one name that are kept */
};

struct dns_question {
    struct dns_name name;
    uint16_t type;
};

struct dns_message {
    const uint8_t *at; /* borrowed: the bytes */
    size_t len;
    uint16_t id;
    bool is_answer;    /* QR */
    bool cut;          /* TC: more did not fit */
    uint8_t opcode;    /* 0: a query */
    uint8_t rcode;     /* enum dns_rcode */
    uint16_t asked;    /* questions: 0 or 1 */
    uint16_t count[3]; /* records in answer, authority, additional */
    struct dns_question question;
    size_t records; /* where they begin */
};

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

struct dns_record {
    struct dns_name name;
    enum dns_section section;
    uint16_t type, class;
    uint32_t ttl;         /* seconds */
    const uint8_t *data;  /* RDATA */
    size_t data_at, size; /* where it stands in the message; its bytes */
};

/* A place in a message's records. */
struct dns_walk {
    const struct dns_message *m;
    size_t at;        /* of the next record */
    unsigned section; /* it belongs to ... */
    unsigned left;    /* ... and so many are left there */
};

/* What a message says about addresses. */
struct dns_answer {
    uint8_t rcode;       /* DNS_NOERROR or DNS_NXDOMAIN */
    struct dns_name end; /* of the chain of aliases: the canonical name */
    unsigned links;      /* aliases on the way to it */
    unsigned n;          /* addresses; 0: the name has none of the kind */
    uint32_t ttl;        /* seconds that this may be kept */
    uint8_t address[DNS_ADDRESSES][16]; /* 4 bytes of A, 16 of AAAA */
};

/* Writes a query that asks for recursion; with `edns` it says that answers of
 * DNS_UDP_MAX bytes can come (RFC 6891). `at` has DNS_QUERY_MAX bytes; how many were
 * written. */
size_t dns_write_query(uint8_t *at, uint16_t id, const struct dns_question *question,
                       bool edns);

/* Reads header and question, and walks over all records, unless the message is cut. 0;
 * -EBADMSG. */
int dns_parse(const uint8_t *at, size_t len, struct dns_message *out);

/* Is it an answer to this query (RFC 5452 s9.1)? */
bool dns_answers(const struct dns_message *m, uint16_t id,
                 const struct dns_question *question);

/* The records one after the other: true, or false at the end. */
struct dns_walk dns_walk(const struct dns_message *m);
bool dns_next(struct dns_walk *walk, struct dns_record *out);

/* The same, of the answer section only what `name` has of the type. */
bool dns_next_of(struct dns_walk *walk, const struct dns_name *name, uint16_t type,
                 struct dns_record *out);

/* The name at byte `at` of the record's data; where the bytes behind it begin, counted
 * from there as well; 0: there is none. */
size_t dns_record_name(const struct dns_message *m, const struct dns_record *record,
                       size_t at, struct dns_name *out);

/* Follows the chain of aliases from the question's name. 0 with its end, how many links
 * it has, and the least of their times to live (UINT32_MAX: there are none); -EBADMSG
 * where it is longer than DNS_CHAIN_MAX, which a loop is as well. */
int dns_chain(const struct dns_message *m, struct dns_name *end, unsigned *links,
              uint32_t *ttl);

/* What it says of its question, of type A or AAAA. 0; -EBADMSG. */
int dns_read_answer(const struct dns_message *m, struct dns_answer *out);

#endif
