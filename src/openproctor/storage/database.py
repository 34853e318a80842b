"""The relational engine behind one face: a reading and a writing pool, the log's writer, and migrations.

The URL decides which engine it is: ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from openproctor.errors import Problem
from openproctor.storage.engine import DatabaseUnusable, Engine
from openproctor.storage.logstore import LogStore
from openproctor.storage.postgres import PostgresEngine, is_postgres
from openproctor.storage.sqlite import SqliteEngine

__all__ = ["Database", "DatabaseUnusable", "database_away", "metadata"]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def database_away() -> Problem:
    """The answer while the database gives or takes nothing."""
    return Problem(
        503,
        "database-away",
        "The database does not answer",
        "It takes nothing just now.",
        what_to_do="Try again in a moment; nothing that was stored is lost.",
        retry_after=3,
    )


def _open_engine(url: str) -> Engine:
    if is_postgres(url):
        return PostgresEngine(url, metadata)
    if url.startswith("sqlite:///"):
        return SqliteEngine(Path(url.removeprefix("sqlite:///")))
    raise DatabaseUnusable(
        f"DATABASE_URL {url.split(':', 1)[0]}:… is not supported; expected sqlite:///FILE or postgresql://USER@HOST/NAME."
    )


class Database:
    """Connections to the database named by a URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _open_engine(url)
        self.log: LogStore = self._engine.log

    def prepare(self) -> None:
        """Create or upgrade the schema; blocks. :class:`DatabaseUnusable` when that cannot be, and nothing is changed."""
        self._engine.prepare()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state. :class:`Problem` 503 while the database is away."""
        with self._one_kind_of_error():
            async with self._engine.reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, alone: str = "") -> AsyncIterator[AsyncConnection]:
        """A transaction, committed durably at the end. :class:`Problem` 503 while the database is away.

        Only one such transaction runs at a time for each ``alone``, in all processes: what was read in it still holds
        when it writes. Name what is written where everybody's waiting for everybody would be too slow.
        """
        with self._one_kind_of_error():
            async with self._engine.turn(), self._engine.writer.begin() as connection:
                await self._engine.be_alone(connection, alone)
                yield connection

    @contextmanager
    def _one_kind_of_error(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if isinstance(error, PoolTimeout) or self._engine.is_away(error):
                raise database_away() from error
            raise

    async def close(self) -> None:
        """Close every connection."""
        await self.log.close()
        await self._engine.reader.dispose()
        await self._engine.writer.dispose()
        self._engine.close()
