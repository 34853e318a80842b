"""Queries of sessions and presence."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, or_, select, update

from openproctor.errors import not_found
from openproctor.exams.models import exams
from openproctor.exams.policy import Policy, parse_policy
from openproctor.sessions.models import presence, sessions
from openproctor.sessions.states import OPEN
from openproctor.storage.database import Database

SEEN_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Session:
    """One candidate's attempt. Times in ms since 1970."""

    id: str
    organization_id: str
    exam_id: str
    exam_title: str
    exam_url: str | None
    external_id: str
    name: str
    email: str | None
    attempt: int
    state: str
    policy: Policy
    created_at: int
    joined_at: int | None
    started_at: int | None
    deadline_at: int | None
    finish_requested_at: int | None
    completed_at: int | None
    outcome: str | None
    manifest: dict[str, Any] | None
    device: str | None
    # as JSON, see sessions/accommodations.py
    accommodations: str | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """The newest socket of a session: ``lost_at`` is set while there is none, ``sockets`` counts them and is its number."""

    session_id: str
    organization_id: str
    opened_at: int
    seen_at: int
    lost_at: int | None
    offline: bool
    sockets: int
    node: str | None
    page: str | None


_SELECT = select(sessions, exams.c.title.label("exam_title"), exams.c.url.label("exam_url")).join(
    exams, exams.c.id == sessions.c.exam_id
)


def _session(row: Any) -> Session:
    values = dict(row._mapping)
    values["policy"] = parse_policy(values["policy"])
    values["manifest"] = msgspec.json.decode(values["manifest"]) if values["manifest"] else None
    return Session(**values)


class SessionRepository:
    """Reads and writes sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, organization_id: str, session_id: str) -> Session:
        """One session; :class:`Problem` 404 when the organization has none with this id."""
        found = await self._many(
            _SELECT.where(sessions.c.id == session_id, sessions.c.organization_id == organization_id)
        )
        if not found:
            raise not_found("session")
        return found[0]

    async def _many(self, query: Any) -> list[Session]:
        async with self._database.read() as connection:
            return [_session(row) for row in (await connection.execute(query)).all()]

    async def find(self, exam_id: str, external_id: str, attempt: int) -> Session | None:
        """The session of an attempt."""
        found = await self._many(
            _SELECT.where(
                sessions.c.exam_id == exam_id,
                sessions.c.external_id == external_id,
                sessions.c.attempt == attempt,
            )
        )
        return found[0] if found else None

    async def page(
        self,
        organization_id: str,
        *,
        exam_id: str | None = None,
        state: str | None = None,
        text: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Session]:
        """Sessions, newest first; ``before`` is the last id of the page before."""
        query = _SELECT.where(sessions.c.organization_id == organization_id)
        if exam_id:
            query = query.where(sessions.c.exam_id == exam_id)
        if state:
            query = query.where(sessions.c.state == state)
        if text:
            query = query.where(
                or_(
                    sessions.c.name.icontains(text, autoescape=True),
                    sessions.c.external_id.icontains(text, autoescape=True),
                    sessions.c.id == text.strip().lower(),
                )
            )
        if before:
            query = query.where(sessions.c.id < before)
        return await self._many(query.order_by(sessions.c.id.desc()).limit(limit))

    async def add(self, values: dict[str, Any]) -> bool:
        """Insert a session; False if the attempt exists already."""
        async with self._database.write() as connection:
            exists = await connection.execute(
                select(sessions.c.id).where(
                    sessions.c.exam_id == values["exam_id"],
                    sessions.c.external_id == values["external_id"],
                    sessions.c.attempt == values["attempt"],
                )
            )
            if exists.first():
                return False
            await connection.execute(insert(sessions).values(**values))
        return True

    async def running(self) -> list[Session]:
        """Sessions in the exam, of every organization: for the clock that watches them."""
        return await self._many(_SELECT.where(sessions.c.state.in_(("running", "paused"))))

    async def several(self, ids: list[str]) -> list[Session]:
        """Sessions with these ids, of every organization."""
        return await self._many(_SELECT.where(sessions.c.id.in_(ids)))

    async def running_ids(self) -> set[str]:
        """Ids of the sessions in the exam."""
        query = select(sessions.c.id).where(sessions.c.state.in_(("running", "paused")))
        async with self._database.read() as connection:
            return {row[0] for row in (await connection.execute(query)).all()}

    async def exam_url(self, session_id: str) -> str | None:
        """Address of a session's exam, for the page's content security policy."""
        query = select(exams.c.url).join(sessions, sessions.c.exam_id == exams.c.id).where(sessions.c.id == session_id)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar()

    async def set_manifest(self, session: Session, manifest: dict[str, Any]) -> None:
        """What the page says it has sent in all."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sessions)
                .where(sessions.c.id == session.id, sessions.c.organization_id == session.organization_id)
                .values(manifest=msgspec.json.encode(manifest).decode())
            )

    async def lines_of(self, node: str) -> list[Presence]:
        """Sockets of a server, of sessions that are not over: open ones, and those lost and not yet called offline.

        Sockets whose server nobody knows belong to everybody.
        """
        return await self._presences(
            or_(presence.c.node == node, presence.c.node.is_(None)),
            or_(presence.c.lost_at.is_(None), presence.c.offline.is_(False)),
        )

    async def lost_elsewhere(self, node: str, before: int) -> list[Presence]:
        """Sockets of other servers, lost before a moment and not yet called offline."""
        return await self._presences(
            presence.c.node != node, presence.c.lost_at < before, presence.c.offline.is_(False)
        )

    async def _presences(self, *conditions: Any) -> list[Presence]:
        query = (
            select(presence)
            .join(sessions, sessions.c.id == presence.c.session_id)
            .where(sessions.c.state.in_(OPEN), *conditions)
        )
        async with self._database.read() as connection:
            return [Presence(**row._mapping) for row in (await connection.execute(query)).all()]

    async def last_signs(self, node: str) -> dict[str, int]:
        """When each of the other servers that hold sockets heard of any of them last."""
        query = (
            select(presence.c.node, func.max(presence.c.seen_at))
            .where(presence.c.lost_at.is_(None), presence.c.node.is_not(None), presence.c.node != node)
            .group_by(presence.c.node)
        )
        async with self._database.read() as connection:
            return {row[0]: int(row[1]) for row in (await connection.execute(query)).all()}

    async def presence_of(self, session: Session, node: str) -> Presence:
        """The newest socket of a session; of one that never had any a row with 0 sockets, made if need be."""
        query = select(presence).where(presence.c.session_id == session.id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            # neither connected nor to be called offline
            values = {"opened_at": 0, "seen_at": 0, "lost_at": 0, "offline": True, "sockets": 0, "node": node}
            async with self._database.write(f"presence/{session.id}") as connection:
                row = (await connection.execute(query)).first()
                if row is None:
                    whose = {"session_id": session.id, "organization_id": session.organization_id}
                    await connection.execute(insert(presence).values(**whose, **values))
                    row = (await connection.execute(query)).one()
        return Presence(**row._mapping)

    async def seen(self, lines: dict[str, tuple[int, int]]) -> set[str]:
        """Write when sockets were heard of last: ``{session: (number of the socket, ms)}``.

        Returns the sessions whose line is another one by now, or was given up by another server.
        """
        query = (
            update(presence)
            .where(
                presence.c.session_id == bindparam("id"),
                presence.c.sockets == bindparam("number"),
                presence.c.lost_at.is_(None),
            )
            .values(seen_at=bindparam("at"))
        )
        ids = sorted(lines)
        mine: set[str] = set()
        for start in range(0, len(ids), SEEN_AT_ONCE):
            some = ids[start : start + SEEN_AT_ONCE]
            held = select(presence.c.session_id, presence.c.sockets).where(
                presence.c.session_id.in_(some), presence.c.lost_at.is_(None)
            )
            # some at a time, so that events need not wait for all of them
            async with self._database.write("presence") as connection:
                # those that the log is changing are left out: it changes several, and each would wait for the other
                free = {row[0] for row in (await connection.execute(held.with_for_update(skip_locked=True))).all()}
                seen = [{"id": id, "number": lines[id][0], "at": lines[id][1]} for id in some if id in free]
                if seen:
                    await connection.execute(query, seen)
                rows = (await connection.execute(held)).all()
            mine |= {row[0] for row in rows if row[1] == lines[row[0]][0]}
        return set(ids) - mine

    async def lost_since(self, session_id: str) -> int | None:
        """Since when a session has no socket; None while it has one, 0 if it never had."""
        query = select(presence.c.lost_at).where(presence.c.session_id == session_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return row[0] if row else 0

    async def connected(self, session_ids: list[str]) -> dict[str, int]:
        """Which of some sessions have an open socket, at any server, and its number."""
        query = select(presence.c.session_id, presence.c.sockets).where(
            presence.c.session_id.in_(session_ids), presence.c.lost_at.is_(None)
        )
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in (await connection.execute(query)).all()}
