#!/bin/sh
# `tapir get` against awkward servers: over the kernel's sockets on loopback, over a TAP
# device in a namespace of its own (without it that part is skipped), and in virtual time.
# Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
tapir=$PWD/${TAPIR:-build/tapir}
probe=$PWD/tests/live/http_client.py
passed=0 failed=0 skipped=0
if ! command -v python3 >/dev/null; then
    echo "skip http_client: python3 is missing"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# probe LINK COMMAND...: what http_client.py says, a link's name in front.
probe() {
    link=$1
    shift
    "$@" >"$dir/said" 2>&1
    grep -v ' passed, ' "$dir/said" | sed "s/^\(ok  \|FAIL\) /\1 $link: /"
    grep -q ' passed, ' "$dir/said" || failed=$((failed + 1))
    passed=$((passed + $(grep -c '^ok ' "$dir/said")))
    failed=$((failed + $(grep -c '^FAIL' "$dir/said")))
}
probe kernel python3 "$probe" "$tapir" get --link kernel -sS

tap=
for how in "unshare -n" "unshare -Urn"; do
    [ -z "$tap" ] && $how true 2>/dev/null && [ -w /dev/net/tun ] &&
        command -v ip >/dev/null && tap=$how
done
if [ -n "$tap" ]; then
    # The device stays, so that servers can listen on its kernel side before a fetch.
    probe tap env HOST=192.0.2.1 WORKERS=1 $tap sh -c "
        ip link set lo up && ip tuntap add tapirget mode tap &&
        ip addr add 192.0.2.1/24 dev tapirget && ip link set tapirget up &&
        python3 '$probe' '$tapir' get --link tap:tapirget -sS"
else
    skipped=$((skipped + 1))
    echo "skip tap: no right to a namespace or a TAP device"
fi

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@" >"$dir/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   sim: $name"
    else
        failed=$((failed + 1))
        echo "FAIL sim: $name"
        tail -n 12 "$dir/said" | sed 's/^/     | /'
    fi
}
sim() {
    "$tapir" get --link sim --seed 1 -s "$@"
}
site=http://192.0.2.1
same() {
    for f in index.html window.svg; do
        cmp "$dir/$f" "tools/site/$f" || return 1
    done
}
fetch_all() {
    rm -f "$dir"/*.html "$dir"/*.svg
    sim "$@" -o "$dir/index.html" $site/index.html -o "$dir/window.svg" $site/window.svg && same
}
# A round trip is 10 ms: a pipeline has one for both answers, a kept connection two.
faster() {
    slow=$(sim -w '%{time_total}\n' -o "$dir/a" $site/ -o "$dir/b" $site/ | wc -l) &&
        [ "$slow" = 2 ] && sim --pipeline -w '%{num_connects}' -o "$dir/a" $site/ \
        -o "$dir/b" $site/ | grep -qx 10
}
# Each of two connections has the answer to its second request with that to its first.
both() {
    sim -Z --parallel-max 2 --pipeline -w '%{num_connects} %{time_total}\n' -o "$dir/a" $site/ \
        -o "$dir/b" $site/ -o "$dir/c" $site/ -o "$dir/d" $site/ | sort | tr '\n' ' ' |
        grep -qx '0 0.000000 0 0.000000 1 0.030000 1 0.030000 '
}
resumed() {
    head -c 1000 tools/site/window.svg >"$dir/part"
    sim -C - -o "$dir/part" $site/window.svg && cmp "$dir/part" tools/site/window.svg &&
        sim -C - -o "$dir/part" $site/window.svg && cmp "$dir/part" tools/site/window.svg
}
named() {
    (cd "$dir" && sim -O $site/notes.txt) && cmp "$dir/notes.txt" tools/site/notes.txt
}
# -f leaves no file; an empty answer makes one.
made() {
    sim -f -o "$dir/none" $site/none
    [ $? -eq 22 ] && [ ! -e "$dir/none" ] && sim -r 0-0 -I -o "$dir/head" $site/ &&
        grep -q '^HTTP/1.1 200' "$dir/head"
}
refused() {
    printf 'hello' | sim -T - -o "$dir/put" -w '%{http_code} %{size_upload}\n' $site/x |
        grep -qx '405 0'
}
groups() {
    sim -w '%{method} %{http_code}\n' -o /dev/null $site/ --next -I -w '%{method} %{http_code}\n' \
        -o /dev/null $site/none | tr '\n' ' ' | grep -qx 'GET 200 HEAD 404 '
}
figures() {
    sim -o "$dir/a" -w '%{json}' $site/ | python3 -c '
import json, sys
v = json.load(sys.stdin)
assert v["http_code"] == 200 and v["exitcode"] == 0 and v["errormsg"] is None, v
assert 0.009 < v["tcp_srtt"] < 0.02 and v["tcp_cwnd_max"] >= 10, v
assert v["tcp_state"] in ("ESTABLISHED", "CLOSE-WAIT") and v["tcp_segs_in"] > 2, v
assert v["tcp_retrans"] == v["tcp_dupacks"] == 0 and v["tcp_rto"] >= 0.2, v
assert v["time_total"] >= v["time_starttransfer"] > v["time_connect"] > 0.009, v'
}
check "one after the other" fetch_all
check "in parallel" fetch_all -Z
check "in a pipeline" fetch_all --pipeline
check "a pipeline needs one connection" faster
check "two pipelines at once" both
check "a file is resumed" resumed
check "a file has the URL's name" named
check "a file is made when there is something to write" made
check "what is not welcome is not uploaded" refused
check "groups have options of their own" groups
check "TCP's figures" figures
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
