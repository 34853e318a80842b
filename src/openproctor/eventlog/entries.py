"""What can be appended to a session's log, and what comes back."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class NewEvent:
    """An event that was accepted. Times in ms since 1970; ``stream`` and ``client_sequence`` only from a page."""

    type_id: int
    source: str
    occurred_at: int
    data: dict[str, Any]
    evidence: list[dict[str, Any]] = field(default_factory=list)
    stream: str | None = None
    client_sequence: int | None = None
    # canonical form of ``data`` where it was made already
    canonical: bytes | None = None


@dataclass(slots=True)
class PageEvents:
    """A page's batch in which every event was accepted, without evidence: (client sequence, type, time, canonical data)."""

    stream: str
    events: list[tuple[int, int, int, bytes]]


@dataclass(slots=True)
class NewContent:
    """A chunk or a still: a row of its own table that is linked into the chain.

    ``key`` names the columns that must be unique in the session; a row that is there already is left alone.
    ``content`` is what the link commits to.
    """

    kind: str
    table: str
    key: tuple[str, ...]
    row: dict[str, Any]
    content: dict[str, Any]
    # canonical form of ``content`` where it was made already
    canonical: bytes | None = None


@dataclass(slots=True)
class Change:
    """A change of other rows, in the transaction of the entries: all of it happens or nothing.

    If no row matches ``where``, the append is not done and its receipt says ``applied=False``.
    """

    table: str
    values: dict[str, Any]
    where: dict[str, Any]


@dataclass(slots=True)
class Append:
    """Entries for one session, written together, in this order. A page's events are all of one stream.

    Events that come with contents speak of these: if all of them were there already, no event is added.
    ``refused`` are stream and numbers of events that a page sent and that will never be stored: nobody waits for them.
    """

    session_id: str
    organization_id: str
    events: list[NewEvent] = field(default_factory=list)
    contents: list[NewContent] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    page: PageEvents | None = None
    refused: tuple[str, list[int]] | None = None

    @property
    def size(self) -> int:
        """Number of entries."""
        page = len(self.page.events) if self.page else 0
        return page + len(self.events) + len(self.contents) + len(self.changes)


@dataclass(slots=True)
class Receipt:
    """What became of an append, once it is on the disk.

    ``applied`` is False when nothing of it was written: a change found no row, or a page's events have no room.
    ``sequences`` has one number for each of ``events``, ``None`` where the event was there already; ``existing`` has the
    stored row for each content that was there already, ``None`` where it was written now.
    """

    applied: bool
    sequences: list[int | None] = field(default_factory=list)
    existing: list[dict[str, Any] | None] = field(default_factory=list)
    last_sequence: int = 0
