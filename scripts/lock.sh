#!/bin/sh
# Locks the dependencies of pyproject.toml: every version, every hash, no address.
set -eu
cd "$(dirname "$0")/.."
compile() {
    out=$1; shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --custom-compile-command "make lock" --output-file "requirements/$out.txt" "$@"
    echo "  requirements/$out.txt: $(grep -c '==' "requirements/$out.txt") packages"
}
compile bootstrap --group bootstrap
compile node --group node
compile runtime pyproject.toml
compile dev --constraint requirements/runtime.txt pyproject.toml --group dev
