/* What a file server opens before it serves, with errors for a person. */
#ifndef TAPIR_APP_HTTP_OPEN_H
#define TAPIR_APP_HTTP_OPEN_H

#include "app/http_session.h"
#include "tapir/http.h"

/* Fills *error (may be NULL) for errno `err`; returns -1 with errno set. */
int http_failed(struct tapir_error *error, int err, const char *what, const char *cause,
                const char *fix);

/* Puts the default where a field is zero. */
void http_fill_defaults(struct tapir_http_server *config);

/* What the conversations need of it. No directory is open yet. */
void http_fill_site(struct http_site *site, const struct tapir_http_server *config);

/* From the name of an access log's format to the format itself; what is no name is one.
 * 0, or -1 with errno and *error. */
int http_open_format(const char **format, struct tapir_error *error);

/* The directory that is served. 0, or -1 with errno and *error. */
int http_open_files(struct http_files *files, const struct tapir_http_server *config,
                    struct tapir_error *error);

/* A listening descriptor that does not block, at addr (NULL: all). -1 with errno and
 * *error. */
int http_open_listener(const char *addr, uint16_t port, struct tapir_error *error);

/* Puts a descriptor into the set `epoll`, whose input is then told by `mark`. As
 * epoll_ctl(). */
int http_open_watch(int epoll, int fd, void *mark);

/* The same for the one that says stop; below 0: there is none. -1 with errno and
 * *error. */
int http_open_stop(int epoll, int fd, void *mark, struct tapir_error *error);

#endif
