"""The schema, and a database that is damaged."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

import openproctor.assembly
from openproctor.analysis import models as _analysis
from openproctor.storage.database import Database, DatabaseUnusable, metadata
from openproctor.storage.migrate import downgrade, upgrade

assert openproctor.assembly
assert _analysis


def test_the_migrations_make_the_tables_of_the_code_and_take_them_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    upgrade(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []
    downgrade(url)
    assert set(inspect(create_engine(url)).get_table_names()) <= {"alembic_version"}
    upgrade(url)


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
