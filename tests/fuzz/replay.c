/* Runs inputs through harnesses with any compiler:
 *
 *     replay                          all corpora: a line each, then "N passed, ..."
 *     replay NAME FILE...             these inputs
 *     replay -m SECONDS NAME FINDING  random mutations of the corpus of NAME; the input
 *                                     of a finding is left in the file FINDING
 *
 * The inputs run in a child, in memory shared with the parent: however the child dies
 * (a failed assert, a sanitizer, a crash, the alarm), the parent knows on what, and
 * goes on with the next. Files are run twice, to see that they do the same twice. The
 * mutations know nothing of coverage: they are for where
 * there is no libFuzzer. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "fuzz/fuzz.h"

#define CORPUS "tests/fuzz/corpus"

enum { PATHS_MAX = 10000, SECONDS_MAX = 25 /* for one input */, CHANGES_MAX = 8 };

/* What parent and child both see. */
static struct shared {
    size_t done;   /* inputs begun */
    uint64_t runs; /* with mutations: inputs that were run */
    size_t size;
    uint8_t data[FUZZ_MAX]; /* the input that runs */
} * shared;

static struct {
    char *at[PATHS_MAX];
    size_t n;
} paths;

static void run(const struct fuzz *f)
{
    uint8_t *exact = malloc(shared->size ? shared->size : 1);

    if (!exact)
        abort();
    memcpy(exact, shared->data, shared->size);
    alarm(SECONDS_MAX);
    fuzz_run = 0;
    f->run(exact, shared->size);
    alarm(0);
    free(exact);
}

static bool read_input(const char *path)
{
    FILE *in = fopen(path, "rb");

    if (!in) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return false;
    }
    shared->size = fread(shared->data, 1, FUZZ_MAX, in);
    fclose(in);
    return true;
}

/* --- inputs that are files ------------------------------------------------------- */

static void add_path(const char *dir, const char *name)
{
    size_t room = strlen(dir) + strlen(name) + 2;
    char *path = malloc(room);

    if (!path || paths.n == PATHS_MAX)
        abort();
    snprintf(path, room, "%s%s%s", dir, *dir ? "/" : "", name);
    paths.at[paths.n++] = path;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void forget_paths(void)
{
    while (paths.n > 0)
        free(paths.at[--paths.n]);
}

/* The corpus of a harness, in an order that is always the same. */
static void find_corpus(const char *name)
{
    char dir[200];

    forget_paths();
    snprintf(dir, sizeof dir, CORPUS "/%s", name);
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            add_path(dir, e->d_name);
    if (d)
        closedir(d);
    qsort(paths.at, paths.n, sizeof *paths.at, by_name);
}

static void child_files(const struct fuzz *f)
{
    while (shared->done < paths.n) {
        if (!read_input(paths.at[shared->done++]))
            exit(1);
        run(f);
        uint64_t once = fuzz_run;
        run(f);
        assert(once == fuzz_run);
    }
    exit(0);
}

/* True: it ended well. */
static bool wait_for(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0;
}

/* How many of paths[] fail. */
static size_t run_paths(const struct fuzz *f)
{
    size_t failed = 0;

    shared->done = 0;
    do {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            child_files(f);
        if (wait_for(child))
            break;
        failed++;
        fprintf(stderr, "replay: %s fails on %s\n", f->name,
                paths.at[shared->done ? shared->done - 1 : 0]);
    } while (shared->done < paths.n);
    return failed;
}

static int run_corpora(void)
{
    size_t passed = 0, failed = 0;

    for (const struct fuzz *f = fuzz_table; f->name; f++) {
        find_corpus(f->name);
        size_t bad = paths.n ? run_paths(f) : 1;
        printf("%-8s %4zu inputs: %s\n", f->name, paths.n, f->what);
        failed += bad;
        passed += paths.n > bad ? paths.n - bad : 0;
    }
    forget_paths();
    printf("%zu passed, %zu failed, 0 skipped\n", passed, failed);
    return failed > 0;
}

static int run_files(const struct fuzz *f, char **file)
{
    forget_paths();
    for (; *file; file++)
        add_path("", *file);
    size_t failed = run_paths(f);
    forget_paths();
    return failed > 0;
}

/* --- mutations ------------------------------------------------------------------- */

static uint8_t any_byte(struct rng *r)
{
    static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, '0', ' ', '\r', '\n' };

    if (rng_below(r, 2))
        return telling[rng_below(r, sizeof telling)];
    return (uint8_t)rng_next(r);
}

static void insert(struct rng *r, size_t max)
{
    size_t at = rng_below(r, shared->size + 1);

    if (shared->size >= max)
        return;
    memmove(shared->data + at + 1, shared->data + at, shared->size - at);
    shared->data[at] = any_byte(r);
    shared->size++;
}

static void delete (struct rng *r)
{
    size_t at = rng_below(r, shared->size), n = 1 + rng_below(r, 8);

    if (n > shared->size - at)
        n = shared->size - at;
    memmove(shared->data + at, shared->data + at + n, shared->size - at - n);
    shared->size -= n;
}

static void repeat(struct rng *r)
{
    size_t from = rng_below(r, shared->size), to = rng_below(r, shared->size);
    size_t n = 1 + rng_below(r, 16), high = from > to ? from : to;

    if (n > shared->size - high)
        n = shared->size - high;
    memmove(shared->data + to, shared->data + from, n);
}

static void change(struct rng *r, size_t max)
{
    uint64_t how = shared->size ? rng_below(r, 5) : 0;

    if (how == 0)
        insert(r, max);
    else if (how == 1)
        delete (r);
    else if (how == 2)
        repeat(r);
    else if (how == 3)
        shared->data[rng_below(r, shared->size)] ^= (uint8_t)(1u << rng_below(r, 8));
    else
        shared->data[rng_below(r, shared->size)] = any_byte(r);
}

static void child_mutations(const struct fuzz *f, long seconds)
{
    time_t end = time(NULL) + seconds;
    struct rng r;

    rng_seed(&r, (uint64_t)time(NULL));
    while (time(NULL) < end) {
        if (paths.n == 0)
            shared->size = 0;
        else if (!read_input(paths.at[rng_below(&r, paths.n)]))
            exit(1);
        for (int tries = 0; tries < 200; tries++) {
            for (uint64_t n = 1 + rng_below(&r, CHANGES_MAX); n > 0; n--)
                change(&r, f->max);
            run(f);
            shared->runs++;
        }
    }
    exit(0);
}

static int run_mutations(const struct fuzz *f, long seconds, const char *finding)
{
    find_corpus(f->name);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        child_mutations(f, seconds);
    bool well = wait_for(child);
    printf("%s: %llu runs in %ld s\n", f->name, (unsigned long long)shared->runs,
           seconds);
    if (!well) {
        FILE *out = fopen(finding, "wb");
        if (!out || fwrite(shared->data, 1, shared->size, out) != shared->size)
            fprintf(stderr, "replay: %s: %s\n", finding, strerror(errno));
        if (out)
            fclose(out);
    }
    forget_paths();
    return !well;
}

/* --- which of them --------------------------------------------------------------- */

static const struct fuzz *named(const char *name)
{
    const struct fuzz *f = fuzz_find(name);

    if (!f) {
        fprintf(stderr, "replay: no harness is called %s; there are:\n", name);
        for (f = fuzz_table; f->name; f++)
            fprintf(stderr, "    %-8s %s\n", f->name, f->what);
        exit(2);
    }
    return f;
}

int main(int argc, char **argv)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    if (argc == 1)
        return run_corpora();
    if (argc == 5 && strcmp(argv[1], "-m") == 0)
        return run_mutations(named(argv[3]), strtol(argv[2], NULL, 10), argv[4]);
    return run_files(named(argv[1]), argv + 2);
}
