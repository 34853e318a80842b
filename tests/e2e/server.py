"""The server as a process of its own, and an integrator who speaks to its API."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
START_S = 40.0
STOP_S = 20.0


class Server:
    """``openproctor serve`` on a data folder. May be killed and started again; it keeps its port."""

    def __init__(self, data: Path, logs: Path, **settings: str) -> None:
        self.data = data
        self.url = ""
        self._port = 0
        self._log = logs / "server.log"
        self._environment = {**os.environ, **{f"OPENPROCTOR_{name.upper()}": value for name, value in settings.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "openproctor", "serve", "--data", str(self.data), "--port", str(self._port)]
        with self._log.open("ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=self._environment)
        self._process = process
        note = self.data / "serve.json"
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with code {process.returncode}:\n{self.log()}")
            told = json.loads(note.read_text()) if note.exists() else {}
            if told.get("pid") == process.pid:
                self.url, self._port = told["url"], told["port"]
                return
            time.sleep(0.05)
        self.stop()
        raise TimeoutError(f"the server did not listen within {START_S:.0f} s:\n{self.log()}")

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self) -> str:
        """The last words of the server."""
        return self._log.read_text(errors="replace")[-8000:] if self._log.exists() else ""

    def run(self, *words: str, stdin: str | None = None) -> str:
        """Another ``openproctor`` command on the same data folder; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "openproctor", *words, "--data", str(self.data)],
            capture_output=True,
            text=True,
            input=stdin,
            env=self._environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def until(look: Callable[[], T | None], what: str, within_s: float = 30.0, every_s: float = 0.2) -> T:
    """What ``look`` returns once it is truthy; AssertionError naming ``what`` when that takes too long."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s:.0f} s")
        time.sleep(every_s)


Event = dict[str, Any]


class Integrator:
    """An examination system with an API key."""

    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def get(self, path: str, **query: Any) -> Any:
        """A JSON answer; AssertionError with the body if the request is refused."""
        answer = self.http.get(path, params=query)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """A JSON answer; AssertionError with the body if the request is refused."""
        answer = self.http.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def invite(self, policy: dict[str, Any], url: str | None = "/sample-exam/", name: str = "Ada Sample") -> "Sitting":
        """A new exam with this policy and one candidate's session of it."""
        exam = self.post("/exams", {"title": "Algebra, first term", "url": url, "policy": policy})
        session = self.post(
            "/sessions", {"exam_id": exam["id"], "candidate": {"external_id": exam["id"], "name": name}}
        )
        return Sitting(self, session["id"], session["join_url"])


class Sitting:
    """One session as the integrator sees it."""

    def __init__(self, integrator: Integrator, session_id: str, join_url: str) -> None:
        self.integrator = integrator
        self.id = session_id
        self.join_url = join_url

    @property
    def state(self) -> str:
        """The session's state now."""
        return str(self.look()["state"])

    def look(self) -> Event:
        """The session object."""
        found: Event = self.integrator.get(f"/sessions/{self.id}")
        return found

    def events(self, *type_ids: int) -> list[Event]:
        """The log so far, of these types if any are named, in order."""
        items: list[Event] = []
        after: int | None = 0
        while after is not None:
            page = self.integrator.get(f"/sessions/{self.id}/events", after=after, limit=1000)
            items += page["items"]
            after = page["next"]
        return [event for event in items if not type_ids or event["type_id"] in type_ids]

    def count(self, type_id: int) -> int:
        """How many events of a type there are."""
        return len(self.events(type_id))

    def wait_for(self, type_id: int, more_than: int = 0, within_s: float = 30.0, **data: Any) -> Event:
        """The newest event of the type whose data has these values, once there are more than ``more_than`` such."""

        def look() -> Event | None:
            found = [e for e in self.events(type_id) if all(e["data"].get(k) == v for k, v in data.items())]
            return found[-1] if len(found) > more_than else None

        try:
            return until(look, f"event {type_id} {data or ''}", within_s)
        except AssertionError as error:
            log = ", ".join(f"{e['type_id']}{e['data'] if e['type_id'] == type_id else ''}" for e in self.events())
            raise AssertionError(f"{error}; the log: {log}") from None

    def wait_for_state(self, state: str, within_s: float = 30.0) -> None:
        """Until the session is in a state."""
        until(lambda: self.state == state, f"state {state}", within_s)
