"""Recordings that go straight from the page to the object store: what the server links, and what it refuses."""

import hashlib
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from openproctor.eventlog.verify import Broken, verify_bundle
from openproctor.isobmff import hollow
from openproctor.simulation.media import CAMERA, record
from scripts.engines import SeaweedFS
from tests.live import LiveServer
from tests.page import Page, now


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[LiveServer]:
    """A server whose recordings go to the store by themselves."""
    settings = {
        "workers": 0,
        "media_direct": "true",
        "media_url": seaweedfs.url.replace("?", f"/{secrets.token_hex(4)}?"),
        "media_access_key": seaweedfs.access_key,
        "media_secret_key": seaweedfs.secret_key,
    }
    with LiveServer(tmp_path_factory.mktemp("direct"), **settings) as server:
        yield server


@pytest.fixture
def staff(direct: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=direct.url, headers={"Authorization": f"Bearer {direct.key}"}, timeout=30) as client:
        yield client


@pytest.fixture
def page(direct: LiveServer, staff: httpx.Client) -> Page:
    """A candidate's page in a running exam."""
    policy = {"checks": [], "tracks": {"camera": {}}}
    exam = staff.post("/api/v1/exams", json={"title": "Algebra", "policy": policy}).json()
    body = {"exam_id": exam["id"], "candidate": {"external_id": secrets.token_hex(6), "name": "Ada"}}
    page = Page(direct.url, staff.post("/api/v1/sessions", json=body).json()["join_url"])
    room = page.join().json()["room"]
    assert room["direct_upload"] is True
    page.http.post(page.path("start"), json={})
    return page


@pytest.fixture(scope="module")
def blobs() -> list[bytes]:
    """Init segment and two chunks of two seconds."""
    frames = (np.full((480, 640, 3), n * 4, np.uint8) for n in range(60))
    return [blob.data for blob in record(frames, CAMERA)]


def index_of(data: bytes) -> bytes:
    """The chunk without the content of its mdat boxes."""
    return hollow(data, b"mdat")


def link(page: Page, number: int) -> dict[str, str]:
    """A place in the store for a chunk: ``upload`` and ``url``."""
    answer = page.http.post(page.path("media/camera/uploads"), params={"first": number})
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["uploads"]
    assert found["number"] == number
    return dict(found)


def put(page: Page, number: int, data: bytes) -> str:
    """Put bytes into the store; the upload's id."""
    place = link(page, number)
    assert httpx.put(place["url"], content=data).status_code == 200
    return place["upload"]


def tell(page: Page, number: int, data: bytes, upload: str, **instead: Any) -> httpx.Response:
    """Tell the server of a chunk in the store."""
    return page.http.post(
        page.path(f"media/camera/chunks/{number}/uploaded"),
        params={"upload": upload, "digest": instead.get("digest", hashlib.sha256(data).hexdigest())},
        content=instead.get("index", index_of(data)),
        headers={"X-Recording-Part": "0", "X-Part-Started-At": str(now() - 10_000)},
    )


def test_chunks_in_the_store_play_and_are_in_the_bundle(
    page: Page, staff: httpx.Client, blobs: list[bytes], tmp_path: Any
) -> None:
    for number, data in enumerate(blobs):
        upload = put(page, number, data)
        assert tell(page, number, data, upload).status_code == 201
        assert tell(page, number, data, upload).status_code == 200
        assert tell(page, number, data, put(page, number, data)).status_code == 200
    playlist = staff.get(page.path("media/camera/index.m3u8")).text
    names = [line for line in playlist.splitlines() if line and not line.startswith("#")]
    assert len(names) == len(blobs) - 1
    signed = httpx.get(f"{staff.base_url}{page.path(f'media/camera/{names[0]}')}".replace("//api", "/api"))
    assert signed.status_code == 307
    assert "authorization" not in {name.lower() for name in httpx.URL(signed.headers["location"]).params}
    assert httpx.get(signed.headers["location"]).content == blobs[1]
    manifest = {"streams": {}, "tracks": {"camera": len(blobs) - 1}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(staff.get(page.path("bundle")).content)
    verify_bundle(bundle)


def test_what_is_not_in_the_store_is_not_acknowledged(page: Page, blobs: list[bytes]) -> None:
    answer = tell(page, 0, blobs[0], "0" * 16)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (409, "not-uploaded")
    assert tell(page, 0, blobs[0], put(page, 0, blobs[0][:-10])).status_code == 409
    assert tell(page, 1, blobs[0], put(page, 0, blobs[0])).status_code == 409
    assert page.put_chunk("camera", 0, blobs[0]).status_code == 201


def test_a_link_serves_for_its_chunk_only(page: Page, blobs: list[bytes]) -> None:
    url = link(page, 0)["url"]
    other = url.replace("/000000-", "/000001-")
    assert other != url
    assert httpx.put(other, content=blobs[0]).status_code == 403
    assert httpx.get(url).status_code == 403
    assert httpx.delete(url).status_code == 403


@pytest.mark.parametrize("wrong", ["", "a" * 15, "A" * 16, "../" + "a" * 13])
def test_an_upload_has_its_form(page: Page, blobs: list[bytes], wrong: str) -> None:
    for answer in (tell(page, 0, blobs[0], wrong), tell(page, 0, blobs[0], "a" * 16, digest=wrong * 4)):
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(("first", "count"), [(0, 0), (0, 51), (-1, 1), (10**7, 1)])
def test_links_are_given_for_what_may_come(page: Page, first: int, count: int) -> None:
    answer = page.http.post(page.path("media/camera/uploads"), params={"first": first, "count": count})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_an_index_that_describes_nothing_is_refused(page: Page, blobs: list[bytes]) -> None:
    for index, status in ((b"", 415), (b"rubbish!" * 4, 415), (index_of(blobs[0])[:-5], 422), (b"x" * 300_000, 413)):
        answer = tell(page, 0, blobs[0], "a" * 16, index=index)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), index[:20]


def test_a_page_that_lies_about_its_bytes_is_found_out(
    page: Page, staff: httpx.Client, blobs: list[bytes], tmp_path: Any
) -> None:
    for number, data in enumerate(blobs):
        other = data[:-1] + bytes([data[-1] ^ 1])
        upload = put(page, number, other if number == 1 else data)
        assert tell(page, number, data, upload).status_code == 201
    manifest = {"streams": {}, "tracks": {"camera": len(blobs) - 1}}
    page.http.post(page.path("finish"), json={"manifest": manifest})
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(staff.get(page.path("bundle")).content)
    with pytest.raises(Broken, match=r"camera.*1|000001"):
        verify_bundle(bundle)
