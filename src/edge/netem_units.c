/* A quantity is a decimal fraction, and what follows it a unit of a table. Not
 * strtod(): that obeys the program's locale and knows signs, exponents and infinity. */
#include "edge/netem_units.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    double size;
};

/* *unit is what follows the number. */
static bool read_decimal(const char *s, double *value, const char **unit)
{
    const char *at = s;
    double scale = 1;

    *value = 0;
    for (; isdigit((unsigned char)*at); at++)
        *value = *value * 10 + (*at - '0');
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at); at++)
            *value += (*at - '0') * (scale /= 10);
    *unit = at;
    return isdigit((unsigned char)*s);
}

bool netem_read_time(const char *s, usec *out)
{
    static const struct unit unit[] = {
        { "us", 1 },      { "usec", 1 }, { "ms", 1000 },
        { "msec", 1000 }, { "s", 1e6 },  { "sec", 1e6 }
    };
    const double hour = 3600e6;
    const char *name;
    double value;

    if (!read_decimal(s, &value, &name))
        return false;
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        if (strcmp(name, unit[i].name) != 0)
            continue;
        value *= unit[i].size;
        *out = value <= hour ? (usec)(value + 0.5) : 0;
        return value <= hour;
    }
    return false;
}

bool netem_read_percent(const char *s, double *out)
{
    const char *unit;
    double percent;

    if (!read_decimal(s, &percent, &unit) || strcmp(unit, "%") != 0 || percent > 100)
        return false;
    *out = percent / 100;
    return true;
}

bool netem_read_rate(const char *s, uint64_t *out)
{
    static const struct unit unit[] = {
        { "bit", 1 },          { "kbit", 1e3 },          { "mbit", 1e6 },
        { "gbit", 1e9 },       { "tbit", 1e12 },         { "kibit", 1024 },
        { "mibit", 1048576 },  { "gibit", 1073741824 },  { "bps", 8 },
        { "kbps", 8e3 },       { "mbps", 8e6 },          { "gbps", 8e9 },
        { "kibps", 8 * 1024 }, { "mibps", 8 * 1048576 },
    };
    const double least = 8, most = 1e12;
    const char *name;
    double value;

    if (!read_decimal(s, &value, &name))
        return false;
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        if (strcasecmp(name, unit[i].name) != 0)
            continue;
        value *= unit[i].size;
        if (value < least || value > most)
            return false;
        *out = (uint64_t)(value + 0.5);
        return true;
    }
    return false;
}
