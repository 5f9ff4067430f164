/* Running a command. On a live link: the stack comes up (with --link ns this moves the
 * process into a namespace of its own, so it happens before any thread or child), the
 * COMMAND behind "--" is started as a child, the body runs, the stack goes down, and
 * the child ends. Signals become one byte in a pipe, which bodies watch as `stop_fd`:
 *
 *     SIGINT, SIGTERM ------------+
 *     COMMAND of a server ended --+--> pipe --> stop_fd readable --> the body returns
 *
 * A server's COMMAND stays in the foreground, so that it may be a shell: an interrupt
 * from the terminal is its own affair, as with system(3). A client's COMMAND is the far
 * side: a process group of its own without input, ended when the client is done. Either
 * dies with this program, even if that is killed.
 *
 * On a simulated link the body is a program of one host and far.c those of the
 * other. */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tapir/sim.h"
#include "turns.h"

enum { FAR_WAIT_MS = 3000, END_WAIT_MS = 500, SAME_WISH_MS = 200 };

/* Signals are the process's, so what they touch is too. */
static struct {
    int pipe[2];
    volatile sig_atomic_t wishes;      /* to end: SIGINT and SIGTERM, how often */
    volatile int64_t wished_at;        /* when last, milliseconds; the handler's own */
    volatile sig_atomic_t interrupted; /* one of them was SIGINT */
    volatile sig_atomic_t child;       /* COMMAND's pid (its group, when negative) */
    volatile sig_atomic_t watched;     /* the body looks at stop_fd */
} process = { .pipe = { -1, -1 } };

/* --- signals --- */

static void wake_body(void)
{
    int saved = errno;
    if (write(process.pipe[1], "!", 1) < 0) {
        /* The pipe is full: it is readable, which is all that was wanted. */
    }
    errno = saved;
}

/* timeout(1), and some shells, signal a process and then its whole group: what comes
 * that soon again is the same wish, not a second one. */
static bool same_wish(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    bool same = process.wishes && ms - process.wished_at < SAME_WISH_MS;
    process.wished_at = ms;
    return same;
}

static void on_end(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (same_wish())
        return;
    /* From the terminal: a foreground COMMAND got it too and decides. */
    if (signal == SIGINT && process.child > 0 && info->si_code == SI_KERNEL)
        return;
    process.wishes++;
    process.interrupted |= signal == SIGINT;
    if (process.watched && process.wishes < 2) {
        wake_body();
        return;
    }
    if (process.child)
        kill(process.child, SIGTERM);
    _exit(128 + signal);
}

static void on_child(int signal)
{
    (void)signal;
    wake_body();
}

static void catch_signals(const struct options *o, const struct job *job)
{
    struct sigaction end = { .sa_sigaction = on_end, .sa_flags = SA_SIGINFO };
    struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    process.watched = job->watches;
    sigaction(SIGPIPE, &ignore, NULL); /* a closed stdout is an error, not a death */
    if (job->watches || o->command) {
        sigaction(SIGINT, &end, NULL);
        sigaction(SIGTERM, &end, NULL);
    }
    if (job->server && o->command)
        sigaction(SIGCHLD, &child, NULL);
}

/* --- COMMAND --- */

/* In the child: what must be done before exec. */
static void become_command(const struct options *o)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGCHLD, SIGPIPE };
    struct sigaction normal = { .sa_handler = SIG_DFL };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &normal, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!o->server) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, STDIN_FILENO);
        setpgid(0, 0);
    }
    execvp(o->command[0], o->command);
    dprintf(STDERR_FILENO, "tapir: cannot run %s: %s\n", o->command[0],
            strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static void start_command(struct options *o)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become_command(o);
    if (pid < 0) {
        tell("cannot start the COMMAND", strerror(errno), NULL);
        return;
    }
    if (!o->server)
        setpgid(pid, pid);
    o->child = o->server ? pid : -pid;
    process.child = o->child;
}

/* Has COMMAND ended? Its status goes to *status. */
static bool command_ended(struct options *o, int *status)
{
    int raw;
    pid_t pid = o->child < 0 ? -o->child : o->child;
    if (o->child == 0 || waitpid(pid, &raw, WNOHANG) != pid)
        return false;
    o->child = 0;
    process.child = 0;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return true;
}

/* Ends COMMAND: asks, and after half a second insists. */
static void end_command(struct options *o)
{
    int status;
    pid_t target = o->child;
    if (command_ended(o, &status) || target == 0) {
        if (target < 0)
            kill(target, SIGTERM); /* what it left behind in its group */
        return;
    }
    kill(target, SIGTERM);
    for (int ms = 0; ms < END_WAIT_MS; ms += 5) {
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        if (command_ended(o, &status))
            return;
    }
    kill(target, SIGKILL);
    waitpid(target < 0 ? -target : target, NULL, 0);
}

void options_address(const struct options *o, char *host, size_t cap)
{
    const char *addr = o->config.addr ? o->config.addr : "192.0.2.2";
    bool kernel = o->config.link && strcmp(o->config.link, "kernel") == 0;

    snprintf(host, cap, "%s", kernel ? "localhost" : addr);
    host[strcspn(host, "/")] = '\0';
}

void options_ready(struct options *o, const char *format, ...)
{
    va_list args;
    if (o->quiet)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (o->command && o->server && !o->ready)
        start_command(o);
    o->ready = true;
}

bool options_stopped(const struct options *o)
{
    struct pollfd p = { .fd = o->stop_fd, .events = POLLIN };
    return o->stopped || (o->stop_fd >= 0 && poll(&p, 1, 0) > 0);
}

int options_status(const struct options *o, int status)
{
    (void)o;
    return process.interrupted ? 130 : status;
}

/* --- waiting for the far side --- */

/* Does anything listen on the port in this network namespace? Asking the kernel's table
 * disturbs nobody; a trial connection would use up the only accept of an `nc -l`. */
static bool kernel_listens(const char *table, uint16_t port)
{
    char line[256];
    unsigned local, state;
    bool found = false;
    FILE *f = fopen(table, "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f))
        found = sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &local, &state) ==
                    2 &&
                local == port && state == 0x0a;
    fclose(f);
    return found;
}

void options_wait_far(struct options *o, uint16_t port)
{
    if (!o->command || o->server)
        return;
    for (int ms = 0; ms < FAR_WAIT_MS && o->child; ms += 10) {
        int status;
        if (kernel_listens("/proc/net/tcp", port) ||
            kernel_listens("/proc/net/tcp6", port) || options_stopped(o))
            return;
        if (command_ended(o, &status))
            fprintf(stderr, "tapir: %s ended with status %d\n", o->command[0], status);
        tapir_sleep(10000);
    }
}

/* --- a live link --- */

/* 2 when an option's value is wrong ("bad --sysctl ...", "bad TAPIR_..."), else the
 * job's own number. */
static int link_failed(const struct tapir_error *error, int err, const struct job *job)
{
    tell(error->what[0] ? error->what : strerror(err), error->cause, error->fix);
    return strncmp(error->what, "bad ", 4) == 0 ? 2 : job->failed;
}

/* A run that is looked at closely can be repeated: its seed is told. */
static void tell_seed(const struct options *o, uint64_t seed)
{
    const struct tapir_config *c = &o->config;
    bool kernel = c->link && strcmp(c->link, "kernel") == 0;
    if (!c->seeded && !kernel && (c->ladder || c->stat || c->pcap || c->netem))
        fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
}

/* The kernel's own sockets: what is asked of our stack does not happen, and that is
 * told. */
static void tell_kernel(const struct options *o)
{
    const struct tapir_config *c = &o->config;
    if (strcmp(c->link, "kernel") != 0)
        return;
    if (c->netem || c->profile || c->n_sysctl || c->pcap || c->ladder || c->stat)
        fputs("tapir: on --link kernel there is no stack of ours: --netem, --profile, "
              "--sysctl, --pcap, --ladder and --stat do nothing\n",
              stderr);
}

/* The stack of a live link. 0, or an exit status. */
static int bring_up(struct options *o, const struct job *job)
{
    struct tapir_error error = { .what = "" };
    o->tapir = tapir_up_error(&o->config, &error);
    if (!o->tapir)
        return link_failed(&error, errno, job);
    tell_kernel(o);
    tell_seed(o, tapir_seed(o->tapir));
    return 0;
}

static int run_live(struct options *o, const struct job *job)
{
    int ended = 0, failed = job->bare ? 0 : bring_up(o, job);
    if (failed)
        return failed;
    catch_signals(o, job);
    if (o->command && !o->server)
        start_command(o);

    int status = job->body(o, job->arg);
    fflush(stdout);
    if (o->server && command_ended(o, &ended) && status == 0)
        status = ended;
    tapir_down(o->tapir);
    end_command(o);
    return options_status(o, status);
}

/* --- a simulated link --- */

struct simulation {
    const struct job *job;
    struct options *near, *far;
    int status;
};

static void near_program(void *arg)
{
    struct simulation *s = arg;
    s->status = s->job->body(s->near, s->job->arg);
    s->far->stopped = true;
}

/* A server of ours is visited once, then it may go. */
static void visitor_program(void *arg)
{
    struct simulation *s = arg;
    char host[64];
    const char *addr = s->near->config.addr;
    snprintf(host, sizeof host, "%s", addr ? addr : "192.0.2.2");
    host[strcspn(host, "/")] = '\0';
    int status = far_visit(s->far, host, s->job->visit);
    if (s->status == 0)
        s->status = status;
    s->near->stopped = true;
}

static int start_programs(struct simulation *s)
{
    int err;
    if (s->job->server) {
        err = sim_spawn(s->near->tapir, near_program, s);
        return err < 0 ? err : sim_spawn(s->far->tapir, visitor_program, s);
    }
    /* The services listen before anyone asks for them: started first, run first. */
    err = far_start(s->far);
    return err < 0 ? err : sim_spawn(s->near->tapir, near_program, s);
}

static int simulate(struct sim *sim, struct simulation *s)
{
    const int64_t day = INT64_C(86400) * 1000000;
    struct tapir_error error = { .what = "" };
    s->near->tapir = sim_host(sim, &s->near->config, &error);
    if (!s->near->tapir)
        return link_failed(&error, errno, s->job);
    s->far->tapir = sim_host(sim, &s->far->config, &error);
    if (!s->far->tapir)
        return link_failed(&error, errno, s->job);
    /* A wire without any delay would hide all that takes a round trip. */
    bool delay = s->near->config.netem && strstr(s->near->config.netem, "delay");
    int err = sim_wire(sim, s->near->tapir, s->far->tapir, delay ? NULL : "delay 5ms");
    if (err == 0)
        err = start_programs(s);
    if (err == 0)
        err = sim_run(sim, day);
    if (err == 0)
        return s->status;
    tell("the simulation did not come to its end", strerror(-err), NULL);
    return s->job->failed;
}

static int run_sim(struct options *o, const struct job *job)
{
    struct options far = { .sim = true, .quiet = true, .stop_fd = -1, .server = true };
    struct simulation s = { .job = job, .near = o, .far = &far };
    if (job->server && job->visit == 0)
        return tell_usage("this server has no use on --link sim: nobody would call",
                          "use --link ns, tap:NAME or kernel");
    if (!o->config.seeded) {
        if (getrandom(&o->config.seed, sizeof o->config.seed, 0) < 0)
            o->config.seed = (uint64_t)time(NULL);
        tell_seed(o, o->config.seed);
        o->config.seeded = true;
    }
    far.config = (struct tapir_config){
        .addr = o->config.host_addr ? o->config.host_addr : "192.0.2.1/24",
        .gateway = "",
        .mtu = o->config.mtu,
        .no_offload = true,
        .seeded = true,
        .seed = o->config.seed + 1,
    };
    turns_on_one_processor();
    struct sim *sim = sim_new(o->config.seed);
    if (!sim) {
        tell("cannot make a simulation", "there is no memory", NULL);
        return job->failed;
    }
    int status = simulate(sim, &s);
    fflush(stdout);
    sim_free(sim);
    return status;
}

/* A capture on stdout has it alone: what else would go there goes to stderr, and the
 * capture to a duplicate of the descriptor, by its name. */
static int give_stdout_to_capture(struct options *o)
{
    static char name[32];
    int fd;

    if (!o->config.pcap || strcmp(o->config.pcap, "-") != 0)
        return 0;
    fflush(stdout);
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return -errno;
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    o->config.pcap = name;
    return 0;
}

int options_run(struct options *o, const struct job *job)
{
    o->server = o->config.many = job->server;
    if (give_stdout_to_capture(o) < 0) {
        tell("cannot write the capture to stdout", strerror(errno), "--pcap FILE");
        return job->failed;
    }
    if (o->sim)
        return run_sim(o, job);
    if (pipe2(process.pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
        tell("cannot make a pipe", strerror(errno), NULL);
        return job->failed;
    }
    o->stop_fd = process.pipe[0];
    return run_live(o, job);
}
