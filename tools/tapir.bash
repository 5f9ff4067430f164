# bash completion for tapir
_tapir() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options="--link --addr --gateway --host-addr --mac --mtu --no-offload --dns --netem
        --sysctl --pcap --pcap-raw --ladder --stat --seed --help"
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "serve get ping host nc perf sim page lab wire drill doctor help --version" -- "$word"))
    elif [ "$before" = help ]; then
        COMPREPLY=($(compgen -W "serve get ping host nc perf sim page lab wire drill doctor" -- "$word"))
    elif [ "$before" = --link ]; then
        COMPREPLY=($(compgen -W "ns tap: unix: fd: sim kernel" -- "$word"))
    elif [ "$before" = --strategy ]; then
        COMPREPLY=($(compgen -W "single serial parallel keepalive kparallel pipelined all" -- "$word"))
    elif [ "$before" = lab ]; then
        COMPREPLY=($(compgen -W "$(tapir lab 2>/dev/null | awk '/^  /{print $1}') --check --json --read" -- "$word"))
    elif [ "$before" = --netem ]; then
        COMPREPLY=($(compgen -W "delay loss reorder duplicate corrupt rate limit codel ecn
            mtu drop twice hold" -- "$word"))
    elif [[ $word == -* ]]; then
        [ "${COMP_WORDS[1]}" = wire ] && options="--link --netem --mtu --pcap --stat --seed -t --help"
        [ "${COMP_WORDS[1]}" = drill ] && options="--dry-run --freebsd --json --define --profile --sysctl
            --mtu --pcap --ladder --stat --seed --tolerance_usecs= --help"
        [ "${COMP_WORDS[1]}" = page ] && options="$options --page --objects --size
            --connections --rtt --rate --iw --strategy --loss --json --table --waterfall --svg
            --har --site --server --port"
        [ "${COMP_WORDS[1]}" = lab ] && options="--check --json --read --help"
        [ "${COMP_WORDS[1]}" = host ] && options="$options -t --json"
        [ "${COMP_WORDS[1]}" = serve ] && options="$options --port --bind --echo
            --follow-links --no-listing --no-status --access-log --log-format
            --header-timeout --body-timeout --idle-timeout --send-timeout --max-line --max-header
            --max-fields --max-body --max-requests --max-connections"
        [ "${COMP_WORDS[1]}" = get ] && options="$options --verbose --output --remote-name
            --continue-at --range --include --head --silent --show-error --no-progress-meter
            --fail --fail-early --location --max-redirs --data --data-raw --data-binary --json
            --get --upload-file --request --header --user-agent --referer --user --max-time
            --connect-timeout --retry --retry-delay --retry-connrefused --retry-all-errors
            --http1.0 --http1.1 --ipv4 --ipv6 --resolve --next
            --remote-header-name --remote-time --remote-name-all --output-dir --create-dirs
            --no-clobber --skip-existing --remove-on-error --dump-header --show-headers
            --stderr --fail-with-body --time-cond --max-filesize --ignore-content-length
            --request-target --path-as-is --oauth2-bearer --retry-max-time --globoff --config
            --parallel --parallel-max
            --parallel-immediate --pipeline --write-out --url"
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -F _tapir tapir
