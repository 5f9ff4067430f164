/* A line is a word and what it is about; the last `search` or `domain` counts, and the
 * first three servers. Limits and defaults are those of resolv.conf(5), but that there
 * is no server where none is named: 127.0.0.1 is a host of the kernel's, not of this
 * stack's. */
#include "app/resolv_conf.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define BLANKS " \t\r\n"

enum { LINE_ROOM = 1024, PORT = 53 };

void resolv_conf_init(struct resolv_conf *conf)
{
    *conf = (struct resolv_conf){ .ndots = 1, .timeout = 5, .attempts = 2 };
}

static bool add_server(struct resolv_conf *conf, const char *text)
{
    union endpoint server;

    if (!endpoint_parse(text, PORT, &server))
        return false;
    if (conf->n_servers < RESOLV_SERVERS)
        conf->server[conf->n_servers++] = server;
    return true;
}

static void set_search(struct resolv_conf *conf, char **save)
{
    const char *domain;

    conf->n_search = 0;
    while ((domain = strtok_r(NULL, BLANKS, save)) && conf->n_search < RESOLV_SEARCH)
        if (strlen(domain) < RESOLV_NAME)
            strcpy(conf->search[conf->n_search++], domain);
}

static void set_option(struct resolv_conf *conf, const char *option)
{
    const struct {
        const char *name;
        unsigned *at;
        unsigned min, max;
    } known[] = {
        { "ndots:", &conf->ndots, 0, 15 },
        { "timeout:", &conf->timeout, 1, 30 },
        { "attempts:", &conf->attempts, 1, 5 },
    };
    uint64_t n;

    if (strcmp(option, "rotate") == 0)
        conf->rotate = true;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        size_t len = strlen(known[i].name);
        if (strncmp(option, known[i].name, len) != 0 ||
            !text_parse_u64(option + len, UINT32_MAX, &n))
            continue;
        n = n < known[i].min ? known[i].min : n > known[i].max ? known[i].max : n;
        *known[i].at = (unsigned)n;
    }
}

void resolv_conf_line(struct resolv_conf *conf, const char *line)
{
    char room[LINE_ROOM], *save = NULL;
    const char *word, *option;

    snprintf(room, sizeof room, "%s", line);
    word = strtok_r(room, BLANKS, &save);
    if (!word || strchr(";#", *word))
        return;
    if (strcmp(word, "nameserver") == 0 && (option = strtok_r(NULL, BLANKS, &save)))
        add_server(conf, option);
    if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0)
        set_search(conf, &save);
    if (strcmp(word, "options") != 0)
        return;
    while ((option = strtok_r(NULL, BLANKS, &save)))
        set_option(conf, option);
}

void resolv_conf_read(struct resolv_conf *conf, const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;

    while (f && getline(&line, &cap, f) >= 0)
        resolv_conf_line(conf, line);
    free(line);
    if (f)
        fclose(f);
}

bool resolv_conf_servers(struct resolv_conf *conf, const char *list)
{
    char room[LINE_ROOM], *save = NULL;
    bool good = strlen(list) < sizeof room;

    conf->n_servers = 0;
    snprintf(room, sizeof room, "%s", list);
    for (const char *one = strtok_r(room, ",", &save); one;
         one = strtok_r(NULL, ",", &save))
        good &= add_server(conf, one);
    return good;
}
