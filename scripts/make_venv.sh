#!/bin/sh
# Makes .venv with a Python of 3.11 or newer and puts the pinned installer into it. Keeps a .venv that works.
set -eu
cd "$(dirname "$0")/.."

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        if [ -n "$python" ] && command -v "$python" >/dev/null && new_enough "$python" && "$1" "$python"; then
            echo "$python"
            return
        fi
    done
}

if ! [ -x .venv/bin/python ] || ! new_enough .venv/bin/python; then
    python=$(find_python makes_venvs)
    if [ -z "$python" ]; then
        python=$(find_python true)
        if [ -z "$python" ]; then
            echo "OpenProctor needs Python 3.11 or newer; none was found. Install one, or name it: make setup PYTHON=/path/to/python3" >&2
            exit 1
        fi
        # Debian keeps a part of venv in a package of its own.
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "• Installing python3-venv with apt-get, which $python lacks (up to 1 minute)"
            apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null || true
        fi
        if ! makes_venvs "$python"; then
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            echo "$python cannot make virtual environments (no ensurepip). On Debian and Ubuntu: sudo apt-get install python$version-venv" >&2
            exit 1
        fi
    fi
    echo "• Making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
echo "• Installing uv, which installs the rest (a few seconds)"
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements/bootstrap.txt
