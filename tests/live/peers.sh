#!/bin/sh
# The file server and well-known clients, the client and well-known servers, over Tapir's
# TCP and over the kernel's: nothing may fail, every byte is compared, and connections
# are counted in the access log. In namespaces of its own; without them all is skipped,
# as is a program that is not there. Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
[ "$1" = inside ] || enter ip
begin_tests
logs=server

mkdir -p "$dir/site/sub"
head -c 1024 /dev/urandom >"$dir/site/small"
head -c 100000 /dev/urandom >"$dir/site/middle"
head -c 3000000 /dev/urandom >"$dir/site/big"
echo '<p>sub</p>' >"$dir/site/sub/index.html"

# check_with PROGRAM WHAT COMMAND...: if the program is there.
check_with() {
    need=$1
    shift
    if command -v "$need" >/dev/null; then
        check "$@"
    else
        skip "$1" "$need is missing"
    fi
}

# ---- our server ---------------------------------------------------------------------------

# serve ADDRESS OPTION...: until it is killed; the log has two numbers a line, those of
# the connection and of the status.
serve() {
    url=http://$1
    addr=$1
    shift
    rm -f "$dir/server" # an earlier one has said it
    "$tapir" serve "$@" --echo /echo --access-log "$dir/log" \
        --log-format '$connection $status' "$dir/site" >/dev/null 2>"$dir/server" &
    server=$!
    wait_for grep -q serving "$dir/server"
}
# logs REQUESTS CONNECTIONS COMMAND...: as many at least, and at most.
logs() {
    requests=$1 connections=$2
    shift 2
    : >"$dir/log"
    "$@" || return 1
    wait_for enough && awk -v most="$connections" '{ seen[$1] = 1 }
        END { for (c in seen) n++; print NR, "requests,", n, "connections"; exit n > most }' \
        "$dir/log"
}
enough() {
    [ "$(wc -l <"$dir/log")" -ge "$requests" ]
}
wrk_is_happy() {
    wrk "$@" >"$dir/out" && cat "$dir/out" && ! grep -q 'errors\|Non-2xx' "$dir/out"
}
# ab_is_happy N OPTION... URL
ab_is_happy() {
    n=$1
    shift
    ab -q -n "$n" "$@" >"$dir/out" && cat "$dir/out" &&
        grep -q "^Complete requests: *$n$" "$dir/out" &&
        grep -q '^Failed requests: *0$' "$dir/out" &&
        ! grep -q 'Non-2xx\|Write errors' "$dir/out"
}
clients() {
    check_with wrk "wrk keeps 40 connections" logs 1000 40 \
        wrk_is_happy -t 2 -c 40 -d 1 "$url/small"
    check_with wrk "wrk's pipelines of 16" logs 1000 10 \
        wrk_is_happy -t 1 -c 10 -d 1 -s "$dir/pipeline.lua" "$url/small"
    check_with ab "ab keeps 50 connections" logs 3000 50 ab_is_happy 3000 -k -c 50 "$url/small"
    check_with ab "ab makes a connection for each request" logs 1000 1000 \
        ab_is_happy 1000 -c 20 "$url/small"
    check_with ab "ab posts" logs 500 10 \
        ab_is_happy 500 -k -c 10 -p "$dir/site/middle" -T text/plain "$url/echo"
    for what in kept opened pipelined ranges threads; do
        check_with python3 "python's clients: $what" \
            logs 1 60 python3 "$here/peers.py" "$what" "$addr" "$dir/site"
    done
    check_with node "node's fetch: forty at once, streams, aborts, bodies" \
        logs 150 60 node "$here/peers.mjs" "$url" "$dir/site"
    check_with curl "curl fetches twenty files in parallel" logs 20 20 curl_in_parallel
    check_with wget "wget goes on where it was" wget_goes_on
}
curl_in_parallel() {
    curl -sS -Z -o "$dir/c#1" "$url/big?[1-20]" || return 1
    for i in 1 10 20; do
        cmp "$dir/c$i" "$dir/site/big" || return 1
    done
}
wget_goes_on() {
    head -c 1234567 "$dir/site/big" >"$dir/big"
    wget -q -c -P "$dir" "$url/big" && cmp "$dir/big" "$dir/site/big"
}
cat >"$dir/pipeline.lua" <<'LUA'
init = function() request = function() return string.rep(wrk.format(nil, nil), 16) end end
LUA

# ---- our client ---------------------------------------------------------------------------

nginx_conf() {
    cat >"$dir/nginx.conf" <<END
daemon off; master_process off; pid $dir/nginx.pid; error_log $dir/nginx.error; events { }
http { access_log off; autoindex on; server { listen 8001; root $dir/site; }
       client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir;
       uwsgi_temp_path $dir; scgi_temp_path $dir; }
END
}
start_servers() {
    nginx_conf
    command -v nginx >/dev/null &&
        { nginx -p "$dir" -e "$dir/nginx.error" -c "$dir/nginx.conf" 2>/dev/null & }
    command -v node >/dev/null && { node "$here/peers.mjs" serve 8002 "$dir/site" & }
    command -v busybox >/dev/null && { busybox httpd -f -p 8003 -h "$dir/site" & }
    command -v lighttpd >/dev/null && {
        printf 'server.document-root = "%s/site"\nserver.port = 8004\n' "$dir" >"$dir/light"
        lighttpd -D -f "$dir/light" 2>/dev/null &
    }
}
get() {
    timeout 20 "$tapir" get -sS --link $link "$@"
}
# fetched N CONNECTIONS OPTION...: so often the file, over so many connections.
fetched() {
    n=$1 connections=$2
    shift 2
    rm -f "$dir"/g*
    set -- "$@" $(seq -f "-o $dir/g%g $from/middle" "$n")
    get -w '%{num_connects}\n' "$@" >"$dir/out" || return 1
    for i in $(seq "$n"); do
        cmp "$dir/g$i" "$dir/site/middle" || return 1
    done
    awk -v want="$connections" '{ n += $1 } END { print n, "connections"; exit n != want }' \
        "$dir/out"
}
parts() {
    [ "$(get -r 5-14 "$from/middle" | cksum)" = \
        "$(tail -c +6 "$dir/site/middle" | head -c 10 | cksum)" ] || return 1
    head -c 1234567 "$dir/site/big" >"$dir/part"
    get -C - -o "$dir/part" "$from/big" && cmp "$dir/part" "$dir/site/big"
}
missing() {
    get -f "$from/none"
    [ $? -eq 22 ] && get -I "$from/middle" | grep -qi '^content-length: 100000'
}
chunks() {
    [ "$(get -w '%{num_connects}\n' "$from/chunks" "$from/chunks" | cksum)" = \
        "$({ seq 500; echo 1; seq 500; echo 0; } | cksum)" ]
}
# servers ADDRESS
servers() {
    for at in nginx:8001 node:8002 busybox:8003 lighttpd:8004; do
        program=${at%:*} from=http://$1:${at#*:}
        case $program in
        busybox) kept=5 ;; # it closes after each answer
        *) kept=1 ;;
        esac
        command -v "$program" >/dev/null && wait_for listens "${at#*:}"
        check_with $program "$program: a file five times" fetched 5 $kept
        check_with $program "$program: a part, and what is missing" parts
        check_with $program "$program: what is not there, and a head" missing
        check_with $program "$program: a pipeline" fetched 5 $kept --pipeline
        [ $program != node ] || check_with node "node: chunks, and then the next" chunks
    done
}
# 0A is LISTEN.
listens() {
    grep -q "$(printf ':%04X .* 0A ' "$1")" /proc/net/tcp /proc/net/tcp6
}

start_servers
for link in tap:tapirpeers kernel; do
    case $link in
    kernel) ours=127.0.0.1 theirs=127.0.0.1 ;;
    *) ours=192.0.2.2 theirs=192.0.2.1 ;;
    esac
    serve $ours --link $link
    clients
    kill -TERM $server
    wait $server
    servers $theirs
done
end_tests
