#!/bin/sh
# The program from outside: its refusals, the options of the stack, ping, nc and perf, the
# COMMAND behind "--" and signals. On the simulated link, which needs no right, and in a
# namespace. Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
tapir=${TAPIR:-build/tapir}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0
may_ns=
timeout 20 "$tapir" ping --link ns -c 1 -W 1 192.0.2.1 >/dev/null 2>&1 && may_ns=yes

good() {
    passed=$((passed + 1))
    echo "ok   $what"
}
bad() {
    failed=$((failed + 1))
    echo "FAIL $what: $1"
    sed 's/^/     | /' "$dir/out" "$dir/err"
}
# gives STATUS WORDS COMMAND...: ends with the status; WORDS (a basic regular expression)
# stands on stdout or stderr.
gives() {
    want=$1 words=$2
    shift 2
    timeout "${limit:-60}" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    if [ $status -ne "$want" ]; then
        bad "status $status, not $want"
    elif ! cat "$dir/out" "$dir/err" | grep -q -- "$words"; then
        bad "no '$words'"
    else
        good
    fi
}
# refuses STATUS WORDS COMMAND...: the same, with cause and fix told, and stdout empty.
refuses() {
    gives "$@"
    if [ -s "$dir/out" ] || ! grep -q '  cause: .' "$dir/err" ||
        ! grep -q '  fix:   .' "$dir/err"; then
        what="$what (three parts, on stderr)"
        bad 'they are not'
    fi
}
in_ns() {
    [ -n "$may_ns" ] && return
    echo "skip $what: no right to a namespace or a TAP device"
    skipped=$((skipped + 1))
    return 1
}

# ---- calls ----------------------------------------------------------------------------

what='--version tells the version'
gives 0 '^tapir [0-9]' "$tapir" --version
what='help lists the commands'
gives 0 '^  serve ' "$tapir" help
what='help on a command has its options and those of the stack'
gives 0 '--no-offload' "$tapir" help perf
what='a command without its arguments is a wrong call'
refuses 2 'needs a HOST' "$tapir" ping
what='a misspelt command gets the nearest as a suggestion'
refuses 2 'did you mean: tapir serve' "$tapir" sevre
what='help on a misspelt command suggests it, too'
refuses 2 'did you mean: tapir serve' "$tapir" help sevre
what='help on a command of a later issue says so'
refuses 2 'plot is not built yet' "$tapir" help plot
what='without a command the list of them is on stderr'
gives 2 '^  serve ' "$tapir"
[ -s "$dir/out" ] && bad 'it is on stdout'
what='an option before the command is a wrong call'
refuses 2 'a command is missing' "$tapir" --seed 1 ping 192.0.2.1
what='a command of a later issue is refused by its name'
refuses 2 'plot is not built yet' "$tapir" plot x.pcap
what='an option of a later issue is refused by its name'
refuses 2 '--events .*is not built yet' "$tapir" ping --events x 192.0.2.1
what='a descriptor that is not open is no link'
refuses 1 'cannot use descriptor 33 as a link: EBADF' "$tapir" ping --link fd:33 192.0.2.1
what='a descriptor that is something else is no link'
refuses 1 'cannot use descriptor 0 as a link: EINVAL' "$tapir" ping --link fd:0 192.0.2.1
what='fd: without a number is a wrong call'
refuses 2 "bad value for --link: 'fd:x'" "$tapir" ping --link fd:x 192.0.2.1
what='a file that is no socket is no link, and stays'
refuses 1 'cannot use the socket' "$tapir" ping --link "unix:$tapir" 192.0.2.1
what='a link of no kind is told those that there are'
refuses 2 'unix:PATH' "$tapir" ping --link pigeon 192.0.2.1
what='a path to echo begins with a slash'
refuses 2 '--echo takes a path that begins with /' "$tapir" serve --echo x .
what='a deadline that is no number is refused'
refuses 2 "bad value for --idle-timeout: 'soon'" "$tapir" serve --idle-timeout soon .
what='a format of the access log has variables that there are'
refuses 1 'bad format of the access log' "$tapir" serve --link kernel -p 18080 --log-format '$x' .
what='a limit of connections that is no number is refused'
refuses 2 "bad value for --max-connections: 'none'" "$tapir" serve --max-connections none .
what='a later letter of curl is refused by its name'
refuses 2 'get: -b (--cookie) is not built yet' "$tapir" get -b x http://192.0.2.1/
what='a wire has two ends'
refuses 2 'two ends' "$tapir" wire --link tap:a
what='no third'
refuses 2 'third' "$tapir" wire --link tap:a --link tap:b --link tap:c
what='and not the same one twice'
refuses 2 'the same' "$tapir" wire --link tap:a --link tap:a
what='an end of a wire is a device'
refuses 2 'tap:NAME, unix:PATH or fd:N' "$tapir" wire --link ns --link tap:a
what='a wire has no address'
refuses 2 'no --addr' "$tapir" wire --link tap:a --link tap:b --addr 192.0.2.1/24
what='a wire runs no COMMAND'
refuses 2 'COMMAND' "$tapir" wire --link tap:a --link tap:b -- true
what='a fault that the emulator of a wire has not is a wrong call'
refuses 2 "bad --netem 'gremlins'" "$tapir" wire --link tap:a --link tap:b --netem gremlins
what='an end that cannot be opened is told, and the first is closed'
refuses 1 'cannot use descriptor 33' "$tapir" wire --link "unix:$dir/end" --link fd:33
[ -e "$dir/end" ] && bad 'the first is not closed'
what='an unknown option is a wrong call'
refuses 2 "unknown option '--verbos'" "$tapir" ping --verbos 192.0.2.1
what='a misspelt option gets the nearest as a suggestion'
refuses 2 'did you mean --link?' "$tapir" ping --lnik=sim 192.0.2.1
what='a misspelt option of the command as well'
refuses 2 'did you mean --verbose?' "$tapir" get --verbos http://192.0.2.1/
what='an option without its value is a wrong call'
refuses 2 'needs a value' "$tapir" ping 192.0.2.1 --mtu
what='a bad number is a wrong call'
refuses 2 "bad value for --mtu: '12x'" "$tapir" ping --mtu 12x 192.0.2.1
what='so it is in HOST:PORT'
refuses 2 "bad value for the port: '5001x'" "$tapir" perf --link sim -c 192.0.2.1:5001x
what='a bad address is a wrong call'
refuses 2 'bad value for --addr' "$tapir" ping --link sim --addr 300.1.1.1/24 192.0.2.1
what='a fault that the emulator has not is a wrong call'
refuses 2 'slot' "$tapir" ping --link sim --netem 'slot 1ms' 192.0.2.1
what='an unknown tunable is a wrong call'
refuses 2 'tcp_sock' "$tapir" ping --link sim --sysctl net.ipv4.tcp_sock=1 192.0.2.1
what='a name that stands nowhere is told'
refuses 1 "cannot find host 'nowhere.invalid'" "$tapir" ping --link sim nowhere.invalid
what='a flag wins over the environment'
gives 0 '1 received' env TAPIR_LINK=tap:none TAPIR_SEED=1 "$tapir" ping --link sim -c 1 192.0.2.1
what='a flag wins over a wrong value in the environment'
gives 0 '1 received' env TAPIR_LINK=nonsense TAPIR_MTU=x "$tapir" ping --link sim --mtu 1500 \
    --seed 1 -c 1 192.0.2.1
what='help does not look at the environment'
gives 0 '--no-offload' env TAPIR_LINK=nonsense "$tapir" ping --help
what='a flag --sysctl goes after TAPIR_SYSCTL'
gives 0 'S 0:0.*sackOK' env TAPIR_SYSCTL='net.ipv4.tcp_sack=0 net.ipv4.tcp_dsack=0' \
    "$tapir" nc --link sim --ladder --sysctl net.ipv4.tcp_sack=1 192.0.2.1 5003
what='a variable of a later issue is refused by its name'
refuses 2 '--events .*is not built yet' env TAPIR_EVENTS=x "$tapir" ping --link sim 192.0.2.1
what='a malformed URL is told though there is no link'
refuses 3 '(3) URL rejected' "$tapir" get --link tap:lo http://192.0.2.1:99999/
printf 'cookie = "a=b"\nwrite-out = "%%{http_code}!"\n' >"$dir/.curlrc"
what="get has the options of curl's default file"
gives 0 '200!' env CURL_HOME="$dir" "$tapir" get --link sim -o "$dir/got" http://192.0.2.1/
what='and tells what it does not know of it'
gives 0 "left out of the default file: '--cookie' is not known" env CURL_HOME="$dir" \
    "$tapir" get --link sim -o "$dir/got" http://192.0.2.1/
what='but with -q first'
if [ -z "$(CURL_HOME=$dir "$tapir" get -q --link sim -o "$dir/got" http://192.0.2.1/ 2>&1)" ]; then
    good
else
    bad 'it was read'
fi
what='a file of -K must be known all through'
refuses 2 '(--cookie) is not built' "$tapir" get --link sim -K "$dir/.curlrc" http://192.0.2.1/
what='a bad value in the environment names the variable'
refuses 2 'TAPIR_MTU' env TAPIR_MTU=none "$tapir" ping 192.0.2.1

# ---- the simulated link ---------------------------------------------------------------

what='ping counts what comes back, in virtual time'
gives 0 '^3 packets transmitted, 3 received, 0% packet loss, time 2[0-9][0-9][0-9]ms' \
    "$tapir" ping --link sim -c 3 192.0.2.1
what='ping without any reply fails'
gives 1 '0 received, 100% packet loss' \
    "$tapir" ping --link sim --netem 'loss 100%' -c 2 192.0.2.1
what='nc sends stdin and prints what comes back'
printf 'one\ntwo\n' | timeout 20 "$tapir" nc --link sim 192.0.2.1 5003 >"$dir/out" 2>"$dir/err"
[ "$(cat "$dir/out")" = "one
two" ] && good || bad 'stdout differs'
what='a port where nobody listens is refused'
refuses 1 'port 9: Connection refused' "$tapir" nc --link sim 192.0.2.1 9
what='perf reports in the words of iperf3'
gives 0 'sec .*Bytes .*bits/sec .*receiver' \
    "$tapir" perf --link sim -c 192.0.2.1 -t 1 --netem 'delay 10ms'
what='perf has the JSON tree of iperf3'
gives 0 '"sum_received":{"start":0' \
    "$tapir" perf --link sim -c 192.0.2.1 -t 1 -R -P 2 --json --netem 'delay 10ms'
what='--stat tells the counters by their names'
gives 0 '^TcpActiveOpens  *1 *$' \
    "$tapir" nc --link sim --stat 192.0.2.1 5003
what='--ladder shows the handshake'
gives 0 'S\. .*ack 1 win' "$tapir" nc --link sim --ladder 192.0.2.1 5003
what='one seed gives one capture, byte for byte'
for i in 1 2; do
    timeout 30 "$tapir" perf --link sim --seed 7 --pcap "$dir/$i" -c 192.0.2.1 -t 0.3 \
        --netem 'delay 10ms loss 2%' >"$dir/out" 2>"$dir/err"
done
[ -s "$dir/1" ] && cmp "$dir/1" "$dir/2" >"$dir/out" && good || bad 'they differ'
what='a seed that was not given is told'
gives 0 '^seed [0-9]' "$tapir" ping --link sim --stat -c 1 192.0.2.1
what='--pcap - has stdout alone'
"$tapir" ping --link sim --seed 7 --pcap "$dir/1" -c 1 192.0.2.1 >"$dir/out" 2>&1
"$tapir" ping --link sim --seed 7 --pcap - -c 1 192.0.2.1 >"$dir/2" 2>"$dir/err"
cmp "$dir/1" "$dir/2" >"$dir/out" && grep -q '1 received' "$dir/err" && good || bad 'it has not'
what='a failure is an object for --json, too'
gives 1 '^{"error":"cannot connect to 192.0.2.1 port 99: Connection refused"}$' \
    "$tapir" perf --link sim --json -c 192.0.2.1:99
what='so it is when the link cannot be opened'
gives 1 '^{"error":"cannot ' "$tapir" ping --link tap:lo --json 192.0.2.1
what='a datagram that does not fit goes in fragments'
gives 0 '^1481 bytes from' "$tapir" ping --link sim -c 1 -s 1473 192.0.2.1
what='the largest datagram comes back, and one byte more is refused'
gives 0 '^65515 bytes from' "$tapir" ping --link sim -c 1 -s 65507 192.0.2.1
refuses 2 '0 to 65507' "$tapir" ping --link sim -c 1 -s 65508 192.0.2.1
what='a controller that is not there is told with those that are'
refuses 2 'cubic, or reno' \
    "$tapir" ping --link sim --sysctl net.ipv4.tcp_congestion_control=bbr 192.0.2.1
what='what sockets of the kernel do not have is told'
gives 1 '^tapir: on --link kernel .*--netem' \
    "$tapir" nc --link kernel --netem 'loss 1%' 127.0.0.1 9
what='-- COMMAND does not go with the simulated link'
refuses 2 'no kernel side' "$tapir" perf --link sim -c 192.0.2.1 -- true

# ---- a namespace ----------------------------------------------------------------------

what='the exit status of a server is its COMMAND'\''s'
in_ns && gives 7 'listening on 192.0.2.2,' "$tapir" perf -s --link ns -- sh -c 'exit 7'
what='a COMMAND that does not exist gives 127'
in_ns && gives 127 'cannot run' "$tapir" perf -s --link ns -- no-such-command
what='a listening nc takes what its COMMAND sends'
in_ns && gives 0 '^from the kernel$' "$tapir" nc --link ns -l -p 7000 -- \
    sh -c "echo from the kernel | $tapir nc --link kernel 192.0.2.2 7000"
what='so it does over UDP'
in_ns && gives 0 '^a datagram$' "$tapir" nc --link ns -l -u -p 7000 -- \
    sh -c "echo a datagram | $tapir nc -u --link kernel 192.0.2.2 7000"
what='a client waits until its far side listens'
in_ns && gives 0 'receiver' "$tapir" perf --link ns -c 192.0.2.1 -t 0.3 -- \
    sh -c "sleep 0.4; exec $tapir perf -s --link kernel"
what='a far side that does not come is a refusal'
in_ns && refuses 1 'refused' "$tapir" perf --link ns -c 192.0.2.1 -- true
what='a host that is not there is unreachable'
in_ns && refuses 1 'No route to host' "$tapir" nc --link ns 192.0.2.77 80

# started COMMAND...: in the background, until its stderr says that it serves.
# --- two hosts in virtual time -----------------------------------------------------------

refuses 2 'sim takes options only' "$tapir" sim 192.0.2.1
refuses 2 "bad value for -n" "$tapir" sim -n many
refuses 2 'sim has a link of its own' "$tapir" sim --link ns
gives 0 '"bytes":10485760,' "$tapir" sim -n 10M --json --netem 'delay 10ms loss 1%'
what='one seed of sim gives one run, and another a different one'
"$tapir" sim -t 2 -P 2 --seed 5 --netem 'delay 10ms loss 1%' --csv "$dir/a.csv" >"$dir/a"
"$tapir" sim -t 2 -P 2 --seed 5 --netem 'delay 10ms loss 1%' --csv "$dir/b.csv" >"$dir/b"
"$tapir" sim -t 2 -P 2 --seed 6 --netem 'delay 10ms loss 1%' --csv "$dir/c.csv" >"$dir/c"
if cmp -s "$dir/a" "$dir/b" && cmp -s "$dir/a.csv" "$dir/b.csv" &&
    ! cmp -s "$dir/a.csv" "$dir/c.csv"; then
    good
else
    bad 'the runs do not compare as they should'
fi
what='sim writes a row of CSV for each flow and interval'
if [ "$(head -1 "$dir/a.csv" | cut -d, -f1-4)" = time,flow,cc,cwnd ] &&
    [ "$(grep -c ',2,cubic,' "$dir/a.csv")" -ge 20 ]; then
    good
else
    bad 'rows or columns are missing'
fi

# --- a page in virtual time ----------------------------------------------------------

what='page takes options only'
refuses 2 'page takes options only' "$tapir" page 192.0.2.1
what='a strategy that there is none of is refused with those that there are'
refuses 2 'kparallel, pipelined and all' "$tapir" page --strategy quick
what='page makes its path itself'
refuses 2 'page makes its path itself' "$tapir" page --netem 'delay 1ms'
what='page refuses an option of the stack that would do nothing'
refuses 2 'has no use in virtual time' "$tapir" page --mac 02:00:00:00:00:01
what='page tells measured and predicted times'
gives 0 '^pipelined  *0\.677  *0\.677 ' "$tapir" page
what='page has a lane for each connection'
gives 0 '^   1 .ss*rr*1rr*11*\.\.*22*\.' "$tapir" page --strategy pipelined --waterfall
what='two runs of page are one run'
"$tapir" page --loss 2 --json --svg "$dir/a.svg" --har "$dir/a.har" >"$dir/a"
"$tapir" page --loss 2 --json --svg "$dir/b.svg" --har "$dir/b.har" >"$dir/b"
"$tapir" page --loss 2 --json --seed 2 >"$dir/c"
if cmp -s "$dir/a" "$dir/b" && cmp -s "$dir/a.svg" "$dir/b.svg" &&
    cmp -s "$dir/a.har" "$dir/b.har" && ! cmp -s "$dir/a" "$dir/c"; then
    good
else
    bad 'the runs do not compare as they should'
fi
what='JSON, HAR and SVG of a page are well formed'
if python3 - "$dir" <<'EOF'
import json, sys, xml.dom.minidom
at = sys.argv[1]
assert len(json.load(open(at + '/a'))['strategies']) == 6
assert len(json.load(open(at + '/a.har'))['log']['pages']) == 6
xml.dom.minidom.parse(at + '/a.svg')
EOF
then good; else bad 'they are not'; fi
what='page fetches from a server of the kernel, too, and counts its bytes'
in_ns && gives 0 '^serial .* 4/4 .*/[0-9]* *0$' "$tapir" page --link ns --objects 3 --rtt 10 \
    --site "$dir/site" -- "$tapir" serve --link kernel "$dir/site"
what='page has no loss to give the kernel'
refuses 2 "the path is the kernel's" "$tapir" page --link kernel --loss 1
# Virtual time needs real threads: on a busy machine their turns take long.
limit=180
for lab in $("$tapir" lab | awk '/^  / { print $1 }'); do
    what="the lab $lab is where theory has it"
    gives 0 'within their gates' "$tapir" lab --check "$lab"
done
limit=60
what='the right answers to a lab are told so'
gives 0 '^3b: 1 requests: yes' "$tapir" lab retries --check 1=52 2=56 3a=2 3b=1 4=0.025
what='a wrong answer is told so'
gives 1 '^1: 56 code: no' "$tapir" lab retries --check 1=56
while read -r lab right wrong; do
    what="the lab $lab tells right answers from wrong ones"
    # shellcheck disable=SC2086
    gives 0 ': yes$' "$tapir" lab "$lab" --check $(echo "$right" | tr , ' ')
    gives 1 ': no$' "$tapir" lab "$lab" --check "$wrong"
done <<'EOF'
loss 1=4.27,2=4.1 1=3.3
head-of-line 1=0.1976,2=3,3=1.08 2=9
fairness 1=90,2=25 1=80
syn-loss 1=0.125,3=0.9,4=0.099 4=0.9
idle 1=63.2,2=632,3=0.276,4=0.37 2=500
EOF
what='a seed gives a lab other luck, within its gates'
gives 0 '^idle: ' "$tapir" lab idle seed=2 visits=500 --check
what='an answer to a question for thinking is refused'
refuses 2 'no experiment answers that' "$tapir" lab retries --check 5=1
what='an answer that is no number is refused'
refuses 2 'an answer is a number' "$tapir" lab retries --check 1=soon
what='a key of one experiment changes a lab'
gives 0 ' 20 + 20 + 12 +  571 =  623 ' "$tapir" lab segments mss=583
what='a lab refuses a key that it does not know'
refuses 2 "unknown key 'colour'" "$tapir" lab close colour=1
what='a lab refuses answers without --check'
refuses 2 'answers are for --check' "$tapir" lab close 1=0
what='the pictures of a lab are in its JSON'
gives 0 '"view":" *.connection. flags .*.n *time client  *server.n  0.000000 |--- ' "$tapir" lab close --json
"$tapir" get --link sim --pcap "$dir/seen" -o /dev/null http://192.0.2.1/window.svg 2>/dev/null
what='a capture has its connections in a table'
gives 0 '^  1  *192.0.2.2:[0-9]*  *192.0.2.1:80$' "$tapir" lab tuples --read "$dir/seen"
what='and its first answer in segments'
gives 0 '^        1  1:1449  *20 + 20 + 12 + 1448 = 1500 .*HTTP/1.1 200 OK' \
    "$tapir" lab segments --read "$dir/seen"
what='and all of it as a ladder'
gives 0 '|--- .1. P. 1:.* GET /window.svg HTTP/1.1 -*>|$' "$tapir" lab close --read "$dir/seen"
what='what is no capture is refused'
refuses 1 'neither pcapng nor pcap' "$tapir" lab tuples --read "$0"
what='a capture is not checked'
refuses 2 'only looked at' "$tapir" lab tuples --check --read "$dir/seen"
what='a lab that there is none of is refused by its name'
refuses 2 "there is no lab 'opera'" "$tapir" lab opera
what='a lab takes no option of the stack'
refuses 2 'no option of the stack' "$tapir" lab --link ns nagle

started() {
    "$@" >"$dir/out" 2>"$dir/err" </dev/null &
    pid=$!
    turn=0
    while [ $turn -lt 100 ] && ! grep -q listening "$dir/err"; do
        sleep 0.05
        turn=$((turn + 1))
    done
}
what='SIGTERM ends a server with 0'
if in_ns; then
    started "$tapir" perf -s --link ns
    kill "$pid"
    wait "$pid"
    status=$?
    [ $status -eq 0 ] && good || bad "status $status"
fi
what='SIGINT ends perf with its summary and 130'
if in_ns; then
    # A shell ignores SIGINT for what it starts in the background; timeout restores it.
    timeout -s INT 1 env --default-signal=INT "$tapir" perf --link ns -c 192.0.2.1 -t 60 -- \
        "$tapir" perf -s --link kernel >"$dir/out" 2>"$dir/err"
    grep -q receiver "$dir/out" && good || bad 'there is no summary'
fi
what='a killed program leaves no COMMAND behind'
if in_ns; then
    started "$tapir" perf -s --link ns -- sleep 1000.25
    sleep 0.2
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    sleep 0.2
    if grep -qs 1000.25 /proc/[0-9]*/cmdline 2>/dev/null; then
        bad 'it runs on'
    else
        good
    fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
