"""The bus: who wants to know that something was written. Nothing that must not be lost travels only here.

Topics: ``log`` (after each commit: the sessions whose logs grew, with their last sequences), ``state`` (a session that was
changed), ``lines`` (a session and the number of its newest socket). Messages are JSON values; what was a tuple may arrive
as a list.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

QUEUE_LIMIT = 1_000


class Bus(Protocol):
    """Fan-out of small messages by topic, to this process and to others."""

    @property
    def available(self) -> bool:
        """Whether other processes can be reached now."""
        ...

    async def start(self) -> None:
        """Begin to reach other processes. Does not fail when the bus is away: it is found later."""
        ...

    def publish(self, topic: str, message: Any) -> None:
        """Tell everybody who listens; never waits."""
        ...

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """An async context manager giving an async iterator of messages.

        A message ``None`` means that some may have been missed, because another process could not be heard or this listener
        is slow: look for yourself.
        """
        ...

    async def close(self) -> None:
        """Reach nobody any more."""
        ...


class _Messages:
    """Unlike a generator it goes on after a wait for a message was given up."""

    def __init__(self, queue: asyncio.Queue[Any]) -> None:
        self._queue = queue

    def __aiter__(self) -> "_Messages":
        return self

    async def __anext__(self) -> Any:
        return await self._queue.get()


class LocalBus:
    """A bus inside this process. A listener that does not keep up loses what waits for it, and is told so."""

    @property
    def available(self) -> bool:
        return True

    def __init__(self) -> None:
        self._queues: defaultdict[str, set[asyncio.Queue[Any]]] = defaultdict(set)

    async def start(self) -> None:
        """Nothing to reach."""

    def publish(self, topic: str, message: Any) -> None:
        for queue in self._queues.get(topic, ()):
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            queue.put_nowait(message)

    # what a bus that reaches further does beside

    async def _listen(self, topic: str) -> None:
        """Somebody here listens to a topic now."""

    def _leave(self, topic: str) -> None:
        """Nobody here listens to a topic any more."""

    def _missed(self) -> None:
        for topic in list(self._queues):
            LocalBus.publish(self, topic, None)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[Any]]:
        queue: asyncio.Queue[Any] = asyncio.Queue(QUEUE_LIMIT)
        first = topic not in self._queues
        self._queues[topic].add(queue)

        try:
            if first:
                await self._listen(topic)
            yield _Messages(queue)
        finally:
            self._queues[topic].discard(queue)
            if not self._queues[topic]:
                del self._queues[topic]
                self._leave(topic)

    async def close(self) -> None:
        """Nothing was reached."""
