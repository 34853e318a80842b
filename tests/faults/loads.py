"""What the fault tests have in common: a load, the ways to disturb it, and the row that is printed at the end.

``FAULTS=full`` (``make test-faults``) runs the long form of every fault; without it each has a short one.
"""

import asyncio
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import pytest

from openproctor.simulation.load import Plan, Report, run_load
from openproctor.simulation.load_candidate import Mischief
from openproctor.simulation.readback import read_events

FULL = os.environ.get("FAULTS") == "full"
ROUNDS = 20 if FULL else 2
AWAY_S = 30.0 if FULL else 4.0
only_full = pytest.mark.long

PROPERTY = "fault"


@dataclass(frozen=True)
class Row:
    """One line of the table at the end."""

    fault: str
    times: int
    sent: int
    acknowledged: int
    stored: int
    lost: int
    repeated: int
    told: str

    def note(self, request: pytest.FixtureRequest) -> None:
        """Keep it for the end of the run, also from a process of its own."""
        request.node.user_properties.append((PROPERTY, json.dumps(asdict(self))))


def load(
    url: str, key: str, stop: threading.Event, *, candidates: int = 20, chunks_per_s: float = 4, analysed: bool = False
) -> "Future[Report]":
    """A load that goes on until it is told to stop; it waits 120 s for a server that is away."""
    plan = Plan(
        candidates,
        3600,
        events_per_s=2,
        chunks_per_s=chunks_per_s,
        # no line is cut but by the fault
        mischief=Mischief(cuts_per_hour=0),
        patience_s=120,
        stop=stop,
        analysed=analysed,
    )
    pool = ThreadPoolExecutor(1)
    future = pool.submit(run_load, url, key, plan=plan)
    pool.shutdown(wait=False)
    return future


@contextmanager
def under_load(
    request: pytest.FixtureRequest, fault: str, times: int, url: str, key: str, *, moved: bool = False, **plan: Any
) -> Iterator[Callable[[], int]]:
    """Disturb inside the block; afterwards everything is counted, and nothing may be missing.

    ``moved``: the server may have moved events to another time, so they are counted and not looked for one by one; that
    none is missing shows in that every session is completed, which takes every number.

    Gives what tells how many candidates of the load are connected.
    """
    stop = threading.Event()
    running = load(url, key, stop, **plan)
    try:
        wait_for(lambda: running.done() or connected(url, key) >= plan.get("candidates", 20), "candidates", 90)
        # what recorded only its beginning is on no playlist, and could not be counted
        wait_for(lambda: all_recorded(url, key), "pictures of every candidate who records", 90)
        yield lambda: connected(url, key)
        assert not running.done(), running.exception()
        time.sleep(1)
    finally:
        stop.set()
    report = running.result(timeout=400)
    print(report.as_text())
    told = ", ".join(
        [f"{report.line['lost_lines']} lines lost", f"{report.line['slowed']} x send later"]
        + [f"{count} x {words}" for words, count in sorted(report.problems.items())]
    )
    lost, repeated = report.lost, report.repeated
    if moved:  # different events that were moved to the same time look alike
        lost, repeated = (max(0, n) for n in (report.acknowledged - report.stored, report.stored - report.acknowledged))
    Row(fault, times, report.sent, report.acknowledged, report.stored, lost, repeated, told).note(request)
    assert (lost, repeated, report.refused, report.gave_up) == (0, 0, 0, 0), report.as_text()
    assert report.sent == report.acknowledged == report.stored, report.as_text()
    assert report.completed == report.candidates, report.as_text()


def connected(url: str, key: str) -> int:
    """How many candidates sit their exam with an open socket, as the API says; -1 while it says nothing."""
    try:
        answer = httpx.get(
            f"{url}/api/v1/sessions", params={"limit": 200}, headers={"Authorization": f"Bearer {key}"}, timeout=5
        )
        if not answer.is_success:
            return -1
        return sum(session["connected"] and session["state"] == "running" for session in answer.json()["items"])
    except httpx.TransportError:
        return -1


def all_recorded(url: str, key: str) -> bool:
    """Whether there is something to play of every track that is recorded now."""
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        running = http.get("/sessions", params={"limit": 200, "state": "running"}).json()["items"]
        looks = [http.get(f"/sessions/{session['id']}").json() for session in running]
    return bool(looks) and all(track["recorded_ms"] > 0 for look in looks for track in look["tracks"])


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Ask until the answer is yes."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def pauses(seed: int, rounds: int, shortest: float = 0.3, longest: float = 3.0) -> Iterator[int]:
    """Count rounds, with a pause of a chance length before each."""
    chance = random.Random(seed)
    for number in range(rounds):
        time.sleep(chance.uniform(shortest, longest))
        yield number


class Balancer:
    """What stands before several servers: every new connection goes to any of them that takes it."""

    def __init__(self, ports: list[int], seed: int = 1) -> None:
        self._ports = ports
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self.used: Counter[int] = Counter()
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            for port in self._chance.sample(self._ports, len(self._ports)):
                try:
                    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                self.used[port] += 1
                await asyncio.wait(
                    [
                        asyncio.ensure_future(_pass(reader, far_writer)),
                        asyncio.ensure_future(_pass(far_reader, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                far_writer.transport.abort()
                break
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    def __enter__(self) -> "Balancer":
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        ).result()
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._server = server
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return


async def first_event(staff: httpx.AsyncClient, session_id: str, type_id: int, within_s: float = 30) -> dict[str, Any]:
    """The first event of a type, once it is there."""
    deadline = time.monotonic() + within_s
    while True:
        found = [e for e in await read_events(staff, session_id) if e["type_id"] == type_id]
        if found:
            return found[0]
        assert time.monotonic() < deadline, f"no {type_id} within {within_s} s"
        await asyncio.sleep(0.1)
