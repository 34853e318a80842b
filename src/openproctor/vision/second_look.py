"""A second look at a suspect: is it a phone, a book, or neither? A small head on the features of the object detector.

The detector's own class scores are weak on things held before a webcam. Its inner layers tell more: what five of them hold
in the suspect (mean and most) and round it (mean), in one enlarged view, goes with scores, shape and size through one hidden
layer. ``benchmarks/evaluation/train_second_look.py`` fits the weights and says on what.
"""

import base64
import json
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.vision.geometry import Box, Floats, Image
from openproctor.vision.inner import load_with_layers
from openproctor.vision.labels import COCO_LABELS
from openproctor.vision.models import ModelFile, shipped
from openproctor.vision.objects import NanoDet

WIDTH, HEIGHT = 416, 320  # pixels of a view
SIZE = 2.4  # of a view, times the suspect's longer side
INNER = 0.8  # share of the suspect's box over which features are taken
LEAST_SIDE = 12.0  # pixels; smaller suspects are enlarged no further
LAYERS = tuple(
    f"PartitionedCall/onnx_tf_prefix_{name}:0"
    for name in ("Concat_42", "Concat_62", "LeakyRelu_151", "LeakyRelu_162", "LeakyRelu_173")
)
LABELS = ("cell phone", "book")
SCORED = ("cell phone", "book", "remote", "laptop", "tv", "person")  # labels whose scores the second look is told
PLACED, PLACE_LEAST = 4, 0.12  # so many of them tell where the thing is, if they reach this score
STRIDES = (8, 16, 32)  # pixels between the detector's cells
NEAR = 0.2  # how far from a view's middle a cell may lie, in heights of the view
FAR = 6.0  # no feature counts as further from what is usual than so many deviations


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
        self.features = Features(runtime)
        self.runtime = self.features.runtime
        raw = json.loads(self.model.path.read_text(encoding="utf-8"))
        if raw["features"] != self.features.model.sha256:
            raise OSError(f"{self.model.path.name} was fitted to another detector")
        self._mean = np.array(raw["mean"], dtype=np.float32)
        self._scale = np.array(raw["scale"], dtype=np.float32)
        self._first = unpacked(raw["first"], len(raw["mean"]))
        self._first_bias = np.array(raw["first_bias"], dtype=np.float32)
        self._last = np.array(raw["last"], dtype=np.float32)
        self._last_bias = np.array(raw["last_bias"], dtype=np.float32)

    def judge(self, image: Image, box: Box) -> Opinion:
        """What lies in a box (pixels) of a BGR picture."""
        values, place = self.features.seen(image, box)
        usual = np.clip((values - self._mean) * self._scale, -FAR, FAR)
        hidden = np.maximum(usual @ self._first + self._first_bias, 0)
        logits = hidden @ self._last + self._last_bias
        phone, book = (float(value) for value in 1 / (1 + np.exp(-np.clip(logits, -30, 30))))
        return Opinion(round(phone, 4), round(book, 4), place)


def packed(weights: Floats) -> str:
    """Weights as text: 16-bit floating point numbers, base64."""
    return base64.b64encode(weights.astype("<f2").tobytes()).decode()


def unpacked(text: str, rows: int) -> Floats:
    """What :func:`packed` made, rows x columns."""
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float32).reshape(rows, -1)


class Features:
    """What the detector's inner layers make of a suspect."""

    def __init__(self, runtime: str = "openvino") -> None:
        self.model = shipped("nanodet-g")
        self._network = load_with_layers(self.model, runtime, (1, 3, HEIGHT, WIDTH), LAYERS)
        self._decoder = NanoDet()
        self.runtime = self._network.description

    def of(self, image: Image, box: Box) -> Floats:
        """The features of a box (pixels) of a BGR picture."""
        return self.seen(image, box)[0]

    def seen(self, image: Image, box: Box) -> tuple[Floats, Box]:
        """The same, with the place that the detector gives the thing now; the box itself where it gives none."""
        side = max(box.width, box.height, LEAST_SIDE) * SIZE
        scale = HEIGHT / side
        x, y = box.centre
        place = np.array([[scale, 0, WIDTH / 2 - x * scale], [0, scale, HEIGHT / 2 - y * scale]], dtype=np.float64)
        view = cv2.warpAffine(image, place, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderValue=(114, 114, 114))
        outputs = self._network.run(self._decoder.feed(np.asarray(view, dtype=np.uint8)))
        across, down = box.width / 2 * scale * INNER, box.height / 2 * scale * INNER
        parts = [_told(outputs[name][0], across, down) for name in LAYERS]
        classes = {name: value for name, value in outputs.items() if name not in LAYERS}
        scores = self._decoder.scores(classes, WIDTH, HEIGHT)[_middle()][:, _scored()]
        share = box.area / (image.shape[0] * image.shape[1])
        form = np.log(np.maximum([box.width / max(box.height, 1.0), share], 1e-6)).astype(np.float32)
        values = [*(part[kind] for kind in range(3) for part in parts), np.sqrt(scores.max(axis=0)), form]
        return np.concatenate(values), self._place(classes, scores, x, y, 1 / scale) or box

    def _place(
        self, classes: dict[str, npt.NDArray[np.float32]], scores: Floats, x: float, y: float, scale: float
    ) -> Box | None:
        things = scores[:, :PLACED].max(axis=1)
        best = int(things.argmax())
        if things[best] < PLACE_LEAST:
            return None
        left, top, right, bottom = self._decoder.boxes(classes, _middle()[best : best + 1], WIDTH, HEIGHT)[0]
        place = Box(float(left), float(top), float(right), float(bottom))
        return place.moved(x - WIDTH / 2 * scale, y - HEIGHT / 2 * scale, scale)


@cache
def _middle() -> npt.NDArray[np.intp]:
    """Numbers of the detector's cells near the middle of a view."""
    chosen, first = [], 0
    for stride in STRIDES:
        columns, rows = np.meshgrid(np.arange(-(-WIDTH // stride)), np.arange(-(-HEIGHT // stride)))
        x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
        near = np.maximum(np.abs(x - WIDTH / 2), np.abs(y - HEIGHT / 2)) < NEAR * HEIGHT
        chosen.append(np.flatnonzero(near) + first)
        first += near.size
    return np.concatenate(chosen)


@cache
def _scored() -> npt.NDArray[np.intp]:
    return np.array([COCO_LABELS.index(label) for label in SCORED])


def _told(layer: npt.NDArray[np.float32], across: float, down: float) -> tuple[Floats, Floats, Floats]:
    """Of a layer (channels x rows x columns): mean and most over the middle of the view, half ``across`` and ``down``
    pixels, and the mean of the rest."""
    step = HEIGHT / layer.shape[1]
    left, right = int((WIDTH / 2 - across) / step), int(np.ceil((WIDTH / 2 + across) / step))
    top, bottom = int((HEIGHT / 2 - down) / step), int(np.ceil((HEIGHT / 2 + down) / step))
    part = layer[:, max(0, top) : max(bottom, top + 1), max(0, left) : max(right, left + 1)]
    inside = part.shape[1] * part.shape[2]
    within = part.sum(axis=(1, 2))
    around = (layer.sum(axis=(1, 2)) - within) / max(1, layer.shape[1] * layer.shape[2] - inside)
    return within / inside, part.max(axis=(1, 2)), around
