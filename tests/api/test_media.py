"""Recordings: chunks in, playlists out."""

import io
import json
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import av
import httpx
import numpy as np
import pytest

from openproctor.simulation.media import CAMERA, Blob, record
from tests.live import LiveServer
from tests.page import Page, digest_header, now

Events = Callable[..., list[dict[str, Any]]]
Make = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def blobs() -> list[Blob]:
    """Init segment and three chunks of two seconds."""
    noise = np.random.default_rng(1)
    frames = [noise.integers(0, 255, (480, 640, 3), dtype=np.uint8) for _ in range(90)]
    return list(record(frames, CAMERA))


def webm(seconds: int = 1) -> bytes:
    """A self-contained WebM piece."""
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for n in range(10 * seconds):
            picture = np.full((240, 320, 3), n * 5 % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return out.getvalue()


def test_chunks_play_while_the_session_runs_and_after_it_ended(
    page: Page, staff: httpx.Client, blobs: list[Blob], events_of: Events
) -> None:
    address = f"/api/v1/sessions/{page.session_id}/media/camera"
    assert staff.get(f"{address}/index.m3u8").status_code == 404
    for number, blob in enumerate(blobs[:3]):
        assert page.put_chunk("camera", number, blob.data).status_code == 201
    running = staff.get(f"{address}/index.m3u8").text
    assert "#EXT-X-ENDLIST" not in running
    assert running.count("#EXTINF") == 2
    assert "#EXT-X-PROGRAM-DATE-TIME" in running
    page.put_chunk("camera", 3, blobs[3].data)
    manifest = {"streams": {page.stream: page.seq}, "tracks": {"camera": 3}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    ended = staff.get(f"{address}/index.m3u8").text
    assert ended.count("#EXTINF") == 3
    assert ended.rstrip().endswith("#EXT-X-ENDLIST")
    lengths = [float(x) for x in re.findall(r"#EXTINF:([\d.]+)", ended)]
    assert sum(lengths) == pytest.approx(6, abs=0.01)
    (done,) = events_of(page.session_id, 113)
    assert done["data"]["outcome"] == "finished"
    whole = _download(staff, address, ended)
    assert frames_in(whole) == 90


def frames_in(data: bytes) -> int:
    """Pictures that a player gets to see."""
    with av.open(io.BytesIO(data), "r") as container:
        return len(list(container.decode(video=0)))


def _download(staff: httpx.Client, address: str, playlist: str) -> bytes:
    """What a player reads: the map and the segments, by their signed links alone."""
    names = re.findall(r'URI="([^"]+)"', playlist) + [line for line in playlist.splitlines() if line and line[0] != "#"]
    whole = b""
    with httpx.Client(base_url=staff.base_url) as stranger:
        for name in names:
            answer = stranger.get(f"{address}/{name}")
            assert answer.status_code == 200
            whole += answer.content
            assert stranger.get(f"{address}/{name[:-1]}").status_code == 404, "a changed link opens nothing"
    return whole


def test_a_player_opens_the_playlist_with_the_key(page: Page, staff: httpx.Client, blobs: list[Blob]) -> None:
    for number, blob in enumerate(blobs):
        page.put_chunk("camera", number, blob.data)
    url = f"{str(staff.base_url).rstrip(chr(47))}/api/v1/sessions/{page.session_id}/media/camera/index.m3u8"
    options = {"headers": f"Authorization: {staff.headers['Authorization']}\r\n", "live_start_index": "0"}
    with av.open(url, format="hls", options=options) as container:
        stream = container.streams.video[0]
        times = []
        for frame in container.decode(stream):
            times.append(frame.time)
            if len(times) >= 75:
                break
    assert times == sorted(times)


def test_a_chunk_sent_again_is_stored_once(page: Page, blobs: list[Blob]) -> None:
    assert page.put_chunk("camera", 0, blobs[0].data).status_code == 201
    assert page.put_chunk("camera", 0, blobs[0].data).status_code == 200
    other = page.put_chunk("camera", 0, blobs[0].data + b"\0\0\0\x08free")
    assert other.status_code == 409
    assert other.json()["type"].endswith("number-taken")


def at_time(data: bytes, ticks: int) -> bytes:
    """A chunk that says of its fragments that they begin at some other time."""
    found = data.index(b"tfdt")
    assert data[found + 4] == 1, "a time of 64 bits"
    return data[: found + 8] + struct.pack(">Q", ticks) + data[found + 16 :]


@pytest.mark.parametrize(
    ("change", "headers", "status", "slug"),
    [
        (lambda b: at_time(b, 2**63), {}, 422, "damaged-chunk"),
        (lambda b: at_time(b, 2**54), {}, 422, "damaged-chunk"),
        (lambda b: b, {"Content_Digest": digest_header(b"other")}, 400, "digest-mismatch"),
        (lambda b: b, {"Content_Digest": ""}, 400, "digest-missing"),
        (lambda b: b, {"Content_Digest": "sha-256=:!:"}, 400, "digest-missing"),
        (lambda b: b, {"Content_Type": "text/plain"}, 415, "wrong-container"),
        (lambda b: b, {"Content_Type": "video/webm"}, 415, "wrong-container"),
        (lambda b: b"", {}, 422, "empty-chunk"),
        (lambda b: b[:-5], {}, 422, "truncated"),
        (lambda b: b[: len(b) // 2], {}, 422, "truncated"),
        (lambda b: b"RIFF" + b[4:], {}, 422, "truncated"),
        (lambda b: b"<html>hello</html>", {}, 415, "wrong-container"),
        (lambda b: b"\0" * 5000, {}, 415, "wrong-container"),
        (lambda b: b, {"X_Recording_Part": "one"}, 400, "header-missing"),
        (lambda b: b, {"X_Recording_Part": b"\xb2"}, 400, "header-missing"),
        (lambda b: b, {"X_Part_Started_At": ""}, 400, "header-missing"),
        (lambda b: b, {"X_Recording_Part": "7"}, 409, "init-missing"),
        (lambda b: b + b"\0" * (8 * 1024 * 1024), {}, 413, "too-large"),
    ],
)
def test_a_bad_chunk_is_refused_and_nothing_of_it_is_stored(
    page: Page, blobs: list[Blob], staff: httpx.Client, change: Any, headers: dict[str, str], status: int, slug: str
) -> None:
    page.put_chunk("camera", 0, blobs[0].data)
    answer = page.put_chunk("camera", 1, change(blobs[1].data), part=0, **headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith(slug)
    assert page.put_chunk("camera", 1, blobs[1].data).status_code == 201, "the number is free for the right bytes"


def test_only_what_the_policy_records_is_taken(server: LiveServer, new_session: Make, blobs: list[Blob]) -> None:
    page = Page(server.url, new_session(checks=[], tracks={"screen": None})["join_url"])
    page.join()
    assert page.put_chunk("camera", 0, blobs[0].data).json()["type"].endswith("not-started")
    page.http.post(page.path("start"), json={})
    assert page.put_chunk("camera", 0, blobs[0].data).status_code == 201
    for track in ("screen", "sound", "..%2fcamera"):
        assert page.put_chunk(track, 0, blobs[0].data).status_code in (403, 404)


def test_recording_started_counts_only_with_a_stored_chunk(page: Page, blobs: list[Blob], events_of: Events) -> None:
    page.put_chunk("camera", 0, blobs[0].data)
    assert page.send(page.event(13, {"track": "camera", "part": 0})).json()["acknowledged"] == []
    page.put_chunk("camera", 1, blobs[1].data)
    assert page.send(page.event(13, {"track": "camera", "part": 0})).json()["acknowledged"] == [2]
    assert len(events_of(page.session_id, 13)) == 1


def test_a_recording_that_stalls_is_noted_by_the_server(page: Page, blobs: list[Blob], events_of: Events) -> None:
    page.put_chunk("camera", 0, blobs[0].data)
    with page.socket() as socket:
        deadline = time.monotonic() + 15
        while not events_of(page.session_id, 14):
            assert time.monotonic() < deadline, "the stall was not noted"
            socket.send(json.dumps({"t": "ping", "n": 1, "at": 0}))
            time.sleep(0.2)
    stopped = events_of(page.session_id, 14)
    assert {e["data"]["track"] for e in stopped} <= {"camera", "screen"}
    assert {e["data"]["reason"] for e in stopped} == {"stalled"}
    assert stopped[0]["source"] == "server"


def test_what_was_sent_before_keeps_no_recording_alive_and_its_end_is_a_gap(
    page: Page, blobs: list[Blob], events_of: Events
) -> None:
    began = str(now())
    for track in ("camera", "screen"):
        for number in (0, 1):
            assert page.put_chunk(track, number, blobs[number].data, X_Part_Started_At=began).status_code == 201
    stopped = page.event(14, {"track": "camera", "reason": "track_ended"})
    started = page.event(13, {"track": "camera", "part": 0})
    assert page.send(stopped, started).json()["acknowledged"] == [1, 2]
    # the screen's recording ended with the exam; that is told when the line is back
    finished = page.event(14, {"track": "screen", "reason": "finished"})

    def stalled() -> bool:
        return "stalled" in [
            e["data"]["reason"] for e in events_of(page.session_id, 14) if e["data"]["track"] == "camera"
        ]

    with page.socket() as socket:
        deadline = time.monotonic() + 15
        # what was recorded ends 2 s after the beginning; only from 3 s on is a pause behind it a gap
        while not stalled() or now() < int(began) + 5_000:
            assert time.monotonic() < deadline, "the stall was not noted"
            socket.send(json.dumps({"t": "ping", "n": 1, "at": 0}))
            assert page.put_chunk("camera", 1, blobs[1].data, X_Part_Started_At=began).status_code == 200
            assert page.send(stopped).json()["acknowledged"] == [1]
            time.sleep(0.2)
    page.send(finished)
    manifest = {"streams": {page.stream: page.seq}, "tracks": {"camera": 1, "screen": 1}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    (gap,) = events_of(page.session_id, 1060)
    (end,) = events_of(page.session_id, 1071)
    assert (gap["data"]["track"], gap["data"]["reason"], gap["source"]) == ("camera", "nothing was recorded", "server")
    assert gap["data"]["from"] == pytest.approx(int(began) + 2_000, abs=100)
    assert gap["data"]["until"] == end["occurred_at"]


def test_self_contained_webm_pieces_play_as_parts_of_their_own(page: Page, staff: httpx.Client) -> None:
    for number in range(3):
        answer = page.put_chunk("camera", number, webm(), part=number, Content_Type="video/webm")
        assert answer.status_code == 201, answer.text
    address = f"/api/v1/sessions/{page.session_id}/media/camera"
    playlist = staff.get(f"{address}/index.m3u8").text
    assert playlist.count("#EXT-X-MAP") == 3
    assert playlist.count("#EXT-X-DISCONTINUITY") == 2
    names = re.findall(r'URI="([^"]+)"', playlist)[:1] + [x for x in playlist.splitlines() if x and x[0] != "#"][:1]
    piece = b"".join(staff.get(f"{address}/{name}").content for name in names)
    assert frames_in(piece) == 10
    assert page.put_chunk("camera", 3, webm()[:400], part=3, Content_Type="video/webm").status_code == 422


def test_a_new_part_after_a_pause_shows_as_a_gap(page: Page, staff: httpx.Client, blobs: list[Blob]) -> None:
    began = now() - 60_000
    staff_view = f"/api/v1/sessions/{page.session_id}"
    started = staff.get(staff_view).json()["started_at"]
    for number, blob in enumerate(blobs[:2]):
        page.put_chunk("camera", number, blob.data, X_Part_Started_At=str(began))
    for number, blob in enumerate(blobs[:2]):
        page.put_chunk("camera", number + 2, blob.data, part=1, X_Part_Started_At=str(now()))
    track = staff.get(f"{staff_view}/media/camera").json()
    assert len(track["spans"]) == 2
    assert track["spans"][0]["from"] >= started, "a recording cannot begin before the exam"
    assert track["spans"][1]["position_s"] == pytest.approx(2, abs=0.01)
    assert "#EXT-X-DISCONTINUITY" in staff.get(f"{staff_view}/media/camera/index.m3u8").text


def test_a_session_completes_only_when_everything_is_in(page: Page, blobs: list[Blob], staff: httpx.Client) -> None:
    page.put_chunk("camera", 0, blobs[0].data)
    late = page.event(6, {})
    manifest = {"streams": {page.stream: 1}, "tracks": {"camera": 2}}
    answer = page.http.post(page.path("finish"), json={"manifest": manifest}).json()
    assert answer == {"state": "running", "missing": {"events": 1, "chunks": {"camera": [1, 2]}}}
    page.put_chunk("camera", 2, blobs[2].data)
    page.put_chunk("camera", 1, blobs[1].data)
    assert staff.get(f"/api/v1/sessions/{page.session_id}").json()["state"] == "running"
    page.send(late)
    done = staff.get(f"/api/v1/sessions/{page.session_id}").json()
    assert (done["state"], done["outcome"]) == ("completed", "finished")
    assert page.send(page.event(6, {})).status_code == 410
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"


def test_a_chunk_that_the_page_gave_up_is_a_gap_and_not_waited_for(
    page: Page, blobs: list[Blob], staff: httpx.Client
) -> None:
    for number in (0, 1, 3):
        page.put_chunk("camera", number, blobs[number].data)
    began = now()
    gap = {"track": "camera", "from": began, "until": began + 2000, "numbers": [2], "reason": "storage"}
    page.send(page.event(1060, gap))
    manifest = {"streams": {page.stream: page.seq}, "tracks": {"camera": 3}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    playlist = staff.get(f"/api/v1/sessions/{page.session_id}/media/camera/index.m3u8").text
    assert playlist.count("#EXTINF") == 2
    assert "#EXT-X-DISCONTINUITY" in playlist
