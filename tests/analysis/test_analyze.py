"""Files in, findings out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from openproctor.analysis.analyze import AnalyzeError, Finding, analyze_file
from openproctor.analysis.detectors import Detectors
from openproctor.catalog import CATALOG

Clip = Callable[..., Path]
# faces only: the scenes stand still, and their colours are too much like a phone's to be quick
QUIET = {"detectors": {"camera_frozen": False, "objects": False, "laptop": False}}


def rows(findings: list[Finding]) -> list[tuple[int, float, float | None]]:
    return [(finding.type_id, finding.at, finding.until) for finding in findings]


def test_one_face_throughout_is_one_finding(clip: Clip, detectors: Detectors) -> None:
    done: list[float] = []
    found = analyze_file(clip(("one", 6)), None, done.append, detectors=detectors)
    assert rows(found) == [(15, 0.0, 6.0)]
    assert found[0].score > 0.7
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_states_follow_one_another_at_the_times_they_begin(clip: Clip, detectors: Detectors) -> None:
    path = clip(("one", 5), ("empty", 7), ("one", 5), ("two", 5), ("one", 4))
    found = analyze_file(path, QUIET, detectors=detectors)
    assert [row[0] for row in rows(found)] == [15, 16, 15, 81, 15]
    assert [row[1] for row in rows(found)] == pytest.approx([0, 5, 12, 17, 22], abs=0.31)
    assert [row[2] for row in rows(found)] == pytest.approx([5, 12, 17, 22, 26], abs=0.31)
    assert found[3].data["count"] == 2


@pytest.mark.parametrize("gone", [0.2, 1.0, 2.4])
def test_a_face_gone_for_less_than_the_hold_time_raises_nothing(clip: Clip, detectors: Detectors, gone: float) -> None:
    found = analyze_file(clip(("one", 4), ("empty", gone), ("one", 4)), QUIET, detectors=detectors)
    assert [row[0] for row in rows(found)] == [15]


def test_the_policy_sets_the_hold_time_and_what_is_looked_for(clip: Clip, detectors: Detectors) -> None:
    path = clip(("one", 4), ("empty", 2), ("one", 4))
    policy = {**QUIET, "hold_ms": {"16": 1000}}
    assert [row[0] for row in rows(analyze_file(path, policy, detectors=detectors))] == [15, 16, 15]
    off = {"detectors": dict.fromkeys(("faces", "objects", "laptop", "camera_frozen", "speech"), False)}
    assert analyze_file(path, off, detectors=detectors) == []


def test_a_black_picture_is_an_obscured_camera(clip: Clip, detectors: Detectors) -> None:
    found = analyze_file(clip(("one", 5), ("black", 8), ("one", 5)), QUIET, detectors=detectors)
    assert 1043 in [row[0] for row in rows(found)]
    obscured = next(finding for finding in found if finding.type_id == 1043)
    assert obscured.at == pytest.approx(5, abs=0.25)
    assert obscured.until == pytest.approx(13, abs=0.25)


def test_a_picture_that_stands_still_is_a_frozen_camera(tmp_path: Path, detectors: Detectors) -> None:
    from tests.analysis.conftest import blobs, scene

    path = tmp_path / "frozen.mp4"
    still = np.ascontiguousarray(scene("one")[:, :, ::-1])
    path.write_bytes(b"".join(blob.data for blob in blobs([still] * 100)))
    policy = {"detectors": {"objects": False, "laptop": False}}
    found = analyze_file(path, policy, detectors=detectors)
    assert [row[0] for row in rows(found)] == [15, 1044]


def test_each_finding_fits_the_catalog_and_says_what_found_it(clip: Clip, detectors: Detectors) -> None:
    path = clip(("one", 3), ("empty", 6), ("two", 4))
    for finding in analyze_file(path, QUIET, detectors=detectors):
        assert CATALOG.types[finding.type_id].complaint(finding.data) is None
        assert {"model", "runtime", "settings", "threshold", "score", "frame_time"} <= set(finding.data)
        json.dumps(finding.data)


def test_the_same_bytes_give_the_same_findings(clip: Clip, detectors: Detectors) -> None:
    path = clip(("one", 3), ("empty", 5), ("two", 4))
    first = analyze_file(path, QUIET, detectors=detectors)
    assert analyze_file(path, QUIET, detectors=Detectors()) == first
    other = analyze_file(path, QUIET, detectors=Detectors("onnxruntime"))
    assert rows(other) == rows(first)


@pytest.mark.parametrize(
    ("codec", "name", "gop"), [("libvpx-vp9", "a.mp4", 300), ("libvpx", "a.webm", 10), ("mjpeg", "a.avi", 1)]
)
def test_any_container_and_any_key_frame_distance_will_do(
    tmp_path: Path, detectors: Detectors, codec: str, name: str, gop: int
) -> None:
    from tests.analysis.conftest import frames

    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=5)
        stream.width, stream.height = 640, 480
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        if codec != "mjpeg":
            stream.options = {"cpu-used": "8", "deadline": "realtime"}
        for picture in frames(("one", 5), ("empty", 5)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    found = analyze_file(path, QUIET, detectors=detectors)
    assert [row[0] for row in rows(found)] == [15, 16]
    assert found[1].at == pytest.approx(5, abs=0.31)


# -- bad files ---------------------------------------------------------------------------------------------------------


def sound_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libopus", rate=48000, layout="mono")
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), dtype=np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, number * 960
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_file_that_cannot_be_used_is_one_clear_line(tmp_path: Path, detectors: Detectors) -> None:
    empty, text, sound = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "sound.mp4"
    empty.write_bytes(b"")
    text.write_text("not a recording\n" * 100)
    sound_only(sound)
    expected = {
        tmp_path / "missing.mp4": "does not exist",
        tmp_path: "is not a file",
        empty: "is empty",
        text: "cannot be read as a recording",
        sound: "only sound",
    }
    for path, words in expected.items():
        with pytest.raises(AnalyzeError, match=words) as caught:
            analyze_file(path, detectors=detectors)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_off_is_refused_and_looked_at_only_when_asked_for_what_is_left(
    clip: Clip, detectors: Detectors, tmp_path: Path
) -> None:
    whole = clip(("one", 8)).read_bytes()
    short = tmp_path / "short.mp4"
    short.write_bytes(whole[:900])
    with pytest.raises(AnalyzeError):
        analyze_file(short, detectors=detectors)
    short.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(AnalyzeError, match="cut off or damaged"):
        analyze_file(short, QUIET, detectors=detectors)
    found = analyze_file(short, QUIET, detectors=detectors, partial=True)
    assert [row[0] for row in rows(found)] == [15]
    assert found[0].until is not None
    assert 3 < found[0].until < 8
