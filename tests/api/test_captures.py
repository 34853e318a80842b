"""Stills: kept, checked at once, and confirmed before an event may speak of them."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import numpy as np
import pytest
from PIL import Image

from openproctor.ids import new_id
from tests.live import LiveServer
from tests.page import Page, digest_header, now

Events = Callable[..., list[dict[str, Any]]]
Make = Callable[..., dict[str, Any]]
PICTURES = Path(__file__).parent.parent / "pictures"


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def portrait() -> bytes:
    return jpeg(Image.open(PICTURES / "astronaut.png").crop((60, 0, 400, 255)).resize((640, 480)))


def noise(seed: int, low: int = 40, high: int = 220) -> bytes:
    cells = np.random.default_rng(seed).integers(low, high, (12, 16, 3), dtype=np.uint8)
    return jpeg(Image.fromarray(cells).resize((640, 480), Image.Resampling.BICUBIC))


@pytest.fixture
def page(server: LiveServer, new_session: Make) -> Page:
    """A page in its checks."""
    joined = Page(server.url, new_session()["join_url"])
    assert joined.join().status_code == 200
    return joined


def put(page: Page, kind: str, data: bytes, capture_id: str | None = None, **headers: str) -> httpx.Response:
    given = {"Content-Type": "image/jpeg", "Content-Digest": digest_header(data), "X-Captured-At": str(now())}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return page.http.put(page.path(f"captures/{capture_id or new_id()}?kind={kind}"), content=data, headers=given)


def test_a_face_still_is_checked_at_once_and_both_events_are_in_the_log(
    page: Page, events_of: Events, staff: httpx.Client
) -> None:
    answer = put(page, "face", portrait())
    assert answer.status_code == 201, answer.text
    assert answer.json()["check"]["passed"] is True, answer.text
    still = answer.json()["id"]
    assert page.send(page.event(146, {"evidence_id": still})).json()["acknowledged"] == [1]
    passed, taken = events_of(page.session_id, 154), events_of(page.session_id, 146)
    assert passed[0]["data"]["evidence_ids"] == [still]
    assert passed[0]["data"]["measures"]
    link = taken[0]["evidence"][0]["url"]
    assert httpx.get(str(staff.base_url).rstrip("/") + link).headers["content-type"] == "image/jpeg"


def test_a_link_with_odd_characters_opens_nothing(page: Page, staff: httpx.Client) -> None:
    assert put(page, "face", noise(1)).status_code == 201
    [kept] = staff.get(f"/api/v1/sessions/{page.session_id}/captures").json()["items"]
    path, _, query = kept["url"].partition("?")
    given = dict(parse_qsl(query))
    with httpx.Client(base_url=staff.base_url) as stranger:
        assert stranger.get(path, params=given).status_code == 200
        for wrong in ({"mark": "x"}, {"mark": "é"}, {"until": "²"}, {"until": "٣" * 12}, {"until": "9" * 13}):
            assert stranger.get(path, params=given | wrong).status_code == 404


def test_a_still_without_a_face_says_what_to_change(page: Page, events_of: Events) -> None:
    check = put(page, "face", noise(1)).json()["check"]
    assert check["passed"] is False
    assert all(reason["code"] and len(reason["message"]) > 10 for reason in check["reasons"])
    (failed,) = events_of(page.session_id, 155)
    assert failed["data"]["reasons"] == [reason["code"] for reason in check["reasons"]]
    assert not events_of(page.session_id, 154)


def test_a_picture_without_a_document_fails_the_document_check(page: Page, events_of: Events) -> None:
    assert put(page, "document", portrait()).json()["check"]["passed"] is False
    assert len(events_of(page.session_id, 1002)) == 1
    assert not events_of(page.session_id, 156)


def test_room_pictures_pass_when_they_differ_and_fail_when_they_are_the_same(page: Page, events_of: Events) -> None:
    same = [put(page, "room", noise(5)).json()["id"] for _ in range(4)]
    refused = page.http.post(page.path("captures/room/check"), json={"capture_ids": same}).json()
    assert refused["passed"] is False
    assert refused["reasons"]
    pictures = [jpeg(Image.open(PICTURES / name).resize((640, 480))) for name in ("coffee.png", "camera.png")]
    pictures += [noise(11), noise(12)]
    different = [put(page, "room", data).json()["id"] for data in pictures]
    passed = page.http.post(page.path("captures/room/check"), json={"capture_ids": different}).json()
    assert passed["passed"] is True, passed
    assert len(events_of(page.session_id, 1003)) == 1
    assert events_of(page.session_id, 161)[0]["data"]["evidence_ids"] == different
    unknown = page.http.post(page.path("captures/room/check"), json={"capture_ids": [new_id()]})
    assert unknown.status_code == 422


def test_room_pictures_of_every_size_are_compared_and_not_more_than_a_policy_may_ask_for(page: Page) -> None:
    large = [Image.open(PICTURES / name).convert("RGB").resize((5600, 4200)) for name in ("coffee.png", "camera.png")]
    ids = [put(page, "room", jpeg(image)).json()["id"] for image in large]
    ids += [put(page, "room", noise(seed)).json()["id"] for seed in (11, 12)]
    passed = page.http.post(page.path("captures/room/check"), json={"capture_ids": ids})
    assert passed.json()["passed"] is True, passed.text
    refused = page.http.post(page.path("captures/room/check"), json={"capture_ids": [new_id() for _ in range(13)]})
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (422, "invalid-request")


def test_the_camera_test_counts_with_two_live_pictures_only(page: Page) -> None:
    def test(one: bytes, two: bytes) -> dict[str, Any]:
        ids = [put(page, "camera_test", data).json()["id"] for data in (one, two)]
        event = page.event(26, {"width": 640, "height": 480, "frame_rate": 15.0, "evidence_ids": ids})
        answer: dict[str, Any] = page.send(event).json()
        return answer

    black = jpeg(Image.new("RGB", (640, 480)))
    assert "black" in test(black, black)["refused"][0]["detail"]
    assert "do not change" in test(noise(3), noise(3))["refused"][0]["detail"]
    assert test(noise(3), noise(4))["acknowledged"] == [3]


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 60,000 by 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "headers", "status", "slug"),
    [
        (b"", {}, 415, "not-an-image"),
        (b"hello", {}, 415, "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, 415, "not-an-image"),
        (noise(1)[:2000], {}, 415, "not-an-image"),
        (bomb(), {}, 422, "image-too-large"),
        (b"x" * 6_000_000, {}, 413, "too-large"),
        (noise(1), {"Content_Digest": digest_header(b"other")}, 400, "digest-mismatch"),
        (noise(1), {"X_Captured_At": "yesterday"}, 400, "header-missing"),
        (noise(1), {"X_Captured_At": b"\xb2"}, 400, "header-missing"),
    ],
)
def test_what_is_no_usable_picture_is_refused_and_leaves_nothing(
    page: Page, staff: httpx.Client, data: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    answer = put(page, "face", data, **headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith(slug)
    assert staff.get(f"/api/v1/sessions/{page.session_id}/captures").json()["items"] == []


def test_a_still_sent_again_is_stored_once_and_its_id_holds_nothing_else(page: Page, events_of: Events) -> None:
    still = new_id()
    assert put(page, "face", noise(1), still).status_code == 201
    assert put(page, "face", noise(1), still).status_code == 200
    assert put(page, "face", noise(2), still).status_code == 409
    assert len(events_of(page.session_id, 155)) == 1
    assert put(page, "face", noise(1), "UPPER").status_code == 400
    assert put(page, "selfie", noise(1)).status_code == 400


def together(*puts: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Answers of requests that are under way at the same time."""
    with ThreadPoolExecutor(len(puts)) as threads:
        return [future.result() for future in [threads.submit(one) for one in puts]]


def test_a_still_that_is_sent_again_while_it_is_looked_at_has_one_outcome(page: Page, events_of: Events) -> None:
    still = new_id()
    answers = together(*[lambda: put(page, "face", portrait(), still)] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len(events_of(page.session_id, 154)) == 1


def test_of_two_stills_with_one_id_one_is_stored_and_the_other_is_told(
    page: Page, staff: httpx.Client, events_of: Events
) -> None:
    still = new_id()
    one, other = together(lambda: put(page, "face", noise(1), still), lambda: put(page, "face", noise(2), still))
    assert sorted([one.status_code, other.status_code]) == [201, 409]
    [kept] = staff.get(f"/api/v1/sessions/{page.session_id}/captures").json()["items"]
    stored = one if one.status_code == 201 else other
    assert hashlib.sha256(staff.get(kept["url"]).content).hexdigest() == kept["digest"] == stored.json()["digest"]
    assert len(events_of(page.session_id, 155)) == 1


def test_a_still_of_another_session_proves_nothing(server: LiveServer, page: Page, new_session: Make) -> None:
    other = Page(server.url, new_session()["join_url"])
    other.join()
    still = put(other, "face", portrait()).json()["id"]
    assert page.send(page.event(146, {"evidence_id": still})).json()["refused"][0]["type"].endswith("not-confirmed")
    document = put(page, "document", portrait()).json()["id"]
    refused = page.send(page.event(146, {"evidence_id": document})).json()["refused"][0]
    assert "kind document" in refused["detail"]
