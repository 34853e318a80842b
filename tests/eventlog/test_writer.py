"""The log's writer on a real database: order, links, repeats, refused changes, two processes at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from openproctor.errors import Problem
from openproctor.eventlog.chain import data_digest, genesis, link_event
from openproctor.eventlog.entries import Append, Change, NewEvent
from openproctor.eventlog.repository import EventRepository
from openproctor.eventlog.writer import LogWriter
from openproctor.ids import new_id
from openproctor.storage.bus import LocalBus
from openproctor.storage.database import Database

ORG = "0" * 26


async def open_log(path: Path, **limits: int) -> tuple[Database, LogWriter]:
    database = Database(f"sqlite:///{path}")
    await asyncio.to_thread(database.prepare)
    log = LogWriter(database.log, LocalBus(), **{"max_waiting": 1000, "max_commit": 100, **limits})
    log.start()
    return database, log


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[Database, LogWriter]]:
    database, log = await open_log(tmp_path / "log.db")
    yield database, log
    await log.close()
    await database.close()


def idle(number: int, stream: str | None = "s") -> NewEvent:
    return NewEvent(6, "candidate", 1000 + number, {"idle_after_ms": number}, [], stream, number if stream else None)


async def rows(database: Database, session: str) -> list[Any]:
    query = text("SELECT * FROM events WHERE session_id=:s ORDER BY sequence")
    async with database.read() as connection:
        return list((await connection.execute(query, {"s": session})).all())


async def test_entries_are_numbered_and_linked_without_a_hole(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    session = new_id()
    await asyncio.gather(*[log.append(Append(session, ORG, [idle(n), idle(n + 50)])) for n in range(1, 51)])
    found = await rows(database, session)
    assert [r.sequence for r in found] == list(range(1, 101))
    previous = genesis(session)
    for row in found:
        data = json.loads(row.data)
        previous = link_event(
            previous, session_id=session, position=row.position, sequence=row.sequence, type_id=row.type_id,
            source=row.source, occurred_at=row.occurred_at, received_at=row.received_at, stream=row.stream,
            client_sequence=row.client_sequence, digest=data_digest(row.salt, data), evidence=json.loads(row.evidence),
        )  # fmt: skip
        assert previous == row.link
    head = await EventRepository(database).head(ORG, session)
    assert (head.sequence, head.link) == (100, previous.hex())
    assert head.counts == {6: 100}


async def test_a_repeat_gets_no_number(opened: tuple[Database, LogWriter]) -> None:
    _, log = opened
    session = new_id()
    first = await log.append(Append(session, ORG, [idle(1), idle(2)]))
    again = await log.append(Append(session, ORG, [idle(2), idle(3), idle(1)]))
    assert (first.sequences, again.sequences) == ([1, 2], [None, 3, None])


async def test_a_refused_change_takes_its_events_with_it(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    session = new_id()
    await log.append(Append(session, ORG, [idle(1)]))
    change = Change("heads", {"organization_id": ORG}, {"session_id": "nobody"})
    refused = log.append(Append(session, ORG, [idle(2)], changes=[change]))
    kept = log.append(Append(session, ORG, [idle(3)]))
    assert (await refused).applied is False
    assert (await kept).sequences == [2]
    assert len(await rows(database, session)) == 2


async def test_one_bad_append_does_not_take_the_others_of_its_commit(opened: tuple[Database, LogWriter]) -> None:
    _, log = opened
    good = [log.append(Append(new_id(), ORG, [idle(1)])) for _ in range(5)]
    bad = log.append(Append(new_id(), ORG, [idle(1)], changes=[Change("no_such_table", {"a": 1}, {"b": 2})]))
    good += [log.append(Append(new_id(), ORG, [idle(1)])) for _ in range(5)]
    with pytest.raises(Problem) as problem:
        await bad
    assert problem.value.status == 503
    assert [receipt.sequences for receipt in await asyncio.gather(*good)] == [[1]] * 10


async def test_too_much_that_waits_is_refused_and_what_was_taken_is_written(tmp_path: Path) -> None:
    database, log = await open_log(tmp_path / "log.db", max_waiting=50, max_commit=10)
    session = new_id()
    taken = [log.append(Append(session, ORG, [idle(n)])) for n in range(1, 51)]
    with pytest.raises(Problem) as problem:
        log.append(Append(session, ORG, [idle(51)]))
    assert problem.value.status == 503
    assert problem.value.retry_after
    await asyncio.gather(*taken)
    assert (await log.append(Append(session, ORG, [idle(51)]))).sequences == [51]
    await log.close()
    await database.close()


async def test_two_writers_on_one_database_keep_one_chain(tmp_path: Path) -> None:
    opened = [await open_log(tmp_path / "log.db") for _ in range(2)]
    session = new_id()
    for n in range(0, 60, 2):
        await asyncio.gather(
            *[log.append(Append(session, ORG, [idle(n + side + 1)])) for side, (_, log) in enumerate(opened)]
        )
    found = await rows(opened[0][0], session)
    assert [r.position for r in found] == list(range(1, 61))
    for database, log in opened:
        await log.close()
        await database.close()
