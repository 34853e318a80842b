"""Lay a thing before a picture, held by a hand or not, and take the whole with a cheap camera. Pictures are BGR."""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation.drawing.patterns import Colour, as_image, surface, toned
from openproctor.vision.geometry import Box, Image

SKINS: tuple[Colour, ...] = (
    (95, 125, 180),
    (60, 80, 120),
    (130, 160, 215),
    (40, 55, 85),
    (150, 175, 225),
    (75, 100, 155),
)
LEAST_PIXELS = 60  # of a thing that are to be seen
HELD = 0.6  # share of the things that a hand holds
Values = NDArray[np.float64]


def laid(
    background: Image,
    thing: Image,
    cover: Image,
    share: float,
    rng: np.random.Generator,
    at: tuple[float, float] | None = None,
    held: float = HELD,
) -> tuple[Image, Box] | None:
    """A thing before a background, turned and at a slant; and where it is to be seen (what a hand hides counted too).

    ``share`` is the thing's share of the picture, ``at`` its centre in pixels; with it the thing is turned a little only.
    ``held`` is how often there is a hand. None where next to nothing of it would be within the picture.
    """
    height, width = background.shape[:2]
    scale = float(np.sqrt(share * height * width / max(1, np.count_nonzero(cover))))
    if at is not None:
        angle, centre = rng.uniform(-14, 14), np.array(at)
    else:
        angle = rng.normal(0, 16) if rng.random() < 0.8 else rng.uniform(-90, 90)
        centre = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.3, 0.9) * height])
    corners = _slanted(thing.shape[1] * scale, thing.shape[0] * scale, angle, rng) + centre
    pixels, part = _moved(thing, cover, corners, scale, (width, height), rng)
    rows, columns = np.nonzero(part[..., 0] > 0.5)
    if len(columns) < LEAST_PIXELS:
        return None
    place = Box(float(columns.min()), float(rows.min()), float(columns.max()) + 1, float(rows.max()) + 1)
    light = float(background[int(place.top) : int(place.bottom), int(place.left) : int(place.right)].mean())
    behind: Values = background.astype(np.float64)
    if rng.random() < 0.3:  # a shadow
        off = (int(rng.normal(0, 8)), int(rng.normal(0, 8)))
        shadow = np.asarray(cv2.GaussianBlur(np.roll(part[..., 0], off, (0, 1)), (0, 0), 8))[..., None]
        behind = behind * (1 - 0.35 * shadow)
    gain = np.clip((light + 40) / (float(thing[cover > 0].mean()) + 40), 0.55, 1.35) * rng.uniform(0.85, 1.15)
    shade = np.ones((1, width, 1))
    if rng.random() < 0.4:
        shade = np.linspace(rng.uniform(0.7, 1), rng.uniform(0.9, 1.2), width)[None, :, None]
    out = np.clip(pixels * gain * shade, 0, 255) * part + behind * (1 - part)
    if rng.random() < held:
        hand = _hand(corners, angle, (width, height), rng)[..., None] / 255
        skin = toned(SKINS[int(rng.integers(len(SKINS)))], rng.uniform(0.75, 1.1))
        lit = toned(skin, float(np.clip((light + 30) / 150, 0.5, 1.2)))
        out = surface(height, width, lit, rng, 7) * hand + out * (1 - hand)
    return as_image(out), place


def _slanted(width: float, height: float, angle: float, rng: np.random.Generator) -> Values:
    """Corners of a thing from the upper left one clockwise, round its centre, turned by ``angle`` degrees, in perspective."""
    flat = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    yaw, pitch = np.radians(rng.normal(0, 18, 2)).clip(-0.9, 0.9)
    x, y = flat[:, 0] * np.cos(yaw), flat[:, 1] * np.cos(pitch)
    away = flat[:, 0] * np.sin(yaw) + flat[:, 1] * np.sin(pitch)
    nearer = 1 / (1 + away / (2.2 * max(width, height)))
    x, y = x * nearer, y * nearer
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)


def _moved(
    thing: Image, cover: Image, corners: Values, scale: float, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Image, Values]:
    """The thing's pixels in a picture of ``size``, and how much of each is the thing's (rows x columns x 1)."""
    rows, columns = cover.shape
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float32)
    place = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    soft = cv2.GaussianBlur(thing, (0, 0), max(0.3, 0.35 / scale)) if scale < 0.8 else thing
    pixels = cv2.warpPerspective(soft, place, size, flags=cv2.INTER_LINEAR)
    part = cv2.warpPerspective(cover, place, size, flags=cv2.INTER_LINEAR)
    part = cv2.GaussianBlur(part, (0, 0), rng.uniform(0.4, 1.2))
    return as_image(pixels), np.asarray(part, dtype=np.float64)[..., None] / 255


def _hand(corners: Values, angle: float, size: tuple[int, int], rng: np.random.Generator) -> Values:
    """The cover of a hand that holds a thing: fingers over one edge, a thumb over the other, a palm below."""
    hand = np.zeros((size[1], size[0]), dtype=np.uint8)
    middle, right, down = corners.mean(axis=0), corners[1] - corners[0], corners[3] - corners[0]
    wide, tall = float(np.linalg.norm(right)) + 1, float(np.linalg.norm(down)) + 1
    side = float(rng.choice([-1, 1]))
    thick = max(2, int(np.clip(min(wide, tall) * rng.uniform(0.1, 0.22), 3, 40)))
    first = rng.uniform(-0.2, 0.35)
    for finger in range(int(rng.integers(1, 5))):
        along = first + 0.14 * finger
        root = middle + side * right * rng.uniform(0.5, 0.75) + down * along
        tip = middle + side * right * rng.uniform(0.1, 0.42) + down * (along + rng.normal(0, 0.03))
        _limb(hand, root, tip, thick)
    if rng.random() < 0.6:
        root = middle - side * right * 0.65 + down * (first + 0.2)
        _limb(hand, root, middle - side * right * rng.uniform(0.2, 0.42) + down * rng.uniform(-0.1, 0.2), thick * 1.2)
    if rng.random() < 0.5:
        x, y = middle + down * rng.uniform(0.45, 0.75)
        axes = (int(wide * 0.35) + 2, int(tall * 0.2) + 2)
        cv2.ellipse(hand, (int(x), int(y)), axes, float(angle), 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(hand, (0, 0), 1.2), dtype=np.float64)


def _limb(hand: Image, root: Values, tip: Values, thick: float) -> None:
    start, end = (int(root[0]), int(root[1])), (int(tip[0]), int(tip[1]))
    cv2.line(hand, start, end, 255, int(thick), cv2.LINE_AA)


def cheap_camera(picture: Image, rng: np.random.Generator) -> Image:
    """Movement, blur, light, tint, noise and compression of a cheap camera."""
    seen: Values = picture.astype(np.float64)
    if rng.random() < 0.25:
        long = int(rng.integers(3, 9))
        path = np.zeros((long, long), dtype=np.float32)
        path[long // 2] = 1 / long
        middle = long / 2 - 0.5
        turn = cv2.getRotationMatrix2D((middle, middle), rng.uniform(0, 180), 1)
        path = np.asarray(cv2.warpAffine(path, turn, (long, long)), dtype=np.float32)
        seen = np.asarray(cv2.filter2D(seen, -1, path / max(float(path.sum()), 0.1)), dtype=np.float64)
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 1.2)), dtype=np.float64)
    seen = (seen * rng.uniform(0.55, 1.15) + rng.uniform(-10, 12)) * rng.uniform(0.92, 1.08, 3)
    seen = seen + rng.normal(0, rng.uniform(0.5, 6), seen.shape)
    quality = int(rng.integers(30, 85))
    _, data = cv2.imencode(".jpg", as_image(seen), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return as_image(cv2.imdecode(data, cv2.IMREAD_COLOR))
