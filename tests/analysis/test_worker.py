"""The worker over a real server's recordings: every finding once, whatever happens to the worker."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from openproctor.analysis.course import ENDED_WORKERS
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.worker import TRIES, Worker
from openproctor.assembly import Platform
from openproctor.config import Settings
from tests.analysis.conftest import blobs, frames
from tests.live import LiveServer
from tests.page import Page

# scenes of the recording and the findings that must come of them, with the second at which each begins
SCENES = (("one", 4.0), ("empty", 6.0), ("one", 4.0), ("two", 4.0))
EXPECTED = [(15, 0.0), (16, 4.0), (15, 10.0), (81, 14.0)]
POLICY: dict[str, Any] = {
    "checks": [],
    "detectors": {"objects": False, "laptop": False, "camera_frozen": False},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("analysis"), workers=0) as live:
        yield live


@pytest.fixture(scope="module")
def recording() -> list[bytes]:
    return [blob.data for blob in blobs(frames(*SCENES))]


@pytest.fixture
async def platform(server: LiveServer) -> AsyncIterator[Platform]:
    """A second process's view of the same data folder."""
    opened = Platform(Settings(data_dir=server.data))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def page(server: LiveServer) -> Page:
    with server.client() as staff:
        exam = staff.post("/api/v1/exams", json={"title": "Algebra", "policy": POLICY}).json()
        candidate = {"external_id": secrets.token_hex(6), "name": "Ada"}
        session = staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": candidate}).json()
    joined = Page(server.url, session["join_url"])
    assert joined.join().status_code == 200
    assert joined.http.post(joined.path("start"), json={}).status_code == 200
    return joined


def events(server: LiveServer, page: Page) -> list[dict[str, Any]]:
    with server.client() as staff:
        answer = staff.get(f"/api/v1/sessions/{page.session_id}/events", params={"limit": 5000})
        return [item for item in answer.json()["items"] if item["source"] == "analysis" or item["type_id"] == 1062]


def upload(page: Page, recording: list[bytes]) -> None:
    for number, data in enumerate(recording):
        answer = page.put_chunk("camera", number, data)
        assert answer.status_code == 201, answer.text


def finish(page: Page, last: int) -> httpx.Response:
    manifest = {"streams": {page.stream: page.seq}, "tracks": {"camera": last}}
    return page.http.post(page.path("finish"), json={"manifest": manifest})


async def drain(worker: Worker) -> None:
    """Rounds until nothing is left to do."""
    async with asyncio.timeout(120):
        while await worker.round():
            pass


def begun(items: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """Types, and seconds since the first finding's beginning."""
    first = items[0]["occurred_at"]
    return [(item["type_id"], (item["occurred_at"] - first) / 1000) for item in items]


def check_expected(items: list[dict[str, Any]]) -> None:
    assert [row[0] for row in begun(items)] == [row[0] for row in EXPECTED]
    assert [row[1] for row in begun(items)] == pytest.approx([row[1] for row in EXPECTED], abs=0.45)


async def test_findings_stand_in_the_log_with_still_chunk_and_model(
    server: LiveServer, page: Page, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    upload(page, recording)
    assert finish(page, len(recording) - 1).json()["state"] == "completed"
    worker = Worker(platform, detectors)
    await drain(worker)
    items = events(server, page)
    check_expected(items)
    stills = page_captures(server, page)
    for item in items:
        kinds = {evidence["kind"] for evidence in item["evidence"]}
        assert kinds == {"capture", "chunk"}
        assert item["data"]["still"] in stills
        assert len(item["data"]["model_digest"]) == 64
        assert item["data"]["inputs"]
    assert items[1]["data"].get("ended", [{}])[0].get("type_id") == 15
    # a session that is over and analysed is left alone for good
    assert not await worker.round()


def page_captures(server: LiveServer, page: Page) -> set[str]:
    with server.client() as staff:
        found = staff.get(f"/api/v1/sessions/{page.session_id}/captures").json()["items"]
        for capture in found:
            picture = staff.get(capture["url"])
            assert picture.content[:2] == b"\xff\xd8"
        return {capture["id"] for capture in found if capture["kind"] == "finding"}


async def test_a_worker_that_dies_neither_loses_nor_repeats_a_finding(
    server: LiveServer, page: Page, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    for number, data in enumerate(recording):
        # a new worker for every chunk: the one before is gone without a word
        assert page.put_chunk("camera", number, data).status_code == 201
        await drain(Worker(platform, detectors, lease_ms=-1))
    assert finish(page, len(recording) - 1).status_code == 200
    await drain(Worker(platform, detectors, lease_ms=-1))
    check_expected(events(server, page))


async def test_two_workers_share_the_sessions_and_no_finding_comes_twice(
    server: LiveServer, page: Page, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    upload(page, recording)
    finish(page, len(recording) - 1)
    await asyncio.gather(drain(Worker(platform, detectors)), drain(Worker(platform, Detectors())))
    check_expected(events(server, page))


Damage = Callable[[bytes], bytes]


def scrambled(data: bytes) -> bytes:
    """The boxes stay whole, the coded pictures do not."""
    place = data.index(b"mdat") + 4
    return data[:place] + bytes(byte ^ 0x5A for byte in data[place:])


async def test_a_chunk_that_cannot_be_read_is_an_event_and_the_work_goes_on(
    server: LiveServer, page: Page, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    upload(page, [*recording[:2], scrambled(recording[2]), *recording[3:]])
    finish(page, len(recording) - 1)
    await drain(Worker(platform, detectors))
    items = events(server, page)
    rejected = [item for item in items if item["type_id"] == 1062]
    assert [item["data"]["number"] for item in rejected] == [2]
    assert rejected[0]["source"] == "server"
    assert {item["type_id"] for item in items} >= {15, 16, 81}


class Ended(BaseException):
    """A worker's process ended."""


def end() -> None:
    raise Ended


async def one_that_ends(platform: Platform, detectors: Detectors) -> None:
    """A worker that gives itself up: no chunk can be looked at in no time at all.

    In life its process ends, here its thread goes on for a while: the detectors must be nobody else's.
    """
    with pytest.raises(Ended):
        await Worker(platform, detectors, lease_ms=-1, hopeless_s=0.0, give_up=end).round()


async def test_a_chunk_that_ends_every_worker_is_passed_over_and_said_so(
    server: LiveServer, page: Page, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    upload(page, recording)
    assert finish(page, len(recording) - 1).status_code == 200
    others = Detectors()
    # the first one has two chunks in hand: its successors write down the harmless one
    for _ in range(TRIES + 1):
        await one_that_ends(platform, others)
    await drain(Worker(platform, detectors, lease_ms=-1))
    rejected = [item for item in events(server, page) if item["type_id"] == 1062]
    assert [(item["data"]["number"], item["data"]["reason"]) for item in rejected] == [(1, ENDED_WORKERS)]
    found = {item["type_id"] for item in events(server, page)}
    assert found == {15, 16, 81, 1062}


async def test_a_worker_that_ends_now_and_then_passes_nothing_over(
    server: LiveServer, page: Page, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    others = Detectors()
    for number, data in enumerate(recording):
        assert page.put_chunk("camera", number, data).status_code == 201
        if number:
            # the one before, which drained the queue, is gone as well
            for _ in range(TRIES - 2):
                await one_that_ends(platform, others)
        await drain(Worker(platform, detectors, lease_ms=-1))
    assert finish(page, len(recording) - 1).status_code == 200
    await drain(Worker(platform, detectors, lease_ms=-1))
    check_expected(events(server, page))
