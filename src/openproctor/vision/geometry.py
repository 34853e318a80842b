"""Boxes, letterboxes and crops. Boxes are left, top, right, bottom in pixels of the picture unless said otherwise."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Box:
    """Left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def moved(self, x: float, y: float, scale: float = 1.0) -> "Box":
        """The box in another frame: scaled first, then shifted."""
        return Box(self.left * scale + x, self.top * scale + y, self.right * scale + x, self.bottom * scale + y)

    def clipped(self, width: float, height: float) -> "Box":
        return Box(
            min(max(self.left, 0.0), width),
            min(max(self.top, 0.0), height),
            min(max(self.right, 0.0), width),
            min(max(self.bottom, 0.0), height),
        )

    def overlap(self, other: "Box") -> float:
        """Area in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        common = self.overlap(other)
        union = self.area + other.area - common
        return common / union if union > 0 else 0.0

    def fractions(self, width: int, height: int) -> list[float]:
        """Left, top, right, bottom as fractions of the picture, as events carry it."""
        box = self.clipped(width, height)
        return [
            round(box.left / width, 4),
            round(box.top / height, 4),
            round(box.right / width, 4),
            round(box.bottom / height, 4),
        ]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture fitted into a canvas without distortion. ``x``, ``y`` is where it begins on the canvas."""

    canvas: Image
    scale: float
    x: int
    y: int

    def back(self, box: Box) -> Box:
        """A box on the canvas as one on the picture."""
        return Box(
            (box.left - self.x) / self.scale,
            (box.top - self.y) / self.scale,
            (box.right - self.x) / self.scale,
            (box.bottom - self.y) / self.scale,
        )


def letterbox(image: Image, width: int, height: int, fill: int = 0) -> Letterbox:
    """Fit ``image`` (height x width x 3) into ``width`` x ``height``, centred, the rest filled."""
    scale = min(width / image.shape[1], height / image.shape[0])
    inner_width = max(1, min(width, round(image.shape[1] * scale)))
    inner_height = max(1, min(height, round(image.shape[0] * scale)))
    # area averaging keeps small objects when shrinking; by halves it costs a sixth of doing it at once
    while image.shape[1] >= 2 * inner_width and image.shape[0] >= 2 * inner_height:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    resized = cv2.resize(image, (inner_width, inner_height), interpolation=cv2.INTER_LINEAR)
    if (inner_width, inner_height) == (width, height):
        return Letterbox(np.ascontiguousarray(resized, dtype=np.uint8), scale, 0, 0)
    canvas = np.full((height, width, 3), fill, dtype=np.uint8)
    x, y = (width - inner_width) // 2, (height - inner_height) // 2
    canvas[y : y + inner_height, x : x + inner_width] = resized
    return Letterbox(canvas, scale, x, y)


def sigmoid(values: Any) -> Floats:
    """Logistic function, safe for large negative numbers."""
    clipped = np.clip(np.asarray(values, dtype=np.float32), -80.0, 80.0)
    return np.asarray(1.0 / (1.0 + np.exp(-clipped)), dtype=np.float32)


def suppress(boxes: npt.NDArray[Any], scores: npt.NDArray[Any], limit: float) -> list[int]:
    """Non-maximum suppression: indexes of the boxes (n x 4) kept, best first. Ties keep the earlier box."""
    left = np.argsort(-scores, kind="stable")
    corners = boxes.astype(np.float64)
    areas = np.prod(np.maximum(corners[:, 2:] - corners[:, :2], 0), axis=1)
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        first = np.maximum(corners[best, :2], corners[left, :2])
        last = np.minimum(corners[best, 2:], corners[left, 2:])
        common = np.prod(np.maximum(last - first, 0), axis=1)
        # intersection over union, multiplied out: boxes without any area share nothing
        left = left[common <= limit * (areas[best] + areas[left] - common)]
    return kept


def level_crop(
    image: Image, centre: tuple[float, float], side: float, angle: float, size: int
) -> tuple[Image, npt.NDArray[np.float64]]:
    """A square of ``side`` pixels round ``centre``, turned by ``angle`` radians, as ``size`` x ``size`` pixels.

    Returns it with the 2x3 matrix from crop pixels back to picture pixels.
    """
    scale = size / side
    cos, sin = np.cos(angle), np.sin(angle)
    forward = np.array(
        [
            [cos * scale, sin * scale, size / 2 - scale * (cos * centre[0] + sin * centre[1])],
            [-sin * scale, cos * scale, size / 2 - scale * (-sin * centre[0] + cos * centre[1])],
        ]
    )
    crop = cv2.warpAffine(image, forward, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    back = cv2.invertAffineTransform(forward)
    return np.asarray(crop, dtype=np.uint8), np.asarray(back, dtype=np.float64)
