#!/bin/sh
# The examples do what they say: over the kernel's sockets, and the client over a TAP
# device against the kernel's side. In a namespace of its own; without one, they are
# skipped. Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
examples=build/examples
if [ "$1" != inside ]; then
    if unshare --user --map-root-user --net true 2>/dev/null; then
        exec unshare --user --map-root-user --net "$0" inside
    elif [ "$(id -u)" = 0 ] && unshare --net true 2>/dev/null; then
        exec unshare --net "$0" inside
    fi
    echo "skipped: no namespaces here"
    echo "0 passed, 0 failed, 5 skipped"
    exit 0
fi

passed=0 failed=0
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null; done; rm -f "$log"' EXIT
log=$(mktemp) || exit 1

# Waits until the server whose stderr is in $log accepts, 5 seconds at most.
listening() {
    i=0
    while [ $i -lt 100 ] && ! grep -q listening "$log"; do
        sleep 0.05
        i=$((i + 1))
    done
}
# expect WHAT COMMAND...: the command prints "hello" and nothing else.
expect() {
    what=$1
    shift
    said=$(timeout 20 "$@" 2>&1)
    if [ "$said" = hello ]; then
        echo "ok   $what"
        passed=$((passed + 1))
    else
        echo "FAIL $what: '$said'; the server: $(cat "$log")"
        failed=$((failed + 1))
    fi
}

# The kernel's loopback: tapir brings lo up in nobody's namespace but its own, so the
# server on the TAP comes first; its device makes 192.0.2.1 the kernel's address.
TAPIR_LINK=tap:tap0 $examples/server 7 2>"$log" &
pids="$pids $!"
listening
expect 'a kernel client and our server' env TAPIR_LINK=kernel $examples/client 192.0.2.2 7 hello
: >"$log"
TAPIR_LINK=kernel $examples/server 7 2>"$log" &
pids="$pids $!"
listening
expect 'our client and a kernel server' \
    env TAPIR_LINK=tap:tap1 TAPIR_ADDR=198.51.100.2/24 TAPIR_GATEWAY=198.51.100.1 \
    TAPIR_HOST_ADDR=198.51.100.1/24 $examples/client 198.51.100.1 7 hello

: >"$log"
TAPIR_LINK=tap:tap2 TAPIR_ADDR=203.0.113.2/24 TAPIR_GATEWAY=203.0.113.1 \
    TAPIR_HOST_ADDR=203.0.113.1/24 $examples/handlers 80 2>"$log" &
pids="$pids $!"
listening
expect 'a handler says hello' sh -c 'curl -sS http://203.0.113.2/hello/h%C3%A9 | cut -c 1-5'
expect 'a handler counts, in chunks' sh -c '
    test "$(curl -sS "http://203.0.113.2/count?100000" | tail -n 1)" = 1 && echo hello'
expect 'a handler takes a body in pieces' sh -c '
    test "$(head -c 3000000 /dev/zero | curl -sS -T - http://203.0.113.2/size)" = 3000000 && echo hello'

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
