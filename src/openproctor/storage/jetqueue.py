"""The work queue over NATS JetStream.

A stream of the work-queue kind holds the items, one subject an item, so that the same item is held once. Each session has
a consumer of its own that hands out one item at a time: that is what keeps the order, however many workers pull. A
consumer that is not asked for a while is removed by the server; the items stay. What is parked moves to a second stream.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from openproctor.clock import now_ms
from openproctor.errors import Problem
from openproctor.storage.natsbus import NatsBus
from openproctor.storage.queue import (
    DELIVERIES,
    LEASE_SECONDS,
    POLL_SECONDS,
    SILENT,
    Delivery,
    Item,
    Parked,
    check_names,
)

logger = structlog.get_logger(__name__)

ANSWER_SECONDS = 5.0
# a consumer that nobody asks for so long is removed; its count of deliveries with it
FORGET_SECONDS = 3_600.0
HELD_ALREADY = 10077  # "maximum messages per subject exceeded"
# a session that another worker has at work is only said so when the request ends: 50 ms, in nanoseconds
_PULL = b'{"batch":1,"no_wait":true,"expires":50000000}'


class _Message:
    """See :class:`openproctor.storage.queue.Delivery`."""

    def __init__(self, queue: "JetQueue", message: Msg, item: Item) -> None:
        self._queue = queue
        self._message = message
        self.item = item
        self.number = message.metadata.num_delivered

    async def done(self) -> bool:
        async with self._queue.problems():
            await self._message.ack_sync(ANSWER_SECONDS)
        self._queue.let_go(self.item.session_id)
        return True

    async def later(self, seconds: float, error: str) -> None:
        async with self._queue.problems():
            if self.number >= self._queue.deliveries:
                await self._queue.park(self._message, self.item, self.number, error)
            else:
                # less than a nanosecond would mean "at once" to the library, which is what is wanted then
                await self._message.nak(seconds)
                self._queue.let_go(self.item.session_id)

    async def hold(self) -> None:
        async with self._queue.problems():
            await self._message.in_progress()
        self._queue.keep(self.item.session_id)


class JetQueue:
    """See :class:`openproctor.storage.queue.WorkQueue`."""

    def __init__(
        self, name: str, bus: NatsBus, *, lease: float = LEASE_SECONDS, deliveries: int = DELIVERIES, replicas: int = 1
    ) -> None:
        check_names(name)
        self._name = name
        self._bus = bus
        self._lease = lease
        self._replicas = replicas
        self.deliveries = deliveries
        prefix = bus.link.prefix
        self._stream, self._parking = f"{prefix}_work_{name}", f"{prefix}_parked_{name}"
        self._subject, self._parked_subject = f"{prefix}.work.{name}", f"{prefix}.parked.{name}"
        self._ready = False
        self._opening = asyncio.Lock()
        self._sessions: list[str] = []
        self._mine: dict[str, float] = {}  # sessions at work here, and when that lease ends

    @property
    def _client(self) -> Any:
        return self._bus.link.client

    async def _stream_ready(self) -> JetStreamContext:
        if not self._bus.link.connected.is_set():
            raise nats.errors.ConnectionClosedError
        context: JetStreamContext = self._client.jetstream(timeout=ANSWER_SECONDS)
        async with self._opening:
            if not self._ready:
                kept: dict[str, Any] = {
                    "storage": StorageType.FILE,
                    "num_replicas": self._replicas,
                    "max_msgs_per_subject": 1,
                }
                await self._make(
                    context,
                    StreamConfig(
                        name=self._stream,
                        subjects=[f"{self._subject}.>"],
                        retention=RetentionPolicy.WORK_QUEUE,
                        discard=DiscardPolicy.NEW,
                        discard_new_per_subject=True,
                        **kept,
                    ),
                )
                await self._make(
                    context, StreamConfig(name=self._parking, subjects=[f"{self._parked_subject}.>"], **kept)
                )
                self._ready = True
        return context

    async def _make(self, context: JetStreamContext, config: StreamConfig) -> None:
        try:
            await context.stream_info(config.name or "")
        except nats.js.errors.NotFoundError:
            await context.add_stream(config)

    @asynccontextmanager
    async def problems(self) -> AsyncIterator[None]:
        """NATS that is away, as everybody else is told of an engine that is away."""
        try:
            yield
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
            logger.warning("the work queue is away", queue=self._name, error=repr(error))
            raise Problem(
                503,
                "queue-away",
                "The work queue does not answer",
                "It takes nothing just now.",
                what_to_do="Try again in a moment; nothing that was stored is lost.",
                retry_after=3,
            ) from error

    def keep(self, session_id: str) -> None:
        """A session is at work here: there is no use in asking for more of it."""
        self._mine[session_id] = asyncio.get_running_loop().time() + self._lease

    def let_go(self, session_id: str) -> None:
        """A session's next item may be taken."""
        self._mine.pop(session_id, None)
        self._tell(session_id)

    def _tell(self, session_id: str) -> None:
        self._bus.publish(f"work/{self._name}", session_id)

    # -- adding ----------------------------------------------------------------------------------------------------

    async def publish(self, item: Item) -> bool:
        check_names(item.session_id, item.key)
        async with self.problems():
            context = await self._stream_ready()
            added = await self._put(context, item)
        if added:
            self._tell(item.session_id)
        return added

    async def _put(self, context: JetStreamContext, item: Item) -> bool:
        subject = f"{self._subject}.{item.session_id}.{item.key}"
        try:
            await context.publish(subject, msgspec.json.encode(item.data))
        except nats.js.errors.APIError as error:
            if error.err_code == HELD_ALREADY:
                return False
            raise
        return True

    # -- taking ----------------------------------------------------------------------------------------------------

    async def take(self, seconds: float) -> Delivery | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with self._bus.subscribe(f"work/{self._name}") as news:
            while True:
                async with self.problems():
                    found = await self._look()
                if found is not None:
                    return found
                left = until - loop.time()
                if left <= 0:
                    return None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left, POLL_SECONDS)):
                        await anext(news)

    async def _look(self) -> _Message | None:
        """Ask the consumers of the sessions that have items, those first that were not asked last time."""
        context = await self._stream_ready()
        fresh = False
        while True:
            if not self._sessions:
                if fresh:
                    return None
                fresh = True
                found = await self._subjects(context, self._stream, self._subject)
                now = asyncio.get_running_loop().time()
                self._mine = {session: until for session, until in self._mine.items() if until > now}
                self._sessions = [
                    session for session in dict.fromkeys(s for s, _ in found) if session not in self._mine
                ]
                # workers that ask in the same order would all find the same sessions taken
                random.shuffle(self._sessions)
                if not self._sessions:
                    return None
            session_id = self._sessions.pop()
            delivery = None if session_id in self._mine else await self._pull(context, session_id)
            if delivery:
                return delivery

    async def _subjects(self, context: JetStreamContext, stream: str, subject: str) -> list[tuple[str, str]]:
        """Session and key of everything in a stream."""
        info = await context.stream_info(stream, subjects_filter=f"{subject}.>")
        skip = len(subject) + 1
        parts = [name[skip:].split(".") for name in (info.state.subjects or {})]
        return [(session, key) for session, key in parts]

    async def _pull(self, context: JetStreamContext, session_id: str) -> _Message | None:
        while True:
            message = await self._ask(session_id)
            status = (message.headers or {}).get("Status")
            if status == "503":
                await self._consumer(context, session_id)
                continue
            if status is not None:  # nothing there, or another worker has it
                return None
            item = Item(session_id, message.subject.rsplit(".", 1)[1], msgspec.json.decode(message.data))
            number = message.metadata.num_delivered
            if number > self.deliveries:
                await self.park(message, item, number - 1, SILENT)
                continue
            self.keep(session_id)
            return _Message(self, message, item)

    async def _ask(self, session_id: str) -> Msg:
        inbox = self._client.new_inbox()
        answers = await self._client.subscribe(inbox, max_msgs=1)
        try:
            await self._client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{session_id}", _PULL, reply=inbox)
            message: Msg = await answers.next_msg(ANSWER_SECONDS)
        except BaseException:
            with contextlib.suppress(Exception):
                await answers.unsubscribe()
            raise
        return message

    async def _consumer(self, context: JetStreamContext, session_id: str) -> None:
        await context.add_consumer(
            self._stream,
            ConsumerConfig(
                durable_name=session_id,
                filter_subject=f"{self._subject}.{session_id}.>",
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self._lease,
                max_ack_pending=1,
                max_deliver=-1,
                inactive_threshold=max(FORGET_SECONDS, 10 * self._lease),
            ),
        )

    async def park(self, message: Msg, item: Item, deliveries: int, error: str) -> None:
        """Move an item aside: first it is there, then it is gone from here."""
        context = await self._stream_ready()
        parked = {"data": item.data, "deliveries": deliveries, "error": error[:2000], "at": now_ms()}
        await context.publish(f"{self._parked_subject}.{item.session_id}.{item.key}", msgspec.json.encode(parked))
        await message.ack_sync(ANSWER_SECONDS)
        logger.error("work was parked", queue=self._name, session_id=item.session_id, key=item.key, error=error)
        self.let_go(item.session_id)

    # -- for people --------------------------------------------------------------------------------------------------

    async def waiting(self) -> int:
        async with self.problems():
            context = await self._stream_ready()
            return (await context.stream_info(self._stream)).state.messages

    async def parked(self) -> list[Parked]:
        found = []
        async with self.problems():
            context = await self._stream_ready()
            for session_id, key in await self._subjects(context, self._parking, self._parked_subject):
                with contextlib.suppress(nats.js.errors.NotFoundError):
                    found.append((await self._parked(context, session_id, key))[0])
        return sorted(found, key=lambda parked: parked.parked_at)

    async def _parked(self, context: JetStreamContext, session_id: str, key: str) -> tuple[Parked, int]:
        stored = await context.get_last_msg(self._parking, f"{self._parked_subject}.{session_id}.{key}")
        told = msgspec.json.decode(stored.data or b"{}")
        item = Item(session_id, key, told["data"])
        return Parked(item, told["deliveries"], told["error"], told["at"]), int(stored.seq or 0)

    async def put_back(self, session_id: str, key: str) -> bool:
        return await self._settle(session_id, key, again=True)

    async def discard(self, session_id: str, key: str) -> bool:
        return await self._settle(session_id, key, again=False)

    async def _settle(self, session_id: str, key: str, *, again: bool) -> bool:
        check_names(session_id, key)
        async with self.problems():
            context = await self._stream_ready()
            try:
                parked, number = await self._parked(context, session_id, key)
            except nats.js.errors.NotFoundError:
                return False
            if again:
                await self._put(context, parked.item)
            await context.delete_msg(self._parking, number)
        self._tell(session_id)
        return True
