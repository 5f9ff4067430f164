/* How it works.
 *
 * Anonymous private mappings; the kernel joins neighbours to one, so that many of them
 * do not use up its limit of mappings. It gives zeros, and spends a page only when it
 * is touched.
 *
 * An aligned one: the kernel places mappings next to one another, so what it gives
 * after an aligned one of the same size is mostly aligned, too. If it is not, twice the
 * size is taken and what lies around the aligned part is given back. */
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

void *pages_new(size_t bytes)
{
    if (bytes == 0 || bytes > SIZE_MAX / 2)
        return NULL;
    void *at = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void pages_free(void *at, size_t bytes)
{
    if (at)
        munmap(at, whole_pages(bytes));
}

/* [at, at + 2 * bytes) becomes the aligned `bytes` in it. */
static void *cut_aligned(char *at, size_t bytes)
{
    size_t before = (bytes - ((uintptr_t)at & (bytes - 1))) & (bytes - 1);
    size_t after = bytes - before;

    if (before > 0)
        munmap(at, before);
    if (after > 0)
        munmap(at + before + bytes, after);
    return at + before;
}

void *pages_new_aligned(size_t bytes)
{
    void *at = pages_new(bytes);

    if (!at || ((uintptr_t)at & (bytes - 1)) == 0)
        return at;
    pages_free(at, bytes);
    at = pages_new(2 * bytes);
    return at ? cut_aligned(at, bytes) : NULL;
}
