"""Sealing a session: sign where its chain stands, at its end and whenever it is exported after something was added."""

import os
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, insert, select

from openproctor.clock import now_ms
from openproctor.eventlog.repository import EventRepository
from openproctor.eventlog.seal import Seal, SealingKey, subject_digest
from openproctor.sessions.repository import Session
from openproctor.storage.database import Database, metadata

seals = Table(
    "seals",
    metadata,
    Column("session_id", String(26), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", String(26), nullable=False),
    Column("link", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    # the same for all seals of a session; removed when the candidate's name is erased
    Column("salt", LargeBinary(16)),
    Column("sealed_at", BigInteger, nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)


def identity_of(session: Session) -> dict[str, Any]:
    """Who and what a session was about."""
    return {
        "attempt": session.attempt,
        "candidate": {"email": session.email, "external_id": session.external_id, "name": session.name},
        "exam": {"id": session.exam_id, "title": session.exam_title, "url": session.exam_url},
    }


class Sealer:
    """Makes and reads seals."""

    def __init__(self, database: Database, events: EventRepository, key: SealingKey) -> None:
        self._database = database
        self._events = events
        self._key = key

    @property
    def public_key(self) -> str:
        """The server's public key, hex."""
        return self._key.public_key

    async def seal(self, session: Session) -> list[tuple[Seal, bytes | None]]:
        """Seal the chain as it stands, if it is not; all seals of the session with the salt of their subject."""
        head = await self._events.head(session.organization_id, session.id)
        found = await self._read(session)
        if head.position and (not found or found[-1][0].position != head.position):
            # alone, so that two that make the first seal at the same moment agree on one salt
            async with self._database.write(f"seal/{session.id}") as connection:
                query = select(seals.c.position, seals.c.salt).where(seals.c.session_id == session.id)
                kept = (await connection.execute(query)).all()
                if all(row.position != head.position for row in kept):
                    salt = (kept[0].salt if kept else None) or os.urandom(16)
                    subject = subject_digest(salt, identity_of(session))
                    made = self._key.seal(session.id, head.position, head.link, subject, now_ms())
                    await connection.execute(
                        insert(seals).values(
                            session_id=session.id,
                            position=made.position,
                            organization_id=session.organization_id,
                            link=made.link,
                            subject=made.subject,
                            salt=salt,
                            sealed_at=made.sealed_at,
                            public_key=made.public_key,
                            signature=made.signature,
                        )
                    )
            found = await self._read(session)
        return found

    async def _read(self, session: Session) -> list[tuple[Seal, bytes | None]]:
        query = (
            select(seals)
            .where(seals.c.session_id == session.id, seals.c.organization_id == session.organization_id)
            .order_by(seals.c.position)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            (Seal(r.session_id, r.position, r.link, r.subject, r.sealed_at, r.public_key, r.signature), r.salt)
            for r in rows
        ]
