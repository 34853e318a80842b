"""A candidate of a load run: the page's rules without the page's weight.

What is not acknowledged is kept and sent again, over whichever line there is; nothing else is ever thrown away.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from openproctor.simulation import protocol
from openproctor.simulation.media import Loop
from openproctor.simulation.protocol import API, Event, Frame, Ledger
from openproctor.simulation.wire import Address, Http, Socket, text_frame

_Answer = TypeVar("_Answer")

# (type, data) as a page raises them in an exam, and how often of a hundred
MIX: tuple[tuple[int, Callable[[random.Random], dict[str, Any]], int], ...] = (
    (5, lambda r: {"reason": r.choice(("blur", "hidden"))}, 18),
    (4, lambda r: {"away_ms": r.randrange(300, 60_000)}, 18),
    (7, lambda r: {"idle_ms": r.randrange(60_000, 300_000)}, 10),
    (6, lambda _: {"idle_after_ms": 60_000}, 10),
    (1025, lambda r: {"width": r.randrange(800, 2560), "height": r.randrange(600, 1440)}, 12),
    (1022, lambda r: {"action": r.choice(("copy", "cut", "paste")), "length": r.randrange(1, 4_000)}, 14),
    (1020, lambda _: {}, 8),
    (1021, lambda r: {"exited_ms": r.randrange(100, 20_000)}, 8),
    (1024, lambda r: {"count": r.randrange(2, 4)}, 2),
)
_TYPES = [(type_id, make) for type_id, make, _ in MIX]
_WEIGHTS = [weight for *_, weight in MIX]
_PING = text_frame(protocol.ping(1, 0))
_READY = text_frame(b'{"t":"ready"}')


@dataclass(frozen=True, slots=True)
class Mischief:
    """How often things go other than planned: shares of events (or chunks), and cuts of the line an hour."""

    repeated: float = 0.05
    late: float = 0.05
    reordered: float = 0.03
    by_http: float = 0.01
    cuts_per_hour: float = 12.0


@dataclass(slots=True)
class Tally:
    """Counts of a whole run. Times in ms."""

    events_sent: int = 0
    chunks_sent: int = 0
    sent_again: int = 0
    late: int = 0
    reordered: int = 0
    by_http: int = 0
    cuts: int = 0
    connections: int = 0
    lost_lines: int = 0
    slowed: int = 0
    refused: int = 0
    completed: int = 0
    answer_ms: list[float] = field(default_factory=list)
    chunk_ms: list[float] = field(default_factory=list)
    problems: dict[str, int] = field(default_factory=dict)

    def problem(self, words: str) -> None:
        """Note an unexpected answer."""
        self.problems[words] = self.problems.get(words, 0) + 1


class GaveUpError(Exception):
    """The server was away, or refused, for longer than the patience of a run."""


class LoadCandidate:
    """One candidate. ``enter``, then ``sit``, then ``leave``."""

    def __init__(
        self, address: Address, http: Http, session: dict[str, Any], mischief: Mischief, tally: Tally, patience_s: float
    ) -> None:
        self.session_id: str = session["id"]
        self.ledger = Ledger()
        self._address, self._http = address, http
        self._join_token = protocol.join_token(session["join_url"])
        self._mischief, self._tally, self._patience_s = mischief, tally, patience_s
        self._random = random.Random(self.session_id)  # noqa: S311 - chance for a rehearsal, not for a secret
        self._device, self._page, self._stream = secrets.token_hex(8), secrets.token_hex(4), secrets.token_hex(8)
        self._headers: dict[str, str] = {}
        self._token = ""
        self._socket: Socket | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._heartbeat_s = 5.0
        self._offset_ms = 0
        self._waiting: dict[int, Event] = {}  # not yet acknowledged, by sequence
        self._under_way: dict[int, float] = {}  # batches sent on this line: when
        self._changed = asyncio.Event()
        self._line_gone = asyncio.Event()
        self._frames = self._seq = self._at = 0
        self._slow_until = 0.0
        self.time_is_up = False

    # -- asking, patiently ---------------------------------------------------------------------------------------------

    async def _ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """The answer, once there is one that is not "try later"."""
        data = b"" if body is None else body if isinstance(body, bytes) else protocol.encode(body)
        given = {
            "Content-Type": "application/json",
            **self._headers,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }

        async def once() -> tuple[int, bytes] | None:
            status, answer = await self._http.request(method, API + path, given, data)
            return None if status in (429, 502, 503, 504) else (status, answer)

        return await self._patiently(once, f"{method} {path.rsplit('/', 1)[-1]}")

    async def _expect(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, answer = await self._ask(method, path, body)
        if status >= 400:
            problem = f"{method} {path.rsplit('/', 1)[-1]}: {status} {_title(answer)}"
            self._tally.problem(problem)
            raise GaveUpError(problem)
        decoded: dict[str, Any] = msgspec.json.decode(answer)
        return decoded

    async def _patiently(self, once: Callable[[], Awaitable[_Answer | None]], what: str) -> _Answer:
        deadline = time.monotonic() + self._patience_s
        pause = 0.1
        while True:
            try:
                result = await once()
            except (OSError, TimeoutError):
                result = None
            if result is not None:
                return result
            if time.monotonic() > deadline:
                self._tally.problem(f"{what}: no answer")
                raise GaveUpError(f"{what}: no answer for {self._patience_s:.0f} s")
            await asyncio.sleep(pause * self._random.uniform(0.5, 1.5))
            pause = min(2.0, pause * 1.6)

    # -- coming --------------------------------------------------------------------------------------------------------

    async def enter(self) -> None:
        """Join, connect, consent, start."""
        joined = await self._expect("POST", "/join", {"token": self._join_token, "device": self._device})
        self._token = joined["candidate_token"]
        self._headers = {"Authorization": f"Bearer {self._token}"}
        room = joined["room"]
        offset = room["server_time"] - time.time() * 1000
        # on one machine there is one clock: the small rest is the way of the answer
        self._offset_ms = round(offset) if abs(offset) > 250 else 0
        await self._connect()
        if any(check["id"] == "consent" and check["state"] != "passed" for check in room["checks"]):
            self._send([self._note(1080, {"text_digest": room["consent"]["text_digest"]})])
            await self._drain()
        await self._expect("POST", f"/sessions/{self.session_id}/start", {})

    async def _connect(self) -> None:
        self._socket = await self._patiently(self._open_socket, "socket")
        self._tally.connections += 1
        self._line_gone.clear()
        self._under_way.clear()
        if not self._socket.is_open:
            self._line_ended(self._socket)
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(self._random.random() * self._heartbeat_s, self._ping)

    async def _open_socket(self) -> Socket:
        """A socket on which the server has said welcome. Raises ``OSError`` or ``TimeoutError``."""
        welcomed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(payload: bytes) -> None:
            if welcomed.done():
                self._take(payload)
                return
            frame = protocol.read_frame(payload)
            if frame.t == "welcome":
                self._heartbeat_s = frame.heartbeat_ms / 1000
                socket.send(_READY)
                welcomed.set_result(None)
            elif frame.t == "problem":
                self._tally.problem(f"socket: {frame.problem.get('status')} {frame.problem.get('title')}")

        def ended(_code: int) -> None:
            if not welcomed.done():
                welcomed.cancel()
            self._line_ended(socket)

        socket = Socket(take, ended)
        try:
            await socket.open(self._address, f"{API}/sessions/{self.session_id}/socket")
            socket.send(text_frame(protocol.hello(self._token, self._device, self._page)))
            await asyncio.wait([welcomed], timeout=30)
            if not welcomed.done() or welcomed.cancelled():
                raise ConnectionResetError("the server did not welcome us")
        except BaseException:
            socket.cut()
            raise
        return socket

    def _ping(self) -> None:
        if self._socket is not None:
            self._socket.send(_PING)
        self._beat = asyncio.get_running_loop().call_later(self._heartbeat_s, self._ping)

    def _line_ended(self, socket: Socket) -> None:
        if self._socket is socket:
            self._socket = None
            self._line_gone.set()
            self._changed.set()

    def _take(self, payload: bytes) -> None:
        frame = protocol.read_frame(payload)
        match frame.t:
            case "ack":
                sent = self._under_way.pop(frame.id, None)
                if sent is not None:
                    self._tally.answer_ms.append((time.perf_counter() - sent) * 1000)
                self._settle(frame)
            case "slow":
                self._tally.slowed += 1
                self._under_way.pop(frame.id, None)
                self._slow_until = time.monotonic() + frame.milliseconds / 1000
                self._changed.set()
            case "problem":
                self._tally.problem(f"socket: {frame.problem.get('status')} {frame.problem.get('title')}")

    def _settle(self, frame: Frame) -> None:
        for seq in frame.acknowledged:
            event = self._waiting.pop(seq, None)
            if event is not None:
                self.ledger.events[seq] = event
        for refusal in frame.refused:
            if self._waiting.pop(refusal["seq"], None) is not None:
                self._tally.refused += 1
                self._tally.problem(f"event refused: {refusal.get('title')} {refusal.get('detail')}")
        self._changed.set()

    # -- events --------------------------------------------------------------------------------------------------------

    def _note(self, type_id: int, data: dict[str, Any]) -> Event:
        """A new event; no two of a candidate have the same time, so that each can be told from all others."""
        self._at = max(self._at + 1, round(time.time() * 1000) + self._offset_ms)
        self._seq += 1
        event = Event(self._seq, type_id, self._at, data)
        self._waiting[self._seq] = event
        self._tally.events_sent += 1
        return event

    def _send(self, events: list[Event]) -> None:
        if self._socket is None or not events:
            return
        self._frames += 1
        self._under_way[self._frames] = time.perf_counter()
        self._socket.send(text_frame(protocol.events_frame(self._frames, self._stream, self._at, events)))

    async def _send_by_http(self, events: list[Event]) -> None:
        body = {"stream": self._stream, "sent_at": self._at, "events": events}
        status, answer = await self._ask("POST", f"/sessions/{self.session_id}/events", body)
        if status == 200:
            self._settle(msgspec.json.decode(b'{"t":"ack",' + answer[1:], type=Frame))
        else:
            self._tally.problem(f"POST events: {status} {_title(answer)}")

    async def _drain(self) -> None:
        """Wait until everything is acknowledged; connect and send again as often as it takes."""
        deadline = time.monotonic() + self._patience_s
        while self._waiting:
            if time.monotonic() > deadline:
                self._tally.problem("events never acknowledged")
                raise GaveUpError(f"{len(self._waiting)} events were not acknowledged for {self._patience_s:.0f} s")
            if self._socket is None:
                await self._reconnect()
            elif not self._under_way and time.monotonic() >= self._slow_until:
                self._resend()
            self._changed.clear()
            wait = max(0.05, min(2.0, self._slow_until - time.monotonic() if self._slow_until else 2.0))
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _resend(self) -> None:
        events = list(self._waiting.values())
        for first in range(0, len(events), 100):
            self._send(events[first : first + 100])

    async def _reconnect(self) -> None:
        self._tally.lost_lines += 1
        await self._connect()
        self._resend()

    # -- the exam ------------------------------------------------------------------------------------------------------

    async def sit(self, seconds: float, events_per_s: float, loop: Loop | None, chunk_offset_s: float) -> None:
        """Raise events, and record if a ``loop`` is given, until the time is over."""
        keeper = asyncio.create_task(self._keep_line())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._raise_events(seconds, events_per_s))
                if loop is not None:
                    tasks.create_task(self._record(seconds, loop, chunk_offset_s))
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError, GaveUpError):
                await keeper

    async def _keep_line(self) -> None:
        """Connect again when the line goes, after a moment, as a page does."""
        while True:
            await self._line_gone.wait()
            await asyncio.sleep(self._random.uniform(0.2, 2.0))
            await self._reconnect()

    async def _raise_events(self, seconds: float, events_per_s: float) -> None:
        until = time.monotonic() + seconds
        held: list[Event] = []
        cut_share = self._mischief.cuts_per_hour / 3600 / events_per_s if events_per_s else 0.0
        while True:
            pause = self._random.expovariate(events_per_s) if events_per_s else seconds
            left = until - time.monotonic()
            await asyncio.sleep(max(0.0, min(pause, left)))
            if pause >= left or self.time_is_up:
                break
            ((type_id, make),) = self._random.choices(_TYPES, _WEIGHTS)
            held = await self._go(self._note(type_id, make(self._random)), held)
            if self._random.random() < cut_share and self._socket is not None:
                self._tally.cuts += 1
                self._socket.cut()
        if held:
            self._send(held)

    async def _go(self, event: Event, held: list[Event]) -> list[Event]:
        """Send an event, or do with it what happens on real lines; returns what is held back."""
        odd, chance = self._mischief, self._random.random()
        if time.monotonic() < self._slow_until:
            return [*held, event]
        if chance < odd.late and not held:
            self._tally.late += 1
            return [event]
        if held and self._random.random() < odd.reordered / max(odd.late, 1e-9):
            self._tally.reordered += 1
            self._send([event, *reversed(held)])
        elif chance > 1 - odd.by_http:
            self._tally.by_http += 1
            await self._send_by_http([*held, event])
        else:
            self._send([*held, event])
            if self._random.random() < odd.repeated:
                self._tally.sent_again += 1
                self._send([*held, event])
        return []

    async def _record(self, seconds: float, loop: Loop, offset_s: float) -> None:
        """Upload chunks as a recorder hands them out."""
        await asyncio.sleep(offset_s)
        began = time.monotonic()
        started_at = round(time.time() * 1000) + self._offset_ms
        number = 0
        skipped: int | None = None
        while True:
            due = began + loop.chunk_ms / 1000 * max(1, number)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if due - began + offset_s > seconds or self.time_is_up:
                break
            if number > 1 and skipped is None and self._random.random() < self._mischief.reordered:
                skipped, number = number, number + 1
                continue
            await self._put(loop, number, started_at)
            if skipped is not None:
                await self._put(loop, skipped, started_at)
                self._tally.reordered += 1
                skipped = None
            if number == 1:
                self._send([self._note(13, {"track": "camera", "part": 0})])
            if self._random.random() < self._mischief.repeated:
                self._tally.sent_again += 1
                await self._put(loop, number, started_at, again=True)
            number += 1
        if skipped is not None:
            await self._put(loop, skipped, started_at)

    async def _put(self, loop: Loop, number: int, started_at: int, *, again: bool = False) -> None:
        blob, digest = loop.digested(number)
        headers = protocol.chunk_headers(blob, 0, started_at, digest)
        self._tally.chunks_sent += not again
        asked = time.perf_counter()
        path = f"/sessions/{self.session_id}/media/camera/chunks/{number}"
        status, answer = await self._ask("PUT", path, blob.data, **headers)
        if status in (200, 201):
            self._tally.chunk_ms.append((time.perf_counter() - asked) * 1000)
            self.ledger.chunks["camera", number] = loop.digest(number)
        else:
            self._tally.problem(f"PUT chunk: {status} {_title(answer)}")

    # -- going ---------------------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        """Wait for the last acknowledgements and hand in."""
        await self._drain()
        manifest = {"streams": {self._stream: self._seq}, "tracks": self.ledger.last_numbers()}
        path = f"/sessions/{self.session_id}/finish"
        answer = await self._expect("POST", path, {"outcome": "finished", "manifest": manifest})
        if answer["state"] == "completed":
            self._tally.completed += 1
        else:
            self._tally.problem(f"not completed: {answer}")

    def close(self) -> None:
        """Let go of the line."""
        if self._beat is not None:
            self._beat.cancel()
        if self._socket is not None:
            socket, self._socket = self._socket, None
            socket.close()


def _title(answer: bytes) -> str:
    try:
        body = msgspec.json.decode(answer)
        return f"{body.get('title', '')} {body.get('detail', '')}".strip()[:200]
    except (msgspec.MsgspecError, AttributeError):
        return answer[:80].decode("utf-8", "replace")
