"""What a candidate's page calls: join, room, events over HTTP, start, finish."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from openproctor.accounts.principal import AsCandidate, CandidateToken
from openproctor.bodies import read_body
from openproctor.eventlog.accept import check_written, read_batch
from openproctor.sessions.service import Sessions, check_device, decode_manifest
from openproctor.sessions.states import OVER

router = APIRouter(prefix="/api/v1", tags=["candidate"])


class Join(BaseModel):
    """A join token (or, after a reload, the candidate's token) and the browser's own random id."""

    token: str = Field(max_length=4_000)
    device: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")


class Joined(BaseModel):
    """The page's own token, and the room."""

    session_id: str
    candidate_token: str
    expires_at: int
    room: dict[str, Any]


class Acknowledged(BaseModel):
    """Numbers that are stored, and events that were refused, each with its problem."""

    acknowledged: list[int]
    refused: list[dict[str, Any]]


class Finish(BaseModel):
    """How the exam ended and what the page has sent in all."""

    outcome: Literal["finished", "time_up"] = "finished"
    manifest: dict[str, Any]


class Finished(BaseModel):
    """Where the session stands and what is still missing of the manifest."""

    state: str
    missing: dict[str, Any]


def sessions_of(request: Request) -> Sessions:
    """The application's sessions."""
    found: Sessions = request.app.state.platform.sessions
    return found


@router.post("/join")
async def join(request: Request, body: Join) -> Joined:
    """Let a candidate's page in."""
    platform = request.app.state.platform
    _, session_id = platform.sessions.read_join_token(body.token)
    connected = bool(await platform.presence.connected_of([session_id]))
    session, token, expires = await platform.sessions.join(
        body.token, body.device, request.headers.get("user-agent", ""), connected
    )
    return Joined(
        session_id=session.id, candidate_token=token, expires_at=expires, room=await platform.rooms.room(session)
    )


@router.get("/sessions/{session_id}/room")
async def room(request: Request, who: AsCandidate) -> dict[str, Any]:
    """Where the candidate stands."""
    session = await sessions_of(request).fresh(who.organization_id, who.session_id)
    if session.device == who.device:
        await request.app.state.platform.presence.asked(session)
    answer: dict[str, Any] = await request.app.state.platform.rooms.room(session)
    return answer


@router.post(
    "/sessions/{session_id}/events",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def post_events(request: Request, who: AsCandidate) -> Acknowledged:
    """A batch of events, for when sockets are blocked. Answered once it is on the disk."""
    platform = request.app.state.platform
    body = await read_body(request, platform.settings.max_batch_bytes, "batch")
    return Acknowledged(**await take_batch(platform, who, body))


async def take_batch(platform: Any, who: CandidateToken, body: bytes) -> dict[str, Any]:
    """The work of :func:`post_events`: ``{acknowledged, refused}``."""
    session = await platform.sessions.of_candidate(who)
    batch = read_batch(body)
    future, numbers, refused = await platform.sessions.take_events(session, batch)
    if future is not None:
        check_written(await future)
    if session.finish_requested_at is not None:
        await platform.sessions.complete_if_all_in(session)
    return {"acknowledged": numbers, "refused": [r.document() for r in refused]}


@router.post("/sessions/{session_id}/start")
async def start(request: Request, who: AsCandidate) -> dict[str, Any]:
    """Open the exam: every check of the policy must be passed."""
    platform = request.app.state.platform
    session = await platform.sessions.start(await platform.sessions.of_candidate(who))
    platform.timekeeper.watch(session)
    answer: dict[str, Any] = await platform.rooms.room(session)
    return answer


@router.post("/sessions/{session_id}/finish")
async def finish(request: Request, who: AsCandidate, body: Finish) -> Finished:
    """End the exam. May be called again until nothing is missing."""
    sessions = sessions_of(request)
    session = await sessions.fresh(who.organization_id, who.session_id)
    if session.state not in OVER:
        check_device(session, who)
        session = await sessions.finish(session, body.outcome, decode_manifest(body.manifest))
    missing = {"events": 0, "chunks": {}} if session.state in OVER else await sessions.missing(session)
    return Finished(state=session.state, missing=missing)
