/* The variables of -w: curl's, and those of TCP_INFO that curl has not. "url." and
 * "urle." name the parts of the URL that was given, and of the last one that was asked
 * for. */
#include <string.h>
#include <strings.h>

#include "app/endpoint.h"
#include "base/bytes.h"
#include "get.h"

static void text(struct get_value *v, const char *s)
{
    v->kind = TEXT;
    v->text = s;
    v->len = s ? strlen(s) : 0;
}

static void number(struct get_value *v, int64_t n)
{
    v->kind = NUMBER;
    v->n = n;
}

static void seconds(struct get_value *v, int64_t usec)
{
    v->kind = SECONDS;
    v->n = usec;
}

static void address(struct get_value *v, const struct sockaddr_storage *at, bool port)
{
    union endpoint e;

    memcpy(&e, at, sizeof e);
    if (port)
        number(v, endpoint_port(&e));
    else
        text(v, endpoint_host(&e, v->room));
}

static int64_t speed(uint64_t bytes, int64_t usec)
{
    return usec > 0 ? (int64_t)((double)bytes * 1e6 / (double)usec) : 0;
}

static const char *state_name(int state)
{
    static const char *const names[] = { "none",         "ESTABLISHED", "SYN-SENT",
                                         "SYN-RECEIVED", "FIN-WAIT-1",  "FIN-WAIT-2",
                                         "TIME-WAIT",    "CLOSED",      "CLOSE-WAIT",
                                         "LAST-ACK",     "LISTEN",      "CLOSING" };

    return state >= 0 && state < 12 ? names[state] : "none";
}

static const char *error_text(const struct tapir_http_result *r)
{
    const char *blank = strchr(r->error.what, ' ');

    return r->code && blank ? blank + 1 : NULL;
}

static const char *version(const struct tapir_http_result *r)
{
    if (r->status == 0)
        return "0";
    return r->minor ? "1.1" : "1";
}

const char *const get_variables[] = {
    "content_type",
    "errormsg",
    "exitcode",
    "filename_effective",
    "http_code",
    "http_version",
    "local_ip",
    "local_port",
    "method",
    "num_connects",
    "num_headers",
    "num_redirects",
    "redirect_url",
    "referer",
    "remote_ip",
    "remote_port",
    "response_code",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "speed_download",
    "speed_upload",
    "time_connect",
    "time_namelookup",
    "time_pretransfer",
    "time_redirect",
    "time_starttransfer",
    "time_total",
    "url",
    "url_effective",
    "urlnum",
    "tcp_cwnd_max",
    "tcp_dupacks",
    "tcp_retrans",
    "tcp_rto",
    "tcp_rttvar",
    "tcp_segs_in",
    "tcp_segs_out",
    "tcp_srtt",
    "tcp_state",
    NULL,
};

static bool is(const char *name, const char *wanted)
{
    return strcmp(name, wanted) == 0;
}

static bool tcp_value(const struct tapir_http_tcp *tcp, const char *name,
                      struct get_value *v)
{
    if (is(name, "tcp_srtt"))
        seconds(v, tcp->srtt);
    else if (is(name, "tcp_rttvar"))
        seconds(v, tcp->rttvar);
    else if (is(name, "tcp_rto"))
        seconds(v, tcp->rto);
    else if (is(name, "tcp_cwnd_max"))
        number(v, tcp->cwnd_max);
    else if (is(name, "tcp_retrans"))
        number(v, tcp->retrans);
    else if (is(name, "tcp_dupacks"))
        number(v, tcp->dupacks);
    else if (is(name, "tcp_segs_out"))
        number(v, tcp->segs_out);
    else if (is(name, "tcp_segs_in"))
        number(v, tcp->segs_in);
    else if (is(name, "tcp_state"))
        text(v, state_name(tcp->state));
    else
        return false;
    return true;
}

static bool time_value(const struct tapir_http_result *r, const char *name,
                       struct get_value *v)
{
    if (is(name, "time_namelookup"))
        seconds(v, r->at[TAPIR_HTTP_ADDRESS]);
    else if (is(name, "time_connect") || is(name, "time_pretransfer"))
        seconds(v, r->at[TAPIR_HTTP_CONNECT]);
    else if (is(name, "time_starttransfer"))
        seconds(v, r->first_byte);
    else if (is(name, "time_redirect"))
        seconds(v, r->redirect_time);
    else if (is(name, "time_total"))
        seconds(v, r->end);
    else
        return false;
    return true;
}

static bool size_value(const struct tapir_http_result *r, const char *name,
                       struct get_value *v)
{
    if (is(name, "size_download"))
        number(v, (int64_t)r->body);
    else if (is(name, "size_upload"))
        number(v, (int64_t)r->sent);
    else if (is(name, "size_header"))
        number(v, (int64_t)r->heads);
    else if (is(name, "size_request"))
        number(v, (int64_t)r->requests);
    else if (is(name, "speed_download"))
        number(v, speed(r->body, r->end));
    else if (is(name, "speed_upload"))
        number(v, speed(r->sent, r->end));
    else if (is(name, "num_connects"))
        number(v, r->connects);
    else if (is(name, "num_redirects"))
        number(v, r->redirects);
    else if (is(name, "num_headers"))
        number(v, r->fields);
    else
        return false;
    return true;
}

static bool address_value(const struct tapir_http_result *r, const char *name,
                          struct get_value *v)
{
    bool local = strncmp(name, "local_", 6) == 0;

    if (!local && strncmp(name, "remote_", 7) != 0)
        return false;
    address(v, local ? &r->local : &r->remote, strstr(name, "_port") != NULL);
    return true;
}

static bool other_value(const struct get_transfer *t, const struct tapir_http_result *r,
                        const char *name, struct get_value *v)
{
    if (is(name, "http_code") || is(name, "response_code"))
        number(v, r->status);
    else if (is(name, "exitcode"))
        number(v, r->code);
    else if (is(name, "urlnum"))
        number(v, (int64_t)t->number);
    else if (is(name, "errormsg"))
        text(v, error_text(r));
    else if (is(name, "content_type"))
        text(v, r->type);
    else if (is(name, "filename_effective"))
        text(v, t->path);
    else if (is(name, "http_version"))
        text(v, version(r));
    else if (is(name, "method"))
        text(v, r->method);
    else if (is(name, "redirect_url"))
        text(v, r->location);
    else if (is(name, "referer"))
        text(v, r->referer);
    else if (is(name, "scheme"))
        text(v, "http");
    else if (is(name, "url"))
        text(v, t->url);
    else if (is(name, "url_effective"))
        text(v, r->url);
    else
        return false;
    return true;
}

/* --- parts of URLs --- */

static void piece(struct get_value *v, const char *at, size_t len)
{
    v->kind = TEXT;
    v->text = at;
    v->len = len;
}

/* What a part of an authority is; an empty one is none. */
static void authority_part(struct get_value *v, const char *at, size_t len,
                           const char *part)
{
    const char *host = memrchr(at, '@', len), *end = at + len, *colon, *port;
    const char *user_end = host;

    host = host ? host + 1 : at;
    colon = user_end ? memchr(at, ':', (size_t)(user_end - at)) : NULL;
    port = memrchr(host, ':', (size_t)(end - host));
    if (port && memchr(port, ']', (size_t)(end - port)))
        port = NULL;
    if (strcmp(part, "host") == 0)
        piece(v, host, (size_t)((port ? port : end) - host));
    else if (strcmp(part, "port") == 0 && port)
        piece(v, port + 1, (size_t)(end - port - 1));
    else if (strcmp(part, "user") == 0 && user_end)
        piece(v, at, (size_t)((colon ? colon : user_end) - at));
    else if (strcmp(part, "password") == 0 && colon)
        piece(v, colon + 1, (size_t)(user_end - colon - 1));
}

/* False: no URL has a part of that name. */
static bool url_part(const char *url, const char *part, struct get_value *v)
{
    static const char *const parts[] = { "scheme", "user",   "password", "host",
                                         "port",   "path",   "query",    "fragment",
                                         "zoneid", "options" };
    const char *sep = strstr(url, "://"), *at = sep ? sep + 3 : url;
    size_t host = strcspn(at, "/?#"), path, query, k = 0;

    while (k < ARRAY_LEN(parts) && strcmp(parts[k], part) != 0)
        k++;
    piece(v, "", 0);
    if (k == ARRAY_LEN(parts) || strchr(url, ' '))
        return k < ARRAY_LEN(parts);
    if (k == 0)
        piece(v, sep ? url : "http", sep ? (size_t)(sep - url) : 4);
    if (k == 4 && (!sep || strncasecmp(url, "http:", 5) == 0))
        piece(v, "80", 2);
    authority_part(v, at, host, part);
    path = strcspn(at + host, "?#");
    query = strcspn(at + host + path, "#");
    if (k == 5)
        piece(v, path ? at + host : "/", path ? path : 1);
    if (k == 6 && query > 1)
        piece(v, at + host + path + 1, query - 1);
    if (k == 7 && at[host + path + query] == '#')
        text(v, at + host + path + query + 1);
    return true;
}

bool get_variable(const struct get_transfer *t, const struct tapir_http_result *r,
                  const char *name, struct get_value *v)
{
    *v = (struct get_value){ .kind = NUMBER };
    if (strncmp(name, "url.", 4) == 0)
        return url_part(t->url, name + 4, v);
    if (strncmp(name, "urle.", 5) == 0)
        return url_part(r->url, name + 5, v);
    return tcp_value(&r->tcp, name, v) || time_value(r, name, v) ||
           size_value(r, name, v) || address_value(r, name, v) ||
           other_value(t, r, name, v);
}
