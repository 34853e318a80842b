"""Faces that the picture's edge cuts: their scores are low, and they count all the same."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from openproctor.analysis.analyze import analyze_file
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.looks import FACE_FLOOR
from openproctor.vision.geometry import Image
from tests.analysis.conftest import RATE, blobs, scene
from tests.captures.stills import PICTURES

FROM = {"left": 218, "right": 224}  # of the other picture; its face begins at 173 and is 107 wide
FIRST, SECOND = 8, 12  # seconds alone, and with somebody half in the picture


def _beside(side: str) -> Image:
    """The candidate, and at the left or right edge somewhat more than half of another face."""
    picture = scene("one").copy()
    other = np.asarray(cv2.imread(str(PICTURES / "astronaut.png")), dtype=np.uint8)[:300, FROM[side] : 345]
    if side == "right":
        other = np.ascontiguousarray(other[:, ::-1])
    left = 0 if side == "left" else picture.shape[1] - other.shape[1]
    picture[90 : 90 + other.shape[0], left : left + other.shape[1]] = other
    return picture


def _frames(side: str) -> Iterator[Image]:
    rng = np.random.default_rng(2)
    for base, seconds in ((scene("one"), FIRST), (_beside(side), SECOND)):
        for _ in range(seconds * RATE):
            grain = rng.integers(0, 5, base.shape, dtype=np.uint8)
            yield np.ascontiguousarray(cv2.add(base, grain)[:, :, ::-1])


@pytest.mark.parametrize("side", ["left", "right"])
def test_somebody_half_in_the_picture_is_a_second_face(
    side: str, detectors: Detectors, tmp_path_factory: pytest.TempPathFactory
) -> None:
    picture = _beside(side)
    seen = [
        face
        for face in detectors.faces.find(picture, 0.1)
        if face.score < FACE_FLOOR and detectors.mesh.pose(picture, face).presence > 0.5
    ]
    assert seen, "the face at the edge is seen anyway: this shows nothing"
    path = tmp_path_factory.mktemp("cut") / "clip.mp4"
    path.write_bytes(b"".join(blob.data for blob in blobs(_frames(side))))
    several = [one for one in analyze_file(path, detectors=detectors) if one.type_id == 81]
    assert [round(one.at) for one in several] == [FIRST]
