/* A server: sends back what comes, one client after another.
 *
 *     TAPIR_LINK=tap:tap0 build/examples/server 7
 *
 * Built with: cc server.c $(pkg-config --cflags --libs tapir) */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tapir/socket.h"

int main(int argc, char **argv)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct tapir_error error = { .what = "" };
    char buf[4096];
    ssize_t n;
    int fd;

    at.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 7));
    if (!tapir_up_error(NULL, &error)) { /* TAPIR_LINK, TAPIR_ADDR, ... */
        fprintf(stderr, "%s\n%s\n%s\n", error.what, error.cause, error.fix);
        return 1;
    }
    int listener = tapir_socket(AF_INET, SOCK_STREAM, 0);
    if (tapir_bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        tapir_listen(listener, 16) < 0) {
        perror("listen");
        return 1;
    }
    fprintf(stderr, "listening on port %d\n", ntohs(at.sin_port));
    while ((fd = tapir_accept(listener, NULL, NULL)) >= 0) {
        while ((n = tapir_read(fd, buf, sizeof buf)) > 0)
            tapir_write(fd, buf, (size_t)n); /* blocks until all is taken */
        tapir_close(fd);
    }
    perror("accept");
    return 1;
}
