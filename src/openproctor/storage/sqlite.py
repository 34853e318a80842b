"""The log's writer on SQLite: one thread, one connection, ``synchronous=FULL``."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from openproctor.storage.logstore import LogTransaction, Row

T = TypeVar("T")

SQLITE_PRAGMAS = (
    # first, since the next one may already have to wait for another process
    "PRAGMA busy_timeout=15000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # 64 MB of pages; 20,000 pages of log between checkpoints keep a growing table fast
    "PRAGMA cache_size=-65536",
    "PRAGMA wal_autocheckpoint=20000",
)


class _Transaction:
    """Statements on the writer's connection. Nothing here waits, so :func:`_run` needs no event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def select(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    async def select_in(self, table: str, columns: str, key: str, values: Sequence[Any]) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(values), 500):
            part = values[start : start + 500]
            marks = ",".join("?" * len(part))
            rows += self._connection.execute(f"SELECT {columns} FROM {table} WHERE {key} IN ({marks})", part).fetchall()
        return rows

    async def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        marks = ",".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})", rows)

    async def upsert(self, table: str, key: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        marks = ",".join("?" * len(columns))
        sets = ",".join(f"{c}=excluded.{c}" for c in columns if c != key)
        self._connection.executemany(
            f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks}) ON CONFLICT({key}) DO UPDATE SET {sets}", rows
        )

    async def update(self, table: str, values: dict[str, Any], where: dict[str, Any]) -> int:
        sets = ",".join(f"{c}=?" for c in values)
        conditions, parameters = [], list(values.values())
        for column, value in where.items():
            if isinstance(value, list):
                conditions.append(f"{column} IN ({','.join('?' * len(value))})")
                parameters += value
            elif value is None:
                conditions.append(f"{column} IS NULL")
            else:
                conditions.append(f"{column}=?")
                parameters.append(value)
        cursor = self._connection.execute(f"UPDATE {table} SET {sets} WHERE {' AND '.join(conditions)}", parameters)
        return cursor.rowcount


def _run(coroutine: Any) -> Any:
    """Drive a coroutine that never waits for anything."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError("work inside a log transaction must wait for nothing but the transaction")


class SqliteLogStore:
    """See :class:`openproctor.storage.logstore.LogStore`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._connection: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            for pragma in SQLITE_PRAGMAS:
                connection.execute(pragma)
            self._connection = connection
        return self._connection

    def _commit(self, work: Callable[[LogTransaction], Awaitable[T]]) -> T:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result: T = _run(work(_Transaction(connection)))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    async def commit(self, work: Callable[[LogTransaction], Awaitable[T]]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, work)

    async def close(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        self._thread.shutdown()
