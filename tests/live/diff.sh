#!/bin/sh
# A few of the scenarios that `make diff` plays on our stack and on the kernel's, with the
# same peer: what they do is the same. In namespaces of its own; without them it is skipped.
# Closes with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
command -v python3 >/dev/null || {
    echo "skip diff: python3 is missing"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
exec timeout -k 5 60 tests/diff/run.py one-byte open-bare lost-second close-unread udp-refused
