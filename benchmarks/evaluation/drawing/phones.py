"""Drawn phones: fronts with nine kinds of screens, backs with seven kinds of cameras, glare, cases. Pictures are BGR."""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.evaluation.drawing.patterns import (
    FONTS,
    Art,
    Colour,
    Stamp,
    as_image,
    box,
    disc,
    fitted,
    grey,
    pattern,
    print_lines,
    rounded,
    some_colour,
    surface,
    toned,
    write,
)
from openproctor.vision.geometry import Image

HEIGHT = 340  # pixels
FRONTS = 0.66  # share of the phones that show their front
KEYS = "123456789*0#"
Paint = Callable[[Image, np.random.Generator, Art], None]


def phone(rng: np.random.Generator, art: Art) -> Stamp:
    """A phone's front with one of nine screens, or its back; glare over half of them, a case round a fourth."""
    height, width = HEIGHT, int(HEIGHT * rng.uniform(0.44, 0.58))
    body = some_colour(rng, 5, 60) if rng.random() < 0.6 else some_colour(rng, 60, 245)
    picture = surface(height, width, body, rng, 3)
    radius = rng.uniform(0.05, 0.17)
    if rng.random() < FRONTS:
        _front(picture, rng, art)
    else:
        if rng.random() < 0.3:
            picture = pattern(height, width, rng, art)
        elif rng.random() < 0.3:
            picture = surface(height, width, body, rng, 12)
        _back(picture, rng)
    if rng.random() < 0.55:
        light = np.zeros((height, width), dtype=np.float32)
        start, end = (int(rng.uniform(-0.5, 1) * width), 0), (int(rng.uniform(0, 1.5) * width), height)
        cv2.line(light, start, end, 1.0, int(rng.integers(8, 60)))
        glare = np.asarray(cv2.GaussianBlur(light, (0, 0), rng.uniform(2, 14)))[..., None]
        picture = as_image(picture + glare * rng.uniform(20, 110))
    cover = rounded(height, width, radius)
    if rng.random() < 0.25:
        edge = int(rng.integers(5, 14))
        case = surface(height + 2 * edge, width + 2 * edge, some_colour(rng), rng, 3)
        within = case[edge : edge + height, edge : edge + width]
        within[cover > 0] = picture[cover > 0]
        return case, rounded(height + 2 * edge, width + 2 * edge, radius)
    return picture, cover


def _front(picture: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = picture.shape[:2]
    edge = int(rng.uniform(0.01, 0.06) * width) + 1
    older = rng.random() < 0.15  # wide edges above and below, and a key
    above = int(height * rng.uniform(0.09, 0.13)) if older else edge
    wide, tall = width - 2 * edge, height - 2 * above
    screen = surface(tall, wide, some_colour(rng, 4, 30), rng, 3)
    SCREENS[int(rng.integers(len(SCREENS)))](screen, rng, art)
    if rng.random() < 0.6:
        screen = as_image(screen * rng.uniform(0.6, 1.25) + rng.uniform(0, 30))
    picture[above : above + tall, edge : edge + wide] = screen
    if older:
        middle, size = (width // 2, height - above // 2), int(above * 0.3)
        if rng.random() < 0.6:
            disc(picture, *middle, size, grey(110), 2)
        else:
            left, top = middle[0] - 2 * size, middle[1] - size // 2
            box(picture, left, top, middle[0] + 2 * size, middle[1] + size // 2, grey(110), 2)
        cv2.line(picture, (width // 2 - 14, above // 2), (width // 2 + 14, above // 2), grey(90), 3)
        return
    camera = int(rng.integers(4))
    if camera == 0:
        box(picture, width * 0.3, 0, width * 0.7, height * 0.035, grey(6))
    elif camera == 1:
        disc(picture, width // 2, height * 0.03, 4, grey(4))
    elif camera == 2:
        cv2.ellipse(picture, (width // 2, int(height * 0.035)), (int(width * 0.13), 6), 0, 0, 360, grey(3), -1)
    if rng.random() < 0.4:
        ink = grey(200) if picture[height - 12 :, width // 2].mean() < 120 else grey(30)
        cv2.line(picture, (int(width * 0.33), height - 8), (int(width * 0.67), height - 8), ink, 3)


# -- screens -----------------------------------------------------------------------------------------------------------


def _off(screen: Image, rng: np.random.Generator, art: Art) -> None:
    """A dark screen stays as it is."""


def _photograph(screen: Image, rng: np.random.Generator, art: Art) -> None:
    screen[:] = fitted(art(), screen.shape[1], screen.shape[0])


def _icons(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    screen[:] = pattern(height, width, rng, art)
    columns = int(rng.integers(3, 6))
    step = width / (columns + 0.2)
    y = step * 0.8
    while y < height - step:
        for column in range(columns):
            if rng.random() < 0.92:
                x = step * 0.2 + column * step
                box(screen, x, y, x + step * 0.68, y + step * 0.68, some_colour(rng))
        y += step * float(rng.choice([1.2, 1.3]))


def _messages(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    screen[:] = int(rng.choice([18, 30, 235, 250]))
    y = int(height * 0.12)
    box(screen, 0, 0, width, y, some_colour(rng))
    y += 8
    while y < height - 40:
        tall, wide, mine = int(rng.integers(14, 50)), int(rng.uniform(0.35, 0.75) * width), rng.random() < 0.5
        x, colour = (5 if mine else width - 5 - wide), some_colour(rng)
        box(screen, x, y, x + wide, y + tall, colour)
        ink = grey(20) if sum(colour) > 380 else grey(230)
        print_lines(screen, (x + 6, y + 8, x + wide - 6, y + tall - 3), rng, ink, 8)
        y += tall + int(rng.integers(5, 14))


def _page(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    page = int(rng.choice([248, 240, 20, 35]))
    screen[:] = page
    ink = grey(60) if page > 100 else grey(210)
    y = int(height * 0.08)
    if rng.random() < 0.7:
        part = fitted(art(), width, int(height * rng.uniform(0.15, 0.4)))
        screen[y : y + part.shape[0]] = part
        y += part.shape[0] + 8
    write(screen, 8, y, width * 0.8, rng, ink, 1.0)
    print_lines(screen, (8, y + 26, width - 8, height - 16), rng, ink)


def _locked(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    if rng.random() < 0.6:
        screen[:] = pattern(height, width, rng, art)
    clock = f"{rng.integers(24):02d}:{rng.integers(60):02d}"
    place = (int(width * 0.14), int(height * rng.uniform(0.2, 0.3)))
    font = FONTS[int(rng.integers(4))]
    cv2.putText(screen, clock, place, font, width / 95, grey(245), max(2, width // 60), cv2.LINE_AA)
    for y in range(int(height * 0.4), int(height * 0.9), int(height * 0.11)):
        if rng.random() < 0.5:
            box(screen, 8, y, width - 8, y + height * 0.085, some_colour(rng, 120, 250))


def _film(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    part = fitted(art(), width, int(width * 0.6))
    y = int(height * rng.uniform(0.1, 0.4))
    shown = part[: height - y]
    screen[y : y + shown.shape[0]] = shown
    print_lines(screen, (8, min(height - 5, y + part.shape[0] + 14), width - 8, height - 8), rng, grey(150))


def _dialling(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    dark = rng.random() < 0.5
    screen[:] = 12 if dark else 245
    ink, key = (grey(240), grey(90)) if dark else (grey(20), grey(215))
    step = width / 3.4
    for number, sign in enumerate(KEYS):
        x, y = int(step * 0.7 + (number % 3) * step), int(height * 0.4 + (number // 3) * step * 0.8)
        disc(screen, x, y, step * 0.33, key)
        cv2.putText(screen, sign, (x - 7, y + 7), cv2.FONT_HERSHEY_SIMPLEX, 0.7, ink, 2)
    write(screen, width * 0.15, height * 0.15, width * 0.7, rng, ink, 1.2)


def _list(screen: Image, rng: np.random.Generator, art: Art) -> None:
    height, width = screen.shape[:2]
    screen[:] = pattern(height, width, rng, art)
    box(screen, 0, 0, width, height * 0.1, some_colour(rng))
    for y in range(int(height * 0.12), height - 20, int(height * 0.12)):
        disc(screen, 20, y + 14, 10, some_colour(rng))
        print_lines(screen, (38, y + 9, width - 8, y + 24), rng, grey(90), 9)


SCREENS: tuple[Paint, ...] = (_off, _photograph, _icons, _messages, _page, _locked, _film, _dialling, _list)


# -- backs -------------------------------------------------------------------------------------------------------------


def _back(picture: Image, rng: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    shade = toned(picture[20:60, 10:50].mean(axis=(0, 1)), rng.uniform(0.6, 1.25))
    lenses, radius = _cameras(picture, shade, rng)
    for x, y in lenses:
        disc(picture, x, y, radius, grey(int(rng.integers(5, 40))))
        disc(picture, x, y, radius, grey(120), 1)
        disc(picture, x, y, max(2, radius // 2), (70, 50, 40))
        disc(picture, x - radius * 0.2, y - radius * 0.2, 2, grey(220))
    if rng.random() < 0.7:
        disc(picture, lenses[0][0] + width * 0.2, lenses[0][1] + 4, 5, (210, 235, 250))
    if rng.random() < 0.5:
        mark = toned(picture[height // 2, width // 2], shift=float(rng.choice([-50, 50])))
        disc(picture, width // 2, height * rng.uniform(0.35, 0.55), width * 0.07, mark)
    if rng.random() < 0.3:
        mark = toned(picture[height // 2, width // 2], shift=float(rng.choice([-60, 60])))
        write(picture, width * 0.2, height * rng.uniform(0.6, 0.9), width * 0.6, rng, mark, 0.6)


def _cameras(picture: Image, shade: Colour, rng: np.random.Generator) -> tuple[list[tuple[float, float]], int]:
    """The mount of a phone's cameras is drawn; where the lenses are, and their radius."""
    height, width = picture.shape[:2]
    radius = int(width * rng.uniform(0.07, 0.12))
    on_the_left = rng.random() < 0.8
    near = width * (0.2 if on_the_left else 0.8)
    kind = int(rng.integers(7))
    if kind == 0:
        wide, tall = int(width * rng.uniform(0.4, 0.55)), int(width * rng.uniform(0.4, 0.6))
        left = 8 if on_the_left else width - 8 - wide
        box(picture, left, 8, left + wide, 8 + tall, shade)
        places = ((0.27, 0.27), (0.27, 0.73), (0.73, 0.5))[: int(rng.integers(2, 4))]
        return [(left + wide * x, 8 + tall * y) for x, y in places], radius
    if kind == 1:
        return [(near, height * (0.07 + 0.1 * number)) for number in range(int(rng.integers(1, 5)))], radius
    if kind == 2:
        top = int(height * rng.uniform(0.06, 0.14))
        box(picture, 0, top, width, top + height * 0.13, shade)
        lenses = [(width * (0.25 + 0.2 * number), top + height * 0.065) for number in range(int(rng.integers(2, 4)))]
        return lenses, radius
    if kind == 3:
        x, y = width // 2, int(height * 0.17)
        disc(picture, x, y, width * 0.33, shade)
        off = width * 0.13
        return [(x + across, y + down) for across in (-off, off) for down in (-off, off)], int(width * 0.08)
    if kind == 4:
        return [(width * 0.5, height * (0.08 + 0.09 * number)) for number in range(int(rng.integers(1, 3)))], radius
    if kind == 5:
        axes = (int(radius * 1.7), int(height * 0.12))
        cv2.ellipse(picture, (int(near), int(height * 0.15)), axes, 0, 0, 360, shade, -1)
        return [(near, height * 0.09), (near, height * 0.2)], radius
    return [(width * (0.16 if on_the_left else 0.84), height * 0.06)], int(radius * 0.6)
