#!/bin/sh
# Runs the tests: fast (no browser), e2e (only the browser), all; faults (the long form of every fault).
# Goes on after a failure; fails at the end.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
which=${1:-all}
failed=""

if [ "$which" = faults ]; then
    echo "• Every fault in its long form (about 25 minutes)"
    FAULTS=full pytest -q tests/faults tests/storage/test_nodes.py || failed="$failed faults"
    echo "• The line of a real browser cut for two minutes (about 5 minutes)"
    FAULTS=full pytest -q tests/e2e/test_line.py || failed="$failed line"
elif [ "$which" != e2e ]; then
    echo "• Web unit tests (a few seconds)"
    for app in candidate console; do
        (cd "web/$app" && npm run --silent test) || failed="$failed web/$app"
    done
    echo "• Python tests (4 to 7 minutes)"
    pytest -q -n 3 --dist loadfile --durations=10 --durations-min=10 -m "not e2e" || failed="$failed python"
fi
if [ "$which" = all ] || [ "$which" = e2e ]; then
    echo "• Tests with a real browser (5 to 7 minutes)"
    pytest -q --durations=10 --durations-min=10 -m e2e || failed="$failed e2e"
fi
if [ -n "$failed" ]; then
    echo "Failed:$failed" >&2
    exit 1
fi
