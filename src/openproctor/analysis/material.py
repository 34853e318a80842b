"""What a check needs of a session, wherever it is: the log, the chunks and the stills' digests."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
from sqlalchemy import select

from openproctor.analysis.findings import TWINS
from openproctor.analysis.repository import DONE, AnalysisRepository
from openproctor.analysis.sameness import CONSENTED, REFUSED, chosen
from openproctor.captures.models import captures
from openproctor.catalog import CATALOG
from openproctor.errors import Problem
from openproctor.eventlog.models import events
from openproctor.eventlog.verify import verify_bundle
from openproctor.media.fmp4 import read_layout
from openproctor.media.repository import Chunk
from openproctor.media.webm import playable_mp4
from openproctor.sessions.accommodations import SET
from openproctor.sessions.models import sessions
from openproctor.sessions.states import OVER

TRACK = "camera"
REJECTED, ANALYSED, ACCOMMODATED = 1062, 1068, SET


class CannotCheck(Exception):
    """Why a session cannot be checked, in one line."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A chunk without its bytes. ``begins``: it holds the init segment of its part. Times in ms since 1970."""

    number: int
    part: int
    digest: str
    position: int
    at: int
    started_at: int
    begins: bool
    has_media: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the log."""

    position: int
    type_id: int
    source: str
    occurred_at: int
    data: dict[str, Any]
    evidence: list[dict[str, Any]]


@dataclass(slots=True)
class Material:
    """A session that is over and analysed: its policy as JSON, its events and chunks in order, its stills by id."""

    session_id: str
    policy: dict[str, Any]
    reader: "Reader"
    entries: list[Entry] = field(default_factory=list)
    chunks: list[Facts] = field(default_factory=list)
    stills: dict[str, str] = field(default_factory=dict)
    # position in the chain, kind and id
    captured: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def references(self) -> list[str]:
        """Stills with which the candidate's face was compared."""
        if not self.policy["detectors"]["face_mismatch"] or not self.chunks:
            return []
        said = [(one.position, one.type_id) for one in self.entries if one.type_id in (CONSENTED, REFUSED)]
        return chosen(said, self.captured, min(chunk.position for chunk in self.chunks))

    @property
    def account(self) -> dict[str, Any] | None:
        """How the analysis went, as its last event tells it; None of a session that an older version analysed."""
        return next((one.data for one in reversed(self.entries) if one.type_id == ANALYSED), None)


class Reader(Protocol):
    """Reads the bytes of a chunk."""

    async def read(self, number: int) -> tuple[bytes, bytes]:
        """Init segment (may be empty) and media. :class:`CannotCheck` where they are gone or changed."""
        ...

    async def still(self, capture_id: str) -> bytes:
        """A still. :class:`CannotCheck` where it is gone."""
        ...


def _wanted(type_id: int) -> bool:
    kind = CATALOG.types.get(type_id)
    found = kind is not None and "analysis" in kind.sources
    return found or type_id in TWINS.values() or type_id in (REJECTED, ANALYSED, ACCOMMODATED, *OTHER_TYPES)


# events of the page and of people on which findings rest
OTHER_TYPES = (26, 60, CONSENTED, REFUSED)


# -- in a data folder, a database, a store ----------------------------------------------------------------------------


class _StoreReader:
    def __init__(self, platform: Any, chunks: dict[int, Chunk]) -> None:
        self._platform = platform
        self._chunks = chunks
        self.stills: dict[str, str] = {}  # id: object key

    async def still(self, capture_id: str) -> bytes:
        try:
            data: bytes = await self._platform.objects.get(self.stills[capture_id])
        except KeyError:
            raise CannotCheck(f"The still {capture_id} is erased or missing.") from None
        return data

    async def read(self, number: int) -> tuple[bytes, bytes]:
        chunk = self._chunks[number]
        try:
            data = await self._platform.objects.get(chunk.playable_key)
        except KeyError:
            raise CannotCheck(f"Chunk {number} is erased or missing: its bytes are not in the store.") from None
        except Problem as problem:
            raise CannotCheck(f"{problem.title}. {problem.detail}") from None
        if chunk.play_key is None and hashlib.sha256(data).hexdigest() != chunk.digest:
            raise CannotCheck(f"Chunk {number} was changed: the store holds other bytes than the log names.")
        return data[: chunk.init_size], data[chunk.init_size :]


async def stored_session(platform: Any, session_id: str) -> Material:
    """A session of a platform. Raises :class:`CannotCheck`."""
    async with platform.database.read() as connection:
        query = select(sessions.c.organization_id).where(sessions.c.id == session_id)
        organization_id = (await connection.execute(query)).scalar()
    if organization_id is None:
        raise CannotCheck(f"There is no session {session_id} here.")
    session = await platform.sessions.repository.get(organization_id, session_id)
    if session.state not in OVER:
        raise CannotCheck(f"Session {session_id} is {session.state}: only what is over can be checked.")
    if session.started_at is None:
        raise CannotCheck(f"Session {session_id} was never started: there is nothing to check.")
    progress = await AnalysisRepository(platform.database).get(session_id)
    if progress is None or progress.lease_until < DONE:
        raise CannotCheck(f"The analysis of session {session_id} is not finished; a worker has to run.")
    stored = await platform.media.repository.of_track(organization_id, session_id, TRACK)
    reader = _StoreReader(platform, {chunk.number: chunk for chunk in stored})
    material = Material(session_id, session.policy.model_dump(mode="json"), reader)
    material.chunks = [
        Facts(c.number, c.part, c.digest, c.position, c.at, c.part_started_at, c.init_size > 0, bool(c.has_media))
        for c in stored
    ]
    async with platform.database.read() as connection:
        columns = (events.c.position, events.c.type_id, events.c.source, events.c.occurred_at)
        log = select(*columns, events.c.data, events.c.evidence).where(events.c.session_id == session_id)
        rows = (await connection.execute(log.order_by(events.c.position))).all()
        pictures = select(captures).where(captures.c.session_id == session_id).order_by(captures.c.position)
        for row in (await connection.execute(pictures)).all():
            material.stills[row.id] = row.digest
            material.captured.append((row.position, row.kind, row.id))
            reader.stills[row.id] = row.object_key
    decode = msgspec.json.decode
    material.entries = [
        Entry(row[0], row[1], row[2], row[3], decode(row[4]), decode(row[5])) for row in rows if _wanted(row[1])
    ]
    return material


# -- in a bundle ------------------------------------------------------------------------------------------------------


class _BundleReader:
    """Chunks of a bundle that was verified: their bytes have the digests of the log."""

    def __init__(self, path: Path, members: dict[int, tuple[str, int, int]], bits_per_second: int) -> None:
        self._path = path
        self._members = members
        self._bits_per_second = bits_per_second
        self.stills: dict[str, tuple[int, int]] = {}  # id: place and length in the file

    def _part(self, offset: int, size: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    async def still(self, capture_id: str) -> bytes:
        if capture_id not in self.stills:
            raise CannotCheck(f"The still {capture_id} is erased.")
        return self._part(*self.stills[capture_id])

    def bytes_of(self, number: int) -> bytes:
        """As MP4."""
        name, offset, size = self._members[number]
        data = self._part(offset, size)
        # as the server did when the chunk came
        return playable_mp4(data, self._bits_per_second) if name.endswith(".webm") else data

    async def read(self, number: int) -> tuple[bytes, bytes]:
        data = self.bytes_of(number)
        size = read_layout(data).init_size
        return data[:size], data[size:]


def bundled_session(path: Path, key: str | None = None) -> Material:
    """A session in a bundle, which is verified first.

    Raises :class:`CannotCheck`, and what :func:`openproctor.eventlog.verify.verify_bundle` raises.
    """
    verify_bundle(path, key=key)
    with tarfile.open(path) as tar:
        members = {member.name: member for member in tar}

        def text(name: str) -> bytes:
            file = tar.extractfile(members[name])
            assert file is not None
            return file.read()

        session = json.loads(text("session.json"))
        log = [json.loads(line) for line in io.BytesIO(text("log.jsonl"))]
    if session["state"] not in OVER:
        raise CannotCheck(f"When the bundle was made session {session['id']} was {session['state']}: it was not over.")
    chunks = [entry for entry in log if entry["kind"] == "chunk" and entry["content"]["track"] == TRACK]
    for entry in chunks:
        if entry["file"] not in members:
            raise CannotCheck(f"Chunk {entry['content']['number']} is erased: the bundle holds only its digest.")
    places = {
        entry["content"]["number"]: (entry["file"], members[entry["file"]].offset_data, members[entry["file"]].size)
        for entry in chunks
    }
    camera = session["policy"]["tracks"]["camera"] or {}
    reader = _BundleReader(path, places, camera.get("video_bits_per_second", 300_000))
    material = Material(session["id"], session["policy"], reader)
    material.chunks = sorted(_facts(chunks, reader), key=lambda chunk: chunk.number)
    for one in (entry for entry in log if entry["kind"] == "still"):
        content = one["content"]
        material.stills[content["id"]] = content["digest"]
        material.captured.append((one["position"], content["kind"], content["id"]))
        if one["file"] in members:
            reader.stills[content["id"]] = (members[one["file"]].offset_data, members[one["file"]].size)
    for one in log:
        if one["kind"] != "event" or not _wanted(one["type_id"]):
            continue
        if "data" not in one:
            raise CannotCheck(f"The data of event {one['sequence']} is erased.")
        material.entries.append(
            Entry(one["position"], one["type_id"], one["source"], one["occurred_at"], one["data"], one["evidence"])
        )
    if material.account is None:
        raise CannotCheck("When the bundle was made the analysis was not finished.")
    return material


def _facts(entries: list[dict[str, Any]], reader: _BundleReader) -> Iterator[Facts]:
    """The chain tells when a chunk begins; when its part began follows from the times in the chunk."""
    scales: dict[int, tuple[int, int]] = {}
    for entry in sorted(entries, key=lambda entry: int(entry["position"])):
        content = entry["content"]
        layout = read_layout(reader.bytes_of(content["number"]))
        if layout.timescales and layout.video is not None:
            scales.setdefault(content["part"], (layout.video, layout.timescales[layout.video]))
        offset = 0.0
        if layout.has_media:
            video, scale = scales[content["part"]]
            offset = layout.times[video][0] / scale
        yield Facts(
            content["number"],
            content["part"],
            content["digest"],
            entry["position"],
            content["at"],
            content["at"] - round(offset * 1000),
            layout.init_size > 0,
            layout.has_media,
        )
