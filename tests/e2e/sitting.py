"""The session as an examination system sees it, over the API."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.live import LiveServer

T = TypeVar("T")


def until(look: Callable[[], T | None], what: str, within_s: float = 30.0, every_s: float = 0.2) -> T:
    """What ``look`` returns once it is truthy; AssertionError naming ``what`` when that takes too long."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s:.0f} s")
        time.sleep(every_s)


Event = dict[str, Any]


class Integrator:
    """An examination system with an API key."""

    def __init__(self, server: LiveServer) -> None:
        self.http = server.client()

    def get(self, path: str, **query: Any) -> Any:
        """A JSON answer; AssertionError with the body if the request is refused."""
        answer = self.http.get(f"/api/v1{path}", params=query)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """A JSON answer; AssertionError with the body if the request is refused."""
        answer = self.http.post(f"/api/v1{path}", json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def invite(self, policy: dict[str, Any], url: str | None = "/sample-exam/", name: str = "Ada Sample") -> "Sitting":
        """A new exam with this policy and one candidate's session of it."""
        exam = self.post("/exams", {"title": "Algebra, first term", "url": url, "policy": policy})
        session = self.post(
            "/sessions", {"exam_id": exam["id"], "candidate": {"external_id": exam["id"], "name": name}}
        )
        return Sitting(self, session["id"], session["join_url"])


class Sitting:
    """One session as the integrator sees it."""

    def __init__(self, integrator: Integrator, session_id: str, join_url: str) -> None:
        self.integrator = integrator
        self.id = session_id
        self.join_url = join_url

    @property
    def state(self) -> str:
        """The session's state now."""
        return str(self.look()["state"])

    def look(self) -> Event:
        """The session object."""
        found: Event = self.integrator.get(f"/sessions/{self.id}")
        return found

    def events(self, *type_ids: int) -> list[Event]:
        """The log so far, of these types if any are named, in order."""
        items: list[Event] = []
        after: int | None = 0
        while after is not None:
            page = self.integrator.get(f"/sessions/{self.id}/events", after=after, limit=1000)
            items += page["items"]
            after = page["next"]
        return [event for event in items if not type_ids or event["type_id"] in type_ids]

    def stills(self) -> list[Event]:
        """All stills of the session."""
        items: list[Event] = self.integrator.get(f"/sessions/{self.id}/captures")["items"]
        return items

    def count(self, type_id: int) -> int:
        """How many events of a type there are."""
        return len(self.events(type_id))

    def wait_for(self, type_id: int, more_than: int = 0, within_s: float = 30.0, **data: Any) -> Event:
        """The newest event of the type whose data has these values, once there are more than ``more_than`` such."""

        def look() -> Event | None:
            found = [e for e in self.events(type_id) if all(e["data"].get(k) == v for k, v in data.items())]
            return found[-1] if len(found) > more_than else None

        try:
            return until(look, f"event {type_id} {data or ''}", within_s)
        except AssertionError as error:
            log = ", ".join(f"{e['type_id']}{e['data'] if e['type_id'] == type_id else ''}" for e in self.events())
            raise AssertionError(f"{error}; the log: {log}") from None

    def wait_for_state(self, state: str, within_s: float = 30.0) -> None:
        """Until the session is in a state."""
        until(lambda: self.state == state, f"state {state}", within_s)
