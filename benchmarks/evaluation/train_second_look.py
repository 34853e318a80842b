"""``python -m benchmarks.evaluation.train_second_look FOLDER``: fit the weights of the second look (``second_look.json``).

FOLDER holds ``phone/``, ``book/`` and ``other/`` with cut-outs, ``background/`` with pictures of people and rooms, all
without phones and books, and may hold ``coco/`` with ``instances.json`` and ``images/``. The drawn things of ``objects.py``
are added. Things are laid before backgrounds with a hand, at a slant, blurred, dimmed, noisy and compressed; then the
detector's own suspects are taken, as in service, and the true places, a little off.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation import objects
from openproctor.vision.geometry import Box, Image
from openproctor.vision.models import MODELS_DIR
from openproctor.vision.objects import ObjectDetector
from openproctor.vision.second_look import LABELS, Features

SIZE = (640, 480)
SHARES = {
    "phone": (0.02, 0.03, 0.05, 0.09, 0.14),
    "book": (0.04, 0.08, 0.16, 0.25),
    "other": (0.02, 0.03, 0.06, 0.1, 0.15),
}
PROPOSING = ("cell phone", "book", "remote", "laptop", "tv")
FLOOR = 0.08
RIDGE = 300.0  # the weights' penalty, by four-fold cross-validation over source pictures
Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Image]


@dataclass(slots=True)
class Samples:
    """What was seen: kind, name of the source picture, features."""

    features: Features
    kinds: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)

    def add(self, kind: str, source: str, picture: Image, box: Box) -> None:
        self.kinds.append(kind)
        self.sources.append(source)
        self.rows.append(np.asarray(self.features.of(picture, box), dtype=np.float64))


def laid(background: Image, thing: Image, share: float, rng: np.random.Generator) -> tuple[Image, Box]:
    """A thing before a background, at a slant, mostly with fingers over it; and where it is."""
    wide, high = SIZE
    ratio = thing.shape[1] / thing.shape[0]
    height = float(np.sqrt(share * wide * high / ratio))
    width = height * ratio
    centre = np.array([rng.uniform(0.2, 0.8) * wide, rng.uniform(0.45, 0.8) * high])
    angle = np.deg2rad(rng.uniform(-35, 35))
    right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corners = [centre + right * width / 2 * a + down * height / 2 * b for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    target = (np.array(corners) + rng.normal(0, 0.03 * height, (4, 2))).astype(np.float32)
    rows, columns = thing.shape[:2]
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float32)
    place = cv2.getPerspectiveTransform(source, target)
    pixels = cv2.warpPerspective(thing, place, SIZE, flags=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.warpPerspective(objects.rounded_cover(thing, 0.08), place, SIZE, flags=cv2.INTER_AREA)
    part = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.8), dtype=np.float32)[..., None] / 255
    x, y = int(centre[0]), int(centre[1])
    light = max(20.0, float(background[max(0, y - 20) : y + 20, max(0, x - 20) : x + 20].mean()))
    gain = float(np.clip(light / max(30.0, float(thing.mean())), 0.6, 1.3))
    out = np.clip(pixels * gain * part + background * (1 - part), 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        tone = np.array(((95, 125, 180), (60, 80, 120), (130, 160, 215))[int(rng.integers(3))]) * rng.uniform(0.7, 1.1)
        colour = tuple(float(value) for value in tone)
        side = float(rng.choice([-1, 1]))
        for finger in range(3):
            along = down * height * (0.03 + 0.13 * finger)
            _limb(
                out,
                centre + side * right * width * 0.75 + along,
                centre + side * right * width * 0.33 + along,
                height * 0.1,
                colour,
            )
        thumb = centre - side * right * width * 0.7 + down * height * 0.35
        _limb(out, thumb, centre - side * right * width * 0.35 + down * height * 0.1, height * 0.12, colour)
        palm = centre + down * height * 0.75 + side * right * width * 0.4
        axes = (max(1, int(height * 0.28)), max(1, int(height * 0.4)))
        cv2.ellipse(out, (int(palm[0]), int(palm[1])), axes, float(np.rad2deg(angle)), 0, 360, colour, -1, cv2.LINE_AA)
    (left, top), (end, bottom) = target.min(axis=0), target.max(axis=0)
    return out, Box(float(left), float(top), float(end), float(bottom)).clipped(*SIZE)


def _limb(picture: Image, start: Floats, end: Floats, thick: float, colour: tuple[float, ...]) -> None:
    first, last = (int(start[0]), int(start[1])), (int(end[0]), int(end[1]))
    cv2.line(picture, first, last, colour, max(2, int(thick)), cv2.LINE_AA)


def webcam(picture: Image, rng: np.random.Generator) -> Image:
    """Blur, light, noise and compression of a cheap camera."""
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0))
    noisy = soft * rng.uniform(0.75, 1.1) + rng.normal(0, rng.uniform(1, 5), picture.shape)
    _, data = cv2.imencode(
        ".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 75))]
    )
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def read(path: Path) -> Image:
    """A picture, BGR. Raises OSError."""
    image = cv2.imread(str(path))
    if image is None:
        raise OSError(f"{path} is no picture")
    return np.asarray(image, dtype=np.uint8)


def _off(box: Box, rng: np.random.Generator) -> Box:
    left, right = (rng.normal(0, 0.09, 2) * box.width).tolist()
    top, bottom = (rng.normal(0, 0.09, 2) * box.height).tolist()
    return Box(box.left + left, box.top + top, box.right + right, box.bottom + bottom).clipped(*SIZE)


def _suspects(detector: ObjectDetector, picture: Image) -> list[Box]:
    found = [thing.box for thing in detector.find(picture, FLOOR, PROPOSING)]
    return [box for box in found if 0.002 < box.area / (SIZE[0] * SIZE[1]) < 0.6]


def collect(folder: Path, count: int, seed: int) -> Samples:
    """Samples of ``count`` pictures."""
    rng = np.random.default_rng(seed)
    samples, detector = Samples(Features()), ObjectDetector()
    cut = {kind: [(path.stem, read(path)) for path in sorted((folder / kind).iterdir())] for kind in SHARES}
    drawn: dict[str, Callable[..., objects.Stamp]] = {
        "phone": objects.phone,
        "book": objects.book,
        "other": objects.other,
    }
    backgrounds = [(path.stem, read(path)) for path in sorted((folder / "background").iterdir())]
    natural = _natural(folder / "coco")
    for number in range(count):
        name, background = backgrounds[int(rng.integers(len(backgrounds)))]
        background = np.asarray(cv2.resize(background, SIZE), dtype=np.uint8)
        if rng.random() < 0.5:
            background = np.ascontiguousarray(background[:, ::-1])
        turn = number % 8
        if turn < 6:
            kind = ("phone", "book", "other")[turn % 3]
            if rng.random() < 0.5 and cut[kind]:
                source, thing = cut[kind][int(rng.integers(len(cut[kind])))]
            else:
                sketch = int(rng.integers(10**9))
                own = np.random.default_rng(sketch)
                source, thing = (
                    f"drawn-{sketch}",
                    np.ascontiguousarray(drawn[kind](own, objects.some_art(own))[0][:, :, ::-1]),
                )
            picture, truth = laid(background, thing, float(rng.choice(SHARES[kind])), rng)
            picture = webcam(picture, rng)
            boxes = _suspects(detector, picture)
            on = [box for box in boxes if box.iou(truth) > 0.4][:2]
            for box in on or [_off(truth, rng)]:
                samples.add(kind, source, picture, box)
            for box in [box for box in boxes if box.overlap(truth) < 0.1 * min(box.area, truth.area)][:2]:
                samples.add("other", name, picture, box)
        elif turn == 6 and natural:
            _in_place(samples, detector, natural[int(rng.integers(len(natural)))], rng)
        else:
            picture = webcam(background, rng)
            for box in _suspects(detector, picture)[:4]:
                samples.add("other", name, picture, box)
    return samples


def _natural(folder: Path) -> list[tuple[Path, list[tuple[str, Box]]]]:
    if not (folder / "instances.json").exists():
        return []
    raw = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    names = {entry["id"]: entry["name"] for entry in raw["categories"]}
    boxes: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
    sizes = {entry["id"]: (SIZE[0] / entry["width"], SIZE[1] / entry["height"]) for entry in raw["images"]}
    for entry in raw["annotations"]:
        (x, y, w, h), (across, down) = entry["bbox"], sizes[entry["image_id"]]
        place = Box(x * across, y * down, (x + w) * across, (y + h) * down)
        boxes[entry["image_id"]].append((names[entry["category_id"]], place))
    return [(folder / "images" / entry["file_name"], boxes[entry["id"]]) for entry in raw["images"]]


def _in_place(
    samples: Samples, detector: ObjectDetector, item: tuple[Path, list[tuple[str, Box]]], rng: np.random.Generator
) -> None:
    """Suspects of a photograph, and the labelled things in it."""
    path, labelled = item
    picture = webcam(np.asarray(cv2.resize(read(path), SIZE), dtype=np.uint8), rng)
    kinds = dict(zip(LABELS, ("phone", "book"), strict=True))
    own = [(kinds[label], box) for label, box in labelled if label in kinds]
    for kind, box in own:
        if max(box.width, box.height) > 40:
            samples.add(kind, path.stem, picture, _off(box, rng))
    for box in _suspects(detector, picture)[:4]:
        hit = next((kind for kind, place in own if box.iou(place) > 0.4), None)
        if hit or not any(box.overlap(place) > 0.1 * min(box.area, place.area) for _, place in own):
            samples.add(hit or "other", path.stem, picture, box)


def fitted(rows: Floats, wanted: NDArray[np.bool_], ridge: float, steps: int = 12) -> Floats:
    """Weights of a penalised logistic regression, the bias last (Newton's method)."""
    design = np.c_[rows, np.ones(len(rows))]
    weights, penalty = np.zeros(design.shape[1]), np.full(design.shape[1], ridge)
    penalty[-1] = 1e-3
    for _ in range(steps):
        share = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (share - wanted) + penalty * weights
        scaled = design * np.sqrt(share * (1 - share) + 1e-6)[:, None]
        step = np.linalg.solve(scaled.T @ scaled + np.diag(penalty), slope)
        weights -= step
        if np.abs(step).max() < 1e-3:
            break
    return weights


def main() -> int:
    """Collect, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=3200, help="pictures to compose")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=MODELS_DIR / "second_look.json")
    given = parser.parse_args()
    begun = time.monotonic()
    samples = collect(given.folder, given.count, given.seed)
    rows, kinds = np.stack(samples.rows), np.array(samples.kinds)
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    rows = (rows - mean) / spread
    both = {label: fitted(rows, kinds == kind, RIDGE) for label, kind in zip(LABELS, ("phone", "book"), strict=True)}
    content = {
        "features": samples.features.model.sha256,
        "mean": [float(f"{value:.5g}") for value in mean],
        "scale": [float(f"{1 / value:.5g}") for value in spread],
        "weights": {label: [float(f"{value:.4g}") for value in weights[:-1]] for label, weights in both.items()},
        "bias": {label: round(float(weights[-1]), 5) for label, weights in both.items()},
    }
    given.out.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(rows)} samples, {time.monotonic() - begun:.0f} s: {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
