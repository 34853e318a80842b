"""Pictures with soft edges, moved about and laid over one another."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from openproctor.simulation.media import Picture

ASSETS = Path(__file__).with_name("assets")
Colour = tuple[int, int, int]
_CHEST = 338  # row of the portrait under which badges begin, which are dark and oblong like phones


@dataclass(frozen=True, slots=True)
class Layer:
    """RGB already multiplied by its coverage; the coverage, 0 to 255, on three planes so that blending is one call."""

    pixels: Picture
    cover: Picture

    @classmethod
    def of(cls, pixels: Picture, cover: NDArray[np.uint8]) -> "Layer":
        """From plain RGB and a coverage of one plane."""
        planes = cv2.merge([cover, cover, cover])
        return cls(as_picture(cv2.multiply(pixels, planes, scale=1 / 255)), as_picture(planes))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def flipped(self) -> "Layer":
        """Left to right."""
        return Layer(np.ascontiguousarray(self.pixels[:, ::-1]), np.ascontiguousarray(self.cover[:, ::-1]))

    def laid_on(
        self, picture: Picture, centre: tuple[float, float], scale: float = 1.0, turn: float = 0.0, shrink: float = 1.0
    ) -> Picture:
        """A new picture with this layer on it; ``turn`` in degrees, ``shrink`` squeezes the width."""
        height, width = picture.shape[:2]
        own_width, own_height = self.size
        angle = np.deg2rad(turn)
        cos, sin = float(np.cos(angle)) * scale, float(np.sin(angle)) * scale
        matrix = np.array([[cos * shrink, -sin, 0.0], [sin * shrink, cos, 0.0]])
        matrix[:, 2] = np.array(centre) - matrix[:, :2] @ np.array([own_width / 2, own_height / 2])
        moved = cv2.warpAffine(self.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR)
        cover = cv2.warpAffine(self.cover, matrix, (width, height), flags=cv2.INTER_LINEAR)
        behind = cv2.multiply(picture, cv2.bitwise_not(cover), scale=1 / 255)
        return as_picture(cv2.add(behind, moved))


def as_picture(array: object) -> Picture:
    """OpenCV's answer as the array of bytes that it is."""
    return np.asarray(array, dtype=np.uint8)


@cache
def asset(name: str) -> Picture:
    """A shipped picture as RGB; do not write into it."""
    raw = cv2.imread(str(ASSETS / name), cv2.IMREAD_COLOR)
    if raw is None:
        raise FileNotFoundError(ASSETS / name)
    return as_picture(cv2.cvtColor(raw, cv2.COLOR_BGR2RGB))


@cache
def person(height: int) -> Layer:
    """The portrait without its background, ``height`` pixels from the hair to the chest."""
    mask = cv2.imread(str(ASSETS / "portrait_mask.png"), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise FileNotFoundError(ASSETS / "portrait_mask.png")
    mask, rows = mask[:_CHEST], _CHEST
    size = (round(mask.shape[1] * height / rows), height)
    pixels = cv2.resize(asset("astronaut.png")[:rows], size, interpolation=cv2.INTER_CUBIC)
    return Layer.of(as_picture(pixels), as_picture(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)))


@cache
def visitor(height: int) -> Layer:
    """Another person: the portrait turned round, with darker hair and blue clothes."""
    layer = person(height).flipped()
    hsv = cv2.cvtColor(layer.pixels, cv2.COLOR_RGB2HSV).astype(np.int16)
    clothes = (hsv[..., 0] < 11) & (hsv[..., 1] > 150) & (np.arange(height)[:, None] > height * 0.45)
    hair = np.arange(height)[:, None] < height * 0.22
    hsv[..., 0] = np.where(clothes, 108, hsv[..., 0])
    hsv[..., 1] = np.where(clothes, hsv[..., 1] * 3 // 5, hsv[..., 1])
    hsv[..., 2] = np.where(clothes | hair, hsv[..., 2] * 3 // 5, hsv[..., 2] * 9 // 10)
    return Layer(as_picture(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)), layer.cover)


def rounded(picture: Picture, corner: tuple[int, int], opposite: tuple[int, int], radius: int, colour: Colour) -> None:
    """Fill a rectangle with round corners."""
    (left, top), (right, bottom) = corner, opposite
    cv2.rectangle(picture, (left + radius, top), (right - radius, bottom), colour, -1, cv2.LINE_AA)
    cv2.rectangle(picture, (left, top + radius), (right, bottom - radius), colour, -1, cv2.LINE_AA)
    for x in (left + radius, right - radius):
        for y in (top + radius, bottom - radius):
            cv2.circle(picture, (x, y), radius, colour, -1, cv2.LINE_AA)
