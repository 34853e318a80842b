"""What :class:`openproctor.storage.database.Database` asks of a relational engine."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from openproctor.storage.logstore import LogStore


class DatabaseUnusable(Exception):
    """The database cannot be used as it is; the message says what to do."""


class Engine(Protocol):
    """SQLite or PostgreSQL."""

    log: LogStore
    reader: AsyncEngine
    writer: AsyncEngine

    def prepare(self) -> None:
        """Create or upgrade the schema; blocks. :class:`DatabaseUnusable` for one that cannot be used."""
        ...

    def turn(self) -> AbstractAsyncContextManager[Any]:
        """Entered before a writing transaction begins, where those of a process had better wait here than in the engine."""
        ...

    async def be_alone(self, connection: AsyncConnection, name: str) -> None:
        """Wait until no other writing transaction has taken the same name; held until the transaction ends."""
        ...

    def is_away(self, error: BaseException) -> bool:
        """Whether an error means that the database takes nothing just now, and may again in a moment."""
        ...

    def close(self) -> None:
        """Let go of what ``prepare`` took, after the pools are closed."""
        ...
