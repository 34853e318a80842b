"""What the event log needs from an engine: one durable transaction at a time, over plain rows.

The caller gives a coroutine function; the engine runs it inside a transaction and returns once it is committed
and on the disk. The same function runs on every engine.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import structlog

logger = structlog.get_logger(__name__)

T = TypeVar("T")
Row = tuple[Any, ...]

# how long a commit waits for an engine that is away before it gives up
PATIENCE_SECONDS = 60.0


class LogAway(Exception):
    """The engine takes nothing now: it is gone, full or locked. Nothing of the work is known to be stored."""


class LogTransaction(Protocol):
    """Inside one transaction that holds the right to write."""

    async def select(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """Rows of a query with ``?`` placeholders."""
        ...

    async def claim(self, table: str, columns: str, key: str, values: Sequence[Any]) -> list[Row]:
        """Rows whose ``key`` is one of the values.

        Until the transaction ends no other process may claim the same values, also those that have no row yet.
        """
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

    @property
    def available(self) -> bool:
        """False while a commit waits for an engine that is away: better not to take more then."""
        ...

    async def commit(self, work: Callable[[LogTransaction], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction; returns after a durable commit, rolls back on any error.

        While the engine is away it waits and tries again, so ``work`` may run more than once; :class:`LogAway` when
        that takes too long.
        """
        ...

    def stop_waiting(self) -> None:
        """From now on a commit that cannot be made at once fails: the process wants to end."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the connection."""
        ...


class Patience:
    """Waiting for an engine that is away, for every kind of engine the same."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._stopped = asyncio.Event()
        self.available = True

    def stop(self) -> None:
        """Wait no more."""
        self._stopped.set()

    def back(self) -> None:
        """The engine took something."""
        if not self.available:
            logger.info("the database is back", engine=self._engine)
        self.available = True

    async def wait(self, since: float, error: BaseException) -> None:
        """Wait a moment after a failure; ``since`` is the loop's time of the first try. Raises :class:`LogAway`."""
        if self.available:
            logger.warning("the database is away; what waits is kept", engine=self._engine, error=repr(error))
        gone = asyncio.get_running_loop().time() - since
        # once nothing waits any more, only the next commit can find out whether the engine is back
        self.available = self._stopped.is_set() or gone > PATIENCE_SECONDS
        if self.available:
            raise LogAway(f"the database takes nothing: {error!r}") from error
        try:
            async with asyncio.timeout(min(1.0, 0.05 + gone / 4)):
                await self._stopped.wait()
        except TimeoutError:
            pass
