"""The clock that watches running exams: time up, recordings that stall, waiting that has an end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.errors import Problem
from openproctor.eventlog.entries import NewEvent
from openproctor.sessions.presence import PresenceKeeper
from openproctor.sessions.recordings import STARTED, STOPPED, last_told
from openproctor.sessions.repository import Session
from openproctor.sessions.service import Sessions
from openproctor.sessions.states import IN_EXAM

logger = structlog.get_logger(__name__)

ASK_AGAIN = 5.0
FIND_EVERY = 10.0
FIND_AT_ONCE = 500
ABANDONED_EVERY = 60.0
# a clock that is kept right moves by less than this in a second
JUMP_MS = 2_000

# when the newest chunk of a track was received, ms since 1970; it may have come in at another server
LastReceived = Callable[[Session, str], Awaitable[int | None]]


@dataclass(slots=True)
class _Watched:
    """A running session. Times are the event loop's: they do not jump with the machine's clock."""

    session: Session
    chunk_at: dict[str, float] = field(default_factory=dict)  # when the last chunk of a track came
    stalled: set[str] = field(default_factory=set)
    asked_at: float = 0.0  # when it was last looked whether all is in
    sought_at: float = 0.0  # when it was last looked whether anybody is still there


class Timekeeper:
    """Looks at every running session about once a second."""

    def __init__(self, sessions: Sessions, presence: PresenceKeeper, settings: Settings) -> None:
        self._sessions = sessions
        self._presence = presence
        self._settings = settings
        self._watched: dict[str, _Watched] = {}
        self._task: asyncio.Task[None] | None = None
        self._found_at = 0.0
        self.last_received: LastReceived | None = None

    async def start(self) -> None:
        """Take up the sessions that are running, then watch."""
        for session in await self._sessions.repository.running():
            self.watch(session)
        self._found_at = _now()
        self._task = asyncio.create_task(self._run(), name="timekeeper")

    async def close(self) -> None:
        """Stop watching."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def watch(self, session: Session) -> None:
        """Begin with a session."""
        self._watched.setdefault(session.id, _Watched(session))

    def chunk_came(self, session: Session, track: str) -> None:
        """A chunk was stored: the track is alive."""
        watched = self._watched.get(session.id)
        if watched:
            watched.chunk_at[track] = _now()
            watched.stalled.discard(track)

    async def _find(self) -> None:
        """Sessions that were started at other servers, which may be gone by now."""
        self._found_at = _now()
        repository = self._sessions.repository
        unknown = sorted(await repository.running_ids() - self._watched.keys())
        for start in range(0, len(unknown), FIND_AT_ONCE):
            for session in await repository.several(unknown[start : start + FIND_AT_ONCE]):
                self.watch(session)

    async def _run(self) -> None:
        behind = now_ms() - _now() * 1000
        while True:
            await asyncio.sleep(1)
            jump, behind = now_ms() - _now() * 1000 - behind, now_ms() - _now() * 1000
            try:
                if abs(jump) > JUMP_MS:
                    await self._note_jump(round(jump))
                if _now() - self._found_at > FIND_EVERY:
                    await self._find()
            except Problem:
                continue  # the database is away
            except Exception:
                # those that are known have to be looked at all the same
                logger.exception("running sessions could not be found")
            for number, watched in enumerate(list(self._watched.values())):
                if number % 100 == 99:
                    await asyncio.sleep(0)  # thousands of sessions must not hold up everybody's events
                try:
                    await self._look(watched, now_ms())
                except Problem as problem:
                    if problem.status != 503:
                        logger.exception("session could not be looked at", session_id=watched.session.id)
                    break  # the database is away: all others would wait for it too
                except Exception:
                    logger.exception("session could not be looked at", session_id=watched.session.id)

    async def _note_jump(self, change_ms: int) -> None:
        logger.warning("the clock of this machine was changed", change_ms=change_ms)
        for line in self._presence.lines():
            event = NewEvent(1061, "server", now_ms(), {"change_ms": change_ms, "where": "server"})
            with contextlib.suppress(Problem):
                await self._sessions.append(line.session, event)

    async def _look(self, watched: _Watched, now: int) -> None:
        session = watched.session
        if session.deadline_at is None or now < session.deadline_at - 5_000 or session.finish_requested_at:
            current = await self._sessions.get(session.organization_id, session.id)
        else:
            current = await self._sessions.fresh(session.organization_id, session.id)
        watched.session = session = current
        grace_ms = self._settings.finish_grace_minutes * 60_000
        if session.state not in IN_EXAM:
            del self._watched[session.id]
            return
        if session.finish_requested_at is None:
            if session.deadline_at is not None and now >= session.deadline_at and session.state == "running":
                await self._sessions.finish(session, "time_up", None)
            elif session.deadline_at is None and await self._is_abandoned(watched, now - grace_ms):
                # nobody has been there for longer than anything is waited for
                session = await self._sessions.finish(session, "abandoned", None)
                await self._sessions.complete_if_all_in(session, anyway=True)
            elif session.state == "running":
                await self._note_stalls(watched)
        elif now - session.finish_requested_at > grace_ms:
            await self._sessions.complete_if_all_in(session, anyway=True)
        elif _now() - watched.asked_at > ASK_AGAIN:
            # what was missing may have come in at another server, which did not know yet that it was the last
            watched.asked_at = _now()
            await self._sessions.complete_if_all_in(session)

    async def _is_abandoned(self, watched: _Watched, before: int) -> bool:
        """Whether an exam without a time limit has had nobody in it since a moment."""
        session = watched.session
        if (session.started_at or session.created_at) > before or _now() - watched.sought_at < ABANDONED_EVERY:
            return False
        watched.sought_at = _now()
        lost_at = await self._sessions.repository.lost_since(session.id)
        return lost_at is not None and lost_at < before

    async def _note_stalls(self, watched: _Watched) -> None:
        session = watched.session
        if not self._presence.connected(session.id):
            # nothing can come while the line is down; the time begins anew when it is back
            watched.chunk_at.clear()
            return
        tracks = session.policy.tracks
        for track in [t for t, wanted in (("camera", tracks.camera), ("screen", tracks.screen)) if wanted]:
            since = watched.chunk_at.setdefault(track, _now())
            limit_ms = session.policy.recording_stall_ms
            if (_now() - since) * 1000 <= limit_ms or track in watched.stalled:
                continue
            received = await self.last_received(session, track) if self.last_received else None
            if received is not None and 0 <= now_ms() - received <= limit_ms:
                watched.chunk_at[track] = _now() - (now_ms() - received) / 1000
                continue
            if await self._has_stopped(session, track, received or 0):
                # asked again after as long: where it starts anew may be another server
                watched.chunk_at[track] = _now()
                continue
            watched.stalled.add(track)
            await self._sessions.append(
                session, NewEvent(STOPPED, "server", now_ms(), {"track": track, "reason": "stalled"})
            )

    async def _has_stopped(self, session: Session, track: str, received: int) -> bool:
        """Whether the log says already that nothing can come: the page has stopped, or has stalled since the last chunk."""
        last = (await last_told(self._sessions.events, session)).get(track)
        if last is None or last.type_id == STARTED:
            return False
        return last.source != "server" or received <= last.occurred_at


def _now() -> float:
    return asyncio.get_running_loop().time()
