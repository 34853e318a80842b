"""Sessions as they were read a moment ago, and who wants to know when one changes.

Every server tells the others on one topic of the bus which session has changed, so what was read may be believed for
a while, and thousands of sessions need not be read again and again.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from openproctor.sessions.repository import Session
from openproctor.storage.bus import Bus

TOPIC = "state"
# what changes is heard of: read again only for safety
TOLD_SECONDS = 60.0
# while nobody tells
UNTOLD_SECONDS = 2.0
MOST = 50_000
# after an absence of the bus everybody looks for themselves, not all at once
AT_ONCE, PAUSE_SECONDS = 50, 0.2


@dataclass(slots=True)
class _Known:
    """A session, and when (``time.monotonic()``) it was asked for; None for one that has changed since."""

    session: Session | None
    asked_at: float


class KnownSessions:
    """What this process has read of sessions."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, _Known] = {}
        self._wanting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None
        self._told = False

    async def start(self) -> None:
        """Listen to the other servers from now on."""
        listening = asyncio.Event()
        self._task = asyncio.create_task(self._listen(listening), name="sessions")
        await listening.wait()

    async def close(self) -> None:
        """Stop listening."""
        tasks = [task for task in (self._task, self._waking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def get(self, organization_id: str, session_id: str) -> Session | None:
        """The session, if what we know of it may still be believed."""
        known = self._known.get(session_id)
        if known is None or known.session is None or known.session.organization_id != organization_id:
            return None
        kept = TOLD_SECONDS if self._told and self._bus.available else UNTOLD_SECONDS
        return known.session if known.asked_at + kept > time.monotonic() else None

    def keep(self, session: Session, asked_at: float) -> None:
        """Note what was read; ``asked_at`` is ``time.monotonic()`` from before the question."""
        known = self._known.get(session.id)
        # of two that were read at the same time the later asked knows more
        if known is not None and known.asked_at > asked_at:
            return
        self._note(session.id, _Known(session, asked_at))

    def changed(self, session_id: str) -> None:
        """What is known of a session is of the past, also what is being read just now."""
        self._note(session_id, _Known(None, time.monotonic()))

    def _note(self, session_id: str, known: _Known) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[session_id] = known

    def tell(self, session_id: str) -> None:
        """A session was changed: whoever wants to know looks again, here and at other servers."""
        self._bus.publish(TOPIC, session_id)

    @contextmanager
    def wanted(self, session_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the session may have changed."""
        event = asyncio.Event()
        self._wanting[session_id].add(event)
        try:
            yield event
        finally:
            self._wanting[session_id].discard(event)
            if not self._wanting[session_id]:
                del self._wanting[session_id]

    async def _listen(self, listening: asyncio.Event) -> None:
        async with self._bus.subscribe(TOPIC) as messages:
            self._told = True
            listening.set()
            async for session_id in messages:
                if session_id is None:
                    self._known.clear()
                    self._wake_all()
                    continue
                self.changed(session_id)
                for event in self._wanting.get(session_id, ()):
                    event.set()

    def _wake_all(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
        self._waking = asyncio.create_task(self._wake_some_at_a_time(), name="sessions-waking")

    async def _wake_some_at_a_time(self) -> None:
        for number, session_id in enumerate(list(self._wanting), 1):
            for event in self._wanting.get(session_id, ()):
                event.set()
            if number % AT_ONCE == 0:
                await asyncio.sleep(PAUSE_SECONDS)
