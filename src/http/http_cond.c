/* Tags go before dates: a date is asked only where the field with tags that outranks it
 * is missing. A date that is none, or several of them, is as if it were not there; so
 * is If-Modified-Since for any method but GET and HEAD. */
#include "http/http_cond.h"

#include "http/http_date.h"
#include "http/http_etag.h"

/* Does a list of tags name the version? "*" names any that exists. */
static bool names(const struct http_head *head, const char *field, bool weakly,
                  const struct http_version *version)
{
    const struct http_field *f = NULL;

    while ((f = http_next_field(head, field, f))) {
        struct http_slice rest = f->value, tag;
        if (slice_is(rest, "*") && version->exists)
            return true;
        while (version->exists && http_next_etag(&rest, &tag))
            if (weakly ? http_etags_match_weakly(tag, version->etag)
                       : http_etags_match_strongly(tag, version->etag))
                return true;
    }
    return false;
}

static bool has(const struct http_head *head, const char *field)
{
    return http_next_field(head, field, NULL) != NULL;
}

static bool date_of(const struct http_head *head, const char *field, int64_t now,
                    int64_t *date)
{
    struct http_slice value = http_single_field(head, field);

    return value.at && http_date_parse(value, now, date);
}

/* Steps 1 and 2: is it still what the client knows? */
static bool is_unchanged(const struct http_head *head,
                         const struct http_version *version, int64_t now)
{
    int64_t date;

    if (has(head, "If-Match"))
        return names(head, "If-Match", false, version);
    if (date_of(head, "If-Unmodified-Since", now, &date))
        return version->exists && version->mtime <= date;
    return true;
}

/* Steps 3 and 4: is it something that the client does not have? */
static bool is_new(const struct http_head *head, const struct http_version *version,
                   bool reads, int64_t now)
{
    int64_t date;

    if (has(head, "If-None-Match"))
        return !names(head, "If-None-Match", true, version);
    if (reads && date_of(head, "If-Modified-Since", now, &date))
        return !version->exists || version->mtime > date;
    return true;
}

int http_precondition(const struct http_head *head, const struct http_version *version,
                      int64_t now)
{
    bool reads = slice_is(head->method, "GET") || slice_is(head->method, "HEAD");

    if (!is_unchanged(head, version, now))
        return 412;
    if (!is_new(head, version, reads, now))
        return reads ? 304 : 412;
    return 0;
}

bool http_if_range(const struct http_head *head, const struct http_version *version,
                   int64_t now)
{
    struct http_slice value = http_single_field(head, "If-Range");
    int64_t date;

    if (!has(head, "If-Range"))
        return true;
    if (!version->exists || !value.at)
        return false;
    if (http_etag_is_valid(value))
        return http_etags_match_strongly(value, version->etag);
    /* RFC 9110 s8.8.2.2: a date is a strong validator once a second has passed in which
     * the file might have changed without showing it. */
    return http_date_parse(value, now, &date) && date == version->mtime && date < now;
}
