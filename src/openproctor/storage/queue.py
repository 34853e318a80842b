"""The work queue: what has to be done once, by whoever is free, in order for one session.

An item is handed to one worker at a time, and an item of a session only after all earlier ones of that session are done.
A worker that does not say that it is done before its lease ends has lost the item to another. An item that was handed out
too often without success is parked: it is listed for people, and the ones behind it go on.

Here: the queue as a table, for SQLite and PostgreSQL. ``jetqueue.py`` has the same over NATS.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from openproctor.clock import now_ms
from openproctor.ids import new_id
from openproctor.storage.bus import Bus
from openproctor.storage.database import Database, metadata

LEASE_SECONDS = 30.0
DELIVERIES = 5
# how often a worker looks by itself: what ended a lease sends no message
POLL_SECONDS = 1.0
# a lease that was taken this far in the future was taken before the clock was set back
CLOCK_MS = 5_000
SILENT = "the worker ended, or took too long, without a word"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

work = Table(
    "work",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("queue", String(64), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("data", Text, nullable=False),
    Column("deliveries", Integer, nullable=False),
    # who has it now, since when and until when
    Column("token", String(26)),
    Column("taken_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("parked_at", BigInteger),
    Column("error", Text),
    UniqueConstraint("queue", "session_id", "key"),
    Index("ix_work_queue", "queue", "session_id", "id"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something to do. ``key`` names it within its session: while it waits, the same again is not added."""

    session_id: str
    key: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parked:
    """An item that nobody got done. ``parked_at`` in ms since 1970."""

    item: Item
    deliveries: int
    error: str
    parked_at: int


class Delivery(Protocol):
    """An item in the hands of one worker."""

    item: Item
    number: int  # 1 for the first time

    async def done(self) -> bool:
        """It is done and forgotten. False when the lease had ended and the item is another worker's now."""
        ...

    async def later(self, seconds: float, error: str) -> None:
        """It did not work: again after a while, or parked if this was the last time."""
        ...

    async def hold(self) -> None:
        """It takes longer: the lease begins anew."""
        ...


class WorkQueue(Protocol):
    """A queue. Every call may raise :class:`openproctor.errors.Problem` 503 while its engine is away."""

    async def publish(self, item: Item) -> bool:
        """Add durably; False if the same is waiting already."""
        ...

    async def take(self, seconds: float) -> Delivery | None:
        """The next item; ``None`` if there was none for so long."""
        ...

    async def waiting(self) -> int:
        """How many items are not done, without the parked ones."""
        ...

    async def parked(self) -> list[Parked]:
        """The items that nobody got done, oldest first."""
        ...

    async def put_back(self, session_id: str, key: str) -> bool:
        """Try a parked item again, from the beginning; False if there is none."""
        ...

    async def discard(self, session_id: str, key: str) -> bool:
        """Forget a parked item; False if there is none."""
        ...


def check_names(*names: str) -> None:
    """``ValueError`` for what cannot name a queue, a session or an item in every engine."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for the work queue: {name!r}")


class _Row:
    """See :class:`Delivery`."""

    def __init__(self, queue: "TableQueue", id: int, token: str, item: Item, number: int) -> None:
        self._queue = queue
        self._id = id
        self._token = token
        self.item = item
        self.number = number

    async def done(self) -> bool:
        return await self._queue.change(delete(work).where(work.c.id == self._id, work.c.token == self._token))

    async def later(self, seconds: float, error: str) -> None:
        now = now_ms()
        values: dict[str, Any] = {"token": None, "taken_at": 0, "lease_until": now + round(seconds * 1000)}
        values["error"] = error[:2000]
        if self.number >= self._queue.deliveries:
            values["parked_at"] = now
        await self._queue.change(self._mine().values(values))

    async def hold(self) -> None:
        now = now_ms()
        await self._queue.change(self._mine().values(taken_at=now, lease_until=now + self._queue.lease_ms))

    def _mine(self) -> Any:
        return update(work).where(work.c.id == self._id, work.c.token == self._token)


class TableQueue:
    """See :class:`WorkQueue`."""

    def __init__(
        self, name: str, database: Database, bus: Bus, *, lease: float = LEASE_SECONDS, deliveries: int = DELIVERIES
    ) -> None:
        check_names(name)
        self._name = name
        self._database = database
        self._bus = bus
        self.lease_ms = round(lease * 1000)
        self.deliveries = deliveries
        self._adding: list[tuple[Item, asyncio.Future[bool]]] = []
        self._adder: asyncio.Task[None] | None = None

    # -- adding ----------------------------------------------------------------------------------------------------

    async def publish(self, item: Item) -> bool:
        check_names(item.session_id, item.key)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._adding.append((item, future))
        if self._adder is None or self._adder.done():
            self._adder = asyncio.create_task(self._add())
        return await future

    async def _add(self) -> None:
        """Everything that waits in one transaction, as the log does it."""
        while self._adding:
            group, self._adding = self._adding[:500], self._adding[500:]
            try:
                added = await self._insert([item for item, _ in group])
            except Exception as error:
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for item, future in group:
                key = (item.session_id, item.key)
                if not future.done():
                    future.set_result(key in added)
                if key in added:
                    added.discard(key)
                    self._bus.publish(f"work/{self._name}", item.session_id)

    async def _insert(self, items: list[Item]) -> set[tuple[str, str]]:
        wanted = {(item.session_id, item.key): item for item in items}
        async with self._write() as connection:
            query = select(work.c.session_id, work.c.key).where(
                work.c.queue == self._name, tuple_(work.c.session_id, work.c.key).in_(list(wanted))
            )
            for row in (await connection.execute(query)).all():
                del wanted[tuple(row)]
            if wanted:
                rows = [
                    {
                        "queue": self._name,
                        "session_id": item.session_id,
                        "key": item.key,
                        "data": msgspec.json.encode(item.data).decode(),
                        "deliveries": 0,
                        "taken_at": 0,
                        "lease_until": 0,
                    }
                    for item in wanted.values()
                ]
                await connection.execute(insert(work), rows)
        return set(wanted)

    def _write(self) -> Any:
        return self._database.write(f"work/{self._name}")

    # -- taking ----------------------------------------------------------------------------------------------------

    async def take(self, seconds: float) -> Delivery | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with self._bus.subscribe(f"work/{self._name}") as news:
            while True:
                # a look takes no lock, so that idle workers do not hold up the writers
                if await self._next() is not None:
                    found = await self._claim()
                    if found:
                        return found
                left = until - loop.time()
                if left <= 0:
                    return None
                try:
                    async with asyncio.timeout(min(left, POLL_SECONDS)):
                        await anext(news)
                except TimeoutError:
                    pass

    def _first(self) -> Any:
        now = now_ms()
        earlier = work.alias("earlier")
        return (
            select(work)
            .where(
                work.c.queue == self._name,
                work.c.parked_at.is_(None),
                or_(work.c.lease_until <= now, work.c.taken_at > now + CLOCK_MS),
                ~exists().where(
                    and_(
                        earlier.c.queue == work.c.queue,
                        earlier.c.session_id == work.c.session_id,
                        earlier.c.parked_at.is_(None),
                        earlier.c.id < work.c.id,
                    )
                ),
            )
            .order_by(work.c.id)
            .limit(1)
        )

    async def _next(self) -> Any:
        async with self._database.read() as connection:
            return (await connection.execute(self._first())).first()

    async def _claim(self) -> _Row | None:
        while True:
            async with self._write() as connection:
                row = (await connection.execute(self._first())).first()
                if row is None:
                    return None
                now, token = now_ms(), new_id()
                mine = update(work).where(work.c.id == row.id)
                if row.deliveries >= self.deliveries:
                    error = row.error if row.token is None else SILENT
                    await connection.execute(mine.values(parked_at=now, token=None, error=error or SILENT))
                    continue
                await connection.execute(
                    mine.values(
                        token=token, taken_at=now, lease_until=now + self.lease_ms, deliveries=row.deliveries + 1
                    )
                )
            return _Row(self, row.id, token, _item(row), row.deliveries + 1)

    async def change(self, statement: Any) -> bool:
        """Run one change; whether it met a row."""
        async with self._write() as connection:
            changed = (await connection.execute(statement)).rowcount > 0
        # the next item of the session may be free now
        self._bus.publish(f"work/{self._name}", None)
        return bool(changed)

    # -- for people --------------------------------------------------------------------------------------------------

    async def waiting(self) -> int:
        query = select(func.count()).where(work.c.queue == self._name, work.c.parked_at.is_(None))
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar() or 0)

    async def parked(self) -> list[Parked]:
        query = select(work).where(work.c.queue == self._name, work.c.parked_at.is_not(None)).order_by(work.c.parked_at)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Parked(_item(row), row.deliveries, row.error or SILENT, row.parked_at) for row in rows]

    async def put_back(self, session_id: str, key: str) -> bool:
        values = {"parked_at": None, "deliveries": 0, "error": None, "token": None, "taken_at": 0, "lease_until": 0}
        return await self.change(update(work).where(*self._parked(session_id, key)).values(values))

    async def discard(self, session_id: str, key: str) -> bool:
        return await self.change(delete(work).where(*self._parked(session_id, key)))

    def _parked(self, session_id: str, key: str) -> tuple[Any, ...]:
        return (
            work.c.queue == self._name,
            work.c.session_id == session_id,
            work.c.key == key,
            work.c.parked_at.is_not(None),
        )


def _item(row: Any) -> Item:
    return Item(row.session_id, row.key, msgspec.json.decode(row.data))


def open_queue(
    name: str, database: Database, bus: Bus, *, lease: float = LEASE_SECONDS, deliveries: int = DELIVERIES
) -> WorkQueue:
    """The queue where the bus is: over NATS if that is one, else a table. ``lease`` in seconds."""
    from openproctor.storage.natsbus import NatsBus

    if isinstance(bus, NatsBus):
        from openproctor.storage.jetqueue import JetQueue

        return JetQueue(name, bus, lease=lease, deliveries=deliveries)
    return TableQueue(name, database, bus, lease=lease, deliveries=deliveries)
