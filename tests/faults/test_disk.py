"""The disk is full, and the database file is damaged: said clearly, and nothing is made empty or half."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.loads import AWAY_S, only_full, under_load, wait_for
from tests.live import LiveServer

IN_A_SMALL_DISK = """
set -e
mkdir -p "$1" && mount -t tmpfs -o size=48m tmpfs "$1"
home="$1"
shift
if [ "$1" != true ]; then "$1" -m openproctor keys create --data "$home" --name test > "$home/key.txt"; fi
exec "$@"
"""


def can_mount() -> bool:
    """Whether this user may have a file system of their own (Linux, user namespaces)."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    test = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", IN_A_SMALL_DISK, "sh"]
    folder = f"/tmp/openproctor-mount-{os.getpid()}"
    try:
        done = subprocess.run([*test, folder, "true"], capture_output=True, check=False, timeout=10)
    finally:
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
    return done.returncode == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server whose data folder is a file system of 48 MB that only it can see."""
    if not can_mount():
        pytest.skip("needs a file system of its own: Linux with user namespaces")
    live = LiveServer(tmp_path, workers=0)
    home = live.data
    home.mkdir()
    live.program = [
        *("unshare", "--user", "--map-root-user", "--mount"),
        *("sh", "-c", IN_A_SMALL_DISK, "sh", str(home), *live.program),
    ]
    live.inside = True
    with live:
        yield live


def fill(server: LiveServer) -> Path:
    """Write until there is no byte left."""
    path = server.folder / "other people's things"
    with path.open("ab", buffering=0) as file:
        for size in (2**20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return path


@pytest.mark.slow
def test_a_disk_that_is_full_for_a_while_loses_nothing(server: LiveServer, request: pytest.FixtureRequest) -> None:
    # made inside: from here the folder looks empty
    key = (server.folder / "key.txt").read_text().strip()
    with under_load(request, f"disk full for {AWAY_S:.0f} s", 1, server.url, key) as there:
        others = fill(server)
        until = time.monotonic() + AWAY_S
        wait_for(lambda: httpx.get(f"{server.url}/readyz", timeout=20).status_code == 503, "it is noticed")
        time.sleep(max(0.0, until - time.monotonic()))
        assert there() == 20, "what is there can be read, and nobody lost the line"
        others.unlink()
        wait_for(lambda: httpx.get(f"{server.url}/readyz", timeout=20).status_code == 200, "there is room again")
    log = server.log.read_text()
    assert "the database is away; what waits is kept" in log
    assert "database or disk is full" in log
    assert "the database is back" in log
    assert "Traceback" not in log


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    live = LiveServer(tmp_path, workers=0)
    key = live.key
    live.program = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh", *live.program]
    with live, under_load(request, "log cannot be written", 1, live.url, key, candidates=5):
        assert httpx.get(f"{live.url}/join/nobody", timeout=20).status_code == 401
    assert not live.log.read_text()


@pytest.mark.parametrize(
    "damage", ["middle", pytest.param("header", marks=only_full), pytest.param("cut", marks=only_full)]
)
def test_a_damaged_database_is_said_in_a_line_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    with LiveServer(tmp_path, workers=0) as live:
        assert live.key
    path = live.data / "openproctor.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:100] = b"x" * 100
    elif damage == "middle":
        data[4096:] = os.urandom(len(data) - 4096)
    else:
        del data[len(data) // 2 :]
    path.write_bytes(data)
    command = [sys.executable, "-m", "openproctor", "serve", "--data", str(live.data), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"The database {path} is damaged" in said
    assert "Restore it from a backup" in said
    assert "Traceback" not in said
    assert path.read_bytes() == data, "nothing was changed"
