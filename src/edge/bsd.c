/* The table of descriptors, and the one place with process-wide state.
 *
 * A descriptor of Tapir is a real number of this process: a duplicate of one inert
 * kernel descriptor (an O_PATH one: the kernel refuses to read, write or poll it). So
 * it is the smallest free number, never one that the kernel uses, and small enough for
 * an fd_set. The table says which numbers are ours; the others go to the kernel.
 *
 *     fd ──► table.low.at[fd] ──► struct file ──► struct sock (or struct epoll)
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
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OWN_FIRST = 1 << 30 };

struct numbers {
    struct file **at; /* by number; NULL: not ours, or free */
    size_t n;         /* slots in it */
    size_t open;      /* numbers given out */
};

static struct {
    pthread_mutex_t lock;
    struct numbers low;  /* the process's descriptors */
    struct numbers own;  /* Tapir's own, less OWN_FIRST */
    size_t own_next;     /* where the search for a free one begins */
    size_t low_most;     /* of a stack with many: low ones at most */
    int inert;           /* what descriptors are duplicates of; -1: not yet open */
    struct tapir *first; /* everybody's stack who chose none */
} table = { .lock = PTHREAD_MUTEX_INITIALIZER, .inert = -1 };

/* In a slot of table.own: given out, and not yet open. */
#define TAKEN ((struct file *)(void *)&table)

static _Thread_local struct tapir *mine; /* by tapir_use() */

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
    struct tapir *t = mine;

    if (t)
        return t;
    pthread_mutex_lock(&table.lock);
    t = table.first;
    pthread_mutex_unlock(&table.lock);
    return t;
}

struct tapir *tapir_use(struct tapir *t)
{
    struct tapir *before = mine;

    mine = t;
    return before;
}

void bsd_stack_up(struct tapir *t)
{
    pthread_mutex_lock(&table.lock);
    if (!table.first)
        table.first = t;
    pthread_mutex_unlock(&table.lock);
}

void bsd_stack_down(struct tapir *t)
{
    pthread_mutex_lock(&table.lock);
    if (table.first == t)
        table.first = NULL;
    pthread_mutex_unlock(&table.lock);
    if (mine == t)
        mine = NULL;
}

/* ---- numbers; the table's lock is held ---- */

static bool make_room(struct numbers *of, size_t n)
{
    size_t want = of->n ? of->n : 64;
    struct file **more;

    if (n <= of->n)
        return true;
    while (want < n)
        want *= 2;
    more = realloc(of->at, want * sizeof(struct file *));
    if (!more)
        return false;
    memset(more + of->n, 0, (want - of->n) * sizeof(struct file *));
    of->at = more;
    of->n = want;
    return true;
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
    err = fd < 0 ? -errno : make_room(&table.low, (size_t)fd + 1) ? 0 : -ENOMEM;
    if (fd >= 0 && err < 0)
        close(fd);
    table.low.open += err == 0;
    return err < 0 ? err : fd;
}

static int own_new(void)
{
    struct numbers *own = &table.own;
    size_t i = table.own_next;

    if (own->open == OWN_FIRST)
        return -EMFILE;
    if (own->open == own->n && !make_room(own, own->n + 1))
        return -ENOMEM;
    while (own->at[i % own->n])
        i++;
    i %= own->n;
    own->at[i] = TAKEN;
    own->open++;
    table.own_next = i + 1;
    return OWN_FIRST + (int)i;
}

/* A new number, the table has room for it; or negative errno. */
static int number_new(const struct tapir *t, int flags)
{
    int fd = -EMFILE;

    if (!t->many || table.inert < 0 || table.low.open < table.low_most)
        fd = low_new(flags);
    return t->many && fd == -EMFILE ? own_new() : fd;
}

static void numbers_free(struct numbers *of)
{
    free(of->at);
    *of = (struct numbers){ 0 };
}

/* The last one gives everything back: a program that ends leaves nothing. */
static void table_shrink(void)
{
    if (table.own.open == 0) {
        numbers_free(&table.own);
        table.own_next = 0;
    }
    if (table.low.open > 0 || table.own.open > 0)
        return;
    numbers_free(&table.low);
    close(table.inert);
    table.inert = -1;
}

/* The number's slot; NULL when it has none. */
static struct file **slot(int fd)
{
    struct numbers *of = fd >= OWN_FIRST ? &table.own : &table.low;
    size_t i = (size_t)(fd >= OWN_FIRST ? fd - OWN_FIRST : fd);

    return fd >= 0 && i < of->n ? &of->at[i] : NULL;
}

static void number_free(int fd)
{
    *slot(fd) = NULL;
    if (fd >= OWN_FIRST) {
        table.own.open--;
    } else {
        close(fd);
        table.low.open--;
    }
    table_shrink();
}

static struct file *lookup(int fd)
{
    struct file **at = slot(fd), *f = at ? *at : NULL;

    if (!f || f == TAKEN)
        return NULL;
    atomic_fetch_add(&f->refs, 1);
    atomic_fetch_add(&f->t->inside, 1);
    return f;
}

bool number_is_own(int fd)
{
    return fd >= OWN_FIRST;
}

/* ---- files ---- */

struct file *file_new(struct tapir *t, int flags, int *err)
{
    struct file *f = calloc(1, sizeof *f);

    *err = -ENOMEM;
    if (!f)
        return NULL;
    f->t = t;
    f->nonblock = flags & SOCK_NONBLOCK;
    atomic_init(&f->refs, 1);
    list_init(&f->node);
    list_init(&f->waiters);
    list_init(&f->interests);
    pthread_mutex_lock(&table.lock);
    *err = f->fd = number_new(t, flags);
    pthread_mutex_unlock(&table.lock);
    if (f->fd >= 0)
        return f;
    free(f);
    return NULL;
}

void file_open(struct file *f, struct sock *s)
{
    f->sock = s;
    if (s)
        s->user = f;
    list_add_tail(&f->t->files, &f->node);
    pthread_mutex_lock(&table.lock);
    assert(!*slot(f->fd) || *slot(f->fd) == TAKEN);
    *slot(f->fd) = f;
    pthread_mutex_unlock(&table.lock);
}

void file_discard(struct file *f)
{
    pthread_mutex_lock(&table.lock);
    number_free(f->fd);
    pthread_mutex_unlock(&table.lock);
    free(f);
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

    if (atomic_fetch_sub(&f->refs, 1) == 1)
        free(f);
    /* Last: tapir_down() frees the stack once nobody is inside. */
    atomic_fetch_sub(&t->inside, 1);
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

unsigned file_readiness(const struct file *f)
{
    if (f->sock)
        return sock_readiness(f->sock);
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
