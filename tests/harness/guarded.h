/* Bytes that end where a page begins that nobody may touch: a parser that reads one
 * byte too many dies on the spot, also where no sanitizer looks. */
#ifndef TAPIR_TESTS_GUARDED_H
#define TAPIR_TESTS_GUARDED_H

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

enum { GUARDED_MAX = 1 << 20 };

/* A copy of [from, from+n), good until the next call; n is at most GUARDED_MAX. */
static inline char *guarded(const void *from, size_t n)
{
    static char *room;

    if (!room) {
        room = mmap(NULL, GUARDED_MAX + 65536, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert(room != MAP_FAILED);
        assert(mprotect(room + GUARDED_MAX, 65536, PROT_NONE) == 0);
    }
    assert(n <= GUARDED_MAX);
    if (n)
        memcpy(room + GUARDED_MAX - n, from, n);
    return room + GUARDED_MAX - n;
}

#endif
