#!/bin/sh
# bench.sh [NAME...]: how fast Tapir is, beside the kernel's TCP, nginx, and what a TAP
# device can carry at all. What `make bench` runs.
#
#   BENCH="NAME..."     figures: bulk-in bulk-out file requests-1 requests-64 connect
#                       rtt beside fair memory (all)
#   RUNS=7              rounds; in each, every subject runs once, one after another
#   BENCH_SECONDS=1     of one run (rtt and fair: half of it)
#   BENCH_CONNS=2000    idle connections of the figure memory
#   BENCH_JSON=FILE     all of it as JSON too (or --json FILE)
#   TAPIR=build/tapir BENCH_TOOLS=build/bench NGINX=nginx
#
# A machine has its moods, and two programs at different times are not to be compared:
# hence the rounds, the median of ratios that were taken within one round, and the
# spread beside it. All runs in network namespaces of its own,
#
#     load ─┬─ TAP bench1 (10.77.1.1) ── tapir    10.77.1.2
#           ├─ TAP bench3 (10.77.3.1) ── limit    10.77.3.2
#           └─ veth       (10.77.5.1) ── kernel   10.77.5.2, a namespace further
#
# and in a process namespace: when this ends, so does all that it began. The kernel's
# congestion control is reno, IPv6 is off.

here=$(cd "$(dirname "$0")" && pwd)
TAPIR=${TAPIR:-$here/../../build/tapir}
BENCH_TOOLS=${BENCH_TOOLS:-$here/../../build/bench}
NGINX=${NGINX:-nginx}
ALL="bulk-in bulk-out file requests-1 requests-64 connect rtt beside fair memory"
RUNS=${RUNS:-7} T=${BENCH_SECONDS:-1} CONNS=${BENCH_CONNS:-2000}

# ---- tables ------------------------------------------------------------------------------

title_of() {
    case $1 in
    tapir) echo "Tapir" ;;
    limit) echo "the TAP's limit" ;;
    kernel) echo "kernel over veth" ;;
    ours) echo "tapir serve on the kernel" ;;
    nginx) echo "nginx over veth" ;;
    esac
}

# open_table NAME UNIT more|less TITLE: it has a row for each of $subjects.
open_table() {
    tables="$tables $1"
    printf 'figure\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >"$dir/table.$1"
    for subject in $subjects; do
        printf 'subject\t%s\t%s\n' "$subject" "$(title_of "$subject")"
        [ -s "$dir/why.$subject" ] &&
            printf 'missing\t%s\t%s\n' "$subject" "$(cat "$dir/why.$subject")"
    done >>"$dir/table.$1"
}

# bar NAME SUBJECT NUMBER: what has to be reached (table.h).
bar() {
    printf 'bar\t%s\t%s\n' "$2" "$3" >>"$dir/table.$1"
}

# field NAME: its value among the name=value in $said.
field() {
    for pair in $said; do
        case $pair in
        "$1"=*) echo "${pair#*=}" ;;
        esac
    done
}

# What a program said on stderr, as one short line.
reason() {
    tr '\t\n' '  ' <"$1" | tr -s ' ' | cut -c 1-110
}

# rounds COMMAND FIELD:TABLE...: COMMAND SUBJECT prints name=value; its fields go to
# the tables. Then they are shown.
rounds() {
    command=$1
    shift
    round=1
    while [ $round -le "$RUNS" ]; do
        for subject in $subjects; do
            [ -s "$dir/why.$subject" ] || one_run "$@"
        done
        round=$((round + 1))
    done
    for pair in "$@"; do
        "$BENCH_TOOLS/table" <"$dir/table.${pair#*:}"
    done
}

one_run() {
    if said=$($command "$subject" 2>"$dir/err"); then
        for pair in "$@"; do
            printf 'value\t%s\t%s\t%s\n' "$subject" "$round" "$(field "${pair%%:*}")" \
                >>"$dir/table.${pair#*:}"
        done
    else
        for pair in "$@"; do
            printf 'missing\t%s\t%s\n' "$subject" "$(reason "$dir/err")" \
                >>"$dir/table.${pair#*:}"
        done
    fi
}

# ---- the places ----------------------------------------------------------------------------

host_of() {
    case $1 in
    tapir) echo 10.77.1.2 ;;
    limit) echo 10.77.3.2 ;;
    *) echo 10.77.5.2 ;;
    esac
}

port_of() {
    case $1 in
    nginx) echo 8080 ;;
    *) echo 80 ;;
    esac
}

# tune: what is to be the same in every namespace here.
tune='
    echo reno >/proc/sys/net/ipv4/tcp_congestion_control
    echo "10000 65535" >/proc/sys/net/ipv4/ip_local_port_range
    for at in all default; do
        [ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/$at/disable_ipv6
    done
    ip link set lo up'

in_peer() {
    nsenter -t "$peer" -n "$@"
}

# The namespace at the far end of a veth. A holder keeps it; it is there when its name is
# another than ours.
make_peer() {
    unshare -n sleep 3600 &
    peer=$!
    turn=0
    while [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/$peer/ns/net)" ]; do
        turn=$((turn + 1))
        [ $turn -lt 100 ] || return 1
        sleep 0.02
    done
    ip link add near type veth peer name far netns "$peer" &&
        ip addr add 10.77.5.1/24 dev near && ip link set near up &&
        in_peer sh -c "$tune; ip addr add 10.77.5.2/24 dev far; ip link set far up"
}

# veth_offload on|off: off leaves the sender what a TAP without offload leaves it:
# super-segments in the stack, segments and checksums before the device.
veth_offload() {
    command -v ethtool >/dev/null || { [ "$1" = on ]; return; }
    ethtool -K near tx "$1" tso "$1" gro "$1" >/dev/null 2>&1 &&
        in_peer ethtool -K far tx "$1" tso "$1" gro "$1" >/dev/null 2>&1
}

# ---- the subjects ----------------------------------------------------------------------------

# up SUBJECT PROGRAM...: in the background, until it says that it listens. Where it does
# not, $dir/why.SUBJECT has the reason. $pid is its process (so no function of ours).
up() {
    subject=$1
    shift
    : >"$dir/log.$subject" # of an earlier start
    "$@" >/dev/null 2>>"$dir/log.$subject" </dev/null &
    pid=$!
    pids="$pids $pid"
    turn=0
    while ! grep -Eq 'listening|serving' "$dir/log.$subject"; do
        turn=$((turn + 1))
        if [ $turn -gt 200 ] || ! kill -0 $pid 2>/dev/null; then
            echo "did not start: $(reason "$dir/log.$subject")" >"$dir/why.$subject"
            return 1
        fi
        sleep 0.02
    done
}

# up_tapir COMMAND OPTION...: on its device.
up_tapir() {
    up tapir "$TAPIR" "$@" --link tap:bench1 --addr 10.77.1.2/24 --gateway 10.77.1.1 \
        --host-addr 10.77.1.1/24
}

up_limit() {
    up limit "$BENCH_TOOLS/limit" bench3 "$@" &&
        ip addr add 10.77.3.1/24 dev bench3 && ip link set bench3 up &&
        ip neigh replace 10.77.3.2 lladdr 02:00:00:00:00:02 dev bench3 nud permanent
}

# nginx as Debian sets it up, but one process, no log of accesses, and connections that
# are kept for as long as the client likes.
up_nginx() {
    if ! command -v "$NGINX" >/dev/null; then
        echo "$NGINX is not installed: apt-get install nginx-light" >"$dir/why.nginx"
        return 1
    fi
    mkdir -p "$dir/nginx"
    cat >"$dir/nginx/conf" <<END
daemon off; master_process off; worker_processes 1; pid $dir/nginx/pid;
error_log $dir/nginx/error;
events { worker_connections 8192; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
       server { listen 8080 backlog=4096; root $dir/site; }
       client_body_temp_path $dir/nginx; proxy_temp_path $dir/nginx;
       fastcgi_temp_path $dir/nginx; uwsgi_temp_path $dir/nginx;
       scgi_temp_path $dir/nginx; }
END
    up nginx nsenter -t "$peer" -n sh -c "echo serving >&2
        exec '$NGINX' -p '$dir/nginx' -e '$dir/nginx/error' -c '$dir/nginx/conf'"
    turn=0
    while ! in_peer grep -q ':1F90 .* 0A ' /proc/net/tcp; do
        turn=$((turn + 1))
        if [ $turn -gt 100 ]; then
            echo "did not start: $(reason "$dir/nginx/error")" >"$dir/why.nginx"
            return 1
        fi
        sleep 0.02
    done
}

up_kernel() {
    up kernel nsenter -t "$peer" -n "$TAPIR" perf -s --link kernel
}

up_ours() {
    up ours nsenter -t "$peer" -n "$TAPIR" serve --link kernel "$dir/site"
}

# down: ends all subjects.
down() {
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2>/dev/null
    for pid in $pids; do
        wait "$pid" 2>/dev/null
    done
    pids=
    rm -f "$dir"/why.*
}

# ---- the figures -----------------------------------------------------------------------------

# load KIND HOST:PORT OPTION...; a run that hangs is no run.
load() {
    timeout -k 1 30 "$BENCH_TOOLS/load" "$@"
}

bulk_in() {
    load send "$(host_of "$1"):5001" -t "$T"
}
bulk_out() {
    load recv "$(host_of "$1"):5002" -t "$T"
}

# bulk in|out BAR
bulk() {
    subjects="tapir limit kernel"
    for plain in '' -plain; do
        with=${plain:+--no-offload} words=', offload on' state=on
        [ -z "$plain" ] || words=', offload off' state=off
        # shellcheck disable=SC2086
        up_tapir perf -s $with
        # shellcheck disable=SC2086
        up_limit $with
        up_kernel
        veth_offload $state || echo "ethtool is missing" >"$dir/why.kernel"
        open_table "bulk-$1$plain" Gbit/s more "one flow $1$words"
        bar "bulk-$1$plain" limit "$2"
        rounds "bulk_$1" "gbps:bulk-$1$plain"
        down
    done
    veth_offload on
}

get_1() {
    load get "$(host_of "$1"):$(port_of "$1")" -u /1k -c 1 -t "$T"
}
get_64() {
    load get "$(host_of "$1"):$(port_of "$1")" -u /1k -c 64 -t "$T"
}
get_anew() {
    load connect "$(host_of "$1"):$(port_of "$1")" -u /1k -c 64 -t "$T"
}

up_servers() {
    up_tapir serve "$dir/site"
    up_nginx
    up_ours
}

# The limit has no file to read.
get_file() {
    if [ "$1" = limit ]; then
        bulk_out limit
    else
        load get "$(host_of "$1"):$(port_of "$1")" -u /huge -c 1 -t "$T"
    fi
}

file() {
    subjects="tapir limit nginx ours"
    cat "$dir/site/huge" >/dev/null # into the page cache
    up_servers
    up_limit
    open_table file Gbit/s more "GET of 256 MiB on one kept connection"
    bar file limit 0.6
    rounds get_file gbps:file
    down
}

requests_1() {
    subjects="tapir nginx ours limit"
    up_servers
    up_limit
    open_table requests-1 1/s more "GET of 1 KiB on one kept connection"
    open_table requests-1-p50 us less "its time, median"
    open_table requests-1-p99 us less "its time, 99th percentile"
    bar requests-1-p50 nginx 1.3
    bar requests-1-p99 nginx 1.3
    rounds get_1 rate:requests-1 p50:requests-1-p50 p99:requests-1-p99
    down
}

requests_64() {
    subjects="tapir nginx ours limit"
    up_servers
    up_limit
    open_table requests-64 1/s more "GET of 1 KiB on 64 kept connections"
    open_table requests-64-p99 us less "its time, 99th percentile"
    bar requests-64 nginx 1
    rounds get_64 rate:requests-64 p99:requests-64-p99
    down
}

connect_() {
    subjects="tapir nginx ours"
    up_servers
    open_table connect 1/s more "a connection for each GET of 1 KiB, 64 at once"
    open_table connect-p99 us less "its time, 99th percentile"
    rounds get_anew rate:connect p99:connect-p99
    down
}

echo_1() {
    load echo "$(host_of "$1"):5003" -s 1 -t "$half"
}
echo_1024() {
    load echo "$(host_of "$1"):5003" -s 1024 -t "$half"
}

rtt() {
    subjects="tapir kernel limit"
    up_tapir perf -s
    up_kernel
    up_limit
    for size in 1 1024; do
        open_table rtt-$size-p50 us less "echo of $size bytes, median"
        open_table rtt-$size-p99 us less "echo of $size bytes, 99th percentile"
        rounds echo_$size p50:rtt-$size-p50 p99:rtt-$size-p99
    done
    down
}

# with_flow FLOW... -- ASK...: what ASK measures while FLOW runs, and FLOW's rate.
with_flow() {
    flow=
    while [ "$1" != -- ]; do
        flow="$flow $1"
        shift
    done
    shift
    # shellcheck disable=SC2086
    load $flow -t "$longer" >"$dir/flow" 2>"$dir/flow.err" &
    begun=$!
    asked=$(load "$@" -t "$T")
    status=$?
    if ! wait $begun; then
        cat "$dir/flow.err" >&2
        return 1
    fi
    said=$(cat "$dir/flow")
    echo "$asked flow=$(field gbps)"
    return $status
}

beside_in() {
    at=$(host_of "$1")
    with_flow send "$at:5001" -- echo "$at:5003" -s 1024
}
beside_out() {
    at=$(host_of "$1"):$(port_of "$1")
    with_flow get "$at" -u /big -- get "$at" -u /1k
}

# beside_tables in|out WHAT
beside_tables() {
    open_table "beside-$1-p50" us less "$2 beside a flow $1, median"
    open_table "beside-$1-p99" us less "$2 beside a flow $1, 99th percentile"
    open_table "beside-$1-flow" Gbit/s more "that flow"
    bar "beside-$1-p99" tapir 10000
    rounds "beside_$1" "p50:beside-$1-p50" "p99:beside-$1-p99" "flow:beside-$1-flow"
    down
}

beside() {
    subjects="tapir kernel"
    up_tapir perf -s
    up_kernel
    beside_tables in "echo of 1 KiB"
    subjects="tapir nginx ours"
    up_servers
    beside_tables out "GET of 1 KiB"
}

fair_in() {
    load send "$(host_of "$1"):5001" -c 8 -t "$half"
}
fair_out() {
    load recv "$(host_of "$1"):5002" -c 8 -t "$half"
}

fair() {
    subjects="tapir kernel"
    up_tapir perf -s
    up_kernel
    for way in in out; do
        open_table fair-$way "Jain's index" more "8 flows $way: their shares"
        open_table fair-$way-sum Gbit/s more "8 flows $way: together"
        bar fair-$way tapir 0.9
        rounds fair_$way jain:fair-$way gbps:fair-$way-sum
    done
    down
}

resident() {
    awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

# memory_of idle|kept SUBJECT: a server that is fresh each time, for memory that is
# given back to the allocator does not show.
memory_of() {
    if [ "$2" = tapir ]; then up_tapir serve "$dir/site"; else "up_$2"; fi || {
        cat "$dir/why.$2" >&2
        return 1
    }
    at=$(host_of "$2"):$(port_of "$2")
    load get "$at" -u /1k -t 0.05 >/dev/null && before=$(resident)
    : >"$dir/held"
    timeout 30 "$BENCH_TOOLS/load" "$1" "$at" -u /1k -c "$CONNS" -t 20 \
        >>"$dir/held" 2>"$dir/held.err" &
    holder=$!
    while kill -0 $holder 2>/dev/null && ! grep -q held "$dir/held"; do
        sleep 0.05
    done
    sleep 1.5 # what was only just in use is not idle: a send buffer stays for a second
    after=$(resident)
    kill $holder 2>/dev/null
    wait $holder 2>/dev/null
    kill $pid
    wait $pid 2>/dev/null
    cat "$dir/held.err" >&2
    grep -q held "$dir/held" && echo "bytes=$(((after - before) * 1024 / CONNS))"
}
memory_idle() {
    memory_of idle "$1"
}
memory_kept() {
    memory_of kept "$1"
}

memory() {
    subjects="tapir nginx"
    runs=$RUNS
    [ "$RUNS" -lt 3 ] || RUNS=3
    for kind in idle kept; do
        words="that asked nothing"
        [ $kind = idle ] || words="after one GET"
        open_table memory-$kind bytes less "memory of the process for each of $CONNS connections $words"
        bar memory-$kind tapir 4096
        rounds memory_$kind bytes:memory-$kind
        down
    done
    RUNS=$runs
}

# ---- running -----------------------------------------------------------------------------------

# The load is that of the last minute, before any of this: what else ran on the machine.
machine() {
    model=$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    busy=$(cut -d ' ' -f 1 /proc/loadavg)
    echo "$(nproc) cores of ${model:-unknown model}, Linux $(uname -r), kernel with reno," \
        "$RUNS rounds of $T s, load $busy before"
}

run_figure() {
    case $1 in
    bulk-in) bulk in 0.7 ;;
    bulk-out) bulk out 0.65 ;;
    requests-1) requests_1 ;;
    requests-64) requests_64 ;;
    connect) connect_ ;;
    file | rtt | beside | fair | memory) "$1" ;;
    esac
}

# In its namespaces: bench.sh --inside DIRECTORY NAME...
inside() {
    dir=$1
    shift
    pids='' tables=''
    half=$(awk "BEGIN { print $T / 2 }") longer=$(awk "BEGIN { print $T + 0.2 }")
    eval "$tune"
    make_peer || exit 1
    printf 'machine\t%s\n' "$(machine)" >"$dir/machine"
    "$BENCH_TOOLS/table" <"$dir/machine"
    for name in "$@"; do
        run_figure "$name"
    done
    for name in $tables; do
        cat "$dir/table.$name"
    done >"$dir/tables"
}

refuse() {
    echo "bench: $1" >&2
    echo "  cause: $2" >&2
    echo "  fix:   $3" >&2
    exit "$4"
}

if [ "$1" = --inside ]; then
    shift
    inside "$@"
    exit
fi
if [ "$1" = --json ]; then
    BENCH_JSON=$2
    shift 2 || refuse "--json needs a FILE" "none is given" "bench.sh --json FILE" 2
fi
[ $# -gt 0 ] || eval "set -- ${BENCH:-$ALL}"
for name in "$@"; do
    case " $ALL " in
    *" $name "*) ;;
    *) refuse "there is no figure $name" "the figures are $ALL" "BENCH=bulk-in" 2 ;;
    esac
done
for tool in ip unshare nsenter; do
    command -v $tool >/dev/null ||
        refuse "$tool is missing" "iproute2 or util-linux is not installed" \
            "apt-get install iproute2 util-linux" 1
done
enter=
for how in "unshare -n" "unshare -Urn"; do
    how="$how -p -f --mount-proc --kill-child"
    [ -n "$enter" ] || ! $how true 2>/dev/null || enter=$how
done
[ -n "$enter" ] ||
    refuse "no namespaces here" "neither unshare -n nor unshare -Urn is permitted" \
        "run it as root, or permit user namespaces (tapir doctor)" 1

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# unshare ignores what would end it gently; without it all in its namespaces ends.
trap 'kill -KILL "$inner"; exit 130' INT TERM
chmod 755 "$dir"
mkdir "$dir/site"
head -c 1024 /dev/zero | tr '\0' x >"$dir/site/1k"
truncate -s 64M "$dir/site/big"
truncate -s 256M "$dir/site/huge"
export RUNS BENCH_SECONDS BENCH_CONNS TAPIR BENCH_TOOLS NGINX
$enter "$0" --inside "$dir" "$@" </dev/null &
inner=$!
wait "$inner"
status=$?
if [ -n "$BENCH_JSON" ] && [ -s "$dir/tables" ]; then
    cat "$dir/machine" "$dir/tables" | "$BENCH_TOOLS/table" --json >"$BENCH_JSON" || status=1
fi
exit $status
