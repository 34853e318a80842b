"""What a candidate's page is told: the room object of the API."""

from typing import Any

from openproctor.accounts.service import Accounts
from openproctor.clock import now_ms
from openproctor.sessions.consent import consent_text
from openproctor.sessions.repository import Session
from openproctor.sessions.service import Sessions

# {track: (last chunk number, last part)}, -1 where there is none; media registers this
LastChunks = Any


class Rooms:
    """Makes room objects."""

    def __init__(self, sessions: Sessions, accounts: Accounts) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self.last_chunks: LastChunks = None
        # whether pages may send recordings straight to the store; the assembly knows
        self.direct_upload = False

    async def room(self, session: Session) -> dict[str, Any]:
        """Everything the page needs to show where the candidate stands."""
        organization = await self._accounts.organization(session.organization_id)
        checks = await self._sessions.checks(session)
        last = await self.last_chunks(session) if self.last_chunks else {}
        return {
            "session_id": session.id,
            "state": session.state,
            "server_time": now_ms(),
            "exam": {"title": session.exam_title, "url": session.exam_url},
            "candidate": {"name": session.name},
            "organization": {"name": organization.name},
            "attempt": session.attempt,
            "policy": session.policy.model_dump(mode="json"),
            "checks": [{"id": c.id, "state": c.state} for c in checks],
            "started_at": session.started_at,
            "deadline_at": session.deadline_at,
            "finish_requested_at": session.finish_requested_at,
            "recorded_numbers": {track: numbers[0] for track, numbers in last.items()},
            "last_part": {track: numbers[1] for track, numbers in last.items()},
            "direct_upload": self.direct_upload,
            "consent": consent_text(session.policy, organization.name, session.exam_title),
        }
