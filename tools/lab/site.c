/* The page as files, for a server that is not the lab's: DIR/BYTES/0000 is the page,
 * DIR/BYTES/0001 and so on the objects. They are holes, and take no room. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "page.h"

enum { PATH = 512 };

static int make_dir(const char *path)
{
    return mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_hole(const char *path, uint64_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), err = 0;

    if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    return err;
}

static int write_file(const char *dir, uint64_t bytes, unsigned object)
{
    char path[PATH];
    int err;

    snprintf(path, sizeof path, "%.400s/%" PRIu64, dir, bytes);
    err = make_dir(path);
    if (err < 0)
        return err;
    snprintf(path, sizeof path, "%.400s/%" PRIu64 "/%04u", dir, bytes, object);
    return write_hole(path, bytes);
}

int site_write(const char *dir, const struct page_setup *setup)
{
    int err = make_dir(dir);

    if (err == 0)
        err = write_file(dir, setup->page, 0);
    for (unsigned i = 1; err == 0 && (i <= setup->objects || i == 1); i++)
        err = write_file(dir, setup->size, i);
    return err;
}
