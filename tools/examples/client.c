/* A client: sends a line, half-closes, prints what comes back:
 *     TAPIR_LINK=tap:tap0 build/examples/client 192.0.2.1 7 hello
 * Built with: cc client.c $(pkg-config --cflags --libs tapir) */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tapir/socket.h"

int main(int argc, char **argv)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct tapir_error error = { .what = "" };
    char buf[4096];
    ssize_t n;

    if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
        fprintf(stderr, "usage: client ADDRESS PORT TEXT\n");
        return 2;
    }
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    struct tapir *t = tapir_up_error(NULL, &error); /* TAPIR_LINK, TAPIR_ADDR, ... */
    if (!t) {
        fprintf(stderr, "%s\n%s\n%s\n", error.what, error.cause, error.fix);
        return 1;
    }
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    if (tapir_connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        perror("connect");
        return 1;
    }
    tapir_write(fd, argv[3], strlen(argv[3]));
    tapir_shutdown(fd, SHUT_WR);
    while ((n = tapir_read(fd, buf, sizeof buf)) > 0)
        fwrite(buf, 1, (size_t)n, stdout);
    tapir_close(fd);
    tapir_down(t);
    return n < 0;
}
