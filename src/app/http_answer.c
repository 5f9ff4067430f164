/* An answer is decided first, as a struct answer, and then written in one go: head and,
 * where it is at hand, body. A file is only named: the session reads it when the socket
 * has room.
 *
 * Of a file, the conditions come first (RFC 9110 s13.2.2), then the range. Several
 * ranges leave as parts of one body (s14.6): the head goes with the first part's lines,
 * and each time a part is out the next one's lines take their place, so the answer
 * never needs more memory than one of them.
 *
 * A file with a sibling NAME.gz goes out as that to who likes it (s8.4.1.3); both say
 * that there are two, by Vary, so that a cache gives nobody the other's. */
#include "app/http_answer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/http_call.h"
#include "app/http_listing.h"
#include "app/http_page.h"
#include "app/http_reply.h"
#include "app/http_shared.h"
#include "app/http_status.h"
#include "base/bytes.h"
#include "base/text.h"
#include "http/http_accept.h"
#include "http/http_cond.h"
#include "http/http_etag.h"
#include "http/http_mime.h"

enum {
    ALLOW_ROOM = 256,
    TYPE_ROOM = 96, /* "multipart/byteranges; boundary=" and a boundary */
};

#define FILES_ALLOW "GET, HEAD, OPTIONS"

/* --- files ----------------------------------------------------------------------- */

static void close_file(struct http_session *s)
{
    if (s->file >= 0)
        close(s->file);
    s->file = -1;
    s->file_left = 0;
}

void http_answer_drop(struct http_session *s)
{
    close_file(s);
    http_shared_drop(s->out);
    free(s->parts);
    http_call_free(s->call);
    s->out = NULL;
    s->parts = NULL;
    s->call = NULL;
    s->interim = false;
    s->out_len = s->out_sent = s->out_head = 0;
}

/* [from, from+len) of the file follows the head, or is its body if the bytes are at
 * hand. */
static void answer_piece(struct http_session *s, const struct answer *a,
                         const struct http_file *file, struct http_range piece)
{
    const char *text = file->text ? file->text + piece.from : NULL;

    s->file = file->fd;
    s->file_at = piece.from;
    s->file_left = s->to_head || text ? 0 : piece.len;
    http_reply_make(s, a, (struct http_slice){ text, text ? (size_t)piece.len : 0 });
    if (s->file_left == 0)
        close_file(s);
}

/* All parts at once, of a file whose bytes are at hand. */
static void answer_short_parts(struct http_session *s, const struct answer *a,
                               const struct http_parts *parts, const char *text)
{
    char *body = malloc((size_t)a->length + 1);
    struct text t;

    if (!body) {
        s->state = SESSION_OVER;
        return;
    }
    text_init(&t, body, (size_t)a->length + 1);
    for (int i = 0; i < parts->n; i++) {
        http_write_part(&t, parts, i);
        text_putn(&t, text + parts->range[i].from, (size_t)parts->range[i].len);
    }
    http_write_parts_end(&t, parts);
    http_reply_make(s, a, (struct http_slice){ body, t.len });
    free(body);
}

bool http_answer_next_part(struct http_session *s)
{
    struct http_parts_left *left = s->parts;
    char lines[HTTP_PART_ROOM];
    struct text t;

    if (s->call)
        return http_call_next(s);
    if (!left || left->next > left->parts.n)
        return false;
    text_init(&t, lines, sizeof lines);
    if (left->next < left->parts.n) {
        http_write_part(&t, &left->parts, left->next);
        s->file_at = left->range[left->next].from;
        s->file_left = left->range[left->next].len;
    } else {
        http_write_parts_end(&t, &left->parts);
    }
    left->next++;
    http_reply_put(s, t.at, t.len);
    return s->out != NULL;
}

/* The head and the first part; the session asks for the others. */
static void answer_long_parts(struct http_session *s, const struct answer *a,
                              struct http_parts_left *left, int fd)
{
    char lines[HTTP_PART_ROOM];
    struct text t;

    text_init(&t, lines, sizeof lines);
    http_write_part(&t, &left->parts, 0);
    left->next = 1;
    s->parts = left;
    s->file = fd;
    s->file_at = left->range[0].from;
    s->file_left = left->range[0].len;
    http_reply_make(s, a, (struct http_slice){ lines, t.len });
}

static void answer_parts(struct http_session *s, struct answer *a,
                         const struct http_file *file, const struct http_range *range,
                         int n)
{
    struct http_parts_left *left = malloc(sizeof *left);
    char type[TYPE_ROOM];
    struct text t;

    s->file = file->fd; /* dropped with the answer, come what may */
    if (!left) {
        s->state = SESSION_OVER;
        return;
    }
    memcpy(left->range, range, (size_t)n * sizeof *range);
    text_init(&t, left->boundary, sizeof left->boundary);
    http_write_boundary(&t, (uint64_t)file->changed ^ file->inode << 32 ^ s->requests);
    left->parts = (struct http_parts){ left->boundary, a->type, file->size, n,
                                       left->range };
    a->length = http_parts_length(&left->parts);
    text_init(&t, type, sizeof type);
    text_put(&t, "multipart/byteranges; boundary=");
    text_put(&t, left->boundary);
    a->type = type;
    if (!file->text) {
        answer_long_parts(s, a, left, file->fd);
        return;
    }
    answer_short_parts(s, a, &left->parts, file->text);
    free(left);
}

/* Which ranges a GET asks for: as http_parse_ranges(). */
static int wanted_ranges(const struct http_session *s, const struct http_head *head,
                         const struct http_version *version, uint64_t size,
                         struct http_range *range)
{
    struct http_slice value = http_single_field(head, "Range");

    if (!value.at || s->to_head || !http_if_range(head, version, s->now))
        return 0;
    return http_parse_ranges(value, size, range);
}

/* Nothing of it is sent. */
static void close_unused(const struct http_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
}

static void answer_ranges(struct http_session *s, const struct http_head *head,
                          const struct http_version *version, struct answer *a,
                          const struct http_file *file)
{
    struct http_range range[HTTP_RANGES_MAX];
    int n = wanted_ranges(s, head, version, file->size, range);

    if (n < 0) {
        close_unused(file);
        http_reply_page(s, &(struct answer){
                               .status = 416, .has_range = true, .size = file->size });
        return;
    }
    if (n > 0)
        a->status = 206;
    if (n > 1) {
        answer_parts(s, a, file, range, n);
        return;
    }
    if (n == 0)
        range[0] = (struct http_range){ 0, file->size };
    a->has_range = n == 1;
    a->range = range;
    a->length = range[0].len;
    answer_piece(s, a, file, range[0]);
}

/* The file's tag: that of a kept one is made once. */
static void put_etag(char etag[HTTP_ETAG_ROOM], const struct http_file *file)
{
    struct text t;

    if (file->kept && *file->kept->etag) {
        memcpy(etag, file->kept->etag, HTTP_ETAG_ROOM);
        return;
    }
    text_init(&t, etag, HTTP_ETAG_ROOM);
    http_write_etag(&t, file->inode, file->size, file->changed);
    if (file->kept)
        memcpy(file->kept->etag, etag, HTTP_ETAG_ROOM);
}

static void answer_file(struct http_session *s, const struct http_head *head,
                        const char *name, const char *coding,
                        const struct http_file *file)
{
    struct answer a = { .status = 200,
                        .type = http_mime(name),
                        .coding = coding,
                        .varies = coding || file->coded,
                        .size = file->size,
                        .is_file = true,
                        .kept = file->kept,
                        .mtime = file->mtime >= 0 ? file->mtime : 0 };
    struct http_version version = { .exists = true, .mtime = a.mtime };

    put_etag(a.etag, file);
    version.etag = slice_of(a.etag);
    a.status = http_precondition(head, &version, s->now);
    if (a.status == 0) {
        a.status = 200;
        answer_ranges(s, head, &version, &a, file);
        return;
    }
    close_unused(file);
    if (a.status == 304)
        http_reply_make(s, &a, (struct http_slice){ NULL, 0 });
    else
        http_reply_page(s, &a);
}

/* --- names ----------------------------------------------------------------------- */

static int status_of_error(int err)
{
    switch (err) {
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
    case -EISDIR:
        return 404;
    case -EACCES:
    case -EPERM:
    case -ELOOP:
        return 403;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
        return 503;
    default:
        return 500;
    }
}

/* The listing of a directory without index. */
static void answer_listing(struct http_session *s, struct http_site *site,
                           const char *name)
{
    char *page;
    size_t len;
    int err = http_listing_new(&site->files, name, &page, &len);

    if (err < 0) {
        http_reply_status(s, status_of_error(err));
        return;
    }
    http_reply_make(s,
                    &(struct answer){ .status = 200,
                                      .type = "text/html; charset=utf-8",
                                      .length = len },
                    (struct http_slice){ page, len });
    free(page);
}

struct status {
    const struct http_site *site;
    bool json;
};

static void write_status(void *ctx, struct text *t)
{
    const struct status *st = ctx;
    st->site->status(st->site->ctx, t, st->json);
}

/* What the server does, for who asks for JSON or for people. */
static void answer_server_status(struct http_session *s, const struct http_site *site,
                                 const struct http_head *head,
                                 const struct http_target *target)
{
    struct status st = { site, slice_is(target->query, "?json") ||
                                   http_has_token(head, "Accept", "application/json") };
    char *page;
    size_t len;
    int err = http_page_new(write_status, &st, &page, &len);

    if (err < 0) {
        http_reply_status(s, status_of_error(err));
        return;
    }
    http_reply_make(s,
                    &(struct answer){ .status = 200,
                                      .type = st.json ? "application/json"
                                                      : "text/html; charset=utf-8",
                                      .no_store = true,
                                      .length = len },
                    (struct http_slice){ page, len });
    free(page);
}

/* NAME.gz, if the client likes it and it is there. */
static bool answer_coded(struct http_session *s, struct http_site *site,
                         const struct http_head *head, const char *name)
{
    size_t len = strlen(name);
    struct http_file file;
    char coded[PATH_MAX];

    if (len + sizeof ".gz" > sizeof coded || !http_accepts_coding(head, "gzip"))
        return false;
    memcpy(coded, name, len);
    memcpy(coded + len, ".gz", sizeof ".gz");
    if (http_files_get(&site->files, coded, s->now, &file) < 0)
        return false;
    answer_file(s, head, name, "gzip", &file);
    return true;
}

/* Answers with the file of that name. 0, or negative errno. */
static int answer_name(struct http_session *s, struct http_site *site,
                       const struct http_head *head, const char *name)
{
    struct http_file file;
    int err;

    if (*name && answer_coded(s, site, head, name))
        return 0;
    err = http_files_get(&site->files, name, s->now, &file);
    if (err == 0)
        answer_file(s, head, name, NULL, &file);
    return err;
}

/* Answers with a directory: its index.html, or what is in it. */
static void answer_directory(struct http_session *s, struct http_site *site,
                             const struct http_head *head, const char *name)
{
    static const char index[] = "/index.html";
    const char *add = *name ? index : index + 1;
    size_t len = strlen(name);
    char path[PATH_MAX];
    int err = -ENAMETOOLONG;

    if (len + sizeof index <= sizeof path) {
        memcpy(path, name, len);
        memcpy(path + len, add, strlen(add) + 1);
        err = answer_name(s, site, head, path);
    }
    if (err == -ENOENT && !site->no_listing)
        answer_listing(s, site, name);
    else if (err < 0)
        http_reply_status(s, status_of_error(err));
}

static void answer_target(struct http_session *s, struct http_site *site,
                          const struct http_head *head,
                          const struct http_target *target)
{
    char name[PATH_MAX];
    bool slash;
    int err = http_decode_path(target->path, name, sizeof name, &slash);

    if (site->status && slice_is(target->path, HTTP_STATUS_PATH)) {
        answer_server_status(s, site, head, target);
        return;
    }
    if (err < 0) {
        /* The target was not too long to be read: no file has so long a name. */
        http_reply_status(s, err == -414 ? 404 : -err);
        return;
    }
    if (site->files.root < 0) { /* handlers alone are served */
        http_reply_status(s, 404);
        return;
    }
    if (slash) {
        answer_directory(s, site, head, name);
        return;
    }
    err = answer_name(s, site, head, name);
    if (err == -EISDIR)
        http_reply_page(s, &(struct answer){ .status = 301,
                                             .location = name,
                                             .query = target->query });
    else if (err < 0)
        http_reply_status(s, status_of_error(err));
}

/* --- methods --------------------------------------------------------------------- */

enum http_method http_method_of(struct http_slice method)
{
    static const char *const names[] = {
        [METHOD_GET] = "GET",   [METHOD_HEAD] = "HEAD", [METHOD_OPTIONS] = "OPTIONS",
        [METHOD_POST] = "POST", [METHOD_PUT] = "PUT",
    };
    static const char *const others[] = { "DELETE", "CONNECT", "TRACE", "PATCH" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_is(method, names[i]))
            return (enum http_method)i;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (slice_is(method, others[i]))
            return METHOD_OTHER;
    return METHOD_UNKNOWN;
}

/* A path that a program answers, asked with another method. */
static void answer_for_handler(struct http_session *s, enum http_method method,
                               const struct tapir_http_handler *handler)
{
    struct answer a = { .status = method == METHOD_OPTIONS ? 200 : 405 };
    char allow[ALLOW_ROOM];
    struct text t;

    text_init(&t, allow, sizeof allow);
    text_put(&t, handler->methods ? handler->methods : "GET");
    text_put(&t, ", OPTIONS");
    a.allow = allow;
    if (method == METHOD_OPTIONS)
        http_reply_make(s, &a, (struct http_slice){ NULL, 0 });
    else
        http_reply_page(s, &a);
}

void http_answer_request(struct http_session *s, struct http_site *site,
                         const struct http_head *head, const struct http_target *target)
{
    const struct tapir_http_handler *handler = http_call_handler(site, target);
    enum http_method method = http_method_of(head->method);
    struct answer a = { .status = 405, .allow = FILES_ALLOW };

    if (method == METHOD_UNKNOWN)
        http_reply_status(s, 501);
    else if (handler)
        answer_for_handler(s, method, handler);
    else if (method == METHOD_GET || method == METHOD_HEAD)
        answer_target(s, site, head, target);
    else if (method != METHOD_OPTIONS) /* RFC 9110 s15.5.6 */
        http_reply_page(s, &a);
    else { /* RFC 9110 s9.3.7 */
        a.status = 200;
        http_reply_make(s, &a, (struct http_slice){ NULL, 0 });
    }
}
