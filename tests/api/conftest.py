"""One real server for the tests of the API; each test has an exam and a candidate of its own."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.live import LiveServer
from tests.page import Page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without workers: what the analysis adds is tested elsewhere."""
    with LiveServer(tmp_path_factory.mktemp("api"), workers=0, heartbeat_ms=400, heartbeat_limit_ms=1200) as live:
        yield live


@pytest.fixture(scope="module")
def staff(server: LiveServer) -> Iterator[httpx.Client]:
    """An integrator with a key."""
    with server.client() as client:
        yield client


@pytest.fixture
def new_session(staff: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Makes an exam with a policy, and a session of a candidate nobody else has."""

    def make(**policy: Any) -> dict[str, Any]:
        exam = staff.post("/api/v1/exams", json={"title": "Algebra", "url": "/sample-exam/", "policy": policy}).json()
        candidate = {"external_id": secrets.token_hex(6), "name": "Ada"}
        answer = staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": candidate})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return make


@pytest.fixture
def page(server: LiveServer, new_session: Callable[..., dict[str, Any]]) -> Page:
    """A candidate's page that has joined an exam without checks, and started it."""
    joined = Page(server.url, new_session(checks=[], offline_ms=1000, recording_stall_ms=3000)["join_url"])
    assert joined.join().status_code == 200
    assert joined.http.post(joined.path("start"), json={}).status_code == 200
    return joined


@pytest.fixture
def events_of(staff: httpx.Client) -> Callable[..., list[dict[str, Any]]]:
    """Reads a session's events through the API."""

    def read(session_id: str, *types: int) -> list[dict[str, Any]]:
        answer = staff.get(f"/api/v1/sessions/{session_id}/events", params={"type_id": list(types)})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    return read
