"""Chunks in, playlists and segments out."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from openproctor.accounts.principal import AsCandidate, AsStaff, AsStaffOrLink, CandidateToken
from openproctor.bodies import is_number, read_body
from openproctor.errors import Problem, not_found
from openproctor.media.playlist import render
from openproctor.media.repository import TRACKS
from openproctor.media.service import UPLOAD_SECONDS
from openproctor.sessions.repository import Session

MAX_INDEX_BYTES = 256 * 1024
MAX_UPLOADS = 50
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UPLOAD = re.compile(r"[0-9a-f]{16}")

router = APIRouter(prefix="/api/v1/sessions/{session_id}/media", tags=["media"])


def _header_number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not is_number(value, 15):
        raise Problem(400, "header-missing", "A header is missing", f"{name} must be a whole number.")
    return int(value)


@router.put("/{track}/chunks/{number}", status_code=201)
async def put_chunk(
    request: Request, response: Response, who: AsCandidate, session_id: str, track: str, number: int
) -> dict[str, Any]:
    """Store a numbered chunk of a recording: 201 when stored, 200 when it was there already."""
    status, stored = await store_chunk(request.app.state.platform, who, request, track, number)
    response.status_code = status
    return stored


async def _announced(
    platform: Any, who: CandidateToken, request: Request, track: str, number: int
) -> tuple[Session, int, int]:
    """The session of a chunk, its part and when that began (ms); refused before any byte is read."""
    session: Session = await platform.sessions.of_candidate(who)
    part = _header_number(request, "x-recording-part")
    started = _header_number(request, "x-part-started-at")
    platform.media.check_allowed(session, track, number, part)
    return session, part, started


async def store_chunk(
    platform: Any, who: CandidateToken, request: Request, track: str, number: int
) -> tuple[int, dict[str, Any]]:
    """The work of :func:`put_chunk`: the status, and what is stored."""
    session, part, started = await _announced(platform, who, request, track, number)
    data = await read_body(request, platform.settings.max_chunk_bytes, "chunk")
    stored, new = await platform.media.take(
        session,
        track,
        number,
        part=part,
        part_started_at=started,
        content_type=request.headers.get("content-type", ""),
        digest=request.headers.get("content-digest", ""),
        data=data,
    )
    await _came_in(platform, session, track, new)
    return (201 if new else 200), stored


@router.post("/{track}/uploads")
async def ask_uploads(
    request: Request, who: AsCandidate, session_id: str, track: str, first: int, count: int = 1
) -> dict[str, Any]:
    """Where the page may ``PUT`` its next MP4 chunks straight into the store; ``uploads`` null where the server takes them."""
    platform = request.app.state.platform
    session = await platform.sessions.of_candidate(who)
    platform.media.check_allowed(session, track, first, 0)
    if not 1 <= count <= MAX_UPLOADS:
        raise Problem(400, "bad-count", "Too many links at once", f"Ask for 1 to {MAX_UPLOADS}.")
    return {
        "uploads": await platform.media.upload_links(session, track, range(first, first + count)),
        "valid_ms": UPLOAD_SECONDS * 1000,
    }


@router.post("/{track}/chunks/{number}/uploaded", status_code=201)
async def chunk_uploaded(
    request: Request,
    response: Response,
    who: AsCandidate,
    session_id: str,
    track: str,
    number: int,
    upload: str,
    digest: str,
) -> dict[str, Any]:
    """Link a chunk that was put into the store. The body is the chunk without the content of its ``mdat`` boxes.

    ``upload`` is the id that came with the link, ``digest`` the chunk's SHA-256, 64 hex digits.
    """
    status, stored = await link_chunk(request.app.state.platform, who, request, track, number)
    response.status_code = status
    return stored


async def link_chunk(
    platform: Any, who: CandidateToken, request: Request, track: str, number: int
) -> tuple[int, dict[str, Any]]:
    """The work of :func:`chunk_uploaded`: the status, and what is stored."""
    session, part, started = await _announced(platform, who, request, track, number)
    if not platform.settings.media_direct:
        raise Problem(409, "not-direct", "Chunks are sent to the server here", what_to_do="PUT the chunk to us.")
    upload, digest = request.query_params.get("upload", ""), request.query_params.get("digest", "")
    if not _UPLOAD.fullmatch(upload) or not _SHA256.fullmatch(digest):
        raise Problem(
            400,
            "upload-missing",
            "It is not said what was uploaded",
            "Expected upload=ID, as it came with the link, and digest=SHA-256 of the chunk, 64 hex digits.",
        )
    index = await read_body(request, MAX_INDEX_BYTES, "index of the chunk")
    stored, new = await platform.media.take_uploaded(
        session, track, number, part=part, part_started_at=started, upload=upload, digest=digest, index=index
    )
    await _came_in(platform, session, track, new)
    return (201 if new else 200), stored


async def _came_in(platform: Any, session: Session, track: str, new: bool) -> None:
    if new:  # a page can send what it has sent as often as it likes
        platform.timekeeper.chunk_came(session, track)
    if session.finish_requested_at is not None:
        await platform.sessions.complete_if_all_in(session)


def _check_track(track: str) -> None:
    if track not in TRACKS:
        raise not_found("track")


@router.get("/{track}")
async def get_track(request: Request, who: AsStaff, session_id: str, track: str) -> dict[str, Any]:
    """What is recorded of a track: unbroken spans, gaps, and where they lie on the playlist."""
    _check_track(track)
    platform = request.app.state.platform
    session = await platform.sessions.fresh(who.organization_id, session_id)
    found: dict[str, Any] = await platform.media.track(session, track)
    return found


@router.get("/{track}/index.m3u8", response_class=Response)
async def get_playlist(request: Request, who: AsStaff, session_id: str, track: str) -> Response:
    """The track as HLS, while the exam runs and afterwards."""
    _check_track(track)
    platform = request.app.state.platform
    session = await platform.sessions.fresh(who.organization_id, session_id)
    listed = await platform.media.segments(session, track)
    if not listed:
        raise Problem(
            404, "nothing-recorded", "Nothing is recorded yet", f"There is no {track} recording of this session."
        )
    folder = request.url.path.rsplit("/", 1)[0]
    lifetime = platform.settings.signed_link_minutes * 60_000

    def link(name: str) -> str:
        signed: str = platform.signer.sign_path(f"{folder}/{name}", lifetime)
        return signed.removeprefix(f"{folder}/")

    text = render(listed, complete=session.state in ("completed", "terminated", "expired"), link=link)
    return Response(text, media_type="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"})


async def _chunk_bytes(request: Request, who: Any, session_id: str, track: str, number: int, init: bool) -> Response:
    _check_track(track)
    platform = request.app.state.platform
    chunk = await platform.media.repository.get(who.organization_id if who else None, session_id, track, number)
    if chunk is None or (init and not chunk.init_size):
        raise not_found("segment")
    if not init and (link := await platform.media.segment_link(chunk)):
        return RedirectResponse(link, 307, {"Cache-Control": "no-store"})
    data = await platform.media.bytes_of(chunk, init=init)
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(data, media_type="video/mp4", headers=headers)


@router.get("/{track}/{number}.init.mp4", response_class=Response)
async def get_init(request: Request, who: AsStaffOrLink, session_id: str, track: str, number: int) -> Response:
    """The init segment of a part."""
    return await _chunk_bytes(request, who, session_id, track, number, True)


@router.get("/{track}/{number}.m4s", response_class=Response)
async def get_segment(request: Request, who: AsStaffOrLink, session_id: str, track: str, number: int) -> Response:
    """The media of a chunk."""
    return await _chunk_bytes(request, who, session_id, track, number, False)
