#!/bin/sh
# Every check of style, types and structure. Goes on after a failure; fails at the end.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
failed=""

check() {
    name=$1; shift
    echo "• $name"
    "$@" || failed="$failed, $name"
}

check "ruff: rules" ruff check --quiet .
check "ruff: form" ruff format --check --quiet .
check "mypy: types" mypy --no-error-summary
check "import-linter: floors" lint-imports
check "TypeScript: the candidate's room" sh -c 'cd web/candidate && npm run --silent check'
check "TypeScript: the console" sh -c 'cd web/console && npm run --silent check'
check "biome: form and rules" sh -c 'cd web && npx --no-install --loglevel=error biome check .'
if [ -n "$failed" ]; then
    echo "Not clean: ${failed#, }" >&2
    exit 1
fi
echo "Clean."
