"""The house rules that a machine can hold: sizes, names, maps, locks. Import directions are in pyproject.toml."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "openproctor"
LIMIT = 500
SUFFIXES = {".py", ".ts", ".tsx", ".css"}


def tracked() -> list[Path]:
    """Every file of the project, ignored ones left out; also those not committed yet."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def sources() -> Iterator[Path]:
    """The files people write code in."""
    for path in tracked():
        top = path.relative_to(ROOT).parts[0]
        if path.suffix in SUFFIXES and top in {"src", "tests", "web", "scripts", "benchmarks"}:
            yield path


def rooms() -> list[Path]:
    """The domain folders: the packages directly under openproctor."""
    return sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {name: lines for name, lines in sizes.items() if lines > LIMIT} == {}


def test_no_folder_is_named_for_what_belongs_nowhere() -> None:
    nowhere = {"utils", "util", "misc"}
    named = {str(path.relative_to(ROOT)) for path in sources() if nowhere & {*path.parent.parts}}
    assert named == set()


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.name)
def test_every_room_says_what_it_owns_what_it_may_import_and_where_to_start(room: Path) -> None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    lines = [line for line in docstring.splitlines() if line.strip()]
    assert len(lines) >= 3, f"{room.name}/__init__.py needs a docstring of three lines"


def test_locks_pin_every_package_by_hash_and_name_no_address() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text("utf-8")
        assert "://" not in text, lock.name
        for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
            assert re.match(r"[a-z0-9.-]+==\S+", block), block.splitlines()[0]
            assert "--hash=sha256:" in block, block.splitlines()[0]
    assert not (ROOT / "uv.lock").exists() or ROOT / "uv.lock" not in tracked()


def test_the_web_lock_names_no_registry() -> None:
    text = (ROOT / "web" / "package-lock.json").read_text("utf-8")
    assert re.findall(r'"resolved": "https?://[^"]+"', text) == []


def test_pages_load_nothing_from_other_people_s_servers() -> None:
    outside = re.compile(r"""(?:src|href)=["']https?://|@import\s+["']?(?:url\()?["']?https?://|from ["']https?://""")
    guilty = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in {".html", ".css", ".ts", ".tsx"} and outside.search(path.read_text("utf-8"))
    ]
    assert guilty == []
