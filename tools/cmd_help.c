/* tapir help: the commands; or one command's call, its own options and those of the
 * stack, which it shares with the others. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"

static const char stack_help[] =
    "Options of the stack:\n"
    "      --link LINK          ns: a private network namespace with a TAP device "
    "(this is\n"
    "                           the default); tap:NAME: that device; unix:PATH: a "
    "stream\n"
    "                           socket, each frame behind its length in 4 bytes: who "
    "finds\n"
    "                           nobody there listens, so two tapirs meet in any "
    "order;\n"
    "                           fd:N: an inherited TAP descriptor or stream socket; "
    "sim:\n"
    "                           both ends in this process, in virtual time; kernel: "
    "the\n"
    "                           kernel's own sockets, for comparison\n"
    "      --addr A/P           our address (192.0.2.2/24)\n"
    "      --gateway A[,A...]   our gateway (192.0.2.1), and others for when it is "
    "dead\n"
    "      --host-addr A/P      the kernel's address, where we make the device\n"
    "                           (192.0.2.1/24)\n"
    "      --mac M, --mtu N     our hardware address; the link's MTU (1500)\n"
    "      --no-offload         no super-segments: a segment is a segment\n"
    "      --dns ADDR[,ADDR]    name servers; else those of /etc/resolv.conf, but on "
    "ns "
    "and\n"
    "                           sim none\n"
    "      --netem 'SPEC'       impair the link, in netem's words: delay 20ms 5ms, "
    "loss "
    "1%,\n"
    "                           reorder 2%, duplicate 1%, corrupt 0.1%, rate 10mbit,\n"
    "                           limit 100, codel, ecn, mtu 1400; scripts: drop "
    "in:data:2,\n"
    "                           twice fin:1, hold ack:3 300ms, drop synack:each; in: "
    "or\n"
    "                           out: before a word for one direction (see the man "
    "page)\n"
    "      --profile NAME       what systems differ in: tapir (default), linux, bsd\n"
    "      --sysctl NAME=VALUE  a tunable by its Linux name: net.ipv4.tcp_sack=0\n"
    "      --pcap FILE          capture as pcapng (-: stdout, which it has alone);\n"
    "                           --pcap-raw: as handed to the device\n"
    "      --ladder             packets, states and socket calls as a ladder\n"
    "      --stat               counters and drop reasons at exit\n"
    "      --seed N             of every random choice; told when not given\n"
    "  -- COMMAND ARGS          run COMMAND on the kernel's side of the link: beside "
    "a\n"
    "                           server, whose end and exit status it decides, or as "
    "the\n"
    "                           far side of a client\n"
    "\n"
    "An option may come from the environment: TAPIR_LINK, TAPIR_ADDR, "
    "TAPIR_NO_OFFLOAD=1 ...\n";

void command_help(const struct command *c)
{
    if (!c)
        return;
    printf("tapir %s %s\n\n  %s\n\n", c->name, c->args, c->summary);
    if (*c->options)
        printf("Options:\n%s\n", c->options);
    if (c->run != help_run && c->run != wire_run && c->run != drill_command &&
        c->run != lab_run)
        fputs(stack_help, stdout);
}

void help_all(FILE *out)
{
    fputs("tapir COMMAND [options]: a TCP/IP stack of its own on a TAP device.\n\n",
          out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-8s %s\n", c->name, c->summary);
    fputs("\ntapir help COMMAND tells more. A first look, without any right:\n"
          "  tapir serve --link ns --ladder . -- curl -s http://192.0.2.2/\n",
          out);
}

int help_run(int argc, char **argv)
{
    if (argc < 2) {
        help_all(stdout);
        return 0;
    }
    bool itself = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
    const struct command *command = command_find(itself ? "help" : argv[1]);
    if (!command)
        return command_refuse(argv[1]);
    command_help(command);
    return 0;
}
