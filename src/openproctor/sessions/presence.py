"""Who is connected: events 9, 10, 181 and 1063, one of each per cause, also across a restart and across servers.

The row of a session in ``presence`` says which server holds its newest socket and counts the sockets. A server writes
of a socket only while that number is still its own, so one that was cut off or stood still cannot speak for a line that
another server holds by now.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakValueDictionary

import structlog
from prometheus_client import Gauge

from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.errors import Problem
from openproctor.eventlog.entries import Change, NewEvent
from openproctor.ids import is_id, new_id
from openproctor.sessions.repository import Presence, Session
from openproctor.sessions.service import Sessions
from openproctor.sessions.states import OPEN
from openproctor.storage.bus import Bus
from openproctor.storage.database import database_away

logger = structlog.get_logger(__name__)

HEARTBEATS_MISSED = 4408
REPLACED = 4409
TRY_LATER = 1013
LOOK_EVERY = 0.5
SEEN_EVERY = 5.0
# what a server that is alive may be behind, beyond heartbeat and writing
SLACK = 5.0
# a session's row is changed by few at the same time
TRIES = 8
# sessions that are looked at together
AT_ONCE = 100

# what stands for the page in the row of a candidate who has no socket
HTTP = "http"
CONNECTED = Gauge("openproctor_candidates_connected", "Candidates whose socket is open.")


class Line(Protocol):
    """An open socket of a candidate. ``heard_at`` is the event loop's time, the others ms since 1970."""

    session: Session
    page: str
    number: int
    opened_at: int
    seen_at: int
    heard_at: float

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; never raises."""
        ...


@dataclass(slots=True)
class HttpLine:
    """A page behind something that lets no sockets through: it is there as long as it asks how things stand."""

    session: Session
    opened_at: int
    seen_at: int
    heard_at: float
    page: str = HTTP
    number: int = 0

    async def close(self, code: int, reason: str) -> None:
        """There is nothing to close."""


@dataclass(slots=True)
class _Loss:
    """A line that is gone, until the log has it."""

    number: int
    at: int
    since: float
    data: dict[str, Any]


@dataclass(slots=True)
class _Lost:
    """A session without a line: since when (ms since 1970), and when (loop's time) it counts as offline."""

    at: int
    due: float
    organization_id: str


def _back(since: int, until: int) -> NewEvent:
    return NewEvent(1063, "server", until, {"from": since, "until": until})


def node_of(folder: Path) -> str:
    """Name of the server whose data folder this is, made once."""
    note = folder / "node.id"
    name = note.read_text().strip() if note.exists() else ""
    if not is_id(name):
        name = new_id()
        note.write_text(name)
    return name


class PresenceKeeper:
    """Keeps the open lines of this process and notes in the log when one comes and goes."""

    def __init__(self, sessions: Sessions, bus: Bus, settings: Settings) -> None:
        self._sessions = sessions
        self._bus = bus
        self._settings = settings
        self._node = ""
        self._lines: dict[str, Line] = {}
        self._losses: dict[str, _Loss] = {}
        self._lost: dict[str, _Lost] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._asked: dict[str, float] = {}  # sessions without a line: when their page asked first
        self._signs: dict[str, tuple[int, float]] = {}  # of other servers: newest sign, and when we first saw it
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Task[None]] = set()

    def connected(self, session_id: str) -> bool:
        """Whether the candidate's socket is open at this process."""
        return session_id in self._lines

    async def connected_of(self, session_ids: list[str]) -> set[str]:
        """Which of some sessions have an open socket, at this or any other server."""
        found = await self._sessions.repository.connected(session_ids)
        # lost here, and not written down yet: unless a newer one is open at another server
        lost = {id for id, number in found.items() if (loss := self._losses.get(id)) and loss.number >= number}
        return (found.keys() - lost) | (self._lines.keys() & set(session_ids))

    def lines(self) -> list[Line]:
        """All open lines of this process."""
        return list(self._lines.values())

    async def start(self) -> None:
        """Account for sockets that were open when this server stopped, then watch."""
        self._node = node_of(self._settings.data_dir)
        await self._take_over(await self._sessions.repository.lines_of(self._node))
        self._tasks = [
            asyncio.create_task(
                _repeat(LOOK_EVERY, self._close_silent, self._write_losses, self._raise_offline), name="presence"
            ),
            # apart, since other servers take one for dead that has much to write and does not say that it is there
            asyncio.create_task(_repeat(SEEN_EVERY, self._flush_seen), name="presence-seen"),
            asyncio.create_task(_repeat(SEEN_EVERY, self._look_after_others), name="presence-others"),
            asyncio.create_task(self._listen(), name="presence-bus"),
        ]

    async def close(self) -> None:
        """Stop watching. Open sockets are closed by the server; their loss is noted at the next start."""
        for task in (*self._tasks, *self._closing):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._closing, return_exceptions=True)

    # -- coming ----------------------------------------------------------------------------------------------------

    async def opened(self, line: Line, attempt: int, rtt_ms: float, offline: tuple[int, int] | None) -> None:
        """A candidate's socket is open and authenticated. ``offline`` is what the page says of its own absence.

        :class:`Problem` 503 when that cannot be noted: the page has to come again then.
        """
        session = line.session
        async with self._turn(session.id):
            before = self._lines.get(session.id)
            if before is not None and not isinstance(before, HttpLine):
                self._give_up(before, REPLACED, "replaced")
                self._hang_up(before, REPLACED, "replaced by a newer page")
            await self._write_loss(session)
            now = now_ms()

            def told(old: Presence) -> list[NewEvent]:
                left = old.lost_at is None and old.page != HTTP
                events = [self._left_elsewhere(old, line.page, now)] if left else []
                data = {"reconnect": old.sockets > 0, "attempt": attempt, "rtt_ms": round(rtt_ms, 1)}
                events.append(NewEvent(9, "server", now, data))
                if old.offline and old.lost_at:
                    events.append(_back(old.lost_at, now))
                elif offline and session.created_at <= offline[0] <= offline[1]:
                    until = min(offline[1], now)
                    since = min(offline[0], until)
                    gone = {"from": since, "until": until, "reported_by": "page"}
                    events += [NewEvent(181, "server", since, gone), _back(since, until)]
                return events

            await self._take_line(line, now, told)
        self._bus.publish("lines", [session.id, line.number])

    async def asked(self, session: Session) -> None:
        """A candidate's page has asked over HTTP. One that goes on doing so without a socket counts as connected."""
        now = asyncio.get_running_loop().time()
        line = self._lines.get(session.id)
        if line is not None:
            if isinstance(line, HttpLine):
                line.heard_at, line.seen_at = now, now_ms()
            return
        first = self._asked.get(session.id, 0.0)
        limit = self._settings.heartbeat_limit_ms / 1000
        if now - first > limit:
            if len(self._asked) > 20_000:
                self._asked.clear()
            self._asked[session.id] = now
            return
        # soon after is still a page that is about to open its socket
        if now - first < limit / 6 or session.state not in OPEN or await self.connected_of([session.id]):
            return
        async with self._turn(session.id):
            # meanwhile its socket may have come, or another question of the same page
            if session.id in self._lines or self._asked.pop(session.id, None) is None:
                return
            await self._write_loss(session)
            at = now_ms()

            def told(old: Presence) -> list[NewEvent] | None:
                if old.lost_at is None:
                    return None  # its socket has come at another server
                return [_back(old.lost_at, at)] if old.offline and old.lost_at else []

            await self._take_line(HttpLine(session, at, at, now), at, told)

    def _turn(self, session_id: str) -> asyncio.Lock:
        """Held while a line of the session is made: two at the same time would not know of each other."""
        return self._turns.setdefault(session_id, asyncio.Lock())

    async def _take_line(self, line: Line, now: int, told: Callable[[Presence], list[NewEvent] | None]) -> None:
        """Make it the session's line, in one transaction with the events that tell of it.

        ``told`` is given the row as it was, and gives those events; None leaves everything as it is.
        """
        session = line.session
        for _ in range(TRIES):
            old = await self._sessions.repository.presence_of(session, self._node)
            events = told(old)
            if events is None:
                return
            values = {
                "opened_at": now,
                "seen_at": now,
                "lost_at": None,
                "offline": False,
                "sockets": old.sockets + 1,
                "node": self._node,
                "page": line.page[:64],
            }
            where = {
                "session_id": session.id,
                "sockets": old.sockets,
                "lost_at": old.lost_at,
                "offline": old.offline,
            }
            try:
                receipt = await self._sessions.append(session, *events, changes=[Change("presence", values, where)])
            except BaseException:
                # if it is stored all the same, the line is lost by now; if not, there is nothing that could be
                line.number = old.sockets + 1
                self._lose(line, 1006, "closed")
                raise
            if receipt.applied:
                line.number = old.sockets + 1
                self._lines[session.id] = line
                CONNECTED.set(len(self._lines))
                self._lost.pop(session.id, None)
                return
        raise database_away()  # others were faster each time

    @staticmethod
    def _left_elsewhere(old: Presence, page: str, now: int) -> NewEvent:
        """A line that another server held until now. A page has one socket: the same page has lost its older one."""
        same = bool(page) and old.page == page
        at = min(old.seen_at, now) if same else now
        data = {
            "code": 1006 if same else REPLACED,
            "reason": "closed" if same else "replaced",
            "connected_ms": max(0, at - old.opened_at),
        }
        return NewEvent(10, "server", at, data)

    # -- going -----------------------------------------------------------------------------------------------------

    async def closed(self, line: Line, code: int, reason: str) -> None:
        """A socket ended. Noted once, and only if it is still the session's line; never raises."""
        if self._lines.get(line.session.id) is not line:
            return
        self._give_up(line, code, reason)
        with contextlib.suppress(Problem):  # the watch goes on trying
            await self._write_loss(line.session)

    def _give_up(self, line: Line, code: int, reason: str) -> None:
        del self._lines[line.session.id]
        CONNECTED.set(len(self._lines))
        self._lose(line, code, reason)

    def _lose(self, line: Line, code: int, reason: str) -> None:
        now = now_ms()
        data = {"code": code, "reason": reason, "connected_ms": max(0, now - line.opened_at)}
        since = asyncio.get_running_loop().time()
        http = isinstance(line, HttpLine)
        self._losses[line.session.id] = _Loss(line.number, now, since, {} if http else data)

    async def _write_loss(self, session: Session) -> None:
        """Write what waits of a session, however old what is known of it; :class:`Problem` 503 while the database is away."""
        if session.id in self._losses:
            await self._write_loss_of(await self._sessions.fresh(session.organization_id, session.id))

    async def _write_loss_of(self, session: Session) -> None:
        loss = self._losses.get(session.id)
        if loss is None:
            return
        applied = session.state in OPEN and await self._note_loss(session, loss.number, loss.at, loss.data)
        if self._losses.get(session.id) is loss:
            del self._losses[session.id]
        if applied and loss.data.get("reason") != "replaced":
            due = loss.since + session.policy.offline_ms / 1000
            self._lost[session.id] = _Lost(loss.at, due, session.organization_id)

    async def _note_loss(self, session: Session, number: int, at: int, data: dict[str, Any]) -> bool:
        """Without ``data`` there was no socket that could be lost: only that the candidate is away is noted."""
        receipt = await self._sessions.append(
            session,
            *([NewEvent(10, "server", at, data)] if data else []),
            changes=[
                Change("presence", {"lost_at": at}, {"session_id": session.id, "sockets": number, "lost_at": None})
            ],
        )
        return receipt.applied

    def _hang_up(self, line: Line, code: int, reason: str) -> None:
        """Close a socket without waiting for it: a page may not take what it is told."""
        task = asyncio.create_task(line.close(code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # -- watching --------------------------------------------------------------------------------------------------

    async def _close_silent(self) -> None:
        silent_since = asyncio.get_running_loop().time() - self._settings.heartbeat_limit_ms / 1000
        for line in [line for line in self._lines.values() if line.heard_at < silent_since]:
            self._give_up(line, HEARTBEATS_MISSED, "heartbeat")
            self._hang_up(line, HEARTBEATS_MISSED, "no heartbeat")

    async def _write_losses(self) -> None:
        await self._each(self._write_loss_of, list(self._losses))

    async def _raise_offline(self) -> None:
        now = asyncio.get_running_loop().time()
        await self._each(self._call_offline, [id for id, lost in self._lost.items() if now >= lost.due])

    async def _call_offline(self, session: Session) -> None:
        lost = self._lost.get(session.id)
        if lost is None:
            return  # the candidate is back
        if session.state in OPEN:
            await self._sessions.append(
                session,
                NewEvent(181, "server", now_ms(), {"from": lost.at, "reported_by": "server"}),
                changes=[
                    Change(
                        "presence",
                        {"offline": True},
                        {"session_id": session.id, "offline": False, "lost_at": lost.at},
                    )
                ],
            )
        if self._lost.get(session.id) is lost:
            del self._lost[session.id]

    async def _flush_seen(self) -> None:
        lines = {id: (line.number, line.seen_at) for id, line in self._lines.items() if line.number}
        if not lines:
            return
        for session_id in await self._sessions.repository.seen(lines):
            line = self._lines.get(session_id)
            if line is not None and line.number == lines[session_id][0]:
                self._let_go(line, TRY_LATER, "given up by another server")

    def _let_go(self, line: Line, code: int, reason: str) -> None:
        """A line that is another server's affair by now: nothing is noted here."""
        del self._lines[line.session.id]
        CONNECTED.set(len(self._lines))
        self._hang_up(line, code, reason)

    # -- other servers ---------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """A session's line was opened at some server: an older one here is replaced."""
        async with self._bus.subscribe("lines") as opened:
            async for told in opened:
                if not told:
                    continue  # what was missed is found when the lines are flushed
                session_id, number = told
                line = self._lines.get(session_id)
                if line is not None and 0 < line.number < number:
                    self._let_go(line, REPLACED, "replaced by a newer page")

    async def _look_after_others(self) -> None:
        """Take over the sessions of servers that are not heard of any more."""
        repository, now = self._sessions.repository, asyncio.get_running_loop().time()
        limit = self._settings.heartbeat_limit_ms / 1000 + SEEN_EVERY + SLACK
        signs = await repository.last_signs(self._node)
        self._signs = {
            node: found if (found := self._signs.get(node)) and found[0] == sign else (sign, now)
            for node, sign in signs.items()
        }
        for node, (_, since) in list(self._signs.items()):
            if now - since > limit:
                logger.warning("a server is silent; its candidates count as lost", node=node)
                await self._take_over(await repository.lines_of(node))
        for row in await repository.lost_elsewhere(self._node, now_ms() - round(limit * 1000)):
            session = await self._sessions.get(row.organization_id, row.session_id)
            if row.lost_at and now_ms() > row.lost_at + session.policy.offline_ms and session.id not in self._lost:
                self._lost[session.id] = _Lost(row.lost_at, now, row.organization_id)

    async def _take_over(self, rows: list[Presence]) -> None:
        left = {row.session_id: row for row in rows if row.session_id not in self._lines}
        await self._each(lambda session: self._take_over_one(session, left[session.id]), list(left))

    async def _take_over_one(self, session: Session, row: Presence) -> None:
        lost_at = row.lost_at
        if lost_at is None:
            lost_at = min(row.seen_at, now_ms())
            data = {"code": 1006, "reason": "server_stopped", "connected_ms": max(0, lost_at - row.opened_at)}
            if not await self._note_loss(session, row.sockets, lost_at, {} if row.page == HTTP else data):
                return
        # the server was away, not the candidate: the time until "offline" begins anew
        due = asyncio.get_running_loop().time() + session.policy.offline_ms / 1000
        self._lost[session.id] = _Lost(lost_at, due, session.organization_id)

    async def _each(self, do: Callable[[Session], Awaitable[None]], session_ids: list[str]) -> None:
        """Do it for all of these sessions, some at a time, which are read together and written together by the log.

        One that fails does not keep the others waiting; :class:`Problem` 503 while the database is away.
        """
        for start in range(0, len(session_ids), AT_ONCE):
            sessions = await self._sessions.repository.several(session_ids[start : start + AT_ONCE])
            for error in await asyncio.gather(*map(do, sessions), return_exceptions=True):
                if error is None:
                    continue
                if not isinstance(error, Exception) or (isinstance(error, Problem) and error.status == 503):
                    raise error
                logger.error("presence check failed", exc_info=error)


async def _repeat(seconds: float, *steps: Callable[[], Awaitable[None]]) -> None:
    """Take these steps again and again; the rest of them later, while the database is away."""
    while True:
        await asyncio.sleep(seconds)
        for step in steps:
            try:
                await step()
            except Problem as problem:
                if problem.status != 503:
                    logger.exception("presence check failed")
                break
            except Exception:
                logger.exception("presence check failed")
