"""Drawn things that are neither phones nor books: papers, cards, keys, leather, cloth, vessels, boxes, screens.

Pictures are BGR.
"""

import itertools

import cv2
import numpy as np

from benchmarks.evaluation.drawing.patterns import (
    Art,
    Colour,
    Draw,
    Stamp,
    as_image,
    box,
    disc,
    fitted,
    grey,
    pattern,
    print_lines,
    put,
    rounded,
    some_colour,
    surface,
    toned,
    write,
)
from openproctor.vision.geometry import Floats, Image

LEATHERS: tuple[Colour, ...] = ((30, 50, 90), (20, 25, 35), (60, 90, 140))
DISPLAYS: tuple[Colour, ...] = ((140, 170, 150), (165, 180, 165), (50, 60, 55), (90, 80, 70))


def other(rng: np.random.Generator, art: Art) -> Stamp:
    """Something that is neither a phone nor a book."""
    return KINDS[int(rng.integers(len(KINDS)))](rng, art)


def _body(rng: np.random.Generator) -> Colour:
    return some_colour(rng, 10, 70) if rng.random() < 0.6 else some_colour(rng, 60, 235)


def _contrary(picture: Image) -> Colour:
    """An ink that can be read on a picture."""
    return grey(245) if picture.mean() < 125 else grey(20)


# -- papers and cards --------------------------------------------------------------------------------------------------


def _sheet(rng: np.random.Generator, art: Art) -> Stamp:
    """A printed sheet."""
    page, ink = _paper(rng)
    height, width = page.shape[:2]
    if rng.random() < 0.4:
        write(page, width * 0.1, height * 0.05, width * 0.8, rng, ink, 1.2)
    place = (width * 0.09, height * rng.uniform(0.08, 0.2), width * 0.9, height * rng.uniform(0.5, 0.95))
    print_lines(page, place, rng, ink)
    return _sagging(page, rng)


def _notes(rng: np.random.Generator, art: Art) -> Stamp:
    """A sheet with handwriting."""
    page, ink = _paper(rng)
    height, width = page.shape[:2]
    for y in range(int(height * 0.1), int(height * rng.uniform(0.3, 0.95)), int(rng.integers(14, 26))):
        x = np.arange(width * 0.08, width * rng.uniform(0.5, 0.92), 4)
        stroke = np.stack([x, y + rng.normal(0, 3, len(x))], axis=1).astype(np.int32)
        cv2.polylines(page, [stroke], False, ink, 1, cv2.LINE_AA)
    return _sagging(page, rng)


def _paper(rng: np.random.Generator) -> tuple[Image, Colour]:
    page = surface(340, int(340 * rng.uniform(0.6, 0.85)), np.array([240, 242, 243]) * rng.uniform(0.85, 1.03), rng, 2)
    ink = toned((70, 60, 60), rng.uniform(0.3, 2)) if rng.random() < 0.8 else some_colour(rng, 20, 150)
    return page, ink


def _sagging(page: Image, rng: np.random.Generator) -> Stamp:
    height, width = page.shape[:2]
    if rng.random() < 0.3:
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        taken = (rows + rng.uniform(3, 12) * np.sin(columns / width * np.pi)).astype(np.float32)
        page = as_image(cv2.remap(page, columns, taken, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return page, rounded(height, width, 0.01)


def _envelope(rng: np.random.Generator, art: Art) -> Stamp:
    height, width = 220, int(220 * rng.uniform(1.4, 2))
    page = surface(height, width, (225, 235, 240) if rng.random() < 0.6 else (140, 190, 220), rng, 3)
    if rng.random() < 0.5:
        for corner in (0, width):
            cv2.line(page, (corner, 0), (width // 2, height // 2), (150, 160, 165), 2)
    else:
        print_lines(page, (width * 0.5, height * 0.5, width * 0.85, height * 0.75), rng, grey(60))
    return page, rounded(height, width, 0.02)


def _card(rng: np.random.Generator, art: Art) -> Stamp:
    """A card with a portrait or a chip."""
    height, width = 215, 340
    card = (
        pattern(height, width, rng, art)
        if rng.random() < 0.5
        else surface(height, width, some_colour(rng, 100, 250), rng, 4)
    )
    if rng.random() < 0.6:
        part = fitted(art(), int(width * 0.24), int(height * 0.5))
        top = int(height * 0.25)
        card[top : top + part.shape[0], 18 : 18 + part.shape[1]] = part
    else:
        box(card, 30, 70, 80, 108, (110, 190, 210))
    ink = _contrary(card)
    print_lines(card, (width * 0.36, height * 0.3, width * 0.9, height * 0.8), rng, ink, 22)
    write(card, width * 0.1, height * 0.06, width * 0.7, rng, ink, 1.0)
    return card, rounded(height, width, 0.07)


def _picture(rng: np.random.Generator, art: Art) -> Stamp:
    """A photograph or a piece of one."""
    height, width = 300, int(300 * rng.uniform(0.6, 1.5))
    return fitted(art(), width, height), rounded(height, width, rng.uniform(0, 0.1))


# -- things with keys --------------------------------------------------------------------------------------------------


def _calculator(rng: np.random.Generator, art: Art) -> Stamp:
    picture = surface(340, int(340 * rng.uniform(0.45, 0.75)), _body(rng), rng, 4)
    height, width = picture.shape[:2]
    margin = int(0.07 * width)
    bottom = int(height * rng.uniform(0.15, 0.33))
    box(picture, margin, margin, width - margin, bottom, DISPLAYS[int(rng.integers(len(DISPLAYS)))])
    place = (int(width * 0.3), int(bottom - 0.05 * height))
    digits = str(rng.integers(10**6))
    cv2.putText(picture, digits, place, cv2.FONT_HERSHEY_SIMPLEX, width / 190, grey(25), 2)
    return _keyed(picture, bottom + margin, margin, rng)


def _keypad(rng: np.random.Generator, art: Art) -> Stamp:
    picture = surface(340, int(340 * rng.uniform(0.45, 0.75)), _body(rng), rng, 4)
    margin = int(0.07 * picture.shape[1])
    return _keyed(picture, margin, margin, rng)


def _remote(rng: np.random.Generator, art: Art) -> Stamp:
    picture = surface(340, int(340 * rng.uniform(0.2, 0.36)), _body(rng), rng, 4)
    margin = int(0.07 * picture.shape[1])
    return _keyed(picture, margin, margin, rng)


def _keyed(picture: Image, top: int, margin: int, rng: np.random.Generator) -> Stamp:
    """Rows of keys from ``top`` to the lower end."""
    height, width = picture.shape[:2]
    rows, columns = int(rng.integers(4, 11)), int(rng.integers(3, 7))
    usual, round_keys = some_colour(rng, 15, 240), rng.random() < 0.4
    across = np.linspace(margin, width - margin, columns + 1).astype(int).tolist()
    down = np.linspace(top, height - margin, rows + 1).astype(int).tolist()
    for upper, lower in itertools.pairwise(down):
        for left, right in itertools.pairwise(across):
            if rng.random() < 0.07:
                continue
            colour = usual if rng.random() < 0.8 else some_colour(rng)
            if round_keys:
                axes = (max(1, (right - left - 4) // 2), max(1, (lower - upper - 4) // 2))
                cv2.ellipse(picture, ((left + right) // 2, (upper + lower) // 2), axes, 0, 0, 360, colour, -1)
            else:
                box(picture, left + 2, upper + 2, right - 2, lower - 2, colour)
    return picture, rounded(height, width, rng.uniform(0.03, 0.2))


def _keyboard(rng: np.random.Generator, art: Art) -> Stamp:
    height, width, body = 150, 400, _body(rng)
    picture = surface(height, width, body, rng, 3)
    dark = sum(body) < 380
    key, sign = toned(body, shift=30 if dark else -25), grey(220 if dark else 60)
    for y in range(6, height - 18, 24):
        for x in range(6 + int(rng.integers(0, 10)), width - 20, 25):
            box(picture, x, y, x + 20, y + 19, key)
            disc(picture, x + 8, y + 8, 2, sign)
    return picture, rounded(height, width, 0.05)


def _mouse(rng: np.random.Generator, art: Art) -> Stamp:
    picture, cover = _oval(260, 156, _body(rng), rng)
    cv2.line(picture, (78, 0), (78, 86), grey(90), 3)
    return picture, cover


def _plate(rng: np.random.Generator, art: Art) -> Stamp:
    body = _body(rng)
    picture, cover = _oval(260, 260, body, rng)
    disc(picture, 130, 130, 86, toned(body, 0.9), 3)
    return picture, cover


def _oval(height: int, width: int, colour: Colour, rng: np.random.Generator) -> Stamp:
    cover = np.zeros((height, width), dtype=np.uint8)
    cv2.ellipse(cover, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1)
    return surface(height, width, colour, rng, 3), cover


# -- leather, cloth, plain surfaces ------------------------------------------------------------------------------------


def _format(rng: np.random.Generator) -> tuple[int, int]:
    return 300, int(300 * rng.uniform(0.5, 1.7))


def _wallet(rng: np.random.Generator, art: Art) -> Stamp:
    """A wallet or a case of leather, with a seam, perhaps a fold and a card."""
    height, width = _format(rng)
    kind = int(rng.integers(len(LEATHERS) + 1))
    leather = np.array(LEATHERS[kind] if kind < len(LEATHERS) else _body(rng)) * rng.uniform(0.5, 1.4)
    picture = surface(height, width, leather, rng, rng.uniform(2, 18))
    box(picture, 6, 6, width - 6, height - 6, toned(leather, 0.65), int(rng.integers(1, 3)))
    if rng.random() < 0.5:
        cv2.line(picture, (width // 2, 0), (width // 2, height), toned(leather, 0.5), 3)
    if rng.random() < 0.4:
        left = int(width * rng.uniform(0.1, 0.7))
        box(picture, left, height * 0.1, left + int(width * 0.25), height * 0.9, some_colour(rng))
    return picture, rounded(height, width, rng.uniform(0.02, 0.2))


def _cloth(rng: np.random.Generator, art: Art) -> Stamp:
    height, width = _format(rng)
    picture = surface(height, width, _body(rng), rng, rng.uniform(2, 18))
    picture = as_image(cv2.addWeighted(picture, 0.5, pattern(height, width, rng, art), 0.5, 0))
    return picture, _crumpled(height, width, rng)


def _bag(rng: np.random.Generator, art: Art) -> Stamp:
    """A printed bag."""
    height, width = _format(rng)
    picture = surface(height, width, _body(rng), rng, rng.uniform(2, 18))
    write(picture, width * 0.1, height * 0.3, width * 0.8, rng, some_colour(rng), 3.0)
    part = fitted(art(), int(width * 0.5), int(height * 0.3))
    top, left = int(height * 0.6), int(width * 0.25)
    picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    return picture, _crumpled(height, width, rng)


def _crumpled(height: int, width: int, rng: np.random.Generator) -> Image:
    """A cover without straight edges, mostly."""
    if rng.random() < 0.7:
        bumps: Floats = np.asarray(rng.random((8, 8)) * 255, dtype=np.float32)
        bumps = np.asarray(cv2.GaussianBlur(bumps, (0, 0), 1.5), dtype=np.float32)
        middle = np.pad(np.full((4, 4), 255, dtype=np.float32), 2)
        middle = np.asarray(cv2.GaussianBlur(middle, (0, 0), 1.2), dtype=np.float32)
        outline = cv2.resize(bumps, (width, height), interpolation=cv2.INTER_CUBIC) + cv2.resize(
            middle, (width, height)
        )
        cover = as_image((outline > 150) * 255)
        if cover.mean() > 40:
            return cover
    return rounded(height, width, rng.uniform(0.02, 0.2))


def _plain(rng: np.random.Generator, art: Art) -> Stamp:
    height, width = _format(rng)
    return surface(height, width, _body(rng), rng, 1), rounded(height, width, rng.uniform(0.02, 0.2))


def _door(rng: np.random.Generator, art: Art) -> Stamp:
    """The door of a cupboard."""
    (height, width), body = _format(rng), _body(rng)
    picture = surface(height, width, body, rng, rng.uniform(2, 18))
    box(picture, width * 0.1, height * 0.1, width * 0.9, height * 0.9, toned(body, 0.8), 3)
    disc(picture, width * 0.9, height // 2, 6, (160, 190, 200))
    return picture, rounded(height, width, rng.uniform(0.02, 0.2))


# -- vessels, boxes, frames --------------------------------------------------------------------------------------------


def _tube(rng: np.random.Generator, art: Art) -> Stamp:
    picture = _barrel(320, int(320 * rng.uniform(0.22, 0.42)), rng, art)
    return _labelled(picture, np.full(picture.shape[:2], 255, dtype=np.uint8), rng)


def _mug(rng: np.random.Generator, art: Art) -> Stamp:
    picture = _barrel(230, int(230 * rng.uniform(0.7, 1)), rng, art)
    width = picture.shape[1]
    cv2.ellipse(picture, (width // 2, 12), (width // 2, 12), 0, 0, 360, (30, 45, 70), -1)
    return _labelled(picture, np.full(picture.shape[:2], 255, dtype=np.uint8), rng)


def _bottle(rng: np.random.Generator, art: Art) -> Stamp:
    picture = _barrel(320, int(320 * rng.uniform(0.22, 0.42)), rng, art)
    height, width = picture.shape[:2]
    cover = np.full((height, width), 255, dtype=np.uint8)
    neck, shoulder = int(height * 0.25), int(width * 0.3)
    cover[:neck, :shoulder] = 0
    cover[:neck, width - shoulder :] = 0
    box(picture, shoulder, 0, width - shoulder, 18, some_colour(rng))
    return _labelled(picture, cover, rng)


def _barrel(height: int, width: int, rng: np.random.Generator, art: Art) -> Image:
    """A round surface, darker at both sides."""
    picture = pattern(height, width, rng, art) if rng.random() < 0.5 else surface(height, width, _body(rng), rng, 3)
    away = np.linspace(-1, 1, width)
    return as_image(picture * (1.1 - 0.6 * away**2)[None, :, None])


def _labelled(picture: Image, cover: Image, rng: np.random.Generator) -> Stamp:
    if rng.random() < 0.5:
        height, width = cover.shape
        write(picture, width * 0.1, height * 0.5, width * 0.8, rng, _contrary(picture), 1.5)
    return picture, cover


def _box(rng: np.random.Generator, art: Art) -> Stamp:
    """A printed box seen from a corner."""
    height, width = 320, int(320 * rng.uniform(0.5, 1.2))
    front = pattern(height, width, rng, art)
    for _ in range(int(rng.integers(1, 4))):
        y, wide = height * rng.uniform(0.05, 0.85), width * rng.uniform(0.4, 0.85)
        write(front, width * 0.08, y, wide, rng, some_colour(rng), 2.5)
    deep = int(width * rng.uniform(0.15, 0.45))
    rise = max(2, int(deep * rng.uniform(0.2, 0.6)))
    whole = np.zeros((height + rise, width + deep, 3), dtype=np.uint8)
    cover = np.zeros(whole.shape[:2], dtype=np.uint8)
    side = (
        as_image(cv2.resize(front, (deep, height)))
        if rng.random() < 0.5
        else surface(height, deep, some_colour(rng), rng, 3)
    )
    lid = as_image(cv2.resize(front, (width, rise)) * 0.5 + 110)
    right, bottom = width + deep, height + rise
    put(whole, cover, as_image(side * 0.65), [(width, rise), (right, 0), (right, height), (width, bottom)])
    put(whole, cover, lid, [(0, rise), (deep, 0), (right, 0), (width, rise)])
    put(whole, cover, front, [(0, rise), (width, rise), (width, bottom), (0, bottom)])
    if rng.random() < 0.5:
        return np.ascontiguousarray(whole[:, ::-1]), np.ascontiguousarray(cover[:, ::-1])
    return whole, cover


def _shown(rng: np.random.Generator, art: Art) -> Image:
    """What a frame or a screen shows."""
    height, width = 240, int(240 * rng.uniform(0.7, 1.8))
    if rng.random() < 0.7:
        return pattern(height, width, rng, art)
    return surface(height, width, some_colour(rng, 150, 255), rng, 6)


def _frame(rng: np.random.Generator, art: Art) -> Stamp:
    """A framed picture or a window."""
    return _framed(_shown(rng, art), 0, rng)


def _monitor(rng: np.random.Generator, art: Art) -> Stamp:
    picture = _shown(rng, art)
    if rng.random() < 0.6:
        height, width = picture.shape[:2]
        picture[:] = 245 if rng.random() < 0.6 else 25
        print_lines(picture, (width * 0.05, height * 0.12, width * 0.95, height * 0.9), rng, grey(110))
        box(picture, 0, 0, width, height * 0.07, some_colour(rng))
    return _framed(picture, 10, rng)


def _framed(picture: Image, below: int, rng: np.random.Generator) -> Stamp:
    edge = int(rng.integers(4, 22))
    colour = _body(rng)
    whole = as_image(cv2.copyMakeBorder(picture, edge, edge + below, edge, edge, cv2.BORDER_CONSTANT, value=colour))
    return whole, np.full(whole.shape[:2], 255, dtype=np.uint8)


# a kind is as frequent here as among what is drawn
KINDS: tuple[Draw, ...] = (
    *(_sheet, _sheet, _notes, _envelope, _card, _card, _picture),
    *(_calculator, _calculator, _keypad, _remote, _keyboard, _mouse, _plate),
    *(_wallet, _wallet, _wallet, _cloth, _cloth, _cloth, _bag, _plain, _plain, _door),
    *(_tube, _mug, _bottle, _box, _box, _frame, _frame, _monitor),
)
