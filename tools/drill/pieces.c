/* Each piece is a buffer of its own, so that a write beyond one is found. */
#include "pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { COUNT_MAX = 64 << 20, FILLER = 0xa5 };

void pieces_add(struct calling *c, struct pieces *p, const struct expr *text,
                long long count)
{
    struct iovec *v = &p->iov[p->n];

    if (count < 0 || count > COUNT_MAX || p->n == PIECES_MAX) {
        call_fail(c, "a script moves 0 to %d bytes in up to %d pieces", COUNT_MAX,
                  PIECES_MAX);
        return;
    }
    *v = (struct iovec){ .iov_len = (size_t)count };
    p->text[p->n++] = text;
    if (expr_is_null(text))
        return;
    v->iov_base = calloc(1, v->iov_len + !v->iov_len);
    if (!v->iov_base)
        call_fail(c, "no memory for the data");
    else if (text && text->kind == EXPR_STRING)
        memcpy(v->iov_base, text->text, min_size(text->len, v->iov_len));
}

void pieces_make(struct calling *c, const struct expr *list, struct pieces *p)
{
    if (!list || list->kind != EXPR_LIST) {
        call_fail(c, "the pieces are a list, as [{..., 100}]");
        return;
    }
    for (const struct expr *e = list->parts; e && !c->failed; e = e->next) {
        if (e->kind != EXPR_STRUCT || !e->parts || !e->parts->next)
            call_fail(c, "a piece is {..., 100}");
        else
            pieces_add(c, p, e->parts, expr_number(c, e->parts->next));
    }
}

void pieces_prepare(struct pieces *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->iov[i].iov_base)
            memset(p->iov[i].iov_base, FILLER, p->iov[i].iov_len);
}

/* The place of the first byte that is wrong, -1: none is. */
static long long wrong_byte(const uint8_t *b, size_t len, const struct expr *text)
{
    bool has_text = text && text->kind == EXPR_STRING;

    for (size_t i = 0; i < len; i++) {
        uint8_t want = has_text && i < text->len ? (uint8_t)text->text[i] : 0;

        if (has_text && text->open && i >= text->len)
            break;
        if (b[i] != want)
            return (long long)i;
    }
    return -1;
}

void pieces_check(struct calling *c, const struct pieces *p, long long len)
{
    long long before = 0;

    for (int i = 0; i < p->n && before < len && !c->failed; i++) {
        size_t n = min_size(p->iov[i].iov_len, (size_t)(len - before));
        long long wrong = p->iov[i].iov_base
                              ? wrong_byte(p->iov[i].iov_base, n, p->text[i])
                              : -1;

        if (wrong >= 0)
            call_fail(c, "byte %lld of the data is not what was sent", before + wrong);
        before += (long long)n;
    }
}

void pieces_free(struct pieces *p)
{
    for (int i = 0; i < p->n; i++)
        free(p->iov[i].iov_base);
    p->n = 0;
}
