"""Find faces: MediaPipe's full-range detector.

Chosen over the short-range one because it sees small and far faces, which is where a second person sits.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from openproctor.vision.geometry import Box, Floats, Image, letterbox, sigmoid, suppress
from openproctor.vision.models import ModelFile, shipped
from openproctor.vision.runtime import load

SIDE = 192  # pixels of the model's square input
CELLS = 48  # anchors lie on a grid of 48 x 48 cell centres
OVERLAP = 0.3  # two boxes sharing more than this are one face


@dataclass(frozen=True, slots=True)
class Face:
    """A face. ``points`` are pixels: eye and ear to the picture's left first: eye, eye, nose, mouth, ear, ear."""

    box: Box
    score: float
    points: tuple[tuple[float, float], ...]


class FaceDetector:
    """``find`` gives the faces of a BGR picture, best first."""

    def __init__(self, runtime: str = "openvino", model: ModelFile | None = None) -> None:
        self.model = model or shipped("mediapipe-face-full-range")
        self._network = load(self.model, runtime)
        self.runtime = self._network.description
        grid = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS
        self._anchors = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)

    def find(self, image: Image, floor: float = 0.45) -> list[Face]:
        """Faces with a score of at least ``floor``."""
        fitted = letterbox(image, SIDE, SIDE)
        pixels = np.empty((1, SIDE, SIDE, 3), dtype=np.float32)
        np.multiply(cv2.cvtColor(fitted.canvas, cv2.COLOR_BGR2RGB), np.float32(1 / 127.5), out=pixels[0])
        pixels -= 1.0
        results = self._network.run(pixels)
        regressions = next(value for value in results.values() if value.shape[-1] == 16)[0]
        logits = next(value for value in results.values() if value.shape[-1] == 1)[0, :, 0]
        scores = sigmoid(logits)
        chosen = np.flatnonzero(scores >= floor)
        return self._decode(regressions[chosen], scores[chosen], chosen, fitted.scale, fitted.x, fitted.y)

    def _decode(
        self, raw: Floats, scores: Floats, chosen: "np.typing.NDArray[np.intp]", scale: float, x: int, y: int
    ) -> list[Face]:
        points = raw.reshape(-1, 8, 2) / SIDE
        anchors = self._anchors[chosen][:, np.newaxis, :]
        centres = points[:, :1] + anchors
        sizes = points[:, 1:2]
        marks = ((points[:, 2:] + anchors) * SIDE - np.array([x, y], dtype=np.float32)) / scale
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1) * SIDE
        corners = (corners - np.array([x, y], dtype=np.float32)) / scale
        kept = suppress(corners.reshape(-1, 4), scores, OVERLAP)
        boxes = {index: Box(*(float(value) for value in corners[index].reshape(-1))) for index in kept}
        return [
            Face(
                boxes[index],
                round(float(scores[index]), 4),
                tuple((float(mark[0]), float(mark[1])) for mark in marks[index]),
            )
            for index in kept
            if boxes[index].area > 0
        ]
