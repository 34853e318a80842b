"""A second look at a suspect: is it a phone, a book, or neither, and where does it end?

The detector's own class scores are weak on things held before a webcam. The second look is a network of its own: the
detector's body, fitted anew to suspects only, on one enlarged view of the suspect with what is round it.
``benchmarks/evaluation/train_second_look.py`` fits the weights, docs/detection.md says on what.
"""

from dataclasses import dataclass
from math import log

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.vision.geometry import Box, Image
from openproctor.vision.models import ModelFile, shipped
from openproctor.vision.objects import NanoDet
from openproctor.vision.runtime import load

SIDE = 256  # pixels of a view
REACH = 2.2  # of a view, times the suspect's longer side
LEAST_SIDE = 12.0  # pixels; smaller suspects are enlarged no further
LABELS = ("cell phone", "book")
BEYOND = (114, 114, 114)  # what a view shows beyond the picture
LEAST_PLACE = 0.05  # of a view; a place that is narrower or flatter is none
HOPELESS = 0.08  # below this in the first view there is no second one, and the place is not the network's


Values = npt.NDArray[np.float64]


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
        """What lies in a box (pixels) of a BGR picture.

        Unless the first view is hopeless, it is looked at once more, mirrored, where the network itself would place it: what
        only looks like a thing by chance seldom does so twice. The opinion is the mean of both, before the logistic function.
        """
        first, place = self._seen(image, box, mirrored=False)
        if _sure(first).max() < HOPELESS:
            return _opinion(first, box)
        second, place = self._seen(image, place, mirrored=True)
        return _opinion((first + second) / 2, place)

    def _seen(self, image: Image, box: Box, mirrored: bool) -> tuple[Values, Box]:
        """What the network says of a box: its values for the two labels before the logistic function, and where it would place
        what it saw; the box itself where that is nowhere."""
        view, scale = viewed(image, box)
        form = np.array([[log(max(box.width, 1.0) / max(box.height, 1.0))]], dtype=np.float32)
        shown = np.ascontiguousarray(view[:, ::-1]) if mirrored else view
        values = self._network.run({"view": self._decoder.feed(shown), "form": form})["out"][0].astype(np.float64)
        left, top, right, bottom = (float(value) for value in values[2:])
        if mirrored:
            left, right = -right, -left
        if min(right - left, bottom - top) <= LEAST_PLACE:
            return values[:2], box
        (x, y), side = box.centre, SIDE / scale
        place = Box(x + left * side, y + top * side, x + right * side, y + bottom * side)
        place = place.clipped(image.shape[1], image.shape[0])
        return values[:2], place if place.area > 0 else box


def _sure(values: Values) -> Values:
    """How sure of each label, 0 to 1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), dtype=np.float64)


def _opinion(values: Values, box: Box) -> Opinion:
    phone, book = (round(float(value), 4) for value in _sure(values))
    return Opinion(phone, book, box)


def viewed(image: Image, box: Box, side: int = SIDE, reach: float = REACH) -> tuple[Image, float]:
    """The enlarged view of a box (pixels) of a BGR picture, ``side`` x ``side`` pixels of ``reach`` times its longer side, and
    how many of its pixels one of the picture takes."""
    scale = side / (max(box.width, box.height, LEAST_SIDE) * reach)
    x, y = box.centre
    place = np.array([[scale, 0, side / 2 - x * scale], [0, scale, side / 2 - y * scale]], dtype=np.float64)
    view = cv2.warpAffine(image, place, (side, side), flags=cv2.INTER_LINEAR, borderValue=BEYOND)
    return np.asarray(view, dtype=np.uint8), scale
