"""The two programs that are compared: the product and the bare one, each a process of its own."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 60


def wait_for_file(path: Path, process: "subprocess.Popen[bytes]") -> str:
    """The text of a file that the process writes when it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the program did not start")
        time.sleep(0.01)
    return path.read_text()


@contextmanager
def started(arguments: list[str], **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process, ended by its id."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], env={**os.environ, **environment}, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far, in its own code and for it in the system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """Memory of a process that is in the machine's (resident)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def bare(folder: Path, database_url: str | None = None) -> Iterator[tuple[str, int]]:
    """Address and process of the bare program, on SQLite if no other database is named."""
    folder.mkdir(parents=True)
    note = folder / "port"
    with started(["benchmarks.bare", str(note), str(folder), *([database_url] if database_url else [])]) as process:
        yield f"http://127.0.0.1:{wait_for_file(note, process)}", process.pid


class Product:
    """A running ``openproctor serve``."""

    def __init__(self, data: Path, url: str, pid: int, environment: dict[str, str]) -> None:
        self.url = url
        self.pid = pid
        self.ready_at = time.perf_counter()
        command = [sys.executable, "-m", "openproctor", "keys", "create", "--data", str(data), "--name", "bench"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment})
        self.key = done.stdout.strip()
        self.staff = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)

    def candidates(self, count: int, policy: dict[str, Any] | None = None) -> list[tuple[str, str]]:
        """(session id, candidate's token) of candidates whose exam runs."""
        body: dict[str, Any] = {"title": "Benchmark", "policy": {"checks": [], **(policy or {})}}
        exam = self.staff.post("/api/v1/exams", json=body).json()["id"]
        found = []
        for _ in range(count):
            candidate = {"external_id": secrets.token_hex(8), "name": "Candidate"}
            session = self.staff.post("/api/v1/sessions", json={"exam_id": exam, "candidate": candidate}).json()
            token = session["join_url"].rsplit("/", 1)[1]
            joined = self.staff.post("/api/v1/join", json={"token": token, "device": secrets.token_hex(8)}).json()
            found.append((session["id"], joined["candidate_token"]))
            headers = {"Authorization": f"Bearer {joined['candidate_token']}"}
            self.staff.post(f"/api/v1/sessions/{session['id']}/start", json={}, headers=headers).raise_for_status()
        return found


@contextmanager
def product(data: Path, **settings: str) -> Iterator[Product]:
    """The product without analysis workers."""
    data.mkdir(parents=True, exist_ok=True)
    environment = {"OPENPROCTOR_WORKERS": "0", **{f"OPENPROCTOR_{k.upper()}": v for k, v in settings.items()}}
    arguments = ["openproctor", "serve", "--data", str(data), "--port", "0"]
    with started(arguments, **environment) as process:
        note = wait_for_file(data / "serve.json", process)
        yield Product(data, json.loads(note)["url"], process.pid, environment)
