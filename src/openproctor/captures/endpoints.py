"""Stills in and out."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from openproctor.accounts.principal import AsCandidate, AsStaff, AsStaffOrLink
from openproctor.bodies import announced_digest, check_bytes, is_number, read_body
from openproctor.errors import Problem, not_found

router = APIRouter(prefix="/api/v1/sessions/{session_id}/captures", tags=["captures"])


class RoomCheck(BaseModel):
    """The room pictures that belong together."""

    capture_ids: list[str] = Field(min_length=1, max_length=12)


class CaptureList(BaseModel):
    """Stills, oldest first."""

    items: list[dict[str, Any]]


@router.post("/room/check")
async def check_room(request: Request, who: AsCandidate, session_id: str, body: RoomCheck) -> dict[str, Any]:
    """Check the room pictures together."""
    platform = request.app.state.platform
    session = await platform.sessions.of_candidate(who)
    found: dict[str, Any] = await platform.captures.check_room(session, body.capture_ids)
    return found


@router.put("/{capture_id}", status_code=201)
async def put_capture(
    request: Request, response: Response, who: AsCandidate, session_id: str, capture_id: str, kind: str
) -> dict[str, Any]:
    """Store a still; one of the face or the document is checked at once."""
    platform = request.app.state.platform
    session = await platform.sessions.of_candidate(who)
    data = await read_body(request, platform.settings.max_capture_bytes, "still")
    announced = announced_digest(request.headers.get("content-digest", ""))
    check_bytes(announced, data)
    captured_at = request.headers.get("x-captured-at", "")
    if not is_number(captured_at, 15):
        raise Problem(400, "header-missing", "A header is missing", "x-captured-at must be a whole number.")
    stored, new = await platform.captures.take(session, capture_id, kind, int(captured_at), announced.hex(), data)
    if not new:
        response.status_code = 200
    result: dict[str, Any] = stored
    return result


@router.get("")
async def list_captures(request: Request, who: AsStaff, session_id: str) -> CaptureList:
    """All stills of a session."""
    platform = request.app.state.platform
    await platform.sessions.get(who.organization_id, session_id)
    return CaptureList(items=await platform.captures.of_session(who.organization_id, session_id))


@router.get("/{capture_id}/image", response_class=Response)
async def get_image(request: Request, who: AsStaffOrLink, session_id: str, capture_id: str) -> Response:
    """The picture."""
    platform = request.app.state.platform
    capture = await platform.captures.repository.get(who.organization_id if who else None, session_id, capture_id)
    if capture is None:
        raise not_found("still")
    headers = {"Cache-Control": "private, max-age=86400, immutable", "Content-Disposition": "inline"}
    return Response(await platform.captures.bytes_of(capture), media_type=capture.media_type, headers=headers)
