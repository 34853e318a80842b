"""Analyse again and compare: the result does not depend on how the work was cut, and every difference is named."""

import asyncio
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from sqlalchemy import text

from openproctor.analysis import worker as worker_module
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.material import CannotCheck, bundled_session, stored_session
from openproctor.analysis.recheck import installed, recheck
from openproctor.analysis.report import Report
from openproctor.analysis.repository import AnalysisRepository
from openproctor.analysis.worker import Worker
from openproctor.assembly import Platform
from openproctor.catalog import CATALOG
from openproctor.config import Settings
from openproctor.ids import new_id
from openproctor.vision.frames import encode_jpeg
from scripts.engines import Engine, SeaweedFS
from tests.analysis.conftest import blobs, frames, scene
from tests.analysis.test_course import pieces
from tests.analysis.test_worker import drain, events, finish, scrambled, upload
from tests.live import LiveServer
from tests.page import Page, digest_header, now

SCENES = (("one", 4.0), ("empty", 6.0), ("one", 4.0), ("two", 4.0))
POLICY: dict[str, Any] = {"checks": [], "detectors": {"objects": False, "laptop": False}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("recheck"), workers=0) as live:
        yield live


@pytest.fixture(scope="module")
def recording() -> list[bytes]:
    return [blob.data for blob in blobs(frames(*SCENES))]


@pytest.fixture
async def platform(server: LiveServer) -> AsyncIterator[Platform]:
    async with opened(Settings(data_dir=server.data)) as platform:
        yield platform


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Platform]:
    platform = Platform(settings)
    await platform.open()
    yield platform
    await platform.close()


def started(server: LiveServer, name: str = "ada", policy: dict[str, Any] = POLICY) -> Page:
    """A page in an exam that runs."""
    with server.client() as staff:
        exam = staff.post("/api/v1/exams", json={"title": "Algebra", "policy": policy}).json()
        body = {"exam_id": exam["id"], "candidate": {"external_id": name, "name": "Ada"}}
        page = Page(server.url, staff.post("/api/v1/sessions", json=body).json()["join_url"])
    assert page.join().status_code == 200
    assert page.http.post(page.path("start"), json={}).status_code == 200
    return page


def account(server: LiveServer, page: Page) -> dict[str, Any]:
    with server.client() as staff:
        answer = staff.get(f"/api/v1/sessions/{page.session_id}/events", params={"type_id": 1068}).json()
    (event,) = answer["items"]
    data: dict[str, Any] = event["data"]
    assert CATALOG.types[1068].complaint(data) is None
    return data


async def check(platform: Platform, page: Page, runtime: str | None = None) -> Report:
    material = await stored_session(platform, page.session_id)
    return await recheck(material, installed(material, Settings(), runtime))


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "openproctor", "analyze", "--check", *arguments],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "OPENPROCTOR_DATA_DIR": "/nonexistent"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def analysed(server: LiveServer, recording: list[bytes]) -> Page:
    """A finished session, analysed by one worker in one go."""
    page = started(server, "analysed")
    upload(page, recording)
    assert finish(page, len(recording) - 1).json()["state"] == "completed"

    async def work() -> None:
        async with opened(Settings(data_dir=server.data)) as platform:
            await drain(Worker(platform, Detectors()))

    asyncio.run(work())
    return page


def test_a_session_is_found_the_same_again_on_the_command_line(server: LiveServer, analysed: Page) -> None:
    told = account(server, analysed)
    assert told["chunks"] == 9
    assert "gaps" not in told
    assert {model["name"] for model in told["models"]} >= {"nanodet-g", "mediapipe-face-full-range"}
    done = command("--session", analysed.session_id, "--data", str(server.data), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert report["same"] is True
    assert report["compared"] == len(events(server, analysed)) >= 4
    assert report["differences"] == report["notes"] == []
    assert command("--session", analysed.session_id, "--data", str(server.data)).stdout.startswith("SAME: session ")


def test_a_bundle_is_checked_without_a_server(server: LiveServer, analysed: Page, tmp_path: Path) -> None:
    with server.client() as staff:
        (tmp_path / "b.tar").write_bytes(staff.get(analysed.path("bundle")).content)
    done = command("--bundle", str(tmp_path / "b.tar"), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["compared"] == len(events(server, analysed))
    data = bytearray((tmp_path / "b.tar").read_bytes())
    place = data.index(b"mdat") + 500
    data[place] ^= 1
    (tmp_path / "b.tar").write_bytes(bytes(data))
    broken = command("--bundle", str(tmp_path / "b.tar"))
    assert broken.returncode == 1
    assert "BROKEN" in broken.stderr


async def test_a_worker_for_every_chunk_finds_what_one_finds(
    server: LiveServer, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    page = started(server, "restarts")
    for number, data in enumerate(recording):
        assert page.put_chunk("camera", number, data).status_code == 201
        await drain(Worker(platform, detectors, lease_ms=-1))
    finish(page, len(recording) - 1)
    await drain(Worker(platform, detectors, lease_ms=-1))
    progress = await AnalysisRepository(platform.database).get(page.session_id)
    assert progress is not None
    assert progress.state is None, "it holds a small picture, and nobody needs it any more"
    report = await check(platform, page)
    assert report.same, report.as_text()
    assert report.compared >= 4
    assert len(account(server, page)["made_by"]) == 1


@pytest.mark.slow
def test_a_real_worker_with_everything_on_killed_in_the_middle(tmp_path: Path) -> None:
    recording = [pieces()[0].init, *(piece.media for piece in pieces())]
    with LiveServer(tmp_path, workers=1) as server:
        page = started(server, "killed", {"checks": [], "detectors": {"looking_away": True}})
        for number, data in enumerate(recording):
            if number == len(recording) // 2:
                wait_for(server, page, 169)
                server.kill()  # the worker ends with it
                server.start()
            assert page.put_chunk("camera", number, data).status_code == 201
        finish(page, len(recording) - 1)
        wait_for(server, page, 1068)
        done = command("--session", page.session_id, "--data", str(server.data), "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        with server.client() as staff:
            (tmp_path / "b.tar").write_bytes(staff.get(page.path("bundle")).content)
    bundled = command("--bundle", str(tmp_path / "b.tar"), "--json")
    assert bundled.returncode == 0, bundled.stderr + bundled.stdout
    assert json.loads(bundled.stdout) == json.loads(done.stdout)
    assert json.loads(done.stdout)["compared"] >= 7


def wait_for(server: LiveServer, page: Page, type_id: int) -> None:
    """Until the worker has raised an event of a type."""
    with server.client() as staff:
        deadline = time.monotonic() + 120
        while not staff.get(page.path("events"), params={"type_id": type_id}).json()["items"]:
            assert time.monotonic() < deadline, f"no {type_id}"
            time.sleep(0.2)


async def test_what_came_late_is_looked_at_in_the_end_and_checked_as_well(
    server: LiveServer,
    platform: Platform,
    detectors: Detectors,
    recording: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # the chunks with the empty chair, and one that never comes
    late, never = (3, 4, 5), 8
    page = started(server, "late")
    with monkeypatch.context() as patience:
        patience.setattr(worker_module, "SKIP_MS", -1)
        for number, data in enumerate(recording):
            if number not in late and number != never:
                assert page.put_chunk("camera", number, data).status_code == 201
                await drain(Worker(platform, detectors, lease_ms=-1))
    assert 16 not in {event["type_id"] for event in events(server, page)}
    for number in reversed(late):
        assert page.put_chunk("camera", number, recording[number]).status_code == 201
    page.send(page.event(1060, {"track": "camera", "numbers": [never], "from": 0, "until": 1}))
    assert finish(page, len(recording) - 1).json()["state"] == "completed"
    await drain(Worker(platform, detectors, lease_ms=-1))
    assert [event["type_id"] for event in events(server, page)].count(16) == 1
    told = account(server, page)
    assert told["gaps"] == [{"first": 3, "last": 5}, {"first": 8, "last": 8}]
    assert told["late"] == 3
    report = await check(platform, page)
    assert report.same, report.as_text()
    assert report.compared == len(events(server, page))
    # the order of arrival is forgotten, the way of the analysis is not: a bundle gives the same
    with server.client() as staff:
        content = staff.get(page.path("bundle")).content
    await asyncio.to_thread((server.data / "late.tar").write_bytes, content)
    material = bundled_session(server.data / "late.tar")
    assert (await recheck(material, installed(material, Settings()))).same


async def test_a_chunk_that_cannot_be_read_is_not_read_again_either(
    server: LiveServer, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    page = started(server, "damaged")
    upload(page, [*recording[:2], scrambled(recording[2]), *recording[3:5]])
    finish(page, 4)
    await drain(Worker(platform, detectors))
    report = await check(platform, page)
    assert report.same, report.as_text()
    assert 1062 in {event["type_id"] for event in events(server, page)}


async def test_the_other_runtime_is_named_and_finds_the_same_within_the_tolerance(
    platform: Platform, analysed: Page
) -> None:
    report = await check(platform, analysed, "onnxruntime")
    assert report.same, report.as_text()
    assert any(note.startswith("Other runtime: openvino") for note in report.notes)
    assert report.runtime.startswith("onnxruntime")


async def _change(platform: Platform, statement: str, **values: Any) -> None:
    async with platform.database.write() as connection:
        await connection.execute(text(statement), values)


async def test_every_change_is_named(server: LiveServer, platform: Platform, analysed: Page) -> None:
    session = {"id": analysed.session_id}
    (first, _absent, *_) = events(server, analysed)
    async with platform.database.read() as connection:
        query = text("SELECT data FROM events WHERE session_id=:id AND sequence=:sequence")
        data = str((await connection.execute(query, {**session, "sequence": first["sequence"]})).scalar())
        policy = str((await connection.execute(text("SELECT policy FROM sessions WHERE id=:id"), session)).scalar())
    put_data = "UPDATE events SET data=:data WHERE session_id=:id AND sequence=:sequence"
    changed = json.dumps({**json.loads(data), "score": 0.9999})
    await _change(platform, put_data, **session, sequence=first["sequence"], data=changed)
    report = await check(platform, analysed)
    (difference,) = report.differences
    assert (difference.what, difference.type_id) == ("changed", 15)
    assert difference.fields == {"score": [0.9999, json.loads(data)["score"]]}
    assert "score: 0.9999 in the log" in report.as_text()
    await _change(platform, put_data, **session, sequence=first["sequence"], data=data)

    # another hold time: the empty chair is never called so, and no settings digest fits
    other = json.dumps(
        {**json.loads(policy), "hold_ms": {**json.loads(policy)["hold_ms"], "16": 60_000, "1041": 60_000}}
    )
    await _change(platform, "UPDATE sessions SET policy=:policy WHERE id=:id", **session, policy=other)
    done = command("--session", analysed.session_id, "--data", str(server.data))
    assert done.returncode == 1
    assert "Face Not Detected (16): in the log, not found again" in done.stdout
    assert "settings: " in done.stdout
    await _change(platform, "UPDATE sessions SET policy=:policy WHERE id=:id", **session, policy=policy)

    still = "UPDATE captures SET digest=:digest WHERE session_id=:id AND id=:still"
    await _change(platform, still, **session, still=first["data"]["still"], digest="0" * 64)
    report = await check(platform, analysed)
    assert [list(one.fields) for one in report.differences] == [["still"]]


async def test_the_face_is_compared_with_what_was_captured_before_the_recording_and_with_consent_only(
    server: LiveServer, platform: Platform, detectors: Detectors, recording: list[bytes]
) -> None:
    policy = {"checks": [], "detectors": {"objects": False, "laptop": False, "face_mismatch": True}}
    found = {}
    for said in (1080, 1081):
        page = started(server, f"reference-{said}", policy)
        text_digest = page.room["consent"]["text_digest"]
        page.send(page.event(1080, {"text_digest": text_digest}), page.event(said, {"text_digest": text_digest}))
        captured = [put_face(page) for _ in range(2)]
        upload(page, recording[:3])
        put_face(page)  # later than the recording's beginning
        finish(page, 2)
        await drain(Worker(platform, detectors))
        material = await stored_session(platform, page.session_id)
        assert material.references == (captured[1:] if said == 1080 else [])
        assert await AnalysisRepository(platform.database).references(page.session_id, "camera") == material.references
        assert (await recheck(material, installed(material, Settings()))).same
        with server.client() as staff:
            content = staff.get(page.path("bundle")).content
        await asyncio.to_thread((server.data / "faces.tar").write_bytes, content)
        bundled = bundled_session(server.data / "faces.tar")
        assert bundled.references == material.references
        assert (await recheck(bundled, installed(bundled, Settings()))).same
        found[said] = [await bundled.reader.still(one) for one in bundled.references]
    assert len(found[1080][0]) > 1_000


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
async def test_pieces_of_webm_are_checked_in_the_bundle_as_well(
    server: LiveServer, platform: Platform, detectors: Detectors, codec: str
) -> None:
    page = started(server, codec)
    names = ("one", "one", "empty", "empty", "empty", "one")
    for number, name in enumerate(names):
        answer = page.put_chunk("camera", number, webm(name, codec), part=number, Content_Type="video/webm")
        assert answer.status_code == 201, answer.text
        await drain(Worker(platform, detectors, lease_ms=-1))
    finish(page, len(names) - 1)
    await drain(Worker(platform, detectors))
    report = await check(platform, page)
    assert report.same, report.as_text()
    assert report.compared >= 1
    with server.client() as staff:
        content = staff.get(page.path("bundle")).content
    await asyncio.to_thread((server.data / "webm.tar").write_bytes, content)
    material = bundled_session(server.data / "webm.tar")
    again = await recheck(material, installed(material, Settings()))
    assert again.same, again.as_text()


def webm(name: str, codec: str) -> bytes:
    """A piece of two seconds."""
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream: Any = container.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in frames((name, 2.0)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()


def put_face(page: Page) -> str:
    """Upload a still of a face; its id."""
    data, capture_id = encode_jpeg(scene("one")), new_id()
    headers = {"Content-Type": "image/jpeg", "Content-Digest": digest_header(data), "X-Captured-At": str(now())}
    answer = page.http.put(page.path(f"captures/{capture_id}?kind=face"), content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return capture_id


async def test_what_cannot_be_checked_says_why_in_one_line(
    server: LiveServer, platform: Platform, recording: list[bytes], detectors: Detectors
) -> None:
    page = started(server, "not-checked")
    with pytest.raises(CannotCheck, match="is running"):
        await stored_session(platform, page.session_id)
    upload(page, recording[:4])
    finish(page, 3)
    with pytest.raises(CannotCheck, match="is not finished"):
        await stored_session(platform, page.session_id)
    await drain(Worker(platform, detectors))
    material = await stored_session(platform, page.session_id)
    for one in (entry for entry in material.entries if entry.type_id == 1068):
        one.data["models"][0]["digest"] = "ab" * 32
    with pytest.raises(CannotCheck, match=r"digest abababab.* is not installed"):
        installed(material, Settings())
    (chunk,) = [one for one in await platform.media.repository.of_track(
        (await platform.accounts.default_organization()).id, page.session_id, "camera", first=2) if one.number == 2]  # fmt: skip
    await platform.objects.delete(chunk.object_key)
    done = command("--session", page.session_id, "--data", str(server.data))
    assert done.returncode == 2
    assert done.stderr.strip() == "Chunk 2 is erased or missing: its bytes are not in the store."
    missing = command("--session", "0" * 26, "--data", str(server.data))
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1


async def test_on_postgresql_and_s3(
    postgres_url: str, seaweedfs: Engine, tmp_path: Path, detectors: Detectors, recording: list[bytes]
) -> None:
    assert isinstance(seaweedfs, SeaweedFS)
    engines: dict[str, Any] = {"database_url": postgres_url, "media_url": seaweedfs.url}
    for name, value in seaweedfs.environment.items():
        engines[name.removeprefix("OPENPROCTOR_").lower()] = value
    with LiveServer(tmp_path, workers=0, **engines) as server:
        page = started(server, "engines")
        async with opened(Settings(data_dir=server.data, **engines)) as platform:
            for number, data in enumerate(recording[:7]):
                assert page.put_chunk("camera", number, data).status_code == 201
                await drain(Worker(platform, detectors, lease_ms=-1))
            finish(page, 6)
            await drain(Worker(platform, detectors))
            report = await check(platform, page)
            assert report.same, report.as_text()
            assert report.compared >= 2
