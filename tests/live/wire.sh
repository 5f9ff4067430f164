#!/bin/sh
# Links that are not a TAP device of our own, and `tapir wire`: two Linux kernels, each in
# a network namespace, over a cable with the emulator in it, measured from outside; two
# Tapirs over a socket; inherited descriptors. In namespaces of its own; without them all
# is skipped. Closes with "N passed, N failed, N skipped".
#
# Times have a lower bound for the median and an upper one for the quickest, for a machine
# may be busy: what is on time once is no accident.
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
[ "$1" = inside ] || enter python3 curl ip
begin_tests
logs="wire server page"
py=$here/wire.py
head -c 1000000 /dev/urandom >"$dir/file"

ticks() {
    awk '{ print $14 + $15 }' "/proc/$1/stat"
}
same() {
    cmp "$dir/file" "$dir/got"
}
# begin FILE COMMAND...: in the background; $! once it serves.
begin() {
    log=$dir/$1
    shift
    rm -f "$log"
    "$@" >"$dir/out" 2>"$log" </dev/null &
    wait_for grep -q serving "$log"
}
# The counter NAME of the way that begins with A in the talk of a wire.
counter() {
    awk -v way="$1 ->" -v name="$2" 'index($0, way) == 1 { in_it = 1; next }
        / -> / { in_it = 0 } in_it && $1 == name { print $2 }' "$dir/wire"
}

# ---- two kernels ----------------------------------------------------------------------

unshare -n sleep 300 &
ns_a=$!
unshare -n sleep 300 &
ns_b=$!
a() { nsenter -t $ns_a -n "$@"; }
b() { nsenter -t $ns_b -n "$@"; }
own_namespace() {
    [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
wait_for own_namespace $ns_a
wait_for own_namespace $ns_b

# lay OPTION...: a wire, its ends in the two namespaces, in $wire.
lay() {
    begin wire "$tapir" wire --link tap:ta --link tap:tb --stat --seed 1 "$@"
    wire=$!
    ip link set ta netns $ns_a
    ip link set tb netns $ns_b
    for end in a:1 b:2; do
        "${end%:*}" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        "${end%:*}" ip addr add "10.9.0.${end#*:}/24" dev "t${end%:*}"
        "${end%:*}" ip link set "t${end%:*}" up
    done
}
# lift SIGNAL STATUS: the wire ends with this status on this signal.
lift() {
    kill "-$1" $wire
    wait $wire
    status=$?
    [ $status -eq "$2" ] || { echo "status $status, not $2"; return 1; }
}
# datagrams N GAP: from a to b, into $dir/came.
datagrams() {
    b python3 "$py" receive "$dir/came" &
    receiver=$!
    wait_for b grep -q ':270F ' /proc/$ns_b/net/udp
    a python3 "$py" send 10.9.0.2 "$1" "$2" && wait $receiver
}
fetches() {
    rm -f "$dir/got"
    a curl -sS --max-time 20 -o "$dir/got" http://10.9.0.2:8000/file && same
}
# Half of the datagrams find the device down; the wire does not turn round and round.
device_down_and_up() {
    b ip link set tb down
    a python3 "$py" poke 10.9.0.2 5
    before=$(ticks $wire)
    sleep 1
    used=$(($(ticks $wire) - before))
    b ip link set tb up
    echo "$used ticks in a second"
    [ $used -le 5 ] && a python3 "$py" rtt 10.9.0.2 1 0 10000000
}
# What did not come out was dropped by the emulator, and counted.
all_is_counted() {
    awk '/^tap:ta ->/ { print $4 - $9; exit }' "$dir/wire" >"$dir/missing"
    read -r missing <"$dir/missing"
    echo "$missing missing, $(counter tap:ta NetemLoss) counted"
    [ "$missing" -gt 0 ] && [ "$missing" = "$(counter tap:ta NetemLoss)" ]
}
# 2000 datagrams entered at one end; 95 % left at the other.
capture_has_both_ends() {
    python3 "$py" capture "$dir/pcap" 1990 1800
}
some_are_counted() {
    [ "$(counter tap:ta LinkDown)" -ge 5 ]
}
deleted() {
    b ip link del tb
    wait $wire
    [ $? -eq 1 ] && grep -q 'tb was deleted' "$dir/wire"
}

if lay; then
    b sh -c "cd '$dir' && exec python3 -m http.server 8000" >/dev/null 2>&1 &
    wait_for grep -q ":1F40 .* 0A " /proc/$ns_b/net/tcp /proc/$ns_b/net/tcp6
    check "two kernels talk over a wire" a python3 "$py" rtt 10.9.0.2 20 1 5000
    check "curl fetches over it" fetches
    check "a device that is down costs frames and no processor" device_down_and_up
    check "SIGTERM ends it with 0" lift TERM 0
    check "what the device that was down did not take is counted" some_are_counted
fi
# Up to 100 us of a round trip are the kernels' own; the wire is 5 % early at most.
if lay --netem 'delay 1ms'; then
    check "delay 1ms is 2 ms of a round trip" a python3 "$py" rtt 10.9.0.2 200 1900 2200
    check "SIGINT ends it with 130" lift INT 130
fi
if lay --netem 'out:delay 30ms in:delay 10ms'; then
    check "each direction has its delay" a python3 "$py" rtt 10.9.0.2 20 39500 41000
    check "so it has seen from the other side" b python3 "$py" rtt 10.9.0.1 5 39500 41000
    check "an end that is deleted ends the wire" deleted
fi
if lay --netem 'rate 10mbit'; then
    datagrams 300 0
    check "rate 10mbit is that, but for 5 %" python3 "$py" rate "$dir/came" 10 5
    lift TERM 0
fi
if lay --netem 'rate 100mbit'; then
    datagrams 900 0
    check "rate 100mbit is that, but for 5 %" python3 "$py" rate "$dir/came" 100 5
    lift TERM 0
fi
if lay --netem 'out:loss 5%' --pcap "$dir/pcap"; then
    datagrams 2000 50
    check "loss 5% is that" python3 "$py" lost "$dir/came" 75 125
    lift TERM 0
    check "every loss is counted" all_is_counted
    check "the capture has both ends" capture_has_both_ends
fi
if lay --netem 'delay 5ms loss 1%'; then
    check "curl fetches through delay and loss" fetches
    lift TERM 0
fi

# The page's client is a kernel, too: theory needs to be told of the path, and holds.
page_of_kernels() {
    a "$tapir" page --link kernel --server 10.9.0.2 -p 8001 --site "$dir/site" \
        --objects 5 --rtt 20 --strategy serial,pipelined >"$dir/page" &&
        grep -q 'path and TCP are the kernel' "$dir/page" &&
        awk '/^(serial|pipelined) / { n += $4 > -5 && $4 < 50 && $7 ~ /\/76$/ } END { exit n != 2 }' \
            "$dir/page"
}
if lay --netem 'delay 10ms rate 10mbit -14'; then
    mkdir -p "$dir/site"
    b "$tapir" serve --link kernel -p 8001 "$dir/site" >/dev/null 2>&1 &
    wait_for grep -q ":1F41 .* 0A " /proc/$ns_b/net/tcp /proc/$ns_b/net/tcp6
    check "a page between two kernels takes what theory says" page_of_kernels
    lift TERM 0
fi

# ---- two Tapirs -----------------------------------------------------------------------

# gets LINK OPTION...: the file, over HTTP from 192.0.2.1.
gets() {
    to=$1
    shift
    rm -f "$dir/got"
    timeout 15 "$tapir" get -sS --link "$to" "$@" -o "$dir/got" http://192.0.2.1/file && same
}
serve_at() {
    begin server "$tapir" serve --link "$1" --addr 192.0.2.1/24 "$dir"
    server=$!
}
stop_server() {
    kill $server
    wait $server
}
# The client is there first, and listens; the server comes to it, and stays.
client_first() {
    "$tapir" ping --link "unix:$dir/link" -c 10 -i 0.2 192.0.2.1 &
    client=$!
    wait_for test -S "$dir/link" && serve_at "unix:$dir/link" && wait $client
}
several_times() {
    for _ in 1 2 3; do
        gets "unix:$dir/link" || return 1
    done
}
server_again() {
    stop_server && ! test -e "$dir/link" && serve_at "unix:$dir/link" &&
        gets "unix:$dir/link"
}
killed_server_again() {
    kill -9 $server
    wait $server
    test -S "$dir/link" && serve_at "unix:$dir/link" && gets "unix:$dir/link"
}
second_client_is_told() {
    "$tapir" nc --link "unix:$dir/link" 192.0.2.1 80 <"$dir/hold" >/dev/null &
    first=$!
    exec 4>"$dir/hold"
    sleep 0.3
    timeout 10 "$tapir" get -sS --link "unix:$dir/link" --addr 192.0.2.3/24 \
        http://192.0.2.1/file >"$dir/got" 2>"$dir/told"
    status=$?
    exec 4>&-
    wait $first
    cat "$dir/told"
    [ $status -ne 0 ] && grep -q 'it has another peer' "$dir/told" && gets "unix:$dir/link"
}
over_a_wire() {
    begin wire "$tapir" wire --link "unix:$dir/one" --link "unix:$dir/two" --seed 1 \
        --netem 'delay 5ms loss 1% duplicate 1% reorder 1% corrupt 0.1%' || return 1
    wire=$!
    serve_at "unix:$dir/one" && gets "unix:$dir/two" && gets "unix:$dir/two"
    status=$?
    stop_server
    kill $wire
    wait $wire
    return $status
}

mkfifo "$dir/hold"
if serve_at "unix:$dir/link"; then
    check "two Tapirs talk over a socket, again and again" several_times
    check "a server that was restarted is found again" server_again
    check "so is one that was killed" killed_server_again
    check "a second client is told that there is a first" second_client_is_told
    stop_server
fi
check "the client may be first" client_first
check "the server that came to it stays" several_times
stop_server
check "two Tapirs talk over a wire that is not good" over_a_wire

# ---- inherited descriptors ------------------------------------------------------------

kernel_gets() {
    rm -f "$dir/got"
    curl -sS --max-time 10 -o "$dir/got" http://192.0.2.2/file && same
}
for kind in vnet bare; do
    if begin server python3 "$py" tap "t$kind" $kind -- "$tapir" serve --link fd:3 "$dir"; then
        server=$!
        check "a server has an inherited TAP device ($kind)" kernel_gets
        stop_server
    fi
done
between_two() {
    rm -f "$dir/got"
    python3 "$py" pair "$dir/server" \
        "$tapir" serve --link fd:3 --addr 192.0.2.1/24 "$dir" -- \
        "$tapir" get -sS --link fd:3 -o "$dir/got" http://192.0.2.1/file && same
}
check "two Tapirs inherit a socket each" between_two

kill $ns_a $ns_b
end_tests
