"""``openproctor simulate``: many synthetic candidates at once, and afterwards the count of what was lost or repeated.

Every candidate has a real socket; as many record as the limit on chunks allows. A run keeps to loopback addresses
unless told otherwise.
"""

import asyncio
import contextlib
import ipaddress
import resource
import secrets
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import httpx
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from openproctor.simulation import protocol
from openproctor.simulation.load_candidate import GaveUpError, LoadCandidate, Mischief, Tally
from openproctor.simulation.media import CAMERA, Loop, record
from openproctor.simulation.protocol import API
from openproctor.simulation.readback import Comparison, compare
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound
from openproctor.simulation.wire import Address, Http

MOST_CANDIDATES = 20_000
_FULL_COMPARISONS = 20  # sessions whose recording is fetched whole; of the others every number is looked for
_NOTHING_DETECTED = dict.fromkeys(
    ("faces", "objects", "face_covered", "camera_obscured", "camera_frozen", "laptop", "speech", "virtual_camera"),
    False,
)


_Result = TypeVar("_Result")


class SimulationError(Exception):
    """A run that cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes. Rates are per second; ``chunks_per_s`` over all candidates, each that records sends one in 2 s.

    ``stop`` ends the exam early; ``patience_s`` is how long a server may be away.
    """

    candidates: int
    seconds: float
    events_per_s: float = 0.2
    chunks_per_s: float = 50.0
    mischief: Mischief = field(default_factory=Mischief)
    joining_at_once: int = 50
    patience_s: float = 60.0
    analysed: bool = False
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found. ``sent`` to ``repeated`` count events and chunks together; times in ms."""

    candidates: int
    seconds: float
    sent: int
    acknowledged: int
    stored: int
    lost: int
    repeated: int
    refused: int
    completed: int
    gave_up: int
    recording: int
    ack_ms: dict[str, float]
    chunk_ms: dict[str, float]
    events: dict[str, int]
    chunks: dict[str, int]
    line: dict[str, int]
    joining_s: float
    sitting_s: float
    reading_s: float
    problems: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """For people."""
        rows = [
            ("candidates", f"{self.candidates} for {self.seconds:g} s, {self.recording} of them recording"),
            ("sent", f"{self.events['sent']} events, {self.chunks['sent']} chunks"),
            ("acknowledged", f"{self.events['acknowledged']} events, {self.chunks['acknowledged']} chunks"),
            ("stored", f"{self.events['stored']} events, {self.chunks['stored']} chunks"),
            ("lost", str(self.lost)),
            ("repeated", str(self.repeated)),
            ("refused", str(self.refused)),
            ("acknowledged after", _times(self.ack_ms)),
            ("chunk stored after", _times(self.chunk_ms)),
            ("on the line", ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in self.line.items())),
            (
                "took",
                f"{self.joining_s:.1f} s to join, {self.sitting_s:.1f} s exam, {self.reading_s:.1f} s to read back",
            ),
        ]
        if self.gave_up:
            rows.append(("gave up", f"{self.gave_up} candidates"))
        rows += [("problem", f"{count} x {words}") for words, count in sorted(self.problems.items())]
        return "\n".join(f"{name:>20}  {text}" for name, text in rows)


def _times(ms: dict[str, float]) -> str:
    return (
        f"p50 {ms['p50']:.1f}  p95 {ms['p95']:.1f}  p99 {ms['p99']:.1f}  most {ms['most']:.1f} ms ({ms['count']:.0f})"
    )


def run_load(
    url: str,
    key: str,
    *,
    candidates: int = 10,
    seconds: float = 30,
    allow_remote: bool = False,
    progress: bool = False,
    plan: Plan | None = None,
) -> Report:
    """Run and report. ``plan`` overrides numbers; ``progress`` draws bars on stderr.

    Raises :class:`SimulationError` for an address that is not allowed or not there, a key that is not valid, or more
    candidates than this machine can open sockets for.
    """
    wanted = plan or Plan(candidates, seconds)
    _check(url, wanted, allow_remote=allow_remote)
    with _bars(progress) as stage:
        run = _Run(url, key, wanted, stage)
        if sys.platform == "win32":
            return asyncio.run(run.all())
        import uvloop

        report: Report = uvloop.run(run.all())
        return report


def _check(url: str, plan: Plan, *, allow_remote: bool) -> None:
    try:
        address = Address.of(url)
    except ValueError as error:
        raise SimulationError(str(error)) from None
    if not allow_remote and not is_loopback(address.host):
        raise SimulationError(
            f"{address.host} is not this machine. A load run belongs on a server of your own; "
            "add --allow-remote if this one is."
        )
    if not 1 <= plan.candidates <= MOST_CANDIDATES:
        raise SimulationError(f"{plan.candidates} candidates: expected 1 to {MOST_CANDIDATES}.")
    needed = plan.candidates + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise SimulationError(
                f"{plan.candidates} sockets need more open files than the limit of {hard} (ulimit -Hn)."
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(one).split("%")[0]).is_loopback for one in found)


Stage = Callable[[str, float], Callable[[float], None]]
"""Begin a stage with a name and a total; returns what moves its bar on."""


@contextlib.contextmanager
def _bars(shown: bool) -> Iterator[Stage]:
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bars:

        def stage(name: str, total: float) -> Callable[[float], None]:
            task: TaskID = bars.add_task(name, total=total)
            return lambda by: bars.advance(task, by)

        yield stage


class _Run:
    def __init__(self, url: str, key: str, plan: Plan, stage: Stage) -> None:
        self._url = url.rstrip("/")
        self._key = {"Authorization": f"Bearer {key}"}
        self._plan = plan
        self._stage = stage
        self._tally = Tally()
        self._address = Address.of(url)
        self._gave_up: set[int] = set()
        self._recording = min(plan.candidates, round(plan.chunks_per_s * 2))

    async def all(self) -> Report:
        """The whole run."""
        plan = self._plan
        http = Http(self._address, connections=max(8, min(128, round(plan.chunks_per_s))), seconds=60)
        loop = await asyncio.to_thread(_encode_loop) if self._recording else None
        candidates: list[LoadCandidate] = []
        try:
            began = time.monotonic()
            candidates = await self._make(http)
            await self._each("joining", candidates, lambda c, _: c.enter(), plan.joining_at_once)
            joined = time.monotonic()
            self._tally.answer_ms.clear()
            moved = asyncio.create_task(self._pass_time(plan.seconds, candidates))
            await self._each(
                "exam", candidates, lambda c, number: self._sit(c, number, loop), len(candidates), quiet=True
            )
            await moved
            sat = time.monotonic()
            await self._each("handing in", candidates, lambda c, _: c.leave(), plan.joining_at_once)
            for candidate in candidates:
                candidate.close()
            read = time.monotonic()
            found = await self._read_back(candidates)
            return self._report(found, joined - began, sat - joined, time.monotonic() - read)
        finally:
            for candidate in candidates:
                candidate.close()
            await http.close()

    async def _make(self, http: Http) -> list[LoadCandidate]:
        """Exams and sessions. Those that record have an exam of their own: the others must not seem to stall."""
        plan = self._plan
        recorded = {"tracks": {"screen": None}} if self._recording else {}
        detectors = {} if plan.analysed else {"detectors": _NOTHING_DETECTED}
        common = {"checks": ["consent"], "minutes": None, **detectors}
        silent = await self._staff(
            http, "/exams", {"title": _title(plan), "policy": common | {"tracks": {"camera": None, "screen": None}}}
        )
        heard = (
            await self._staff(http, "/exams", {"title": _title(plan), "policy": common | recorded})
            if recorded
            else silent
        )
        moved = self._stage("inviting", plan.candidates)
        label = secrets.token_hex(4)

        async def one(number: int) -> LoadCandidate:
            exam = heard if number < self._recording else silent
            person = {"external_id": f"load-{label}-{number}", "name": f"Synthetic {number}"}
            session = await self._staff(http, "/sessions", {"exam_id": exam["id"], "candidate": person})
            moved(1)
            return LoadCandidate(self._address, http, session, plan.mischief, self._tally, plan.patience_s)

        return [made async for made in _in_order((one(number) for number in range(plan.candidates)), 16)]

    async def _staff(self, http: Http, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {**self._key, "Content-Type": "application/json"}
        try:
            status, answer = await http.request("POST", API + path, headers, protocol.encode(body))
        except (OSError, TimeoutError) as error:
            raise SimulationError(f"No OpenProctor server answers at {self._url}: {error}") from error
        if status == 401:
            raise SimulationError("The server does not know this API key. Make one with: openproctor keys create")
        if status >= 400:
            raise SimulationError(f"The server refused POST {path}: {status} {answer[:300].decode('utf-8', 'replace')}")
        decoded: dict[str, Any] = msgspec.json.decode(answer)
        return decoded

    async def _each(
        self,
        name: str,
        candidates: list[LoadCandidate],
        act: Callable[[LoadCandidate, int], Awaitable[None]],
        at_once: int,
        *,
        quiet: bool = False,
    ) -> None:
        """Do something with every candidate that has not given up."""
        moved = (lambda _by: None) if quiet else self._stage(name, len(candidates))
        gate = asyncio.Semaphore(at_once)

        async def one(number: int, candidate: LoadCandidate) -> None:
            async with gate:
                try:
                    await act(candidate, number)
                except* GaveUpError:
                    self._gave_up.add(number)
            moved(1)

        pairs = [(n, c) for n, c in enumerate(candidates) if n not in self._gave_up]
        await asyncio.gather(*(one(number, candidate) for number, candidate in pairs))

    async def _sit(self, candidate: LoadCandidate, number: int, loop: Loop | None) -> None:
        records = loop is not None and number < self._recording
        spread = (number % 200) / 100  # chunks of all candidates are not due at the same moment
        plan = self._plan
        await candidate.sit(plan.seconds, plan.events_per_s, loop if records else None, spread)

    async def _pass_time(self, seconds: float, candidates: list[LoadCandidate]) -> None:
        moved = self._stage("exam", seconds)
        step = min(0.5, seconds)
        for _ in range(round(seconds / step)):
            await asyncio.sleep(step)
            moved(step)
            if self._plan.stop.is_set():
                break
        for candidate in candidates:
            candidate.time_is_up = True

    async def _read_back(self, candidates: list[LoadCandidate]) -> Comparison:
        moved = self._stage("reading back", len(candidates))
        limits = httpx.Limits(max_connections=16)
        total = Comparison()
        async with httpx.AsyncClient(base_url=self._url, headers=self._key, timeout=60, limits=limits) as client:

            async def one(number: int, candidate: LoadCandidate) -> Comparison:
                deadline = time.monotonic() + self._plan.patience_s
                while True:
                    try:
                        found = await compare(
                            client, candidate.session_id, candidate.ledger, media=number < _FULL_COMPARISONS
                        )
                    except (httpx.TransportError, httpx.HTTPStatusError):
                        if time.monotonic() > deadline:
                            raise
                        await asyncio.sleep(0.5)
                    else:
                        moved(1)
                        return found

            async for found in _in_order((one(n, c) for n, c in enumerate(candidates)), 16):
                total += found
        return total

    def _report(self, found: Comparison, joining_s: float, sitting_s: float, reading_s: float) -> Report:
        tally, plan = self._tally, self._plan
        events = {
            "sent": tally.events_sent,
            "acknowledged": found.events_acknowledged,
            "stored": found.events_stored,
            "lost": found.events_lost,
            "repeated": found.events_repeated,
        }
        chunks = {
            "sent": tally.chunks_sent,
            "acknowledged": found.chunks_acknowledged,
            "stored": found.chunks_stored,
            "lost": found.chunks_lost,
            "repeated": found.chunks_repeated,
            "changed": found.chunks_changed,
        }
        names = ("sent_again", "late", "reordered", "by_http", "cuts", "connections", "lost_lines", "slowed")
        return Report(
            candidates=plan.candidates,
            seconds=plan.seconds,
            sent=tally.events_sent + tally.chunks_sent,
            acknowledged=found.events_acknowledged + found.chunks_acknowledged,
            stored=found.events_stored + found.chunks_stored,
            lost=found.lost,
            repeated=found.repeated,
            refused=tally.refused,
            completed=tally.completed,
            gave_up=len(self._gave_up),
            recording=self._recording,
            ack_ms=percentiles(tally.answer_ms),
            chunk_ms=percentiles(tally.chunk_ms),
            events=events,
            chunks=chunks,
            line={name: getattr(tally, name) for name in names},
            joining_s=round(joining_s, 2),
            sitting_s=round(sitting_s, 2),
            reading_s=round(reading_s, 2),
            problems=tally.problems,
        )


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95, p99, the most, and how many; zeros for none."""
    if not values:
        return {"p50": 0.0, "p95": 0.0, "p99": 0.0, "most": 0.0, "count": 0}
    p50, p95, p99 = (round(float(v), 2) for v in np.percentile(values, (50, 95, 99)))
    return {"p50": p50, "p95": p95, "p99": p99, "most": round(max(values), 2), "count": len(values)}


def _title(plan: Plan) -> str:
    return f"Load run, {plan.candidates} candidates"


def _encode_loop() -> Loop:
    """Six seconds of camera with sound: what every candidate records, over and over."""
    script = Script(6, spoken=((1, 3),), seed=2)
    return Loop(record(camera_frames(script), CAMERA, room_sound(6, script.spoken)))


async def _in_order(work: Iterable[Coroutine[Any, Any, _Result]], at_once: int) -> AsyncIterator[_Result]:
    """Results in order, with at most ``at_once`` under way."""
    running: deque[asyncio.Task[_Result]] = deque()
    try:
        for item in work:
            running.append(asyncio.create_task(item))
            if len(running) >= at_once:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
