/* What the host is to be like is said in three places, each above the one before:
 *
 *     profile=       "linux" (default), "bsd", "tapir"
 *     the namespace  /proc/sys/net, where scripts set it; tun0's MTU, unless "mtu="
 *     other words    "net.ipv4.tcp_sack=0"; FreeBSD's names, "net.inet.tcp.keepcnt=2",
 *                    and switches, "insecure_rst"
 *
 * and "pcap=FILE" and "ladder" show what happened.
 *
 * The namespace is looked at before each call and packet, because scripts set it after
 * the object was loaded. It is Linux's: with another profile than linux what is found
 * there at first is nobody's wish, and only what is set later counts, also to the value
 * that was there: the kernel tells what is written (inotify). Words that nobody
 * understands are told of and left out. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../drill/freebsd.h"
#include "adapter.h"
#include "base/bytes.h"
#include "base/text.h"
#include "stack/sysctl.h"

enum { MTU_LEAST = 68, MTU_MOST = 65535 };

/* FreeBSD's switches, below net.inet.tcp, and one of Linux's. */
static const struct {
    const char *word, *on, *off;
} switches[] = {
    { "insecure_rst", "net.inet.tcp.insecure_rst=1", "net.inet.tcp.insecure_rst=0" },
    { "insecure_syn", "net.inet.tcp.insecure_syn=1", "net.inet.tcp.insecure_syn=0" },
    { "drop_synfin", "net.inet.tcp.drop_synfin=1", "net.inet.tcp.drop_synfin=0" },
    { "rfc1337", "net.ipv4.tcp_rfc1337=1", "net.ipv4.tcp_rfc1337=0" },
    { "sack", "net.inet.tcp.sack.enable=1", "net.inet.tcp.sack.enable=0" },
    { "rfc1323", "net.inet.tcp.rfc1323=1", "net.inet.tcp.rfc1323=0" },
};

static void complain(const char *what, const char *word)
{
    fprintf(stderr, "libtapir-packetdrill: %s: '%s'\n", what, word);
}

/* ---- words ---- */

/* What follows "name=" in word, or NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t n = strlen(name);

    return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static void add_sysctl(struct settings *s, const char *setting)
{
    if (s->n_sysctl < WORDS_MAX)
        s->sysctl[s->n_sysctl++] = setting;
    else
        complain("too many words", setting);
}

/* "insecure_rst", "insecure_rst=0", with or without FreeBSD's "net.inet.tcp.". */
static bool read_switch(struct settings *s, const char *word)
{
    static const char prefix[] = "net.inet.tcp.";
    const char *value;

    if (strncmp(word, prefix, sizeof prefix - 1) == 0)
        word += sizeof prefix - 1;
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        value = value_of(word, switches[i].word);
        if (!value && strcmp(word, switches[i].word) != 0)
            continue;
        add_sysctl(s,
                   value && strcmp(value, "0") == 0 ? switches[i].off : switches[i].on);
        return true;
    }
    return false;
}

/* True: it is one of those that are numbers. */
static bool read_number(struct settings *s, const char *word)
{
    const char *mtu = value_of(word, "mtu"), *seed = value_of(word, "seed");
    uint64_t n;

    if (!mtu && !seed)
        return false;
    if (!text_parse_u64(mtu ? mtu : seed, mtu ? MTU_MOST : UINT64_MAX, &n) ||
        (mtu && n < MTU_LEAST))
        complain("not a number, too small or too large", word);
    else if (mtu)
        s->mtu = (unsigned)n;
    else
        s->seed = n;
    return true;
}

/* False: it asks for what there is not. */
static bool read_word(struct settings *s, const char *word)
{
    const char *value;

    if ((value = value_of(word, "ipv"))) {
        if (strcmp(value, "4") == 0)
            return true;
        complain("this stack has no IPv6: run with --ip_version=ipv4 and ipv=4", word);
        return false;
    }
    if ((value = value_of(word, "local")))
        s->local = value;
    else if ((value = value_of(word, "pcap")))
        s->pcap = value;
    else if (strcmp(word, "ladder") == 0)
        s->ladder = true;
    else if ((value = value_of(word, "profile")))
        s->profile = value;
    else if (value_of(word, "remote") || read_number(s, word) || read_switch(s, word))
        return true; /* every address is at the other end: the remote one, too */
    else if (strchr(word, '.') && strchr(word, '='))
        add_sysctl(s, word);
    else
        complain("nobody knows this word of --so_flags", word);
    return true;
}

bool settings_parse(struct settings *s, const char *flags)
{
    char *rest = NULL;

    *s = (struct settings){ .local = "192.168.0.1",
                            .profile = "linux",
                            .text = strdup(flags ? flags : "") };
    if (!s->text)
        return false;
    for (char *word = strtok_r(s->text, " \t\n,", &rest); word;
         word = strtok_r(NULL, " \t\n,", &rest))
        if (!read_word(s, word))
            return false;
    return true;
}

/* ---- the namespace ---- */

/* A line of a file, without its end. */
static bool read_line(const char *path, char *out, size_t room)
{
    FILE *f = fopen(path, "re");
    bool ok;

    if (!f)
        return false;
    ok = fgets(out, (int)room, f) != NULL;
    fclose(f);
    if (ok)
        out[strcspn(out, "\n")] = '\0';
    return ok;
}

static void path_of(const char *name, char *out, size_t room)
{
    snprintf(out, room, "/proc/sys/%s", name);
    for (char *c = out; *c; c++)
        if (*c == '.')
            *c = '/';
}

static void watch(struct adapter *a)
{
    char path[VALUE_ROOM];

    a->watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (unsigned i = 0; i < a->n_seen; i++) {
        path_of(sysctl_name(i), path, sizeof path);
        a->seen[i].watch = inotify_add_watch(a->watcher, path, IN_MODIFY);
    }
}

/* What was written since is as if it had never been looked at. These are watches of
 * files: no event has a name behind it. */
static void forget_written(struct adapter *a)
{
    struct inotify_event event;

    while (read(a->watcher, &event, sizeof event) == sizeof event)
        for (unsigned i = 0; i < a->n_seen; i++)
            if (a->seen[i].watch == event.wd)
                a->seen[i].value[0] = '\0';
}

/* Has the kernel's value of a tunable changed since it was looked at last? */
static bool look_at(struct seen *seen, const char *name)
{
    char path[VALUE_ROOM], value[VALUE_ROOM];

    path_of(name, path, sizeof path);
    if (!read_line(path, value, sizeof value) || strcmp(value, seen->value) == 0)
        return false;
    memcpy(seen->value, value, sizeof value);
    return true;
}

/* What has changed and the stack has, too, is set, or only noted. What the stack
 * refuses (a controller that it has not) stays as it is. True: something was set. */
static bool take_tunables(struct adapter *a, bool note_only)
{
    bool any = false;
    const char *name;

    forget_written(a);
    for (unsigned i = 0; i < a->n_seen && (name = sysctl_name(i)); i++) {
        /* tcp_mem is what the machine's memory allows. */
        if (strncmp(name, "net.", 4) != 0 || strcmp(name, "net.ipv4.tcp_mem") == 0 ||
            !look_at(&a->seen[i], name) || note_only)
            continue;
        tapir_sysctl(a->host, name, a->seen[i].value);
        any = true;
    }
    return any;
}

/* By ioctl: /sys may be another namespace's. */
static unsigned device_mtu(void)
{
    struct ifreq ifr = { .ifr_name = "tun0" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    unsigned mtu = 0;

    if (fd < 0)
        return 0;
    if (ioctl(fd, SIOCGIFMTU, &ifr) == 0)
        mtu = (unsigned)ifr.ifr_mtu;
    close(fd);
    return mtu;
}

/* The word mtu= stands above what was found at first. */
static void take_mtu(struct adapter *a, bool note_only)
{
    unsigned mtu = device_mtu();

    if (mtu && mtu != a->device_mtu && !note_only)
        raw_mtu(a->host, mtu);
    a->device_mtu = mtu;
}

static void set(struct adapter *a, const char *setting)
{
    const char *equals = strchr(setting, '=');
    char name[VALUE_ROOM];

    snprintf(name, sizeof name, "%.*s", (int)(equals - setting), setting);
    if (freebsd_sysctl(a->host, name, equals + 1) < 0)
        complain("the stack refuses this setting", setting);
}

static void set_words(struct adapter *a)
{
    for (size_t i = 0; i < a->settings.n_sysctl; i++)
        set(a, a->settings.sysctl[i]);
}

bool settings_begin(struct adapter *a)
{
    const struct settings *s = &a->settings;

    while (sysctl_name(a->n_seen))
        a->n_seen++;
    a->seen = calloc(a->n_seen, sizeof *a->seen);
    if (!a->seen)
        return false;
    watch(a);
    take_tunables(a, strcmp(s->profile, "linux") != 0);
    take_mtu(a, s->mtu);
    if (s->mtu)
        raw_mtu(a->host, s->mtu);
    set_words(a);
    return true;
}

void settings_follow(struct adapter *a)
{
    take_mtu(a, false);
    if (take_tunables(a, false))
        set_words(a);
}

void settings_end(struct adapter *a)
{
    if (a->watcher >= 0)
        close(a->watcher);
    free(a->seen);
    free(a->settings.text);
}
