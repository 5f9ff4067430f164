/* Memory in whole pages, straight from the kernel and straight back to it. What libc
 * gives out side by side can only return to the kernel when its neighbours are free,
 * too; tables that grow with the number of connections, and slabs, lie in pages of
 * their own instead. */
#ifndef TAPIR_BASE_PAGES_H
#define TAPIR_BASE_PAGES_H

#include <stddef.h>

enum { PAGE_BYTES = 4096 }; /* the smallest page of any Linux; what is rounded up to */

/* At least `bytes`, all zero; NULL when there are none, or for no bytes. */
void *pages_new(size_t bytes);

/* The same, at an address that is a multiple of `bytes`, a power of two and at least
 * PAGE_BYTES. */
void *pages_new_aligned(size_t bytes);

/* Gives them back: `bytes` as they were asked for. NULL is fine. */
void pages_free(void *at, size_t bytes);

#endif
