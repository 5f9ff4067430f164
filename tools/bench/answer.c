/* Looks for the empty line, cuts the text there for the moment, and asks strcasestr()
 * for the fields: at the beginning of a line, so that no value is taken for a name. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

static bool read_fields(const char *head, struct answer *a)
{
    static const char length[] = "\r\ncontent-length:";
    const char *at = strcasestr(head, length);
    char *end = NULL;

    if (strncmp(head, "HTTP/1.", 7) != 0 || strcspn(head, "\r") < 12 || !at)
        return false;
    a->status = (unsigned)strtoul(head + 9, NULL, 10);
    at += sizeof length - 1;
    at += strspn(at, " \t");
    a->length = strtoull(at, &end, 10);
    return end > at && *at != '-' && *at != '+' && (*end == '\r' || *end == '\0');
}

int answer_parse(char *text, size_t len, struct answer *a)
{
    char *end = memmem(text, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    char kept = *end;
    *end = '\0';
    bool good = read_fields(text, a);
    *end = kept;
    return good ? (int)(end - text) + 4 : -1;
}
