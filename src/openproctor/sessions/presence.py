"""Who is connected: events 9, 10, 181 and 1063, one of each per cause, also across a restart of the server."""

import asyncio
import contextlib
from typing import Protocol

import structlog
from prometheus_client import Gauge

from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.eventlog.entries import Change, NewEvent
from openproctor.sessions.repository import Session
from openproctor.sessions.service import Sessions
from openproctor.sessions.states import OPEN

logger = structlog.get_logger(__name__)

HEARTBEATS_MISSED = 4408
REPLACED = 4409
SEEN_EVERY_MS = 5_000
CONNECTED = Gauge("openproctor_candidates_connected", "Candidates whose socket is open.")


class Line(Protocol):
    """An open socket of a candidate."""

    session: Session
    opened_at: int
    seen_at: int

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; never raises."""
        ...


class PresenceKeeper:
    """Keeps the open lines of this process and notes in the log when one comes and goes."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings
        self._lines: dict[str, Line] = {}
        self._lost: dict[str, tuple[int, int, str]] = {}  # session: lost at, offline after, organization
        self._task: asyncio.Task[None] | None = None

    def connected(self, session_id: str) -> bool:
        """Whether the candidate's socket is open at this process."""
        return session_id in self._lines

    def lines(self) -> list[Line]:
        """All open lines."""
        return list(self._lines.values())

    async def start(self) -> None:
        """Account for sockets that were open when the server stopped, then watch."""
        now = now_ms()
        for row in await self._sessions.repository.open_presences():
            session = await self._sessions.repository.get(row.organization_id, row.session_id)
            if row.lost_at is None:
                data = {"code": 1006, "reason": "server_stopped", "connected_ms": max(0, row.seen_at - row.opened_at)}
                await self._note_loss(session, row.seen_at, now, data)
            # the server was away, not the candidate: the time until "offline" begins anew
            self._lost[session.id] = (row.lost_at or now, now + session.policy.offline_ms, session.organization_id)
        self._task = asyncio.create_task(self._watch(), name="presence")

    async def close(self) -> None:
        """Stop watching. Open sockets are closed by the server; their loss is noted at the next start."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def opened(self, line: Line, attempt: int, rtt_ms: float, offline: tuple[int, int] | None) -> None:
        """A candidate's socket is open and authenticated. ``offline`` is what the page says of its own absence."""
        session = line.session
        before = self._lines.get(session.id)
        if before is not None:
            del self._lines[session.id]
            await self._lose(before, REPLACED, "replaced")
            await before.close(REPLACED, "replaced by a newer page")
        now = now_ms()
        row = await self._sessions.repository.put_presence(session.organization_id, session.id, now)
        self._lines[session.id] = line
        CONNECTED.set(len(self._lines))
        self._lost.pop(session.id, None)
        events = [
            NewEvent(9, "server", now, {"reconnect": row.sockets > 1, "attempt": attempt, "rtt_ms": round(rtt_ms, 1)})
        ]
        if row.offline and row.lost_at:
            events.append(NewEvent(1063, "server", now, {"from": row.lost_at, "until": now}))
        elif offline and session.created_at <= offline[0] <= offline[1]:
            until = min(offline[1], now)
            since = min(offline[0], until)
            events.append(NewEvent(181, "server", since, {"from": since, "until": until, "reported_by": "page"}))
            events.append(NewEvent(1063, "server", until, {"from": since, "until": until}))
        await self._sessions.append(session, *events)

    async def closed(self, line: Line, code: int, reason: str) -> None:
        """A socket ended. Noted once, and only if it is still the session's line."""
        if self._lines.get(line.session.id) is not line:
            return
        del self._lines[line.session.id]
        CONNECTED.set(len(self._lines))
        await self._lose(line, code, reason)

    async def _lose(self, line: Line, code: int, reason: str) -> None:
        session = await self._sessions.fresh(line.session.organization_id, line.session.id)
        if session.state not in OPEN:
            return
        now = now_ms()
        data = {"code": code, "reason": reason, "connected_ms": max(0, now - line.opened_at)}
        if await self._note_loss(session, now, now, data) and reason != "replaced":
            self._lost[session.id] = (now, now + session.policy.offline_ms, session.organization_id)

    async def _note_loss(self, session: Session, at: int, now: int, data: dict[str, object]) -> bool:
        receipt = await self._sessions.append(
            session,
            NewEvent(10, "server", at, data),
            changes=[Change("presence", {"lost_at": now}, {"session_id": session.id, "lost_at": None})],
        )
        return receipt.applied

    async def _watch(self) -> None:
        flushed = now_ms()
        while True:
            await asyncio.sleep(0.5)
            try:
                now = now_ms()
                await self._close_silent(now)
                await self._raise_offline(now)
                if now - flushed >= SEEN_EVERY_MS or now < flushed:
                    flushed = now
                    if self._lines:
                        await self._sessions.repository.seen({s: line.seen_at for s, line in self._lines.items()})
            except Exception:
                logger.exception("presence check failed")

    async def _close_silent(self, now: int) -> None:
        for line in self.lines():
            if now - line.seen_at > self._settings.heartbeat_limit_ms:
                await self.closed(line, HEARTBEATS_MISSED, "heartbeat")
                await line.close(HEARTBEATS_MISSED, "no heartbeat")

    async def _raise_offline(self, now: int) -> None:
        for session_id, (lost_at, due, organization_id) in list(self._lost.items()):
            if now < due:
                continue
            self._lost.pop(session_id, None)
            session = await self._sessions.fresh(organization_id, session_id)
            if session.state not in OPEN:
                continue
            await self._sessions.append(
                session,
                NewEvent(181, "server", now, {"from": lost_at, "reported_by": "server"}),
                changes=[
                    Change(
                        "presence",
                        {"offline": True},
                        {"session_id": session_id, "offline": False, "lost_at": lost_at},
                    )
                ],
            )
