"""Sessions for integrators and the console."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from openproctor.accounts.principal import AsStaff, Staff
from openproctor.exams.accommodations import MOST, Author, NewAccommodation
from openproctor.sessions.accommodations import accommodate, accommodations_of
from openproctor.sessions.candidate_endpoints import sessions_of
from openproctor.sessions.repository import Session
from openproctor.sessions.states import OVER
from openproctor.sessions.views import event_view, session_view

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])


class Candidate(BaseModel):
    """Who sits the exam; ``external_id`` is the caller's own id."""

    model_config = ConfigDict(extra="forbid")

    external_id: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200)
    email: str | None = Field(None, max_length=320)


class NewSession(BaseModel):
    """What a new session needs."""

    model_config = ConfigDict(extra="forbid")

    exam_id: str
    candidate: Candidate
    attempt: int = Field(1, ge=1, le=1_000)
    accommodations: list[NewAccommodation] = Field(default_factory=list, max_length=MOST)


class Accommodations(BaseModel):
    """All accommodations of a session from now on; an empty list takes them back."""

    model_config = ConfigDict(extra="forbid")

    accommodations: list[NewAccommodation] = Field(max_length=MOST)


class Granted(BaseModel):
    """An accommodation that holds: what, how, why, by whom, since when (ms since 1970)."""

    type_ids: list[int]
    what: str
    factor: float | None = None
    reason: str
    by: str
    person: str | None
    at: int


class GrantedList(BaseModel):
    """The accommodations of a session."""

    accommodations: list[Granted]


class SessionPage(BaseModel):
    """Sessions, newest first; ``next`` is the cursor of the following page."""

    items: list[dict[str, Any]]
    next: str | None


class EventPage(BaseModel):
    """Events in order; ``next`` is the sequence to go on after, null at the end."""

    items: list[dict[str, Any]]
    next: int | None


@router.post("", status_code=201)
async def create_session(request: Request, response: Response, who: AsStaff, body: NewSession) -> dict[str, Any]:
    """Create the session of an attempt, or get it again (200) with a fresh join link."""
    platform = request.app.state.platform
    exam = await platform.exams.get(who.organization_id, body.exam_id)
    session, made = await platform.sessions.create(
        exam, body.candidate.external_id, body.candidate.name, body.candidate.email, body.attempt
    )
    if not made:
        response.status_code = 200
    if body.accommodations and session.accommodations is None and session.state not in OVER:
        # also of a session that exists: the call that made it may have ended half-way
        session = await accommodate(platform.sessions, session, body.accommodations, _author(who))
    head = await platform.events.head(who.organization_id, session.id)
    return session_view(
        session,
        head,
        bool(await platform.presence.connected_of([session.id])),
        checks=await platform.sessions.checks(session),
        tracks=await platform.media.tracks(session),
        join_url=platform.sessions.join_url(session, platform.base_url(request)),
    )


@router.get("")
async def list_sessions(
    request: Request,
    who: AsStaff,
    exam_id: str | None = None,
    state: str | None = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> SessionPage:
    """Sessions, newest first."""
    platform = request.app.state.platform
    found = await platform.sessions.repository.page(
        who.organization_id, exam_id=exam_id, state=state, text=q, before=cursor, limit=limit + 1
    )
    shown = found[:limit]
    heads = await platform.events.heads(who.organization_id, [s.id for s in shown])
    connected = await platform.presence.connected_of([s.id for s in shown])
    items = [session_view(s, heads[s.id], s.id in connected) for s in shown]
    return SessionPage(items=items, next=shown[-1].id if len(found) > limit else None)


@router.get("/{session_id}")
async def get_session(request: Request, who: AsStaff, session_id: str) -> dict[str, Any]:
    """One session."""
    platform = request.app.state.platform
    session = await sessions_of(request).fresh(who.organization_id, session_id)
    return session_view(
        session,
        await platform.events.head(who.organization_id, session_id),
        bool(await platform.presence.connected_of([session_id])),
        checks=await platform.sessions.checks(session),
        tracks=await platform.media.tracks(session),
    )


async def _own(request: Request, who: AsStaff, session_id: str) -> Session:
    """The session of the path; asked for before the body is looked at."""
    return await sessions_of(request).fresh(who.organization_id, session_id)


@router.put("/{session_id}/accommodations")
async def set_accommodations(
    request: Request, who: AsStaff, session: Annotated[Session, Depends(_own)], body: Accommodations
) -> GrantedList:
    """Switch findings off for one candidate, or relax them, from now on; with the reason, which goes into the log."""
    changed = await accommodate(sessions_of(request), session, body.accommodations, _author(who))
    return GrantedList(accommodations=[Granted(**one) for one in accommodations_of(changed)])


def _author(who: Staff) -> Author:
    return Author(who.name or who.email or "API key", who.person_id)


@router.get("/{session_id}/events")
async def list_events(
    request: Request,
    who: AsStaff,
    session_id: str,
    after: Annotated[int, Query(ge=0)] = 0,
    type_id: Annotated[list[int] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
) -> EventPage:
    """Events with a sequence above ``after``."""
    platform = request.app.state.platform
    session = await sessions_of(request).get(who.organization_id, session_id)
    found = await platform.events.page(who.organization_id, session_id, after=after, type_ids=type_id, limit=limit + 1)
    shown = found[:limit]
    items = [
        event_view(event, session.policy.stake, [platform.captures.reference(session_id, e) for e in event.evidence])
        for event in shown
    ]
    return EventPage(items=items, next=shown[-1].sequence if len(found) > limit else None)
