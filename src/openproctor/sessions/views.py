"""A session as staff see it."""

from typing import Any

from openproctor.catalog import CATALOG
from openproctor.eventlog.repository import HeadState, StoredEvent
from openproctor.sessions.accommodations import accommodations_of
from openproctor.sessions.checks import CheckState
from openproctor.sessions.repository import Session


def count_findings(counts: dict[int, int], stake: str) -> dict[str, int]:
    """Events by severity at the exam's stake."""
    by_severity = {"high": 0, "medium": 0, "low": 0, "info": 0}
    for type_id, count in counts.items():
        kind = CATALOG.types.get(type_id)
        by_severity[kind.severity[stake] if kind else "info"] += count
    return by_severity


def session_view(
    session: Session,
    head: HeadState,
    connected: bool,
    *,
    checks: list[CheckState] | None = None,
    tracks: list[dict[str, Any]] | None = None,
    join_url: str | None = None,
) -> dict[str, Any]:
    """The session object of the API; the list leaves checks, tracks, accommodations and the policy out."""
    view: dict[str, Any] = {
        "id": session.id,
        "state": session.state,
        "exam": {"id": session.exam_id, "title": session.exam_title, "url": session.exam_url},
        "candidate": {"external_id": session.external_id, "name": session.name, "email": session.email},
        "attempt": session.attempt,
        "created_at": session.created_at,
        "joined_at": session.joined_at,
        "started_at": session.started_at,
        "deadline_at": session.deadline_at,
        "finish_requested_at": session.finish_requested_at,
        "completed_at": session.completed_at,
        "outcome": session.outcome,
        "connected": connected,
        "findings": count_findings(head.counts, session.policy.stake),
        "last_sequence": head.sequence,
    }
    if checks is not None:
        view["policy"] = session.policy.model_dump(mode="json")
        view["checks"] = [
            {"id": c.id, "state": c.state, "at": c.at, "event_sequence": c.event_sequence} for c in checks
        ]
        view["tracks"] = tracks or []
        view["accommodations"] = accommodations_of(session)
    if join_url is not None:
        view["join_url"] = join_url
    return view


def event_view(event: StoredEvent, stake: str, evidence: list[dict[str, Any]]) -> dict[str, Any]:
    """The event object of the API."""
    kind = CATALOG.types.get(event.type_id)
    return {
        "sequence": event.sequence,
        "type_id": event.type_id,
        "name": kind.name if kind else f"Unknown type {event.type_id}",
        "source": event.source,
        "category": kind.category if kind else "evidence",
        "severity": kind.severity[stake] if kind else "info",
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "data": event.data,
        "evidence": evidence,
        "link": event.link,
    }
