#!/bin/sh
# Two gateways on one link against the kernel: one that is dead is replaced, and the
# redirect of one that is not the nearest is heeded (RFC 1122 s3.3.1.5, s3.2.2.2). In
# namespaces of its own; without them all is skipped. Closes with
# "N passed, N failed, N skipped".
#
#                               +-- 10.0.0.1 router, which sends on by 10.0.0.3
#     tapir 10.0.0.2 ==TAP, bridge==+
#                               +-- 10.0.0.3 router, which is 10.1.0.2 as well
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
[ "$1" = inside ] || enter ip
begin_tests
logs=stat

counter() {
    awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$dir/stat"
}

unshare -n sleep 300 &
far=$!
far() { nsenter -t $far -n "$@"; }
own_namespace() {
    [ "$(readlink "/proc/$far/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
wait_for own_namespace
ip link add lan type bridge || skip_all "no bridge"
ip tuntap add tp mode tap
ip link add r type veth peer name c netns $far
ip link set tp master lan up
ip link set r master lan up
ip addr add 10.0.0.1/24 dev lan
ip link set lan up
ip route add 10.1.0.0/24 via 10.0.0.3
echo 1 >/proc/sys/net/ipv4/ip_forward
far ip link set lo up
far ip addr add 10.0.0.3/24 dev c
far ip addr add 10.1.0.2/24 dev lo
far ip link set c up

# pings GATEWAYS OPTION...: what was counted is in $dir/stat then. Each is another host
# with the same address: the kernel would hold to the last one's for a second (locktime).
pings() {
    gateways=$1
    shift
    ip neigh flush dev lan
    far ip neigh flush dev c
    "$tapir" ping --link tap:tp --addr 10.0.0.2/24 --gateway "$gateways" --stat \
        -c 5 -i 0.2 "$@" 10.1.0.2 2>"$dir/stat"
}
# The first packets wait until the second gateway has its turn: 3 s.
dead_is_replaced() {
    pings 10.0.0.9,10.0.0.3 -W 5 && [ "$(counter IcmpInEchoReps)" -eq 5 ]
}
redirected() {
    pings 10.0.0.1 && [ "$(counter IcmpInRedirects)" -eq 1 ] &&
        [ "$(counter IcmpRedirectRefused)" -eq 0 ]
}
not_redirected() {
    pings 10.0.0.1 --sysctl net.ipv4.conf.all.accept_redirects=0 &&
        [ "$(counter IcmpRedirectRefused)" -gt 0 ]
}

check "a gateway that is dead is replaced by the next" dead_is_replaced
check "a redirect is heeded: there is no second one" redirected
check "it can be refused" not_redirected

kill $far
end_tests
