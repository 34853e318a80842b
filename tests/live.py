"""A real server process for tests: its own data folder, its own free port, ended by its process id."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

START_SECONDS = 60


class LiveServer:
    """``openproctor serve`` on a folder. Keyword arguments become settings (``workers=0`` sets OPENPROCTOR_WORKERS)."""

    def __init__(self, folder: Path, *, port: int = 0, **settings: Any) -> None:
        self.data = folder / "data"
        self.log = folder / "server.log"
        self._port = port
        self._environment = {
            **os.environ,
            **{f"OPENPROCTOR_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.inside = False  # whether only the process itself sees its data folder
        self.program = [sys.executable, "-m", "openproctor"]
        self.url = ""
        self._key = ""

    def start(self) -> None:
        """Start and wait until it listens."""
        (self.data / "serve.json").unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.program, "serve", "--data", str(self.data), "--port", str(self._port)],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        note = self.folder / "serve.json"
        deadline = time.monotonic() + START_SECONDS
        while not note.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)
        self.url = json.loads(note.read_text())["url"]
        self._port = json.loads(note.read_text())["port"]

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def folder(self) -> Path:
        """Its data folder as we see it."""
        return Path(f"/proc/{self.pid}/root{self.data}") if self.inside else self.data

    @property
    def key(self) -> str:
        """An API key, made with the command line."""
        if not self._key:
            self._key = self.run("keys", "create", "--data", str(self.data), "--name", "test").strip()
        return self._key

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run the command, with this on its standard input; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "openproctor", *arguments],
            env=self._environment,
            capture_output=True,
            input=stdin,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self) -> httpx.Client:
        """An HTTP client with the API key."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30)

    def kill(self) -> None:
        """``kill -9``: no chance to tidy up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self) -> None:
        """Start again on the same folder and port."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
