"""What drawn things are made of: colours, surfaces, words, lines of print, printed patterns. Pictures are BGR."""

import string
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from openproctor.vision.geometry import Image

Art = Callable[[], Image]  # gives a picture to be printed on covers, pages and screens
Stamp = tuple[Image, Image]  # a picture and its cover (0 to 255), of one size
Draw = Callable[[np.random.Generator, Art], Stamp]
Colour = tuple[float, float, float]
Corners = Sequence[tuple[float, float]]
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def as_image(values: object) -> Image:
    """Numbers as the bytes of a picture, cut off at 0 and 255."""
    return np.asarray(np.clip(np.asarray(values), 0, 255), dtype=np.uint8)


def some_colour(rng: np.random.Generator, low: int = 0, high: int = 255) -> Colour:
    """Any colour with values from ``low`` to below ``high``."""
    blue, green, red = (int(value) for value in rng.integers(low, high, 3))
    return blue, green, red


def toned(colour: Sequence[float] | NDArray[np.generic], gain: float = 1.0, shift: float = 0.0) -> Colour:
    """A colour made lighter or darker."""
    blue, green, red = (min(255.0, max(0.0, float(value) * gain + shift)) for value in np.asarray(colour))
    return blue, green, red


def grey(value: float) -> Colour:
    """A colour without colour."""
    return value, value, value


def fitted(art: Image, width: int, height: int) -> Image:
    """The upper left part of a picture, scaled so that it fills ``width`` x ``height``."""
    width, height = max(1, width), max(1, height)
    scale = max(width / art.shape[1], height / art.shape[0])
    size = (max(width, int(art.shape[1] * scale + 0.5)), max(height, int(art.shape[0] * scale + 0.5)))
    return as_image(cv2.resize(art, size, interpolation=cv2.INTER_AREA))[:height, :width].copy()


def surface(
    height: int,
    width: int,
    colour: Sequence[float] | NDArray[np.generic],
    rng: np.random.Generator,
    rough: float = 10.0,
) -> Image:
    """A surface of one colour: uneven by about ``rough``, and lighter at one end."""
    grain = rng.normal(
        0, rough, (max(2, height // int(rng.integers(2, 40))), max(2, width // int(rng.integers(2, 40))))
    )
    uneven = np.asarray(cv2.resize(grain.astype(np.float32), (width, height)))[..., None]
    down = np.linspace(rng.uniform(-25, 25), rng.uniform(-25, 25), height)[:, None, None]
    across = np.linspace(rng.uniform(-15, 15), rng.uniform(-15, 15), width)[None, :, None]
    return as_image(np.asarray(colour, dtype=np.float32)[None, None] + uneven + down + across)


def rounded(height: int, width: int, share: float) -> Image:
    """A cover with round corners; ``share`` of the shorter side is the radius."""
    radius = max(1, int(share * min(height, width)))
    cover = np.zeros((height, width), dtype=np.uint8)
    cv2.rectangle(cover, (radius, 0), (width - radius, height), 255, -1)
    cv2.rectangle(cover, (0, radius), (width, height - radius), 255, -1)
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(cover, (x, y), radius, 255, -1)
    return cover


def put(whole: Image, cover: Image, face: Image, corners: Corners) -> None:
    """Put a face on a drawing: its corners, from the upper left one clockwise, come to ``corners``. The cover grows."""
    height, width = face.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    place = cv2.getPerspectiveTransform(source, np.array(corners, dtype=np.float32))
    size = (whole.shape[1], whole.shape[0])
    moved = as_image(cv2.warpPerspective(face, place, size))
    reached = as_image(cv2.warpPerspective(np.full((height, width), 255, dtype=np.uint8), place, size)) > 0
    whole[reached] = moved[reached]
    cover[reached] = 255


def box(picture: Image, left: float, top: float, right: float, bottom: float, colour: Colour, thick: int = -1) -> None:
    """A rectangle, filled where ``thick`` is -1."""
    cv2.rectangle(picture, (int(left), int(top)), (int(right), int(bottom)), colour, thick)


def disc(picture: Image, x: float, y: float, radius: float, colour: Colour, thick: int = -1) -> None:
    """A circle, filled where ``thick`` is -1."""
    cv2.circle(picture, (int(x), int(y)), max(1, int(radius)), colour, thick, cv2.LINE_AA)


def some_word(rng: np.random.Generator) -> str:
    """Letters that mean nothing."""
    letters = string.ascii_lowercase if rng.random() < 0.5 else string.ascii_uppercase
    return "".join(letters[int(number)] for number in rng.integers(len(letters), size=int(rng.integers(2, 10))))


def write(
    picture: Image, left: float, top: float, width: float, rng: np.random.Generator, ink: Colour, largest: float = 9.0
) -> int:
    """One to three words, no wider than ``width`` and no larger than ``largest``. Returns their height, pixels."""
    text = " ".join(some_word(rng) for _ in range(int(rng.integers(1, 4))))
    font = FONTS[int(rng.integers(len(FONTS)))]
    (wide, tall), _ = cv2.getTextSize(text, font, 1, 2)
    size = min(width / max(1, wide), largest)
    thick = max(1, int(2 * size * rng.uniform(0.6, 1.6)))
    cv2.putText(picture, text, (int(left), int(top + tall * size)), font, size, ink, thick, cv2.LINE_AA)
    return int(tall * size)


def print_lines(
    picture: Image,
    place: tuple[float, float, float, float],
    rng: np.random.Generator,
    ink: Colour,
    step: int | None = None,
) -> None:
    """Lines of print, words as strokes, ``step`` pixels apart. ``place``: left, top, right, bottom."""
    left, top, right, bottom = place
    step = step or int(rng.integers(7, 18))
    thick = max(1, int(step * rng.uniform(0.18, 0.4)))
    for y in range(int(top), int(bottom), step):
        if rng.random() < 0.07:
            continue
        x = left + (step if rng.random() < 0.1 else 0)
        end = right if rng.random() < 0.85 else left + (right - left) * rng.uniform(0.3, 0.9)
        while x < end:
            long = min(int(rng.integers(5, 26)), end - x)
            cv2.line(picture, (int(x), y), (int(x + long), y), ink, thick)
            x += long + max(2, step // 3)


def pattern(height: int, width: int, rng: np.random.Generator, art: Art) -> Image:
    """What may be printed on a thing: a picture, shapes, stripes, a fade, a picture in a frame, or nothing."""
    kind = int(rng.integers(7))
    picture = surface(height, width, some_colour(rng), rng, rng.uniform(1, 14))
    if kind == 0:
        return fitted(art(), width, height)
    if kind == 1:
        for _ in range(int(rng.integers(2, 9))):
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            if rng.random() < 0.5:
                thick = -1 if rng.random() < 0.7 else int(rng.integers(2, 12))
                disc(picture, x, y, rng.uniform(0.05, 0.5) * width, some_colour(rng), thick)
            else:
                right, bottom = x + rng.uniform(0.1, 1) * width, y + rng.uniform(0.05, 0.5) * height
                box(picture, x, y, right, bottom, some_colour(rng))
    elif kind == 2:
        thick, colour, lie = int(rng.integers(6, 50)), some_colour(rng), int(rng.integers(3))
        for x in range(-height, width + height, 2 * thick):
            if lie == 2:
                cv2.line(picture, (0, x), (width, x), colour, thick)
            else:
                cv2.line(picture, (x, 0), (x + lie * height, height), colour, thick)
    elif kind == 3:
        fade = np.linspace(0, 1, height)[:, None, None]
        first, last = np.array(some_colour(rng)), np.array(some_colour(rng))
        picture = as_image(first * (1 - fade) + last * fade + np.zeros((height, width, 1)))
    elif kind == 4:
        part = fitted(art(), int(width * rng.uniform(0.5, 0.95)), int(height * rng.uniform(0.3, 0.6)))
        top, left = int(rng.uniform(0, height - part.shape[0])), (width - part.shape[1]) // 2
        picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    return picture
