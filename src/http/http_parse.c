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
 * byte that no method can have, one who speaks another version (or HTTP/0.9, whose
 * requests have one line) at the end of his first line: waiting for the end of the head
 * would hold his connection until a deadline. */
#include "http/http_parse.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "http/http_char.h"
#include "http/http_fail.h"

/* RFC 9112 s3 asks for request lines of 8000 octets at least. */
const struct http_limits http_request_limits = {
    .line = 8192,
    .head = 16384,
    .fields = 128,
    .empty_lines = 8,
    .chunk_line = 4096,
    .trailers = 8192,
};

const struct http_limits http_response_limits = {
    .line = 102400,
    .head = 307200,
    .fields = HTTP_FIELDS_MAX,
    .empty_lines = 0,
    .chunk_line = 16384,
    .trailers = 65536,
};

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
    return major == 1 ? 0 : -505;
}

static int parse_status_line(struct http_slice line, struct http_head *head)
{
    struct http_slice version = take_word(&line);
    struct http_slice status = take_word(&line);

    /* Deviates from RFC 9110 s2.5, as curl does: HTTP/1.2 and above are refused. What
     * they would mean is not known, and nobody speaks them. */
    if (parse_version(version, &head->minor) != 1 || head->minor > 1)
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
    if (strict)
        return slice_span_of(value, CHAR_VALUE) == value.len;
    return !memchr(value.at, '\r', value.len) && !memchr(value.at, '\0', value.len);
}

/* field-name ":" OWS field-value OWS. A blank before the colon, or in front of the
 * name (a folded line), is no token character and so refused (RFC 9112 s5.1, s5.2); the
 * former is forgiven a response. */
static bool parse_field(struct http_slice line, bool strict, struct http_field *field)
{
    size_t n = slice_span_of(line, CHAR_TOKEN), colon = n;

    while (!strict && colon < line.len && is_blank(line.at[colon]))
        colon++;
    if (n == 0 || colon == line.len || line.at[colon] != ':')
        return false;
    field->name = (struct http_slice){ line.at, n };
    field->value = slice_trim(slice_from(line, colon + 1));
    return value_is_valid(field->value, strict);
}

/* 0; -EBADMSG for a line that is no field; -E2BIG for one too many. */
static int parse_fields(struct http_slice rest, const struct http_limits *limits,
                        bool strict, struct http_head *head)
{
    while (rest.len > 0) {
        struct http_slice line = take_line(&rest);
        if (line.len == 0)
            break;
        head->faulty = line.at;
        if (head->n_fields == limits->fields || (!strict && line.len >= limits->line))
            return -E2BIG;
        if (!parse_field(line, strict, &head->field[head->n_fields]))
            return -EBADMSG;
        head->names |= http_name_bit(head->field[head->n_fields++].name);
    }
    head->faulty = NULL;
    return 0;
}

/* "[" IPv6address or IPvFuture "]" (RFC 3986 s3.2.2): how long it is, 0 if it is not.
 */
static size_t bracket_span(struct http_slice s)
{
    size_t i = 1;

    while (i < s.len &&
           (is_alpha(s.at[i]) || is_digit(s.at[i]) || is_one_of(s.at[i], ":.-_~")))
        i++;
    return i > 1 && i < s.len && s.at[i] == ']' ? i + 1 : 0;
}

/* reg-name or IPv4address: how long it is. */
static size_t name_span(struct http_slice s)
{
    size_t i = 0;

    while (i < s.len) {
        if (char_is(s.at[i], CHAR_REG_NAME))
            i++;
        else if (s.at[i] == '%' && i + 2 < s.len && text_hex_digit(s.at[i + 1]) >= 0 &&
                 text_hex_digit(s.at[i + 2]) >= 0)
            i += 3;
        else
            break;
    }
    return i;
}

bool http_host_is_valid(struct http_slice s)
{
    bool bracket = s.len > 0 && s.at[0] == '[';
    size_t n = bracket ? bracket_span(s) : name_span(s);
    uint64_t port = 0;

    if (bracket && n == 0)
        return false;
    s = slice_from(s, n);
    if (s.len <= 1)
        return s.len == 0 || s.at[0] == ':';
    return s.at[0] == ':' && slice_number(slice_from(s, 1), &port) && port <= 65535;
}

/* RFC 9112 s3.2: one valid Host on 1.1; none or one on 1.0. */
static bool check_host(const struct http_head *head)
{
    const struct http_field *host = http_next_field(head, "Host", NULL);

    if (!host)
        return head->minor == 0;
    return http_host_is_valid(host->value) && !http_next_field(head, "Host", host);
}

/* What is known before the end of the head: can a request begin like this? 0, or minus
 * the status. */
static int check_beginning(const char *at, size_t len, const struct http_limits *limits)
{
    const struct http_slice begin = { at, min_size(len, HTTP_METHOD_MAX) };
    size_t n = slice_span_of(begin, CHAR_TOKEN);

    if (n == HTTP_METHOD_MAX)
        return -501; /* RFC 9112 s3: a method longer than any known */
    if (n < len && (n == 0 || at[n] != ' '))
        return -400;
    if (len > limits->line && !memchr(at, '\n', limits->line))
        return -414;
    return 0;
}

static int parse_request_fields(struct http_slice rest,
                                const struct http_limits *limits,
                                struct http_head *head)
{
    int err = parse_fields(rest, limits, true, head);

    if (err < 0)
        return err == -E2BIG ? -431 : -400;
    return check_host(head) ? 0 : -400;
}

/* Of what stands in front of a request line, how much is skipped (RFC 9112 s2.2: at
 * least one empty line); or -EAGAIN, -400. */
static int skip_empty_lines(const char *at, size_t len, size_t max)
{
    size_t n = 0;

    for (; n < len && at[n] == '\r'; n += 2) {
        if (n / 2 == max)
            return -400;
        if (n + 1 == len)
            return -EAGAIN;
        if (at[n + 1] != '\n')
            return -400;
    }
    return n < len ? (int)n : -EAGAIN;
}

/* Empty, but for the fields, which count only as far as n_fields says. */
static void clear(struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, field));
}

/* Has the first line's end come behind the `seen` bytes that were looked at before? */
static bool line_is_new(const char *at, size_t len, size_t seen)
{
    const char *lf = memchr(at, '\n', len);

    return lf && (size_t)(lf - at) >= seen;
}

int http_parse_request(const char *at, size_t len, size_t seen,
                       const struct http_limits *limits, struct http_head *head)
{
    int skip = skip_empty_lines(at, len, limits->empty_lines);
    struct http_slice rest;
    size_t known;
    int end, err;

    if (skip < 0)
        return skip;
    at += skip;
    len -= (size_t)skip;
    seen -= min_size(seen, (size_t)skip);
    err = check_beginning(at, len, limits);
    if (err < 0)
        return err;
    /* What lies beyond the limit is not looked at: how much of it has come is
     * chance. */
    known = min_size(len, limits->head);
    end = head_end(at, known, seen, true);
    rest = (struct http_slice){ at, end > 0 ? (size_t)end : known };
    if (end > 0 || line_is_new(at, known, seen)) {
        clear(head);
        err = parse_request_line(take_line(&rest), head);
        if (err < 0)
            return err;
    }
    if (end == -EBADMSG)
        return -400;
    if (end < 0 && len >= limits->head)
        return -431;
    if (end < 0)
        return end;
    err = parse_request_fields(rest, limits, head);
    return err < 0 ? err : end + skip;
}

/* RFC 9112 s5.2: a folded line is one line; its fold, blanks and all, becomes a space,
 * and what stands behind moves up. Bytes of the head then. */
static size_t unfold(char *at, size_t head, size_t *len)
{
    for (size_t i = 1; i + 1 < head; i++) {
        size_t from = i - (at[i - 1] == '\r'), to = i + 1;
        if (at[i] != '\n' || !is_blank(at[i + 1]))
            continue;
        while (to < head && is_blank(at[to]))
            to++;
        while (from > 0 && is_blank(at[from - 1]))
            from--;
        at[from] = ' ';
        memmove(at + from + 1, at + to, *len - to);
        *len -= to - from - 1;
        head -= to - from - 1;
        i = from;
    }
    return head;
}

int http_parse_response(char *at, size_t *room, size_t seen,
                        const struct http_limits *limits, struct http_head *head)
{
    static const char begins[] = "HTTP/";
    struct http_slice rest;
    size_t len = *room;
    int end, err;

    clear(head);
    head->faulty = at;
    if (memcmp(at, begins, min_size(len, sizeof begins - 1)) != 0)
        return -GET_UNSUPPORTED;
    end = head_end(at, min_size(len, limits->head), seen, false);
    if (end < 0 && len >= limits->head)
        return -GET_RECEIVE;
    if (end < 0)
        return end;
    end = (int)unfold(at, (size_t)end, room);
    rest = (struct http_slice){ at, (size_t)end };
    if (parse_status_line(take_line(&rest), head) < 0)
        return -GET_UNSUPPORTED;
    err = parse_fields(rest, limits, false, head);
    if (err < 0)
        return err == -E2BIG ? -GET_LARGE : -GET_WEIRD;
    return end;
}

const struct http_field *http_search_field(const struct http_head *head,
                                           const char *name,
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

int http_expects(const struct http_head *head)
{
    const struct http_field *f = NULL;
    struct http_slice rest, element;
    int expects = 0;

    while ((f = http_next_field(head, "Expect", f))) {
        rest = f->value;
        while (slice_next_element(&rest, &element)) {
            if (!slice_is_nocase(element, "100-continue"))
                return -417;
            expects = 100;
        }
    }
    return head->minor == 0 ? 0 : expects; /* HTTP/1.0 has no interim responses */
}
