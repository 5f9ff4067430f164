#!/bin/sh
# Plays every script of the folders beside this file against the stack, built with
# AddressSanitizer: `make test T=drill`, or one alone: build/tapir drill FILE.
#
# How a script is written. One folder a theme or section, one rule a script, as few
# lines as show it; it is read as the specification of our TCP.
#
#   // tests/drill/rst/in-window.pkt: RFC 5961 s3.2 (MUST-...), what holds, in a sentence.
#   // (Where the connection stands when it begins, if that is not plain.)
#
# - The comment names the file, RFC and section; a MUST has its number.
# - Times are what the rule says, and round: +.1 is the round trip. `+0` means at once.
# - `win` and options stand on a packet that is sent where the rule is about them; on
#   the SYN-ACK <...> otherwise. Numbers are literals.
# - A tunable that the script needs is set in its first line: `sysctl -q net.ipv4...`,
#   or `sysctl -qe tapir...` where Linux has none and would fail. Else the stack's
#   defaults hold (profile tapir: no script needs another one).
# - Google's packetdrill plays it, too, with build/libtapir-packetdrill.so, profile=tapir
#   and what is set below `tapir.` as words of --so_flags. It has no SIOCOUTQ, no TCP_WINDOW_CLAMP, no
#   fd=0 of an event and no packets for a socket that does nothing; calls take some
#   microseconds there.
# - It ends where the rule has been shown: nothing has to be closed.
cd "$(dirname "$0")/../.." || exit 1
tapir=${TAPIR:-build/address-undefined/tapir}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
"$tapir" drill tests/drill/*/*.pkt >"$log"
status=$?
grep -v '^PASS' "$log"
passed=$(grep -c '^PASS' "$log")
failed=$(grep -c '^FAIL' "$log")
[ "$status" -le 2 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, 0 skipped"
[ "$status" -eq 0 ]
