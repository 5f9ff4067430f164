/* Memory that runs out: the library's calls of malloc, calloc, realloc and
 * pages_new go through here (the linker's --wrap), so a test says which of them fail. A
 * slab that has room gives out blocks all the same. */
#ifndef TAPIR_TESTS_MEMORY_H
#define TAPIR_TESTS_MEMORY_H

#include <stddef.h>

#include "base/pages.h"

/* The next n allocations succeed, all after them fail, until memory_back(). */
void memory_ends_after(unsigned n);

/* There is memory again. How many allocations failed. */
unsigned memory_back(void);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);

void *__wrap_pages_new(size_t bytes);
void *__wrap_pages_new_aligned(size_t bytes);
void *__real_pages_new(size_t bytes);
void *__real_pages_new_aligned(size_t bytes);

#endif
