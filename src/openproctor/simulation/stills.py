"""Stills that a candidate takes before the exam: face, identity document, room; as JPEG."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from openproctor.simulation.layers import Layer, as_picture, asset, person, rounded
from openproctor.simulation.media import Picture
from openproctor.simulation.room import VIEWS, WIDTH, view

_CARD = (1012, 638)  # ID-1 (85.6 x 54 mm) at 300 dots an inch


def jpeg(picture: Picture, quality: int = 88) -> bytes:
    """An RGB picture as JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture could not be encoded")
    return data.tobytes()


def face_still(seed: int = 0) -> Picture:
    """The candidate looking into the camera, 1280 x 960."""
    rng = np.random.default_rng(seed)
    background = as_picture(cv2.GaussianBlur(view(60, 1280, 960), (0, 0), 4.0))
    centre = (560 + float(rng.uniform(-10, 10)), 620 + float(rng.uniform(-6, 6)))
    return _grained(person(1080).laid_on(background, centre), rng)


def camera_test_stills(seed: int = 0) -> tuple[Picture, Picture]:
    """Two pictures of the live camera, 640 x 480, in which the person has moved a little."""
    rng = np.random.default_rng(seed)
    background = as_picture(cv2.GaussianBlur(view(60), (0, 0), 2.0))
    first = _grained(person(420).laid_on(background, (262, 284), 1.0, -1.0), rng)
    return first, _grained(person(420).laid_on(background, (276, 280), 1.01, 1.5), rng)


def document_still(name: str = "Sample Candidate", number: str = "SPECIMEN 0001", seed: int = 0) -> Picture:
    """An invented identity card lying on a desk, 1280 x 960."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 9, 1280)[None, :, None]
    y = np.linspace(0, 1, 960)[:, None, None]
    wood = np.array([112, 84, 62]) + 5 * np.sin(40 * y + 2 * np.sin(x)) + 3 * np.sin(170 * y + x)
    desk = as_picture(np.clip(wood, 0, 255))
    card = _card(name, number)
    cover = np.zeros((_CARD[1], _CARD[0], 3), np.uint8)
    rounded(cover, (0, 0), (_CARD[0] - 1, _CARD[1] - 1), 34, (255, 255, 255))
    laid = Layer.of(card, np.ascontiguousarray(cover[..., 0]))
    centre, turn = (640 + float(rng.uniform(-8, 8)), 480.0), float(rng.uniform(-1.5, 1.5))
    return _grained(laid.laid_on(desk, centre, 1.06, turn), rng)


def room_stills(count: int = VIEWS, seed: int = 0) -> list[Picture]:
    """Pictures of different sides of the room, 640 x 480."""
    rng = np.random.default_rng(seed)
    return [_grained(view(60 + number * WIDTH // count), rng) for number in range(count)]


def _grained(picture: Picture, rng: np.random.Generator) -> Picture:
    grain = rng.normal(0, 1.6, picture.shape)
    return as_picture(np.clip(picture + grain, 0, 255))


def _card(name: str, number: str) -> Picture:
    width, height = _CARD
    y = np.linspace(0, 1, height)[:, None, None]
    x = np.linspace(0, 1, width)[None, :, None]
    paper = np.array([206, 219, 226]) * (1 - x) + np.array([224, 216, 196]) * x + 4 * np.sin(60 * y + 8 * np.sin(6 * x))
    image = Image.fromarray(as_picture(np.clip(paper, 0, 255)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 96), fill=(38, 70, 112))
    draw.text((40, 26), "SAMPLE STATE  ·  IDENTITY CARD", (240, 244, 248), _font(40))
    # the face with a light background, as such cards have it
    portrait = np.full((420, 330, 3), (222, 226, 230), np.uint8)
    image.paste(Image.fromarray(person(560).laid_on(portrait, (190, 300))), (48, 134))
    rows = (("Name", name), ("Date of birth", "01 01 1990"), ("Number", number), ("Valid until", "31 12 2035"))
    for row, (label, value) in enumerate(rows):
        draw.text((430, 146 + 94 * row), label, (92, 100, 112), _font(24))
        draw.text((430, 174 + 94 * row), value, (24, 28, 36), _font(40))
    code = f"IDSMP{number.replace(' ', '<')}<<<<{name.upper().replace(' ', '<')}".ljust(44, "<")[:44]
    draw.text((48, 576), code, (30, 34, 40), _font(34))
    stamp = Image.fromarray(asset("coffee.png")).resize((60, 40))
    image.paste(stamp, (width - 100, 28))
    return as_picture(np.asarray(image))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
