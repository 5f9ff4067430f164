#!/bin/sh
# Path MTU discovery against the kernel as a router: its link to the client is narrower
# than both ends know, and it drops with an ICMP error what does not fit (RFC 1191). In
# namespaces of its own; without them all is skipped. Closes with
# "N passed, N failed, N skipped".
#
#     tapir 10.0.0.2 ==TAP, 1500== 10.0.0.1 router 10.1.0.1 ==veth, narrow== 10.1.0.2 curl
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
[ "$1" = inside ] || enter curl ip
begin_tests
logs=server
head -c 1000000 /dev/urandom >"$dir/file"

counter() {
    awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$dir/server"
}

unshare -n sleep 300 &
far=$!
far() { nsenter -t $far -n "$@"; }
own_namespace() {
    [ "$(readlink "/proc/$far/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
wait_for own_namespace
ip link add r type veth peer name c netns $far
ip addr add 10.1.0.1/24 dev r
ip link set r up
far ip addr add 10.1.0.2/24 dev c
far ip link set c up
far ip route add default via 10.1.0.1
echo 1 >/proc/sys/net/ipv4/ip_forward

# fetches MTU OPTION...: the file, from a server whose packets pass a link of this MTU;
# what the server counted is in $dir/server then.
fetches() {
    ip link set r mtu "$1"
    shift
    rm -f "$dir/got" "$dir/server"
    "$tapir" serve --link tap:tp --addr 10.0.0.2/24 --gateway 10.0.0.1 \
        --host-addr 10.0.0.1/24 --stat "$@" "$dir" >/dev/null 2>"$dir/server" &
    server=$!
    wait_for grep -q serving "$dir/server" &&
        far curl -sS --max-time 20 -o "$dir/got" http://10.0.0.2/file
    kill $server
    wait $server
    cmp "$dir/file" "$dir/got"
}
# once_in_three CHECK...: on a machine that does other things a time-out may be its own.
once_in_three() {
    "$@" || "$@" || "$@"
}
# Told at once: no time-out, and not much is sent twice.
without_time_out() {
    fetches "$@" && [ "$(counter IcmpInDestUnreachs)" -gt 0 ] &&
        [ "$(counter TcpExtTCPTimeouts)" -eq 0 ] && [ "$(counter TcpRetransSegs)" -le 50 ]
}
# Nobody tells: the segments shrink by themselves.
out_of_the_hole() {
    fetches 1500 "$@" && [ "$(counter TcpExtTCPMTUPFail)" -gt 0 ]
}
# Below 552 bytes the router cuts.
router_cuts() {
    fetches "$@" && [ "$(counter TcpExtTCPTimeouts)" -eq 0 ] &&
        [ "$(awk '$1 == "Ip:" && $18 ~ /[0-9]/ { print $18 }' /proc/net/snmp)" -gt 0 ]
}
# The answers are as large, and a veth device takes nothing above its own MTU.
pings_cut() {
    ip link set r mtu 1300
    "$tapir" ping --link tap:tp --addr 10.0.0.2/24 --gateway 10.0.0.1 --stat \
        --host-addr 10.0.0.1/24 -c 3 -i 0.2 -s 1400 10.1.0.2 2>"$dir/server"
    [ "$(counter IcmpInDestUnreachs)" -eq 1 ] && [ "$(counter IpFragOKs)" -eq 2 ]
}

check "a narrow path is found at once, with offload" once_in_three without_time_out 1300
check "a narrow path is found at once, without offload" once_in_three \
    without_time_out 1300 --no-offload
check "so is one that is narrower than 552 bytes: there the router cuts" once_in_three \
    router_cuts 400
check "a path that swallows large packets is passed" out_of_the_hole \
    --netem 'out:mtu 1200' --sysctl net.ipv4.tcp_mtu_probing=1
check "echo requests beyond the path's MTU are cut here after the first" pings_cut

kill $far
end_tests
