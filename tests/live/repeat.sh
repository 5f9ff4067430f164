#!/bin/sh
# One seed, one run: the capture of a run in virtual time is the same, byte for byte,
# when it is run again and when another compiler or a sanitizer built the program; and
# another seed gives another one. The builds are those of `make test`, and those named in
# MORE (`make CC=clang B=build/clang && MORE=build/clang/tapir tests/live/repeat.sh`).
# Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
tapir=${TAPIR:-build/tapir}
more="build/address-undefined/tapir $MORE"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
weather='delay 20ms 5ms loss 3% reorder 2% duplicate 1% corrupt 0.5%'
script=tests/drill/congestion/partial-ack.pkt

good() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; }

# The runs: PROGRAM SEED CAPTURE. What they say is not looked at.
get() {
    timeout 60 "$1" get --link sim --netem "$weather" --seed "$2" --pcap "$3" -o /dev/null \
        http://192.0.2.1/window.svg
}
flows() {
    timeout 60 "$1" sim -P 3 -t 2 -C reno,cubic --netem "$weather rate 10mbit limit 50" \
        --seed "$2" --pcap "$3"
}
lossless() { timeout 60 "$1" sim -n 1M --seed "$2" --pcap "$3"; }
drill() { timeout 60 "$1" drill --seed "$2" --pcap "$3" "$script"; }

# captures RUN PROGRAM SEED: the capture is in $dir/got, and holds packets.
captures() {
    rm -f "$dir/got"
    "$1" "$2" "$3" "$dir/got" >"$dir/said" 2>&1
    [ -f "$dir/got" ] && [ "$(wc -c <"$dir/got")" -gt 1000 ]
}
# same RUN PROGRAM: it is the capture of the first run.
same() {
    if captures "$1" "$2" 7 && cmp "$dir/first" "$dir/got"; then
        good "$1, $2"
    else
        bad "$1: $2 gives another capture with the same seed"
        tail -n 5 "$dir/said" | sed 's/^/     | /'
    fi
}

for run in get flows lossless drill; do
    captures $run "$tapir" 7 || bad "$run: no capture"
    mv "$dir/got" "$dir/first"
    same $run "$tapir"
    for program in $more; do
        [ -x "$program" ] && same $run "$program"
    done
    captures $run "$tapir" 8
    if cmp -s "$dir/first" "$dir/got"; then
        bad "$run: seeds 7 and 8 give the same capture"
    else
        good "$run, another seed"
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
