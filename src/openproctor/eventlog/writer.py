"""The one writer of a process: group commit for all sessions that wait.

``append`` gathers; a single task takes everything that waits, links it, commits it as one transaction and only
then answers. Heads are read inside the transaction, so several processes may write to one database.
"""

import asyncio
import contextlib
import os
import time
from collections import defaultdict
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter, Gauge, Histogram

from openproctor.clock import now_ms
from openproctor.errors import Problem
from openproctor.eventlog.canonical import canonical
from openproctor.eventlog.chain import data_digest, genesis, link_content, link_event, link_page
from openproctor.eventlog.entries import Append, NewContent, PageEvents, Receipt
from openproctor.eventlog.streams import Streams
from openproctor.storage.bus import Bus
from openproctor.storage.logstore import LogAway, LogStore, LogTransaction

logger = structlog.get_logger(__name__)

_HEAD_COLUMNS = ("session_id", "organization_id", "position", "sequence", "link", "streams", "counts")
_EVENT_COLUMNS = (
    "session_id",
    "sequence",
    "organization_id",
    "position",
    "type_id",
    "source",
    "occurred_at",
    "received_at",
    "stream",
    "client_sequence",
    "data",
    "evidence",
    "salt",
    "link",
)
# chunks or stills that one query asks for
ASK_AT_ONCE = 50
_to_json = msgspec.json.Encoder().encode

COMMITS = Counter("openproctor_log_commits_total", "Group commits of the event log.")
ENTRIES = Counter("openproctor_log_entries_total", "Entries written to the event log.")
WAITING = Gauge("openproctor_log_waiting_entries", "Entries that wait for the disk.")
COMMIT_SECONDS = Histogram("openproctor_log_commit_seconds", "Time of a group commit.")


class _Head:
    """Where the chain of one session stands, while a transaction moves it on."""

    __slots__ = ("counts", "link", "organization_id", "position", "sequence", "session_id", "streams")

    def __init__(self, session_id: str, organization_id: str) -> None:
        self.session_id = session_id
        self.organization_id = organization_id
        self.position = 0
        self.sequence = 0
        self.link = genesis(session_id)
        self.streams = Streams()
        self.counts: dict[str, int] = {}

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> "_Head":
        head = cls(row[0], row[1])
        head.position, head.sequence, head.link = row[2], row[3], bytes(row[4])
        head.streams = Streams.decode(row[5])
        head.counts = msgspec.json.decode(row[6])
        return head

    def row(self) -> tuple[Any, ...]:
        return (
            self.session_id,
            self.organization_id,
            self.position,
            self.sequence,
            self.link,
            self.streams.encode(),
            _to_json(self.counts).decode(),
        )


class LogWriter:
    """Appends to the logs of all sessions."""

    def __init__(self, store: LogStore, bus: Bus, *, max_waiting: int, max_commit: int) -> None:
        self._store = store
        self._bus = bus
        self._max_waiting = max_waiting
        self._max_commit = max_commit
        self._waiting: list[tuple[Append, asyncio.Future[Receipt]]] = []
        self._waiting_entries = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="log-writer")

    async def close(self) -> None:
        """Write what waits, then stop. What the database does not take now is refused."""
        self._closing = True
        self._store.stop_waiting()
        self._wake.set()
        if self._task:
            await self._task

    @property
    def available(self) -> bool:
        """False while the database is known to take nothing."""
        return self._store.available

    @property
    def pressure(self) -> float:
        """How full the queue is, 0 to 1."""
        return self._waiting_entries / self._max_waiting

    def append(self, append: Append) -> "asyncio.Future[Receipt]":
        """Queue entries; the future is done once they are on the disk.

        Raises :class:`Problem` 503 when too much waits already, or the database is away, 422 for what has no exact form:
        nothing of the append is stored then. What waited when the database went away is kept until it is back.
        """
        if not self._store.available:
            raise _not_stored()
        if self._closing or self._waiting_entries + append.size > self._max_waiting:
            raise Problem(
                503,
                "busy",
                "The server is busy",
                "More events wait for the disk than the server may hold.",
                what_to_do="Keep what you have and send it again in a moment.",
                retry_after=2,
            )
        _make_canonical(append)
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, future))
        self._waiting_entries += append.size
        self._wake.set()
        return future

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._commit_some()
            if self._closing:
                return

    async def _commit_some(self) -> None:
        taken, size = 0, 0
        for append, _ in self._waiting:
            if taken and size + append.size > self._max_commit:
                break
            taken += 1
            size += append.size
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        WAITING.set(self._waiting_entries)
        started = time.perf_counter()
        try:
            receipts = await self._commit([append for append, _ in group])
        except LogAway as error:
            logger.error("entries could not be stored", appends=len(group), error=str(error))
            _refuse(group)
        except Exception as error:
            await self._one_by_one(group, error)
        else:
            COMMITS.inc()
            ENTRIES.inc(size)
            COMMIT_SECONDS.observe(time.perf_counter() - started)
            self._done(group, receipts)
        finally:
            self._waiting_entries -= size

    async def _commit(self, appends: list[Append]) -> list[Receipt]:
        return await self._store.commit(lambda transaction: _write(transaction, appends))

    async def _one_by_one(self, group: list[tuple[Append, "asyncio.Future[Receipt]"]], error: Exception) -> None:
        """After a failed group: one bad append must not take the others with it."""
        logger.warning("group commit failed", appends=len(group), error=repr(error))
        for append, future in group:
            if len(group) > 1:
                with contextlib.suppress(Exception):
                    self._done([(append, future)], await self._commit([append]))
                    continue
            _refuse([(append, future)])

    def _done(self, group: list[tuple[Append, "asyncio.Future[Receipt]"]], receipts: list[Receipt]) -> None:
        grown: dict[str, int] = {}
        for (append, future), receipt in zip(group, receipts, strict=True):
            if not future.done():
                future.set_result(receipt)
            if receipt.applied and (append.page or append.events or append.contents):
                grown[append.session_id] = receipt.last_sequence
        if grown:
            self._bus.publish("log", grown)


def _make_canonical(append: Append) -> None:
    """What has no canonical form fails here, for its sender alone, not in the transaction of many."""
    try:
        for entry in append.events:
            entry.canonical = entry.canonical or canonical(entry.data)
        for content in append.contents:
            content.canonical = content.canonical or canonical(content.content)
    except ValueError as error:
        raise Problem(422, "not-exact", "It cannot be stored exactly", str(error)) from error


def _not_stored() -> Problem:
    return Problem(
        503,
        "not-stored",
        "It could not be stored",
        "The database did not take the entries.",
        what_to_do="Keep what you have and send it again in a moment.",
        retry_after=5,
    )


def _refuse(group: list[tuple[Append, "asyncio.Future[Receipt]"]]) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(_not_stored())


async def _write(transaction: LogTransaction, appends: list[Append]) -> list[Receipt]:
    """Link and insert; runs inside the transaction."""
    wanted = sorted({a.session_id for a in appends})
    rows = await transaction.claim("heads", ",".join(_HEAD_COLUMNS), "session_id", wanted)
    heads = {row[0]: _Head.from_row(row) for row in rows}
    touched: set[str] = set()
    event_rows: list[tuple[Any, ...]] = []
    contents = _Contents()
    await contents.look(transaction, appends)
    receipts = []
    received = now_ms()
    for append in appends:
        head = heads.get(append.session_id)
        if head is None:
            head = heads[append.session_id] = _Head(append.session_id, append.organization_id)
        if not _has_room(head, append):
            receipts.append(Receipt(applied=False))
            continue
        for change in append.changes:
            if not await transaction.update(change.table, change.values, change.where):
                # a refused change must not leave an earlier one of the same append behind
                if change is not append.changes[0]:
                    raise RuntimeError(f"change of {change.table} refused after another was made")
                receipts.append(Receipt(applied=False))
                break
        else:
            existing = [contents.add(head, content) for content in append.contents]
            if existing and None not in existing:
                # sent twice: what was said of its contents is in the log already
                receipts.append(Receipt(True, [None] * len(append.events), existing, head.sequence))
                continue
            sequences = [_add_event(head, event, received, event_rows) for event in append.events]
            if append.page:
                _add_page(head, append.page, received, event_rows)
            if append.refused:
                for number in append.refused[1]:
                    head.streams.add(append.refused[0], number)
            touched.add(append.session_id)
            receipts.append(Receipt(True, sequences, existing, head.sequence))
    if event_rows:
        await transaction.insert("events", _EVENT_COLUMNS, event_rows)
    await contents.insert(transaction)
    if touched:
        await transaction.upsert("heads", "session_id", _HEAD_COLUMNS, [heads[s].row() for s in sorted(touched)])
    return receipts


def _has_room(head: _Head, append: Append) -> bool:
    """Whether a page's events leave its log no more streams and holes than it may have."""
    page = append.page
    if page is not None:
        room = head.streams.room_for(page.stream, len(page.events))
        return room or head.streams.fills(page.stream, [event[0] for event in page.events])
    stream, refused = append.refused or (append.events[0].stream if append.events else None, [])
    if stream is None:
        return True
    numbers = refused + [event.client_sequence or 0 for event in append.events]
    return head.streams.room_for(stream, len(numbers)) or head.streams.fills(stream, numbers)


def _add_event(head: _Head, event: Any, received: int, rows: list[tuple[Any, ...]]) -> int | None:
    if event.stream is not None and not head.streams.add(event.stream, event.client_sequence):
        return None
    head.position += 1
    head.sequence += 1
    salt = os.urandom(16)
    data: bytes = event.canonical
    head.link = link_event(
        head.link,
        session_id=head.session_id,
        position=head.position,
        sequence=head.sequence,
        type_id=event.type_id,
        source=event.source,
        occurred_at=event.occurred_at,
        received_at=received,
        stream=event.stream,
        client_sequence=event.client_sequence,
        digest=data_digest(salt, data),
        evidence=event.evidence,
    )
    kind = str(event.type_id)
    head.counts[kind] = head.counts.get(kind, 0) + 1
    rows.append(
        (
            head.session_id,
            head.sequence,
            head.organization_id,
            head.position,
            event.type_id,
            event.source,
            event.occurred_at,
            received,
            event.stream,
            event.client_sequence,
            data.decode(),
            _to_json(event.evidence).decode() if event.evidence else "[]",
            salt,
            head.link,
        )
    )
    return head.sequence


def _add_page(head: _Head, page: PageEvents, received: int, rows: list[tuple[Any, ...]]) -> None:
    """A page's batch: its events follow each other, as a rule, and are linked and counted together."""
    events = page.events
    stream = page.stream
    numbers = [event[0] for event in events]
    follow = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    if not follow or not head.streams.follows(stream, numbers[0], numbers[-1]):
        events = [event for event in events if head.streams.add(stream, event[0])]
        if not events:
            return
    salts = os.urandom(16 * len(events))
    session, organization = head.session_id, head.organization_id
    position, sequence = head.position + 1, head.sequence + 1
    links = link_page(
        head.link,
        session_id=session,
        position=position,
        sequence=sequence,
        received_at=received,
        stream=stream,
        events=events,
        salts=salts,
    )
    counts = head.counts
    for number, (client_sequence, type_id, at, data) in enumerate(events):
        kind = str(type_id)
        counts[kind] = counts.get(kind, 0) + 1
        rows.append(
            (
                session,
                sequence + number,
                organization,
                position + number,
                type_id,
                "candidate",
                at,
                received,
                stream,
                client_sequence,
                data.decode(),
                "[]",
                salts[number * 16 : number * 16 + 16],
                links[number],
            )
        )
    head.position += len(events)
    head.sequence += len(events)
    head.link = links[-1]


@lru_cache(maxsize=256)
def _content_query(table: str, columns: tuple[str, ...], key: tuple[str, ...], count: int) -> str:
    condition = " AND ".join(f"{column}=?" for column in ("session_id", *key))
    return f"SELECT session_id,{','.join(columns)} FROM {table} WHERE {' OR '.join([f'({condition})'] * count)}"


class _Contents:
    """Chunks and stills of one transaction: those whose keys are taken are asked for together, linked in turn, and
    inserted together at its end. One statement each would wait for the interpreter, or for the network, each time."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}
        # rows that are there, before this transaction or by it, by table and key
        self._there: dict[tuple[Any, ...], dict[str, Any]] = {}

    async def look(self, transaction: LogTransaction, appends: list[Append]) -> None:
        """Find the rows that hold keys of what is to be added already."""
        wanted: defaultdict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for append in appends:
            for content in append.contents:
                asked = content.table, tuple(content.row), content.key
                wanted[asked].append((append.session_id, *(content.row[column] for column in content.key)))
        for (table, columns, key), asked_keys in wanted.items():
            keys = list(dict.fromkeys(asked_keys))
            for start in range(0, len(keys), ASK_AT_ONCE):
                some = keys[start : start + ASK_AT_ONCE]
                query = _content_query(table, columns, key, len(some))
                for session_id, *values in await transaction.select(query, list(chain.from_iterable(some))):
                    row = dict(zip(columns, values, strict=True))
                    self._there[(table, session_id, *(row[column] for column in key))] = row

    def add(self, head: _Head, content: NewContent) -> dict[str, Any] | None:
        """Link a row; or the one that holds its key already."""
        key = (content.table, head.session_id, *(content.row[column] for column in content.key))
        there = self._there.get(key)
        if there is not None:
            return there
        self._there[key] = content.row
        head.position += 1
        head.link = link_content(
            head.link,
            session_id=head.session_id,
            position=head.position,
            kind=content.kind,
            content=content.canonical or content.content,
        )
        row = {
            "session_id": head.session_id,
            "organization_id": head.organization_id,
            "position": head.position,
            "link": head.link,
            **content.row,
        }
        self._rows.setdefault((content.table, tuple(row)), []).append(tuple(row.values()))
        return None

    async def insert(self, transaction: LogTransaction) -> None:
        """Write what was linked."""
        for (table, columns), rows in self._rows.items():
            await transaction.insert(table, columns, rows)
