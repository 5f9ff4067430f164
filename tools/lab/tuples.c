/* Four numbers are a connection: source address and port, destination address and port
 * (RFC 9293 s3.3.1). Five connections at once, of which the others differ from the
 * first in one number each:
 *
 *     1   192.0.2.1:40000   192.0.2.10:80
 *     2   192.0.2.1:40001   192.0.2.10:80      source port
 *     3   192.0.2.2:40000   192.0.2.10:80      source address
 *     4   192.0.2.1:40000   192.0.2.10:8080    destination port
 *     5   192.0.2.1:40000   192.0.2.11:80      destination address
 *
 * Each of them says its number again and again, and whoever accepted it answers with
 * the number that it knows by the four of getpeername() and getsockname(). In the end a
 * segment of connection 1 comes once more, with another source port: it is nobody's. */
#include "tuples.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "experiment.h"

enum { CLIENTS = 2, HOSTS = 4, ROUNDS = 2, TEXT = 13 };
enum { PORT = 80, OTHER_PORT = 8080, NOBODYS_PORT = 40009 };
enum show { SHOW_CONNECTIONS, SHOW_DELIVERED, SHOW_REFUSED };

static const struct {
    const char *name, *address;
} hosts[HOSTS] = { { "client a", "192.0.2.1" },
                   { "client b", "192.0.2.2" },
                   { "server a", "192.0.2.10" },
                   { "server b", "192.0.2.11" } };

static const struct {
    int client, server; /* hosts */
    uint16_t from, to;
} connections[TUPLES] = {
    { 0, 2, 40000, PORT },       { 0, 2, 40001, PORT }, { 1, 2, 40000, PORT },
    { 0, 2, 40000, OTHER_PORT }, { 0, 3, 40000, PORT },
};

struct rig {
    struct lan lan;
    unsigned right;   /* texts that came to the connection that they name */
    unsigned clients; /* that are not done */
    struct door {
        struct rig *rig;
        int host;
        uint16_t port;
    } door[3];
    struct client {
        struct rig *rig;
        int host;
    } client[CLIENTS];
    struct visit {
        struct rig *rig;
        int fd;
    } visit[TUPLES];
    int visits;
};

/* --- servers --- */

/* The connection's number by its four. */
static int number_of(int fd)
{
    struct sockaddr_in here = { 0 }, there = { 0 };
    socklen_t len = sizeof here;
    char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];

    tapir_getsockname(fd, (struct sockaddr *)&here, &len);
    tapir_getpeername(fd, (struct sockaddr *)&there, &len);
    inet_ntop(AF_INET, &here.sin_addr, local, sizeof local);
    inet_ntop(AF_INET, &there.sin_addr, remote, sizeof remote);
    for (int i = 0; i < TUPLES; i++)
        if (strcmp(local, hosts[connections[i].server].address) == 0 &&
            strcmp(remote, hosts[connections[i].client].address) == 0 &&
            ntohs(here.sin_port) == connections[i].to &&
            ntohs(there.sin_port) == connections[i].from)
            return i + 1;
    return 0;
}

static void write_name(char out[TEXT + 1], int number)
{
    memcpy(out, "connection 0\n", TEXT + 1);
    out[TEXT - 2] = (char)('0' + number);
}

static void visit_program(void *arg)
{
    struct visit *v = arg;
    char text[TEXT + 1] = "", own[TEXT + 1];

    write_name(own, number_of(v->fd));
    while (tapir_read(v->fd, text, TEXT) == TEXT) {
        v->rig->right += strcmp(text, own) == 0;
        tapir_write(v->fd, own, TEXT);
    }
    tapir_close(v->fd);
}

static void door_program(void *arg)
{
    struct door *d = arg;
    struct rig *r = d->rig;
    int listener = lan_listen(d->port);
    struct pollfd p = { .fd = listener, .events = POLLIN };

    while (r->clients > 0) {
        if (tapir_poll(&p, 1, 1000) <= 0)
            continue;
        struct visit *v = &r->visit[r->visits++];
        *v = (struct visit){ r, lan_accept(listener) };
        lan_spawn(&r->lan, d->host, visit_program, v);
    }
    tapir_close(listener);
}

/* --- clients --- */

static void say(struct rig *r, int i, int fd)
{
    char text[TEXT + 1], back[TEXT + 1] = "";

    write_name(text, i + 1);
    tapir_write(fd, text, TEXT);
    tapir_read(fd, back, TEXT);
    r->right += strcmp(text, back) == 0;
}

static void client_program(void *arg)
{
    const struct client *c = arg;
    struct rig *r = c->rig;
    int fd[TUPLES];

    /* Client a opens one each round trip; the other's is between its second and third.
     */
    tapir_sleep(c->host * 3 * r->lan.setup->rtt / 2);
    for (int i = 0; i < TUPLES; i++)
        if (connections[i].client == c->host)
            fd[i] = lan_connect(hosts[connections[i].server].address, connections[i].to,
                                connections[i].from, 0);
    for (int n = 0; n < ROUNDS; n++)
        for (int i = 0; i < TUPLES; i++)
            if (connections[i].client == c->host)
                say(r, i, fd[i]);
    for (int i = 0; i < TUPLES; i++)
        if (connections[i].client == c->host)
            tapir_close(fd[i]);
    r->clients--;
}

/* --- a segment that is nobody's --- */

/* Connection 1's first text once more, from another port. */
static void forge(struct rig *r)
{
    struct lan_flows flows;
    struct lan_segment s;
    uint8_t ip[512];

    lan_flows_init(&flows, &r->lan);
    for (const struct lan_event *e = r->lan.first; e; e = e->next) {
        bool fits = lan_look(&flows, e, &s) && s.flow == 1 && e->len <= sizeof ip;
        if (!fits || s.tcp.text_len == 0)
            continue;
        memcpy(ip, e->ip, e->len);
        uint8_t *tcp = ip + s.ip_len;
        put16(tcp + TCP_CKSUM_FIELD,
              cksum_update(get16(tcp + TCP_CKSUM_FIELD), get16(tcp), NOBODYS_PORT));
        put16(tcp, NOBODYS_PORT);
        lan_inject(&r->lan, ip, e->len);
        return;
    }
}

static void forger_program(void *arg)
{
    struct rig *r = arg;

    tapir_sleep(6 * r->lan.setup->rtt);
    forge(r);
}

/* --- what came of it --- */

static int play(struct rig *r, const struct page_setup *setup)
{
    static const struct {
        int host;
        uint16_t port;
    } doors[] = { { 2, PORT }, { 2, OTHER_PORT }, { 3, PORT } };
    int err = lan_init(&r->lan, setup);

    for (int i = 0; i < HOSTS && err >= 0; i++)
        err = lan_host(&r->lan, hosts[i].name, hosts[i].address, 0);
    for (int i = 0; i < 3 && err >= 0; i++) {
        r->door[i] = (struct door){ r, doors[i].host, doors[i].port };
        err = lan_spawn(&r->lan, doors[i].host, door_program, &r->door[i]);
    }
    r->clients = CLIENTS;
    for (int i = 0; i < CLIENTS && err >= 0; i++) {
        r->client[i] = (struct client){ r, i };
        err = lan_spawn(&r->lan, i, client_program, &r->client[i]);
    }
    if (err >= 0)
        err = lan_spawn(&r->lan, 0, forger_program, r);
    return err < 0 ? err : lan_run(&r->lan);
}

/* RSTs on the wire, to the port that nobody has. */
static unsigned refused(const struct lan *lan)
{
    struct lan_flows flows;
    struct lan_segment s;
    unsigned n = 0;

    lan_flows_init(&flows, lan);
    for (const struct lan_event *e = lan->first; e; e = e->next)
        n += lan_look(&flows, e, &s) && s.flow == 0 && (s.tcp.flags & TCP_RST);
    return n;
}

static void judge(const struct rig *r, enum show show, unsigned look,
                  struct figure *out)
{
    if (show == SHOW_CONNECTIONS)
        *out = (struct figure){ .unit = "told apart",
                                .low = 1 + (double)__builtin_popcount(look),
                                .measured = tuples_apart(&r->lan, look) };
    else if (show == SHOW_DELIVERED)
        *out = (struct figure){ .unit = "texts",
                                .low = 2.0 * ROUNDS * TUPLES,
                                .measured = r->right };
    else
        *out =
            (struct figure){ .unit = "RSTs", .low = 1, .measured = refused(&r->lan) };
    out->high = out->low;
}

/* "source-port,destination-port": a bit for each. */
static bool look_at(struct experiment *e, unsigned *look)
{
    const char *at = experiment_word(e, "look", "all");
    unsigned bit = 1;

    *look = strcmp(at, "all") == 0 ? TUPLE_ALL : 0;
    while (*look != TUPLE_ALL && *at && bit) {
        size_t n = strcspn(at, ",");
        bit = tuple_element(at, n);
        *look |= bit;
        at += n + (at[n] == ',');
    }
    if (!bit)
        snprintf(e->error, sizeof e->error, "unknown look= '%.40s'",
                 experiment_word(e, "look", ""));
    return bit;
}

bool experiment_tuples(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "connections", "delivered", "refused", NULL };
    int show = experiment_show(e, shows);
    struct rig r = { .right = 0 };
    unsigned look;

    if (show < 0 || !look_at(e, &look))
        return false;
    int err = play(&r, &e->setup);
    if (err == 0)
        judge(&r, (enum show)show, look, out);
    if (err == 0 && experiment_number(e, "view", 0) > 0)
        e->view = tuples_picture(&r.lan);
    lan_free(&r.lan);
    return err == 0 || experiment_failed(e, err);
}
