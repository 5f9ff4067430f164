/* The names and sentences are columns of DROP_TABLE, in the order of enum drop. */
#include "base/drop.h"

#include <stddef.h>

#define DROP_NAME(id, name, text) name,
#define DROP_TEXT(id, name, text) text,

static const char *const names[] = { DROP_TABLE(DROP_NAME) };
static const char *const texts[] = { DROP_TABLE(DROP_TEXT) };

const char *drop_name(enum drop why)
{
    return (size_t)why < DROP_N ? names[why] : "?";
}

const char *drop_text(enum drop why)
{
    return (size_t)why < DROP_N ? texts[why] : "?";
}
