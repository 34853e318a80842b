"""A second look at a suspect: is it a phone, a book, or neither, and where does it end?

The detector's own class scores are weak on things held before a webcam. The second look is a network of its own: the
detector's body, fitted anew to suspects only, on one enlarged view of the suspect with what is round it.
``benchmarks/evaluation/train_second_look.py`` fits the weights, docs/detection.md says on what.
"""

from dataclasses import dataclass
from math import log

import cv2
import numpy as np

from openproctor.vision.geometry import Box, Image
from openproctor.vision.models import ModelFile, shipped
from openproctor.vision.objects import NanoDet
from openproctor.vision.runtime import load

SIDE = 192  # pixels of a view
REACH = 2.2  # of a view, times the suspect's longer side
LEAST_SIDE = 12.0  # pixels; smaller suspects are enlarged no further
LABELS = ("cell phone", "book")
PLACED = 0.08  # what a label must reach for the network's own idea of the place to count


@dataclass(frozen=True, slots=True)
class Opinion:
    """How sure the second look is of each label, 0 to 1; they need not add up to one. ``box`` is where it lies, pixels."""

    phone: float
    book: float
    box: Box

    def of(self, label: str) -> float:
        """The score of a label of :data:`LABELS`."""
        return self.phone if label == LABELS[0] else self.book


class SecondLook:
    """``judge`` a suspect. Not for use by two threads at once."""

    def __init__(self, runtime: str = "openvino") -> None:
        self.model: ModelFile = shipped("second-look")
        self._network = load(self.model, runtime)
        self._decoder = NanoDet()
        self.runtime = self._network.description

    def judge(self, image: Image, box: Box) -> Opinion:
        """What lies in a box (pixels) of a BGR picture."""
        view, scale = viewed(image, box)
        form = np.array([[log(max(box.width, 1.0) / max(box.height, 1.0))]], dtype=np.float32)
        values = self._network.run({"view": self._decoder.feed(view), "form": form})["out"][0].astype(np.float64)
        phone, book = (float(value) for value in 1 / (1 + np.exp(-np.clip(values[:2], -30, 30))))
        place = box
        if max(phone, book) >= PLACED and values[4] - values[2] > 0.05 < values[5] - values[3]:
            (x, y), side = box.centre, SIDE / scale
            left, top, right, bottom = (float(value) * side for value in values[2:])
            place = Box(x + left, y + top, x + right, y + bottom).clipped(image.shape[1], image.shape[0])
        return Opinion(round(phone, 4), round(book, 4), place if place.area > 0 else box)


def viewed(image: Image, box: Box) -> tuple[Image, float]:
    """The enlarged view of a box (pixels) of a BGR picture, and how many of its pixels one of the picture takes."""
    scale = SIDE / (max(box.width, box.height, LEAST_SIDE) * REACH)
    x, y = box.centre
    place = np.array([[scale, 0, SIDE / 2 - x * scale], [0, scale, SIDE / 2 - y * scale]], dtype=np.float64)
    view = cv2.warpAffine(image, place, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=(114, 114, 114))
    return np.asarray(view, dtype=np.uint8), scale
