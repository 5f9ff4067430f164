/* Shared objects of the build, for tests that load them as another program would. */
#ifndef TAPIR_TESTS_OBJECT_H
#define TAPIR_TESTS_OBJECT_H

#include <stddef.h>

/* The object of that name, which lies beside the tests' folder. The test fails if it
 * cannot be loaded. */
void *object_load(const char *file);

/* A function of it, into the pointer at `out`, which has `size` bytes. */
void object_function(const char *file, const char *name, void *out, size_t size);

#endif
