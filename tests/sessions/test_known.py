"""What is known of sessions is believed until somebody says that it changed."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from openproctor.exams.policy import Policy
from openproctor.sessions.known import TOLD_SECONDS, UNTOLD_SECONDS, KnownSessions
from openproctor.sessions.repository import Session
from openproctor.storage.bus import LocalBus

A_WHILE = (UNTOLD_SECONDS + TOLD_SECONDS) / 2


def session(state: str = "running", organization_id: str = "org") -> Session:
    return Session(
        id="s",
        organization_id=organization_id,
        exam_id="e",
        exam_title="Exam",
        exam_url=None,
        external_id="1",
        name="Ada",
        email=None,
        attempt=1,
        state=state,
        policy=Policy(),
        created_at=0,
        joined_at=None,
        started_at=None,
        deadline_at=None,
        finish_requested_at=None,
        completed_at=None,
        outcome=None,
        manifest=None,
        device=None,
    )


@pytest.fixture
def bus() -> LocalBus:
    return LocalBus()


@pytest.fixture
async def known(bus: LocalBus) -> AsyncIterator[KnownSessions]:
    sessions = KnownSessions(bus)
    await sessions.start()
    yield sessions
    await sessions.close()


async def test_what_was_read_is_believed_for_a_while(known: KnownSessions) -> None:
    known.keep(session(), time.monotonic() - A_WHILE)
    assert known.get("org", "s") == session()
    known.keep(session(), time.monotonic())
    assert known.get("another", "s") is None


async def test_who_hears_of_no_change_believes_it_for_a_moment_only(bus: LocalBus) -> None:
    known = KnownSessions(bus)
    known.keep(session(), time.monotonic() - A_WHILE)
    assert known.get("org", "s") is None
    known.keep(session(), time.monotonic())
    assert known.get("org", "s") is not None


async def test_nothing_old_is_believed(known: KnownSessions) -> None:
    known.keep(session(), time.monotonic() - TOLD_SECONDS - 1)
    assert known.get("org", "s") is None


async def test_a_change_is_heard_of_and_what_was_asked_before_it_is_not_kept(
    known: KnownSessions, bus: LocalBus
) -> None:
    asked_at = time.monotonic()
    known.keep(session(), asked_at)
    with known.wanted("s") as changed:
        bus.publish("state", "s")
        await asyncio.wait_for(changed.wait(), 10)
    assert known.get("org", "s") is None
    known.keep(session("created"), asked_at)
    assert known.get("org", "s") is None
    known.keep(session("completed"), time.monotonic())
    found = known.get("org", "s")
    assert found is not None
    assert found.state == "completed"


async def test_the_later_question_has_the_better_answer(known: KnownSessions) -> None:
    now = time.monotonic()
    known.keep(session("completed"), now)
    known.keep(session("running"), now - 1)
    found = known.get("org", "s")
    assert found is not None
    assert found.state == "completed"


async def test_after_an_absence_of_the_bus_everybody_looks_again(known: KnownSessions, bus: LocalBus) -> None:
    known.keep(session(), time.monotonic())
    with known.wanted("s") as one, known.wanted("other") as other:
        bus.publish("state", None)
        await asyncio.wait_for(asyncio.gather(one.wait(), other.wait()), 10)
    assert known.get("org", "s") is None
