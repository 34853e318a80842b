"""The clock of running exams goes on, whatever one of them is like."""

import asyncio
import math
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from openproctor.assembly import Platform
from openproctor.clock import now_ms
from openproctor.eventlog.entries import NewEvent
from openproctor.sessions import timekeeper
from openproctor.sessions.models import sessions
from openproctor.sessions.repository import Session
from tests.sessions.platforms import Server, Socket, new_sessions, until


async def change(platform: Platform, session: Session, **values: Any) -> Session:
    """As another server would have done it."""
    async with platform.database.write() as connection:
        await connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
    return session


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running sessions are looked for every time."""
    monkeypatch.setattr(timekeeper, "FIND_EVERY", 0.0)
    monkeypatch.setattr(timekeeper, "FIND_AT_ONCE", 2)


async def test_sessions_of_other_servers_are_found_and_ended(server: Server) -> None:
    async with server() as platform:
        made = await new_sessions(platform, 5)
        now = now_ms()
        for session in made:
            await change(platform, session, state="running", started_at=now, deadline_at=now + 500)

        async def ended() -> bool:
            heads = await platform.events.heads(made[0].organization_id, [s.id for s in made])
            return all(head.counts.get(1071) == 1 for head in heads.values())

        await until(ended)


async def test_a_session_that_cannot_be_read_does_not_stop_the_clock(server: Server) -> None:
    async with server() as platform:
        broken, sound = await new_sessions(platform, 2)
        now = now_ms()
        await change(platform, sound, state="running", started_at=now, deadline_at=now + 4_000)
        platform.timekeeper.watch(await platform.sessions.fresh(sound.organization_id, sound.id))
        await change(platform, broken, state="running", policy="from another world")

        async def ended() -> bool:
            return bool(await platform.events.of_types(sound.organization_id, sound.id, [1071]))

        await until(ended)
        await asyncio.wait_for(platform.timekeeper.close(), 5)


async def said(platform: Platform, session: Session, *expected: tuple[str, str]) -> bool:
    """Whether these recordings stopped, each for its reason."""
    found = await platform.events.of_types(session.organization_id, session.id, [14])
    return [(event.data["track"], event.data["reason"]) for event in found] == list(expected)


async def test_a_recording_that_stopped_before_is_no_stall_at_another_server(server: Server) -> None:
    first = ("camera", "track_ended"), ("screen", "stalled")
    async with server() as platform:
        (session,) = await new_sessions(platform, recording_stall_ms=3_000)
        await change(platform, session, state="running", started_at=now_ms())
        stopped = {"track": "camera", "reason": "track_ended"}
        await platform.sessions.append(session, NewEvent(14, "candidate", now_ms(), stopped))
    async with server() as platform:
        await platform.presence.opened(Socket(session, heard_at=math.inf), 1, 1, None)
        # the camera is looked at first
        await until(partial(said, platform, session, *first))
        await platform.sessions.append(session, NewEvent(13, "candidate", now_ms(), {"track": "camera", "part": 1}))
    async with server() as platform:
        await platform.presence.opened(Socket(session, heard_at=math.inf), 2, 1, None)
        # the camera had started again; of the screen it has been said
        await until(partial(said, platform, session, *first, ("camera", "stalled")))
