"""What is off by default: where somebody looks, and whether it is still the same face. And a recording played as a camera."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from openproctor.analysis.analyze import analyze_file
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import Finding
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.sameness import reference
from openproctor.analysis.samples import Segment
from openproctor.analysis.settings import AnalysisSettings
from openproctor.catalog import CATALOG
from openproctor.vision.geometry import Image
from openproctor.vision.recognition import Reference
from tests.analysis.conftest import blobs, scene, segments

ONLY = {"objects": False, "laptop": False, "speech": False, "camera_frozen": False, "face_covered": False}


def _moved(picture: Image, seconds: float, start: float = 0.0) -> Iterator[Image]:
    """RGB frames of a picture that sways a little."""
    for count in range(round(seconds * 5)):
        at = start + count / 5
        yield np.ascontiguousarray(np.roll(picture, int(3 * np.sin(at * 1.7)), axis=1)[:, :, ::-1])


def _turned(picture: Image) -> Image:
    """The same face as if it looked aside: squeezed towards one side, so that the mesh sees the head turned."""
    height, width = picture.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    target[1:3, 0] -= 0.45 * width
    return np.asarray(cv2.warpPerspective(picture, cv2.getPerspectiveTransform(source, target), (width, height)))


def _all(settings: AnalysisSettings, detectors: Detectors, parts: list[Segment]) -> list[Finding]:
    analysis, found = Analysis(detectors, settings), list[Finding]()
    before: Segment | None = None
    for part in parts:
        earlier = before
        found += analysis.step(part, lambda earlier=earlier: earlier)  # type: ignore[misc]
        # any worker can go on: the state survives being written and read
        analysis = Analysis(detectors, settings, analysis.dump())
        before = part
    return found


def test_a_glance_to_the_side_is_measured_against_the_candidates_own_habit(
    detectors: Detectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, aside = (2.0, 5.0, 0.5), (38.0, 5.0, 0.5)
    directions = iter([*[ahead] * 12, *[aside] * 5, *[ahead] * 6])
    from openproctor.analysis.looking import LookingWatch

    # the directions are given, the rest is the pipeline's own: nobody turns their head in public-domain stills
    monkeypatch.setattr(LookingWatch, "_direction", lambda self, frame: next(directions))
    settings = AnalysisSettings.of({"detectors": {**ONLY, "looking_away": True}})
    parts = segments(blobs(list(_moved(scene("one"), 46))))
    found = [one for one in _all(settings, detectors, parts) if one.type_id in (1042, 1076)]
    assert [one.type_id for one in found] == [1042, 1076]
    assert found[0].data["yaw"] == 38.0
    assert found[1].ended[0]["type_id"] == 1042
    assert all(CATALOG.types[one.type_id].complaint(one.data) is None for one in found)


def test_nobody_is_watched_for_it_by_default(detectors: Detectors, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    pictures = [*_moved(scene("one"), 20), *_moved(_turned(scene("one")), 10, 20)]
    path.write_bytes(b"".join(blob.data for blob in blobs(pictures)))
    assert not {1040, 1042} & {one.type_id for one in analyze_file(path, {"detectors": ONLY}, detectors=detectors)}


def test_the_face_is_compared_with_the_captured_one(detectors: Detectors) -> None:
    own = reference(detectors, "own", scene("one"))
    assert own is not None
    on = AnalysisSettings.of({"detectors": {**ONLY, "face_mismatch": True}})
    parts = segments(blobs(list(_moved(scene("one"), 44))))
    assert 1040 not in {one.type_id for one in _all(replace(on, references=(own,)), detectors, parts)}
    # somebody else: an embedding as far from this face as faces get
    other = Reference("other", np.asarray(-own.embedding, dtype=np.float32))
    found = [one for one in _all(replace(on, references=(other,)), detectors, parts) if one.type_id == 1040]
    assert [one.data["outcome"] for one in found] == ["different"]
    assert found[0].data["reference"] == "other"
    assert CATALOG.types[1040].complaint(found[0].data) is None
    # without a reference, or without being asked, nothing is compared
    assert 1040 not in {one.type_id for one in _all(on, detectors, parts)}


def test_a_recording_played_again_and_again_is_suspected(detectors: Detectors) -> None:
    settings = AnalysisSettings.of({"detectors": ONLY})
    rng = np.random.default_rng(3)
    wander = np.cumsum(rng.normal(0, 9, 400)).astype(int)
    picture = scene("one")

    def frames(indexes: list[int]) -> list[Image]:
        return [np.ascontiguousarray(np.roll(picture, int(wander[index]), axis=1)[:, :, ::-1]) for index in indexes]

    loop = _all(settings, detectors, segments(blobs(frames([n % 80 for n in range(200)]))))
    found = [one for one in loop if one.type_id == 1047]
    assert len(found) == 1
    assert CATALOG.types[1047].complaint(found[0].data) is None
    live = _all(settings, detectors, segments(blobs(frames(list(range(200))))))
    assert 1047 not in {one.type_id for one in live}
