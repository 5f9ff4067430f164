#!/bin/sh
# Tapir against the Linux kernel, over TAP devices in network namespaces of these tests'
# own: both roles, with and without offload.
#
#   tests/live/run.sh [GROUP...]        TAPIR=build/tapir
#
# One line a test, "ok NAME", "FAIL NAME" with what it printed, or "skip NAME: why" where
# a right or the peer's program is missing; last "N passed, N failed, N skipped". Exit 1
# when any failed.
#
# Each group of tests runs in a network and a process namespace: its addresses and ports
# disturb nobody, and when it ends, or is killed, all its processes and devices end too.
# The groups share a directory with the files to fetch. One server stays for a group;
# `tapir get` makes its device anew for each fetch.

here=$(cd "$(dirname "$0")" && pwd)
TAPIR=${TAPIR:-$here/../../build/tapir}
GROUPS_ALL="serve serve_plain get get_plain robust sudden netem_serve netem_get wire"
SIZES="0 1 1447 1448 1449 1459 1460 1461 65535 65536 65537"
BIG=104857600
TAP=tapirlive

# ---- telling --------------------------------------------------------------------------

passed=0 failed=0 skipped=0 server=

# missing NEED...: prints the first need that is not met.
missing() {
    for need in "$@"; do
        case $need in
        tap) [ -n "$MAY_TAP" ] || { echo "no right to a TAP device"; return; } ;;
        *) command -v "$need" >/dev/null || { echo "$need is missing"; return; } ;;
        esac
    done
}

# check "NAME" "NEEDS" COMMAND...: COMMAND is good when it exits 0.
check() {
    name=$1 why=$(missing $2)
    shift 2
    if [ -n "$why" ]; then
        skipped=$((skipped + 1))
        echo "skip $name: $why"
    elif "$@" >"$group_dir/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        tail -n 30 "$group_dir/said" | sed 's/^/     | /'
        [ -s "$group_dir/server" ] && tail -n 10 "$group_dir/server" | sed 's/^/     server| /'
    fi
}

# ---- servers and fetches ---------------------------------------------------------------

# wait_for SECONDS COMMAND...: until it exits 0.
wait_for() {
    turns=$(($1 * 20))
    shift
    while ! "$@" >/dev/null 2>&1; do
        turns=$((turns - 1))
        [ "$turns" -gt 0 ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.05
    done
}

# start WORD COMMAND...: in the background, until it says WORD; its id in $server.
start() {
    word=$1
    shift
    [ -n "$MAY_TAP" ] || return 0
    rm -f "$group_dir/server" # an earlier one has said it
    "$@" >"$group_dir/out" 2>"$group_dir/server" </dev/null &
    server=$!
    wait_for 5 grep -q "$word" "$group_dir/server"
}

serve() {
    start serving "$TAPIR" serve --link tap:$TAP "$@" "$dir/site"
}

# stop: ends the server with SIGTERM; its exit status.
stop() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    wait "$server"
}

device_is_gone() {
    ! grep -q "$TAP" /proc/net/dev
}

same_as() {
    cmp "$dir/site/f$1" "$group_dir/got"
}

# curl_gets SIZE
curl_gets() {
    curl -sS --max-time 20 -o "$group_dir/got" "http://192.0.2.2/f$1" && same_as "$1"
}

# tapir_gets PORT SIZE OPTION...
tapir_gets() {
    url=http://192.0.2.1:$1/f$2 size=$2
    shift 2
    rm -f "$group_dir/got"
    timeout 25 "$TAPIR" get -sS --link tap:$TAP "$@" -o "$group_dir/got" "$url" &&
        same_as "$size"
}

# expect STATUS COMMAND...
expect() {
    want=$1
    shift
    "$@"
    got=$?
    [ "$got" -eq "$want" ] || { echo "exit $got, not $want"; return 1; }
}

# ---- the tests ---------------------------------------------------------------------------

curl_gets_all() {
    for size in $SIZES $BIG; do
        check "curl fetches $size bytes $1" "tap curl" curl_gets "$size"
    done
}

group_serve() {
    serve
    curl_gets_all "(offload)"
    check "200 connections at once (offload)" "tap python3" \
        python3 "$here/peer.py" many 192.0.2.2 f65537 "$dir/site/f65537" 200
    check "the kernel pings" "tap python3" python3 "$here/peer.py" ping 192.0.2.2
    check "the server ends with 0 on SIGTERM" "tap" stop
    check "its device is gone" "tap" device_is_gone
}

group_serve_plain() {
    serve --no-offload
    curl_gets_all "(no offload)"
    check "200 connections at once (no offload)" "tap python3" \
        python3 "$here/peer.py" many 192.0.2.2 f65537 "$dir/site/f65537" 200
    check "500 connections one after another" "tap python3" \
        python3 "$here/peer.py" sequence 192.0.2.2 f1448 "$dir/site/f1448" 500
    stop
}

start_python() {
    [ -n "$MAY_TAP" ] && command -v python3 >/dev/null || return
    (cd "$dir/site" && exec python3 -m http.server 8000 >/dev/null 2>&1) &
}

start_nginx() {
    [ -n "$MAY_TAP" ] && command -v nginx >/dev/null || return
    mkdir -p "$group_dir/nginx"
    cat >"$group_dir/nginx/conf" <<END
daemon off; master_process off; pid $group_dir/nginx/pid; error_log $group_dir/nginx/error;
events { }
http { access_log off; server { listen 8080; root $dir/site; }
       client_body_temp_path $group_dir/nginx; proxy_temp_path $group_dir/nginx;
       fastcgi_temp_path $group_dir/nginx; uwsgi_temp_path $group_dir/nginx;
       scgi_temp_path $group_dir/nginx; }
END
    nginx -p "$group_dir/nginx" -e "$group_dir/nginx/error" -c "$group_dir/nginx/conf" \
        >/dev/null 2>&1 &
}

# tapir_gets_all "REMARK" OPTION...
tapir_gets_all() {
    remark=$1
    shift
    start_python
    start_nginx
    # 1F40 is port 8000, 1F90 is 8080; 0A is LISTEN.
    check "python3's server listens" "tap python3" \
        wait_for 5 grep -q ':1F40 .* 0A ' /proc/net/tcp /proc/net/tcp6
    check "nginx listens" "tap nginx" wait_for 5 grep -q ':1F90 .* 0A ' /proc/net/tcp
    for size in $SIZES $BIG; do
        check "tapir get fetches $size bytes from python3 $remark" "tap python3" \
            tapir_gets 8000 "$size" "$@"
    done
    for size in 0 1448 65537 $BIG; do
        check "tapir get fetches $size bytes from nginx $remark" "tap nginx" \
            tapir_gets 8080 "$size" "$@"
    done
}

group_get() {
    tapir_gets_all "(offload)"
    check "tapir get of a refused port exits 7" "tap" \
        expect 7 timeout 10 "$TAPIR" get -sS --link tap:$TAP http://192.0.2.1:9/
    check "tapir get of what is not there exits 0 without -f, and says 404" "tap python3" \
        answers_404
    check "tapir pings the kernel" "tap" \
        timeout 10 "$TAPIR" ping -c 3 -i 0.1 --link tap:$TAP 192.0.2.1
}

answers_404() {
    timeout 10 "$TAPIR" get -sS -i --link tap:$TAP http://192.0.2.1:8000/none \
        >"$group_dir/got" && grep -q '^HTTP/1.[01] 404 ' "$group_dir/got"
}

group_get_plain() {
    tapir_gets_all "(no offload)" --no-offload
}

# A client that is killed while it reads.
client_dies() {
    rm -f "$group_dir/part"
    curl -s --limit-rate 1M -o "$group_dir/part" "http://192.0.2.2/f$BIG" &
    client=$!
    wait_for 5 test -s "$group_dir/part"
    kill -9 $client
    wait $client
    curl_gets 65537
}

# One that reads nothing costs nobody else anything.
client_never_reads() {
    mkfifo "$group_dir/hold"
    python3 "$here/peer.py" never-read 192.0.2.2 "f$BIG" \
        <"$group_dir/hold" >"$group_dir/asked" &
    client=$!
    exec 3>"$group_dir/hold"
    wait_for 5 test -s "$group_dir/asked" && curl_gets $BIG
    status=$?
    exec 3>&-
    wait $client
    return $status
}

spoils() {
    python3 "$here/peer.py" "$1" 192.0.2.2 && curl_gets 1448
}

group_robust() {
    serve
    check "a client killed in the middle costs its connection only" "tap curl" client_dies
    check "a client that never reads costs its connection only" "tap curl python3" \
        client_never_reads
    check "a client that sends garbage costs its connection only" "tap curl python3" \
        spoils garbage
    check "a client that sends half a request costs its connection only" \
        "tap curl python3" spoils half
    check "a port where nobody listens is refused at once" "tap curl" \
        expect 7 curl -sS --max-time 5 http://192.0.2.2:81/
    check "a path cannot leave the directory" "tap curl" cannot_leave
    check "an idle server uses no processor" "tap" is_idle
    stop
    start listening "$TAPIR" perf -s --link tap:$TAP
    check "what is sent to perf's echo comes back" "tap python3" \
        python3 "$here/peer.py" echo 192.0.2.2 5003 3000000
    stop
}

cannot_leave() {
    curl -sS --max-time 5 --path-as-is -o "$group_dir/got" -w '%{http_code}' \
        "http://192.0.2.2/../../../../etc/passwd" | grep -q '^4' &&
        ! grep -q root: "$group_dir/got"
}

ticks() {
    awk '{ print $14 + $15 }' "/proc/$server/stat"
}

# At most one tick (10 ms) in two seconds: under 0.5 %.
is_idle() {
    before=$(ticks)
    sleep 2
    used=$(($(ticks) - before))
    echo "$used ticks in 2 s"
    [ "$used" -le 1 ]
}

# SIGKILL in the middle of a transfer; the same again at once, while the kernel still
# holds the connection.
killed_and_started_again() {
    rm -f "$group_dir/part"
    serve || return 1
    curl -s --limit-rate 1M --max-time 20 -o "$group_dir/part" "http://192.0.2.2/f$BIG" &
    client=$!
    wait_for 5 test -s "$group_dir/part"
    kill -9 "$server"
    wait "$server"
    device_is_gone || { echo "the device is still there"; return 1; }
    serve && curl_gets 65537
    status=$?
    kill -9 $client
    wait $client
    return $status
}

runs_beside_in_namespace() {
    rm -f "$group_dir/got"
    timeout 10 "$TAPIR" serve --link ns "$dir/site" -- \
        curl -sS --max-time 5 -o "$group_dir/got" http://192.0.2.2/f65537 &&
        same_as 65537 && device_is_gone
}

group_sudden() {
    check "killed in the middle, nothing is left and the next start works" "tap curl" \
        killed_and_started_again
    [ -n "$server" ] && kill -9 "$server"
    check "--link ns runs a command beside the stack and leaves nothing" "tap curl" \
        runs_beside_in_namespace
    check "the command's exit status is the program's" "tap" \
        expect 3 timeout 10 "$TAPIR" serve --link ns "$dir/site" -- sh -c 'exit 3'
    check "a device that is in use is refused with cause and fix" "tap" refused_in_use
    check "a directory that is missing is refused" "tap" \
        expect 1 timeout 10 "$TAPIR" serve --link tap:$TAP "$dir/none"
    check "a bad flag is exit 2" "" expect 2 "$TAPIR" serve --no-such-flag "$dir/site"
    check "doctor finds this host healthy" "tap" "$TAPIR" doctor
    check "doctor speaks JSON" "tap python3" doctor_json
}

refused_in_use() {
    serve || return 1
    timeout 10 "$TAPIR" serve --link tap:$TAP "$dir/site" 2>"$group_dir/got"
    status=$?
    stop
    cat "$group_dir/got"
    [ "$status" -eq 1 ] && grep -q EBUSY "$group_dir/got" && grep -q 'fix:' "$group_dir/got"
}

doctor_json() {
    "$TAPIR" doctor --json | python3 -c 'import json, sys; assert json.load(sys.stdin)["ok"]'
}

impaired() {
    curl -sS --max-time 40 -o "$group_dir/got" "http://192.0.2.2/f1000000" && same_as 1000000
}

group_netem_serve() {
    serve --seed 1 --netem 'delay 20ms loss 5%'
    check "curl fetches 1 MB through delay 20ms loss 5%" "tap curl" impaired
    stop
    for script in 'drop synack:each' 'drop out:data:2' 'drop in:ack:1 drop out:fin:1' \
        'drop any:5,9,14'; do
        serve --seed 1 --netem "$script"
        check "curl fetches 64 KiB through $script" "tap curl" curl_gets 65536
        stop
    done
}

group_netem_get() {
    start_python
    check "python3's server listens" "tap python3" \
        wait_for 5 grep -q ':1F40 .* 0A ' /proc/net/tcp /proc/net/tcp6
    check "tapir get fetches 1 MB through delay 20ms loss 5%" "tap python3" \
        tapir_gets 8000 1000000 --seed 2 --netem 'delay 20ms loss 5%'
    check "tapir get survives a lost SYN" "tap python3" \
        tapir_gets 8000 1448 --netem 'drop out:syn:1'
    check "tapir get survives a lost data segment" "tap python3" \
        tapir_gets 8000 65536 --netem 'drop in:data:2'
}

# What a wire would have carried, judged by tshark.
capture() {
    serve --no-offload --pcap "$group_dir/pcap" || return 1
    for size in $SIZES; do
        curl_gets "$size" || return 1
    done
    python3 "$here/peer.py" many 192.0.2.2 f65537 "$dir/site/f65537" 20 || return 1
    stop
    tshark -r "$group_dir/pcap" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -T fields -e tcp.stream -e tcp.completeness -e frame.number -e _ws.malformed \
        -e tcp.checksum.status -e ip.checksum.status -e tcp.analysis.retransmission \
        2>/dev/null >"$group_dir/fields"
}

# column_never NUMBER PATTERN: no packet may have it there.
column_never() {
    awk -F '\t' -v n="$1" -v bad="$2" '$n ~ bad { print; found = 1 }
        END { exit found || NR < 300 }' "$group_dir/fields"
}

# 31 or more: SYN, SYN-ACK, ACK, data and FIN were seen.
all_complete() {
    awk -F '\t' '$1 != "" { all[$1] = $2 }
        END { for (s in all) { n++; if (all[s] < 31) { print "stream", s, all[s]; bad = 1 } }
              print n, "connections"; exit bad || n < 31 }' "$group_dir/fields"
}

group_wire() {
    check "a capture of clean fetches is made" "tap curl python3 tshark" capture
    check "no packet in it is malformed" "tap tshark" column_never 4 .
    check "every TCP checksum in it is right" "tap tshark" column_never 5 0
    check "every IP checksum in it is right" "tap tshark" column_never 6 0
    check "nothing in it was sent twice" "tap tshark" column_never 7 .
    check "every connection in it is complete" "tap tshark" all_complete
}

# ---- running groups ----------------------------------------------------------------------

# In its namespaces: run.sh --group NAME DIRECTORY
if [ "$1" = --group ]; then
    dir=$3 group_dir=$3/$2
    mkdir -p "$group_dir"
    [ -n "$MAY_TAP" ] && echo reno >/proc/sys/net/ipv4/tcp_congestion_control
    "group_$2" 2>"$group_dir/shell"
    echo "$passed $failed $skipped" >"$group_dir/counts"
    exit 0
fi

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/site"
for size in $SIZES 1000000 $BIG; do
    head -c "$size" /dev/urandom >"$dir/site/f$size"
done

# Who may not make namespaces, or not open the device, still runs through the list.
enter=
for how in "unshare -n" "unshare -Urn"; do
    if [ -z "$enter" ] && $how true 2>/dev/null && [ -w /dev/net/tun ]; then
        enter="$how -p -f --kill-child"
        export MAY_TAP=1
    fi
done

run_group() {
    timeout -k 5 100 $enter sh "$0" --group "$1" "$dir" >"$dir/$1.lines" 2>&1
}

# Through the emulator most of the time is waiting, so those run beside the others.
chosen=${*:-$GROUPS_ALL}
for g in $chosen; do
    case $g in netem*) run_group "$g" & ;; esac
done
for g in $chosen; do
    case $g in netem*) ;; *) run_group "$g" ;; esac
done
wait

total_passed=0 total_failed=0 total_skipped=0
for g in $chosen; do
    sed "s/^\(ok  \|FAIL\|skip\) /\1 $g: /" "$dir/$g.lines"
    if read -r p f s 2>/dev/null <"$dir/$g/counts"; then
        total_passed=$((total_passed + p))
        total_failed=$((total_failed + f))
        total_skipped=$((total_skipped + s))
    else
        echo "FAIL $g: did not come to its end"
        total_failed=$((total_failed + 1))
    fi
done
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ "$total_failed" -eq 0 ]
