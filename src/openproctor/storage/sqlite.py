"""SQLite: WAL mode with ``synchronous=FULL``, so a commit that returned is on the disk.

The log's writer has one thread and one connection. Other writing transactions take the write lock when they begin, so
that they wait for each other instead of failing half-way.
"""

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from openproctor.storage.engine import DatabaseUnusable
from openproctor.storage.logstore import LogStore, LogTransaction, Patience, Row
from openproctor.storage.migrate import upgrade

T = TypeVar("T")

# a file of this size is read whole in about a second at every start; larger ones only after an unclean stop
FULL_CHECK_BYTES = 256 * 1024 * 1024

# how long a writing transaction waits until it may begin
TURN_SECONDS = 30.0
# rows of one INSERT
ROWS_AT_ONCE = 50

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


@lru_cache(maxsize=64)
def _insertion(table: str, columns: tuple[str, ...]) -> tuple[str, str]:
    """Statements that insert one row, and ``ROWS_AT_ONCE``."""
    marks = f"({','.join('?' * len(columns))})"
    begin = f"INSERT INTO {table} ({','.join(columns)}) VALUES "
    return begin + marks, begin + ",".join([marks] * ROWS_AT_ONCE)


class _Transaction:
    """Statements on the writer's connection. Nothing here waits, so :func:`_run` needs no event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def select(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    async def claim(self, table: str, columns: str, key: str, values: Sequence[Any]) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(values), 500):
            part = values[start : start + 500]
            marks = ",".join("?" * len(part))
            rows += self._connection.execute(f"SELECT {columns} FROM {table} WHERE {key} IN ({marks})", part).fetchall()
        return rows

    async def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        rows = rows if isinstance(rows, list) else list(rows)
        single, several = _insertion(table, tuple(columns))
        # each statement lets go of the interpreter and has to wait for it again: fewer of them, not one for each row
        whole = len(rows) // ROWS_AT_ONCE * ROWS_AT_ONCE
        for first in range(0, whole, ROWS_AT_ONCE):
            self._connection.execute(several, list(chain.from_iterable(rows[first : first + ROWS_AT_ONCE])))
        self._connection.executemany(single, rows[whole:])

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


def _is_away(error: BaseException) -> bool:
    """Locked for long, disk full, or a disk that fails: another try may do better."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    return primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class SqliteLogStore:
    """See :class:`openproctor.storage.logstore.LogStore`."""

    def __init__(self, path: Path, turn: asyncio.Lock) -> None:
        self._path = path
        self._turn = turn
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._connection: sqlite3.Connection | None = None
        self._patience = Patience("SQLite")

    @property
    def available(self) -> bool:
        return self._patience.available

    def stop_waiting(self) -> None:
        self._patience.stop()

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
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            try:
                async with self._turn:
                    result = await loop.run_in_executor(self._thread, self._commit, work)
            except sqlite3.Error as error:
                if not _is_away(error):
                    raise
                await self._patience.wait(began, error)
            else:
                self._patience.back()
                return result

    async def close(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        self._thread.shutdown()


class SqliteEngine:
    """See :class:`openproctor.storage.engine.Engine`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.reader = self._engine("BEGIN", 4)
        self.writer = self._engine("BEGIN IMMEDIATE", 1)
        # SQLite lets whoever wants to write look again and again, later each time: here they wait in a row
        self._turn = asyncio.Lock()
        # the log never waits for more than one of the others
        self._others = asyncio.Lock()
        self.log: LogStore = SqliteLogStore(path, self._turn)
        self._in_use: IO[str] | None = None

    def _engine(self, begin: str, connections: int) -> AsyncEngine:
        # every connection has a thread: opening more of them for a rush costs more than waiting for one
        engine = create_async_engine(f"sqlite+aiosqlite:///{self._path}", pool_size=connections, max_overflow=0)

        @event.listens_for(engine.sync_engine, "connect")
        def _on_connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves, below
            cursor = connection.cursor()
            for pragma in SQLITE_PRAGMAS:
                cursor.execute(pragma)
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def _on_begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(TURN_SECONDS):
                    await held.enter_async_context(self._others)
            except TimeoutError as error:
                raise PoolTimeout("others have been writing for too long") from error
            await held.enter_async_context(self._turn)
            yield

    async def be_alone(self, connection: AsyncConnection, name: str) -> None:
        """Every writing transaction is alone already."""

    def is_away(self, error: BaseException) -> bool:
        return isinstance(error, DBAPIError) and error.orig is not None and _is_away(error.orig)

    def prepare(self) -> None:
        """Refuses a file that is not a sound database, and never empties one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # server, worker and command line may all start at once on a new folder
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            alone = self._enter()
            try:
                if self._path.exists() and self._path.stat().st_size:
                    self._check(alone)
                upgrade(f"sqlite:///{self._path}")
                with closing(sqlite3.connect(self._path)) as connection:
                    # kept in the file; two connections that switch at once would refuse each other
                    connection.execute("PRAGMA journal_mode=WAL")
            except BaseException:
                self.close()
                raise

    def _enter(self) -> bool:
        """Note that this process uses the file; whether no other one does. The system forgets it when we die."""
        if self._in_use is None:
            self._in_use = self._path.with_suffix(".users").open("w")
        try:
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        fcntl.flock(self._in_use, fcntl.LOCK_SH)
        return alone

    def _check(self, alone: bool) -> None:
        """Look for damage: in the whole file while it is small or was not closed; else where it costs nothing."""
        wal = self._path.with_name(f"{self._path.name}-wal")
        unclean = alone and wal.exists() and wal.stat().st_size > 0
        try:
            with closing(sqlite3.connect(self._path)) as connection:
                if unclean or self._path.stat().st_size <= FULL_CHECK_BYTES:
                    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                else:
                    verdict = _glance(connection, self._path, closed=alone)
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            raise DatabaseUnusable(
                f"The database {self._path} is damaged ({verdict}). Nothing was changed. "
                "Restore it from a backup, or move it away to start with an empty one."
            )

    def close(self) -> None:
        if self._in_use is not None:
            self._in_use.close()
            self._in_use = None


def _glance(connection: sqlite3.Connection, path: Path, *, closed: bool) -> str:
    """``ok`` if the file has its full length and every table's first and last pages can be read."""
    size = connection.execute("PRAGMA page_size").fetchone()[0] * connection.execute("PRAGMA page_count").fetchone()[0]
    if closed and path.stat().st_size < size:
        return f"{path.stat().st_size} bytes are there of {size}"
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
        for order in ("ASC", "DESC"):
            connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid {order} LIMIT 1').fetchall()
    return "ok"
