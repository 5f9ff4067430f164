/* The table of descriptors, and the one place with process-wide state.
 *
 * A descriptor of Tapir is a real number of this process: a duplicate of one inert
 * kernel descriptor (an O_PATH one: the kernel refuses to read, write or poll it). So
 * it is the smallest free number, never one that the kernel uses, and small enough for
 * an fd_set. The table says which numbers are ours; the others go to the kernel.
 *
 *     fd ──► table.low, table.own ──► struct file ──► struct sock (or struct epoll)
 *
 * A stack with tapir_config.many may have more of them than RLIMIT_NOFILE lets a
 * process have: beyond half of that they get numbers of Tapir's own, from 2^30, which
 * no kernel ever gives (fs.nr_open ends there). The other half is left for files.
 *
 * A file has one reference from the table and one from each call that is inside. close
 * takes it out of the table, closes its socket under the stack's lock and wakes who
 * waits; they find no socket, answer EBADF, and the last one frees the file. The
 * table's lock is never held while a stack's lock is taken, and holds no system call
 * but those that make and close numbers. */
#include "edge/bsd.h"

#include <assert.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/slab.h"
#include "edge/fdmap.h"

enum { OWN_FIRST = 1 << 30 };

struct numbers {
    struct fdmap map; /* to struct file; a number that is not in it is not ours */
    size_t open;      /* numbers given out */
};

static struct {
    pthread_mutex_t lock;
    struct numbers low;     /* the process's descriptors */
    struct numbers own;     /* Tapir's own, less OWN_FIRST */
    struct slab_pool files; /* struct file; its size is 0 before the first */
    size_t low_most;        /* of a stack with many: low ones at most */
    int inert;              /* what descriptors are duplicates of; -1: not yet open */
    _Atomic(struct tapir *) first; /* everybody's stack who chose none */
} table = { .lock = PTHREAD_MUTEX_INITIALIZER, .inert = -1 };

/* In the map: given out, and not yet open. */
#define TAKEN ((struct file *)(void *)&table)

static _Thread_local struct tapir *mine;  /* by tapir_use() */
static _Thread_local struct tapir *batch; /* by tapir_batch_begin() */

ssize_t bsd_result(ssize_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* ---- whose stack ---- */

struct tapir *bsd_current(void)
{
    return mine ? mine : table.first;
}

struct tapir *tapir_use(struct tapir *t)
{
    struct tapir *before = mine;

    mine = t;
    return before;
}

void bsd_stack_up(struct tapir *t)
{
    struct tapir *none = NULL;

    atomic_compare_exchange_strong(&table.first, &none, t);
}

void bsd_stack_down(struct tapir *t)
{
    struct tapir *its = t;

    atomic_compare_exchange_strong(&table.first, &its, NULL);
    if (mine == t)
        mine = NULL;
    if (batch == t)
        batch = NULL;
}

bool bsd_in_batch(const struct tapir *t)
{
    return batch == t;
}

int64_t tapir_batch_begin(void)
{
    struct tapir *t = bsd_current();
    usec now;

    if (!t || !t->stack)
        return tapir_now();
    tapir_enter(t);
    now = t->now;
    batch = t;
    tapir_leave(t);
    return now;
}

void tapir_batch_end(void)
{
    struct tapir *t = batch;

    batch = NULL;
    if (!t)
        return;
    if (!t->sim)
        pthread_mutex_lock(&t->lock);
    tapir_leave(t);
}

/* ---- numbers; the table's lock is held ---- */

static struct numbers *numbers_of(int fd, size_t *i)
{
    bool own = fd >= OWN_FIRST;

    *i = (size_t)(own ? fd - OWN_FIRST : fd);
    return own ? &table.own : &table.low;
}

static int open_inert(void)
{
    struct rlimit limit;

    if (table.inert >= 0)
        return 0;
    table.inert = open("/", O_PATH | O_CLOEXEC);
    if (table.inert < 0)
        return -errno;
    table.low_most = SIZE_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        table.low_most = limit.rlim_cur / 2;
    return 0;
}

static int low_new(int flags)
{
    int err = open_inert(), fd;

    if (err < 0)
        return err;
    fd = fcntl(table.inert, flags & SOCK_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
    if (fd < 0)
        return -errno;
    if (!fdmap_put(&table.low.map, (size_t)fd, TAKEN)) {
        close(fd);
        return -ENOMEM;
    }
    table.low.open++;
    return fd;
}

static int own_new(void)
{
    size_t i = fdmap_free_number(&table.own.map);

    if (i >= OWN_FIRST)
        return -EMFILE;
    if (!fdmap_put(&table.own.map, i, TAKEN))
        return -ENOMEM;
    table.own.open++;
    return OWN_FIRST + (int)i;
}

/* A new number, taken; or negative errno. */
static int number_new(const struct tapir *t, int flags)
{
    int fd = -EMFILE;

    if (!t->many || table.inert < 0 || table.low.open < table.low_most)
        fd = low_new(flags);
    return t->many && fd == -EMFILE ? own_new() : fd;
}

/* The last one gives everything back: a program that ends leaves nothing. */
static void table_shrink(void)
{
    if (table.low.open > 0 || table.own.open > 0)
        return;
    fdmap_done(&table.low.map);
    fdmap_done(&table.own.map);
    close(table.inert);
    table.inert = -1;
}

static void number_free(int fd)
{
    size_t i;
    struct numbers *of = numbers_of(fd, &i);

    fdmap_clear(&of->map, i);
    of->open--;
    if (of == &table.low)
        close(fd);
    table_shrink();
}

static struct file *lookup(int fd)
{
    size_t i;
    const struct numbers *of = numbers_of(fd, &i);
    struct file *f = fd < 0 ? NULL : fdmap_get(&of->map, i);

    if (!f || f == TAKEN)
        return NULL;
    atomic_fetch_add(&f->refs, 1);
    return f;
}

bool number_is_own(int fd)
{
    return fd >= OWN_FIRST;
}

/* ---- files ---- */

static struct file *memory_new(void)
{
    if (table.files.size == 0)
        slab_init(&table.files, NULL, sizeof(struct file), 0);
    return slab_new_zero(&table.files);
}

static void memory_free(struct file *f)
{
    slab_free(&table.files, f);
    if (table.files.used > 0)
        return;
    slab_done(&table.files);
    table.files.size = 0;
}

static struct file *memory_and_number(const struct tapir *t, int flags, int *err)
{
    struct file *f;

    pthread_mutex_lock(&table.lock);
    f = memory_new();
    *err = f ? number_new(t, flags) : -ENOMEM;
    if (f && *err < 0) {
        memory_free(f);
        f = NULL;
    }
    pthread_mutex_unlock(&table.lock);
    return f;
}

struct file *file_new(struct tapir *t, int flags, int *err)
{
    struct file *f = memory_and_number(t, flags, err);

    if (!f)
        return NULL;
    f->t = t;
    atomic_fetch_add(&t->held, 1);
    f->fd = *err;
    f->nonblock = flags & SOCK_NONBLOCK;
    atomic_init(&f->refs, 1);
    list_init(&f->node);
    list_init(&f->waiters);
    list_init(&f->interests);
    return f;
}

void file_open(struct file *f, struct sock *s)
{
    size_t i;
    struct numbers *of = numbers_of(f->fd, &i);

    f->sock = s;
    if (s)
        s->user = f;
    list_add_tail(&f->t->files, &f->node);
    pthread_mutex_lock(&table.lock);
    assert(fdmap_get(&of->map, i) == TAKEN);
    fdmap_put(&of->map, i, f);
    pthread_mutex_unlock(&table.lock);
}

void file_discard(struct file *f)
{
    pthread_mutex_lock(&table.lock);
    number_free(f->fd);
    pthread_mutex_unlock(&table.lock);
    file_put(f);
}

struct file *file_get(int fd)
{
    struct file *f;

    pthread_mutex_lock(&table.lock);
    f = lookup(fd);
    pthread_mutex_unlock(&table.lock);
    return f;
}

size_t file_get_all(const struct pollfd *fds, size_t n, struct file **out)
{
    size_t ours = 0;

    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < n; i++) {
        out[i] = lookup(fds[i].fd);
        ours += out[i] != NULL;
    }
    pthread_mutex_unlock(&table.lock);
    return ours;
}

void file_put(struct file *f)
{
    struct tapir *t = f->t;

    if (atomic_fetch_sub(&f->refs, 1) > 1)
        return; /* somebody else's, and t as well */
    pthread_mutex_lock(&table.lock);
    memory_free(f);
    pthread_mutex_unlock(&table.lock);
    /* Last: tapir_down() frees the stack once nothing is held. */
    atomic_fetch_sub(&t->held, 1);
}

struct file *file_take(int fd)
{
    struct file *f;

    pthread_mutex_lock(&table.lock);
    f = lookup(fd);
    if (f) {
        /* The caller is inside, and has the table's reference. */
        atomic_fetch_sub(&f->refs, 1);
        number_free(fd);
    }
    pthread_mutex_unlock(&table.lock);
    return f;
}

void file_wake(struct file *f)
{
    list_each_safe (at, after, &f->waiters)
        waiter_wake(f->t, list_entry(at, struct waiter, node));
    list_each_safe (at, after, &f->t->pollers)
        waiter_wake(f->t, list_entry(at, struct waiter, node));
    epoll_notice(f);
}

/* IN and OUT have second names, which Linux tells to whoever asks by them. */
static unsigned with_names(unsigned ready)
{
    if (ready & SOCK_IN)
        ready |= POLLRDNORM;
    if (ready & SOCK_OUT)
        ready |= POLLWRNORM;
    return ready;
}

unsigned file_readiness(const struct file *f)
{
    if (f->sock)
        return with_names(sock_readiness(f->sock));
    return f->epoll && epoll_readable(f->epoll) ? SOCK_IN : 0;
}

void file_shut(struct file *f)
{
    struct sock *s = f->sock;
    struct epoll *set = f->epoll;

    if (!s && !set)
        return;
    f->sock = NULL;
    f->epoll = NULL;
    list_del(&f->node);
    epoll_forget(f);
    if (s) {
        s->user = NULL;
        sock_close(s);
    } else {
        epoll_free(set);
    }
    file_wake(f);
}
