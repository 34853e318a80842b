"""Things that a candidate holds up: drawn, and tried on the object detector until it knew them for what they are."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from openproctor.simulation.layers import Colour, Layer, as_picture, rounded
from openproctor.simulation.media import Picture

_FINE = 4
_SKIN: Colour = (208, 152, 126)
_SHADE: Colour = (174, 124, 102)
_BINDINGS: tuple[Colour, ...] = (
    (130, 30, 36), (30, 60, 110), (35, 90, 70), (200, 170, 90),
    (70, 40, 90), (220, 215, 200), (40, 44, 52), (180, 90, 40),
)  # fmt: skip


@cache
def phone(height: int) -> Layer:
    """A phone with a page of text on it, held in a hand; ``height`` of the phone in pixels."""
    wide, tall, edge = 74 * _FINE, 150 * _FINE, 24 * _FINE
    pixels, cover = _empty(wide + 2 * edge, tall + 2 * edge)
    box = ((edge, edge), (edge + wide, edge + tall))
    rounded(cover, *box, 10 * _FINE, (255, 255, 255))
    rounded(pixels, *box, 10 * _FINE, (70, 72, 76))
    inner = ((edge + _FINE, edge + _FINE), (edge + wide - _FINE, edge + tall - _FINE))
    rounded(pixels, *inner, 10 * _FINE, (18, 18, 20))
    _screen(pixels, edge, wide, tall)
    _hand(pixels, cover, edge)
    return _shrunk(pixels, cover, height / tall)


@cache
def books(height: int) -> Layer:
    """Six books standing side by side; ``height`` of the tallest in pixels.

    An open book was drawn and tried as well: the detector did not know it for one often enough.
    """
    rng = np.random.default_rng(0)
    edge, tall = 10 * _FINE, 190 * _FINE
    pixels, cover = _empty(6 * 46 * _FINE, tall + 2 * edge)
    x = edge
    for title in ("LOGIC", "LAW II", "HISTORY", "POEMS", "ATLAS", "ALGEBRA"):
        wide, high = int(rng.integers(22, 40)) * _FINE, int(rng.integers(140, 185)) * _FINE
        top = edge + tall - high
        _spine(pixels[top : top + high, x : x + wide], title, _BINDINGS[int(rng.integers(len(_BINDINGS)))])
        cover[top : top + high, x : x + wide] = 255
        x += wide
    return _shrunk(pixels[:, : x + edge], cover[:, : x + edge], height / tall)


def _empty(width: int, height: int) -> tuple[Picture, Picture]:
    return np.zeros((height, width, 3), np.uint8), np.zeros((height, width, 3), np.uint8)


def _shrunk(pixels: Picture, cover: Picture, scale: float) -> Layer:
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    mask: NDArray[np.uint8] = as_picture(cv2.resize(cover, size, interpolation=cv2.INTER_AREA))[..., 0]
    return Layer.of(as_picture(small), np.ascontiguousarray(mask))


def _screen(pixels: Picture, edge: int, wide: int, tall: int) -> None:
    top, bottom = edge + 18 * _FINE, edge + tall - 20 * _FINE
    cv2.rectangle(pixels, (edge + 4 * _FINE, top), (edge + wide - 4 * _FINE, bottom), (202, 217, 236), -1)
    cv2.circle(pixels, (edge + wide // 2, bottom + 10 * _FINE), 6 * _FINE, (60, 60, 64), -1, cv2.LINE_AA)
    rounded(pixels, (edge + 27 * _FINE, edge + 8 * _FINE), (edge + 47 * _FINE, edge + 10 * _FINE), _FINE, (70, 70, 74))
    for line, until in enumerate((58, 34, 62, 60, 46, 63, 55, 61, 40)):
        y = edge + (24 + 11 * line) * _FINE
        cv2.rectangle(pixels, (edge + 8 * _FINE, y), (edge + until * _FINE, y + 3 * _FINE), (90, 100, 120), -1)


def _hand(pixels: Picture, cover: Picture, edge: int) -> None:
    height, width = pixels.shape[:2]
    for finger in range(4):
        y = edge + (70 + 18 * finger) * _FINE
        colour = _SKIN if finger % 2 else _SHADE
        _finger(pixels, cover, (width - 8 * _FINE, y + 6 * _FINE), (width - edge - 8 * _FINE, y), 14 * _FINE, colour)
    _finger(pixels, cover, (9 * _FINE, height - 30 * _FINE), (edge + 10 * _FINE, edge + 96 * _FINE), 17 * _FINE, _SKIN)


def _finger(
    pixels: Picture, cover: Picture, root: tuple[int, int], tip: tuple[int, int], thick: int, colour: Colour
) -> None:
    cv2.line(cover, root, tip, (255, 255, 255), thick, cv2.LINE_AA)
    cv2.line(pixels, root, tip, colour, thick, cv2.LINE_AA)
    lit: Colour = (min(255, colour[0] + 16), min(255, colour[1] + 16), min(255, colour[2] + 16))
    cv2.line(pixels, (root[0], root[1] - thick // 5), (tip[0], tip[1] - thick // 5), lit, thick // 3, cv2.LINE_AA)


def _spine(part: Picture, title: str, binding: Colour) -> None:
    high, wide = part.shape[:2]
    round_ = np.cos(np.linspace(-1.25, 1.25, wide))[None, :, None] ** 0.7
    part[:] = as_picture(np.clip(np.array(binding) * (0.45 + 0.65 * round_), 0, 255))
    ink: Colour = (225, 200, 130) if sum(binding) < 400 else (60, 40, 30)
    for row in (0.06, 0.10, 0.88, 0.92):
        cv2.rectangle(part, (0, int(high * row)), (wide, int(high * row) + 2 * _FINE), ink, -1)
    label = np.zeros((wide, int(high * 0.6), 3), np.uint8)
    size = wide / 66
    thick = max(1, int(size * 2))
    cv2.putText(label, title, (10, int(wide * 0.68)), cv2.FONT_HERSHEY_DUPLEX, size, ink, thick, cv2.LINE_AA)
    upright = np.rot90(label, 3)
    written = upright.sum(axis=2) > 60
    top = int(high * 0.2)
    part[top : top + upright.shape[0]][written] = upright[written]
    part[:, -_FINE:] //= 3
