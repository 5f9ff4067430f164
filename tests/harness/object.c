/* The folder is found from the test's own place: build/tests/FOLDER/TEST is three steps
 * below it. What was loaded stays. */
#include "object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void *object_load(const char *file)
{
    char self[PATH_MAX], path[PATH_MAX + 40];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    void *so;

    assert_true(n > 0);
    self[n] = '\0';
    for (int up = 0; up < 3; up++)
        *strrchr(self, '/') = '\0';
    snprintf(path, sizeof path, "%s/%.38s", self, file);
    so = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!so)
        fail_msg("%s", dlerror());
    return so;
}

/* dlsym() gives an object's pointer where a function's is wanted (POSIX allows it). */
void object_function(const char *file, const char *name, void *out, size_t size)
{
    void *at = dlsym(object_load(file), name);

    assert_non_null(at);
    memcpy(out, &at, size);
}
