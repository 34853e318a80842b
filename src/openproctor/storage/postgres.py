"""PostgreSQL 13 or newer, through asyncpg: pools for reading and writing, and migrations.

The log's writer is in ``pglog.py``.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import structlog
from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from openproctor.storage.engine import DatabaseUnusable
from openproctor.storage.logstore import LogStore
from openproctor.storage.migrate import upgrade_connection
from openproctor.storage.pglog import PostgresLogStore, is_away, lock_number

logger = structlog.get_logger(__name__)

START_SECONDS = 30.0
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 30.0
POOL_SECONDS = 5.0
MIGRATIONS_LOCK = "openproctor/migrations"

_SETTINGS = {
    "application_name": "openproctor",
    # a commit that returned is on the disk, whatever the database's own default is
    "synchronous_commit": "on",
    # statements are short: compiling them takes longer than running them
    "jit": "off",
    # a process that froze in the middle of a transaction must not keep its rows from the others
    "idle_in_transaction_session_timeout": "6s",
    "lock_timeout": "10s",
}


def is_postgres(url: str) -> bool:
    """Whether a URL names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def shown(url: str) -> str:
    """A URL as it may be shown and logged: without a password."""
    parts = urlsplit(url)
    who, at, where = parts.netloc.rpartition("@")
    netloc = who.split(":")[0] + at + where
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if "password" not in name])
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


async def connect(url: str, *_arguments: Any, **_options: Any) -> Any:
    """A connection with our settings; SQLAlchemy's own arguments are not needed."""
    return await asyncpg.connect(
        url, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=_SETTINGS
    )


class PostgresEngine:
    """See :class:`openproctor.storage.engine.Engine`."""

    def __init__(self, url: str, metadata: MetaData) -> None:
        self._url = url
        # a read sees one state however many queries it makes; a write sees what others committed while it waited
        self.reader = self._engine(pool_size=5, max_overflow=10, isolation_level="REPEATABLE READ")
        self.writer = self._engine(pool_size=2, max_overflow=8)
        self.log: LogStore = PostgresLogStore(lambda: connect(url), metadata)

    def _engine(self, **options: Any) -> AsyncEngine:
        async def open_connection(*arguments: Any, **more: Any) -> Any:
            return await connect(self._url, *arguments, **more)

        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=open_connection,
            pool_pre_ping=True,
            pool_timeout=POOL_SECONDS,
            **options,
        )

    def turn(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    async def be_alone(self, connection: AsyncConnection, name: str) -> None:
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(:number)"), {"number": lock_number(f"openproctor/write/{name}")}
        )

    def is_away(self, error: BaseException) -> bool:
        if isinstance(error, DBAPIError):
            original = error.orig
            # SQLAlchemy puts an error of its own between
            cause = getattr(original, "__cause__", None) or original
            return error.connection_invalidated or (cause is not None and is_away(cause))
        return is_away(error)

    def prepare(self) -> None:
        """Waits for a database that is about to start."""
        asyncio.run(self._prepare())

    async def _prepare(self) -> None:
        await self._reach()
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda *_a, **_o: connect(self._url), poolclass=NullPool
        )
        number = {"number": lock_number(MIGRATIONS_LOCK)}
        async with engine.connect() as holder, engine.connect() as connection:
            # held by a connection of its own: migrations commit on theirs
            await holder.execute(text("SET lock_timeout = '10min'"))
            await holder.execute(text("SET idle_in_transaction_session_timeout = 0"))
            await holder.execute(text("SELECT pg_advisory_lock(:number)"), number)
            await connection.run_sync(upgrade_connection)
            await holder.execute(text("SELECT pg_advisory_unlock(:number)"), number)
        await engine.dispose()

    async def _reach(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = await connect(self._url)
            except Exception as error:
                if not is_away(error) or time.monotonic() > deadline:
                    raise DatabaseUnusable(
                        f"The database {shown(self._url)} cannot be used: {str(error) or repr(error)}. "
                        "Start it, or correct OPENPROCTOR_DATABASE_URL."
                    ) from error
                logger.warning("waiting for the database", database=shown(self._url), error=repr(error))
                await asyncio.sleep(1)
                continue
            try:
                await self._check(connection)
            finally:
                await connection.close()
            return

    async def _check(self, connection: Any) -> None:
        version = connection.get_server_version()
        if version.major < 13:
            raise DatabaseUnusable(f"PostgreSQL {version.major} is too old: 13 or newer is needed.")
        encoding = await connection.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            raise DatabaseUnusable(
                f"The database {shown(self._url)} has the encoding {encoding}: create one with UTF8."
            )
        for setting in ("fsync", "full_page_writes"):
            if await connection.fetchval(f"SHOW {setting}") != "on":
                logger.warning("a power cut can lose what was acknowledged: the database runs without", setting=setting)

    def close(self) -> None:
        """Nothing was taken."""
