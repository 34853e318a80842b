"""The log's way to the disk, on every engine: all or nothing, nobody in between, once and only once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, insert, select

import openproctor.assembly  # noqa: F401 -- declares the tables
from openproctor.accounts.models import organizations
from openproctor.eventlog.models import heads
from openproctor.exams.models import exams
from openproctor.media.models import chunks
from openproctor.sessions.models import presence, sessions
from openproctor.storage.database import Database
from openproctor.storage.logstore import LogTransaction
from tests.storage.proxy import Line

ORG = "0" * 26
COLUMNS = ("session_id", "organization_id", "position", "sequence", "link", "streams", "counts")


def head(session: str, position: int) -> tuple[Any, ...]:
    return (session.ljust(26, "0"), ORG, position, position, bytes([position]) * 32, "{}", "{}")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await asyncio.to_thread(opened.prepare)
    yield opened
    await opened.close()


async def positions(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        rows = await connection.execute(select(heads.c.session_id, heads.c.position))
        return {session.rstrip("0"): position for session, position in rows.all()}


async def test_a_row_comes_back_as_it_went_in(database: Database) -> None:
    row = {
        "session_id": "s".ljust(26, "0"), "track": "camera", "number": 7, "organization_id": ORG, "part": 0,
        "container": "mp4", "init_size": 2**31 - 1, "has_media": 1, "media_time": 0.1, "duration": None,
        "timescales": '{"é": "\\u0000 🙂 \'?\\\\"}', "part_started_at": 2**53, "at": -1, "received_at": 0, "size": 0,
        "digest": "d" * 64, "object_key": "", "play_key": None, "position": 2**62, "link": bytes(range(32)),
    }  # fmt: skip

    async def work(transaction: LogTransaction) -> list[tuple[Any, ...]]:
        await transaction.insert("chunks", tuple(row), [tuple(row.values())])
        await transaction.insert("chunks", tuple(row), [])
        return await transaction.select(
            f"SELECT {','.join(row)} FROM chunks WHERE session_id=? AND track=? AND number=?",
            [row["session_id"], "camera", 7],
        )

    [stored] = await database.log.commit(work)
    assert list(stored) == list(row.values())
    async with database.read() as connection:
        assert dict((await connection.execute(select(chunks))).one()._mapping) == row


async def test_a_failure_leaves_nothing(database: Database) -> None:
    async def work(transaction: LogTransaction) -> None:
        await transaction.upsert("heads", "session_id", COLUMNS, [head("a", 1)])
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await database.log.commit(work)
    assert await positions(database) == {}
    assert database.log.available


async def test_upsert_makes_and_replaces(database: Database) -> None:
    for first, second in ((1, 1), (2, 3)):
        rows = [head("a", first), head("b", second)]
        await database.log.commit(lambda t, rows=rows: t.upsert("heads", "session_id", COLUMNS, rows))  # type: ignore[misc]
    assert await positions(database) == {"a": 2, "b": 3}
    claimed = await database.log.commit(
        lambda t: t.claim("heads", "position,link", "session_id", ["b".ljust(26, "0"), "none", "b".ljust(26, "0")])
    )
    assert [(position, bytes(link)) for position, link in claimed] == [(3, b"\3" * 32)]


async def test_update_knows_lists_nulls_and_booleans(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(organizations).values(id=ORG, name="o", created_at=0))
        await connection.execute(
            insert(exams).values(id="e", organization_id=ORG, title="t", policy="{}", created_at=0)
        )
        for name in ("a", "b"):
            await connection.execute(
                insert(sessions).values(
                    id=name, organization_id=ORG, exam_id="e", external_id=name, name=name, attempt=1, state="running",
                    policy="{}", created_at=0,
                )
            )  # fmt: skip
            await connection.execute(
                insert(presence).values(
                    session_id=name, organization_id=ORG, opened_at=1, seen_at=1, offline=False, sockets=1
                )
            )

    async def change(table: str, values: dict[str, Any], where: dict[str, Any]) -> int:
        return await database.log.commit(lambda transaction: transaction.update(table, values, where))

    states = ["paused", "running"]
    assert await change("sessions", {"state": "completed", "completed_at": 5}, {"id": "a", "state": states}) == 1
    assert await change("sessions", {"state": "completed"}, {"id": "a", "state": states}) == 0
    assert await change("sessions", {"deadline_at": None}, {"id": "b"}) == 1
    assert await change("presence", {"lost_at": 9}, {"session_id": "a", "lost_at": None}) == 1
    assert await change("presence", {"lost_at": 9}, {"session_id": "a", "lost_at": None}) == 0
    assert await change("presence", {"offline": True}, {"session_id": "a", "offline": False, "lost_at": 9}) == 1
    assert await change("presence", {"offline": True}, {"session_id": "a", "offline": False}) == 0
    async with database.read() as connection:
        rows = await connection.execute(select(presence.c.session_id, presence.c.offline, presence.c.lost_at))
        assert {tuple(row) for row in rows.all()} == {("a", True, 9), ("b", False, None)}


async def test_who_claims_a_row_is_alone_with_it_also_before_it_exists(database_url: str) -> None:
    opened = [Database(database_url) for _ in range(3)]
    for database in opened:
        await asyncio.to_thread(database.prepare)
    wanted = [name.ljust(26, "0") for name in ("a", "b", "c")]

    async def add_one(transaction: LogTransaction) -> None:
        found = {
            row[0]: row[1] for row in await transaction.claim("heads", "session_id,position", "session_id", wanted)
        }
        rows = [head(name, found.get(name, 0) + 1) for name in wanted]
        await transaction.upsert("heads", "session_id", COLUMNS, rows)

    async def many(database: Database) -> None:
        for _ in range(20):
            await database.log.commit(add_one)

    await asyncio.gather(*[many(database) for database in opened])
    assert await positions(opened[0]) == {"a": 60, "b": 60, "c": 60}
    for database in opened:
        await database.close()


@pytest.mark.parametrize("deliver", [True, False], ids=["the server had it", "the server never got it"])
async def test_a_commit_whose_answer_is_lost_counts_once(postgres_url: str, deliver: bool) -> None:
    async with Line(urlsplit(postgres_url).port or 0) as line:
        parts = urlsplit(postgres_url)
        direct = Database(postgres_url)
        await asyncio.to_thread(direct.prepare)
        database = Database(parts._replace(netloc=f"postgres@127.0.0.1:{line.port}").geturl())
        runs = 0

        async def add(transaction: LogTransaction) -> int:
            nonlocal runs
            runs += 1
            found = await transaction.claim("heads", "position", "session_id", ["a".ljust(26, "0")])
            position = (found[0][0] if found else 0) + 1
            await transaction.upsert("heads", "session_id", COLUMNS, [head("a", position)])
            return position

        assert await database.log.commit(add) == 1
        line.cut_at(b"COMMIT", deliver=deliver)
        assert await database.log.commit(add) == 2
        assert line.cuts == 1
        assert await positions(direct) == {"a": 2}
        assert runs == (2 if deliver else 3)
        assert await database.log.commit(add) == 3
        async with direct.read() as connection:
            assert (await connection.execute(select(func.count()).select_from(heads))).scalar() == 1
        await database.close()
        await direct.close()


async def test_the_log_waits_for_one_other_writer_of_its_process_not_for_all(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'openproctor.db'}")
    await asyncio.to_thread(database.prepare)
    order: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write(name: str) -> None:
        async with database.write() as connection:
            begun.set()
            await go_on.wait()
            await connection.execute(insert(organizations).values(id=name.ljust(26, "0"), name=name, created_at=0))
        order.append(name)

    async def log(transaction: LogTransaction) -> None:
        await transaction.upsert("heads", "session_id", COLUMNS, [head("s", 1)])

    async def commit() -> None:
        await database.log.commit(log)
        order.append("log")

    first = asyncio.create_task(write("first"))
    await begun.wait()
    others = [asyncio.create_task(write(f"other{n}")) for n in range(5)]
    committing = asyncio.create_task(commit())
    # each of them runs until it waits for its turn
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, committing, *others)
    assert order.index("log") <= 2
    await database.close()
