"""Granting accommodations to one session: into its row and, with author and reason, into its log, together."""

from typing import Any

import msgspec

from openproctor.clock import now_ms
from openproctor.errors import Problem
from openproctor.eventlog.entries import Change, NewEvent
from openproctor.exams.accommodations import Author, NewAccommodation, granted
from openproctor.sessions.repository import Session
from openproctor.sessions.service import Sessions
from openproctor.sessions.states import OPEN, OVER

SET = 1096
TRIES = 5


async def accommodate(sessions: Sessions, session: Session, wanted: list[NewAccommodation], author: Author) -> Session:
    """Replace the accommodations of a session. They hold for every chunk that is stored from now on.

    Raises :class:`Problem` 422 for what cannot be accommodated, 409 when the session is over.
    """
    for _ in range(TRIES):
        if session.state in OVER:
            raise Problem(
                409,
                "session-over",
                "The session is over",
                f"The session is {session.state}: what was found stays as it is.",
                what_to_do="Say why in the review of the findings.",
            )
        before = accommodations_of(session)
        now = now_ms()
        kept = granted(wanted, author, now, before)
        if kept == before:
            return session
        data: dict[str, Any] = {"accommodations": kept, "by": author.name[:200]}
        if author.person_id is not None:
            data["person"] = author.person_id
        receipt = await sessions.append(
            session,
            NewEvent(SET, "person" if author.person_id is not None else "server", now, data),
            changes=[
                Change(
                    "sessions",
                    {"accommodations": msgspec.json.encode(kept).decode()},
                    {"id": session.id, "accommodations": session.accommodations, "state": list(OPEN)},
                )
            ],
        )
        session = await sessions.look_again(session)
        if receipt.applied:
            return session
        # somebody else was quicker: what they granted is replaced as well, and both stand in the log
    raise Problem(409, "changed-meanwhile", "Somebody else changes the accommodations", "Look at them and try again.")


def accommodations_of(session: Session) -> list[dict[str, Any]]:
    """Accommodations that hold now."""
    found: list[dict[str, Any]] = msgspec.json.decode(session.accommodations) if session.accommodations else []
    return found
