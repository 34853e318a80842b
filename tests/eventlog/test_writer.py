"""The log's writer on real databases: order, links, repeats, refused changes, two processes at once, outages."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

import openproctor.assembly  # noqa: F401 -- declares the tables
from openproctor.errors import Problem
from openproctor.eventlog.chain import data_digest, genesis, link_event
from openproctor.eventlog.entries import Append, Change, NewContent, NewEvent, PageEvents, Receipt
from openproctor.eventlog.repository import EventRepository
from openproctor.eventlog.streams import MAX_HOLES
from openproctor.eventlog.writer import LogWriter
from openproctor.ids import new_id
from openproctor.storage import pglog, postgres
from openproctor.storage.bus import LocalBus
from openproctor.storage.database import Database
from scripts.engines import Postgres

ORG = "0" * 26


async def open_log(url: str, **limits: int) -> tuple[Database, LogWriter]:
    database = Database(url)
    await asyncio.to_thread(database.prepare)
    log = LogWriter(database.log, LocalBus(), **{"max_waiting": 1000, "max_commit": 100, **limits})
    log.start()
    return database, log


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[tuple[Database, LogWriter]]:
    database, log = await open_log(database_url)
    yield database, log
    await log.close()
    await database.close()


def idle(number: int, stream: str | None = "s") -> NewEvent:
    return NewEvent(6, "candidate", 1000 + number, {"idle_after_ms": number}, [], stream, number if stream else None)


async def rows(database: Database, session: str) -> list[Any]:
    query = text("SELECT * FROM events WHERE session_id=:s ORDER BY sequence")
    async with database.read() as connection:
        return list((await connection.execute(query, {"s": session})).all())


def check_links(session: str, found: list[Any]) -> None:
    previous = genesis(session)
    for row in found:
        data = json.loads(row.data)
        previous = link_event(
            previous, session_id=session, position=row.position, sequence=row.sequence, type_id=row.type_id,
            source=row.source, occurred_at=row.occurred_at, received_at=row.received_at, stream=row.stream,
            client_sequence=row.client_sequence, digest=data_digest(row.salt, data), evidence=json.loads(row.evidence),
        )  # fmt: skip
        assert previous == row.link


async def test_entries_are_numbered_and_linked_without_a_hole(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    session = new_id()
    await asyncio.gather(*[log.append(Append(session, ORG, [idle(n), idle(n + 50)])) for n in range(1, 51)])
    found = await rows(database, session)
    assert [r.sequence for r in found] == list(range(1, 101))
    check_links(session, found)
    head = await EventRepository(database).head(ORG, session)
    assert (head.sequence, head.link) == (100, found[-1].link.hex())
    assert head.counts == {6: 100}


async def test_a_repeat_gets_no_number(opened: tuple[Database, LogWriter]) -> None:
    _, log = opened
    session = new_id()
    first = await log.append(Append(session, ORG, [idle(1), idle(2)]))
    again = await log.append(Append(session, ORG, [idle(2), idle(3), idle(1)]))
    assert (first.sequences, again.sequences) == ([1, 2], [None, 3, None])


def page(*numbers: int) -> PageEvents:
    return PageEvents("s", [(n, 6, 1000 + n, b'{"idle_after_ms":%d}' % n) for n in numbers])


async def test_a_pages_batch_is_written_as_its_events_would_be(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    batches = [(1, 2, 3), (4,), (2, 3), (7, 9, 8), (5, 6, 7), (5, 6), (10, 10, 11)]
    one, other = new_id(), new_id()
    for numbers in batches:
        receipt = await log.append(Append(one, ORG, page=page(*numbers)))
        assert receipt.applied
        await log.append(Append(other, ORG, [idle(n) for n in numbers]))
        assert (await EventRepository(database).head(ORG, one)).sequence == receipt.last_sequence
    batched, single = await rows(database, one), await rows(database, other)
    same = ("sequence", "position", "type_id", "source", "occurred_at", "stream", "client_sequence", "data", "evidence")
    assert [[getattr(r, c) for c in same] for r in batched] == [[getattr(r, c) for c in same] for r in single]
    assert sorted(r.client_sequence for r in batched) == list(range(1, 12))
    check_links(one, batched)
    heads = await EventRepository(database).heads(ORG, [one, other])
    assert heads[one].counts == heads[other].counts == {6: 11}
    assert heads[one].streams.encode() == heads[other].streams.encode()


async def test_what_has_no_room_is_not_written_and_what_fills_holes_is(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    session = new_id()
    far = range(3, 3 + 2 * MAX_HOLES, 2)
    for start in range(0, MAX_HOLES, 500):
        assert (await log.append(Append(session, ORG, page=page(*far[start : start + 500])))).applied
    one_more = far[-1] + 2
    for refused in (
        Append(session, ORG, page=page(1, 2, one_more, one_more + 2)),
        Append(session, ORG, [idle(one_more)]),
    ):
        assert await log.append(refused) == Receipt(applied=False)
    assert (await EventRepository(database).head(ORG, session)).sequence == MAX_HOLES
    other = await log.append(Append(session, ORG, [idle(0, None)]))
    assert other.applied, "what the server says needs no room"
    assert (await log.append(Append(session, ORG, page=page(1, 2, 4, 3)))).applied
    assert (await log.append(Append(session, ORG, [idle(one_more)]))).applied
    check_links(session, await rows(database, session))


async def test_more_rows_than_one_statement_takes_are_all_written_in_order(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    session = new_id()
    await log.append(Append(session, ORG, page=page(*range(1, 334))))
    found = await rows(database, session)
    assert [r.client_sequence for r in found] == list(range(1, 334))
    check_links(session, found)


def chunk(number: int, digest: str) -> NewContent:
    row = {
        "track": "camera", "number": number, "part": 0, "container": "mp4", "init_size": 0, "has_media": 1,
        "media_time": 0.5, "duration": 2.0, "timescales": None, "part_started_at": 1, "at": 1, "received_at": 2, "size": 3,
        "digest": digest, "object_key": f"k/{digest}", "play_key": None,
    }  # fmt: skip
    return NewContent("chunk", "chunks", ("track", "number"), row, {"digest": digest, "number": number})


async def test_a_content_is_linked_once_also_when_it_comes_twice_in_one_commit(
    opened: tuple[Database, LogWriter],
) -> None:
    database, log = opened
    session, other = new_id(), new_id()
    wanted = [(session, 0, "a"), (session, 0, "a"), (session, 1, "b"), (other, 0, "c"), (session, 1, "d")]
    # queued without giving way: all of them go to the disk together
    futures = [log.append(Append(s, ORG, [idle(n + 1)], [chunk(number, d)])) for n, (s, number, d) in enumerate(wanted)]
    existing = [receipt.existing[0] for receipt in await asyncio.gather(*futures)]
    assert [e and e["digest"] for e in existing] == [None, "a", None, None, "b"]
    sequences = [future.result().sequences for future in futures]
    assert sequences == [[1], [None], [2], [1], [None]], "what was said of a content is not said twice"
    again = await log.append(Append(session, ORG, [idle(9)], [chunk(1, "e"), chunk(2, "f"), chunk(2, "g")]))
    assert again.sequences == [3], "a new one is among them"
    assert [e and e["digest"] for e in again.existing] == ["b", None, "f"]
    async with database.read() as connection:
        query = text("SELECT position, number, digest, link FROM chunks WHERE session_id=:s ORDER BY position")
        stored = list((await connection.execute(query, {"s": session})).all())
    assert [(r.number, r.digest) for r in stored] == [(0, "a"), (1, "b"), (2, "f")]
    written = await rows(database, session)
    positions = [r.position for r in [*stored, *written]]
    assert sorted(positions) == list(range(1, 7))
    head = await EventRepository(database).head(ORG, session)
    assert (head.position, head.link) == (6, written[-1].link.hex())


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


async def test_what_has_no_exact_form_fails_for_its_sender_alone(opened: tuple[Database, LogWriter]) -> None:
    database, log = opened
    session = new_id()
    good = [log.append(Append(new_id(), ORG, [idle(1)]))]
    content = chunk(1, "b")
    content.content["at"] = 2**60
    for bad in (
        Append(session, ORG, [NewEvent(9, "server", 1, {"attempt": 2**60})]),
        Append(session, ORG, [], [content]),
    ):
        with pytest.raises(Problem) as problem:
            log.append(bad)
        assert (problem.value.status, problem.value.slug) == (422, "not-exact")
    good.append(log.append(Append(new_id(), ORG, [idle(1)], [chunk(0, "a")])))
    assert [receipt.sequences for receipt in await asyncio.gather(*good)] == [[1], [1]]
    assert (await EventRepository(database).head(ORG, session)).position == 0


async def test_too_much_that_waits_is_refused_and_what_was_taken_is_written(database_url: str) -> None:
    database, log = await open_log(database_url, max_waiting=50, max_commit=10)
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


async def test_two_writers_on_one_database_keep_one_chain(database_url: str) -> None:
    opened = [await open_log(database_url) for _ in range(2)]
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


async def test_two_writers_may_begin_the_same_log_at_the_same_moment(database_url: str) -> None:
    opened = [await open_log(database_url) for _ in range(2)]
    sessions = [new_id() for _ in range(40)]
    for session in sessions:
        await asyncio.gather(
            *[log.append(Append(session, ORG, [idle(1, f"s{side}")])) for side, (_, log) in enumerate(opened)]
        )
    repository = EventRepository(opened[0][0])
    for session in sessions:
        found = await rows(opened[0][0], session)
        assert [r.sequence for r in found] == [1, 2]
        assert (await repository.head(ORG, session)).link == found[-1].link.hex()
    for database, log in opened:
        await log.close()
        await database.close()


async def test_what_waits_when_the_database_goes_away_is_kept_and_what_comes_then_is_refused() -> None:
    with Postgres() as server:
        database, log = await open_log(server.url)
        session = new_id()
        await log.append(Append(session, ORG, [idle(1)]))
        await asyncio.to_thread(server.kill)
        last = 2
        waiting = log.append(Append(session, ORG, [idle(last)]))
        async with asyncio.timeout(60):
            while database.log.available:
                if waiting.done():  # the process at the other end outlived its server for a moment
                    last += 1
                    waiting = log.append(Append(session, ORG, [idle(last)]))
                await asyncio.sleep(0.01)
        with pytest.raises(Problem) as problem:
            log.append(Append(session, ORG, [idle(last + 1)]))
        assert (problem.value.status, bool(problem.value.retry_after)) == (503, True)
        with pytest.raises(Problem) as problem:
            await EventRepository(database).head(ORG, session)
        assert (problem.value.status, problem.value.slug) == (503, "database-away")
        await asyncio.to_thread(server.start)
        assert (await waiting).sequences == [last]
        assert (await log.append(Append(session, ORG, [idle(last + 1)]))).sequences == [last + 1]
        assert (await EventRepository(database).head(ORG, session)).sequence == last + 1
        await log.close()
        await database.close()


async def test_a_writer_that_ends_while_the_database_is_away_does_not_wait_for_it() -> None:
    with Postgres() as server:
        database, log = await open_log(server.url)
        await asyncio.to_thread(server.kill)
        waiting = log.append(Append(new_id(), ORG, [idle(1)]))
        async with asyncio.timeout(60):
            await log.close()
        with pytest.raises(Problem) as problem:
            await waiting
        assert problem.value.status == 503
        await database.close()


async def test_nothing_is_lost_or_doubled_while_the_database_is_killed_again_and_again() -> None:
    with Postgres() as server:
        database, log = await open_log(server.url)
        sessions = [new_id() for _ in range(8)]
        stored: dict[str, int] = dict.fromkeys(sessions, 0)
        over = False

        async def sit(session: str) -> None:
            while not over:
                try:
                    # without a stream of the page nothing but the commit itself tells a repeat
                    await log.append(Append(session, ORG, [idle(stored[session] + 1, None)]))
                except Problem:
                    await asyncio.sleep(0.01)
                else:
                    stored[session] += 1

        sitting = [asyncio.create_task(sit(session)) for session in sessions]
        for _ in range(3):
            target = stored[sessions[0]] + 30
            async with asyncio.timeout(30):
                while stored[sessions[0]] < target:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        over = True
        await asyncio.gather(*sitting)
        for session in sessions:
            assert [r.sequence for r in await rows(database, session)] == list(range(1, stored[session] + 1))
        await log.close()
        await database.close()


async def test_a_process_that_stands_still_in_the_middle_of_a_copy_does_not_keep_a_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(postgres._SETTINGS, "lock_timeout", "500ms")
    monkeypatch.setattr(pglog, "SILENT_SECONDS", 0.2)
    with Postgres() as server:
        database, log = await open_log(server.url)
        session = new_id()
        await log.append(Append(session, ORG, [idle(1)]))
        frozen = await postgres.connect(server.url)
        await frozen.execute("BEGIN")
        await frozen.execute("SELECT * FROM heads WHERE session_id=$1 FOR UPDATE", session)
        stands_still = asyncio.Event()

        async def rows_that_do_not_come() -> AsyncIterator[bytes]:
            stands_still.set()
            await asyncio.Event().wait()
            yield b""

        copy = asyncio.create_task(frozen.copy_to_table("events", source=rows_that_do_not_come()))
        await stands_still.wait()
        async with asyncio.timeout(30):
            assert (await log.append(Append(session, ORG, [idle(2)]))).last_sequence == 2
        copy.cancel()
        await asyncio.gather(copy, return_exceptions=True)
        frozen.terminate()
        await log.close()
        await database.close()
