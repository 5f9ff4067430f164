/* What goes into HTTP messages and comes out of them. The first byte chooses:
 *
 *     a path              is refused, or names a file below the root; encoded and
 *                         decoded again it is the same name
 *     a URL               is refused, or makes a request that we parse ourselves
 *     a reference         is resolved into text that has no line's end in it
 *     a date              is refused, or printed as it was where it is in our form
 *     a field's value     is one field, whatever is in it
 *     ranges, tags        lie in the file; lists of tags are taken apart to the end
 *     credentials         come back as they were written
 *     a log's line        is one line, a page's text is text */
#include <ctype.h>
#include <errno.h>

#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"
#include "http/http_auth.h"
#include "http/http_date.h"
#include "http/http_etag.h"
#include "http/http_html.h"
#include "http/http_log.h"
#include "http/http_mime.h"
#include "http/http_parse.h"
#include "http/http_range.h"
#include "http/http_target.h"
#include "http/http_uri.h"
#include "http/http_write.h"

enum { NAME = 256, LINE = 2048 };

/* The text of an input, ending where a page ends; `s` is followed by a NUL. */
struct given {
    struct http_slice all;
    const char *s;
    unsigned choice;
};

static struct text begin(char *room, size_t cap)
{
    struct text t;

    text_init(&t, room, cap);
    return t;
}

/* --- paths and URLs -------------------------------------------------------------- */

/* Relative, and no way out of its directory. */
static void check_name(const char *name)
{
    size_t n;

    assert(*name != '/');
    for (; *name; name += n + (name[n] == '/')) {
        n = strcspn(name, "/");
        assert(n > 0 && !(n == 1 && name[0] == '.'));
        assert(!(n == 2 && name[0] == '.' && name[1] == '.'));
        assert(name[n] == '\0' || name[n + 1] != '\0');
    }
}

static void one_path(const struct given *g)
{
    static const size_t rooms[] = { NAME, 1, 2, 10 };
    char name[NAME], again[NAME], encoded[3 * NAME + 1];
    size_t cap = rooms[g->choice % ARRAY_LEN(rooms)];
    struct text t = begin(encoded, sizeof encoded);
    bool slash;

    if (http_decode_path(g->all, name, cap, &slash) < 0)
        return;
    assert(strlen(name) < cap);
    check_name(name);
    assert(http_mime(name));
    http_encode_path(&t, name);
    assert(!t.cut);
    struct http_slice path = { encoded, t.len };
    assert(http_decode_path(path, again, NAME, &slash) == 0);
    assert(strcmp(name, again) == 0);
}

static void one_url(const struct given *g)
{
    static struct http_head head;
    static char out[4 * LINE];
    struct text t = begin(out, sizeof out);
    const char *why = NULL;
    struct http_target target;
    struct http_url url;

    if (http_parse_url(g->s, &url, &why) < 0) {
        assert(why);
        return;
    }
    assert(strlen(url.host) > 0 && http_same_origin(&url, &url));
    http_write_request(&t, "GET", &url, 1);
    http_write_host(&t, &url);
    http_write_end(&t);
    assert(!t.cut);
    int n = http_parse_request(out, t.len, 0, &http_request_limits, &head);
    assert(n == (int)t.len && head.n_fields == 1 && slice_is(head.method, "GET"));
    assert(http_parse_target(&head, &target) == 0);
    assert(target.form == HTTP_FORM_ORIGIN && target.path.at[0] == '/');
}

static void one_reference(const struct given *g)
{
    static char out[8 * LINE];
    struct text t = begin(out, sizeof out);

    http_resolve(&t, slice_of("http://h:8080/a/b/c?d#e"), g->all);
    assert(!t.cut && t.len > 0);
    for (size_t i = 0; i < t.len; i++)
        assert(out[i] > ' ' && out[i] < 0x7f);
}

/* --- values ---------------------------------------------------------------------- */

static void one_date(const struct given *g)
{
    char line[64];
    struct text t = begin(line, sizeof line);
    int64_t seconds, again;

    if (!http_date_parse(g->all, 784111777, &seconds))
        return;
    http_date_print(&t, seconds);
    assert(!t.cut && t.len == 29);
    if (g->all.len == 29 && g->all.at[3] == ',' && g->all.at[23] != '6')
        assert(slice_is(g->all, line)); /* but for leap seconds */
    assert(http_date_parse((struct http_slice){ line, t.len }, 0, &again));
    assert(again == seconds);
}

static void one_moment(const struct given *g)
{
    char line[64];
    struct text t = begin(line, sizeof line);
    const uint8_t *b = (const uint8_t *)g->all.at;
    int64_t seconds, again;

    if (g->all.len < 8)
        return;
    seconds = (int64_t)((uint64_t)get32(b) << 32 | get32(b + 4)) >> (g->choice % 32);
    http_date_print(&t, seconds);
    assert(!t.cut && t.len == 29);
    assert(http_date_parse((struct http_slice){ line, t.len }, 0, &again));
    assert(again == seconds || seconds < -62135596800 || seconds > 253402300799);
    t = begin(line, sizeof line);
    http_date_print_log(&t, seconds);
    t = begin(line, sizeof line);
    http_date_print_iso(&t, seconds);
    assert(!t.cut);
}

static void one_field(const struct given *g)
{
    static struct http_head head;
    static char out[2 * LINE];
    struct text t = begin(out, sizeof out);

    http_write_status(&t, 200);
    http_write_field(&t, "X", g->s);
    http_write_end(&t);
    int n = http_parse_response(out, &t.len, 0, &http_response_limits, &head);
    assert(n == (int)t.len && head.status == 200 && head.n_fields == 1);
    assert(slice_is(head.field[0].name, "X"));
    if (http_field_is_valid(g->s))
        assert(strpbrk(g->s, ":") && !strpbrk(g->s, "\r\n"));
}

static void one_range(const struct given *g)
{
    static const uint64_t sizes[] = { 0, 1, 1000, UINT64_MAX };
    struct http_range range[HTTP_RANGES_MAX];
    struct http_content_range is;
    uint64_t size = sizes[g->choice % ARRAY_LEN(sizes)];
    int n = http_parse_ranges(g->all, size, range);

    assert(n == -416 || (n >= 0 && n <= HTTP_RANGES_MAX));
    for (int i = 0; i < n; i++)
        assert(range[i].len > 0 && range[i].from < size &&
               range[i].len <= size - range[i].from);
    if (http_parse_content_range(g->all, &is))
        assert(is.from <= is.to && is.to < is.size);
}

static void one_tag_list(const struct given *g)
{
    struct http_slice rest = g->all, tag;
    size_t before = rest.len + 1;

    while (http_next_etag(&rest, &tag)) {
        assert(rest.len < before && tag.len >= 2);
        assert(http_etag_is_valid(tag) && http_etags_match_weakly(tag, tag));
        before = rest.len;
    }
}

/* A name without a colon and a password, both printable. */
static void one_credential(const struct given *g)
{
    static char out[4 * LINE], back[2 * LINE];
    struct text t = begin(out, sizeof out);
    struct http_slice user, password;
    size_t n = 0;

    if (http_parse_basic(g->all, back, sizeof back, &user, &password))
        assert(user.len + password.len < g->all.len);
    for (size_t i = 0; i < g->all.len; i++)
        if (!isprint((unsigned char)g->all.at[i]))
            return;
    while (n < g->all.len && g->all.at[n] != ':')
        n++;
    struct http_slice name = { g->all.at, n }, secret = slice_from(g->all, n);
    http_write_basic(&t, name, secret, false);
    assert(!t.cut);
    assert(http_parse_basic((struct http_slice){ out, t.len }, back, sizeof back, &user,
                            &password));
    assert(user.len == n && memcmp(user.at, name.at, n) == 0);
    assert(password.len == secret.len);
    assert(n == g->all.len || memcmp(password.at, secret.at, secret.len) == 0);
}

/* --- what is written of strangers ------------------------------------------------ */

static void one_log_line(const struct given *g)
{
    static const char *const name[] = { "common", "combined", "json" };
    static char out[16 * LINE];
    struct text t = begin(out, sizeof out);
    struct http_log_entry entry = { .remote_addr = g->all,
                                    .request = g->all,
                                    .referer = g->all,
                                    .user_agent = g->all,
                                    .host = g->all,
                                    .status = 200 };

    http_log_write(&t, http_log_format(name[g->choice % ARRAY_LEN(name)]), &entry);
    assert(!t.cut && t.len > 0 && out[t.len - 1] == '\n');
    for (size_t i = 0; i + 1 < t.len; i++)
        assert((unsigned char)out[i] >= ' ' && out[i] != 0x7f);
    http_log_unknown(g->s);
}

static void one_page(const struct given *g)
{
    static char out[8 * LINE];
    struct text t = begin(out, sizeof out);

    http_write_escaped(&t, g->s);
    assert(!t.cut);
    for (size_t i = 0; i < t.len; i++)
        assert(!strchr("<>\"'", out[i]));
    t = begin(out, sizeof out);
    struct http_listed entry = { .name = g->s, .is_dir = g->choice & 1, .size = 1 };
    http_listing_row(&t, &entry);
}

void fuzz_fields(const uint8_t *data, size_t size)
{
    static void (*const what[])(const struct given *) = {
        one_path,  one_url,      one_reference,  one_date,     one_moment, one_field,
        one_range, one_tag_list, one_credential, one_log_line, one_page
    };
    static char room[LINE];
    struct fuzz_in in = { data, size };
    unsigned choice = fuzz_u8(&in);
    size_t n = fuzz_bytes(&in, (uint8_t *)room, LINE / 2);
    struct given g = { .choice = choice / 16 };

    /* Two copies: one with a NUL behind it, one with nothing. */
    room[n] = '\0';
    g.s = guarded(room, n + 1);
    bool whole = n % 2 || strlen(g.s) != n;
    g.all = (struct http_slice){ whole ? guarded(room, n) : g.s, n };
    if (whole)
        g.s = room;
    what[choice % 16 % ARRAY_LEN(what)](&g);
}
