"""A real server, and recordings that are encoded once for all tests here."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from openproctor.simulation.candidate import Candidate
from openproctor.simulation.desktop import screen_frames
from openproctor.simulation.media import CAMERA, SCREEN, Blob, record
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound
from tests.live import LiveServer

SITTING = Script(8, spoken=((1, 4),), typed=((4, 8),))


@pytest.fixture(scope="package")
def camera_blobs() -> list[Blob]:
    """Init segment and four blobs of two seconds, with sound."""
    return list(record(camera_frames(SITTING), CAMERA, room_sound(8, SITTING.spoken)))


@pytest.fixture(scope="package")
def screen_blobs() -> list[Blob]:
    """Init segment and four blobs of two seconds."""
    return list(record(screen_frames(SITTING), SCREEN))


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without workers."""
    with LiveServer(tmp_path_factory.mktemp("simulation"), workers=0) as live:
        yield live


@pytest.fixture
async def staff(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    """An integrator with a key."""
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


Enter = Callable[..., Awaitable[Candidate]]


@pytest.fixture
async def enter(server: LiveServer, staff: httpx.AsyncClient) -> AsyncIterator[Enter]:
    """Makes an exam with a policy and lets a new candidate join it."""
    made: list[Candidate] = []

    async def join(**policy: Any) -> Candidate:
        exam = (await staff.post("/api/v1/exams", json={"title": "Synthetic", "policy": policy})).json()
        person = {"external_id": secrets.token_hex(6), "name": "Synthetic Candidate"}
        answer = await staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": person})
        assert answer.status_code == 201, answer.text
        candidate = Candidate(server.url, answer.json()["join_url"])
        made.append(candidate)
        await candidate.join()
        return candidate

    yield join
    for candidate in made:
        await candidate.__aexit__(None, None, None)
