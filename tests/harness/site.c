#include "harness/site.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64], root[80];

static void check(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static const char *path(const char *name)
{
    static char at[PATH_MAX];

    snprintf(at, sizeof at, "%s/%s", root, name);
    return at;
}

static void put(const char *name, const void *bytes, size_t len)
{
    static const struct timespec when[2] = { { 784111777, 0 }, { 784111777, 0 } };
    int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    check(fd >= 0, name);
    check(write(fd, bytes, len) == (ssize_t)len, name);
    check(futimens(fd, when) == 0, name);
    close(fd);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void make_links(void)
{
    char secret[PATH_MAX];

    snprintf(secret, sizeof secret, "%s/secret", top);
    check(symlink("sub/c.txt", path("in")) == 0, "in");
    check(symlink("../secret", path("out")) == 0, "out");
    check(symlink("..", path("up")) == 0, "up");
    check(symlink(secret, path("abs")) == 0, "abs");
    check(mkfifo(path("fifo"), 0644) == 0, "fifo");
}

static void make_big(void)
{
    static char big[100000];

    for (size_t i = 0; i < sizeof big; i++)
        big[i] = site_byte(i);
    put("big.bin", big, sizeof big);
}

const char *site_up(void)
{
    strcpy(top, "/tmp/tapir-test-site-XXXXXX");
    check(mkdtemp(top) != NULL, top);
    snprintf(root, sizeof root, "%s/site", top);
    check(mkdir(root, 0755) == 0, root);
    check(mkdir(path("sub"), 0755) == 0, "sub");
    check(mkdir(path("sub dir"), 0755) == 0, "sub dir");
    check(mkdir(path("bare"), 0755) == 0, "bare");
    put_text("index.html", "<p>home</p>\n");
    put_text("a.txt", "hello");
    put_text("a b.txt", "space");
    put_text("empty.txt", "");
    put_text("sub/index.html", "<p>sub</p>\n");
    put_text("sub/c.txt", "c");
    put_text("page.html", "<p>plain</p>\n");
    put_text("page.html.gz", "coded");
    put_text("sub dir/index.html", "<p>dir</p>\n");
    put_text("../secret", "secret");
    make_big();
    make_links();
    return root;
}

static int remove_one(const char *at, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(at);
}

void site_down(void)
{
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void site_resize(const char *name, size_t len)
{
    check(truncate(path(name), (off_t)len) == 0, name);
}
