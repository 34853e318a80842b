"""What a candidate's page may say: wire types of a batch, and the rules that refuse an event.

An event is refused alone; the rest of its batch is stored.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from openproctor.catalog import CATALOG
from openproctor.errors import PROBLEM_BASE, Problem
from openproctor.eventlog.canonical import canonical
from openproctor.eventlog.entries import NewEvent, PageEvents, Receipt
from openproctor.eventlog.plain import PLAIN
from openproctor.eventlog.streams import MAX_HOLES, MAX_STREAMS

MAX_BATCH_EVENTS = 500
MAX_SEQUENCE = 2**53
MAX_DATA_BYTES = 64 * 1024
# a page's corrected clock may run ahead by what the measurement of the offset may be wrong
FUTURE_MS = 2_000


class WireEvidence(msgspec.Struct):
    """A reference to stored evidence."""

    kind: str
    id: str


class WireEvent(msgspec.Struct):
    """An event as the page sends it; ``at`` is the page's corrected clock, ms since 1970."""

    seq: int
    type_id: int
    at: float
    data: dict[str, Any] = {}
    evidence: list[WireEvidence] = []


class _PlainEvent(msgspec.Struct, gc=False):
    """An event whose numbers are in range, with its data unread."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEQUENCE)]
    type_id: int
    at: Annotated[float, msgspec.Meta(ge=0, lt=2**53)]
    data: msgspec.Raw = msgspec.Raw(b"{}")
    evidence: list[msgspec.Raw] = []


class WireBatch(msgspec.Struct):
    """Events of one stream (the page's store); ``sent_at`` is the page's corrected clock, ms since 1970."""

    stream: str
    events: list[msgspec.Raw]
    sent_at: float | None = None


class _Numbered(msgspec.Struct):
    seq: int


_event = msgspec.json.Decoder(WireEvent)
_plain_event = msgspec.json.Decoder(_PlainEvent).decode
_numbered = msgspec.json.Decoder(_Numbered)
_batch = msgspec.json.Decoder(WireBatch)


@dataclass(slots=True)
class Refusal:
    """Why one event was not stored."""

    seq: int
    slug: str
    title: str
    detail: str

    def document(self) -> dict[str, Any]:
        """As sent to the page."""
        return {"seq": self.seq, "type": PROBLEM_BASE + self.slug, "title": self.title, "detail": self.detail}


def read_batch(body: bytes) -> WireBatch:
    """Decode a batch; :class:`Problem` 400 when it has not the form of one."""
    try:
        batch = _batch.decode(body)
    except msgspec.MsgspecError as error:
        raise Problem(
            400,
            "malformed-batch",
            "This is not a batch of events",
            str(error),
            what_to_do='Send {"stream": "…", "events": [{"seq": 1, "type_id": 5, "at": ms, "data": {…}}]}.',
        ) from error
    check_batch(batch)
    return batch


def is_stream(name: str) -> bool:
    """Whether a stream may have this name."""
    return 1 <= len(name) <= 64 and name.isascii() and name.isprintable()


def check_batch(batch: WireBatch) -> None:
    """Refuse a batch as a whole: too many events, or no stream."""
    if not is_stream(batch.stream):
        raise Problem(
            400, "malformed-batch", "This is not a batch of events", "stream must be 1 to 64 ASCII characters."
        )
    if len(batch.events) > MAX_BATCH_EVENTS:
        raise Problem(
            413,
            "batch-too-large",
            "Too many events in one batch",
            f"{len(batch.events)} events; at most {MAX_BATCH_EVENTS}.",
        )


def check_written(receipt: Receipt) -> None:
    """Refuse a batch for which the log had no room."""
    if not receipt.applied:
        raise Problem(
            429,
            "too-many-holes",
            "The events leave too many holes",
            f"A session's pages may use {MAX_STREAMS} streams, and leave {MAX_HOLES} holes between the numbers of their events.",
            what_to_do="Send the events that are missing first: those with the lowest numbers.",
            retry_after=5,
        )


def accept_plain(batch: WireBatch, now: int, earliest: int, asked: Container[int]) -> PageEvents | None:
    """The whole batch at once, if there is nothing in it to refuse or to ask about; else None, and :func:`accept` judges.

    ``asked`` are types that are looked at before or after they are taken. Times as in :func:`accept`.
    """
    found = []
    try:
        for raw in batch.events:
            event = _plain_event(raw)
            type_id = event.type_id
            if event.evidence or type_id in asked:
                return None
            data = PLAIN[type_id](event.data)
            if len(data) > MAX_DATA_BYTES:
                return None
            at = int(event.at)
            found.append((event.seq, type_id, at if earliest <= at <= now else min(max(at, earliest), now), data))
    except (msgspec.MsgspecError, KeyError):
        return None
    return PageEvents(batch.stream, found)


def accept(batch: WireBatch, now: int, earliest: int) -> tuple[list[NewEvent], list[Refusal]]:
    """Sort a batch into what may be stored and what is refused.

    ``now`` and ``earliest`` (the session's creation) bound the times, ms since 1970: a time outside is moved to the bound.
    """
    accepted: list[NewEvent] = []
    refused: list[Refusal] = []
    for raw in batch.events:
        try:
            event = _event.decode(raw)
        except msgspec.MsgspecError as error:
            refused.append(_malformed(raw, error))
            continue
        verdict = _judge(event)
        if isinstance(verdict, Refusal):
            refused.append(verdict)
            continue
        accepted.append(
            NewEvent(
                event.type_id,
                "candidate",
                min(max(int(event.at), earliest), now),
                event.data,
                [{"kind": e.kind, "id": e.id} for e in event.evidence] if event.evidence else [],
                batch.stream,
                event.seq,
                verdict,
            )
        )
    return accepted, refused


def _malformed(raw: msgspec.Raw, error: Exception) -> Refusal:
    try:
        seq = _numbered.decode(raw).seq
    except msgspec.MsgspecError:
        raise Problem(400, "malformed-batch", "This is not a batch of events", str(error)) from error
    return Refusal(seq, "malformed-event", "This is not an event", str(error))


def _judge(event: WireEvent) -> Refusal | bytes:
    """The canonical form of the event's data, or why it is refused."""
    kind = CATALOG.types.get(event.type_id)
    if kind is None:
        return Refusal(
            event.seq, "unknown-event", "There is no such event type", f"type_id {event.type_id} is not in the catalog."
        )
    if "candidate" not in kind.sources:
        return Refusal(
            event.seq,
            "forbidden-event",
            "A candidate's page may not say this",
            f"{event.type_id} {kind.name} comes from: {', '.join(sorted(kind.sources))}.",
        )
    if event.seq < 1 or event.seq > MAX_SEQUENCE or not 0 <= event.at < 2**53:
        return Refusal(
            event.seq, "malformed-event", "This is not an event", "seq and at must be positive whole numbers."
        )
    if event.evidence and (
        len(event.evidence) > 50 or any(e.kind != "capture" or len(e.id) != 26 for e in event.evidence)
    ):
        return Refusal(
            event.seq,
            "malformed-event",
            "This is not an event",
            "evidence holds at most 50 {kind: capture, id} references.",
        )
    complaint = kind.complaint(event.data)
    if complaint is not None:
        return Refusal(
            event.seq, "schema", "The data does not fit its event type", f"{kind.id} {kind.name}: {complaint}"
        )
    try:
        data = canonical(event.data)
        if len(data) > MAX_DATA_BYTES:
            return Refusal(event.seq, "schema", "The data is too large", f"at most {MAX_DATA_BYTES} bytes.")
    except ValueError as error:
        return Refusal(event.seq, "schema", "The data does not fit its event type", str(error))
    return data
