"""Rules of recordings: what makes a chunk acceptable, and how it is kept."""

import asyncio
import hashlib
import secrets
from typing import Any

import msgspec

from openproctor.bodies import announced_digest, check_bytes
from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.errors import Problem
from openproctor.eventlog.entries import Append, NewContent, NewEvent
from openproctor.eventlog.writer import LogWriter
from openproctor.media.fmp4 import Layout, read_index, read_layout
from openproctor.media.playlist import Segment, gaps, segments, spans
from openproctor.media.repository import TRACKS, Chunk, ChunkRepository
from openproctor.media.webm import playable_mp4
from openproctor.sessions.repository import Session
from openproctor.sessions.states import IN_EXAM, OVER
from openproctor.storage.objects import Objects, WrongBytes

MAX_PART = 100_000
MAX_NUMBER = 1_000_000
MAX_SECONDS = 31 * 86_400  # from the beginning of a part
UPLOAD_SECONDS = 300  # how long a page may put a chunk's bytes into the store


def _stem(session: Session, track: str, number: int, own: str) -> str:
    """Where a chunk is kept; ``own``, of its digest or of its upload, keeps other bytes from taking its place."""
    return f"{session.organization_id}/{session.id}/{track}/{number:06d}-{own[:16]}"


class Media:
    """Chunks and playlists of all sessions."""

    def __init__(self, repository: ChunkRepository, log: LogWriter, objects: Objects, settings: Settings) -> None:
        self.repository = repository
        self._log = log
        self._objects = objects
        self._settings = settings
        # making WebM playable may mean encoding: one piece at a time leaves the rest of the server its core
        self._encoding = asyncio.Semaphore(1)
        self._scales: dict[tuple[str, str, int], tuple[int, int]] = {}
        self._begun: dict[tuple[str, str, int], int] = {}

    # -- taking a chunk --------------------------------------------------------------------------------------------

    def check_allowed(self, session: Session, track: str, number: int, part: int) -> None:
        """Refuse what the policy or the state does not allow, before any byte is read."""
        if track not in TRACKS or getattr(session.policy.tracks, track) is None:
            raise Problem(
                403,
                "track-not-in-policy",
                "This track is not recorded",
                f"The exam's policy has no track {track[:20]!r}.",
            )
        if session.state not in IN_EXAM:
            raise Problem(
                409,
                "not-started",
                "Nothing is recorded now",
                f"The session is {session.state}; recordings need a running exam.",
            )
        if not 0 <= number < MAX_NUMBER or not 0 <= part <= MAX_PART:
            raise Problem(400, "bad-number", "The chunk's number or part is out of range")

    async def take(
        self,
        session: Session,
        track: str,
        number: int,
        *,
        part: int,
        part_started_at: int,
        content_type: str,
        digest: str,
        data: bytes,
    ) -> tuple[dict[str, Any], bool]:
        """Store a chunk durably and link it into the log; returns what is stored and whether it was new.

        ``digest`` is the Content-Digest header (RFC 9530). Raises :class:`Problem` and stores nothing for a wrong digest,
        container or form, and 409 when the number holds other bytes.
        """
        announced = announced_digest(digest)
        try:
            layout, playable = await self._read(session, track, content_type, data)
            # what it says of its part is remembered before it is stored; other bytes are compared while they are
            compared = bool(layout.init_size or playable)
            if compared:
                check_bytes(announced, data)
        except Problem:
            check_bytes(announced, data)  # bytes that were damaged on their way need another answer
            raise
        stem = _stem(session, track, number, announced.hex())
        key = f"{stem}.{'webm' if playable else 'mp4'}"
        play_key = f"{stem}.play.mp4" if playable else None
        row = await self._row(
            session, track, number, part, part_started_at, layout, size=len(data), digest=announced.hex(), key=key
        )
        row |= {"container": "webm" if playable else "mp4", "play_key": play_key}
        try:
            await self._objects.put(key, data, None if compared else announced)
        except WrongBytes:
            check_bytes(announced, data)
            raise
        if play_key and playable:
            await self._objects.put(play_key, playable)
        return await self._link(session, row)

    async def _row(
        self,
        session: Session,
        track: str,
        number: int,
        part: int,
        part_started_at: int,
        layout: Layout,
        *,
        size: int,
        digest: str,
        key: str,
    ) -> dict[str, Any]:
        """The row of an MP4 chunk."""
        media_time, duration = await self._times(session.id, track, part, layout)
        now = now_ms()
        started = min(max(part_started_at, session.started_at or session.created_at), now)
        # a part began when its first chunk said so, whatever a clock has shown since
        started = self._begun.setdefault((session.id, track, part), started)
        return {
            "track": track,
            "number": number,
            "part": part,
            "container": "mp4",
            "init_size": layout.init_size,
            "has_media": int(layout.has_media),
            "media_time": media_time,
            "duration": duration,
            "timescales": msgspec.json.encode({"video": layout.video, "scales": layout.timescales}).decode()
            if layout.timescales
            else None,
            "part_started_at": started,
            "at": started + round((media_time or 0) * 1000),
            "received_at": now,
            "size": size,
            "digest": digest,
            "object_key": key,
            "play_key": None,
        }

    async def _link(self, session: Session, row: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Link a chunk whose bytes are stored into the log; what is stored, and whether it was new."""
        track, number, digest = row["track"], row["number"], row["digest"]
        content = {name: row[name] for name in ("at", "digest", "number", "part", "size", "track")}
        receipt = await self._log.append(
            Append(
                session.id,
                session.organization_id,
                contents=[NewContent("chunk", "chunks", ("track", "number"), row, content)],
            )
        )
        existing = receipt.existing[0]
        if existing is not None:
            if existing["object_key"] != row["object_key"]:
                await self._objects.delete(row["object_key"])
            if existing["digest"] != digest:
                raise Problem(
                    409,
                    "number-taken",
                    "This number holds another chunk",
                    f"Chunk {number} of {track} is stored with the digest {existing['digest']}.",
                    what_to_do="Go on with the next number.",
                )
            row = existing
        stored = {"track": track, "number": number, "digest": digest, "size": row["size"], "at": row["at"]}
        return stored, existing is None

    # -- a chunk that goes straight to the store -------------------------------------------------------------------

    async def upload_links(self, session: Session, track: str, numbers: range) -> list[dict[str, Any]] | None:
        """Where the page may ``PUT`` the bytes of its next chunks by itself; None where we take them.

        Each link has a place of its own, so that what is linked already is overwritten by no other chunk.
        """
        found = []
        for number in numbers:
            upload = secrets.token_hex(8)
            url = None
            if self._settings.media_direct:
                url = await self._objects.signed_put(f"{_stem(session, track, number, upload)}.mp4", UPLOAD_SECONDS)
            if url is None:
                return None
            found.append({"number": number, "upload": upload, "url": url})
        return found

    async def take_uploaded(
        self,
        session: Session,
        track: str,
        number: int,
        *,
        part: int,
        part_started_at: int,
        upload: str,
        digest: str,
        index: bytes,
    ) -> tuple[dict[str, Any], bool]:
        """Link an MP4 chunk that the page put into the store, as :meth:`take` does.

        ``index`` are the chunk's bytes without the content of its ``mdat`` boxes. The store must hold an object of the size
        that the index claims; whether its bytes have the digest is seen by whoever reads them: analysis, bundle, verifier.
        """
        layout, size = read_index(index)
        if size > self._settings.max_chunk_bytes:
            raise Problem(
                413, "too-large", "The chunk is too large", f"At most {self._settings.max_chunk_bytes} bytes."
            )
        key = f"{_stem(session, track, number, upload)}.mp4"
        found = await self._objects.size(key)
        if found != size:
            raise Problem(
                409,
                "not-uploaded",
                "The store does not hold this chunk",
                f"Expected {size} bytes, the store has {'nothing' if found is None else f'{found} bytes'}.",
                what_to_do="Upload the chunk again, or send it to us.",
            )
        row = await self._row(session, track, number, part, part_started_at, layout, size=size, digest=digest, key=key)
        return await self._link(session, row)

    async def _read(self, session: Session, track: str, content_type: str, data: bytes) -> tuple[Layout, bytes | None]:
        kind = content_type.split(";")[0].strip().lower()
        if not data:
            raise Problem(422, "empty-chunk", "The chunk is empty", what_to_do="Send the chunk again, whole.")
        if kind == "video/mp4":
            return read_layout(data), None
        if kind == "video/webm":
            rate = getattr(session.policy.tracks, track).video_bits_per_second
            async with self._encoding:
                playable = await asyncio.to_thread(playable_mp4, data, rate)
            return read_layout(playable), playable
        raise Problem(
            415,
            "wrong-container",
            "This container is not taken",
            f"Content-Type was {kind[:60]!r}; expected video/mp4 or video/webm.",
        )

    async def _times(self, session_id: str, track: str, part: int, layout: Layout) -> tuple[float | None, float | None]:
        """Begin and length of the chunk's picture in seconds, with the timescale from the part's init segment."""
        key = (session_id, track, part)
        if layout.timescales and layout.video is not None:
            self._remember(key, (layout.video, layout.timescales[layout.video]))
        if not layout.has_media:
            return None, None
        if key not in self._scales:
            init = await self.repository.init_of_part(session_id, track, part)
            if init is None or not init.timescales:
                raise Problem(
                    409,
                    "init-missing",
                    "The recording's beginning is missing",
                    f"Part {part} of {track} has no init segment yet.",
                    what_to_do="Send the first chunk of the part before the others.",
                )
            stored = msgspec.json.decode(init.timescales)
            self._begun.setdefault(key, init.part_started_at)
            self._remember(key, (stored["video"], stored["scales"][str(stored["video"])]))
        video, scale = self._scales[key]
        if video not in layout.times:
            # sound only: placed by the sound's own time is not possible without its scale; it follows what came before
            raise Problem(422, "no-video", "The chunk has no picture", "Every chunk holds the video track.")
        first, length = layout.times[video]
        if length < 0 or first + length > MAX_SECONDS * scale:
            raise Problem(
                422, "damaged-chunk", "The chunk cannot be read", "Its times are not those of a recording of one exam."
            )
        return first / scale, length / scale

    def _remember(self, key: tuple[str, str, int], scale: tuple[int, int]) -> None:
        if len(self._scales) > 50_000:
            self._scales.clear()
            self._begun.clear()
        self._scales[key] = scale

    # -- reading -----------------------------------------------------------------------------------------------------

    async def segments(self, session: Session, track: str) -> list[Segment]:
        """The track as it can be played now."""
        stored = await self.repository.of_track(session.organization_id, session.id, track)
        return segments(stored, running=session.state not in OVER)

    async def tracks(self, session: Session) -> list[dict[str, Any]]:
        """The policy's tracks: what is recorded of each."""
        found = []
        for track in TRACKS:
            if getattr(session.policy.tracks, track) is None:
                continue
            listed = await self.segments(session, track)
            found.append(
                {
                    "track": track,
                    "from": listed[0].at if listed else None,
                    "until": listed[-1].at + round(listed[-1].duration * 1000) if listed else None,
                    "recorded_ms": round(sum(s.duration for s in listed) * 1000),
                    "chunks": len(listed),
                    "complete": session.state in OVER,
                    "playlist": f"/api/v1/sessions/{session.id}/media/{track}/index.m3u8",
                }
            )
        return found

    async def track(self, session: Session, track: str) -> dict[str, Any]:
        """Spans and gaps of one track."""
        listed = await self.segments(session, track)
        found = spans(listed)
        return {
            "track": track,
            "playlist": f"/api/v1/sessions/{session.id}/media/{track}/index.m3u8",
            "complete": session.state in OVER,
            "duration_s": round(listed[-1].position + listed[-1].duration, 3) if listed else 0,
            "spans": found,
            "gaps": gaps(found),
        }

    async def segment_link(self, chunk: Chunk) -> str | None:
        """Where the media of a chunk can be had straight from the store; None where we have to give it."""
        if not self._settings.media_direct or chunk.init_size:
            return None
        return await self._objects.signed_get(chunk.playable_key, self._settings.signed_link_minutes * 60)

    async def bytes_of(self, chunk: Chunk, *, init: bool, checked: bool = False) -> bytes:
        """The init segment or the media of a chunk, as played.

        ``checked``: ``ValueError`` when the store holds other bytes than those whose digest is in the log.
        """
        data = await self._objects.get(chunk.playable_key)
        if checked and chunk.play_key is None and hashlib.sha256(data).hexdigest() != chunk.digest:
            raise ValueError("the store holds other bytes than the log names")
        return data[: chunk.init_size] if init else data[chunk.init_size :]

    # -- what sessions ask -----------------------------------------------------------------------------------------

    async def missing(self, session: Session, tracks: dict[str, int]) -> dict[str, list[int]]:
        """Numbers of a manifest that are not stored, at most 1,000 of each track."""
        result = {}
        for track, last in tracks.items():
            if last < 0:
                continue
            stored = await self.repository.numbers(session.id, track, last)
            if len(stored) < last + 1:
                result[track] = [n for n in range(last + 1) if n not in stored][:1000]
        return result

    async def last_received(self, session: Session, track: str) -> int | None:
        """When the newest chunk of a track came in, ms since 1970; None before the first."""
        return await self.repository.last_received(session.id, track)

    async def last_chunks(self, session: Session) -> dict[str, tuple[int, int]]:
        """Last number and part of each track."""
        return await self.repository.last(session.id)

    async def confirm_recording(self, session: Session, event: NewEvent) -> str | None:
        """Event 13 counts only when a chunk of the recording is stored."""
        track, part = event.data["track"], event.data.get("part")
        if await self.repository.has_media_of_part(session.id, track, part):
            return None
        return f"no chunk of {track} is stored yet"
