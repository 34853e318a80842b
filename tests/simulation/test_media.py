"""The recordings are what a browser's recorder makes: Chromium and FFmpeg play them, whole and in pieces."""

import asyncio
import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.async_api import Route, async_playwright

from openproctor.isobmff import boxes, find
from openproctor.simulation.media import CAMERA, MIME_TYPE, Blob, Loop, TrackFormat, record
from scripts.ensure_browser import find_browser

HLS = Path(__file__).parents[2] / "web/node_modules/hls.js/dist/hls.min.js"
SMALL = TrackFormat(160, 120, 10, 60_000, audio=True)


def decoded(data: bytes) -> dict[str, list[float]]:
    """Times of all decoded frames, by kind of stream."""
    with av.open(io.BytesIO(data), "r") as container:
        video = [float(frame.time or 0) for frame in container.decode(video=0)]
    with av.open(io.BytesIO(data), "r") as container:
        audio = [float(frame.time or 0) for frame in container.decode(audio=0)]
    return {"video": video, "audio": audio}


def kinds(data: bytes) -> list[bytes]:
    return [box.kind for box in boxes(data)]


def test_blob_0_is_the_init_segment_and_later_ones_are_whole_fragments(camera_blobs: list[Blob]) -> None:
    assert kinds(camera_blobs[0].data) == [b"ftyp", b"moov"]
    assert len(find(camera_blobs[0].data, b"moov", b"mvex", b"trex")) == 2
    for number, blob in enumerate(camera_blobs[1:], 1):
        assert kinds(blob.data) == [b"moof", b"mdat"]
        assert len(find(blob.data, b"moof", b"traf")) == 2
        (header,) = find(blob.data, b"moof", b"mfhd")
        assert int.from_bytes(blob.data[header.body + 4 : header.end]) == number
        assert (blob.from_ms, blob.until_ms) == (2000 * number - 2000, 2000 * number)


def test_every_blob_decodes_alone_at_its_own_time(camera_blobs: list[Blob]) -> None:
    for blob in camera_blobs[1:]:
        times = decoded(camera_blobs[0].data + blob.data)
        assert len(times["video"]) == 30
        assert times["video"][0] == pytest.approx(blob.from_ms / 1000, abs=0.001)
        assert times["audio"][0] == pytest.approx(blob.from_ms / 1000, abs=0.06)


def test_the_whole_plays_without_holes(camera_blobs: list[Blob]) -> None:
    times = decoded(b"".join(blob.data for blob in camera_blobs))
    steps = np.diff(times["video"])
    assert (len(times["video"]), steps.min(), steps.max()) == (
        120,
        pytest.approx(1 / 15, abs=1e-3),
        pytest.approx(1 / 15, abs=1e-3),
    )
    assert np.diff(times["audio"][1:]).max() == pytest.approx(0.06, abs=0.001)


def test_the_bit_rate_is_about_what_was_asked_for(camera_blobs: list[Blob]) -> None:
    bits = 8 * sum(len(blob.data) for blob in camera_blobs) / (camera_blobs[-1].until_ms / 1000)
    assert 100_000 < bits < 1.3 * (CAMERA.video_bits_per_second + CAMERA.audio_bits_per_second)


def test_a_loop_plays_for_ever(camera_blobs: list[Blob]) -> None:
    loop = Loop(camera_blobs[:4])
    assert loop.blob(2).data == camera_blobs[2].data
    times = decoded(b"".join(loop.blob(number).data for number in range(20)))
    assert len(times["video"]) == 19 * 30
    assert np.diff(times["video"]).max() == pytest.approx(1 / 15, abs=1e-3)
    assert np.diff(times["audio"][1:]).max() == pytest.approx(0.06, abs=0.001)
    far = decoded(loop.blob(0).data + loop.blob(5000).data)
    assert far["video"][0] == pytest.approx(4999 * 2, abs=0.001)
    blob, digest = loop.digested(7)
    assert digest == blob.content_digest


def test_a_loop_of_broken_length_is_refused(camera_blobs: list[Blob]) -> None:
    with pytest.raises(ValueError, match="multiple of 60 ms"):
        Loop(camera_blobs[:3])


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the track is 160x120"):
        list(record(iter([np.zeros((10, 10, 3), np.uint8)]), SMALL))


def test_sound_shorter_than_the_picture_ends_early() -> None:
    frames = (np.full((120, 160, 3), number, np.uint8) for number in range(40))
    times = decoded(b"".join(b.data for b in record(frames, SMALL, iter([np.zeros(48_000, np.float32)]))))
    assert times["video"][-1] == pytest.approx(3.9)
    assert times["audio"][-1] < 1.0


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["mse", "hls.js"])
async def test_chromium_plays_it(camera_blobs: list[Blob], how: str) -> None:
    loop = Loop(camera_blobs[:4])
    segments = [loop.blob(number).data for number in range(1, 7)]
    player = await asyncio.to_thread(HLS.read_bytes)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD", '#EXT-X-MAP:URI="0"']
    lines += [line for number in range(1, 7) for line in ("#EXTINF:2.0,", str(number))] + ["#EXT-X-ENDLIST"]

    async def answer(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name.isdigit():
            data = loop.init.data if name == "0" else segments[int(name) - 1]
            await route.fulfill(body=data, content_type="video/mp4")
        elif name == "hls.js":
            await route.fulfill(body=player, content_type="text/javascript")
        elif name == "index.m3u8":
            await route.fulfill(body="\n".join(lines), content_type="application/vnd.apple.mpegurl")
        else:
            await route.fulfill(body="<video muted></video><script src=hls.js></script>", content_type="text/html")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_browser(), args=["--autoplay-policy=no-user-gesture-required"]
        )
        page = await browser.new_page()
        await page.route("http://localhost/*", answer)
        await page.goto("http://localhost/")
        seen: dict[str, Any] = await page.evaluate(_MSE if how == "mse" else _HLS_JS, MIME_TYPE)
        await browser.close()
    assert seen["duration"] == pytest.approx(12, abs=0.1)
    assert seen["ranges"] == 1
    assert seen["frames"] >= 100
    assert seen["errors"] == []


# a late joiner first: init and the fourth fragment, then all others in order
_MSE = """async (mime) => {
  const video = document.querySelector('video'), source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((done) => (source.onsourceopen = done));
  const buffer = source.addSourceBuffer(mime), errors = [];
  const add = async (name) => {
    buffer.appendBuffer(await (await fetch(name)).arrayBuffer());
    await new Promise((done, fail) => { buffer.onupdateend = done; buffer.onerror = () => fail(name); });
  };
  await add('0'); await add('4');
  video.currentTime = buffer.buffered.start(0) + 0.2;
  await new Promise((done) => (video.onseeked = done));
  for (const name of ['1', '2', '3', '5', '6']) await add(name);
  source.endOfStream();
  video.currentTime = 0; video.playbackRate = 4;
  await video.play();
  await new Promise((done, fail) => { video.onended = done; video.onerror = () => fail(video.error.message); });
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return { duration: video.duration, ranges: buffer.buffered.length, frames, errors };
}"""

_HLS_JS = """async () => {
  const video = document.querySelector('video'), hls = new Hls(), errors = [];
  hls.on(Hls.Events.ERROR, (_, data) => errors.push(data.details));
  hls.loadSource('index.m3u8');
  hls.attachMedia(video);
  await new Promise((done) => hls.on(Hls.Events.MANIFEST_PARSED, done));
  video.playbackRate = 4;
  await video.play();
  await new Promise((done, fail) => { video.onended = done; video.onerror = () => fail(video.error.message); });
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return { duration: video.duration, ranges: video.buffered.length, frames, errors };
}"""
