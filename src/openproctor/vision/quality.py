"""Measures of a picture: light, contrast, sharpness, glare, darkness, change. All pure, all on BGR or grey uint8."""

import base64
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.vision.geometry import Box, Floats, Image

SHARPNESS_SIDE = 256  # longer side to which a picture is brought before its sharpness is measured
THUMB = (64, 48)  # width, height of the grey thumbnail that frames are compared by


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one picture. Light values are 0 to 255, shares 0 to 1.

    ``sharpness`` is the variance of the Laplacian at a fixed size, divided by the variance of the light, so that
    neither resolution nor a dim lamp changes it much. ``glare`` is the share of burnt-out pixels, ``black`` of
    almost black ones.
    """

    brightness: float
    contrast: float
    sharpness: float
    glare: float
    black: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def grey(image: npt.NDArray[Any]) -> Image:
    """One channel, whatever comes."""
    if image.ndim == 2:
        return np.asarray(image, dtype=np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def measure(image: Image, box: Box | None = None, side: int = SHARPNESS_SIDE, enlarge: bool = False) -> Quality:
    """Measures of a picture, or of the part of it inside ``box``. ``side``, ``enlarge``: see :func:`sharpness`."""
    part = crop(image, box) if box is not None else image
    light = grey(part)
    return Quality(
        brightness=round(float(light.mean()), 2),
        contrast=round(float(light.std()), 2),
        sharpness=round(sharpness(light, side, enlarge), 4),
        glare=round(float((light >= 250).mean()), 4),
        black=round(float((light <= 20).mean()), 4),
    )


def crop(image: Image, box: Box) -> Image:
    """The part of a picture inside a box; at least one pixel."""
    height, width = image.shape[:2]
    left = min(max(int(box.left), 0), width - 1)
    top = min(max(int(box.top), 0), height - 1)
    right = min(max(int(np.ceil(box.right)), left + 1), width)
    bottom = min(max(int(np.ceil(box.bottom)), top + 1), height)
    return image[top:bottom, left:right]


def sharpness(light: Image, side: int = SHARPNESS_SIDE, enlarge: bool = False) -> float:
    """Variance of the Laplacian over the variance of the light, at a fixed size (Pech-Pacheco 2000, normalised).

    The longer side is brought down to ``side`` pixels; with ``enlarge`` also up, so that the blur of a small face
    and of a large one count alike. It is smoothed a little first, so that a webcam's noise does not pass for detail.
    """
    scale = side / max(light.shape)
    if scale < 1 or enlarge:
        size = (max(8, round(light.shape[1] * scale)), max(8, round(light.shape[0] * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        light = np.asarray(cv2.resize(light, size, interpolation=method), dtype=np.uint8)
    smooth = cv2.GaussianBlur(light, (3, 3), 0.8)
    variance = float(smooth.astype(np.float32).var())
    if variance < 1.0:
        return 0.0
    return float(cv2.Laplacian(smooth, cv2.CV_32F).var()) / variance


def thumbnail(image: Image) -> Image:
    """A 64 x 48 grey thumbnail for comparing frames."""
    # shrinking in two steps is several times faster than averaging all pixels, and good enough here
    step = max(1, min(image.shape[0] // (THUMB[1] * 2), image.shape[1] // (THUMB[0] * 2)))
    light = grey(np.ascontiguousarray(image[::step, ::step]))
    return np.asarray(cv2.resize(light, THUMB, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def packed(thumb: Image | None) -> str | None:
    """A thumbnail in its JSON form (base64)."""
    return base64.b64encode(thumb.tobytes()).decode() if thumb is not None else None


def unpacked(text: str | None) -> Image | None:
    """A thumbnail out of its JSON form."""
    if text is None:
        return None
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(THUMB[1], THUMB[0])


@dataclass(frozen=True, slots=True)
class Change:
    """How two frames differ: ``mean`` over all pixels, ``most`` over the most changed of 8 x 6 blocks.

    Both are differences of light, 0 to 255.
    """

    mean: float
    most: float


def change(before: Image, after: Image, level: bool = True) -> Change:
    """Difference of two thumbnails. ``level`` takes out a change of the whole picture's light first."""
    blocks = changes(before, after, level)
    return Change(round(float(blocks.mean()), 3), round(float(blocks.max()), 3))


def changes(before: Image, after: Image, level: bool = True) -> Floats:
    """The same for each of the 8 x 6 blocks, row by row: 48 differences of light."""
    one, two = before.astype(np.float32), after.astype(np.float32)
    if level:
        two = two - (float(np.median(two)) - float(np.median(one)))
    return np.asarray(np.abs(one - two).reshape(6, 8, 8, 8).mean(axis=(1, 3)).ravel(), dtype=np.float32)


def perceptual_hash(image: Image) -> int:
    """64 bits that stay nearly the same when a picture is resized or recompressed (DCT hash, Zauner 2010)."""
    small = cv2.resize(grey(image), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = np.asarray(cv2.dct(small))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hash_distance(one: int, two: int) -> int:
    """Number of bits that differ, 0 to 64."""
    return (one ^ two).bit_count()
