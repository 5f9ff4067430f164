/* Addresses and TCP's figures are asked for when the line is written, the latter only
 * if the format has them: a request that is not logged so pays nothing. */
#include "app/http_access.h"

#include <netinet/tcp.h>
#include <string.h>

#include "http/http_log.h"
#include "tapir/socket.h"

static void note_tcp(int fd, struct http_log_entry *e)
{
    struct tcp_info info = { .tcpi_state = 0 };
    socklen_t len = sizeof info;

    if (tapir_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return;
    e->rtt = info.tcpi_rtt;
    e->rttvar = info.tcpi_rttvar;
    e->cwnd = info.tcpi_snd_cwnd;
}

static void note_request(const struct http_session *s, struct http_log_entry *e)
{
    const struct http_noted *noted = s->noted;

    e->minor = s->minor;
    e->status = (uint64_t)s->status;
    e->bytes_sent = s->sent;
    e->body_sent = s->sent > s->out_head ? s->sent - s->out_head : 0;
    e->request_length = s->head_taken + s->body_taken;
    e->requests = s->requests;
    e->piped = s->piped;
    if (s->why)
        e->close_reason = slice_of(s->why);
    if (!noted)
        return;
    e->request = noted->line;
    e->method = noted->method;
    e->uri = noted->uri;
    e->host = noted->host;
    e->referer = noted->referer;
    e->user_agent = noted->user_agent;
    e->remote_user = noted->user;
}

void http_access_write(struct text *t, const char *format,
                       const struct http_access *access, const struct http_session *s,
                       int64_t now)
{
    union endpoint here = { .any = { .sa_family = AF_UNSPEC } };
    socklen_t len = sizeof here;
    char remote[ENDPOINT_TEXT], local[ENDPOINT_TEXT];
    struct http_log_entry e = { .remote_port = endpoint_port(&access->peer),
                                .connection = access->number,
                                .now = now * USEC_PER_SEC,
                                .request_time = tapir_now() - access->began };

    tapir_getsockname(access->fd, &here.any, &len);
    e.remote_addr = slice_of(endpoint_host(&access->peer, remote));
    e.server_addr = slice_of(endpoint_host(&here, local));
    e.server_port = endpoint_port(&here);
    note_request(s, &e);
    if (strstr(format, "tcpinfo_"))
        note_tcp(access->fd, &e);
    http_log_write(t, format, &e);
}
