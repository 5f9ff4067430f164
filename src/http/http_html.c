/* Links are relative, so they hold under any name that the directory is reached by; a
 * name's own colon is encoded, or it would begin another scheme. The page names an
 * empty icon, or a browser would ask for /favicon.ico and complain that there is none.
 */
#include "http/http_html.h"

#include "http/http_date.h"
#include "http/http_uri.h"

void http_write_escaped(struct text *t, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&':
            text_put(t, "&amp;");
            break;
        case '<':
            text_put(t, "&lt;");
            break;
        case '>':
            text_put(t, "&gt;");
            break;
        case '"':
            text_put(t, "&quot;");
            break;
        case '\'':
            text_put(t, "&#39;");
            break;
        default:
            text_char(t, *s);
        }
    }
}

void http_listing_begin(struct text *t, const char *dir)
{
    text_put(t, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                "<link rel=\"icon\" href=\"data:,\"><title>/");
    http_write_escaped(t, dir);
    text_put(t, "</title>\n<style>td:nth-child(2){text-align:right;padding:0 2em}"
                "</style>\n<h1>/");
    http_write_escaped(t, dir);
    text_put(t, "</h1>\n<table>\n");
    if (*dir)
        text_put(t, "<tr><td><a href=\"../\">../</a></td></tr>\n");
}

/* "1994-11-06 08:49:37" */
static void write_time(struct text *t, int64_t seconds)
{
    char buf[32];
    struct text iso;

    text_init(&iso, buf, sizeof buf);
    http_date_print_iso(&iso, seconds);
    text_putn(t, buf, 10);
    text_char(t, ' ');
    text_putn(t, buf + 11, 8);
}

void http_listing_row(struct text *t, const struct http_listed *entry)
{
    const char *slash = entry->is_dir ? "/" : "";

    text_put(t, "<tr><td><a href=\"");
    http_encode_path(t, entry->name);
    text_put(t, slash);
    text_put(t, "\">");
    http_write_escaped(t, entry->name);
    text_put(t, slash);
    text_put(t, "</a></td><td>");
    if (!entry->is_dir)
        text_u64(t, entry->size);
    text_put(t, "</td><td>");
    write_time(t, entry->mtime);
    text_put(t, "</td></tr>\n");
}

void http_listing_end(struct text *t)
{
    text_put(t, "</table></html>\n");
}
