"""A bundle: everything about one session in one tar file, in the order in which it is verified.

The log and its seals are put together in memory, recordings and stills are read one by one while the file is sent; nothing
is collected on the disk.
"""

import asyncio
import json
import tarfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import select

from openproctor.captures.models import captures
from openproctor.eventlog.models import events
from openproctor.eventlog.verify import NotABundle
from openproctor.media.models import chunks
from openproctor.sessions.models import sessions
from openproctor.sessions.repository import Session, SessionRepository
from openproctor.sessions.sealing import Sealer, identity_of
from openproctor.storage.database import Database
from openproctor.storage.objects import Objects

logger = structlog.get_logger(__name__)

FORMAT = "openproctor-bundle/1"
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Bundles:
    """Writes bundles."""

    def __init__(self, database: Database, objects: Objects, sealer: Sealer) -> None:
        self._database = database
        self._objects = objects
        self._sealer = sealer

    async def stream(self, session: Session) -> AsyncIterator[bytes]:
        """The bundle, piece by piece. The chain is sealed first, so that its last entry is covered.

        A file that the store has lost is left out: whoever verifies the bundle is told which one is missing.
        """
        sealed = await self._sealer.seal(session)
        last = sealed[-1][0].position if sealed else 0
        salt = sealed[-1][1] if sealed else None
        about: dict[str, Any] = {"format": FORMAT, "id": session.id, "identity": identity_of(session)}
        about |= {"salt": salt.hex() if salt else None, "policy": session.policy.model_dump(mode="json")}
        about |= {"state": session.state, "outcome": session.outcome, "created_at": session.created_at}
        about |= {"started_at": session.started_at, "completed_at": session.completed_at}
        entries, files = await self._entries(session, last)
        for name, data in (
            ("session.json", json.dumps(about, ensure_ascii=False, indent=1).encode()),
            ("log.jsonl", b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)),
            ("seals.json", json.dumps([asdict(seal) for seal, _ in sealed]).encode()),
        ):
            yield _member(name, data)
        for name, key in files:
            try:
                data = await self._objects.get(key)
            except KeyError:
                logger.error("a recording or still is missing", session_id=session.id, object=key)
            else:
                yield _member(name, data)
        yield b"\0" * 1024

    async def write(self, session_id: str, path: Path) -> None:
        """The bundle of a session as a file, for the command line on the server's own machine."""
        async with self._database.read() as connection:
            query = select(sessions.c.organization_id).where(sessions.c.id == session_id)
            organization_id = (await connection.execute(query)).scalar()
        if organization_id is None:
            raise NotABundle(f"There is no session {session_id} in this data folder.")
        session = await SessionRepository(self._database).get(organization_id, session_id)
        with path.open("wb") as file:
            async for piece in self.stream(session):
                await asyncio.to_thread(file.write, piece)

    async def _entries(self, session: Session, last: int) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        """Entries up to a position, and (name in the bundle, object key) of their files, in order."""
        found: list[dict[str, Any]] = []
        files: dict[int, tuple[str, str]] = {}
        async with self._database.read() as connection:
            for table, make in ((events, _event), (chunks, _chunk), (captures, _still)):
                query = select(table).where(
                    table.c.session_id == session.id,
                    table.c.organization_id == session.organization_id,
                    table.c.position <= last,
                )
                for row in (await connection.execute(query)).all():
                    entry = make(row)
                    found.append(entry)
                    if "file" in entry:
                        files[entry["position"]] = (entry["file"], row.object_key)
        found.sort(key=lambda entry: entry["position"])
        return found, [files[position] for position in sorted(files)]


def _event(row: Any) -> dict[str, Any]:
    return {
        "position": row.position,
        "kind": "event",
        "sequence": row.sequence,
        "type_id": row.type_id,
        "source": row.source,
        "occurred_at": row.occurred_at,
        "received_at": row.received_at,
        "stream": row.stream,
        "client_sequence": row.client_sequence,
        "data": msgspec.json.decode(row.data),
        "salt": row.salt.hex(),
        "evidence": msgspec.json.decode(row.evidence),
        "link": row.link.hex(),
    }


def _chunk(row: Any) -> dict[str, Any]:
    content = {"at": row.at, "digest": row.digest, "number": row.number, "part": row.part}
    content |= {"size": row.size, "track": row.track}
    file = f"media/{row.track}/{row.number:06d}.{row.container}"
    return {"position": row.position, "kind": "chunk", "content": content, "file": file, "link": row.link.hex()}


def _still(row: Any) -> dict[str, Any]:
    content = {"at": row.captured_at, "digest": row.digest, "id": row.id, "kind": row.kind, "size": row.size}
    file = f"stills/{row.kind}-{row.id}.{_SUFFIX.get(row.media_type, 'bin')}"
    return {"position": row.position, "kind": "still", "content": content, "file": file, "link": row.link.hex()}


def _member(name: str, data: bytes) -> bytes:
    """One file of the tar, header and padding included."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + b"\0" * (-len(data) % 512)
