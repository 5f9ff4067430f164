#include "harness/nameserver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/dns_msg.h"
#include "base/bytes.h"
#include "harness/hosts.h"

enum { ROOM = 65535 };

/* --- messages -------------------------------------------------------------------- */

static uint8_t *put_name(uint8_t *at, const char *text)
{
    struct dns_name name;

    must(dns_name_from_text(text, &name));
    memcpy(at, name.b, name.len);
    return at + name.len;
}

static uint8_t *put_data(uint8_t *at, const char *type, const char *value)
{
    if (strcmp(type, "A") == 0) {
        must(inet_pton(AF_INET, value, at) == 1);
        return at + 4;
    }
    if (strcmp(type, "AAAA") == 0) {
        must(inet_pton(AF_INET6, value, at) == 1);
        return at + 16;
    }
    at = put_name(at, strcmp(type, "SOA") == 0 ? "ns.test" : value);
    if (strcmp(type, "SOA") != 0)
        return at;
    at = put_name(at, "root.test");
    memset(at, 0, 16);
    put32(at + 16, (uint32_t)atoi(value));
    return at + 20;
}

static uint16_t type_number(const char *type)
{
    return !strcmp(type, "A")      ? DNS_A
           : !strcmp(type, "AAAA") ? DNS_AAAA
           : !strcmp(type, "SOA")  ? DNS_SOA
                                   : DNS_CNAME;
}

/* "owner ttl type value" */
static uint8_t *put_record(uint8_t *at, const char *text)
{
    char owner[300], type[10], value[300];
    unsigned ttl;

    must(sscanf(text, " %299s %u %9s %299s", owner, &ttl, type, value) == 4);
    at = put_name(at, owner);
    put16(at, type_number(type));
    put16(at + 2, 1);
    put32(at + 4, ttl);
    uint8_t *end = put_data(at + 10, type, value);
    put16(at + 8, (uint16_t)(end - at - 10));
    return end;
}

/* All records; the numbers go into the header. */
static uint8_t *put_records(uint8_t *header, uint8_t *at, const char *records)
{
    char room[4000], *save = NULL;
    char *authority;
    int section = 0;

    snprintf(room, sizeof room, "%s", records);
    authority = strchr(room, '/');
    if (authority)
        *authority++ = '\0';
    for (char *part = room; part && section < 2; part = authority, section++) {
        unsigned n = 0;
        for (char *one = strtok_r(part, ";", &save); one;
             one = strtok_r(NULL, ";", &save)) {
            if (one[strspn(one, " ")] == '\0')
                continue;
            at = put_record(at, one);
            n++;
        }
        put16(header + 6 + 2 * section, (uint16_t)n);
    }
    return at;
}

static const struct nameserver_row *find_row(const struct nameserver *s,
                                             const struct dns_question *q)
{
    struct dns_name name;

    for (size_t i = 0; i < s->n_rows; i++)
        if (s->row[i].type == q->type && dns_name_from_text(s->row[i].name, &name) &&
            dns_name_equal(&name, &q->name))
            return &s->row[i];
    return NULL;
}

size_t nameserver_answer(const struct nameserver *s, const uint8_t *query, size_t n,
                         bool tcp, uint8_t *at)
{
    static const struct nameserver_row unknown = { .rcode = DNS_NXDOMAIN };
    const struct nameserver_row *row;
    struct dns_message m;
    uint8_t *end;

    must(dns_parse(query, n, &m) == 0 && m.asked == 1);
    memset(at, 0, 12);
    put16(at, m.id);
    if (s->no_edns && m.count[DNS_ADDITIONAL] > 0) {
        put16(at + 2, 0x8180 | DNS_FORMERR);
        return 12;
    }
    row = find_row(s, &m.question);
    row = row ? row : &unknown;
    bool cut = row->cut && !tcp;
    put16(at + 2, (uint16_t)(0x8180 | (cut ? 0x0200 : 0) | row->rcode));
    put16(at + 4, 1);
    memcpy(at + 12, query + 12, m.records - 12);
    end = at + m.records;
    if (row->records && !cut)
        end = put_records(at, end, row->records);
    return (size_t)(end - at);
}

/* --- the program ----------------------------------------------------------------- */

static void see(struct nameserver *s, const uint8_t *query, uint16_t port)
{
    unsigned n = s->udp + s->tcp - 1;

    if (n < NAMESERVER_SEEN) {
        s->ids[n] = get16(query);
        s->ports[n] = port;
    }
}

static bool has_strangers(const struct nameserver *s, const uint8_t *query, size_t n)
{
    struct dns_message m;
    const struct nameserver_row *row;

    must(dns_parse(query, n, &m) == 0);
    row = find_row(s, &m.question);
    return row && row->strangers;
}

static void serve_udp(struct nameserver *s, int fd, uint8_t *room)
{
    uint8_t query[600];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n = tapir_recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from,
                               &len);
    size_t size;

    must(n > 0);
    s->udp++;
    see(s, query, ntohs(from.sin_port));
    if (s->udp <= s->deaf)
        return;
    size = nameserver_answer(s, query, (size_t)n, false, room);
    if (has_strangers(s, query, (size_t)n)) {
        room[0] ^= 1; /* the id */
        tapir_sendto(fd, room, size, 0, (struct sockaddr *)&from, len);
        room[0] ^= 1;
        room[13] ^= 1; /* the question's first letter */
        tapir_sendto(fd, room, size, 0, (struct sockaddr *)&from, len);
        room[13] ^= 1;
    }
    must(tapir_sendto(fd, room, size, 0, (struct sockaddr *)&from, len) ==
         (ssize_t)size);
}

static void serve_tcp(struct nameserver *s, int listener, uint8_t *room)
{
    uint8_t query[600];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int fd = tapir_accept(listener, (struct sockaddr *)&from, &len);
    size_t n;

    must(fd >= 0 && hosts_read(fd, query, 2) == 2);
    n = get16(query);
    must(n <= sizeof query && hosts_read(fd, query, n) == n);
    s->tcp++;
    see(s, query, ntohs(from.sin_port));
    n = nameserver_answer(s, query, n, true, room + 2);
    put16(room, (uint16_t)n);
    hosts_write(fd, room, n + 2);
    tapir_close(fd);
}

void nameserver(void *server)
{
    struct nameserver *s = server;
    struct sockaddr_in at = { .sin_family = AF_INET };
    int udp = tapir_socket(AF_INET, SOCK_DGRAM, 0), tcp = hosts_listen(s->port);
    uint8_t *room = malloc(2 + ROOM);
    struct pollfd fds[2] = { { udp, POLLIN, 0 }, { tcp, POLLIN, 0 } };

    at.sin_port = htons(s->port);
    must(room && tapir_bind(udp, (struct sockaddr *)&at, sizeof at) == 0);
    while (tapir_poll(fds, 2, NAMESERVER_QUIET * 1000) > 0) {
        if (fds[0].revents)
            serve_udp(s, udp, room);
        if (fds[1].revents)
            serve_tcp(s, tcp, room);
    }
    free(room);
    tapir_close(udp);
    tapir_close(tcp);
}
