"""A synthetic candidate: what the exam room's page does, over the same public protocol.

It keeps a list of all that was acknowledged, so that a test can ask the server for it afterwards.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from openproctor.ids import new_id
from openproctor.simulation import protocol
from openproctor.simulation.media import MIME_TYPE, Blob, Picture
from openproctor.simulation.protocol import API, Event, Frame, Ledger
from openproctor.simulation.stills import camera_test_stills, document_still, face_still, jpeg, room_stills

ANSWER_SECONDS = 30.0


class RefusedError(Exception):
    """The server answered with a problem document (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}")
        self.status = status
        self.problem = problem

    @property
    def slug(self) -> str:
        """Last part of the problem's type."""
        return str(self.problem.get("type", "")).rsplit("/", 1)[-1]


class ServerClock:
    """The server's time, as the quickest of its answers told it."""

    def __init__(self) -> None:
        self._offset_ms = 0.0
        self._quickest = float("inf")

    def observe(self, server_ms: float, asked_at: float, answered_at: float) -> None:
        """A time from the server, and when it was asked for and answered (``time.monotonic``)."""
        took = answered_at - asked_at
        if took <= self._quickest:
            self._quickest = took
            middle = time.time() - (time.monotonic() - (asked_at + answered_at) / 2)
            self._offset_ms = server_ms - middle * 1000

    def now(self) -> int:
        """The server's time now, ms since 1970."""
        return round(time.time() * 1000 + self._offset_ms)

    async def until(self, server_ms: float) -> None:
        """Wait until the server's clock shows a time."""
        await asyncio.sleep(max(0.0, server_ms - self.now()) / 1000)


class Candidate:
    """One candidate's page. Use as ``async with Candidate(url, join_url) as candidate``."""

    def __init__(
        self, base_url: str, join_url: str, device: str | None = None, clock: ServerClock | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = protocol.join_token(join_url)
        self.device = device or secrets.token_hex(16)
        self.page = secrets.token_hex(8)
        self.stream = secrets.token_hex(8)
        self.http = httpx.AsyncClient(base_url=self.base_url, timeout=ANSWER_SECONDS)
        self.clock = clock or ServerClock()
        self.ledger = Ledger()
        self.room: dict[str, Any] = {}
        self.state = ""
        self.problem: dict[str, Any] | None = None
        self.session_id = ""
        self.candidate_token = ""
        self.last_seq = 0
        self.waiting: deque[Event] = deque()
        self.heartbeat_s: float | None = None
        self._socket: ClientConnection | None = None
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._frames = 0
        self.attempts = 0
        self._at = 0
        self._pings: dict[int, tuple[float, asyncio.Future[None]]] = {}
        self._pinged = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()
        await self.http.aclose()

    # -- joining ---------------------------------------------------------------------------------------------------

    async def join(self) -> dict[str, Any]:
        """Join with the link's token; the room object."""
        asked = time.monotonic()
        body = await self._call("POST", "/join", json={"token": self.token, "device": self.device})
        self.session_id, self.candidate_token = body["session_id"], body["candidate_token"]
        self.http.headers["Authorization"] = f"Bearer {self.candidate_token}"
        self._enter(body["room"], asked)
        return self.room

    async def look(self) -> dict[str, Any]:
        """The room object as it is now."""
        asked = time.monotonic()
        self._enter(await self._call("GET", self._path("room")), asked)
        return self.room

    def _enter(self, room: dict[str, Any], asked: float) -> None:
        self.room, self.state = room, room["state"]
        self.clock.observe(room["server_time"], asked, time.monotonic())

    def _path(self, rest: str) -> str:
        return f"/sessions/{self.session_id}/{rest}"

    async def _call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        answer = await self.http.request(method, API + path, **how)
        if answer.status_code >= 400:
            known = "json" in answer.headers.get("content-type", "")
            raise RefusedError(answer.status_code, answer.json() if known else {"title": answer.reason_phrase})
        body: dict[str, Any] = answer.json()
        return body

    # -- the socket ------------------------------------------------------------------------------------------------

    async def connect(self, offline: tuple[int, int] | None = None) -> None:
        """Open the socket, say hello, begin the heartbeats.

        ``offline`` is when the page was without a line, ms since 1970. Raises :class:`RefusedError` if the server
        refuses, ``OSError`` or ``websockets.InvalidHandshake`` if there is no line.
        """
        await self.disconnect()
        self.attempts += 1
        url = protocol.socket_url(self.base_url, self.session_id)
        asked = time.monotonic()
        socket = await connect(url, compression=None, ping_interval=None, max_size=2**22, proxy=None)
        frame = protocol.hello(self.candidate_token, self.device, self.page, self.attempts, offline)
        await socket.send(frame, text=True)
        try:
            welcome = protocol.read_frame(await socket.recv())
        except ConnectionClosed as closed:
            raise RefusedError(closed.rcvd.code if closed.rcvd else 1006, {"title": str(closed)}) from closed
        if welcome.t != "welcome":
            await socket.close()
            raise RefusedError(int(welcome.problem.get("status", 0)), welcome.problem)
        self.clock.observe(welcome.server_time, asked, time.monotonic())
        await socket.send(b'{"t":"ready"}', text=True)
        self._socket, self.attempts = socket, 0
        beat = self.heartbeat_s or welcome.heartbeat_ms / 1000
        self._tasks = [asyncio.create_task(self._listen(socket)), asyncio.create_task(self._beat(socket, beat))]

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._socket is not None

    async def disconnect(self) -> None:
        """Close the socket as a page does that is left."""
        socket, self._socket = self._socket, None
        if socket:
            await socket.close()
        await self._stop()

    async def cut(self) -> None:
        """Lose the line: no goodbye."""
        socket, self._socket = self._socket, None
        if socket:
            socket.transport.abort()
        await self._stop()

    async def _stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._fail_answers("the socket was closed")

    def _fail_answers(self, why: str) -> None:
        waiting: list[asyncio.Future[Any]] = [
            *self._answers.values(),
            *(answered for _, answered in self._pings.values()),
        ]
        self._answers.clear()
        self._pings.clear()
        for answer in waiting:
            if not answer.done():
                answer.set_exception(ConnectionError(why))
                answer.exception()  # nobody may be waiting for a heartbeat's answer

    async def _listen(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for raw in socket:
                self._take(protocol.read_frame(raw))
        if self._socket is socket:
            self._socket = None
            self._fail_answers("the server closed the socket")

    def _take(self, frame: Frame) -> None:
        match frame.t:
            case "pong":
                if frame.n in self._pings:
                    asked, answered = self._pings.pop(frame.n)
                    self.clock.observe(frame.server_time, asked, time.monotonic())
                    if not answered.done():
                        answered.set_result(None)
            case "ack" | "slow" if frame.id in self._answers:
                answer = self._answers.pop(frame.id)
                if not answer.done():
                    answer.set_result(frame)
            case "state":
                self.state = frame.state
            case "problem":
                self.problem = frame.problem

    async def _beat(self, socket: ClientConnection, every_s: float) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._send_ping(socket)
                await asyncio.sleep(every_s)

    async def _send_ping(self, socket: ClientConnection) -> asyncio.Future[None]:
        self._pinged += 1
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pings[self._pinged] = (time.monotonic(), answered)
        await socket.send(protocol.ping(self._pinged, self.clock.now()), text=True)
        return answered

    async def ping(self) -> None:
        """A heartbeat, and its answer. Raises ``ConnectionError`` when the line is gone."""
        if self._socket is None:
            raise ConnectionError("the socket is not open")
        try:
            answered = await self._send_ping(self._socket)
        except ConnectionClosed as closed:
            raise ConnectionError("the server closed the socket") from closed
        async with asyncio.timeout(ANSWER_SECONDS):
            await answered

    # -- events ----------------------------------------------------------------------------------------------------

    def note(
        self, type_id: int, data: dict[str, Any] | None = None, at: int | None = None, evidence: Iterable[str] = ()
    ) -> Event:
        """Write an event into the page's store; no two have the same time."""
        self._at = max(self._at + 1, self.clock.now()) if at is None else at
        self.last_seq += 1
        references = [{"kind": "capture", "id": one} for one in evidence]
        event = Event(self.last_seq, type_id, self._at, data or {}, references)
        self.waiting.append(event)
        return event

    async def send(self, *events: Event, by_http: bool = False) -> Frame:
        """Send events as one batch and wait for the answer, whatever it is; repeats are for the sender to decide.

        Raises ``ConnectionError`` when the line goes first; the events stay in the page's store then.
        """
        if by_http:
            body = {"stream": self.stream, "sent_at": self.clock.now(), "events": list(events)}
            answer = await self._call("POST", self._path("events"), content=protocol.encode(body))
            frame = Frame("ack", acknowledged=answer["acknowledged"], refused=answer["refused"])
        else:
            frame = await self._send_frame(list(events))
        self._settle(events, frame)
        return frame

    async def _send_frame(self, events: list[Event]) -> Frame:
        if self._socket is None:
            raise ConnectionError("the socket is not open")
        self._frames += 1
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[self._frames] = answer
        try:
            data = protocol.events_frame(self._frames, self.stream, self.clock.now(), events)
            await self._socket.send(data, text=True)
        except ConnectionClosed as closed:
            self._answers.pop(self._frames, None)
            raise ConnectionError("the server closed the socket") from closed
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    def _settle(self, events: Iterable[Event], frame: Frame) -> None:
        done = set(frame.acknowledged)
        for event in events:
            if event.seq in done:
                self.ledger.events[event.seq] = event
        self.ledger.refused.extend(frame.refused)
        done.update(int(refusal["seq"]) for refusal in frame.refused)
        self.waiting = deque(event for event in self.waiting if event.seq not in done)

    async def flush(self, *, by_http: bool = False) -> None:
        """Send what the page's store still holds, in order, until all is acknowledged or refused."""
        while self.waiting:
            batch = [self.waiting[i] for i in range(min(100, len(self.waiting)))]
            frame = await self.send(*batch, by_http=by_http)
            if frame.t == "slow":
                await asyncio.sleep(frame.milliseconds / 1000)

    async def say(self, type_id: int, data: dict[str, Any] | None = None, at: int | None = None) -> None:
        """Note an event and send all that waits: by the socket if it is open, else by HTTP."""
        self.note(type_id, data, at)
        await self.flush(by_http=not self.connected)

    # -- recordings and stills ---------------------------------------------------------------------------------------

    async def put_chunk(
        self,
        track: str,
        number: int,
        blob: Blob,
        *,
        part: int = 0,
        started_at: int,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Upload a chunk; the answer as it is, so that refusals can be looked at. Accepted ones go into the ledger.

        ``headers`` replace those that a page sends.
        """
        given = protocol.chunk_headers(blob, part, started_at) | dict(headers or {})
        path = API + self._path(f"media/{track}/chunks/{number}")
        answer = await self.http.put(path, content=blob.data, headers=given)
        if answer.status_code in (200, 201):
            self.ledger.chunk(track, number, blob.data)
        return answer

    async def record(self, track: str, blobs: Iterable[Blob], *, first: int = 0, part: int = 0) -> int:
        """Upload a part as fast as the server takes it, with 13 after its first chunk; the number after the last."""
        number, started_at = first, self.clock.now()
        for blob in blobs:
            answer = await self.put_chunk(track, number, blob, part=part, started_at=started_at)
            if answer.status_code >= 400:
                raise RefusedError(answer.status_code, answer.json())
            if number == first + 1:
                await self.say(13, {"track": track, "part": part, "mime_type": MIME_TYPE}, at=started_at)
            number += 1
        return number

    async def put_capture(self, kind: str, picture: Picture | bytes, capture_id: str | None = None) -> dict[str, Any]:
        """Upload a still; the server's answer with its check."""
        data = picture if isinstance(picture, bytes) else jpeg(picture)
        path = self._path(f"captures/{capture_id or new_id()}")
        headers = protocol.capture_headers(data, self.clock.now())
        answer = await self._call("PUT", path, params={"kind": kind}, content=data, headers=headers)
        self.ledger.captures[answer["id"]] = answer["digest"]
        return answer

    # -- the course of an exam -----------------------------------------------------------------------------------------

    async def pass_checks(self, seed: int = 0, before_each: Callable[[], Awaitable[None]] | None = None) -> None:
        """Do what every open check of the policy asks for, as a candidate would whose devices are in order.

        ``before_each`` is waited for before each of them.
        """
        opened = {check["id"] for check in self.room["checks"] if check["state"] not in ("passed", "skipped")}
        for check in (check for check in self.room["policy"]["checks"] if check in opened):
            if before_each:
                await before_each()
            await self._pass(check, seed)
        await self.flush(by_http=not self.connected)

    async def _pass(self, check: str, seed: int) -> None:
        match check:
            case "consent":
                digest = self.room["consent"]["text_digest"]
                await self.say(1080, {"text_digest": digest, "language": "en"})
            case "camera":
                await self.say(60, {"count": 1, "label": "Synthetic camera"})
                ids = [(await self.put_capture("camera_test", still))["id"] for still in camera_test_stills(seed)]
                size = {"width": 640, "height": 480, "frame_rate": 15.0, "label": "Synthetic camera"}
                await self.say(26, {**size, "evidence_ids": ids})
            case "microphone":
                await self.say(159, {"count": 1, "label": "Synthetic microphone"})
                heard = {"level_db": -22.5, "noise_floor_db": -58.0, "speech_ms": 1800}
                await self.say(34, {**heard, "label": "Synthetic microphone"})
            case "notifications":
                await self.say(17, {})
            case "face":
                await self.say(146, {"evidence_id": (await self.put_capture("face", face_still(seed)))["id"]})
            case "document":
                still = document_still(self.room["candidate"]["name"], seed=seed)
                await self.say(145, {"evidence_id": (await self.put_capture("document", still))["id"]})
            case "room":
                wanted = room_stills(self.room["policy"]["room_pictures"], seed)
                ids = [(await self.put_capture("room", still))["id"] for still in wanted]
                await self._call("POST", self._path("captures/room/check"), json={"capture_ids": ids})
            case "screen":
                await self.say(149, {"surface": "monitor", "width": 1280, "height": 720, "label": "screen:0:0"})
            case _:  # the browser check is the page's own affair
                pass

    async def start(self) -> dict[str, Any]:
        """Open the exam."""
        asked = time.monotonic()
        self._enter(await self._call("POST", self._path("start"), json={}), asked)
        return self.room

    async def finish(self, outcome: str = "finished", **manifest: Any) -> dict[str, Any]:
        """Hand in, with the list of what was sent. ``manifest`` replaces members of it."""
        expected = {"streams": {self.stream: self.last_seq}, "tracks": self.ledger.last_numbers()} | manifest
        answer = await self._call("POST", self._path("finish"), json={"outcome": outcome, "manifest": expected})
        self.state = answer["state"]
        return answer


async def is_there(base_url: str) -> bool:
    """Whether a server answers."""
    async with httpx.AsyncClient(timeout=2) as client:
        try:
            return (await client.get(base_url.rstrip("/") + "/healthz")).is_success
        except httpx.HTTPError:
            return False


LineLost = (ConnectionError, OSError, InvalidHandshake, ConnectionClosed, httpx.TransportError, TimeoutError)
"""What is raised when the line or the server goes."""
