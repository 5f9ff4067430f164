/* The state file, for scripts that ask FreeBSD's sockstat which states there are: one
 * line an endpoint,
 *
 *     tcp4 192.168.0.1:8080 192.0.2.1:40000 TIME_WAIT
 *
 * rewritten after each hook that changed it, as a whole: a reader never sees a part. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "base/text.h"
#include "tcp/tcp_demux.h"

enum { LINE_ROOM = 5 + 2 * (ADDR_TEXT + 6) };

/* FreeBSD's names. */
static const char *const state_name[TCPS_N] = {
    [TCPS_ESTABLISHED] = "ESTABLISHED", [TCPS_SYN_SENT] = "SYN_SENT",
    [TCPS_SYN_RECEIVED] = "SYN_RCVD",   [TCPS_FIN_WAIT_1] = "FIN_WAIT_1",
    [TCPS_FIN_WAIT_2] = "FIN_WAIT_2",   [TCPS_TIME_WAIT] = "TIME_WAIT",
    [TCPS_CLOSED] = "CLOSED",           [TCPS_CLOSE_WAIT] = "CLOSE_WAIT",
    [TCPS_LAST_ACK] = "LAST_ACK",       [TCPS_LISTEN] = "LISTEN",
    [TCPS_CLOSING] = "CLOSING",
};

static void line(FILE *out, const struct tcp_slot *slot, enum tcp_state state)
{
    char room[LINE_ROOM];
    struct text t;

    text_init(&t, room, sizeof room);
    text_put(&t, "tcp4 ");
    ip_print(&t, slot->local);
    text_char(&t, ':');
    text_u64(&t, slot->local_port);
    text_char(&t, ' ');
    ip_print(&t, slot->remote);
    text_char(&t, ':');
    text_u64(&t, slot->remote_port);
    fprintf(out, "%s %s\n", room, state_name[state]);
}

static enum tcp_state state_of(const struct tcp_slot *slot)
{
    if (slot->kind == SLOT_HALF_OPEN)
        return TCPS_SYN_RECEIVED;
    if (slot->kind == SLOT_TIME_WAIT)
        return TCPS_TIME_WAIT;
    return tcp_state_of((const struct tcb *)(const void *)slot);
}

/* A socket of which the table of four-tuples knows nothing. */
static void list_socket(FILE *out, const struct sock *s)
{
    struct tcp_slot slot = { .local = s->local.addr,
                             .local_port = s->local.port,
                             .remote = ip_any4 };

    if (s->kind != SOCK_KIND_TCP)
        return;
    if (s->listener)
        line(out, &slot, TCPS_LISTEN);
    else if (!s->tcb || tcp_state_of(s->tcb) == TCPS_CLOSED)
        line(out, &slot, TCPS_CLOSED);
}

static void list_all(FILE *out, const struct stack *st)
{
    list_each (at, &st->socks.all)
        list_socket(out, list_entry(at, struct sock, node));
    for (size_t i = 0; i < st->tcp.n_slots; i++)
        for (const struct tcp_slot *slot = st->tcp.slots[i]; slot; slot = slot->next)
            line(out, slot, state_of(slot));
}

static void replace(const char *path, const char *text)
{
    char beside[512];
    FILE *f;

    snprintf(beside, sizeof beside, "%s.new", path);
    f = fopen(beside, "we");
    if (!f)
        return;
    fputs(text, f);
    if (fclose(f) != 0 || rename(beside, path) != 0)
        remove(beside);
}

void listing_write(struct adapter *a)
{
    char *text = NULL;
    size_t len;
    FILE *out = a->state_file ? open_memstream(&text, &len) : NULL;

    if (!out)
        return;
    list_all(out, a->host->stack);
    fclose(out);
    if (a->listed && strcmp(a->listed, text) == 0) {
        free(text);
        return;
    }
    replace(a->state_file, text);
    free(a->listed);
    a->listed = text;
}
