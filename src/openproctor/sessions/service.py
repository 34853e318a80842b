"""Rules of a session: make it, join it, take its page's events, start, finish, complete."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from openproctor.accounts.principal import CANDIDATE_TOKEN, CandidateToken
from openproctor.accounts.signing import Signer, TokenExpired, TokenInvalid
from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.errors import Problem
from openproctor.eventlog.accept import FUTURE_MS, MAX_SEQUENCE, Refusal, WireBatch, accept, accept_plain, is_stream
from openproctor.eventlog.entries import Append, Change, NewEvent, Receipt
from openproctor.eventlog.repository import EventRepository
from openproctor.eventlog.streams import MAX_STREAMS
from openproctor.eventlog.writer import LogWriter
from openproctor.exams.service import Exam
from openproctor.ids import new_id
from openproctor.sessions.checks import CHECK_TYPES, CheckState, check_states, open_checks
from openproctor.sessions.known import KnownSessions
from openproctor.sessions.repository import Session, SessionRepository
from openproctor.sessions.states import IN_EXAM, OPEN, OVER
from openproctor.storage.bus import Bus
from openproctor.storage.database import database_away

logger = structlog.get_logger(__name__)

JOIN_TOKEN = "join"
READ_SECONDS = 3.0
HOUR_MS = 3_600_000

# asked before an event is taken that the server must confirm: one line of what is missing, or None
Confirm = Callable[[Session, NewEvent], Awaitable[str | None]]
# what can never be filled of the recordings, given the missing numbers of a manifest: events 1060
Gaps = Callable[[Session, dict[str, list[int]]], Awaitable[list[NewEvent]]]
# chunks of a manifest ({track: last number}) that are not stored
MissingChunks = Callable[[Session, dict[str, int]], Awaitable[dict[str, list[int]]]]


class Sessions:
    """Everything that may happen to a session, apart from its socket."""

    def __init__(
        self,
        repository: SessionRepository,
        events: EventRepository,
        log: LogWriter,
        bus: Bus,
        signer: Signer,
        settings: Settings,
    ) -> None:
        self.repository = repository
        self.events = events
        self.log = log
        self.known = KnownSessions(bus)
        self._signer = signer
        self._settings = settings
        self.confirm: dict[int, Confirm] = {}
        self.confirm_evidence: Confirm | None = None
        self.missing_chunks: MissingChunks | None = None
        self.gaps: Gaps | None = None
        # awaited once a session is completed
        self.completed: list[Callable[[Session], Awaitable[Any]]] = []

    # -- making and reading ------------------------------------------------------------------------------------

    async def create(
        self, exam: Exam, external_id: str, name: str, email: str | None, attempt: int
    ) -> tuple[Session, bool]:
        """The session of an attempt, and whether it was made now. The same attempt again gives the same session."""
        existing = await self.repository.find(exam.id, external_id, attempt)
        if existing:
            return existing, False
        made = await self.repository.add(
            {
                "id": new_id(),
                "organization_id": exam.organization_id,
                "exam_id": exam.id,
                "external_id": external_id,
                "name": name,
                "email": email,
                "attempt": attempt,
                "state": "created",
                "policy": exam.policy.model_dump_json(),
                "created_at": now_ms(),
            }
        )
        found = await self.repository.find(exam.id, external_id, attempt)
        assert found is not None
        return found, made

    def join_url(self, session: Session, base: str) -> str:
        """A link with a signed token that is bound to this session and expires."""
        lifetime = self._settings.join_link_hours * HOUR_MS
        token = self._signer.token(JOIN_TOKEN, {"sub": session.id, "org": session.organization_id}, lifetime)
        return f"{base}/join/{token}"

    async def get(self, organization_id: str, session_id: str) -> Session:
        """One session, as known here; for the paths that are taken many times a second."""
        known = self.known.get(organization_id, session_id)
        if known is not None:
            return known
        try:
            # a database that stands still must not stop a page's heartbeats from being heard
            async with asyncio.timeout(READ_SECONDS):
                return await self.fresh(organization_id, session_id)
        except TimeoutError:
            raise database_away() from None

    async def fresh(self, organization_id: str, session_id: str) -> Session:
        """One session as it is now."""
        asked = time.monotonic()
        session = await self.repository.get(organization_id, session_id)
        self.known.keep(session, asked)
        return session

    async def checks(self, session: Session) -> list[CheckState]:
        """Which checks are passed."""
        events = await self.events.of_types(session.organization_id, session.id, CHECK_TYPES)
        return check_states(session.policy, events)

    # -- joining -----------------------------------------------------------------------------------------------

    def read_join_token(self, token: str) -> tuple[str, str]:
        """Organization and session of a join token, or of the token of a page that had joined (a reload)."""
        try:
            claims = self._signer.read(JOIN_TOKEN, token)
        except TokenExpired:
            raise Problem(
                410,
                "join-token-expired",
                "This link has expired",
                "The link was good for a limited time, which is over.",
                what_to_do="Open the exam from your course again, or ask your exam office for a new link.",
            ) from None
        except TokenInvalid:
            try:
                claims = self._signer.read(CANDIDATE_TOKEN, token)
            except (TokenExpired, TokenInvalid):
                raise Problem(
                    401,
                    "join-token-invalid",
                    "This link does not work",
                    "The link is incomplete or was changed.",
                    what_to_do="Copy the whole link, or ask your exam office for a new one.",
                ) from None
        return claims["org"], claims["sub"]

    async def join(self, token: str, device: str, user_agent: str, connected: bool) -> tuple[Session, str, int]:
        """Let a page in: the session, the page's own token, and when that expires.

        ``connected`` says whether a socket of this session is open now: another browser has to wait then.
        """
        organization_id, session_id = self.read_join_token(token)
        session = await self.fresh(organization_id, session_id)
        if session.state in OVER:
            raise session_over(session)
        if session.device and session.device != device and connected:
            raise Problem(
                409,
                "open-elsewhere",
                "The exam is open in another browser",
                "Only one browser can take part at a time.",
                what_to_do="Close the exam in the other browser or computer, wait a few seconds, and try again.",
            )
        now = now_ms()
        data: dict[str, Any] = {"rejoin": session.joined_at is not None, "user_agent": user_agent[:500]}
        if session.device and session.device != device:
            data["new_device"] = True
        values: dict[str, Any] = {"device": device, "joined_at": session.joined_at or now}
        if session.state == "created":
            values["state"] = "checking"
        receipt = await self.log.append(
            Append(
                session.id,
                organization_id,
                [NewEvent(3, "server", now, data)],
                changes=[Change("sessions", values, {"id": session.id, "state": list(OPEN)})],
            )
        )
        if data.get("new_device"):
            session = await self.look_again(session)  # the other browser's server must not go on taking from it
        else:
            session = await self.fresh(organization_id, session_id)
        if not receipt.applied:
            raise session_over(session)
        lifetime = self._settings.candidate_token_hours * HOUR_MS
        claims = {"sub": session.id, "org": organization_id, "dev": device}
        return session, self._signer.token(CANDIDATE_TOKEN, claims, lifetime), now + lifetime

    async def of_candidate(self, who: CandidateToken) -> Session:
        """The session of a candidate's page; 410 when it is over, 409 when another device took over."""
        session = await self.get(who.organization_id, who.session_id)
        if session.state not in IN_EXAM or session.device != who.device:
            # it may have been started, or joined again, at another server a moment ago
            session = await self.fresh(who.organization_id, who.session_id)
            if session.state in OVER:
                raise session_over(session)
            check_device(session, who)
        return session

    # -- events ------------------------------------------------------------------------------------------------

    async def take_events(self, session: Session, batch: WireBatch) -> tuple[Any, list[int], list[Refusal]]:
        """Check a page's batch and queue what is accepted.

        Returns the future of the commit (or ``None``), the client sequence numbers that it will acknowledge, and the refusals.
        """
        latest, earliest = now_ms() + FUTURE_MS, session.created_at - FUTURE_MS
        page = accept_plain(batch, latest, earliest, self.confirm.keys())
        if page is not None and page.events:
            future = self.log.append(Append(session.id, session.organization_id, page=page))
            return future, [event[0] for event in page.events], []
        accepted, refused = accept(batch, latest, earliest)
        taken: list[NewEvent] = []
        for event in accepted:
            complaint = await self._unconfirmed(session, event)
            if complaint:
                assert event.client_sequence is not None
                refused.append(
                    Refusal(event.client_sequence, "not-confirmed", "The server cannot confirm this", complaint)
                )
            else:
                taken.append(event)
        # nobody is to wait at the end for what was refused
        numbers = [refusal.seq for refusal in refused if 1 <= refusal.seq <= MAX_SEQUENCE]
        if not taken and not numbers:
            return None, [], refused
        future = self.log.append(
            Append(session.id, session.organization_id, taken, refused=(batch.stream, numbers) if numbers else None)
        )
        return future, [e.client_sequence for e in taken if e.client_sequence is not None], refused

    async def _unconfirmed(self, session: Session, event: NewEvent) -> str | None:
        if self.confirm_evidence and (event.evidence or "evidence_id" in event.data or "evidence_ids" in event.data):
            complaint = await self.confirm_evidence(session, event)
            if complaint:
                return complaint
        confirm = self.confirm.get(event.type_id)
        return await confirm(session, event) if confirm else None

    async def append(self, session: Session, *events: NewEvent, changes: list[Change] | None = None) -> Receipt:
        """Write events of the server, the analysis or a person, together with changes of state."""
        receipt = await self.log.append(
            Append(session.id, session.organization_id, list(events), changes=changes or [])
        )
        if any(change.table == "sessions" for change in changes or []):
            self.known.changed(session.id)
        return receipt

    # -- the exam's course ---------------------------------------------------------------------------------------

    async def start(self, session: Session) -> Session:
        """Open the exam once every check is passed. Starting again does nothing."""
        session = await self.fresh(session.organization_id, session.id)
        if session.state in IN_EXAM:
            return session
        still_open = open_checks(session.policy, await self.checks(session))
        if still_open:
            raise Problem(
                409,
                "checks-open",
                "Some checks are not done yet",
                f"Open: {', '.join(still_open)}.",
                what_to_do="Finish these checks, then start the exam.",
                open=still_open,
            )
        now = now_ms()
        deadline = now + session.policy.minutes * 60_000 if session.policy.minutes else None
        await self.append(
            session,
            NewEvent(1070, "server", now, {"deadline": deadline} if deadline else {}),
            changes=[
                Change(
                    "sessions",
                    {"state": "running", "started_at": now, "deadline_at": deadline},
                    {"id": session.id, "state": ["checking", "waiting"]},
                )
            ],
        )
        return await self.look_again(session)

    async def finish(self, session: Session, outcome: str, manifest: dict[str, Any] | None) -> Session:
        """The exam is over for the candidate; it is completed once everything of the manifest is in."""
        session = await self.fresh(session.organization_id, session.id)
        if session.state in OVER:
            return session
        if session.state not in IN_EXAM:
            raise Problem(409, "not-started", "The exam has not started", f"The session is {session.state}.")
        if manifest is not None:
            await self.repository.set_manifest(session, manifest)
        if session.finish_requested_at is None:
            data: dict[str, Any] = {"outcome": outcome}
            if manifest is not None:
                data["expected"] = manifest
            now = now_ms()
            await self.append(
                session,
                NewEvent(1071, "server", now, data),
                changes=[
                    Change(
                        "sessions",
                        {"finish_requested_at": now, "outcome": outcome},
                        {"id": session.id, "finish_requested_at": None},
                    )
                ],
            )
        session = await self.look_again(session)
        return await self.complete_if_all_in(session)

    async def missing(self, session: Session) -> dict[str, Any]:
        """What of the manifest is not stored: ``{events: n, chunks: {track: [numbers]}}``."""
        manifest = session.manifest or {}
        head = await self.events.head(session.organization_id, session.id)
        events = sum(head.streams.missing(s, last) for s, last in manifest.get("streams", {}).items())
        chunks = {}
        if self.missing_chunks:
            chunks = await self.missing_chunks(session, manifest.get("tracks", {}))
        if chunks:
            given_up = await self._given_up(session)
            chunks = {track: [n for n in numbers if (track, n) not in given_up] for track, numbers in chunks.items()}
        return {"events": events, "chunks": {track: numbers for track, numbers in chunks.items() if numbers}}

    async def _given_up(self, session: Session) -> set[tuple[str, int]]:
        """Chunks that the page says can never come: the log has them as gaps, so nobody waits for them."""
        gaps = await self.events.of_types(session.organization_id, session.id, [1060])
        return {(gap.data["track"], number) for gap in gaps for number in gap.data.get("numbers", [])}

    async def complete_if_all_in(self, session: Session, *, anyway: bool = False) -> Session:
        """Write 113 and close the session when nothing is missing, or ``anyway`` when waiting is over."""
        if session.state not in IN_EXAM or session.finish_requested_at is None:
            return session
        missing = await self.missing(session)
        lacking = sum(len(numbers) for numbers in missing["chunks"].values())
        if not anyway and (session.manifest is None or missing["events"] or lacking):
            return session
        head = await self.events.head(session.organization_id, session.id)
        now = now_ms()
        gaps = await self.gaps(session, missing["chunks"]) if self.gaps else []
        receipt = await self.append(
            session,
            *gaps,
            NewEvent(
                113,
                "server",
                now,
                {"outcome": session.outcome or "finished", "events": head.sequence + len(gaps) + 1, "missing": lacking},
            ),
            changes=[
                Change(
                    "sessions",
                    {"state": "completed", "completed_at": now},
                    {"id": session.id, "state": list(IN_EXAM)},
                )
            ],
        )
        if not receipt.applied:
            return await self.look_again(session)  # another server was first
        logger.info("session completed", session_id=session.id, outcome=session.outcome, missing=lacking)
        session = await self.look_again(session)
        for follow in self.completed:
            await follow(session)
        return session

    async def look_again(self, session: Session) -> Session:
        """The session after a change, of which everybody is told."""
        self.known.tell(session.id)
        return await self.fresh(session.organization_id, session.id)


def check_device(session: Session, who: CandidateToken) -> None:
    """Refuse a page that another device has replaced: :class:`Problem` 409."""
    if session.device != who.device:
        raise Problem(
            409,
            "open-elsewhere",
            "The exam goes on in another browser",
            "This page was replaced by one in another browser.",
            what_to_do="Go on there, or open the exam's link here again.",
        )


def session_over(session: Session) -> Problem:
    """The answer to a page whose session is over."""
    return Problem(
        410,
        "session-over",
        "This exam is over",
        f"The session is {session.state}.",
        what_to_do="Nothing more is needed. If you think that this is wrong, write to your exam office.",
        state=session.state,
    )


def decode_manifest(body: Any) -> dict[str, Any]:
    """Check the manifest's form: ``{streams: {name: last}, tracks: {camera|screen: last}}``; :class:`Problem` 400 else."""

    class Manifest(msgspec.Struct):
        streams: dict[str, int] = {}
        tracks: dict[str, int] = {}

    try:
        manifest = msgspec.convert(body, Manifest)
    except msgspec.ValidationError as error:
        raise Problem(400, "malformed-manifest", "This is not a manifest", str(error)) from error
    if set(manifest.tracks) - {"camera", "screen"} or any(not 0 <= n < 10_000_000 for n in manifest.streams.values()):
        raise Problem(400, "malformed-manifest", "This is not a manifest", "tracks are camera and screen.")
    if len(manifest.streams) > MAX_STREAMS or not all(map(is_stream, manifest.streams)):
        raise Problem(
            400,
            "malformed-manifest",
            "This is not a manifest",
            f"streams are {MAX_STREAMS} at most, with names as sent.",
        )
    if any(not -1 <= n < 1_000_000 for n in manifest.tracks.values()):
        raise Problem(400, "malformed-manifest", "This is not a manifest", "a track's last number is out of range.")
    return {"streams": manifest.streams, "tracks": manifest.tracks}
