"""What the log says of a session's recordings."""

from openproctor.eventlog.repository import EventRepository, StoredEvent
from openproctor.sessions.repository import Session

STARTED, STOPPED = 13, 14


async def last_told(log: EventRepository, session: Session) -> dict[str, StoredEvent]:
    """By track the newest event that says that its recording began or stopped."""
    told = await log.of_types(session.organization_id, session.id, [STARTED, STOPPED])
    return {event.data["track"]: event for event in told}
