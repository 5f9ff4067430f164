/* Days are counted in years that begin on the first of March, so that the leap day is
 * the last of its year and a month's first day is a linear function of its number:
 *
 *     days before month m = (153 m + 2) / 5      m = 0 for March ... 11 for February
 *
 * The calendar repeats every 400 years, 146,097 days; 719,468 of them lie between
 * 0000-03-01 and 1970-01-01. */
#include "http/http_date.h"

enum {
    DAYS_400_YEARS = 146097,
    DAYS_TO_1970 = 719468,
    SECONDS_A_DAY = 86400,
};

#define SECONDS_MIN ((int64_t)-62135596800) /* 0001-01-01 00:00:00 */
#define SECONDS_MAX ((int64_t)253402300799) /* 9999-12-31 23:59:59 */

static const char day_name[] = "SunMonTueWedThuFriSat";
static const char month_name[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct civil {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

static struct civil civil_of_days(int64_t days)
{
    int64_t z = days + DAYS_TO_1970;
    int64_t era = z / DAYS_400_YEARS; /* z is not negative from year 1 on */
    int64_t of_era = z % DAYS_400_YEARS;
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_400_YEARS - 1)) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * of_year + 2) / 153;

    return (struct civil){
        .year = era * 400 + year + (march >= 10),
        .month = (unsigned)(march < 10 ? march + 3 : march - 9),
        .day = (unsigned)(of_year - (153 * march + 2) / 5 + 1),
    };
}

static int64_t days_of_civil(struct civil c)
{
    int64_t year = c.month <= 2 ? c.year - 1 : c.year;
    int64_t march = c.month > 2 ? c.month - 3 : c.month + 9;
    int64_t of_year = (153 * march + 2) / 5 + c.day - 1;
    int64_t of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;

    return year / 400 * DAYS_400_YEARS + of_era - DAYS_TO_1970;
}

/* 1970-01-01 was a Thursday. */
static unsigned weekday(int64_t days)
{
    return (unsigned)((days % 7 + 11) % 7);
}

static void print_clock(struct text *t, unsigned of_day)
{
    text_u64_width(t, of_day / 3600, 2);
    text_char(t, ':');
    text_u64_width(t, of_day / 60 % 60, 2);
    text_char(t, ':');
    text_u64_width(t, of_day % 60, 2);
    text_put(t, " GMT");
}

void http_date_print(struct text *t, int64_t seconds)
{
    int64_t days, of_day;
    struct civil c;

    if (seconds < SECONDS_MIN)
        seconds = SECONDS_MIN;
    if (seconds > SECONDS_MAX)
        seconds = SECONDS_MAX;
    of_day = seconds % SECONDS_A_DAY;
    if (of_day < 0)
        of_day += SECONDS_A_DAY;
    days = (seconds - of_day) / SECONDS_A_DAY;
    c = civil_of_days(days);
    text_putn(t, day_name + 3 * weekday(days), 3);
    text_put(t, ", ");
    text_u64_width(t, c.day, 2);
    text_char(t, ' ');
    text_putn(t, month_name + 3 * (c.month - 1), 3);
    text_char(t, ' ');
    text_u64_width(t, (uint64_t)c.year, 4);
    text_char(t, ' ');
    print_clock(t, (unsigned)of_day);
}

/* The place of a three-letter name among `n` of them, or -1. */
static int name_index(const char *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (memcmp(names + 3 * i, name, 3) == 0)
            return i;
    return -1;
}

/* Digits where the pattern has '0', else the pattern's own character; '?' is any. */
static bool matches(struct http_slice s, const char *pattern)
{
    if (s.len != strlen(pattern))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.at[i] >= '0' && s.at[i] <= '9';
        if (pattern[i] == '0' ? !digit : pattern[i] != '?' && pattern[i] != s.at[i])
            return false;
    }
    return true;
}

static unsigned number(const char *at, int width)
{
    unsigned n = 0;

    for (int i = 0; i < width; i++)
        n = n * 10 + (unsigned)(at[i] - '0');
    return n;
}

bool http_date_parse(struct http_slice s, int64_t *seconds)
{
    unsigned hour, minute, second;
    int month, wday;
    struct civil c, back;
    int64_t days;

    if (!matches(s, "???, 00 ??? 0000 00:00:00 GMT"))
        return false;
    wday = name_index(day_name, 7, s.at);
    month = name_index(month_name, 12, s.at + 8);
    c = (struct civil){ number(s.at + 12, 4), (unsigned)month + 1,
                        number(s.at + 5, 2) };
    hour = number(s.at + 17, 2);
    minute = number(s.at + 20, 2);
    second = number(s.at + 23, 2); /* 60 in a leap second (RFC 5322 s3.3) */
    if (wday < 0 || month < 0 || c.year == 0 || c.day == 0 || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    days = days_of_civil(c);
    back = civil_of_days(days);
    if (back.month != c.month || back.day != c.day || weekday(days) != (unsigned)wday)
        return false;
    *seconds = days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    return true;
}
