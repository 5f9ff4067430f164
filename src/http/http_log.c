/* A variable is a row in a table: its name, what kind of thing it is, and where in the
 * entry it lies. Common and combined are formats like any other. */
#include "http/http_log.h"

#include "base/bytes.h"
#include "http/http_char.h"
#include "http/http_date.h"

enum kind {
    TEXT,    /* struct http_slice: escaped; "-" when empty, unless in JSON */
    HOST,    /* the same, without its port and in lower case */
    NUMBER,  /* uint64_t */
    SECONDS, /* int64_t microseconds, as 0.123 */
    LOCAL,
    ISO,      /* int64_t microseconds since 1970, as a date */
    PIPE,     /* bool: "p" or "." */
    PROTOCOL, /* int: HTTP/1.minor */
};

#define AT(field) offsetof(struct http_log_entry, field)

static const struct variable {
    const char *name;
    enum kind kind;
    size_t at;
} variables[] = {
    { "remote_addr", TEXT, AT(remote_addr) },
    { "remote_port", NUMBER, AT(remote_port) },
    { "server_addr", TEXT, AT(server_addr) },
    { "server_port", NUMBER, AT(server_port) },
    { "remote_user", TEXT, AT(remote_user) },
    { "time_local", LOCAL, AT(now) },
    { "time_iso8601", ISO, AT(now) },
    { "msec", SECONDS, AT(now) },
    { "request", TEXT, AT(request) },
    { "request_method", TEXT, AT(method) },
    { "request_uri", TEXT, AT(uri) },
    { "request_length", NUMBER, AT(request_length) },
    { "request_time", SECONDS, AT(request_time) },
    { "server_protocol", PROTOCOL, AT(minor) },
    { "host", HOST, AT(host) },
    { "http_host", TEXT, AT(host) },
    { "http_referer", TEXT, AT(referer) },
    { "http_user_agent", TEXT, AT(user_agent) },
    { "status", NUMBER, AT(status) },
    { "bytes_sent", NUMBER, AT(bytes_sent) },
    { "body_bytes_sent", NUMBER, AT(body_sent) },
    { "connection", NUMBER, AT(connection) },
    { "connection_requests", NUMBER, AT(requests) },
    { "pipe", PIPE, AT(piped) },
    { "close_reason", TEXT, AT(close_reason) },
    { "tcpinfo_rtt", NUMBER, AT(rtt) },
    { "tcpinfo_rttvar", NUMBER, AT(rttvar) },
    { "tcpinfo_snd_cwnd", NUMBER, AT(cwnd) },
};

#define COMMON \
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"

static const struct {
    const char *name, *format;
} formats[] = {
    { "common", COMMON },
    { "combined", COMMON " \"$http_referer\" \"$http_user_agent\"" },
    { "json",
      "{\"time\":\"$time_iso8601\",\"remote_addr\":\"$remote_addr\","
      "\"remote_port\":$remote_port,\"remote_user\":\"$remote_user\","
      "\"request\":\"$request\",\"host\":\"$host\",\"status\":$status,"
      "\"bytes_sent\":$bytes_sent,\"body_bytes_sent\":$body_bytes_sent,"
      "\"request_length\":$request_length,\"request_time\":$request_time,"
      "\"http_referer\":\"$http_referer\",\"http_user_agent\":\"$http_user_agent\","
      "\"connection\":$connection,\"connection_requests\":$connection_requests,"
      "\"pipe\":\"$pipe\",\"close_reason\":\"$close_reason\","
      "\"tcpinfo_rtt\":$tcpinfo_rtt,\"tcpinfo_snd_cwnd\":$tcpinfo_snd_cwnd}" },
};

const char *http_log_format(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].format;
    return NULL;
}

/* The variable whose "$name" or "${name}" begins at s, and how long that is. */
static const struct variable *find(const char *s, size_t *len)
{
    bool braces = s[1] == '{';
    const char *name = s + 1 + braces;
    size_t n = 0;

    while (is_alpha(name[n]) || is_digit(name[n]) || name[n] == '_')
        n++;
    *len = 1 + n + (braces ? 2 : 0);
    if (braces && name[n] != '}')
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        if (strlen(variables[i].name) == n && memcmp(variables[i].name, name, n) == 0)
            return &variables[i];
    return NULL;
}

const char *http_log_unknown(const char *format)
{
    size_t len;

    for (const char *s = strchr(format, '$'); s; s = strchr(s + len, '$'))
        if (!find(s, &len))
            return s;
    return NULL;
}

static void write_escaped(struct text *t, struct http_slice s, bool json)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (json && (c == '"' || c == '\\')) {
            text_char(t, '\\');
            text_char(t, s.at[i]);
        } else if (c < 0x20 || c >= 0x7f || (!json && (c == '"' || c == '\\'))) {
            /* JSON has text, and what comes here is bytes: each as its code. */
            text_put(t, json ? "\\u" : "\\x");
            text_hex(t, c, json ? 4 : 2);
        } else {
            text_char(t, s.at[i]);
        }
    }
}

static void write_seconds(struct text *t, int64_t microseconds)
{
    int64_t ms = microseconds > 0 ? microseconds / 1000 : 0;

    text_u64(t, (uint64_t)(ms / 1000));
    text_char(t, '.');
    text_u64_width(t, (uint64_t)(ms % 1000), 3);
}

static void write_text(struct text *t, struct http_slice s, bool json)
{
    if (s.len > 0)
        write_escaped(t, s, json);
    else if (!json)
        text_char(t, '-');
}

static void write_host(struct text *t, struct http_slice host, bool json)
{
    size_t n = host.len > 0 && host.at[0] == '[' ? slice_span(host, "]") : 0;
    size_t end = n + slice_span(slice_from(host, n), ":");

    for (size_t i = 0; i < end; i++) {
        char c = to_lower(host.at[i]);
        write_text(t, (struct http_slice){ &c, 1 }, json);
    }
    if (end == 0)
        write_text(t, slice_first(host, 0), json);
}

static void write_variable(struct text *t, const struct variable *v,
                           const struct http_log_entry *entry, bool json)
{
    const char *at = (const char *)entry + v->at;

    switch (v->kind) {
    case TEXT:
        write_text(t, *(const struct http_slice *)(const void *)at, json);
        return;
    case HOST:
        write_host(t, *(const struct http_slice *)(const void *)at, json);
        return;
    case NUMBER:
        text_u64(t, *(const uint64_t *)(const void *)at);
        return;
    case SECONDS:
        write_seconds(t, *(const int64_t *)(const void *)at);
        return;
    case LOCAL:
        http_date_print_log(t, *(const int64_t *)(const void *)at / 1000000);
        return;
    case ISO:
        http_date_print_iso(t, *(const int64_t *)(const void *)at / 1000000);
        return;
    case PIPE:
        text_char(t, *(const bool *)at ? 'p' : '.');
        return;
    case PROTOCOL:
        text_put(t, "HTTP/1.");
        text_u64(t, (uint64_t) * (const int *)(const void *)at);
        return;
    }
}

void http_log_write(struct text *t, const char *format,
                    const struct http_log_entry *entry)
{
    bool json = format[0] == '{';
    size_t len;

    while (*format) {
        const struct variable *v = *format == '$' ? find(format, &len) : NULL;
        if (v) {
            write_variable(t, v, entry, json);
            format += len;
        } else {
            text_char(t, *format++);
        }
    }
    text_char(t, '\n');
    if (t->cut && t->len > 0) /* even what does not fit is one line */
        t->at[t->len - 1] = '\n';
}
