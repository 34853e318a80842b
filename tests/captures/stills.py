"""Stills as a webcam would take them, composed from public-domain pictures by seeded code."""

from pathlib import Path

import cv2
import numpy as np

from openproctor.vision.geometry import Image

PICTURES = Path(__file__).parents[1] / "pictures"
SKIN = (120, 150, 205)


def read(name: str) -> Image:
    return np.asarray(cv2.imread(str(PICTURES / name)), dtype=np.uint8)


def as_image(values: object) -> Image:
    return np.asarray(np.clip(np.asarray(values), 0, 255), dtype=np.uint8)


def portrait() -> Image:
    """The astronaut's head, cut as a passport photo is."""
    return np.ascontiguousarray(read("astronaut.png")[20:210, 150:302])


def card(photo: bool = True, seed: int = 1) -> Image:
    """An identity card of a country that does not exist, 856 x 540 pixels."""
    rng = np.random.default_rng(seed)
    base = np.full((540, 856, 3), (226, 219, 205), dtype=np.uint8)
    for line in range(0, 540, 9):  # the fine wavy lines that such cards carry
        points = [[x, int(line + 6 * np.sin(x / 40 + line))] for x in range(0, 856, 8)]
        cv2.polylines(base, [np.array(points, dtype=np.int32)], False, (214, 200, 190), 1, cv2.LINE_AA)
    cv2.rectangle(base, (0, 0), (856, 76), (140, 80, 30), -1)
    cv2.putText(base, "REPUBLIC OF NOWHERE", (30, 50), cv2.FONT_HERSHEY_DUPLEX, 1.2, (245, 245, 245), 2, cv2.LINE_AA)
    if photo:
        base[120:430, 40:288] = cv2.resize(portrait(), (248, 310), interpolation=cv2.INTER_CUBIC)
    for row, label in enumerate(("Surname", "Given names", "Born", "Number", "Valid until")):
        y = 140 + row * 66
        cv2.putText(base, label, (330, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (110, 90, 70), 1, cv2.LINE_AA)
        text = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXYZ0123456789")) for _ in range(12))
        cv2.putText(base, text, (330, y + 32), cv2.FONT_HERSHEY_DUPLEX, 1.0, (40, 30, 30), 2, cv2.LINE_AA)
    return base


def room(width: int = 640, height: int = 480, seed: int = 2, light: float = 1.0) -> Image:
    """A wall with a shelf, a door and a lamp's gradient."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    shade = 150 + 60 * np.exp(-((x - rng.random()) ** 2 + (y - 0.2) ** 2) * 2) - 40 * y
    wall = np.stack([shade * 0.92, shade * 0.97, shade], axis=2)
    for _ in range(5):
        left, top = int(rng.integers(0, width - 80)), int(rng.integers(0, height // 2))
        right, bottom = left + int(rng.integers(40, 200)), top + int(rng.integers(40, 220))
        wall[top:bottom, left:right] = rng.integers(40, 200, 3)
    return as_image(cv2.GaussianBlur(wall, (0, 0), 2) * light)


def person(background: Image, scale: float = 0.9, x: float = 0.5) -> Image:
    """The astronaut's head and shoulders before a background."""
    source = read("astronaut.png")[:360, 60:380]
    mask = np.zeros(source.shape[:2], dtype=np.uint8)
    cv2.ellipse(mask, (162, 110), (85, 118), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (160, 360), (165, 170), 0, 0, 360, 255, -1)
    size = (int(source.shape[1] * scale), int(source.shape[0] * scale))
    source = as_image(cv2.resize(source, size))
    soft = cv2.GaussianBlur(cv2.resize(mask, size), (0, 0), 3)[:, :, np.newaxis] / 255.0
    out = background.copy()
    height, width = out.shape[:2]
    left, top = int(width * x - size[0] / 2), height - size[1]
    part = out[max(top, 0) :, max(left, 0) : left + size[0]]
    cut = (slice(max(-top, 0), None), slice(max(-left, 0), max(-left, 0) + part.shape[1]))
    part[:] = as_image(source[cut] * soft[cut] + part * (1 - soft[cut]))
    return out


def held(
    picture: Image,
    document: Image,
    width: float = 0.42,
    centre: tuple[float, float] = (0.36, 0.62),
    turn: float = 6.0,
    tilt: float = 0.08,
    fingers: bool = True,
) -> Image:
    """A document held before the camera: ``width`` is its share of the picture's width, ``turn`` in degrees, ``tilt``
    the perspective; a hand covers a corner and part of a side."""
    height, full = picture.shape[:2]
    size = np.array([full * width, full * width * document.shape[0] / document.shape[1]])
    corners = np.array([[-1, -1], [1, -1 - tilt], [1, 1 + tilt], [-1, 1]]) * size / 2
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = (corners @ rotation.T + np.array(centre) * [full, height]).astype(np.float32)
    rows, columns = document.shape[:2]
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    flat = cv2.warpPerspective(document, matrix, (full, height), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((rows, columns), 255, np.uint8), matrix, (full, height), flags=cv2.INTER_AREA)
    soft = mask[:, :, np.newaxis] / 255.0
    out = as_image(flat * soft + picture * (1 - soft))
    if fingers:
        right_lower = target[2]
        for step in range(3):
            end = right_lower + np.array([-size[0] * 0.10, -size[1] * (0.1 + 0.16 * step)])
            start = right_lower + np.array([size[0] * 0.3, -size[1] * (0.1 * step - 0.2)])
            cv2.line(out, _point(start), _point(end), SKIN, int(size[1] * 0.13), cv2.LINE_AA)
        thumb = target[3] + np.array([size[0] * 0.5, -size[1] * 0.06])
        cv2.line(
            out, _point(thumb + np.array([20, size[1] * 0.4])), _point(thumb), SKIN, int(size[1] * 0.15), cv2.LINE_AA
        )
    return out


def _point(place: object) -> tuple[int, int]:
    x, y = np.asarray(place)
    return int(x), int(y)


def webcam(picture: Image, noise: float = 3.0, quality: int = 85, seed: int = 3) -> Image:
    """Sensor noise and JPEG, as the page uploads it."""
    rng = np.random.default_rng(seed)
    noisy = as_image(cv2.GaussianBlur(picture, (0, 0), 0.6) + rng.normal(0, noise, picture.shape))
    _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return as_image(cv2.imdecode(data, cv2.IMREAD_COLOR))


def with_glare(picture: Image, centre: tuple[float, float], radius: float) -> Image:
    """A burnt-out spot with a soft edge; place and radius are shares of the picture's size."""
    height, width = picture.shape[:2]
    x, y = np.meshgrid(np.arange(width) - centre[0] * width, np.arange(height) - centre[1] * height)
    spot = np.clip(1.6 - np.hypot(x, y) / (radius * width), 0, 1)[:, :, np.newaxis]
    return as_image(picture * (1 - spot) + 255 * spot)


def blurred(picture: Image, sigma: float) -> Image:
    return as_image(cv2.GaussianBlur(picture, (0, 0), sigma))
