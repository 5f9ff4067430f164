/* -w: curl's format and the names of its variables, and those of TCP_INFO that curl has
 * not. %{json} is all of them. Numbers are whole, times seconds with six digits. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "get.h"

/* What a variable is at the moment. */
struct value {
    enum { TEXT, NUMBER, SECONDS } kind;
    const char *text; /* NULL: null in JSON, nothing elsewhere */
    int64_t n;        /* SECONDS: microseconds, of which below 0 is 0 */
    int width;        /* NUMBER: digits at least */
    char room[64];
};

struct subject {
    const struct get_transfer *t;
    const struct tapir_http_result *r;
};

/* --- the variables --- */

static void text(struct value *v, const char *s)
{
    v->kind = TEXT;
    v->text = s;
}

static void number(struct value *v, int64_t n)
{
    v->kind = NUMBER;
    v->n = n;
}

static void seconds(struct value *v, int64_t usec)
{
    v->kind = SECONDS;
    v->n = usec;
}

static void address(struct value *v, const struct sockaddr_storage *at, bool port)
{
    struct sockaddr_in in;

    memcpy(&in, at, sizeof in);
    if (port)
        number(v, ntohs(in.sin_port));
    else
        text(v, in.sin_family
                    ? inet_ntop(AF_INET, &in.sin_addr, v->room, sizeof v->room)
                    : "");
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

static const char *const names[] = {
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
                      struct value *v)
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
                       struct value *v)
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
                       struct value *v)
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
                          struct value *v)
{
    bool local = strncmp(name, "local_", 6) == 0;

    if (!local && strncmp(name, "remote_", 7) != 0)
        return false;
    address(v, local ? &r->local : &r->remote, strstr(name, "_port") != NULL);
    return true;
}

static bool other_value(const struct subject *s, const char *name, struct value *v)
{
    const struct tapir_http_result *r = s->r;

    if (is(name, "http_code") || is(name, "response_code"))
        number(v, r->status);
    else if (is(name, "exitcode"))
        number(v, r->code);
    else if (is(name, "urlnum"))
        number(v, (int64_t)s->t->number);
    else if (is(name, "errormsg"))
        text(v, error_text(r));
    else if (is(name, "content_type"))
        text(v, r->type);
    else if (is(name, "filename_effective"))
        text(v, s->t->path[0] ? s->t->path : NULL);
    else if (is(name, "http_version"))
        text(v, version(r));
    else if (is(name, "method"))
        text(v, r->method);
    else if (is(name, "redirect_url"))
        text(v, r->location);
    else if (is(name, "referer"))
        text(v, s->t->group->http.referer);
    else if (is(name, "scheme"))
        text(v, "http");
    else if (is(name, "url"))
        text(v, s->t->url);
    else if (is(name, "url_effective"))
        text(v, r->url);
    else
        return false;
    return true;
}

/* False: there is no such variable. */
static bool evaluate(const struct subject *s, const char *name, struct value *v)
{
    *v = (struct value){ .kind = NUMBER };
    return tcp_value(&s->r->tcp, name, v) || time_value(s->r, name, v) ||
           size_value(s->r, name, v) || address_value(s->r, name, v) ||
           other_value(s, name, v);
}

/* --- printing --- */

static void put_seconds(FILE *out, int64_t usec)
{
    usec = usec < 0 ? 0 : usec;
    fprintf(out, "%lld.%06lld", (long long)(usec / 1000000),
            (long long)(usec % 1000000));
}

static void put_json_text(FILE *out, const char *s)
{
    if (!s) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*s);
        else
            fputc(*s, out);
    }
    fputc('"', out);
}

static void put_json(FILE *out, const struct subject *s)
{
    struct value v;

    for (size_t i = 0; names[i]; i++) {
        evaluate(s, names[i], &v);
        fprintf(out, "%s\"%s\":", i ? "," : "{", names[i]);
        if (v.kind == TEXT)
            put_json_text(out, v.text);
        else if (v.kind == SECONDS)
            put_seconds(out, v.n);
        else
            fprintf(out, "%lld", (long long)v.n);
    }
    fputc('}', out);
}

static void put_variable(FILE *out, const struct subject *s, const char *name)
{
    struct value v;
    bool code = is(name, "http_code") || is(name, "response_code");

    if (!evaluate(s, name, &v))
        fprintf(stderr, "tapir get: unknown --write-out variable: '%s'\n", name);
    else if (v.kind == TEXT)
        fputs(v.text ? v.text : "", out);
    else if (v.kind == SECONDS)
        put_seconds(out, v.n);
    else
        fprintf(out, code ? "%03lld" : "%lld", (long long)v.n);
}

/* "%{name}" at the front of a format: its length; 0: it is none. */
static size_t take_variable(const char *at, char *name, size_t cap)
{
    const char *end = strncmp(at, "%{", 2) == 0 ? strchr(at, '}') : NULL;
    size_t len = end ? (size_t)(end - at - 2) : 0;

    if (!end || len >= cap)
        return 0;
    memcpy(name, at + 2, len);
    name[len] = '\0';
    return len + 3;
}

/* "\n", "%%" and their like: the character; 0: it stands for itself. */
static char escaped(const char *at)
{
    static const char from[] = "nrt", to[] = "\n\r\t";
    const char *found;

    if (at[0] == '%' && at[1] == '%')
        return '%';
    if (at[0] != '\\' || !at[1])
        return '\0';
    found = strchr(from, at[1]);
    return found ? to[found - from] : '\0';
}

void get_write_out(const struct get_transfer *t, const struct tapir_http_result *r)
{
    struct subject s = { t, r };
    const char *at = t->group->write_out;
    FILE *out = stdout;
    char name[64];

    while (at && *at) {
        size_t n = take_variable(at, name, sizeof name);
        char c = escaped(at);
        if (n && is(name, "onerror") && r->code == 0)
            break;
        if (n && (is(name, "stdout") || is(name, "stderr")))
            out = is(name, "stdout") ? stdout : stderr;
        else if (n && is(name, "json"))
            put_json(out, &s);
        else if (n && !is(name, "onerror"))
            put_variable(out, &s, name);
        else if (!n)
            fputc(c ? c : *at, out);
        at += n ? n : 1 + (size_t)(c != '\0');
    }
    fflush(stdout);
}
