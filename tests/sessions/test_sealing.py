"""Seals of one session fit together, whoever makes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

import openproctor.assembly  # noqa: F401 -- declares the tables
from openproctor.eventlog.entries import Append, NewEvent
from openproctor.eventlog.repository import EventRepository
from openproctor.eventlog.seal import SealingKey, subject_digest
from openproctor.eventlog.writer import LogWriter
from openproctor.exams.policy import Policy
from openproctor.ids import new_id
from openproctor.sessions.repository import Session
from openproctor.sessions.sealing import Sealer, identity_of
from openproctor.storage.bus import LocalBus
from openproctor.storage.database import Database

ORG = "0" * 26


class HeldBack(Database):
    """Another process's connections, which comes to write only when it is let."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.came, self.let = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def write(self, alone: str = "") -> AsyncIterator[AsyncConnection]:
        self.came.set()
        await self.let.wait()
        async with super().write(alone) as connection:
            yield connection


def session() -> Session:
    return Session(
        id=new_id(), organization_id=ORG, exam_id="e", exam_title="Exam", exam_url=None, external_id="1", name="Ada",
        email=None, attempt=1, state="completed", policy=Policy(), created_at=0, joined_at=None, started_at=None,
        deadline_at=None, finish_requested_at=None, completed_at=None, outcome=None, manifest=None, device=None,
    )  # fmt: skip


async def test_two_first_seals_at_the_same_moment_have_one_salt(database_url: str, tmp_path: Path) -> None:
    database, late = Database(database_url), HeldBack(database_url)
    await asyncio.to_thread(database.prepare)
    log = LogWriter(database.log, LocalBus(), max_waiting=1000, max_commit=100)
    log.start()
    key, sat = SealingKey.load(tmp_path), session()
    await log.append(Append(sat.id, ORG, [NewEvent(113, "server", 1, {"outcome": "finished"})]))
    first = asyncio.create_task(Sealer(late, EventRepository(late), key).seal(sat))
    await late.came.wait()
    # while the one is about to write, an entry comes in and the other seals it
    await log.append(Append(sat.id, ORG, [NewEvent(1093, "server", 2, {})]))
    other = Sealer(database, EventRepository(database), key)
    assert [seal.position for seal, _ in await other.seal(sat)] == [2]
    late.let.set()
    for found in (await first, await other.seal(sat)):
        assert [seal.position for seal, _ in found] == [1, 2]
        [salt] = {salt for _, salt in found}
        assert salt is not None
        assert {seal.subject for seal, _ in found} == {subject_digest(salt, identity_of(sat))}
    await log.close()
    for each in (late, database):
        await each.close()
