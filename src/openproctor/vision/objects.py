"""Find objects: a network and a decoder, both named in the settings.

A decoder says how to feed a network and how to read its answer. Ours: ``nanodet`` (shipped) and ``yolox``
(for a file that the operator supplies). Both speak the 80 COCO classes.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.vision.geometry import Box, Floats, Image, letterbox, suppress
from openproctor.vision.labels import COCO_LABELS
from openproctor.vision.models import ModelFile, shipped, supplied
from openproctor.vision.runtime import Array, load

Cells = npt.NDArray[np.intp]
STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class Thing:
    """An object in the picture; ``label`` is one of :data:`COCO_LABELS`."""

    label: str
    box: Box
    score: float


class Decoder(Protocol):
    """How to feed a network and to read its answer."""

    fill: int
    overlap: float

    def feed(self, canvas: Image) -> Floats:
        """The input array for a letterboxed BGR picture."""
        ...

    def scores(self, outputs: dict[str, Array], width: int, height: int) -> Floats:
        """Class scores, cells x 80, for an input of ``width`` x ``height`` pixels."""
        ...

    def boxes(self, outputs: dict[str, Array], cells: Cells, width: int, height: int) -> Floats:
        """Left, top, right, bottom in input pixels of the given cells."""
        ...


def _centres(cells: Cells, width: int, height: int) -> tuple[Floats, Floats]:
    """Column and row (cells x 2) and stride (cells x 1) of cells numbered through the grids of stride 8, 16 and 32."""
    place = np.zeros((len(cells), 2), dtype=np.float32)
    strides = np.zeros((len(cells), 1), dtype=np.float32)
    first = 0
    for stride in STRIDES:
        columns, rows = -(-width // stride), -(-height // stride)
        mine = (cells >= first) & (cells < first + columns * rows)
        place[mine, 0] = (cells[mine] - first) % columns
        place[mine, 1] = (cells[mine] - first) // columns
        strides[mine] = stride
        first += columns * rows
    return place, strides


class NanoDet:
    """NanoDet: sigmoid scores, distances to the four sides as a distribution over 11 bins per side (paper: GFL)."""

    fill = 0
    overlap = 0.6
    _mean = np.array([103.53, 116.28, 123.675], dtype=np.float32)
    _factor = 1 / np.array([57.375, 57.12, 58.395], dtype=np.float32)
    _bins = np.arange(11, dtype=np.float32)

    def feed(self, canvas: Image) -> Floats:
        pixels = np.empty((1, 3, *canvas.shape[:2]), dtype=np.float32)
        for channel, plane in enumerate(cv2.split(canvas)):
            np.subtract(plane, self._mean[channel], out=pixels[0, channel])
            pixels[0, channel] *= self._factor[channel]
        return pixels

    def _levels(self, outputs: dict[str, Array], last: int) -> list[Array]:
        chosen = [value[0] for value in outputs.values() if value.shape[2] == last]
        return sorted(chosen, key=len, reverse=True)

    def scores(self, outputs: dict[str, Array], width: int, height: int) -> Floats:
        return np.concatenate(self._levels(outputs, 80))

    def boxes(self, outputs: dict[str, Array], cells: Cells, width: int, height: int) -> Floats:
        spread = np.concatenate(self._levels(outputs, 44))[cells].reshape(-1, 4, 11)
        spread = np.exp(spread - spread.max(axis=2, keepdims=True))
        place, strides = _centres(cells, width, height)
        distance = (spread @ self._bins) / spread.sum(axis=2) * strides
        centre = (place + 0.5) * strides
        return np.concatenate([centre - distance[:, :2], centre + distance[:, 2:]], axis=1)


class YoloX:
    """YOLOX: one output of cells x (4 box numbers, objectness, 80 scores), strides 8, 16, 32; BGR 0 to 255."""

    fill = 114
    overlap = 0.45

    def feed(self, canvas: Image) -> Floats:
        return np.ascontiguousarray(canvas.transpose(2, 0, 1)[np.newaxis], dtype=np.float32)

    def scores(self, outputs: dict[str, Array], width: int, height: int) -> Floats:
        rows: Floats = next(iter(outputs.values()))[0]
        return rows[:, 5:85] * rows[:, 4:5]

    def boxes(self, outputs: dict[str, Array], cells: Cells, width: int, height: int) -> Floats:
        rows: Floats = next(iter(outputs.values()))[0][cells]
        place, strides = _centres(cells, width, height)
        centres = (rows[:, :2] + place) * strides
        sizes = np.exp(np.clip(rows[:, 2:4], -20, 20)) * strides
        return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


DECODERS: dict[str, Callable[[], Decoder]] = {"nanodet": NanoDet, "yolox": YoloX}


class ObjectDetector:
    """``find`` gives the wanted objects of a BGR picture, best first.

    ``decoder`` is a name of :data:`DECODERS`, ``path`` an ONNX file (None: the shipped NanoDet), ``width`` x
    ``height`` the network's input in pixels, both multiples of 32. A 4:3 input wastes no work on empty borders.
    """

    def __init__(
        self,
        runtime: str = "openvino",
        decoder: str = "nanodet",
        path: Path | None = None,
        width: int = 416,
        height: int = 320,
    ) -> None:
        if decoder not in DECODERS:
            raise ValueError(f"unknown decoder {decoder!r}: expected one of {', '.join(DECODERS)}")
        self.model: ModelFile = supplied(path) if path is not None else shipped("nanodet-g")
        self.decoder = decoder
        self.width, self.height = width, height
        self._decoder = DECODERS[decoder]()
        self._network = load(self.model, runtime, (1, 3, height, width))
        self.runtime = self._network.description

    def find(self, image: Image, floor: float = 0.25, labels: Collection[str] | None = None) -> list[Thing]:
        """Objects with a score of at least ``floor``; only those of ``labels`` if given."""
        fitted = letterbox(image, self.width, self.height, self._decoder.fill)
        outputs = self._network.run(self._decoder.feed(fitted.canvas))
        scores = self._decoder.scores(outputs, self.width, self.height)
        found: list[Thing] = []
        for index, label in enumerate(COCO_LABELS):
            if labels is not None and label not in labels:
                continue
            cells = np.flatnonzero(scores[:, index] >= floor)
            if not len(cells):
                continue
            corners = self._decoder.boxes(outputs, cells, self.width, self.height)
            for position in suppress(corners, scores[cells, index], self._decoder.overlap):
                place = Box(*(float(value) for value in corners[position]))
                box = fitted.back(place).clipped(image.shape[1], image.shape[0])
                if box.area > 0:
                    found.append(Thing(label, box, round(float(scores[cells[position], index]), 4)))
        return sorted(found, key=lambda thing: (-thing.score, thing.label, thing.box.left, thing.box.top))
