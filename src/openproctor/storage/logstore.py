"""What the event log needs from an engine: one durable transaction at a time, over plain rows.

The caller gives a coroutine function; the engine runs it inside a transaction and returns once it is committed
and on the disk. The same function runs on every engine.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]


class LogTransaction(Protocol):
    """Inside one transaction that holds the right to write."""

    async def select(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """Rows of a query with ``?`` placeholders."""
        ...

    async def select_in(self, table: str, columns: str, key: str, values: Sequence[Any]) -> list[Row]:
        """Rows whose ``key`` is one of the values."""
        ...

    async def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert rows."""
        ...

    async def upsert(self, table: str, key: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert rows, or replace the columns where the key is there already."""
        ...

    async def update(self, table: str, values: dict[str, Any], where: dict[str, Any]) -> int:
        """Change rows; a list in ``where`` means one of. The number of rows changed."""
        ...


class LogStore(Protocol):
    """One writer of the log."""

    async def commit(self, work: Callable[[LogTransaction], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction; returns after a durable commit, rolls back on any error."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the connection."""
        ...
