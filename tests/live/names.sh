#!/bin/sh
# Names from outside: `tapir host` and the other commands against a name server of
# python's (nameserver.py), on the kernel's side of a TAP device in a namespace. Closes
# with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
tapir=${TAPIR:-build/tapir}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0
may_ns=
server=tests/live/nameserver.py
timeout 20 "$tapir" ping --link ns -c 1 -W 1 192.0.2.1 >/dev/null 2>&1 &&
    command -v python3 >/dev/null && may_ns=yes

# gives STATUS LINES COMMAND...: ends with the status; each of LINES (basic regular
# expressions) stands on stdout or stderr.
gives() {
    want=$1 lines=$2
    shift 2
    timeout 30 "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    missing=$(echo "$lines" | while IFS= read -r line; do
        cat "$dir/out" "$dir/err" | grep -q -- "$line" || echo "$line"
    done)
    if [ $status -eq "$want" ] && [ -z "$missing" ]; then
        passed=$((passed + 1))
        echo "ok   $what"
        return
    fi
    failed=$((failed + 1))
    echo "FAIL $what: status $status, not found: $missing"
    sed 's/^/     | /' "$dir/out" "$dir/err"
}
# asks STATUS LINES NAME...: tapir host, of that server.
asks() {
    if [ -z "$may_ns" ]; then
        echo "skip $what: no right to a namespace or a TAP device, or no python3"
        skipped=$((skipped + 1))
        return
    fi
    status=$1 lines=$2
    shift 2
    gives "$status" "$lines" "$tapir" host --link ns --dns 192.0.2.1 "$@" -- $server
}
in_ns() {
    [ -n "$may_ns" ] && return
    echo "skip $what: no right to a namespace or a TAP device, or no python3"
    skipped=$((skipped + 1))
    return 1
}

what='host needs a name'
gives 2 'needs a NAME' "$tapir" host
what='host knows no other types'
gives 2 'AAAA' "$tapir" host -t HINFO a.test
what='a name server is an address'
gives 2 "bad --dns 'a.test'" "$tapir" host --link kernel --dns a.test b.test
what='without a name server a name is not found'
gives 1 'no name server is known' "$tapir" host --link sim a.test
what='so it is told where a command needs it'
gives 1 'no name server is known' "$tapir" ping --link sim a.test
what='an address of the hosts file, or of this host, needs none'
gives 0 '^localhost has address 127.0.0.1$' "$tapir" host --link sim localhost

what='an alias is followed'
asks 0 '^www.example.test is an alias for web.example.test.$
^web.example.test has address 192.0.2.1$
^web.example.test has IPv6 address 2001:db8::7$' www.example.test
what='as JSON it is one object'
asks 0 '^{"records":\[{"name":"www.example.test","type":"CNAME","ttl":60,"data":"web.*true}$' \
    --json www.example.test
what='an answer that is cut comes by TCP'
asks 0 '^many.example.test has address 10.9.0.99$' -t A many.example.test
if [ -n "$may_ns" ] && [ "$(grep -c 'has address' "$dir/out")" -ne 100 ]; then
    failed=$((failed + 1))
    echo "FAIL $what: not all of it"
fi
what='a mail exchanger, a text, a name server, a start of authority'
asks 0 '^example.test mail is handled by 10 mx.example.test.$' example.test
asks 0 '^example.test descriptive text "hello" "world"$' -t TXT example.test
asks 0 '^example.test name server ns.example.test.$' -t NS example.test
asks 0 '^example.test has SOA record ns.example.test. root.example.test. 1 2 3 4 30$' \
    -t SOA example.test
what='an address has a name'
asks 0 '^1.2.0.192.in-addr.arpa domain name pointer web.example.test.$' 192.0.2.1
what='a name that does not exist is 3(NXDOMAIN)'
asks 1 'Host nosuch.example.test not found: 3(NXDOMAIN)' nosuch.example.test
what='that is an object, too'
asks 1 '^{"error":"Host nosuch.example.test not found: 3(NXDOMAIN)"}$' --json \
    nosuch.example.test
what='a name without a record of the type'
asks 1 'www.example.test has no TXT record' -t TXT www.example.test
what='a question that is lost is asked again'
asks 0 '^deaf.example.test has address 192.0.2.1$' -t A deaf.example.test
what='ping takes a name'
in_ns && gives 0 '^PING www.example.test (192.0.2.1)' \
    "$tapir" ping --link ns --dns 192.0.2.1 -c 1 www.example.test -- $server
what='the second of the seven steps of a fetch is a question to a name server'
in_ns && gives 0 '^\* 2 address    192.0.2.1, from DNS ' \
    "$tapir" get -v -o /dev/null --link ns --dns 192.0.2.1 http://www.example.test/ -- \
    sh -c "$server & until $tapir host --link kernel --dns 192.0.2.1 web.example.test
        do sleep 0.1; done >/dev/null 2>&1; exec $tapir serve --link kernel tools/site"
what='the resolver runs over the sockets of the kernel as well'
in_ns && gives 0 '^many.example.test has address 10.9.0.99$' "$tapir" perf -s --link ns -- \
    sh -c "$server & for i in 1 2 3 4 5 6 7 8 9; do
        $tapir host --link kernel --dns 192.0.2.1 many.example.test && break; sleep 0.2
    done; kill \$!"

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
