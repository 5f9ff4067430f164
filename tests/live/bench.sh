#!/bin/sh
# The bench itself: every figure comes out, JSON says the same as the tables, what is
# missing is said, wrong calls are refused, and nothing is left behind. The runs are too
# short for figures that mean something. Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
bench=tools/bench/bench.sh
tools=build/bench
passed=0 failed=0 skipped=0

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@" >"$dir/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        tail -n 30 "$dir/said" | sed 's/^/     | /'
    fi
}
skip() {
    skipped=$((skipped + 1))
    echo "skip $1: $2"
}
expect() {
    want=$1
    shift
    "$@"
    got=$?
    [ "$got" -eq "$want" ] || { echo "exit $got, not $want"; return 1; }
}

short() {
    RUNS=1 BENCH_SECONDS=0.1 BENCH_CONNS=50 timeout 100 "$bench" "$@"
}

ALL="bulk-in bulk-in-plain bulk-out bulk-out-plain file requests-1 requests-1-p50
requests-1-p99 requests-64 requests-64-p99 connect connect-p99 rtt-1-p50 rtt-1-p99
rtt-1024-p50 rtt-1024-p99 beside-in-p50 beside-in-p99 beside-in-flow beside-out-p50
beside-out-p99 beside-out-flow fair-in fair-in-sum fair-out fair-out-sum memory-idle
memory-kept"

# Every table is there, its row of Tapir has a figure, and so have all others but those
# whose program is not installed.
all_figures() {
    BENCH_JSON=$dir/json short >"$dir/tables" 2>"$dir/errors" || { cat "$dir/errors"; return 1; }
    bad=
    for figure in $ALL; do
        awk -v name="$figure:" '
            $1 == name { inside = 1 }
            inside && $1 == "Tapir" { if ($2 > 0) found = 1; exit }
            END { exit !found }' "$dir/tables" || { echo "no figure in $figure"; bad=1; }
    done
    grep 'none: ' "$dir/tables" | grep -Ev 'is (not installed|missing)' && bad=1
    if [ -n "$bad" ] || [ -s "$dir/errors" ]; then
        cat "$dir/errors" "$dir/tables"
        return 1
    fi
}

json_agrees() {
    python3 - "$dir/json" $ALL <<'END'
import json, sys
got = json.load(open(sys.argv[1]))
assert "Linux" in got["machine"], got["machine"]
names = [f["name"] for f in got["figures"]]
assert names == sys.argv[2:], names
for figure in got["figures"]:
    first = figure["subjects"][0]
    assert first["key"] == "tapir" and len(first["values"]) == 1, figure
    assert first["values"][0] == first["median"] > 0, figure
END
}

# A server that cannot be had is a row with its reason, and the others have theirs.
missing_is_said() {
    NGINX=no-such-server short requests-1 >"$dir/tables" || return 1
    cat "$dir/tables"
    grep -q 'nginx over veth .*none: no-such-server is not installed' "$dir/tables" &&
        ! grep 'Tapir  .*none' "$dir/tables"
}

stops_at_once() {
    BENCH_SECONDS=8 "$bench" rtt >"$dir/tables" 2>&1 &
    it=$!
    sleep 2
    begun=$(load_runs && echo yes)
    kill $it
    wait $it
    [ $? -ge 128 ] && [ "$begun" = yes ] || return 1
    sleep 0.2
    ! load_runs
}
# Does our load, with these seconds?
load_runs() {
    for line in /proc/[0-9]*/cmdline; do
        tr '\0' ' ' <"$line" 2>/dev/null | grep -q 'bench/load echo .*-s 1 -t 4 ' && return 0
    done
    return 1
}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/tmp"
export TMPDIR="$dir/tmp"

check "a figure that does not exist is refused with 2" expect 2 "$bench" no-such-figure
check "load without a kind is refused with 2" expect 2 $tools/load
check "load of a kind that does not exist is refused with 2" expect 2 $tools/load x 127.0.0.1:1
check "load with a bad option is refused with 2" expect 2 $tools/load get 127.0.0.1:1 -c 0
check "limit without a device is refused with 2" expect 2 $tools/limit
check "table of something else is refused with 1" expect 1 $tools/table </dev/zero
may=
for how in "unshare -n" "unshare -Urn"; do
    [ -n "$may" ] || ! $how -p -f --mount-proc true 2>/dev/null || may=$how
done
if [ -n "$may" ] && [ -w /dev/net/tun ]; then
    check "every figure comes out" all_figures
    if command -v python3 >/dev/null; then
        check "JSON has all figures" json_agrees
    else
        skip "JSON has all figures" "python3 is missing"
    fi
    check "what is missing is said in its row" missing_is_said
    check "a signal ends the bench and all it began" stops_at_once
    check "nothing is left in the directory for temporary files" rmdir "$dir/tmp"
else
    for name in "every figure comes out" "JSON has all figures" \
        "what is missing is said in its row" "a signal ends the bench and all it began"; do
        skip "$name" "no namespaces or no TAP device here"
    done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
