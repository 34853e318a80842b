"""Queries of chunks."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from openproctor.media.models import chunks
from openproctor.storage.database import Database

TRACKS = ("camera", "screen")
# sessions that one query asks for
SESSIONS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored chunk. ``media_time`` and ``duration`` in seconds, ``at``, ``part_started_at`` and ``received_at`` in ms since
    1970; ``position`` is its place in the session's chain."""

    session_id: str
    track: str
    number: int
    part: int
    container: str
    init_size: int
    has_media: bool
    media_time: float | None
    duration: float | None
    timescales: str | None
    part_started_at: int
    at: int
    size: int
    digest: str
    object_key: str
    play_key: str | None
    received_at: int
    position: int

    @property
    def playable_key(self) -> str:
        """Object that is played."""
        return self.play_key or self.object_key


_COLUMNS = (
    chunks.c.session_id,
    chunks.c.track,
    chunks.c.number,
    chunks.c.part,
    chunks.c.container,
    chunks.c.init_size,
    chunks.c.has_media,
    chunks.c.media_time,
    chunks.c.duration,
    chunks.c.timescales,
    chunks.c.part_started_at,
    chunks.c.at,
    chunks.c.size,
    chunks.c.digest,
    chunks.c.object_key,
    chunks.c.play_key,
    chunks.c.received_at,
    chunks.c.position,
)


class ChunkRepository:
    """Reads chunks; they are written by the event log, in the chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _rows(self, query: Any) -> Any:
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()

    async def of_track(
        self, organization_id: str, session_id: str, track: str, *, first: int = 0, limit: int = 1_000_000
    ) -> list[Chunk]:
        """Chunks of a track from a number on, in order."""
        query = (
            select(*_COLUMNS)
            .where(
                chunks.c.session_id == session_id,
                chunks.c.track == track,
                chunks.c.number >= first,
                chunks.c.organization_id == organization_id,
            )
            .order_by(chunks.c.number)
            .limit(limit)
        )
        return [Chunk(*row) for row in await self._rows(query)]

    async def following(
        self, wanted: list[tuple[str, str, int]], track: str, count: int
    ) -> defaultdict[str, list[Chunk]]:
        """The next chunks of a track, in order, for many sessions at once: ``(organization, session, first number)`` of each.

        At most ``count`` of each, none of them behind a gap of so many.
        """
        found: defaultdict[str, list[Chunk]] = defaultdict(list)
        for start in range(0, len(wanted), SESSIONS_AT_ONCE):
            those = [
                (chunks.c.session_id == session_id)
                & (chunks.c.track == track)
                & chunks.c.number.between(first, first + count - 1)
                & (chunks.c.organization_id == organization_id)
                for organization_id, session_id, first in wanted[start : start + SESSIONS_AT_ONCE]
            ]
            query = select(*_COLUMNS).where(or_(*those)).order_by(chunks.c.session_id, chunks.c.number)
            for row in await self._rows(query):
                found[row[0]].append(Chunk(*row))
        return found

    async def get(self, organization_id: str | None, session_id: str, track: str, number: int) -> Chunk | None:
        """One chunk; ``organization_id`` is None only for the holder of a signed link."""
        query = select(*_COLUMNS).where(
            chunks.c.session_id == session_id, chunks.c.track == track, chunks.c.number == number
        )
        if organization_id is not None:
            query = query.where(chunks.c.organization_id == organization_id)
        rows = await self._rows(query)
        return Chunk(*rows[0]) if rows else None

    async def inits_of_part(self, session_id: str, track: str, part: int) -> list[Chunk]:
        """The chunks that hold an init segment of a part, in order; a recorder makes one."""
        query = (
            select(*_COLUMNS)
            .where(
                chunks.c.session_id == session_id,
                chunks.c.track == track,
                chunks.c.part == part,
                chunks.c.init_size > 0,
            )
            .order_by(chunks.c.number)
            .limit(20)
        )
        return [Chunk(*row) for row in await self._rows(query)]

    async def init_of_part(self, session_id: str, track: str, part: int) -> Chunk | None:
        """The chunk that holds the init segment of a part."""
        found = await self.inits_of_part(session_id, track, part)
        return found[0] if found else None

    async def last(self, session_id: str) -> dict[str, tuple[int, int]]:
        """Last number and last part of each track; -1 where there is none."""
        rows = await self._rows(
            select(chunks.c.track, func.max(chunks.c.number), func.max(chunks.c.part))
            .where(chunks.c.session_id == session_id)
            .group_by(chunks.c.track)
        )
        found = {row[0]: (int(row[1]), int(row[2])) for row in rows}
        return {track: found.get(track, (-1, -1)) for track in TRACKS}

    async def last_received(self, session_id: str, track: str) -> int | None:
        """When the newest chunk of a track came in, ms since 1970."""
        rows = await self._rows(
            select(func.max(chunks.c.received_at)).where(chunks.c.session_id == session_id, chunks.c.track == track)
        )
        return int(rows[0][0]) if rows and rows[0][0] is not None else None

    async def numbers(self, session_id: str, track: str, last: int) -> set[int]:
        """Stored numbers up to ``last``."""
        rows = await self._rows(
            select(chunks.c.number).where(
                chunks.c.session_id == session_id, chunks.c.track == track, chunks.c.number <= last
            )
        )
        return {int(row[0]) for row in rows}

    async def has_media_of_part(self, session_id: str, track: str, part: int | None) -> bool:
        """Whether a fragment of the part (of any, when None) is stored."""
        query = select(chunks.c.number).where(
            chunks.c.session_id == session_id, chunks.c.track == track, chunks.c.has_media == 1
        )
        if part is not None:
            query = query.where(chunks.c.part == part)
        return bool(await self._rows(query.limit(1)))
