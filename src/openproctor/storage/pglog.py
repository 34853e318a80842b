"""The log's writer on PostgreSQL: one connection, rows as arrays, and an answer to "was it committed?".

Several processes may write to one database. Each first claims the heads it moves on: rows that are there are locked,
for those that are not an advisory lock stands in, so that the first row of a session is made once.
"""

import asyncio
import contextlib
import hashlib
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import asyncpg
import structlog
from sqlalchemy import Boolean, MetaData, String
from sqlalchemy.dialects import postgresql

from openproctor.storage.logstore import LogTransaction, Patience, Row

logger = structlog.get_logger(__name__)

T = TypeVar("T")
Opener = Callable[[], Awaitable[Any]]

TRIES = 8
# how long a process may stand still in the middle of a COPY, as "idle in transaction" says it of the rest
SILENT_SECONDS = 6.0

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections, out of memory
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is to become the primary
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InternalClientError,  # the server said good-bye, and the end of the connection is not here yet
)
# another process was in between: the same again may do
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError)


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database is gone or takes nothing just now."""
    # asyncpg says "connection is closed" as a misuse of its interface
    closed = isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)
    return isinstance(error, _AWAY) or closed


def lock_number(name: str) -> int:
    """Number of the advisory lock with a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


class _Types:
    """Types of the columns; asked for by name, since tables are declared all over the house."""

    def __init__(self, metadata: MetaData) -> None:
        self._metadata = metadata
        self._found: dict[tuple[str, tuple[str, ...]], tuple[str, tuple[int, ...]]] = {}

    def of(self, table: str, columns: Sequence[str]) -> tuple[str, tuple[int, ...]]:
        """``unnest($1::bigint[], …)`` for columns, and which of them hold booleans."""
        key = (table, tuple(columns))
        if key not in self._found:
            kinds = [self._metadata.tables[table].c[column].type for column in columns]
            # without a length: one given in a cast would cut a longer text silently
            names = ["text" if isinstance(k, String) else k.compile(dialect=postgresql.dialect()) for k in kinds]  # type: ignore[no-untyped-call]
            arrays = ",".join(f"${number}::{name}[]" for number, name in enumerate(names, 1))
            booleans = tuple(n for n, kind in enumerate(kinds) if isinstance(kind, Boolean))
            self._found[key] = f"unnest({arrays})", booleans
        return self._found[key]

    def rows(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> Iterable[Row]:
        """Rows as PostgreSQL takes them: SQLite knows no booleans, so callers may give numbers."""
        booleans = self.of(table, columns)[1]
        if not booleans:
            return rows
        return [
            tuple(bool(value) if place in booleans and value is not None else value for place, value in enumerate(row))
            for row in rows
        ]


class _Transaction:
    """Statements of one transaction."""

    def __init__(self, connection: Any, types: _Types) -> None:
        self._connection = connection
        self._types = types
        self._number: str | None = None

    async def number(self) -> str:
        """The transaction's number, by which another connection can ask what became of it."""
        if self._number is None:
            self._number = str(await self._connection.fetchval("SELECT pg_current_xact_id()::text"))
        return self._number

    async def select(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        return await self._fetch(_numbered(sql), *parameters)

    async def _fetch(self, sql: str, *parameters: Any) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]

    async def claim(self, table: str, columns: str, key: str, values: Sequence[Any]) -> list[Row]:
        # in one order everywhere, so that two processes do not wait for each other
        wanted = sorted(set(values))
        # the transaction's number comes along, since a question of its own would be one more way there and back
        sql = (
            f"SELECT {columns},pg_current_xact_id()::text,{key} FROM {table}"
            f" WHERE {key}=ANY($1) ORDER BY {key} FOR UPDATE"
        )
        rows = await self._fetch(sql, wanted)
        if rows:
            self._number = rows[0][-2]
        missing = sorted(set(wanted) - {row[-1] for row in rows})
        if missing:
            numbers = [lock_number(f"{table}/{value}") for value in missing]
            await self._connection.execute(
                "SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) WITH ORDINALITY AS n(number, place)"
                " ORDER BY place",
                sorted(numbers),
            )
            # whoever held the lock before us has made the row by now
            rows += await self._fetch(sql, missing)
        return [row[:-2] for row in rows]

    async def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        # COPY: half the time of an INSERT from arrays, whatever the number of rows
        await self._connection.copy_records_to_table(
            table, records=self._types.rows(table, columns, rows), columns=columns
        )

    async def upsert(self, table: str, key: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        arrays = [list(column) for column in zip(*self._types.rows(table, columns, rows), strict=True)]
        if not arrays:
            return
        sets = ",".join(f"{c}=excluded.{c}" for c in columns if c != key)
        await self._connection.execute(
            f"INSERT INTO {table} ({','.join(columns)}) SELECT * FROM {self._types.of(table, columns)[0]}"
            f" ON CONFLICT({key}) DO UPDATE SET {sets}",
            *arrays,
        )

    async def update(self, table: str, values: dict[str, Any], where: dict[str, Any]) -> int:
        parameters = list(values.values())
        sets = ",".join(f"{column}=${number}" for number, column in enumerate(values, 1))
        conditions = []
        for column, value in where.items():
            if value is None:
                conditions.append(f"{column} IS NULL")
                continue
            parameters.append(value)
            mark = f"${len(parameters)}"
            conditions.append(f"{column}=ANY({mark})" if isinstance(value, list) else f"{column}={mark}")
        done = await self._connection.execute(
            f"UPDATE {table} SET {sets} WHERE {' AND '.join(conditions)}", *parameters
        )
        return int(done.rsplit(" ", 1)[1])


def _numbered(sql: str) -> str:
    """``?`` placeholders as ``$1, $2 …``."""
    first, *rest = sql.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


class _Uncertain(Exception):
    """The connection broke while a commit was under way: only the database knows what became of it."""


class PostgresLogStore:
    """See :class:`openproctor.storage.logstore.LogStore`."""

    def __init__(self, opener: Opener, metadata: MetaData) -> None:
        self._open = opener
        self._types = _Types(metadata)
        self._connection: Any = None
        self._patience = Patience("PostgreSQL")

    @property
    def available(self) -> bool:
        return self._patience.available

    def stop_waiting(self) -> None:
        self._patience.stop()

    async def commit(self, work: Callable[[LogTransaction], Awaitable[T]]) -> T:
        began = asyncio.get_running_loop().time()
        tries = 0
        while True:
            try:
                result = await self._attempt(work, began)
            except _AGAIN as error:
                tries += 1
                if tries == TRIES:
                    raise
                logger.info("a commit met another one and is tried again", error=repr(error))
                await asyncio.sleep(random.uniform(0, 0.02) * tries)  # noqa: S311 -- no secret
            except Exception as error:
                if not is_away(error):
                    raise
                if isinstance(error, asyncpg.LockNotAvailableError):
                    await self._end_silent()
                await self._patience.wait(began, error)
            else:
                self._patience.back()
                return result

    async def _end_silent(self) -> None:
        """End the transactions of processes that stand still while the database waits for the rest of their COPY: its own
        limits do not know of that."""
        with contextlib.suppress(Exception):
            ended = await (await self._connected()).fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = current_user"
                " AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
                " AND state = 'active' AND wait_event = 'ClientRead' AND query_start < now() - $1 * interval '1 second'",
                SILENT_SECONDS,
            )
            if ended:
                logger.warning("transactions of processes that stand still were ended", count=len(ended))

    async def _attempt(self, work: Callable[[LogTransaction], Awaitable[T]], began: float) -> T:
        connection = await self._connected()
        transaction = _Transaction(connection, self._types)
        number, result = "", None
        try:
            await connection.execute("BEGIN")
            result = await work(transaction)
            number = await transaction.number()
            try:
                done = await connection.execute("COMMIT")
            except Exception as error:
                if is_away(error) or connection.is_closed():
                    raise _Uncertain from error
                raise
            if done != "COMMIT":
                raise RuntimeError(f"expected a commit, the database did a {done}")
        except _Uncertain as uncertain:
            self._forget()
            if await self._was_committed(number, began):
                return result  # type: ignore[return-value]
            raise ConnectionError("the database went away before the commit") from uncertain
        except BaseException:
            await self._roll_back(connection)
            raise
        return result

    async def _roll_back(self, connection: Any) -> None:
        try:
            async with asyncio.timeout(5):
                await connection.execute("ROLLBACK")
        except BaseException as error:
            # gone, or in the middle of something: a new connection knows nothing of it
            self._forget()
            if not isinstance(error, Exception):
                raise

    async def _was_committed(self, number: str, began: float) -> bool:
        """Ask a new connection what became of a transaction; waits until that is known."""
        while True:
            try:
                connection = await self._connected()
                status = await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", number)
                if status != "in progress":
                    logger.warning("a commit was interrupted", transaction=number, status=status)
                    return bool(status == "committed")
                # its process has not noticed yet that we are gone
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid=($1::text::xid8)::xid",
                    number,
                )
                await asyncio.sleep(0.05)
            except asyncpg.InvalidParameterValueError:
                return False  # a number of the future: this database never heard of it
            except Exception as error:
                if not is_away(error):
                    raise
                self._forget()
                await self._patience.wait(began, error)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._open()
            except asyncpg.PostgresError as error:
                # also a database that is being set up again: it may know us in a moment
                raise ConnectionError(str(error)) from error
        return self._connection

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close(timeout=5)
