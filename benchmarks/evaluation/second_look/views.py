"""Views of suspects as they are kept for fitting, and as the network is fed with them: plain, or varied by chance."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from openproctor.vision.geometry import Box, Image
from openproctor.vision.second_look import BEYOND, REACH, SIDE, viewed

KEPT_SIDE = 360  # pixels of a view as it is kept
KEPT_REACH = 2.8  # of it, times the suspect's longer side: room to turn, shift and scale
QUALITY = 93  # of its JPEG
KINDS = ("phone", "book", "other")
HELD_BACK = 4  # one source in so many is held back where the fit is to be judged
LEVEL = 7.0  # degrees; of views turned further the upright box says too little
# how often what is neither, and what is a thing, comes again if the first fit was less sure than so that it is one
OTHERS_AGAIN = ((0.02, 0.5), (0.15, 1.0), (0.4, 2.0), (2.0, 3.2))
THINGS_AGAIN = ((0.1, 0.5), (0.9, 1.6), (0.985, 1.0), (2.0, 0.6))
SHARES = (0.3, 0.27, 0.43)  # of phones, books and others in a second fit
MOST_AGAIN = 12.0  # times as often as in an even draw, at the most
Place = tuple[float, float, float, float]  # left, top, right, bottom from the view's centre, in units of the view
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """One suspect. ``view`` is a JPEG of KEPT_SIDE x KEPT_SIDE pixels with the suspect's box (``width`` x ``height`` pixels
    of the view) in its middle; ``place`` is where the phone or book really lies in the view, pixels, if it is one."""

    kind: str
    source: str
    drawn: bool
    view: bytes
    width: float
    height: float
    place: Box | None


@dataclass(frozen=True, slots=True)
class Look:
    """What the network is given: a BGR picture of SIDE x SIDE pixels and the suspect's form (log of width by height).
    ``place`` is what it should say of the place; None where nothing is to be learned of it."""

    picture: Image
    form: float
    place: Place | None


def taken(kind: str, source: str, drawn: bool, picture: Image, suspect: Box, truth: Box | None) -> Sample:
    """The view of a suspect (pixels) in a BGR picture; ``truth`` is where the thing really lies there."""
    view, scale = viewed(picture, suspect, KEPT_SIDE, KEPT_REACH)
    x, y = suspect.centre
    left, top = KEPT_SIDE / 2 - x * scale, KEPT_SIDE / 2 - y * scale
    _, data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    place = None if truth is None or kind == "other" else truth.moved(left, top, scale)
    return Sample(kind, source, drawn, data.tobytes(), suspect.width * scale, suspect.height * scale, place)


def decoded(sample: Sample) -> Image:
    """The view as it is kept."""
    picture = cv2.imdecode(np.frombuffer(sample.view, dtype=np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(picture, dtype=np.uint8)


def plain(sample: Sample) -> Look:
    """A view as the product sees it."""
    scale = SIDE * KEPT_REACH / (KEPT_SIDE * REACH)
    off = (SIDE - KEPT_SIDE * scale) / 2
    moved = np.array([[scale, 0, off], [0, scale, off]], dtype=np.float64)
    return Look(_warped(decoded(sample), moved, scale), _form(sample), _placed(sample, moved))


def varied(sample: Sample, rng: np.random.Generator) -> Look:
    """A view as it might have been: turned, shifted, mirrored, in other light, blurred, noisy, partly hidden."""
    scale = SIDE * KEPT_REACH / (KEPT_SIDE * rng.uniform(1.9, 2.55))
    angle = float(rng.normal(0, 6)) if rng.random() < 0.7 else rng.uniform(-25, 25)
    if rng.random() < 0.1:
        angle += float(rng.choice([90, -90, 180]))
    x, y = (KEPT_SIDE / 2 + rng.normal(0, 0.05, 2) * max(sample.width, sample.height)).tolist()
    moved = np.asarray(cv2.getRotationMatrix2D((x, y), angle, scale), dtype=np.float64)
    moved[:, 2] += SIDE / 2 - np.array([x, y])
    if rng.random() < 0.5:
        moved[0] = -moved[0]
        moved[0, 2] += SIDE - 1
    picture = _relit(_warped(decoded(sample), moved, scale), rng)
    lying = abs((angle + 45) % 180 - 45) > 45
    form = (-1 if lying else 1) * _form(sample) + float(rng.normal(0, 0.1))
    return Look(picture, form, _placed(sample, moved) if abs(angle) < LEVEL else None)


def _form(sample: Sample) -> float:
    return log(max(sample.width, 1.0) / max(sample.height, 1.0))


def _warped(view: Image, moved: Values, scale: float) -> Image:
    how = cv2.INTER_AREA if scale < 0.8 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(view, moved, (SIDE, SIDE), flags=how, borderValue=BEYOND), dtype=np.uint8)


def _placed(sample: Sample, moved: Values) -> Place | None:
    if (box := sample.place) is None:
        return None
    across, down = (box.left, box.right), (box.top, box.bottom)
    corners = np.array([[x, y, 1] for x in across for y in down]) @ moved.T / SIDE - 0.5
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return left, top, right, bottom


def _relit(picture: Image, rng: np.random.Generator) -> Image:
    """Other light, contrast and colours, blur, movement, noise, a hidden part, compression."""
    seen = picture.astype(np.float32)
    if rng.random() < 0.8:
        seen = seen * rng.uniform(0.6, 1.35) + rng.uniform(-25, 25)
    if rng.random() < 0.5:
        middle = float(seen.mean())
        seen = (seen - middle) * rng.uniform(0.7, 1.3) + middle
    if rng.random() < 0.5:
        seen = seen * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.08:
        seen = np.repeat(seen.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.3:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.6)), dtype=np.float32)
    if rng.random() < 0.15:
        long = int(rng.integers(3, 8))
        size = (long, 1) if rng.random() < 0.5 else (1, long)
        seen = np.asarray(cv2.blur(seen, size), dtype=np.float32)
    if rng.random() < 0.4:
        seen = seen + rng.normal(0, rng.uniform(1, 9), seen.shape).astype(np.float32)
    if rng.random() < 0.3:
        wide, tall = SIDE * rng.uniform(0.08, 0.25), SIDE * rng.uniform(0.08, 0.25)
        left, top = int(rng.uniform(0, SIDE - wide)), int(rng.uniform(0, SIDE - tall))
        colour = rng.uniform(0, 255, 3) if rng.random() < 0.5 else seen.mean(axis=(0, 1))
        seen[top : top + int(tall), left : left + int(wide)] = colour
    out = np.clip(seen, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return out


def held_back(source: str) -> bool:
    """Whether a source is kept from the fit where the fit is to be judged."""
    return crc32(source.encode()) % HELD_BACK == 0


def weighed(samples: Sequence[Sample], drawn: float = 1.0) -> Values:
    """What each sample counts: a source by the root of its number, each kind the same in all; drawn ones ``drawn`` times."""
    often = Counter(sample.source for sample in samples)
    counts = np.array([often[sample.source] ** -0.5 for sample in samples])
    kinds = np.array([sample.kind for sample in samples])
    for kind in KINDS:
        if (kinds == kind).any():
            counts[kinds == kind] /= counts[kinds == kind].mean()
    counts *= np.where(kinds == "other", 1.0, 1.1)
    return np.asarray(counts * np.where([sample.drawn for sample in samples], drawn, 1.0), dtype=np.float64)


def repeated(samples: Sequence[Sample], sure: Values, drawn: float = 1.0) -> Values:
    """How likely each sample is to be seen in a second fit; all add up to one. ``sure`` (n x 2, 0 to 1) is what the first says
    of phone and book: what it gets wrong comes more often, but not a thing that is not to be told at all."""
    counts = weighed(samples, drawn)
    for number, (sample, (phone, book)) in enumerate(zip(samples, sure.tolist(), strict=True)):
        if sample.kind == "other":
            counts[number] *= _step(max(phone, book), OTHERS_AGAIN)
        else:
            counts[number] *= _step(phone if sample.kind == "phone" else book, THINGS_AGAIN)
    kinds = np.array([sample.kind for sample in samples])
    for kind, share in zip(KINDS, SHARES, strict=True):
        if (kinds == kind).any():
            counts[kinds == kind] *= share / counts[kinds == kind].sum()
    counts = np.minimum(counts / counts.sum(), MOST_AGAIN / len(samples))
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _step(value: float, steps: Sequence[tuple[float, float]]) -> float:
    return next(count for limit, count in steps if value < limit)
