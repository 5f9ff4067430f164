/* Which name servers to ask, and how: resolv.conf(5), or a list of addresses. */
#ifndef TAPIR_APP_RESOLV_CONF_H
#define TAPIR_APP_RESOLV_CONF_H

#include <stdbool.h>

#include "app/endpoint.h"

enum { RESOLV_SERVERS = 3, RESOLV_SEARCH = 6, RESOLV_NAME = 256 };

struct resolv_conf {
    union endpoint server[RESOLV_SERVERS]; /* port 53 */
    unsigned n_servers;
    char search[RESOLV_SEARCH][RESOLV_NAME]; /* domains that are tried behind a name */
    unsigned n_search;
    unsigned ndots;    /* so many dots make a name that is tried as it stands first */
    unsigned timeout;  /* seconds to wait for one server */
    unsigned attempts; /* rounds over all servers */
    bool rotate;       /* each question begins with the next server */
};

/* The defaults: no server. */
void resolv_conf_init(struct resolv_conf *conf);

/* Takes one line of the file; what is not understood is ignored, as it is by others. */
void resolv_conf_line(struct resolv_conf *conf, const char *line);

/* Reads the file; one that is missing is an empty one. */
void resolv_conf_read(struct resolv_conf *conf, const char *path);

/* "ADDR[,ADDR]" instead of the servers that there are. False: one is no address. */
bool resolv_conf_servers(struct resolv_conf *conf, const char *list);

#endif
