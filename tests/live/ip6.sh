#!/bin/sh
# IPv6 over the kernel's sockets: server, client and the other commands on ::1, names
# with addresses of both families, and how our own stack refuses what it has not. In
# namespaces of its own; without them all is skipped. Closes with "N passed, N failed,
# N skipped".
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
[ "$1" = inside ] || enter curl ip python3
begin_tests
grep -q 00000001 /proc/net/if_inet6 || skip_all "no IPv6"

mkdir "$dir/site"
head -c 300000 /dev/urandom >"$dir/site/f"
cat >"$dir/hosts" <<END
::1 six.test both.test
127.0.0.1 four.test both.test
END
mount --bind "$dir/hosts" /etc/hosts

# gives STATUS LINES COMMAND...: it ends with the status; each of LINES (basic regular
# expressions) stands on stdout or stderr.
gives() {
    want=$1 lines=$2
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" </dev/null
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
    tail -n 30 "$dir/out" "$dir/err" | sed 's/^/     | /'
}
fetches() {
    url=$1
    shift
    rm -f "$dir/got"
    "$tapir" get --link kernel -sS -o "$dir/got" \
        -w '%{http_code} %{num_connects} %{local_ip} %{remote_ip} %{remote_port}\n' "$@" \
        "$url" || return
    cmp "$dir/got" "$dir/site/f"
}
# serve OPTION...: until it is killed.
serve() {
    rm -f "$dir/server" "$dir/log"
    "$tapir" serve --link kernel --access-log "$dir/log" \
        --log-format '$remote_addr $server_addr $host $status' "$@" "$dir/site" \
        >/dev/null 2>"$dir/server" &
    server=$!
    for _ in $(seq 100); do
        grep -q serving "$dir/server" && return
        sleep 0.05
    done
}
stop() {
    kill -TERM $server
    wait $server
}
tries_both() {
    "$tapir" get --link kernel -v -o "$dir/got" http://both.test:8080/f 2>&1
}

serve --port 8080 --bind ::1
what='the server tells a URL with brackets'
gives 0 'at http://\[::1\]:8080/$' cat "$dir/server"
what='curl fetches over IPv6'
gives 0 '^200 ::1$' curl -sS -g -o "$dir/got" -w '%{http_code} %{remote_ip}\n' \
    'http://[::1]:8080/f'
what='an address in brackets'
gives 0 '^200 1 ::1 ::1 8080$' fetches 'http://[::1]:8080/f'
what='with -6, too'
gives 0 '^200 1 ::1 ::1 8080$' fetches 'http://[::1]:8080/f' -6
what='with -4 it is of no use'
gives 6 'addresses of the other family only' fetches 'http://[::1]:8080/f' -4
what='a name that has an IPv6 address'
gives 0 '^200 1 ::1 ::1 8080$' fetches http://six.test:8080/f
what='--resolve takes one, with brackets or without'
gives 0 '^200 1 ::1 ::1 8080$' fetches http://a.test:8080/f --resolve 'a.test:8080:[::1]'
gives 0 '^200 1 ::1 ::1 8080$' fetches http://a.test:8080/f --resolve a.test:8080:::1
what='the first address that takes a connection is used'
gives 0 '^200 1 ::1 ::1 8080$' fetches http://a.test:8080/f \
    --resolve a.test:8080:127.0.0.1,::1
what='where IPv4 is asked for, nobody listens'
gives 7 'nothing listens' fetches http://both.test:8080/f -4
what='Host has the brackets, and a connection is kept'
gives 0 '^> Host: \[::1\]:8080$
^\* 4 connect    \[::1\]:[0-9]* to \[::1\]:8080, kept' \
    "$tapir" get --link kernel -v -o "$dir/got" 'http://[::1]:8080/f' \
    -o "$dir/got" 'http://[::1]:8080/f'
what='parallel fetches and a pipeline'
gives 0 '^200$' "$tapir" get --link kernel -sS -w '%{http_code}\n' -Z \
    -o "$dir/a" 'http://[::1]:8080/f' -o "$dir/b" 'http://[::1]:8080/f'
gives 0 '^1$
^0$' "$tapir" get --link kernel -sS -w '%{num_connects}\n' --pipeline \
    -o "$dir/a" 'http://[::1]:8080/f' -o "$dir/b" 'http://[::1]:8080/f'
what='a redirect stays there'
mkdir "$dir/site/sub"
gives 0 '^http://\[::1\]:8080/sub/ 1$' "$tapir" get --link kernel -sS -L -o "$dir/got" \
    -w '%{url_effective} %{num_redirects}\n' 'http://[::1]:8080/sub'
what='the access log has the addresses'
gives 0 '^::1 ::1 six.test 200$
^::1 ::1 \[::1\] 200$' cat "$dir/log"
what='so does the status page'
gives 0 '"remote_addr":"::1"' curl -sS -g 'http://[::1]:8080/tapir/status?json'
what='a page in six ways'
gives 0 'pipelined' "$tapir" page --link kernel --server ::1 --port 8080 --objects 2 \
    --site "$dir/site"
stop

serve --port 8080
what='without --bind it listens for both families'
gives 0 '^200 1 ::1 ::1 8080$' fetches 'http://[::1]:8080/f'
gives 0 '^200 1 127.0.0.1 127.0.0.1 8080$' fetches http://127.0.0.1:8080/f
what='IPv6 is tried first, where there is a route'
gives 0 '^\* 2 address    ::1 and 1 more, from the hosts file
^\*   Trying \[::1\]:8080' tries_both
what='-4 and -6 say which'
gives 0 '^200 1 127.0.0.1 127.0.0.1 8080$' fetches http://both.test:8080/f -4
gives 0 '^200 1 ::1 ::1 8080$' fetches http://both.test:8080/f -6
what='an IPv4 client is logged as one'
gives 0 '^127.0.0.1 127.0.0.1 both.test 200$' cat "$dir/log"

python3 tests/live/nameserver.py &
names=$!
for _ in $(seq 100); do grep -q ':0035 .* 0A ' /proc/net/tcp && break; sleep 0.05; done
what='a name server gives both, and what there is a route to comes first'
dns='--dns 127.0.0.1'
gives 0 '^200 1 ::1 ::1 8080$' fetches http://six.example.test:8080/f $dns
gives 0 '^200 1 ::1 ::1 8080$' fetches http://both.example.test:8080/f $dns
gives 0 '^200 1 127.0.0.1 127.0.0.1 8080$' fetches http://far.example.test:8080/f $dns
gives 0 '^200 1 127.0.0.1 127.0.0.1 8080$' fetches http://both.example.test:8080/f -4 $dns
gives 6 'no address of it' fetches http://six.example.test:8080/f -4 $dns
kill $names
stop
serve --port 8080 --bind 127.0.0.1
what='where IPv6 is refused, IPv4 is next'
gives 0 '^200 1 127.0.0.1 127.0.0.1 8080$' fetches http://both.test:8080/f
stop

what='nc talks over IPv6'
echo hello | timeout 10 "$tapir" nc --link kernel -l -p 7000 >"$dir/heard" 2>"$dir/nc" &
listener=$!
for _ in $(seq 100); do grep -q listening "$dir/nc" && break; sleep 0.05; done
gives 0 '^hello$' sh -c "sleep 0.2 | '$tapir' nc --link kernel ::1 7000"
wait $listener
"$tapir" perf -s --link kernel >/dev/null 2>"$dir/perf" &
perf=$!
for _ in $(seq 100); do grep -q listening "$dir/perf" && break; sleep 0.05; done
what='perf measures over IPv6'
gives 0 'local ::1 port [0-9]* connected to ::1 port 5001' \
    "$tapir" perf --link kernel -c ::1 -t 0.2
gives 0 'local ::1 port [0-9]* connected to ::1 port 5001' \
    "$tapir" perf --link kernel -c '[::1]:5001' -t 0.2
kill $perf
wait $perf
what='host tells of both'
gives 0 '^both.test has address 127.0.0.1$
^both.test has IPv6 address ::1$' "$tapir" host --link kernel both.test

what='over our own stack an IPv6 address is refused'
gives 6 'IPv6 is not built yet' "$tapir" get --link sim -sS 'http://[2001:db8::1]/'
gives 6 'IPv6 is not built yet' "$tapir" get --link sim -sS http://six.test/
gives 7 'IPv6 is not built yet' "$tapir" get --link sim -sS -6 http://six.test/
gives 1 'IPv6 is not built yet' "$tapir" serve --link unix:"$dir/s" --bind ::1 "$dir/site"
gives 1 'IPv6 is not built yet' "$tapir" ping --link sim six.test
gives 1 'IPv6 is not built yet' "$tapir" nc --link sim ::1 7000
gives 1 'IPv6 is not built yet' "$tapir" perf --link sim -c ::1
what='ping over the kernel is of IPv4'
gives 1 'addresses of the other family only' "$tapir" ping --link kernel -c 1 six.test

end_tests
