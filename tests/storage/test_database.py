"""The schema on every engine, reading and writing beside each other, and databases that cannot be used."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, func, insert, inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine

import openproctor.analysis.models
import openproctor.assembly  # noqa: F401 -- declares the tables
from openproctor.accounts.models import organizations, people
from openproctor.errors import Problem
from openproctor.eventlog.models import heads
from openproctor.eventlog.streams import Streams
from openproctor.storage import sqlite
from openproctor.storage.database import Database, DatabaseUnusable, metadata
from openproctor.storage.migrate import downgrade_connection, upgrade_connection
from openproctor.storage.postgres import shown
from scripts.engines import Postgres

ORG = "0" * 26


async def on(url: str, work: Any) -> Any:
    """Run something that knows only synchronous connections."""
    driver = url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    engine = create_async_engine(driver)
    async with engine.connect() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_migrations_make_the_tables_of_the_code_and_take_them_away(database_url: str) -> None:
    await on(database_url, upgrade_connection)
    assert await on(database_url, differences) == []
    await on(database_url, downgrade_connection)
    assert await on(database_url, tables) <= {"alembic_version"}
    await on(database_url, upgrade_connection)
    assert await on(database_url, tables) >= set(metadata.tables)


async def test_what_lies_beyond_a_hole_is_readable_for_an_earlier_version_again(database_url: str) -> None:
    streams = Streams()
    for number in (1, 2, 5, 6, 7, 9):
        streams.add("s", number)
    streams.add("whole", 1)
    row = {"session_id": "s", "organization_id": ORG, "position": 7, "sequence": 7, "link": b"0" * 32, "counts": "{}"}

    def add(connection: Connection) -> None:
        connection.execute(insert(heads).values(**row, streams=streams.encode()))
        connection.commit()

    def stored(connection: Connection) -> str:
        return str(connection.execute(select(heads.c.streams)).scalar_one())

    await on(database_url, upgrade_connection)
    await on(database_url, add)
    await on(database_url, lambda connection: downgrade_connection(connection, "0006"))
    assert json.loads(await on(database_url, stored)) == {"s": [2, [5, 6, 7, 9]], "whole": [1, []]}
    await on(database_url, upgrade_connection)
    assert Streams.decode(await on(database_url, stored)).encode() == streams.encode()


_PREPARES = "import sys; from openproctor.storage.database import Database; Database(sys.argv[1]).prepare()"


def test_many_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", _PREPARES, database_url]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0] * 3
    Database(database_url).prepare()


async def opened(url: str) -> Database:
    database = Database(url)
    await asyncio.to_thread(database.prepare)
    return database


async def test_a_read_sees_one_state_while_others_write(database_url: str) -> None:
    database = await opened(database_url)
    count = select(func.count()).select_from(organizations)
    async with database.read() as reading:
        before = (await reading.execute(count)).scalar()
        async with database.write() as writing:
            await writing.execute(insert(organizations).values(id=ORG, name="o", created_at=0))
        assert (await reading.execute(count)).scalar() == before == 0
    async with database.read() as reading:
        assert (await reading.execute(count)).scalar() == 1
    await database.close()


async def test_what_a_writing_transaction_read_still_holds_when_it_writes(database_url: str) -> None:
    databases = [await opened(database_url) for _ in range(2)]

    async def only_one(database: Database, name: str) -> bool:
        async with database.write() as connection:
            if (await connection.execute(select(organizations.c.id))).first():
                return False
            await asyncio.sleep(0.01)
            await connection.execute(insert(organizations).values(id=name, name=name, created_at=0))
            return True

    made = await asyncio.gather(*[only_one(databases[n % 2], f"{n:026}") for n in range(8)])
    assert sorted(made) == [False] * 7 + [True]
    for database in databases:
        await database.close()


async def test_a_transaction_that_fails_leaves_nothing(database_url: str) -> None:
    database = await opened(database_url)
    with pytest.raises(KeyError):
        async with database.write() as connection:
            await connection.execute(insert(organizations).values(id=ORG, name="o", created_at=0))
            raise KeyError("in the middle")
    async with database.read() as connection:
        assert (await connection.execute(select(organizations))).all() == []
    await database.close()


async def test_searching_ignores_case_and_takes_wildcards_literally(database_url: str) -> None:
    database = await opened(database_url)
    async with database.write() as connection:
        await connection.execute(delete(people))
        await connection.execute(insert(organizations).values(id=ORG, name="o", created_at=0))
        for number, name in enumerate(["Ada Lovelace", "100% ADA", "Bob_"]):
            await connection.execute(
                insert(people).values(
                    id=str(number), organization_id=ORG, email=name, name=name, password_hash="", created_at=0
                )
            )
    for sought, expected in (("ada", {"0", "1"}), ("0%", {"1"}), ("b_", {"2"}), ("a_a", set())):
        async with database.read() as connection:
            rows = await connection.execute(select(people.c.id).where(people.c.name.icontains(sought, autoescape=True)))
        assert set(rows.scalars()) == expected
    await database.close()


async def test_a_database_of_a_newer_version_is_said_and_left_alone(database_url: str) -> None:
    database = await opened(database_url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
    with pytest.raises(DatabaseUnusable, match="newer version"):
        await asyncio.to_thread(Database(database_url).prepare)
    assert await on(database_url, tables) >= set(metadata.tables)
    await database.close()


# -- SQLite ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_database_is_said_and_never_emptied(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(damage)
    with pytest.raises(DatabaseUnusable, match="damaged"):
        Database(f"sqlite:///{path}").prepare()
    assert path.read_bytes() == damage


def test_a_database_that_is_cut_in_the_middle_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database = Database(f"sqlite:///{path}")
    database.prepare()
    asyncio.run(database.close())
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\0" * 4096 + whole[8192:])
    with pytest.raises(DatabaseUnusable):
        Database(f"sqlite:///{path}").prepare()


def filled(path: Path) -> None:
    """A database of some MB, closed."""
    database = Database(f"sqlite:///{path}")
    database.prepare()
    asyncio.run(database.close())
    with closing(sqlite3.connect(path)) as connection:
        rows = [(f"{n:026}", "x" * 500, n) for n in range(5_000)]
        connection.executemany("INSERT INTO organizations VALUES (?,?,?)", rows)
        connection.commit()


def damage_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(data)


def test_a_large_file_is_not_read_whole_at_every_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    filled(path)
    damage_in_the_middle(path)
    with pytest.raises(DatabaseUnusable, match="damaged"):
        Database(f"sqlite:///{path}").prepare()
    monkeypatch.setattr(sqlite, "FULL_CHECK_BYTES", 100_000)
    database = Database(f"sqlite:///{path}")
    database.prepare()
    asyncio.run(database.close())


def test_a_large_file_that_lost_its_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FULL_CHECK_BYTES", 100_000)
    path = tmp_path / "a.db"
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatabaseUnusable, match="damaged"):
        Database(f"sqlite:///{path}").prepare()
    assert len(path.read_bytes()) == len(whole) // 2


_DIES = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("UPDATE alembic_version SET version_num=version_num")
connection.commit()
os._exit(9)
"""


def test_a_large_file_is_read_whole_after_an_unclean_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FULL_CHECK_BYTES", 100_000)
    path = tmp_path / "a.db"
    filled(path)
    damage_in_the_middle(path)
    subprocess.run([sys.executable, "-c", _DIES, str(path)], check=False)
    with pytest.raises(DatabaseUnusable, match="damaged"):
        Database(f"sqlite:///{path}").prepare()


def test_a_second_process_does_not_take_the_first_for_an_unclean_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "FULL_CHECK_BYTES", 100_000)
    path = tmp_path / "a.db"
    filled(path)
    first = Database(f"sqlite:///{path}")
    first.prepare()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE organizations SET created_at=1")
        connection.commit()
        damage_in_the_middle(path)
        second = Database(f"sqlite:///{path}")
        second.prepare()
    for database in (first, second):
        asyncio.run(database.close())


# -- PostgreSQL ----------------------------------------------------------------------------------------------------


async def test_a_database_that_is_not_there_is_said_without_its_password(postgres: Postgres) -> None:
    url = f"postgresql://postgres:hush-hush@127.0.0.1:{postgres.port}/nobody_made_it"
    with pytest.raises(DatabaseUnusable, match="nobody_made_it") as unusable:
        await asyncio.to_thread(Database(url).prepare)
    assert "hush-hush" not in str(unusable.value)
    assert shown("postgresql://a:b:c@h/d?password=e&sslmode=require") == "postgresql://a@h/d?sslmode=require"


async def test_a_database_that_is_about_to_start_is_waited_for() -> None:
    with Postgres() as server:
        server.stop()
        preparing = asyncio.create_task(asyncio.to_thread(Database(server.url).prepare))
        await asyncio.sleep(1)
        assert not preparing.done()
        await asyncio.to_thread(server.start)
        await preparing
        assert await on(server.url, tables) >= set(metadata.tables)


async def test_requests_are_refused_while_the_database_is_away_and_served_when_it_is_back() -> None:
    query = select(func.count()).select_from(organizations)
    with Postgres() as server:
        database = await opened(server.url)
        async with database.read() as connection:
            await connection.execute(query)
        await asyncio.to_thread(server.kill)
        for way in (database.read, database.write):
            with pytest.raises(Problem) as problem:
                async with way() as connection:
                    await connection.execute(query)
            assert (problem.value.status, problem.value.slug) == (503, "database-away")
            assert problem.value.retry_after
        await asyncio.to_thread(server.start)
        for way in (database.read, database.write):
            async with way() as connection:
                assert (await connection.execute(query)).scalar() == 0
        await database.close()


async def test_commits_are_on_the_disk_whatever_the_database_s_default(postgres_url: str) -> None:
    admin = await asyncpg.connect(postgres_url)
    name = postgres_url.rsplit("/", 1)[1]
    await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await admin.close()
    database = await opened(postgres_url)
    async with database.write() as connection:
        assert (await connection.execute(text("SHOW synchronous_commit"))).scalar() == "on"
    said = await database.log.commit(lambda transaction: transaction.select("SHOW synchronous_commit", []))
    assert said == [("on",)]
    await database.close()
