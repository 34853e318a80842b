"""Accommodations of one candidate: what is off is not raised from then on, what is relaxed later and more surely; a check
repeats it all."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.material import bundled_session, stored_session
from openproctor.analysis.recheck import installed, recheck
from openproctor.analysis.settings import NEVER, OBJECT_RULES, AnalysisSettings
from openproctor.analysis.worker import Worker
from openproctor.assembly import Platform
from openproctor.catalog import CATALOG
from openproctor.config import Settings
from openproctor.exams.accommodations import DETECTOR_TYPES, TYPES
from openproctor.exams.policy import Detectors as PolicyDetectors
from tests.analysis.conftest import blobs, frames
from tests.analysis.test_recheck import opened, started
from tests.analysis.test_worker import drain, events, finish
from tests.live import LiveServer
from tests.page import Page

SCENES = (("one", 4.0), ("empty", 6.0), ("two", 4.0), ("one", 4.0), ("empty", 6.0), ("two", 4.0), ("one", 4.0))
SECOND_HALF = 9  # chunk with which the second 18 s begin: the same scenes again


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("accommodations"), workers=0) as live:
        yield live


@pytest.fixture
async def platform(server: LiveServer) -> AsyncIterator[Platform]:
    async with opened(Settings(data_dir=server.data)) as platform:
        yield platform


@pytest.fixture(scope="module")
def recording() -> list[bytes]:
    return [blob.data for blob in blobs(frames(*SCENES))]


def grant(server: LiveServer, page: Page, *accommodations: dict[str, Any]) -> None:
    with server.client() as staff:
        body = {"accommodations": [{"reason": "agreed", **one} for one in accommodations]}
        assert staff.put(page.path("accommodations"), json=body).status_code == 200


def types(server: LiveServer, page: Page) -> list[int]:
    return [event["type_id"] for event in events(server, page)]


async def sit(
    server: LiveServer,
    platform: Platform,
    detectors: Detectors,
    recording: list[bytes],
    *accommodations: dict[str, Any],
) -> Page:
    """A session with accommodations from its second half on; the worker is replaced with every chunk."""
    page = started(server, f"{len(recording)}-{accommodations}")
    for number, data in enumerate(recording):
        if number == SECOND_HALF:
            grant(server, page, *accommodations)
        assert page.put_chunk("camera", number, data).status_code == 201
        await drain(Worker(platform, detectors, lease_ms=-1))
    finish(page, len(recording) - 1)
    await drain(Worker(platform, detectors))
    return page


async def same_again(server: LiveServer, platform: Platform, page: Page) -> None:
    """The stored session and its bundle are found the same again."""
    material = await stored_session(platform, page.session_id)
    report = await recheck(material, installed(material, Settings()))
    assert report.same, report.as_text()
    with server.client() as staff:
        content = staff.get(page.path("bundle")).content
    path = server.data / f"{page.session_id}.tar"
    path.write_bytes(content)
    material = bundled_session(path)
    assert (await recheck(material, installed(material, Settings()))).same


async def test_what_is_off_is_raised_no_more_and_a_check_repeats_it(
    server: LiveServer, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    page = await sit(server, platform, detectors, recording, {"type_ids": [16, 81, 1041], "what": "off"})
    assert types(server, page) == [15, 16, 81, 15]
    settings = {event["data"]["settings"] for event in events(server, page)}
    assert len(settings) == 1, "all were found before"
    await same_again(server, platform, page)
    # without the accommodation the second half is like the first
    material = await stored_session(platform, page.session_id)
    material.entries = [entry for entry in material.entries if entry.type_id != 1096]
    report = await recheck(material, installed(material, Settings()))
    assert [one.type_id for one in report.differences if one.what == "new"] == [16, 81, 15]


async def test_what_is_relaxed_must_last_longer(
    server: LiveServer, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    page = await sit(server, platform, detectors, recording, {"type_ids": [16, 1041], "what": "relaxed", "factor": 3})
    assert types(server, page) == [15, 16, 81, 15, 81, 15]
    assert len({event["data"]["settings"] for event in events(server, page)}) == 2
    await same_again(server, platform, page)


async def test_what_holds_when_it_is_switched_off_ends_there(
    server: LiveServer, platform: Platform, detectors: Detectors
) -> None:
    dark = [blob.data for blob in blobs(frames(("one", 4.0), ("black", 18.0)))]
    page = await sit(server, platform, detectors, dark, {"detector": "camera_obscured", "what": "off"})
    found = events(server, page)
    (obscured,) = [event for event in found if event["type_id"] == 1043]
    (clear,) = [event for event in found if event["type_id"] == 1072]
    (ended,) = clear["data"]["ended"]
    assert ended["type_id"] == 1043
    assert ended["from"] == obscured["occurred_at"]
    assert clear["occurred_at"] == ended["until"] > obscured["occurred_at"]
    assert CATALOG.types[1072].complaint(clear["data"]) is None
    await same_again(server, platform, page)


def test_every_finding_of_the_analysis_can_be_accommodated() -> None:
    found = {kind.id for kind in CATALOG.types.values() if "analysis" in kind.sources and not kind.ends}
    assert set(TYPES) == found - {15}
    assert set(DETECTOR_TYPES) == set(PolicyDetectors.model_fields)


def test_settings_of_accommodations() -> None:
    everything = AnalysisSettings.of(None, [{"type_ids": list(TYPES), "what": "off"}])
    assert everything.object_types == ()
    assert [name for name, on in everything.detectors.items() if on] == ["faces", "face_covered"]
    assert everything.hold[16] == everything.hold[81] == everything.hold[1041] == NEVER
    books = AnalysisSettings.of({"detectors": {"objects": True}}, [{"type_ids": [170], "what": "off"}])
    assert books.object_types == (169, 1045)
    relaxed = AnalysisSettings.of(None, [{"type_ids": [16, 169], "what": "relaxed", "factor": 3.0}])
    assert relaxed.hold[16] == 9_000
    assert relaxed.hold[169] == 3_000
    assert relaxed.hold[81] == AnalysisSettings().hold[81]
    assert OBJECT_RULES[169].confirm < relaxed.rule(169).confirm < 1
    assert relaxed.rule(170) == OBJECT_RULES[170]
    assert len({one.digest() for one in (everything, books, relaxed, AnalysisSettings())}) == 4
