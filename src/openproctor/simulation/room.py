"""A drawn room: one wall all the way round, looked at in pieces. No people, nothing that is taken for a finding."""

from functools import cache

import cv2
import numpy as np

from openproctor.simulation.layers import Colour, as_picture, asset, rounded
from openproctor.simulation.media import Picture

WIDTH, HEIGHT = 2560, 480
VIEWS = 4
"""Pieces of the wall that do not overlap, each 640 x 480."""
_FINE = 2  # drawn larger and made smaller, which softens the edges as a lens does


def view(left: int, width: int = 640, height: int = 480) -> Picture:
    """The wall from ``left`` (0 to 2559, it goes round), in pixels."""
    wall = np.roll(panorama(), -left, axis=1)[:, : width * HEIGHT // height]
    if wall.shape[:2] == (height, width):
        return wall.copy()
    return as_picture(cv2.resize(wall, (width, height), interpolation=cv2.INTER_AREA))


@cache
def panorama() -> Picture:
    """The whole wall, 2560 x 480; do not write into it."""
    canvas = _wall()
    _window(canvas, 250, 50, 330, 260)
    _picture(canvas, 30, 90, 170, 120)
    _door(canvas, 780, 40, 210, 380)
    _switch(canvas, 1020, 220)
    _wardrobe(canvas, 1130, 60, 330, 360)
    _plant(canvas, 1560, 420)
    _sofa(canvas, 1680, 270, 460, 160)
    _picture(canvas, 1830, 90, 170, 120)
    _lamp(canvas, 2210, 110, 310)
    _radiator(canvas, 2320, 300, 190, 120)
    small = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return as_picture(cv2.GaussianBlur(small, (0, 0), 0.9))


def _wall() -> Picture:
    rng = np.random.default_rng(7)
    height, width = HEIGHT * _FINE, WIDTH * _FINE
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 2 * np.pi, width, dtype=np.float32, endpoint=False)[None]
    light = 1.0 - 0.10 * y + 0.07 * np.cos(x - 1.0)
    plaster = cv2.resize(rng.normal(0, 1, (HEIGHT // 8, WIDTH // 8)).astype(np.float32), (width, height)) * 1.6
    wall = np.array([205, 203, 193], np.float32) * light[..., None] + plaster[..., None]
    floor = round(height * 0.88)
    wall[floor:] = np.array([150, 118, 88], np.float32) * light[floor:, :, None] + plaster[floor:, :, None] * 3
    for plank in range(0, width, 180):
        wall[floor:, plank : plank + 3] *= 0.8
    wall[floor - 22 : floor] = np.array([232, 230, 224], np.float32) * light[floor - 22 : floor, :, None]
    return as_picture(np.clip(wall, 0, 255))


def _box(canvas: Picture, left: int, top: int, width: int, height: int, colour: Colour, edge: int = 0) -> None:
    a, b = (left * _FINE, top * _FINE), ((left + width) * _FINE, (top + height) * _FINE)
    if edge:
        cv2.rectangle(canvas, a, b, tuple(max(0, c - 50) for c in colour), edge * _FINE, cv2.LINE_AA)
    cv2.rectangle(canvas, a, b, colour, -1, cv2.LINE_AA)


def _shade(canvas: Picture, left: int, top: int, width: int, height: int, strength: float) -> None:
    """A soft shadow, darker towards the bottom right."""
    part = canvas[top * _FINE : (top + height) * _FINE, left * _FINE : (left + width) * _FINE]
    y = np.linspace(0, 1, part.shape[0], dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, part.shape[1], dtype=np.float32)[None, :, None]
    part[:] = as_picture(np.clip(part * (1 - strength * (0.5 * x + 0.5 * y)), 0, 255))


def _window(canvas: Picture, left: int, top: int, width: int, height: int) -> None:
    _box(canvas, left, top, width, height, (240, 240, 236), 3)
    sky = np.linspace(0, 1, (height - 24) * _FINE, dtype=np.float32)[:, None, None]
    colour = np.array([186, 208, 228], np.float32) * (1 - sky) + np.array([214, 220, 216], np.float32) * sky
    for pane in range(2):
        x = left + 12 + pane * (width // 2 - 3)
        glass = canvas[(top + 12) * _FINE : (top + height - 12) * _FINE, x * _FINE : (x + width // 2 - 20) * _FINE]
        glass[:] = as_picture(np.broadcast_to(colour, glass.shape))
        for k, (cx, radius) in enumerate(((40, 46), (100, 58), (20, 38))):
            centre = (cx * _FINE, glass.shape[0] - (10 + 8 * k) * _FINE)
            cv2.circle(glass, centre, radius * _FINE, (128 + 8 * k, 152 + 6 * k, 118), -1, cv2.LINE_AA)
    for side in (left - 42, left + width - 24):
        for fold in range(6):
            tone = 168 + 14 * (fold % 2)
            _box(canvas, side + fold * 11, top - 14, 11, height + 90, (tone, tone - 8, tone - 34))
    _box(canvas, left - 55, top - 22, width + 110, 8, (120, 100, 84))


def _picture(canvas: Picture, left: int, top: int, width: int, height: int) -> None:
    _box(canvas, left + 4, top + 5, width, height, (160, 157, 148))
    _box(canvas, left, top, width, height, (70, 56, 46))
    _box(canvas, left + 7, top + 7, width - 14, height - 14, (236, 233, 226))
    inner = ((width - 34) * _FINE, (height - 34) * _FINE)
    print_ = cv2.resize(asset("coffee.png"), inner, interpolation=cv2.INTER_AREA)
    x, y = (left + 17) * _FINE, (top + 17) * _FINE
    canvas[y : y + inner[1], x : x + inner[0]] = print_


def _door(canvas: Picture, left: int, top: int, width: int, height: int) -> None:
    _box(canvas, left - 12, top - 12, width + 24, height + 12, (228, 226, 220), 2)
    _box(canvas, left, top, width, height, (178, 148, 112), 2)
    for row, tall in ((24, 130), (178, 170)):
        for column in (20, width // 2 + 8):
            _box(canvas, left + column, top + row, width // 2 - 30, tall, (166, 136, 101), 2)
    _shade(canvas, left, top, width, height, 0.12)
    handle = ((left + 12) * _FINE, (top + 196) * _FINE)
    rounded(canvas, handle, (handle[0] + 36 * _FINE, handle[1] + 8 * _FINE), 6, (210, 205, 190))


def _switch(canvas: Picture, left: int, top: int) -> None:
    _box(canvas, left, top, 22, 22, (244, 243, 238), 1)
    _box(canvas, left + 5, top + 5, 12, 12, (232, 231, 226), 1)


def _wardrobe(canvas: Picture, left: int, top: int, width: int, height: int) -> None:
    _box(canvas, left, top, width, height, (216, 205, 186), 2)
    for leaf in range(3):
        x = left + 6 + leaf * (width - 6) // 3
        _box(canvas, x, top + 8, (width - 24) // 3, height - 16, (226, 216, 198), 1)
        _box(canvas, x + (width - 24) // 3 - 14, top + height // 2 - 20, 4, 40, (150, 144, 134))
    _shade(canvas, left, top, width, height, 0.16)


def _plant(canvas: Picture, centre: int, ground: int) -> None:
    rng = np.random.default_rng(3)
    for _ in range(46):
        angle = rng.uniform(-1.3, 1.3)
        length = rng.uniform(70, 190)
        tip = (centre + np.sin(angle) * length * 0.6, ground - 90 - np.cos(angle) * length)
        bend = (centre + np.sin(angle) * length * 0.15, ground - 90 - length * 0.55)
        t = np.linspace(0, 1, 12)[:, None]
        stem = (1 - t) ** 2 * np.array([centre, ground - 80]) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(tip)
        green = int(rng.integers(70, 130))
        line = np.round(stem * _FINE).astype(np.int32)
        thick = int(rng.integers(4, 9)) * _FINE // 2
        cv2.polylines(canvas, [line], False, (green // 2, green, green // 2 + 8), thick, cv2.LINE_AA)
    rim = ground - 90
    pot = np.array([[centre - 38, rim], [centre + 38, rim], [centre + 28, ground], [centre - 28, ground]])
    cv2.fillPoly(canvas, [(pot * _FINE).astype(np.int32)], (176, 104, 78), cv2.LINE_AA)


def _sofa(canvas: Picture, left: int, top: int, width: int, height: int) -> None:
    def cushion(x: int, y: int, wide: int, tall: int, colour: Colour) -> None:
        rounded(canvas, (x * _FINE, y * _FINE), ((x + wide) * _FINE, (y + tall) * _FINE), 18 * _FINE, colour)

    cushion(left + 20, top, width - 40, height, (92, 112, 128))
    for seat in range(2):
        cushion(left + 44 + seat * (width - 88) // 2, top + 12, (width - 100) // 2, height - 50, (110, 132, 148))
    cushion(left, top + 44, 56, height - 44, (84, 102, 118))
    cushion(left + width - 56, top + 44, 56, height - 44, (84, 102, 118))


def _lamp(canvas: Picture, centre: int, top: int, height: int) -> None:
    _box(canvas, centre - 2, top + 60, 5, height - 60, (90, 84, 78))
    _box(canvas, centre - 40, top + height - 8, 80, 8, (90, 84, 78))
    shade = np.array([[centre - 34, top], [centre + 34, top], [centre + 58, top + 84], [centre - 58, top + 84]])
    cv2.fillPoly(canvas, [(shade * _FINE).astype(np.int32)], (244, 228, 188), cv2.LINE_AA)


def _radiator(canvas: Picture, left: int, top: int, width: int, height: int) -> None:
    for rib in range(0, width, 19):
        x = (left + rib) * _FINE
        rounded(canvas, (x, top * _FINE), (x + 15 * _FINE, (top + height) * _FINE), 8, (234, 233, 228))
        _box(canvas, left + rib + 12, top + 8, 3, height - 16, (196, 195, 190))
