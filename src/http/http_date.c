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

/* n in `width` digits, filled with zeros from the left. */
static void put_digits(char *at, uint64_t n, int width)
{
    while (width-- > 0) {
        at[width] = (char)('0' + n % 10);
        n /= 10;
    }
}

/* "06 Nov 1994", with something else between. */
static void put_day_and_month(char *at, struct civil c, char between)
{
    put_digits(at, c.day, 2);
    at[2] = at[6] = between;
    memcpy(at + 3, month_name + 3 * (c.month - 1), 3);
    put_digits(at + 7, (uint64_t)c.year, 4);
}

/* "08:49:37" */
static void put_clock(char *at, unsigned of_day)
{
    put_digits(at, of_day / 3600, 2);
    at[2] = at[5] = ':';
    put_digits(at + 3, of_day / 60 % 60, 2);
    put_digits(at + 6, of_day % 60, 2);
}

/* The day of a moment, and in *of_day its second. */
static int64_t day_of(int64_t seconds, unsigned *of_day)
{
    int64_t rest;

    if (seconds < SECONDS_MIN)
        seconds = SECONDS_MIN;
    if (seconds > SECONDS_MAX)
        seconds = SECONDS_MAX;
    rest = seconds % SECONDS_A_DAY;
    if (rest < 0)
        rest += SECONDS_A_DAY;
    *of_day = (unsigned)rest;
    return (seconds - rest) / SECONDS_A_DAY;
}

void http_date_print(struct text *t, int64_t seconds)
{
    char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    unsigned of_day;
    int64_t days = day_of(seconds, &of_day);

    memcpy(date, day_name + 3 * weekday(days), 3);
    put_day_and_month(date + 5, civil_of_days(days), ' ');
    put_clock(date + 17, of_day);
    text_putn(t, date, sizeof date - 1);
}

void http_date_print_log(struct text *t, int64_t seconds)
{
    char date[] = "06/Nov/1994:08:49:37 +0000";
    unsigned of_day;
    int64_t days = day_of(seconds, &of_day);

    put_day_and_month(date, civil_of_days(days), '/');
    put_clock(date + 12, of_day);
    text_putn(t, date, sizeof date - 1);
}

void http_date_print_iso(struct text *t, int64_t seconds)
{
    char date[] = "1994-11-06T08:49:37+00:00";
    unsigned of_day;
    struct civil c = civil_of_days(day_of(seconds, &of_day));

    put_digits(date, (uint64_t)c.year, 4);
    put_digits(date + 5, c.month, 2);
    put_digits(date + 8, c.day, 2);
    put_clock(date + 11, of_day);
    text_putn(t, date, sizeof date - 1);
}

/* The place of a three-letter name among `n` of them, or -1. */
static int name_index(const char *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (memcmp(names + 3 * i, name, 3) == 0)
            return i;
    return -1;
}

/* Digits where the pattern has '0', else the pattern's own character; '_' is any. */
static bool matches(struct http_slice s, const char *pattern)
{
    if (s.len != strlen(pattern))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.at[i] >= '0' && s.at[i] <= '9';
        if (pattern[i] == '0' ? !digit : pattern[i] != '_' && pattern[i] != s.at[i])
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

/* The moment that a weekday, a day and "hh:mm:ss" name; false when there is none. */
static bool moment(int wday, struct civil c, const char *clock, int64_t *seconds)
{
    unsigned hour = number(clock, 2);
    unsigned minute = number(clock + 3, 2);
    unsigned second = number(clock + 6, 2); /* 60 in a leap second (RFC 5322 s3.3) */
    struct civil back;
    int64_t days;

    if (wday < 0 || c.month == 0 || c.year == 0 || c.day == 0 || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    days = days_of_civil(c);
    back = civil_of_days(days);
    if (back.month != c.month || back.day != c.day || weekday(days) != (unsigned)wday)
        return false;
    *seconds = days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    return true;
}

/* 1 to 12, or 0. */
static unsigned month_at(const char *name)
{
    return (unsigned)(name_index(month_name, 12, name) + 1);
}

static bool parse_imf(struct http_slice s, int64_t *seconds)
{
    struct civil c = { .year = number(s.at + 12, 4),
                       .month = month_at(s.at + 8),
                       .day = number(s.at + 5, 2) };

    return moment(name_index(day_name, 7, s.at), c, s.at + 17, seconds);
}

static bool parse_asctime(struct http_slice s, int64_t *seconds)
{
    bool one = s.at[8] == ' '; /* a day of one digit */
    struct civil c = { .year = number(s.at + 20, 4),
                       .month = month_at(s.at + 4),
                       .day = one ? number(s.at + 9, 1) : number(s.at + 8, 2) };

    return (one || matches((struct http_slice){ s.at + 8, 1 }, "0")) &&
           moment(name_index(day_name, 7, s.at), c, s.at + 11, seconds);
}

/* RFC 9110 s5.6.7: two digits of a year that seem to lie more than 50 years ahead mean
 * the last such year in the past. */
static int64_t full_year(unsigned digits, int64_t now)
{
    unsigned of_day;
    int64_t this_year = civil_of_days(day_of(now, &of_day)).year;
    int64_t year = this_year - this_year % 100 + digits;

    return year > this_year + 50 ? year - 100 : year;
}

static bool parse_850(struct http_slice s, int64_t now, int64_t *seconds)
{
    static const char *const names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday" };
    size_t n = slice_span(s, ",");
    struct http_slice rest = slice_from(s, n);
    struct civil c;
    int wday = 6;

    while (wday >= 0 && !slice_is(slice_first(s, n), names[wday]))
        wday--;
    if (!matches(rest, ", 00-___-00 00:00:00 GMT"))
        return false;
    c = (struct civil){ .year = full_year(number(rest.at + 9, 2), now),
                        .month = month_at(rest.at + 5),
                        .day = number(rest.at + 2, 2) };
    return moment(wday, c, rest.at + 12, seconds);
}

bool http_date_parse(struct http_slice s, int64_t now, int64_t *seconds)
{
    if (matches(s, "___, 00 ___ 0000 00:00:00 GMT"))
        return parse_imf(s, seconds);
    if (matches(s, "___ ___ _0 00:00:00 0000"))
        return parse_asctime(s, seconds);
    return parse_850(s, now, seconds);
}
