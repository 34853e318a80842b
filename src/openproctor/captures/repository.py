"""Queries of stills."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from openproctor.captures.models import captures
from openproctor.storage.database import Database


@dataclass(frozen=True, slots=True)
class Capture:
    """A stored still. Times in ms since 1970, size in bytes."""

    id: str
    session_id: str
    organization_id: str
    kind: str
    captured_at: int
    media_type: str
    width: int
    height: int
    size: int
    digest: str
    object_key: str
    verdict: dict[str, Any] | None


_COLUMNS = (
    captures.c.id,
    captures.c.session_id,
    captures.c.organization_id,
    captures.c.kind,
    captures.c.captured_at,
    captures.c.media_type,
    captures.c.width,
    captures.c.height,
    captures.c.size,
    captures.c.digest,
    captures.c.object_key,
    captures.c.verdict,
)


class CaptureRepository:
    """Reads stills; they are written by the event log, in the chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _many(self, query: Any) -> list[Capture]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Capture(**{**row._mapping, "verdict": msgspec.json.decode(row.verdict) if row.verdict else None})
            for row in rows
        ]

    async def of_session(self, organization_id: str, session_id: str) -> list[Capture]:
        """All stills of a session, oldest first."""
        return await self._many(
            select(*_COLUMNS)
            .where(captures.c.session_id == session_id, captures.c.organization_id == organization_id)
            .order_by(captures.c.captured_at, captures.c.id)
        )

    async def some(self, session_id: str, ids: list[str]) -> dict[str, Capture]:
        """The stills of a session among some ids."""
        found = await self._many(select(*_COLUMNS).where(captures.c.session_id == session_id, captures.c.id.in_(ids)))
        return {capture.id: capture for capture in found}

    async def get(self, organization_id: str | None, session_id: str, capture_id: str) -> Capture | None:
        """One still; ``organization_id`` is None only for the holder of a signed link."""
        found = (await self.some(session_id, [capture_id])).get(capture_id)
        if found and organization_id is not None and found.organization_id != organization_id:
            return None
        return found
