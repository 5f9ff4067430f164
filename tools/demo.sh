#!/bin/sh
# demo.sh TAPIR: the main job, in front of your eyes; what `make demo` runs. Two fetches
# over our own TCP/IP, one in each role, with every packet shown; ends by itself.
tapir=${1:-build/tapir}
site=$(dirname "$0")/site
bold='' plain='' dim=''
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi
# Options of the user's environment must not change what is shown.
for name in LINK ADDR GATEWAY HOST_ADDR MAC MTU NO_OFFLOAD NETEM SYSCTL PCAP PCAP_RAW \
    LADDER STAT SEED; do
    unset "TAPIR_$name"
done

title() {
    printf '\n%s== %s%s\n\n' "$bold" "$1" "$plain" >&2
}
text() {
    sed 's/^/   /' >&2
}
# Shows a command as one would type it, then runs it.
run() {
    printf '%s   $' "$dim" >&2
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=,-]*) printf " '%s'" "$word" >&2 ;;
        *) printf ' %s' "$word" >&2 ;;
        esac
    done
    printf '%s\n\n' "$plain" >&2
    "$@"
}
# Bare segments: no super-segments of the device, no timestamps in each header.
plain_link='--no-offload --sysctl net.ipv4.tcp_timestamps=0'
fail() {
    printf '\n%s== The demo failed: %s%s\n' "$bold" "$1" "$plain" >&2
    exit 1
}

how_to_read() {
    text <<'END'
How to read it: time in seconds; our end on the left, the other's on the right, and the packets
between them: flags (S SYN, F FIN, R RST, P push, a dot is ACK), first:next(bytes of text),
acknowledgment, window, options. Numbers count from the first of the connection. In between:
the states of our connection (*), and the socket calls.
END
}

live() {
    title '1. A client of the kernel fetches from our server'
    text <<'END'
A private network namespace with a TAP device in it. On one side the kernel, 192.0.2.1; on
the other 192.0.2.2, which is this program alone: it answers ARP, ICMP and TCP itself. Offload
and timestamps are off, so that what you see is TCP at its barest: 20 bytes of IPv4 header, 20 of
TCP header, up to 1460 of text. Only the handshake has options.
END
    echo >&2
    how_to_read
    echo >&2
    if command -v curl >/dev/null; then
        set -- curl -sS --noproxy '*' -o /dev/null -o /dev/null \
            -w 'curl: %{http_code}, %{size_download} bytes\n' \
            http://192.0.2.2/ http://192.0.2.2/window.svg
    else
        set -- "$tapir" get --link kernel -sS -o /dev/null http://192.0.2.2/
    fi
    # shellcheck disable=SC2086
    run "$tapir" serve --link ns $plain_link --ladder "$site" -- "$@" ||
        fail 'the client did not get its page'

    title '2. Our client fetches from a server of the kernel'
    text <<'END'
The other way round: the same file server, on the kernel's sockets this time, and our
client with -v, which tells the seven steps of a fetch and when each was done.
END
    echo >&2
    # shellcheck disable=SC2086
    run "$tapir" get --link ns $plain_link --ladder -v -sS -o /dev/null http://192.0.2.1/ \
        -- "$tapir" serve --link kernel "$site" ||
        fail 'our client did not get its page'
}

simulated() {
    title 'No namespace and no TAP device here, so this runs on the simulated link'
    text <<'END'
Both ends are in this process, two stacks with a wire between them, in virtual time. Nothing
is sent anywhere, but all that is shown is what a wire would carry. `tapir doctor` says what
is missing for the real thing.
END
    title '1. A visitor fetches the site from our server'
    how_to_read
    echo >&2
    # shellcheck disable=SC2086
    run "$tapir" serve --link sim $plain_link --ladder "$site" || fail 'the visitor got no page'
    title '2. Our client fetches from the far end'
    # shellcheck disable=SC2086
    run "$tapir" get --link sim $plain_link --ladder -v -sS -o /dev/null http://192.0.2.1/ ||
        fail 'our client did not get its page'
}

# Whether it is permitted is best known by trying.
if [ "${DEMO_LINK:-ns}" = ns ] && "$tapir" serve --link ns "$site" -- true 2>/dev/null; then
    live
else
    simulated
fi
title 'Done'
text <<'END'
build/tapir help           the commands
build/tapir doctor         what this host permits
make test                  the proof
END
