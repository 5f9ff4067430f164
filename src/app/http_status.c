/* Both forms come from one table of figures: a column of the page is a member of the
 * JSON object, by the same name, which is ss(8)'s. */
#include "app/http_status.h"

#include <netinet/tcp.h>

#include "base/bytes.h"

enum { FIGURES = 7 };

static const char *const figure_names[FIGURES] = { "cwnd",   "ssthresh", "rtt",
                                                   "rttvar", "rto",      "unacked",
                                                   "retrans" };

static void get_figures(const struct tcp_info *info, uint64_t figure[FIGURES])
{
    figure[0] = info->tcpi_snd_cwnd;
    figure[1] = info->tcpi_snd_ssthresh;
    figure[2] = info->tcpi_rtt;
    figure[3] = info->tcpi_rttvar;
    figure[4] = info->tcpi_rto;
    figure[5] = info->tcpi_unacked;
    figure[6] = info->tcpi_total_retrans;
}

static const char *state_name(unsigned state)
{
    static const char *const names[] = {
        "?",         "ESTAB",  "SYN-SENT",   "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
        "TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",     "CLOSING",
    };

    return names[state < ARRAY_LEN(names) ? state : 0];
}

/* "name":n with a comma before it, or a cell. */
static void put_number(struct text *t, bool json, const char *name, uint64_t n)
{
    text_put(t, json ? ",\"" : "<td>");
    text_put(t, json ? name : "");
    text_put(t, json ? "\":" : "");
    text_u64(t, n);
}

static void put_word(struct text *t, bool json, const char *name, const char *word)
{
    text_put(t, json ? ",\"" : "<td>");
    text_put(t, json ? name : "");
    text_put(t, json ? "\":\"" : "");
    text_put(t, word);
    text_put(t, json ? "\"" : "");
}

static void begin_page(struct text *t, const struct tapir_http_stats *stats)
{
    text_put(
        t, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
           "<link rel=\"icon\" href=\"data:,\"><title>Connections</title>\n"
           "<style>td,th{text-align:right;padding:0 1em}</style>\n<h1>Connections</h1>"
           "\n<p>");
    text_u64(t, stats->connections);
    text_put(t, " accepted, ");
    text_u64(t, stats->requests);
    text_put(t, " requests, ");
    text_u64(t, stats->bytes);
    text_put(t, " bytes sent. Times are microseconds, windows segments.</p>\n<table>\n"
                "<tr><th>connection<th>client<th>port<th>doing<th>state");
    for (int i = 0; i < FIGURES; i++) {
        text_put(t, "<th>");
        text_put(t, figure_names[i]);
    }
    text_put(t, "</tr>\n");
}

void http_status_begin(struct text *t, bool json, const struct tapir_http_stats *stats)
{
    if (!json) {
        begin_page(t, stats);
        return;
    }
    text_put(t, "{\"accepted\":");
    text_u64(t, stats->connections);
    put_number(t, json, "requests", stats->requests);
    put_number(t, json, "bytes", stats->bytes);
    text_put(t, ",\"connections\":[");
}

void http_status_row(struct text *t, bool json, size_t index,
                     const struct http_access *access, const char *doing)
{
    struct tcp_info info = { .tcpi_state = 0 };
    socklen_t len = sizeof info;
    char address[ENDPOINT_TEXT];
    uint64_t figure[FIGURES];

    if (tapir_getsockopt(access->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        info = (struct tcp_info){ .tcpi_state = 0 };
    get_figures(&info, figure);
    if (json)
        text_put(t, index ? ",\n{\"connection\":" : "\n{\"connection\":");
    else
        text_put(t, "<tr><td>");
    text_u64(t, access->number);
    put_word(t, json, "remote_addr", endpoint_host(&access->peer, address));
    put_number(t, json, "remote_port", endpoint_port(&access->peer));
    put_word(t, json, "doing", doing);
    put_word(t, json, "state", state_name(info.tcpi_state));
    for (int i = 0; i < FIGURES; i++)
        put_number(t, json, figure_names[i], figure[i]);
    text_put(t, json ? "}" : "</tr>\n");
}

void http_status_end(struct text *t, bool json)
{
    text_put(t, json ? "\n]}\n" : "</table></html>\n");
}
