"""Drawn phones, books and other things for tuning: the second look is fitted to these, so figures that count use others.

All return a picture (RGB) and its coverage. ``art`` is a picture to be printed on covers, pages and screens.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation.drawing.patterns import rounded
from openproctor.simulation.layers import as_picture, asset
from openproctor.simulation.media import Picture

Stamp = tuple[Picture, Picture]
Draw = Callable[[np.random.Generator, Picture], Stamp]
WORDS = ("THE ART OF", "LOGIC", "HISTORY", "PHYSICS", "MODERN LAW", "ECONOMICS", "A GUIDE TO", "ATLAS", "POEMS")
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
Colour = tuple[int, int, int]


def some_art(rng: np.random.Generator) -> Picture:
    """A piece of one of the shipped pictures."""
    whole = asset(("astronaut.png", "coffee.png", "camera.png")[int(rng.integers(3))])
    height = int(rng.integers(whole.shape[0] // 3, whole.shape[0]))
    width = min(int(height * 0.72), whole.shape[1])
    top, left = int(rng.integers(whole.shape[0] - height + 1)), int(rng.integers(whole.shape[1] - width + 1))
    return whole[top : top + height, left : left + width]


def _colour(rng: np.random.Generator, low: int, high: int) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return red, green, blue


def _fitted(art: Picture, width: int, height: int) -> Picture:
    return as_picture(cv2.resize(art, (max(1, width), max(1, height)), interpolation=cv2.INTER_AREA))


# -- phones ------------------------------------------------------------------------------------------------------------


def phone(rng: np.random.Generator, art: Picture) -> Stamp:
    """A phone's front with one of five screens, or its back with cameras; glare over some."""
    height = 300
    width = int(height * rng.uniform(0.45, 0.56))
    body = _colour(rng, 8, 60) if rng.random() < 0.65 else _colour(rng, 60, 235)
    picture: Picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[:] = body
    if rng.random() < 0.62:
        edge = int(rng.uniform(4, 10))
        above = int(rng.choice([edge, edge, 22]))
        _screen(picture[above : height - above, edge : width - edge], rng, art)
        if rng.random() < 0.5:
            cv2.circle(picture, (width // 2, above + 8), 4, (5, 5, 5), -1)
    else:
        _back(picture, body, rng)
    if rng.random() < 0.5:
        light = np.zeros((height, width), dtype=np.float32)
        start, end = (int(rng.uniform(-0.5, 1) * width), 0), (int(rng.uniform(0, 1.5) * width), height)
        cv2.line(light, start, end, 1.0, int(rng.integers(10, 40)))
        glare = np.asarray(cv2.GaussianBlur(light, (0, 0), 6))[..., None] * rng.uniform(20, 90)
        picture = as_picture(np.clip(picture + glare, 0, 255))
    return picture, rounded(height, width, 0.1)


def _screen(screen: Picture, rng: np.random.Generator, art: Picture) -> None:
    height, width = screen.shape[:2]
    kind = int(rng.integers(5))
    if kind == 0:
        screen[:] = int(rng.integers(5, 30))
    elif kind == 1:
        screen[:] = _fitted(art, width, height)
    elif kind == 2:
        fade = np.linspace(0, 1, height)[:, None, None]
        screen[:] = as_picture(rng.integers(30, 255, 3) * (1 - fade) + rng.integers(30, 255, 3) * fade)
        step = width / 4.4
        for row in range(6):
            for column in range(4):
                x, y = int(6 + column * step), int(24 + row * step * 1.25)
                cv2.rectangle(screen, (x, y), (int(x + step * 0.7), int(y + step * 0.7)), _colour(rng, 0, 255), -1)
    elif kind == 3:
        page = int(rng.choice([245, 250, 30, 235]))
        screen[:] = page
        ink: Colour = (200, 200, 200) if page < 100 else (90, 90, 90)
        cv2.rectangle(screen, (0, 0), (width, 24), _colour(rng, 30, 220), -1)
        for y in range(38, height - 14, 13):
            cv2.line(screen, (8, y), (int(rng.uniform(0.4, 0.95) * width), y), ink, int(rng.integers(2, 5)))
    else:
        screen[:] = int(rng.integers(225, 250))
        y = 30
        while y < height - 34:
            wide, tall, mine = int(rng.uniform(0.4, 0.7) * width), int(rng.integers(18, 40)), rng.random() < 0.5
            x = 6 if mine else width - 6 - wide
            cv2.rectangle(screen, (x, y), (x + wide, y + tall), (255, 255, 255) if mine else _colour(rng, 60, 220), -1)
            y += tall + 8


def _back(picture: Picture, body: Colour, rng: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    shade: Colour = (body[0] * 3 // 4, body[1] * 3 // 4, body[2] * 3 // 4)
    kind = int(rng.integers(3))
    if kind == 0:
        cv2.rectangle(picture, (10, 10), (width // 2, 88), shade, -1)
        lenses = [(28, 30), (28, 66), (width // 2 - 16, 48)]
    elif kind == 1:
        lenses = [(26, 28), (26, 62), (26, 96)]
    else:
        cv2.rectangle(picture, (0, 30), (width, 75), shade, -1)
        lenses = [(30, 52), (60, 52)]
    for x, y in lenses:
        cv2.circle(picture, (x, y), 13, (12, 12, 12), -1)
        cv2.circle(picture, (x, y), 7, (50, 60, 70), -1)
        cv2.circle(picture, (x - 3, y - 3), 2, (220, 220, 220), -1)
    if rng.random() < 0.5:
        cv2.circle(picture, (width // 2, height // 2), 12, shade, -1)


# -- books -------------------------------------------------------------------------------------------------------------


def book(rng: np.random.Generator, art: Picture) -> Stamp:
    """A closed book with cover, title and the edge of its pages, or an open one with text and pictures."""
    picture = _closed(rng, art) if rng.random() < 0.5 else _open(rng, art)
    return picture, np.full(picture.shape[:2], 255, dtype=np.uint8)


def _closed(rng: np.random.Generator, art: Picture) -> Picture:
    height = 300
    width = int(height * rng.uniform(0.62, 0.82))
    page: Picture = np.empty((height, width, 3), dtype=np.uint8)
    kind = int(rng.integers(3))
    page[:] = _fitted(art, width, height) if kind == 0 else np.array(_colour(rng, 15, 235), dtype=np.uint8)
    if kind == 1:
        part = _fitted(art, int(width * 0.8), int(height * 0.45))
        top, left = int(height * 0.4), int(width * 0.1)
        page[top : top + part.shape[0], left : left + part.shape[1]] = part
    elif kind == 2:
        for _ in range(int(rng.integers(1, 4))):
            place = (int(rng.uniform(0.1, 0.9) * width), int(rng.uniform(0.3, 0.9) * height))
            if rng.random() < 0.5:
                cv2.circle(page, place, int(rng.uniform(0.1, 0.4) * width), _colour(rng, 0, 255), -1)
            else:
                cv2.rectangle(page, (0, place[1]), (width, place[1] + 60), _colour(rng, 0, 255), -1)
    ink: Colour = (250, 250, 250) if page[: height // 3].mean() < 130 else (20, 20, 30)
    y = int(height * 0.14)
    for _ in range(int(rng.integers(1, 4))):
        text, font = " ".join(rng.choice(WORDS, int(rng.integers(1, 3)))), FONTS[int(rng.integers(len(FONTS)))]
        (wide, tall), _base = cv2.getTextSize(text, font, 1, 2)
        size = min(width * 0.85 / wide, 1.3)
        cv2.putText(
            page, text, (int((width - wide * size) / 2), y), font, size, ink, max(1, int(2 * size)), cv2.LINE_AA
        )
        y += int(tall * size * 1.7)
    page[:, :8] = as_picture(page[:, :8] * 0.7)
    thick = int(rng.uniform(0.03, 0.12) * width)
    whole = np.zeros((height + thick // 2, width + thick, 3), dtype=np.uint8)
    lines = 225 + np.sin(np.arange(thick) * 2.2)[None, :, None] * 18 + rng.normal(0, 10, (height, 1, 1))
    whole[thick // 2 : thick // 2 + height, width:] = as_picture(np.clip(lines * np.array([1, 0.93, 0.85]), 0, 255))
    whole[height:, :] = as_picture(page[-1].mean(axis=0) * 0.5)
    whole[:height, :width] = page
    return whole


def _open(rng: np.random.Generator, art: Picture) -> Picture:
    width, height = 400, int(rng.uniform(250, 300))
    away = np.abs(np.linspace(-1, 1, width))
    shade = 0.62 + 0.38 * np.clip(away * 3.2, 0, 1) - 0.12 * np.clip(away - 0.6, 0, 1)
    paper = np.array([242, 236, 222]) * rng.uniform(0.85, 1.05)
    page = np.repeat(as_picture(np.clip(paper * shade[None, :, None], 0, 255)), height, axis=0)
    step = int(rng.integers(9, 17))
    for left in (24, 220):
        shown, top = rng.random() < 0.35, int(rng.uniform(0.2, 0.5) * height)
        tall = int(height * 0.28)
        for y in range(24, height - 20, step):
            if shown and top - 4 < y < top + tall + 4:
                continue
            x = left
            while x < left + 150:
                long = min(int(rng.integers(6, 26)), left + 156 - x)
                cv2.line(page, (x, y), (x + long, y), (75, 70, 70), max(1, step // 4))
                x += long + 4
        if shown:
            page[top : top + tall, left + 8 : left + 148] = _fitted(art, 140, tall)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    sag = (rng.uniform(4, 14) * (1 - np.abs(np.cos(np.pi * columns / width))) - 6).astype(np.float32)
    bent = cv2.remap(page, columns, rows + sag, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    whole = np.empty((height + 12, width + 16, 3), dtype=np.uint8)
    whole[:] = _colour(rng, 20, 200)
    whole[4 : 4 + height, 8 : 8 + width] = bent
    return whole


# -- neither -----------------------------------------------------------------------------------------------------------


def other(rng: np.random.Generator, art: Picture) -> Stamp:
    """Neither: a plain rectangle, a printed sheet, a card, a calculator, a photograph, a cup."""
    kind = int(rng.integers(6))
    if kind == 0:
        picture = _plain(300, int(rng.integers(140, 230)), _colour(rng, 10, 230))
    elif kind == 1:
        picture = _plain(300, 212, (240, 240, 238))
        for row in range(18):
            cv2.line(picture, (20, 24 + row * 15), (int(rng.integers(120, 195)), 24 + row * 15), (100, 100, 100), 1)
    elif kind == 2:
        picture = _plain(200, 316, _colour(rng, 120, 240))
        for row in range(4):
            cv2.line(picture, (130, 50 + row * 34), (280, 50 + row * 34), (60, 60, 60), 5)
        cv2.rectangle(picture, (24, 40), (104, 150), (190, 160, 150), -1)
    elif kind == 3:
        picture = _plain(300, 170, _colour(rng, 20, 120))
        cv2.rectangle(picture, (15, 15), (155, 75), (140, 170, 150), -1)
        for row in range(5):
            for column in range(4):
                x, y = 15 + column * 36, 95 + row * 40
                cv2.rectangle(picture, (x, y), (x + 28, y + 28), _colour(rng, 60, 230), -1)
    elif kind == 4:
        picture = _fitted(art, 216, 300)
    else:
        picture = _plain(220, 200, _colour(rng, 60, 230))
        cv2.ellipse(picture, (100, 14), (96, 12), 0, 0, 360, (70, 45, 30), -1)
    return picture, rounded(picture.shape[0], picture.shape[1], 0.06)


def _plain(height: int, width: int, colour: NDArray[np.uint8] | Colour) -> Picture:
    picture: Picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[:] = colour
    return picture
