/* A counter in front of the allocator. Threads of the tests allocate too, so it is
 * atomic; a test that makes memory end has one thread. */
#include "harness/memory.h"

#include <stdatomic.h>
#include <stdbool.h>

static atomic_bool ending;
static atomic_uint left, failed;

void memory_ends_after(unsigned n)
{
    failed = 0;
    left = n;
    ending = true;
}

unsigned memory_back(void)
{
    ending = false;
    return failed;
}

static bool there_is_none(void)
{
    if (!ending)
        return false;
    if (left == 0) {
        failed++;
        return true;
    }
    left--;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return there_is_none() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return there_is_none() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return there_is_none() ? NULL : __real_realloc(at, size);
}

void *__wrap_pages_new(size_t bytes)
{
    return there_is_none() ? NULL : __real_pages_new(bytes);
}

void *__wrap_pages_new_aligned(size_t bytes)
{
    return there_is_none() ? NULL : __real_pages_new_aligned(bytes);
}
