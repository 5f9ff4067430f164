/* How a head is read
 * ------------------
 *
 *     GET /a?b HTTP/1.1 CRLF          start line
 *     Host: x CRLF                    field lines
 *     CRLF                            the end
 *
 * First the end is looked for, from where the last look stopped, so that a head that
 * comes one byte a segment costs no more than one that comes whole. Only when it is
 * there are the lines taken apart, in one pass, by functions that see one line each.
 *
 * A request is read strictly: what two implementations could read in two ways is how
 * one request gets smuggled inside another, so a bare LF, a folded line, a blank before
 * a colon, a control character are answered with 400. A response comes from the server
 * that was asked; there, RFC 9112 lets a client be lenient, and this one is.
 *
 * A stranger who does not speak HTTP at all (a TLS hello, noise) is told at the first
 * byte that no method can have: waiting for the end of the head would hold his
 * connection until a deadline. */
#include "http/http_parse.h"

#include <errno.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 s5.6.2 */
static bool is_tchar(char c)
{
    return is_alpha(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Where the head ends, its empty line included; -EAGAIN when the end is not there yet;
 * -EBADMSG for a line that ends in a bare LF where `strict`. */
static int head_end(const char *at, size_t len, size_t seen, bool strict)
{
    size_t i = seen > 2 ? seen - 2 : 0;

    while (i < len) {
        const char *lf = memchr(at + i, '\n', len - i);
        if (!lf)
            break;
        size_t next = (size_t)(lf - at) + 1;
        if (strict && (next < 2 || at[next - 2] != '\r'))
            return -EBADMSG;
        if (next + 1 < len && at[next] == '\r' && at[next + 1] == '\n')
            return (int)next + 2;
        if (!strict && next < len && at[next] == '\n')
            return (int)next + 1;
        i = next;
    }
    return -EAGAIN;
}

/* Takes the next line off *rest, without its end. */
static struct http_slice take_line(struct http_slice *rest)
{
    const char *lf = memchr(rest->at, '\n', rest->len);
    size_t n = lf ? (size_t)(lf - rest->at) : rest->len;
    struct http_slice line = { rest->at, n };

    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    *rest = slice_from(*rest, lf ? n + 1 : n);
    return line;
}

/* Takes the characters up to the next space off *rest; the space goes too. */
static struct http_slice take_word(struct http_slice *rest)
{
    const char *space = rest->len ? memchr(rest->at, ' ', rest->len) : NULL;
    size_t n = space ? (size_t)(space - rest->at) : rest->len;
    struct http_slice word = { rest->at, n };

    *rest = slice_from(*rest, space ? n + 1 : n);
    return word;
}

/* "HTTP/" DIGIT "." DIGIT, nothing else (RFC 9112 s2.3). The major number, or -1. */
static int parse_version(struct http_slice s, int *minor)
{
    if (s.len != 8 || memcmp(s.at, "HTTP/", 5) != 0 || s.at[6] != '.' ||
        !is_digit(s.at[5]) || !is_digit(s.at[7]))
        return -1;
    *minor = s.at[7] - '0';
    return s.at[5] - '0';
}

/* Deviates from RFC 9112 s3.2: octets from 0x80 up, which no URI has, are let through:
 * a file name typed as UTF-8 is meant, and the path decoder takes them as they are. */
static bool target_is_valid(struct http_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_control(s.at[i]) || s.at[i] == '#')
            return false;
    return s.len > 0;
}

/* 0, or minus the status that answers it. */
static int parse_request_line(struct http_slice line, struct http_head *head)
{
    int major;

    head->method = take_word(&line);
    head->target = take_word(&line);
    major = parse_version(line, &head->minor);
    if (!target_is_valid(head->target) || major < 0)
        return -400;
    /* RFC 9110 s15.6.6; a higher minor number is read as the highest known (s2.5). */
    if (major != 1)
        return -505;
    if (head->target.len + head->method.len > HTTP_LINE_MAX)
        return -414;
    return 0;
}

static int parse_status_line(struct http_slice line, struct http_head *head)
{
    struct http_slice version = take_word(&line);
    struct http_slice status = take_word(&line);

    if (parse_version(version, &head->minor) != 1)
        return -EBADMSG;
    if (status.len != 3 || status.at[0] == '0')
        return -EBADMSG;
    for (size_t i = 0; i < 3; i++) {
        if (!is_digit(status.at[i]))
            return -EBADMSG;
        head->status = head->status * 10 + (status.at[i] - '0');
    }
    head->reason = line;
    return 0;
}

/* RFC 9110 s5.5: CR, LF and NUL make a value dangerous; of the other controls a request
 * may have the tab only. */
static bool value_is_valid(struct http_slice value, bool strict)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '\r' || c == '\0' || (strict && is_control(c) && c != '\t'))
            return false;
    }
    return true;
}

/* field-name ":" OWS field-value OWS. A blank before the colon, or in front of the
 * name (a folded line), is no token character and so refused (RFC 9112 s5.1, s5.2). */
static bool parse_field(struct http_slice line, bool strict, struct http_field *field)
{
    size_t n = 0;

    while (n < line.len && is_tchar(line.at[n]))
        n++;
    if (n == 0 || n == line.len || line.at[n] != ':')
        return false;
    field->name = (struct http_slice){ line.at, n };
    field->value = slice_trim(slice_from(line, n + 1));
    return value_is_valid(field->value, strict);
}

/* 0; -EBADMSG for a line that is no field; -E2BIG for one too many. */
static int parse_fields(struct http_slice rest, bool strict, struct http_head *head)
{
    while (rest.len > 0) {
        struct http_slice line = take_line(&rest);
        if (line.len == 0)
            break;
        if (head->n_fields == HTTP_FIELDS_MAX)
            return -E2BIG;
        if (!parse_field(line, strict, &head->field[head->n_fields]))
            return -EBADMSG;
        head->n_fields++;
    }
    return 0;
}

/* uri-host [ ":" port ], which may be empty (RFC 9110 s7.2). */
static bool host_is_valid(struct http_slice s)
{
    size_t i = 0;

    if (s.len > 0 && s.at[0] == '[') {
        while (i < s.len && s.at[i] != ']')
            i++;
        if (i++ == s.len)
            return false;
    }
    while (i < s.len && s.at[i] != ':') {
        if (!is_alpha(s.at[i]) && !is_digit(s.at[i]) &&
            !strchr("-._~%!$&'()*+;=", s.at[i]))
            return false;
        i++;
    }
    for (i++; i < s.len; i++)
        if (!is_digit(s.at[i]))
            return false;
    return true;
}

/* RFC 9112 s3.2: one valid Host on 1.1; none or one on 1.0. */
static bool check_host(const struct http_head *head)
{
    const struct http_field *host = http_next_field(head, "Host", NULL);

    if (!host)
        return head->minor == 0;
    return host_is_valid(host->value) && !http_next_field(head, "Host", host);
}

/* What is known before the end of the head: can a request begin like this? 0, or minus
 * the status. */
static int check_beginning(const char *at, size_t len)
{
    size_t n = 0;

    while (n < len && n < HTTP_METHOD_MAX && is_tchar(at[n]))
        n++;
    if (n == HTTP_METHOD_MAX)
        return -501; /* RFC 9112 s3: a method longer than any known */
    if (n < len && (n == 0 || at[n] != ' '))
        return -400;
    if (len > HTTP_LINE_MAX && !memchr(at, '\n', HTTP_LINE_MAX))
        return -414;
    return 0;
}

static int parse_request_lines(struct http_slice rest, struct http_head *head)
{
    int err = parse_request_line(take_line(&rest), head);

    if (err < 0)
        return err;
    err = parse_fields(rest, true, head);
    if (err < 0)
        return err == -E2BIG ? -431 : -400;
    return check_host(head) ? 0 : -400;
}

int http_parse_request(const char *at, size_t len, size_t seen, struct http_head *head)
{
    size_t skip = 0;
    int end, err;

    /* RFC 9112 s2.2: one empty line in front is forgiven. */
    if (len >= 1 && at[0] == '\r')
        skip = 2;
    if (len < skip || len == 0)
        return -EAGAIN;
    if (skip && at[1] != '\n')
        return -400;
    memset(head, 0, sizeof *head);
    err = check_beginning(at + skip, len - skip);
    if (err < 0)
        return err;
    end = head_end(at + skip, len - skip, seen > skip ? seen - skip : 0, true);
    if (end == -EBADMSG)
        return -400;
    if (end > HTTP_HEAD_MAX || (end < 0 && len >= HTTP_HEAD_MAX))
        return -431;
    if (end < 0)
        return end;
    err = parse_request_lines((struct http_slice){ at + skip, (size_t)end }, head);
    return err < 0 ? err : end + (int)skip;
}

/* RFC 9112 s5.2: a folded line is one line; its fold becomes spaces. */
static void unfold(char *at, size_t len)
{
    for (size_t i = 1; i + 1 < len; i++) {
        if (at[i] != '\n' || (at[i + 1] != ' ' && at[i + 1] != '\t'))
            continue;
        at[i] = ' ';
        if (at[i - 1] == '\r')
            at[i - 1] = ' ';
    }
}

int http_parse_response(char *at, size_t len, size_t seen, struct http_head *head)
{
    static const char begins[] = "HTTP/1.";
    size_t n = len < sizeof begins - 1 ? len : sizeof begins - 1;
    struct http_slice rest;
    int end;

    if (memcmp(at, begins, n) != 0)
        return -EBADMSG;
    end = head_end(at, len, seen, false);
    if (end > HTTP_REPLY_MAX || (end < 0 && len >= HTTP_REPLY_MAX))
        return -E2BIG;
    if (end < 0)
        return end;
    memset(head, 0, sizeof *head);
    unfold(at, (size_t)end);
    rest = (struct http_slice){ at, (size_t)end };
    if (parse_status_line(take_line(&rest), head) < 0 ||
        parse_fields(rest, false, head) < 0)
        return -EBADMSG;
    return end;
}

const struct http_field *http_next_field(const struct http_head *head, const char *name,
                                         const struct http_field *after)
{
    const struct http_field *end = head->field + head->n_fields;

    for (const struct http_field *f = after ? after + 1 : head->field; f < end; f++)
        if (slice_is_nocase(f->name, name))
            return f;
    return NULL;
}

bool http_has_token(const struct http_head *head, const char *name, const char *token)
{
    const struct http_field *f = NULL;
    struct http_slice rest, element;

    while ((f = http_next_field(head, name, f))) {
        rest = f->value;
        while (slice_next_element(&rest, &element))
            if (slice_is_nocase(element, token))
                return true;
    }
    return false;
}

/* RFC 9112 s9.3, in its order. */
bool http_persists(const struct http_head *head)
{
    if (http_has_token(head, "Connection", "close"))
        return false;
    if (head->minor >= 1)
        return true;
    return http_has_token(head, "Connection", "keep-alive");
}
