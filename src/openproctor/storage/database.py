"""The relational engine: one reading and one writing pool, and migrations.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit that returned is on the disk. Writing transactions
take the write lock when they begin, so that they wait for each other instead of failing half-way.
"""

import fcntl
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from openproctor.storage.logstore import LogStore
from openproctor.storage.migrate import upgrade
from openproctor.storage.sqlite import SQLITE_PRAGMAS, SqliteLogStore

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


class DatabaseUnusable(Exception):
    """The database cannot be used as it is; the message says what to do."""


class Database:
    """Connections to the database named by a URL (``sqlite:///…``)."""

    def __init__(self, url: str) -> None:
        if not url.startswith("sqlite:///"):
            raise DatabaseUnusable(f"DATABASE_URL {url.split(':', 1)[0]}:… is not supported; expected sqlite:///FILE.")
        self.url = url
        self.path = Path(url.removeprefix("sqlite:///"))
        self._reader = self._engine("BEGIN")
        self._writer = self._engine("BEGIN IMMEDIATE")
        self.log: LogStore = SqliteLogStore(self.path)

    def _engine(self, begin: str) -> AsyncEngine:
        engine = create_async_engine(f"sqlite+aiosqlite:///{self.path}", pool_size=4, max_overflow=8)

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

    def prepare(self) -> None:
        """Create or upgrade the schema. Refuses a file that is not a sound database, and never empties one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # server, worker and command line may all start at once on a new folder
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.path.exists() and self.path.stat().st_size:
                self._check()
            upgrade(f"sqlite:///{self.path}")
            with closing(sqlite3.connect(self.path)) as connection:
                # kept in the file; two connections that switch at once would refuse each other
                connection.execute("PRAGMA journal_mode=WAL")

    def _check(self) -> None:
        try:
            with closing(sqlite3.connect(self.path)) as connection:
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            raise DatabaseUnusable(
                f"The database {self.path} is damaged ({verdict}). Nothing was changed. "
                "Restore it from a backup, or move it away to start with an empty one."
            )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed durably at the end."""
        async with self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self.log.close()
        await self._reader.dispose()
        await self._writer.dispose()
