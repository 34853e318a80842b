"""Where a face points: yaw, pitch, roll, eye openness and gaze from MediaPipe's face mesh and iris models."""

from dataclasses import dataclass
from math import atan2, degrees

import numpy as np
import numpy.typing as npt

from openproctor.vision.faces import Face
from openproctor.vision.geometry import Image, level_crop, sigmoid
from openproctor.vision.models import shipped
from openproctor.vision.runtime import load

SIDE = 192
MARGIN = 1.5  # crop side over the face's longer side
EYE_SIDE = 64
EYE_MARGIN = 2.3
# mesh points: outer cheeks, forehead and chin; corners and lids of the eye to the picture's left and right; lips
LEFT_CHEEK, RIGHT_CHEEK, FOREHEAD, CHIN = 234, 454, 10, 152
EYES = ((33, 133, 159, 145), (362, 263, 386, 374))
LIPS = (13, 14)


@dataclass(frozen=True, slots=True)
class Pose:
    """Head pose. Degrees; yaw is positive when the head turns to the picture's right, pitch when it is lowered,
    roll when it tilts to the picture's right. ``presence`` is the mesh's own belief that there is a face, 0 to 1;
    ``openness`` of the eyes is about 0.3 open and below 0.1 closed; ``mouth`` is the gap of the lips over the
    height of the face. Without calibration pitch is off by some degrees: compare it with
    the person's own usual value."""

    yaw: float
    pitch: float
    roll: float
    presence: float
    openness: float
    mouth: float


class FaceMesh:
    """``pose`` of one face, ``gaze`` of its eyes."""

    def __init__(self, runtime: str = "openvino") -> None:
        self.model = shipped("mediapipe-face-mesh")
        self._network = load(self.model, runtime)
        self._eyes = load(shipped("mediapipe-iris"), runtime)
        self.runtime = self._network.description

    def points(self, image: Image, face: Face) -> tuple[npt.NDArray[np.float64], float, float]:
        """468 points x, y, z in picture pixels, the presence score, and the tilt of the eyes in radians."""
        left, right = face.points[0], face.points[1]
        tilt = atan2(right[1] - left[1], right[0] - left[0])
        side = max(face.box.width, face.box.height) * MARGIN
        crop, back = level_crop(image, face.box.centre, side, tilt, SIDE)
        pixels = np.ascontiguousarray(crop[np.newaxis, :, :, ::-1], dtype=np.float32) / 255.0
        results = self._network.run(pixels)
        mesh = next(value for value in results.values() if value.size == 1404).reshape(468, 3).astype(np.float64)
        presence = float(sigmoid(next(value for value in results.values() if value.size == 1)).reshape(-1)[0])
        flat = mesh[:, :2] @ back[:, :2].T + back[:, 2]
        return np.concatenate([flat, mesh[:, 2:] * side / SIDE], axis=1), presence, tilt

    def pose(self, image: Image, face: Face) -> Pose:
        """Head pose of a face found in ``image``."""
        mesh, presence, tilt = self.points(image, face)
        # yaw and pitch are read in the levelled frame, or a tilted head would look turned
        cos, sin = np.cos(-tilt), np.sin(-tilt)
        level = mesh.copy()
        level[:, :2] = mesh[:, :2] @ np.array([[cos, sin], [-sin, cos]])
        across = level[RIGHT_CHEEK] - level[LEFT_CHEEK]
        down = level[CHIN] - level[FOREHEAD]
        tall = float(np.linalg.norm(down)) or 1.0
        openness = float(
            np.mean(
                [
                    np.linalg.norm(level[top] - level[bottom]) / (np.linalg.norm(level[outer] - level[inner]) or 1.0)
                    for outer, inner, top, bottom in EYES
                ]
            )
        )
        return Pose(
            yaw=round(degrees(atan2(across[2], across[0])), 2),
            pitch=round(degrees(atan2(down[2], down[1])), 2),
            roll=round(degrees(tilt), 2),
            presence=round(presence, 4),
            openness=round(openness, 4),
            mouth=round(float(np.linalg.norm(level[LIPS[0]] - level[LIPS[1]])) / tall, 4),
        )

    def gaze(self, image: Image, face: Face) -> float:
        """Where the irises lie between the corners of the eyes: 0 the picture's left, 1 its right, near 0.5 ahead."""
        mesh, _, tilt = self.points(image, face)
        ratios = []
        for index, (outer, inner, _, _) in enumerate(EYES):
            first, second = mesh[outer, :2], mesh[inner, :2]
            centre = (first + second) / 2
            side = float(np.linalg.norm(second - first)) * EYE_MARGIN or 1.0
            crop, back = level_crop(image, (float(centre[0]), float(centre[1])), side, tilt, EYE_SIDE)
            flipped = index == 1  # the model knows one eye; the other is shown to it in a mirror
            eye = crop[:, ::-1] if flipped else crop
            pixels = np.ascontiguousarray(eye[np.newaxis, :, :, ::-1], dtype=np.float32) / 255.0
            iris = next(value for value in self._eyes.run(pixels).values() if value.size == 15).reshape(5, 3)[0]
            x = EYE_SIDE - 1 - float(iris[0]) if flipped else float(iris[0])
            place = np.array([x, float(iris[1])]) @ back[:, :2].T + back[:, 2]
            along = (second - first) / (np.linalg.norm(second - first) or 1.0)
            ratios.append(float((place - first) @ along / (np.linalg.norm(second - first) or 1.0)))
        return round(float(np.mean(ratios)), 4)
