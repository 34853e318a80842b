"""Queries of the log. Every one is scoped to an organization."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from openproctor.eventlog.models import events, heads
from openproctor.eventlog.streams import Streams
from openproctor.storage.database import Database


@dataclass(slots=True)
class StoredEvent:
    """An event as it is in the log."""

    sequence: int
    type_id: int
    source: str
    occurred_at: int
    received_at: int
    data: dict[str, Any]
    evidence: list[dict[str, Any]]
    link: str


@dataclass(slots=True)
class HeadState:
    """Where a session's log stands."""

    sequence: int
    position: int
    link: str
    streams: Streams
    counts: dict[int, int]


class EventRepository:
    """Reads events and heads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, organization_id: str, session_id: str, *, after: int = 0, type_ids: list[int] | None = None, limit: int
    ) -> list[StoredEvent]:
        """Events with a sequence above ``after``, in order."""
        query = (
            select(
                events.c.sequence,
                events.c.type_id,
                events.c.source,
                events.c.occurred_at,
                events.c.received_at,
                events.c.data,
                events.c.evidence,
                events.c.link,
            )
            .where(
                events.c.session_id == session_id,
                events.c.organization_id == organization_id,
                events.c.sequence > after,
            )
            .order_by(events.c.sequence)
            .limit(limit)
        )
        if type_ids:
            query = query.where(events.c.type_id.in_(type_ids))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        decode = msgspec.json.decode
        return [StoredEvent(r[0], r[1], r[2], r[3], r[4], decode(r[5]), decode(r[6]), r[7].hex()) for r in rows]

    async def of_types(self, organization_id: str, session_id: str, type_ids: list[int]) -> list[StoredEvent]:
        """All events of some types."""
        # how many there are is known: the search ends at the last one, which for most types is near the beginning
        counts = (await self.head(organization_id, session_id)).counts
        count = sum(counts.get(type_id, 0) for type_id in type_ids)
        return await self.page(organization_id, session_id, type_ids=type_ids, limit=count) if count else []

    async def head(self, organization_id: str, session_id: str) -> HeadState:
        """Where the log stands; an empty one if nothing was written yet."""
        return (await self.heads(organization_id, [session_id]))[session_id]

    async def heads(self, organization_id: str, session_ids: list[str]) -> dict[str, HeadState]:
        """The heads of several sessions."""
        query = select(
            heads.c.session_id, heads.c.sequence, heads.c.position, heads.c.link, heads.c.streams, heads.c.counts
        ).where(heads.c.session_id.in_(session_ids), heads.c.organization_id == organization_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = {
            r[0]: HeadState(
                r[1],
                r[2],
                r[3].hex(),
                Streams.decode(r[4]),
                {int(k): v for k, v in msgspec.json.decode(r[5]).items()},
            )
            for r in rows
        }
        empty = HeadState(0, 0, "", Streams(), {})
        return {session_id: found.get(session_id, empty) for session_id in session_ids}
