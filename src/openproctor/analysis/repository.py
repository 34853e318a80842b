"""Queries of the analysis: which sessions have recordings that nobody has looked at yet."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from openproctor.analysis.models import analyses
from openproctor.analysis.sameness import CONSENTED, REFUSED, chosen
from openproctor.captures.models import captures
from openproctor.eventlog.models import events
from openproctor.media.models import chunks
from openproctor.sessions.accommodations import SET
from openproctor.sessions.models import sessions
from openproctor.sessions.states import IN_EXAM, OVER
from openproctor.storage.database import Database

DONE = 2**62  # lease of an analysis that is complete: nobody takes it again


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the analysis of a session is. ``state`` is the pipeline's, as JSON; times in ms since 1970.

    ``tries`` counts who began with the next chunk and ended without a word.
    """

    session_id: str
    organization_id: str
    next_number: int
    state: str | None
    owner: str | None
    lease_until: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """An analysis that may go on: since when its oldest unseen chunk waits (None without one), the number of its newest,
    and whether the session is over."""

    progress: Progress
    since: int | None
    last: int
    over: bool


class AnalysisRepository:
    """Reads progress and begins it; it is moved on by the event log, in the transaction of the findings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_new(self, *, all_sessions: bool) -> int:
        """A row for every session that has recordings and none yet; how many there were.

        Without ``all_sessions`` only those that are not over are looked at, which are few. One that was over before any
        worker saw it is found with it.
        """
        query = (
            select(sessions.c.id, sessions.c.organization_id)
            .outerjoin(analyses, analyses.c.session_id == sessions.c.id)
            .where(sessions.c.started_at.is_not(None), analyses.c.session_id.is_(None))
        )
        if not all_sessions:
            query = query.where(sessions.c.state.in_(IN_EXAM))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        for session_id, organization_id in rows:
            values = {
                "session_id": session_id,
                "organization_id": organization_id,
                "next_number": 0,
                "state": None,
                "owner": None,
                "lease_until": 0,
                "tries": 0,
            }
            try:
                async with self._database.write() as connection:
                    await connection.execute(insert(analyses).values(values))
            except IntegrityError:
                continue  # another worker was faster
        return len(rows)

    async def waiting(self, owner: str, now: int) -> list[Waiting]:
        """Analyses that this worker may go on with, those that wait longest first."""
        unseen = (
            chunks.c.session_id == analyses.c.session_id,
            chunks.c.track == "camera",
            chunks.c.number >= analyses.c.next_number,
        )
        since = select(func.min(chunks.c.received_at)).where(*unseen).correlate(analyses).scalar_subquery()
        last = select(func.max(chunks.c.number)).where(*unseen).correlate(analyses).scalar_subquery()
        query = (
            select(analyses, since.label("since"), last.label("last"), sessions.c.state.label("session_state"))
            .join(sessions, sessions.c.id == analyses.c.session_id)
            .where(analyses.c.lease_until < DONE, or_(analyses.c.owner == owner, analyses.c.lease_until < now))
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = [
            Waiting(Progress(*row[:7]), row.since, row.last if row.last is not None else -1, row.session_state in OVER)
            for row in rows
        ]
        found = [one for one in found if one.since is not None or one.over]
        # without unseen chunks the only thing left is to finish: such come last
        found.sort(key=lambda one: (one.since is None, one.since or 0, one.progress.session_id))
        return found

    async def backlog(self) -> tuple[int, int | None]:
        """How many chunks no worker has looked at, of all sessions, and when the oldest of them came (ms since 1970)."""
        query = (
            select(func.count(), func.min(chunks.c.received_at))
            .select_from(sessions)
            .outerjoin(analyses, analyses.c.session_id == sessions.c.id)
            .join(chunks, (chunks.c.session_id == sessions.c.id) & (chunks.c.track == "camera"))
            .where(
                sessions.c.started_at.is_not(None),
                func.coalesce(analyses.c.lease_until, 0) < DONE,
                chunks.c.number >= func.coalesce(analyses.c.next_number, 0),
            )
        )
        async with self._database.read() as connection:
            count, oldest = (await connection.execute(query)).one()
        return count, oldest

    async def accommodations(self, session_ids: list[str]) -> dict[str, str]:
        """Accommodations that some sessions have now, as their rows have them; those without any are left out."""
        query = select(sessions.c.id, sessions.c.accommodations).where(
            sessions.c.id.in_(session_ids), sessions.c.accommodations.is_not(None)
        )
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in (await connection.execute(query)).all()}

    async def accommodations_of(self, session_id: str) -> str | None:
        """The same of one session."""
        return (await self.accommodations([session_id])).get(session_id)

    async def accommodated(self, session_id: str) -> list[tuple[int, list[dict[str, Any]]]]:
        """Every change of a session's accommodations: its position in the chain, and what holds from there on."""
        query = (
            select(events.c.position, events.c.data)
            .where(events.c.session_id == session_id, events.c.type_id == SET)
            .order_by(events.c.sequence)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(int(row[0]), msgspec.json.decode(row[1])["accommodations"]) for row in rows]

    async def references(self, session_id: str, track: str) -> list[str]:
        """Stills with which the candidate's face is compared."""
        first = select(func.min(chunks.c.position)).where(chunks.c.session_id == session_id, chunks.c.track == track)
        said = (
            select(events.c.position, events.c.type_id)
            .where(events.c.session_id == session_id, events.c.type_id.in_((CONSENTED, REFUSED)))
            .order_by(events.c.sequence)
        )
        stills = (
            select(captures.c.position, captures.c.kind, captures.c.id)
            .where(captures.c.session_id == session_id)
            .order_by(captures.c.position)
        )
        async with self._database.read() as connection:
            begin = (await connection.execute(first)).scalar()
            consents = [(int(row[0]), int(row[1])) for row in (await connection.execute(said)).all()]
            taken = [(int(row[0]), str(row[1]), str(row[2])) for row in (await connection.execute(stills)).all()]
        return chosen(consents, taken, int(begin)) if begin is not None else []

    async def get(self, session_id: str) -> Progress | None:
        """Progress of one session."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(analyses).where(analyses.c.session_id == session_id))).first()
        return Progress(*row) if row else None
