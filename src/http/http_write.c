/* Each function appends one line; the caller puts them in order: start line, fields,
 * end. Whether all of it fitted is asked once, of the text, at the end. */
#include "http/http_write.h"

#include "base/bytes.h"
#include "http/http_char.h"
#include "http/http_date.h"
#include "http/http_uri.h"

static const struct {
    int status;
    const char *reason;   /* RFC 9110 s15 */
    const char *sentence; /* for the page; NULL where none is ever sent */
} statuses[] = {
    { 100, "Continue", NULL },
    { 200, "OK", NULL },
    { 204, "No Content", NULL },
    { 206, "Partial Content", NULL },
    { 301, "Moved Permanently", "The directory's address ends in a slash." },
    { 304, "Not Modified", NULL },
    { 400, "Bad Request", "The request could not be understood." },
    { 403, "Forbidden", "The file may not be read." },
    { 404, "Not Found", "There is no such file." },
    { 405, "Method Not Allowed", "What is here does not know that method." },
    { 408, "Request Timeout", "The request did not arrive in time." },
    { 411, "Length Required", "The request does not say how long its body is." },
    { 412, "Precondition Failed", "The file is not what the request expects." },
    { 413, "Content Too Large", "The request's body is too large." },
    { 414, "URI Too Long", "The request's target is too long." },
    { 416, "Range Not Satisfiable", "The file has no such part." },
    { 417, "Expectation Failed", "The request expects what the server cannot do." },
    { 431, "Request Header Fields Too Large", "The request's head is too large." },
    { 500, "Internal Server Error", "The file could not be read." },
    { 501, "Not Implemented", "The server does not know how to do this." },
    { 503, "Service Unavailable", "The server is too busy; try again later." },
    { 505, "HTTP Version Not Supported", "The server speaks HTTP/1.1 and HTTP/1.0." },
};

/* The status's place in the table, or its length. */
static size_t status_index(int status)
{
    size_t i = 0;

    while (i < ARRAY_LEN(statuses) && statuses[i].status != status)
        i++;
    return i;
}

const char *http_reason(int status)
{
    size_t i = status_index(status);
    return i < ARRAY_LEN(statuses) ? statuses[i].reason : "Unknown";
}

void http_write_status(struct text *t, int status)
{
    text_put(t, "HTTP/1.1 ");
    text_u64_width(t, (uint64_t)status, 3);
    text_char(t, ' ');
    text_put(t, http_reason(status));
    text_put(t, "\r\n");
}

/* A control character could end the line; a space cannot. */
static void put_value(struct text *t, const char *value)
{
    size_t n = 0;

    while (value[n] && !is_control(value[n]))
        n++;
    text_putn(t, value, n);
    for (value += n; *value; value++)
        text_char(t, is_control(*value) && *value != '\t' ? ' ' : *value);
}

void http_write_field(struct text *t, const char *name, const char *value)
{
    text_put(t, name);
    text_put(t, ": ");
    put_value(t, value);
    text_put(t, "\r\n");
}

void http_write_number(struct text *t, const char *name, uint64_t n)
{
    text_put(t, name);
    text_put(t, ": ");
    text_u64(t, n);
    text_put(t, "\r\n");
}

void http_write_date(struct text *t, const char *name, int64_t seconds)
{
    text_put(t, name);
    text_put(t, ": ");
    http_date_print(t, seconds);
    text_put(t, "\r\n");
}

bool http_field_is_valid(const char *line)
{
    return line[0] != ':' && strchr(line, ':') && !strpbrk(line, "\r\n");
}

void http_write_end(struct text *t)
{
    text_put(t, "\r\n");
}

void http_write_start(struct text *t, const char *method, struct http_slice target,
                      int minor)
{
    text_put(t, method);
    text_char(t, ' ');
    http_encode_target(t, target);
    text_put(t, " HTTP/1.");
    text_u64(t, (uint64_t)minor);
    text_put(t, "\r\n");
}

void http_write_request(struct text *t, const char *method, const struct http_url *url,
                        int minor)
{
    size_t path = slice_span(url->target, "?");

    text_put(t, method);
    text_char(t, ' ');
    /* RFC 9112 s3.2.1: an empty path is sent as "/". */
    if (path == 0)
        text_char(t, '/');
    http_write_path(t, slice_first(url->target, path));
    http_encode_target(t, slice_from(url->target, path));
    text_put(t, " HTTP/1.");
    text_u64(t, (uint64_t)minor);
    text_put(t, "\r\n");
}

void http_write_host(struct text *t, const struct http_url *url)
{
    text_put(t, "Host: ");
    text_put(t, url->is_ip6 ? "[" : "");
    text_put(t, url->host);
    text_put(t, url->is_ip6 ? "]" : "");
    if (url->port != 80) {
        text_char(t, ':');
        text_u64(t, url->port);
    }
    text_put(t, "\r\n");
}

void http_write_chunk(struct text *t, uint64_t n)
{
    text_hex(t, n, 1);
    text_put(t, "\r\n");
}

void http_write_last_chunk(struct text *t)
{
    text_put(t, "0\r\n\r\n");
}

void http_write_page(struct text *t, int status)
{
    size_t i = status_index(status);
    const char *sentence = i < ARRAY_LEN(statuses) ? statuses[i].sentence : NULL;

    text_put(t, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>");
    text_u64(t, (uint64_t)status);
    text_char(t, ' ');
    text_put(t, http_reason(status));
    text_put(t, "</title>\n<h1>");
    text_put(t, http_reason(status));
    text_put(t, "</h1>\n<p>");
    text_put(t, sentence ? sentence : "");
    text_put(t, "</p></html>\n");
}
