"""The bus: who wants to know that something was written. Nothing that must not be lost travels only here."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

QUEUE_LIMIT = 1_000


class Bus(Protocol):
    """Fan-out of small messages by topic."""

    def publish(self, topic: str, message: Any) -> None:
        """Tell everybody who listens; never waits."""
        ...

    def subscribe(self, topic: str) -> Any:
        """An async context manager giving an async iterator of messages."""
        ...


class LocalBus:
    """A bus inside this process. A listener that does not keep up misses the oldest messages."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, set[asyncio.Queue[Any]]] = defaultdict(set)

    def publish(self, topic: str, message: Any) -> None:
        for queue in self._queues.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(message)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[Any]]:
        queue: asyncio.Queue[Any] = asyncio.Queue(QUEUE_LIMIT)
        self._queues[topic].add(queue)

        async def messages() -> AsyncIterator[Any]:
            while True:
                yield await queue.get()

        try:
            yield messages()
        finally:
            self._queues[topic].discard(queue)
            if not self._queues[topic]:
                del self._queues[topic]
