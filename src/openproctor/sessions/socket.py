"""The candidate's socket: JSON frames, first a hello, then events, heartbeats and acknowledgements.

The frames are described in ``docs/api.md``. Events are acknowledged only after they are on the disk; several
batches may be under way at once, and back-pressure is told to the page before anything is refused.
"""

import asyncio
import contextlib
from typing import Annotated, Any

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from openproctor.accounts.principal import read_candidate_token
from openproctor.clock import now_ms
from openproctor.errors import Problem
from openproctor.eventlog.accept import WireBatch, check_batch, check_written
from openproctor.sessions.repository import Session
from openproctor.sessions.states import OVER

logger = structlog.get_logger(__name__)

BAD_MESSAGE, BAD_TOKEN, FORBIDDEN, OVER_CODE, TRY_LATER = 4400, 4401, 4403, 4410, 1013
HELLO_SECONDS = 10
UNDER_WAY = 8
SLOW_AT = 0.5


class _Kind(msgspec.Struct):
    t: str


class _Hello(msgspec.Struct):
    token: str
    device: str = ""
    attempt: Annotated[int, msgspec.Meta(le=2**31)] = 1
    page: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[0-9A-Za-z_-]*$")] = ""
    offline: dict[str, float] | None = None


class _Ping(msgspec.Struct):
    n: int = 0
    at: float = 0


class _Events(msgspec.Struct):
    id: int
    stream: str
    events: list[msgspec.Raw]
    sent_at: float | None = None


_kind = msgspec.json.Decoder(_Kind)
_hello = msgspec.json.Decoder(_Hello)
_ping = msgspec.json.Decoder(_Ping)
_events = msgspec.json.Decoder(_Events)
_encode = msgspec.json.Encoder().encode


class CandidateSocket:
    """One open socket; see :class:`openproctor.sessions.presence.Line`."""

    def __init__(self, websocket: WebSocket, session_id: str) -> None:
        self._websocket = websocket
        self._session_id = session_id
        self._platform: Any = websocket.app.state.platform
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(UNDER_WAY)
        self.session: Session
        self.opened_at = self.seen_at = now_ms()
        self.heard_at = asyncio.get_running_loop().time()
        self.page = ""
        self.number = 0

    async def run(self) -> None:
        """Serve the socket until it ends."""
        await self._websocket.accept()
        try:
            hello = await self._authenticate()
        except Problem as problem:
            await self._refuse(problem)
            return
        except (TimeoutError, msgspec.MsgspecError, WebSocketDisconnect):
            await self.close(BAD_MESSAGE, "expected a hello")
            return
        code, reason = 1006, "closed"
        watcher: asyncio.Task[None] | None = None
        try:
            rtt = await self._welcome()
            self.page = hello.page
            offline = hello.offline or {}
            span = (int(offline["from"]), int(offline["until"])) if {"from", "until"} <= offline.keys() else None
            await self._platform.presence.opened(self, max(1, hello.attempt), rtt, span)
            watcher = asyncio.create_task(self._tell_state())
            await self._receive()
        except WebSocketDisconnect as gone:
            code, reason = gone.code or 1006, "closed"
        except msgspec.MsgspecError as error:
            code, reason = BAD_MESSAGE, "bad message"
            await self._refuse(Problem(400, "malformed-frame", "This is not a frame we know", str(error)))
        except Problem as problem:
            code, reason = BAD_MESSAGE, problem.slug
            await self._refuse(problem)
        except TimeoutError:
            code, reason = BAD_MESSAGE, "no answer to the welcome"
            await self.close(BAD_MESSAGE, reason)
        finally:
            if watcher:
                watcher.cancel()
            for task in list(self._tasks):
                with contextlib.suppress(Exception):
                    await task
            await self._platform.presence.closed(self, code, reason)
            await self.close(1000, "")

    # -- opening -------------------------------------------------------------------------------------------------

    async def _authenticate(self) -> _Hello:
        async with asyncio.timeout(HELLO_SECONDS):
            raw = await self._frame()
        if _kind.decode(raw).t != "hello":
            raise Problem(400, "malformed-frame", "The first frame must be a hello")
        hello = _hello.decode(raw)
        who = read_candidate_token(self._platform.signer, hello.token)
        if who.session_id != self._session_id:
            raise Problem(403, "forbidden", "This is not yours to do", "This token belongs to another session.")
        self.session = await self._platform.sessions.of_candidate(who)
        return hello

    async def _welcome(self) -> float:
        settings = self._platform.settings
        sent = asyncio.get_running_loop().time()
        await self._send(
            {
                "t": "welcome",
                "server_time": now_ms(),
                "heartbeat_ms": settings.heartbeat_ms,
                "heartbeat_limit_ms": settings.heartbeat_limit_ms,
                "max_batch": 200,
                "room": await self._platform.rooms.room(self.session),
            }
        )
        async with asyncio.timeout(HELLO_SECONDS):
            while True:
                raw = await self._frame()
                kind = _kind.decode(raw).t
                if kind == "ready":
                    return (asyncio.get_running_loop().time() - sent) * 1000
                if kind == "ping":
                    await self._pong(raw)

    # -- frames --------------------------------------------------------------------------------------------------

    async def _frame(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1006)
        self.seen_at, self.heard_at = now_ms(), asyncio.get_running_loop().time()
        text = message.get("text")
        return text.encode() if text is not None else (message.get("bytes") or b"")

    async def _receive(self) -> None:
        while True:
            raw = await self._frame()
            # frames that wait already are taken without giving way: one page's flood must not hold up the others
            await asyncio.sleep(0)
            match _kind.decode(raw).t:
                case "ping":
                    await self._pong(raw)
                case "events":
                    await self._take(_events.decode(raw))
                case "ready":
                    pass
                case other:
                    raise Problem(400, "malformed-frame", "This is not a frame we know", f"t is {other[:40]!r}.")

    async def _pong(self, raw: bytes) -> None:
        ping = _ping.decode(raw)
        await self._send({"t": "pong", "n": ping.n, "at": ping.at, "server_time": now_ms()})

    async def _take(self, frame: _Events) -> None:
        batch = WireBatch(frame.stream, frame.events, frame.sent_at)
        check_batch(batch)
        sessions = self._platform.sessions
        await self._room.acquire()
        try:
            self.session = await sessions.get(self.session.organization_id, self.session.id)
            if self.session.state in OVER:
                raise Problem(410, "session-over", "This exam is over", f"The session is {self.session.state}.")
            future, numbers, refused = await sessions.take_events(self.session, batch)
        except Problem as problem:
            self._room.release()
            if problem.status != 503:
                raise
            # the line is kept while the database is away: the page has what it needs to send it again
            await self._send({"t": "slow", "milliseconds": int((problem.retry_after or 1) * 1000), "id": frame.id})
            return
        except BaseException:
            self._room.release()
            raise
        task = asyncio.create_task(self._acknowledge(frame.id, future, numbers, [r.document() for r in refused]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acknowledge(self, id: int, future: Any, numbers: list[int], refused: list[dict[str, Any]]) -> None:
        try:
            if future is not None:
                check_written(await future)
            await self._send({"t": "ack", "id": id, "acknowledged": numbers, "refused": refused})
            if self._platform.log.pressure > SLOW_AT:
                await self._send({"t": "slow", "milliseconds": 1000})
        except Problem as problem:
            if problem.status == 503:
                await self._send({"t": "slow", "milliseconds": int((problem.retry_after or 1) * 1000), "id": id})
            else:
                await self._refuse(problem)
            return
        finally:
            self._room.release()
        if self.session.finish_requested_at is not None:
            with contextlib.suppress(Problem):  # the timekeeper looks again
                await self._platform.sessions.complete_if_all_in(self.session)

    async def _tell_state(self) -> None:
        """Pass changes of the session's state on to the page."""
        sessions = self._platform.sessions
        told = _state(self.session)
        with sessions.known.wanted(self.session.id) as changed:
            # it may have changed since the welcome
            changed.set()
            while True:
                await changed.wait()
                changed.clear()
                try:
                    self.session = await sessions.get(self.session.organization_id, self.session.id)
                except Problem:
                    changed.set()
                    await asyncio.sleep(1)
                    continue
                if told == (told := _state(self.session)):
                    continue
                await self._send(told)
                if self.session.state in OVER:
                    await self.close(OVER_CODE, self.session.state)

    async def _send(self, frame: dict[str, Any]) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError):
            await self._websocket.send_text(_encode(frame).decode())

    async def _refuse(self, problem: Problem) -> None:
        await self._send({"t": "problem", "problem": problem.document()})
        codes = {
            401: BAD_TOKEN,
            403: FORBIDDEN,
            404: FORBIDDEN,
            409: 4409,
            410: OVER_CODE,
            429: TRY_LATER,
            503: TRY_LATER,
        }
        await self.close(codes.get(problem.status, BAD_MESSAGE), problem.slug)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; never raises, also when it is closed already."""
        if self._websocket.application_state is WebSocketState.DISCONNECTED:
            return
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError):
            await self._websocket.close(code, reason[:100])


def _state(session: Session) -> dict[str, Any]:
    """What a page is told of its session."""
    return {
        "t": "state",
        "state": session.state,
        "deadline_at": session.deadline_at,
        "finish_requested_at": session.finish_requested_at,
        "outcome": session.outcome,
    }


async def candidate_socket(websocket: WebSocket, session_id: str) -> None:
    """``WS /api/v1/sessions/{session_id}/socket``."""
    origin = websocket.headers.get("origin")
    if origin and not websocket.app.state.platform.is_own_origin(origin, websocket.headers.get("host", "")):
        await websocket.close(FORBIDDEN, "another origin")
        return
    await CandidateSocket(websocket, session_id).run()
