/* The program: finds the command and runs it. A command that a later issue owes is
 * refused by its name, one that is none gets the nearest name as a suggestion. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "nearest.h"
#include "options.h"

#define VERSION "0.1"

/* clang-format off */
const struct command commands[] = {
    { "serve", "[options] DIR [-- COMMAND]", "serve the files of a directory over HTTP/1.1",
      "  -p, --port N         port to listen on (80)\n"
      "  --bind ADDR          listen on this address only\n"
      "  --max-connections N  at once; further ones wait in the listener's queue\n"
      "                       (32768; on --link kernel as many as there may be\n"
      "                       descriptors)\n"
      "  --echo PATH          POST and PUT to PATH come back\n"
      "  --follow-links       symbolic links may lead out of DIR; else they are 403\n"
      "  --no-listing         a directory without index.html is 404, not listed\n"
      "  --no-status          do not show TCP's figures of all connections at\n"
      "                       /tapir/status (?json for JSON)\n"
      "  --access-log FILE    a line for each answer (-: stdout)\n"
      "  --log-format F       common (the default), combined, json, or a string with\n"
      "                       nginx's variables: '$remote_addr $request $tcpinfo_rtt'\n"
      "  --header-timeout S   seconds for a whole request head (30)\n"
      "  --body-timeout S     for a whole request body (60)\n"
      "  --idle-timeout S     between two requests of a connection (60)\n"
      "  --send-timeout S     without the client taking 500 bytes a second (60)\n"
      "  --max-line BYTES     of a request line (8192); more is 414\n"
      "  --max-header BYTES   of a request head (16384); more is 431\n"
      "  --max-fields N       lines in it (128, 2048 at most); more is 431\n"
      "  --max-body BYTES     of a request body (16 MiB); more is 413\n"
      "  --max-requests N     of one connection (any number)\n",
      serve_run },
    { "get", "[options] URL... [-- COMMAND]", "fetch with HTTP/1.1; curl's letters and exit codes",
      "  -v                   tell the seven steps of a fetch and their times\n"
      "  -o FILE, -O          write the body to FILE; to one of the URL's name. The\n"
      "                       n-th of these belongs to the n-th URL. -J: of a name that\n"
      "                       the server says, -R: with its date\n"
      "      --output-dir DIR, --create-dirs, --remote-name-all, --no-clobber,\n"
      "                       --skip-existing, --remove-on-error  what files are made\n"
      "  -D FILE              write the heads to FILE\n"
      "  -C FROM, -r RANGE    resume from a byte (-: where the file ends); some bytes\n"
      "  -z DATE, --max-filesize N  only what is newer; not what is larger (63)\n"
      "  -i, -I               print the head, too; ask for the head only\n"
      "  -s, -S               be silent; but still tell errors\n"
      "      --no-progress-meter  no progress on the terminal\n"
      "      --stderr FILE    tell there what goes wrong\n"
      "  -f                   a status of 400 or more is a failure (22); with\n"
      "                       --fail-with-body the body comes all the same\n"
      "      --fail-early     the first failure is the end\n"
      "  -L                   follow redirects; --max-redirs N of them (50)\n"
      "  -d DATA, --data-raw, --data-binary, --json DATA\n"
      "                       POST it, @FILE its content; -G: put it into the URL\n"
      "  -T FILE              PUT it (-: stdin)\n"
      "  -X METHOD            instead of GET, HEAD, POST or PUT\n"
      "  -H LINE, -A NAME, -e URL  a header of one's own, @FILE: its lines; User-Agent;\n"
      "                       Referer (URL;auto: of a redirect, what led there)\n"
      "      --request-target T, --path-as-is  the request's target; with its dots\n"
      "  -u NAME:PASSWORD     Basic credentials, for the first URL's origin;\n"
      "                       --oauth2-bearer TOKEN\n"
      "  -m SECONDS           for the whole fetch; --connect-timeout SECONDS\n"
      "      --retry N        try again what fails for a while; --retry-delay SECONDS,\n"
      "                       --retry-connrefused, --retry-all-errors, --retry-max-time\n"
      "  -0                   ask as HTTP/1.0\n"
      "  -4, -6               use addresses of IPv4, of IPv6 only\n"
      "      --resolve H:P:A  use address A for host H and port P\n"
      "  -g                   take {a,b} and [1-9] in a URL as they are; else they stand\n"
      "                       for several, and #1 in -o for what they are\n"
      "  -K FILE              options from FILE, one a line\n"
      "      --next           what follows has options of its own\n"
      "  -Z                   several at once, --parallel-max N (50)\n"
      "      --pipeline       several requests before the first answer; with -Z on\n"
      "                       several connections\n"
      "  -w FORMAT            print curl's variables at the end, %{json} for all; and of\n"
      "                       TCP: %{tcp_srtt} tcp_rttvar tcp_rto tcp_cwnd_max\n"
      "                       tcp_retrans tcp_dupacks tcp_segs_out tcp_segs_in tcp_state\n",
      get_run },
    { "ping", "[options] HOST", "send ICMP echo requests, as ping(8)",
      "  -c COUNT             end after COUNT requests\n"
      "  -i SECONDS           time between two requests (1)\n"
      "  -s BYTES             data in a request (56)\n"
      "  -W SECONDS           time to wait for the last reply (1)\n"
      "      --json           the result as one JSON object\n",
      ping_run },
    { "host", "[options] NAME | ADDRESS [-- COMMAND]", "look up a name in the DNS, as host(1)",
      "  -t TYPE              A AAAA CNAME MX NS PTR SOA SRV TXT (A, AAAA and MX; of an\n"
      "                       address PTR)\n"
      "      --json           the records as one JSON object\n",
      host_run },
    { "nc", "[options] HOST PORT | -l -p PORT [-- COMMAND]", "connect stdin and stdout to a TCP connection or UDP port",
      "  -l                   listen, take one connection\n"
      "  -p, --port PORT      the port on this side\n"
      "  -u                   UDP\n",
      nc_run },
    { "perf", "-s | -c HOST[:PORT] [options] [-- COMMAND]", "measure TCP throughput; iperf3's words",
      "  -s                   serve: port 5001 discards, 5002 sends, 5003 echoes\n"
      "  -c HOST[:PORT]       send to port 5001 (with -R receive from port 5002)\n"
      "  -R                   receive instead of send\n"
      "  -t SECONDS           how long (10)\n"
      "  -P N                 connections at once (1)\n"
      "      --json           the report as iperf3's JSON: start, intervals, end\n",
      perf_run },
    { "sim", "[options]", "run bulk flows between two hosts in virtual time",
      "  -P N                 flows, each a connection (1)\n"
      "  -t SECONDS           of virtual time that they send (10); or\n"
      "  -n BYTES             what each of them carries: 500, 64K, 10M\n"
      "  -R                   from the second host to the first, which has --netem\n"
      "  -C NAME[,NAME...]    congestion controllers, which the flows take in turn\n"
      "      --stagger SECONDS  between the starts of two flows (0)\n"
      "      --csv FILE       cwnd, rtt ... of each flow over time (-: stdout)\n"
      "  -i SECONDS           between two rows of it (0.1)\n"
      "      --json           the figures as one JSON object\n"
      "  Without --netem the wire is 'delay 10ms rate 10mbit limit 50'.\n",
      simulation_run },
    { "page", "[options] [-- COMMAND]", "fetch a page in several ways over an emulated path, beside theory",
      "      --page BYTES         of the page (8192)\n"
      "      --objects N          that it names (10)\n"
      "      --size BYTES         of each object (20000)\n"
      "  -c, --connections C      at a time, where there are several (4)\n"
      "      --rtt MS             of the path (100)\n"
      "      --rate RATE          of the path, each way (10mbit)\n"
      "      --loss PERCENT       of the packets, each way (0); the formulae have none\n"
      "      --iw N               initial window, segments (10)\n"
      "      --strategy NAMES     single, serial, parallel, keepalive, kparallel,\n"
      "                           pipelined, several with commas, or all (the default)\n"
      "      --table              measured beside the formulae (the default)\n"
      "      --json               the same and every time, as one JSON object\n"
      "      --waterfall          a picture in text: a lane a connection\n"
      "      --svg FILE           the same pictures as SVG (-: stdout)\n"
      "      --har FILE           an HTTP archive (-: stdout)\n"
      "  On a live link, with a server behind --:\n"
      "      --site DIR           write what will be asked for as files below DIR\n"
      "      --server ADDRESS     of the server (192.0.2.1; on --link kernel 127.0.0.1)\n"
      "  -p, --port N             of the server (80)\n"
      "  On --link kernel --rtt, --rate and --iw are what theory is told of the path.\n"
      "  Without --link both ends are in this process, in virtual time.\n",
      page_command },
    { "lab", "[NAME [KEY=VALUE...]] [--check [N=ANSWER...]] [--read FILE]", "the labs of connection management: predict, run, see",
      "      KEY=VALUE        in each experiment, instead of the sheet's: rtt=20\n"
      "      --check          run the experiments only: 1 if one is not where theory has it\n"
      "      N=ANSWER         with --check: is that the answer to question N? 1 if it is not\n"
      "      --read FILE      the lab's picture of a capture (pcapng, pcap; -: stdin) instead:\n"
      "                       a ladder, the table of tuples, the segments of an answer\n"
      "      --json           figures and pictures as one JSON object\n"
      "  Without NAME the labs are listed. All run in virtual time.\n",
      lab_run },
    { "wire", "--link A --link B [--netem 'SPEC'] [options]", "an Ethernet cable with the link emulator in it, in real time",
      "      --link LINK          an end, twice: tap:NAME (made, without an address, if it\n"
      "                           is missing; move it to any namespace then), unix:PATH,\n"
      "                           fd:N\n"
      "      --netem 'SPEC'       'delay 20ms 5ms loss 1% rate 10mbit'; out: is from the\n"
      "                           first end to the second, in: the way back\n"
      "      --mtu N              of devices that are made (1500); frames of any length\n"
      "                           are carried\n"
      "      --pcap FILE          capture as pcapng: each end is an interface, and a frame\n"
      "                           is there as it enters and as it leaves\n"
      "      --stat               counters and drop reasons of each direction at exit\n"
      "      --seed N             of every random choice; told when not given\n"
      "  -t SECONDS               how long (until a signal)\n",
      wire_run },
    { "drill", "[options] FILE.pkt...", "play packetdrill scripts against the stack in virtual time",
      "      --dry-run          read the scripts only\n"
      "      --freebsd          what FreeBSD's packetdrill alone knows, too\n"
      "      --json             the verdicts as JSON objects, a line a file\n"
      "  -D, --define N=VALUE   a word of the scripts and what it stands for\n"
      "      --profile NAME     tapir, or what the scripts were written for: linux, bsd\n"
      "      --sysctl N=VALUE   a tunable by its Linux name, before each script\n"
      "      --ladder           the whole run as a ladder, not a failure's last lines\n"
      "      --pcap FILE        capture as pcapng, of one script\n"
      "      --mtu N, --seed N  of the interface (1500); of every random choice (1)\n"
      "  What stands at the head of a script may be given here: --tolerance_usecs=1000.\n"
      "  Commands in `backticks` are not executed: those that set TCP set the stack.\n",
      drill_command },
    { "doctor", "[options]", "tell what on this host would stop Tapir, and how to mend it",
      "      --json           the findings as JSON\n",
      doctor_run },
    { "help", "[COMMAND]", "tell how the program or a command is called", "", help_run },
    { NULL, NULL, NULL, NULL, NULL },
};

/* Commands of later issues, so that they are not taken for misspellings. */
static const char *const later[] = {
    "up", "run", "ss", "stat", "explain", "plot", "top", NULL,
};
/* clang-format on */

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static bool is_later(const char *name)
{
    for (int i = 0; later[i]; i++)
        if (strcmp(later[i], name) == 0)
            return true;
    return false;
}

int command_refuse(const char *name)
{
    char what[120], fix[120] = "tapir help lists the commands";
    struct nearest near = { .word = name };
    if (is_later(name)) {
        snprintf(what, sizeof what, "%s is not built yet", name);
        return tell_later(what, "tapir help lists the commands that work today");
    }
    if (name[0] == '-') {
        snprintf(what, sizeof what, "a command is missing before '%.60s'", name);
        return tell_usage(what,
                          "tapir COMMAND [options]; tapir help lists the commands");
    }
    for (const struct command *c = commands; c->name; c++)
        nearest_try(&near, c->name);
    snprintf(what, sizeof what, "unknown command '%.60s'", name);
    if (near.best)
        snprintf(fix, sizeof fix, "did you mean: tapir %s", near.best);
    return tell_usage(what, fix);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help_all(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("tapir " VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help_run(0, argv);
    const struct command *command = command_find(argv[1]);
    return command ? command->run(argc - 1, argv + 1) : command_refuse(argv[1]);
}
