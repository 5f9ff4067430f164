/* What is asked for next, as curl does it:
 *
 *     301, 302   a form that was posted becomes a GET; others stay
 *     303        everything but HEAD becomes a GET
 *     307, 308   method and body stay: the body is sent once more
 *
 * A method that the user named stays. It never leads out of http, nor on for ever; what
 * is for the first origin alone is kept from the others in http_request.c. */
#include "app/http_redirect.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/http_request.h"

enum { REDIRECTS_DEFAULT = 50 };

static int most(const struct tapir_http_options *o)
{
    if (o->max_redirects < 0)
        return 0;
    return o->max_redirects ? o->max_redirects : REDIRECTS_DEFAULT;
}

/* The next request's method and body. False: the body cannot be read again. */
static bool change_request(struct http_fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    int status = f->result->status;
    bool form = f->with_body && !o->upload;

    if (status == 303 || (form && (status == 301 || status == 302))) {
        f->with_body = false;
        if (!o->method && !o->head)
            f->method = "GET";
    }
    if (!f->with_body || !o->upload)
        return true;
    if (o->rewind && o->rewind(o->ctx))
        return true;
    fetch_failed(f, GET_REWIND, "necessary data rewind wasn't possible");
    return fetch_because(f, "the body is due once more, and cannot be read again",
                         "upload from a file");
}

/* The URL that led there is told, without what is secret in it. */
static void refer(struct http_fetch *f)
{
    size_t room = strlen(f->text) + 1;
    char *referer = malloc(room);
    struct text t;

    if (!referer)
        return;
    text_init(&t, referer, room);
    http_write_referer(&t, &f->url);
    free(f->referer);
    f->referer = referer;
}

/* The URL where it leads becomes the fetch's own. */
static void move(struct http_fetch *f)
{
    if (f->first_text)
        free(f->text);
    else
        f->first_text = f->text;
    f->text = f->location;
    f->location = NULL;
}

bool http_redirect(struct http_fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    struct tapir_http_result *r = f->result;

    if (!o->follow || !f->location)
        return false;
    if (r->redirects >= (unsigned)most(o)) {
        fetch_failed(f, GET_REDIRECTS, "Maximum (%d) redirects followed", most(o));
        return fetch_because(f, "each answer leads to another URL",
                             "allow more with --max-redirs");
    }
    if (!slice_begins_nocase(slice_of(f->location), "http:")) {
        fetch_failed(f, GET_UNSUPPORTED, "Protocol not supported: %.100s", f->location);
        return fetch_because(f, "the answer leads out of http", "");
    }
    if (!change_request(f))
        return false;
    if (o->auto_referer)
        refer(f);
    move(f);
    r->redirects++;
    r->redirect_time = tapir_now() - f->begin;
    fetch_say(f, '*', "Issue another request to this URL: '%.900s'", f->text);
    return true;
}
