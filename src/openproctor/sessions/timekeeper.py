"""The clock that watches running exams: time up, recordings that stall, waiting that has an end."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog

from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.eventlog.entries import NewEvent
from openproctor.sessions.presence import PresenceKeeper
from openproctor.sessions.repository import Session
from openproctor.sessions.service import Sessions
from openproctor.sessions.states import IN_EXAM

logger = structlog.get_logger(__name__)

STOPPED, STARTED = 14, 13
ASK_AGAIN_MS = 5_000


@dataclass(slots=True)
class _Watched:
    session: Session
    chunk_at: dict[str, int] = field(default_factory=dict)  # when the last chunk of a track came
    stalled: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    asked_at: int = 0  # when it was last looked whether all is in


class Timekeeper:
    """Looks at every running session about once a second."""

    # what it wants to be told of
    TYPES = (STARTED, STOPPED)

    def __init__(self, sessions: Sessions, presence: PresenceKeeper, settings: Settings) -> None:
        self._sessions = sessions
        self._presence = presence
        self._settings = settings
        self._watched: dict[str, _Watched] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up the sessions that are running, then watch."""
        for session in await self._sessions.repository.running():
            self.watch(session)
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
            watched.chunk_at[track] = now_ms()
            watched.stalled.discard(track)

    def note(self, session: Session, event: NewEvent) -> None:
        """The page said that a recording stopped or started: silence is no stall in between."""
        watched = self._watched.get(session.id)
        if watched and event.type_id in (STARTED, STOPPED):
            (watched.stopped.discard if event.type_id == STARTED else watched.stopped.add)(event.data["track"])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(1)
            for watched in list(self._watched.values()):
                try:
                    await self._look(watched, now_ms())
                except Exception:
                    logger.exception("session could not be looked at", session_id=watched.session.id)

    async def _look(self, watched: _Watched, now: int) -> None:
        session = watched.session
        if session.deadline_at is None or now < session.deadline_at - 5_000 or session.finish_requested_at:
            current = await self._sessions.get(session.organization_id, session.id)
        else:
            current = await self._sessions.fresh(session.organization_id, session.id)
        watched.session = session = current
        if session.state not in IN_EXAM:
            del self._watched[session.id]
            return
        if session.finish_requested_at is None:
            if session.deadline_at is not None and now >= session.deadline_at and session.state == "running":
                await self._sessions.finish(session, "time_up", None)
            elif session.state == "running":
                await self._note_stalls(watched, now)
        elif now - session.finish_requested_at > self._settings.finish_grace_minutes * 60_000:
            await self._sessions.complete_if_all_in(session, anyway=True)
        elif now - watched.asked_at > ASK_AGAIN_MS:
            # what was missing may have come in at another server, which did not know yet that it was the last
            watched.asked_at = now
            await self._sessions.complete_if_all_in(session)

    async def _note_stalls(self, watched: _Watched, now: int) -> None:
        session = watched.session
        if not self._presence.connected(session.id):
            # nothing can come while the line is down; the time begins anew when it is back
            watched.chunk_at.clear()
            return
        tracks = session.policy.tracks
        for track in [t for t, wanted in (("camera", tracks.camera), ("screen", tracks.screen)) if wanted]:
            since = watched.chunk_at.setdefault(track, now)
            if now - since <= session.policy.recording_stall_ms or track in watched.stalled | watched.stopped:
                continue
            watched.stalled.add(track)
            await self._sessions.append(
                session, NewEvent(STOPPED, "server", now, {"track": track, "reason": "stalled"})
            )
