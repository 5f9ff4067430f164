# What live tests share. A script sources it from the project's directory, says what it
# needs, and closes with the line that run-tests reads:
#
#     cd "$(dirname "$0")/../.." || exit 1
#     . tests/live/lib.sh
#     [ "$1" = inside ] || enter wget ip
#     begin_tests
#     check "a page is fetched" fetches /page
#     end_tests
here=$PWD/tests/live
tapir=$PWD/${TAPIR:-build/tapir}
name=$(basename "$0" .sh)

# The whole script is skipped.
skip_all() {
    echo "skip $name: $*"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
# enter PROGRAM...: runs the script once more, inside namespaces of its own, for two
# minutes at most. Without them, or one of the programs, all is skipped.
enter() {
    for need in "$@"; do
        command -v "$need" >/dev/null || skip_all "$need is missing"
    done
    for how in "unshare -nm" "unshare -Urnm"; do
        $how true 2>/dev/null && [ -w /dev/net/tun ] &&
            exec timeout -k 5 120 $how -p -f --kill-child --mount-proc "$here/$name.sh" inside
    done
    skip_all "no right to namespaces or a TAP device"
}

begin_tests() {
    dir=$(mktemp -d) || exit 1
    trap 'rm -rf "$dir"' EXIT
    passed=0 failed=0 skipped=0
    ip link set lo up
}
end_tests() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
}

# skip WHAT WHY
skip() {
    skipped=$((skipped + 1))
    echo "skip ${link:+$link: }$1: $2"
}
# check WHAT COMMAND...: COMMAND is good when it exits 0. Else what it said is shown, and
# the ends of the files that $logs names in $dir. $link, if it is set, stands in front.
check() {
    what=${link:+$link: }$1
    shift
    if "$@" >"$dir/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $what"
        return
    fi
    failed=$((failed + 1))
    echo "FAIL $what"
    for tale in said $logs; do
        [ -f "$dir/$tale" ] && tail -n 12 "$dir/$tale" | sed "s/^/     $tale| /"
    done
}
# wait_for COMMAND...: until it exits 0, five seconds at most.
wait_for() {
    turns=100
    while ! "$@" >/dev/null 2>&1; do
        turns=$((turns - 1))
        [ $turns -gt 0 ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.05
    done
}
