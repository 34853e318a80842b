"""A bus over NATS: to every process that is connected to the same servers, on any machine.

``nats://HOST:PORT[,nats://HOST:PORT…][/NAME]``: ``NAME`` keeps several installations on one NATS apart.
"""

import asyncio
import contextlib
import re
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from openproctor.storage.bus import LocalBus

logger = structlog.get_logger(__name__)

START_SECONDS = 5.0
# messages that may wait for a server that is away
OUTBOX_LIMIT = 10_000

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_encode = msgspec.json.Encoder().encode


class NatsLink:
    """One connection to NATS, opened again by itself as often as it breaks."""

    def __init__(self, url: str) -> None:
        servers = [server if "://" in server else f"nats://{server}" for server in url.split(",")]
        self.prefix = urlsplit(servers[-1]).path.strip("/") or "openproctor"
        if not _TOKEN.fullmatch(self.prefix):
            raise ValueError(f"BUS_URL: {self.prefix!r} cannot be a name; expected letters, digits, - and _.")
        self._servers = [urlsplit(server)._replace(path="").geturl() for server in servers]
        self.client = Client()
        self.connected = asyncio.Event()
        self.on_back: list[Any] = []
        self._task: asyncio.Task[None] | None = None
        self._said = ""

    async def start(self) -> None:
        """Connect; goes on in the background when that takes long."""
        self._task = asyncio.create_task(self._connect(), name="nats")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await self.connected.wait()

    async def _connect(self) -> None:
        await self.client.connect(
            self._servers,
            name="openproctor",
            no_echo=True,  # who listens in this process was told already
            connect_timeout=3,
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            ping_interval=5,
            max_outstanding_pings=2,
            error_cb=self._on_error,
            disconnected_cb=self._on_gone,
            reconnected_cb=self._on_back,
        )
        self.connected.set()

    async def _on_error(self, error: Exception) -> None:
        words = str(error) or repr(error)
        if not self.connected.is_set() and words != self._said:
            self._said = words  # once a second would drown everything else
            logger.warning("the bus is away and is looked for", error=words)

    async def _on_gone(self) -> None:
        if self.connected.is_set():
            self.connected.clear()
            logger.warning("the bus is away and is looked for")

    async def _on_back(self) -> None:
        self.connected.set()
        logger.info("the bus is back")
        for told in self.on_back:
            told()

    async def close(self) -> None:
        """Send what waits, if there is a connection, and end it."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self.connected.is_set():
            with contextlib.suppress(Exception):
                await self.client.flush(2)
        self.connected.clear()
        with contextlib.suppress(Exception):
            await self.client.close()


class NatsBus(LocalBus):
    """See :class:`openproctor.storage.bus.Bus`."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.link = NatsLink(url)
        self.link.on_back.append(self._came_back)
        self._was_away = self._closing = False
        self._outbox: deque[tuple[str, bytes]] = deque(maxlen=OUTBOX_LIMIT)
        self._wake = asyncio.Event()
        self._heard: dict[str, Subscription] = {}
        self._changed: dict[str, list[asyncio.Future[None]]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        return self.link.connected.is_set()

    async def start(self) -> None:
        await self.link.start()
        self._task = asyncio.create_task(self._send(), name="bus")

    def _came_back(self) -> None:
        self._was_away = True
        self._wake.set()

    def _subject(self, topic: str) -> str:
        tokens = topic.split("/")
        if not all(_TOKEN.fullmatch(token) for token in tokens):
            raise ValueError(f"not a topic: {topic!r}")
        return ".".join((self.link.prefix, "bus", *tokens))

    def publish(self, topic: str, message: Any) -> None:
        super().publish(topic, message)
        self._outbox.append((self._subject(topic), _encode(message)))
        self._wake.set()

    async def _listen(self, topic: str) -> None:
        self._subject(topic)
        heard = asyncio.get_running_loop().create_future()
        self._changed.setdefault(topic, []).append(heard)
        self._wake.set()
        if self.link.connected.is_set():
            # whoever listens and then looks must not miss what happens in between
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await heard

    def _leave(self, topic: str) -> None:
        self._changed.setdefault(topic, [])
        self._wake.set()

    async def _send(self) -> None:
        """Everything that goes to the server, in order, by one task."""
        while not self._closing or self._outbox:
            await self._wake.wait()
            await self.link.connected.wait()
            self._wake.clear()
            try:
                await self._subscribe_anew()
                while self._outbox:
                    await self.link.client.publish(*self._outbox.popleft())
            except Exception as error:
                logger.info("the bus did not take a message", error=repr(error))
                await asyncio.sleep(0.2)
                self._wake.set()

    async def _subscribe_anew(self) -> None:
        for topic in list(self._changed):
            if topic in self._queues and topic not in self._heard:
                self._heard[topic] = await self.link.client.subscribe(self._subject(topic), cb=self._hear(topic))
            elif topic not in self._queues and topic in self._heard:
                await self._heard.pop(topic).unsubscribe()
        changed, self._changed = self._changed, {}
        waiting = [future for futures in changed.values() for future in futures if not future.done()]
        if waiting or self._was_away:
            await self.link.client.flush(2)
            if self._was_away:
                # only now that the server knows us again: who looks now and listens on misses nothing
                self._was_away = False
                self._missed()
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    def _hear(self, topic: str) -> Any:
        async def take(message: Msg) -> None:
            LocalBus.publish(self, topic, msgspec.json.decode(message.data))

        return take

    async def close(self) -> None:
        if self._task:
            self._closing = True
            self._wake.set()
            # what was published is sent first, unless the bus is away
            await asyncio.wait([self._task], timeout=2 if self.link.connected.is_set() else 0)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.link.close()
