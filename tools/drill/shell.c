/* Shell commands of scripts. They would change the kernel of the machine; here they are
 * never executed. Those that configure TCP are understood and set the stack:
 *
 *     sysctl -q net.ipv4.tcp_sack=0 net/ipv4/tcp_ecn=1      also FreeBSD's names
 *     .../set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0
 *     .../defaults.sh                                       what that file sets
 *     ip route change ... initcwnd 10 advmss 1000 mtu 1200
 *     ip link set dev tun0 mtu 1200
 *
 * and one that looks at states is answered from the stack's own:
 *
 *     sockstat ... | grep -c TIME_WAIT | grep 1
 *
 * Those that configure what does not exist here (queues, offloads, caches, files) are
 * passed over. All others are told, since they may be what the script depends on. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "edge/raw.h"
#include "freebsd.h"
#include "run.h"
#include "states.h"

enum { WORDS_MAX = 64 };

/* One simple command. */
struct command_words {
    char *word[WORDS_MAX];
    size_t n;
    const char *rest; /* of the whole text, behind it */
};

/* ---- sysctls ---- */

/* Values that scripts find set when they name this file. */
static const char *const defaults[][2] = {
    { "net.ipv4.tcp_rmem", "4096 540000 15728640" },
    { "net.ipv4.tcp_wmem", "4096 262144 4194304" },
    { "net.ipv4.tcp_timestamps", "1" },
    { "net.ipv4.tcp_syn_retries", "5" },
    { "net.ipv4.tcp_synack_retries", "5" },
    { "net.ipv4.tcp_sack", "1" },
    { "net.ipv4.tcp_dsack", "1" },
    { "net.ipv4.tcp_reordering", "3" },
    { "net.ipv4.tcp_congestion_control", "cubic" },
    { "net.ipv4.tcp_slow_start_after_idle", "0" },
    { "net.ipv4.tcp_early_retrans", "4" },
    { "net.ipv4.tcp_ecn", "0" },
    { "net.ipv4.tcp_notsent_lowat", "4294967295" },
    { "net.ipv4.tcp_fastopen", "0x70403" },
    { "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4" },
    { "net.ipv4.tcp_syncookies", "1" },
};

static void set(struct run *r, int line, const char *name, const char *value)
{
    int err = freebsd_sysctl(r->host, name, value);

    if (err < 0)
        run_note(r, line, "%s=%s is passed over: %s", name, value,
                 err == -ENOTSUP  ? "the stack has not got it yet"
                 : err == -EINVAL ? "the stack does not take this value"
                                  : "no such name");
}

/* "net.ipv4.tcp_sack=0", with dots or slashes, perhaps below /proc/sys. */
static void assign(struct run *r, int line, char *word)
{
    char *value = strchr(word, '=');
    char *name = word;

    if (!value)
        return;
    *value++ = '\0';
    if (strncmp(name, "/proc/sys/", 10) == 0)
        name += 10;
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '.';
    set(r, line, name, value);
}

static void take_sysctl(struct run *r, int line, const struct command_words *c)
{
    for (size_t i = 1; i < c->n; i++)
        if (c->word[i][0] != '-')
            assign(r, line, c->word[i]);
}

static void take_defaults(struct run *r, int line, const struct command_words *c)
{
    (void)c;
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        set(r, line, defaults[i][0], defaults[i][1]);
}

/* ---- ip ---- */

/* The word behind this one; NULL: it is not there. */
static const char *behind(const struct command_words *c, const char *word)
{
    for (size_t i = 0; i + 1 < c->n; i++)
        if (strcmp(c->word[i], word) == 0)
            return c->word[i + 1];
    return NULL;
}

static bool has(const struct command_words *c, const char *word)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->word[i], word) == 0)
            return true;
    return false;
}

static void set_mtu(struct run *r, int line, const char *mtu)
{
    if (mtu && raw_mtu(r->host, (unsigned)strtoul(mtu, NULL, 10)) < 0)
        run_note(r, line, "mtu %s is passed over", mtu);
}

static void take_ip(struct run *r, int line, const struct command_words *c)
{
    const char *mtu = behind(c, "mtu");

    if (has(c, "tcp_metrics"))
        return;
    if (!has(c, "route") && !has(c, "link")) {
        run_note(r, line, "ip %s is passed over", c->n > 1 ? c->word[1] : "");
        return;
    }
    if (behind(c, "initcwnd"))
        set(r, line, "tapir.tcp_initcwnd", behind(c, "initcwnd"));
    if (behind(c, "advmss"))
        set(r, line, "tapir.tcp_advmss", behind(c, "advmss"));
    set_mtu(r, line, mtu && strcmp(mtu, "lock") == 0 ? behind(c, "lock") : mtu);
}

/* ---- sockstat ---- */

/* "| grep -c STATE | grep N": are there N in that state? */
static void take_sockstat(struct run *r, int line, const struct command_words *c)
{
    const char *count = strstr(c->rest, "grep -c ");
    char state[32];
    int wanted, n;

    if (!count || sscanf(count, "grep -c %31s | grep %d", state, &wanted) != 2 ||
        (n = states_count(r->host, state)) < 0)
        run_note(r, line, "`sockstat ...` is passed over");
    else if (n != wanted)
        run_fail(r, r->event, "there are %d endpoints in %s, not %d", n, state, wanted);
}

/* ---- which command ---- */

static void take_nothing(struct run *r, int line, const struct command_words *c)
{
    (void)r;
    (void)line;
    (void)c;
}

static const struct {
    const char *name; /* of the file, without its folder */
    void (*take)(struct run *r, int line, const struct command_words *c);
} table[] = {
    { "sysctl", take_sysctl },        { "set_sysctls.py", take_sysctl },
    { "defaults.sh", take_defaults }, { "ip", take_ip },
    { "sockstat", take_sockstat },    { "tc", take_nothing },
    { "ethtool", take_nothing },      { "nstat", take_nothing },
    { "tcpdrop", take_nothing },      { "sleep", take_nothing },
    { "rm", take_nothing },           { "dd", take_nothing },
    { "true", take_nothing },         { "#", take_nothing },
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void take_command(struct run *r, int line, const struct command_words *c)
{
    const char *name = c->n ? base_name(c->word[0]) : "#";

    if (strncmp(name, "sysctl_restore", 14) == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        table[i].take(r, line, c);
        return;
    }
    run_note(r, line, "`%s ...` is passed over: no command is executed", name);
}

/* ---- words ---- */

/* The next word at *at, quotes and joined lines resolved; NULL: the command ends. What
 * ended it is in *end. */
static char *next_word(struct arena *arena, const char **at, char *end)
{
    char *word = arena_take(arena, strlen(*at) + 1), *to = word, quote = '\0';
    const char *p = *at;

    while (*p == ' ' || *p == '\t' || (p[0] == '\\' && p[1] == '\n'))
        p += *p == '\\' ? 2 : 1;
    for (; *p && (quote || !strchr(" \t\n;|&", *p)); p++) {
        if (*p == quote)
            quote = '\0';
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else if (p[0] == '\\' && p[1] == '\n')
            p++; /* the lines are one */
        else if (p[0] == '\\' && p[1])
            *to++ = *++p;
        else
            *to++ = *p;
    }
    *end = *p;
    *at = p;
    return to > word || (p > *at && p[-1] == '"') ? word : NULL;
}

void run_shell(struct run *r, int line, const char *text)
{
    struct command_words c = { .n = 0 };
    bool piped = false;
    const char *at = text;

    for (;;) {
        char end, *word = next_word(r->arena, &at, &end);

        if (word && word[0] == '#') /* a comment: to the end of the line */
            at += strcspn(at, "\n");
        else if (word && c.n < WORDS_MAX && !strchr("<>", word[0]))
            c.word[c.n++] = word;
        end = *at;
        if (end && !strchr("\n;|&", end))
            continue;
        c.rest = at;
        if (c.n && !piped)
            take_command(r, line, &c);
        c.n = 0;
        if (!end)
            return;
        piped = end == '|' && at[1] != '|';
        at += at[1] == end ? 2 : 1;
        line += end == '\n';
    }
}
