/* The commands of the program `tapir`, one cmd_NAME.c each: argv[0] is the command's
 * name; the result is the exit status. 0 done, 1 it failed, 2 the call was wrong (get:
 * curl's numbers). Data goes to stdout, talk to stderr. */
#ifndef TAPIR_TOOLS_COMMANDS_H
#define TAPIR_TOOLS_COMMANDS_H

#include <stdint.h>
#include <stdio.h>

struct options;

struct command {
    const char *name;
    const char *args;    /* "[options] DIR" */
    const char *summary; /* one line */
    const char *options; /* its own options, a line each; "" for none */
    int (*run)(int argc, char **argv);
};

/* Every command that is built; ends with a row whose name is NULL. */
extern const struct command commands[];

/* NULL: no such command. */
const struct command *command_find(const char *name);

/* Prints how a command is called, on stdout. */
void command_help(const struct command *command);

/* Prints all commands. */
void help_all(FILE *out);

/* Tells that there is no such command, or not yet, and returns 2. */
int command_refuse(const char *name);

int serve_run(int argc, char **argv);
int get_run(int argc, char **argv);
int ping_run(int argc, char **argv);
int host_run(int argc, char **argv);
int nc_run(int argc, char **argv);
int perf_run(int argc, char **argv);
int simulation_run(int argc, char **argv);
int wire_run(int argc, char **argv);
int doctor_run(int argc, char **argv);
int drill_command(int argc, char **argv);
int page_command(int argc, char **argv);
int lab_run(int argc, char **argv);
int help_run(int argc, char **argv);

/* Two servers that are also the far end of --link sim. They accept, call
 * options_ready() and serve until options_stopped(o); exit status. */
int serve_files(struct options *o, const char *dir, uint16_t port);
int perf_serve(struct options *o, void *unused);

/* Raises the limit of open descriptors so that so many connections fit beside all else;
 * how many do on the link that was chosen (descriptors.c). */
unsigned descriptors_for(const struct options *o, unsigned connections);

#endif
