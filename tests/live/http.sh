#!/bin/sh
# The file server as its users meet it: requests as bytes (http_probe.py), and curl, over
# Tapir's TCP and over the kernel's. In namespaces of its own; without them all is
# skipped. Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
[ "$1" = inside ] || enter curl ip python3
begin_tests
logs=server

# What is served.
mkdir -p "$dir/site/sub" "$dir/site/bare"
printf hello >"$dir/site/a.txt"
echo secret >"$dir/secret"
ln -s ../secret "$dir/site/out"
echo '<p>sub</p>' >"$dir/site/sub/index.html"
head -c 3000000 /dev/urandom >"$dir/site/big"
truncate -s 100M "$dir/site/huge"
seq 100000 >"$dir/site/page.txt"
gzip -k "$dir/site/page.txt"
echo '<b>' >"$dir/site/bare/<i>&amp"

# serve ADDRESS OPTION...: until stop.
serve() {
    url=http://$1
    addr=$1
    shift
    rm -f "$dir/server" # an earlier one has said it
    "$tapir" serve "$@" --echo /echo --header-timeout 1 --max-body 1000000 \
        --access-log "$dir/log" --log-format json "$dir/site" \
        >/dev/null 2>"$dir/server" &
    server=$!
    wait_for grep -q serving "$dir/server"
}
get() {
    curl -sS --max-time 10 "$@"
}

# ---- tests ------------------------------------------------------------------------------

resumed() {
    head -c 1000001 "$dir/site/big" >"$dir/got"
    get -C - -o "$dir/got" "$url/big" && cmp "$dir/got" "$dir/site/big"
}
in_parts() {
    get -r 0-9,1000000-1999999,-5 "$url/big" >"$dir/got" && python3 - "$dir" <<'PY'
import email, sys
d = sys.argv[1]
body = open(d + "/got", "rb").read()
big = open(d + "/site/big", "rb").read()
boundary = body[2:body.index(b"\r\n")]
parts = body.split(b"--" + boundary)
data = [p.split(b"\r\n\r\n", 1)[1][:-2] for p in parts[1:-1]]
assert data == [big[:10], big[1000000:2000000], big[-5:]], [len(x) for x in data]
assert parts[-1] == b"--\r\n"
PY
}
coded() {
    get --compressed "$url/page.txt" | cmp - "$dir/site/page.txt" &&
        [ "$(get -o /dev/null -w '%{size_download}' --compressed "$url/page.txt")" -lt 300000 ] &&
        get "$url/page.txt" | cmp - "$dir/site/page.txt"
}
not_modified() {
    [ "$(get -o "$dir/got" -w '%{http_code}' -z "$dir/site/a.txt" "$url/a.txt")" = 304 ] &&
        tag=$(get -I "$url/a.txt" | tr -d '\r' | sed -n 's/^ETag: //p') &&
        [ "$(get -o "$dir/got" -w '%{http_code}' -H "If-None-Match: $tag" "$url/a.txt")" = 304 ]
}
changed() {
    printf changed >"$dir/site/new.txt" && [ "$(get "$url/new.txt")" = changed ] &&
        printf again >"$dir/site/new.txt" && [ "$(get "$url/new.txt")" = again ]
}
redirected() {
    [ "$(get -L "$url/sub?a=b")" = '<p>sub</p>' ] &&
        get -o /dev/null -w '%{redirect_url}' "$url/sub?a=b" | grep -qx "$url/sub/?a=b"
}
listed() {
    get "$url/bare/" | grep -q '<a href="%3Ci%3E%26amp">&lt;i&gt;&amp;amp</a>' &&
        [ "$(get "$url/bare/%3Ci%3E%26amp")" = '<b>' ] && ! get "$url/" | grep -q out
}
uploaded() {
    head -c 900000 "$dir/site/big" >"$dir/part" &&
        get -T "$dir/part" "$url/echo" | cmp - "$dir/part" &&
        get --data-binary "@$dir/part" "$url/echo" | cmp - "$dir/part" &&
        get -H 'Transfer-Encoding: chunked' --data-binary "@$dir/part" "$url/echo" |
        cmp - "$dir/part"
}
too_large() {
    [ "$(get -o /dev/null -w '%{http_code}' -T "$dir/site/big" "$url/echo")" = 413 ]
}
shown() {
    get "$url/tapir/status" | grep -q '<td>answer\|<td>request\|<td>idle' &&
        get "$url/tapir/status?json" | python3 -c '
import json, sys
all = json.load(sys.stdin)
assert any(c["state"] == "ESTAB" and c["cwnd"] > 0 for c in all["connections"]), all'
}
# Answers under way are finished; the exit status is 0.
stopped() {
    rm -f "$dir/got"
    get --limit-rate 4M -o "$dir/got" "$url/big" &
    wait_for test -s "$dir/got"
    kill -TERM $server
    wait $! && cmp "$dir/got" "$dir/site/big" && wait $server
}
# The second signal does not wait for them; timeout(1)'s two in one moment are one.
stopped_at_once() {
    rm -f "$dir/slow"
    curl -sS --limit-rate 100K -o "$dir/slow" "$url/huge" &
    client=$!
    wait_for test -s "$dir/slow"
    kill -TERM $server
    sleep 0.5
    kill -TERM $server
    wait $server
    status=$?
    kill $client
    wait $client
    [ $status -eq 143 ]
}
logged() {
    python3 - "$dir/log" "$addr" <<'PY'
import json, sys
lines = [json.loads(x) for x in open(sys.argv[1])]
assert len(lines) > 200, len(lines)
assert any(x["status"] == 206 and x["body_bytes_sent"] > 1000000 for x in lines)
assert any(x["pipe"] == "p" for x in lines)
assert any(x["close_reason"] == "client closes" for x in lines)
assert all(x["connection"] > 0 and x["connection_requests"] > 0 for x in lines)
assert any(x["tcpinfo_rtt"] > 0 and x["tcpinfo_snd_cwnd"] > 0 for x in lines)
PY
}

serve_link() {
    case $link in
    kernel) serve 127.0.0.1 --link kernel ;;
    *) serve 192.0.2.2 --link $link ;;
    esac
}

for link in tap:tapirhttp kernel; do
    rm -f "$dir/log"
    serve_link
    check "a fetch is resumed" resumed
    check "several ranges come as parts" in_parts
    check "a precompressed file goes to who likes it" coded
    check "what has not changed does not come again" not_modified
    check "what has changed does, at once" changed
    check "a directory is redirected with its query" redirected
    check "a directory is listed" listed
    check "what is uploaded comes back" uploaded
    check "too large a body is refused before it comes" too_large
    check "the status page shows TCP's figures" shown
    python3 "$here/http_probe.py" "$addr" 80 >"$dir/probe" 2>&1
    grep -v 'passed,' "$dir/probe" | sed "s/^\(ok  \|FAIL\) /\1 $link: /"
    passed=$((passed + $(grep -c '^ok ' "$dir/probe")))
    failed=$((failed + $(grep -c '^FAIL' "$dir/probe")))
    grep -q 'passed,' "$dir/probe" || failed=$((failed + 1))
    check "a server that stops finishes what it began" stopped
    serve_link
    check "a second signal ends it at once" stopped_at_once
    check "each answer is a line of JSON in the log" logged
done
end_tests
