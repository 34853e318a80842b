"""Drawn books: closed with cover, title and the edge of the pages, open with print and pictures, backs. Pictures are BGR."""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation.drawing.patterns import (
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
    put,
    rounded,
    some_colour,
    surface,
    toned,
    write,
)
from openproctor.vision.geometry import Image

HEIGHT = 340  # pixels of a closed book
CLOSED, OPEN = 0.5, 0.42  # shares; the rest are seen from their backs
ROOM = 15  # pixels above and below an open book in which its pages may bend


def book(rng: np.random.Generator, art: Art) -> Stamp:
    """A closed book, an open one, or the back of one as it stands on a shelf."""
    kind = rng.random()
    if kind < CLOSED:
        return _closed(rng, art)
    return _open(rng, art) if kind < CLOSED + OPEN else _standing(rng, art)


def _closed(rng: np.random.Generator, art: Art) -> Stamp:
    height, width = HEIGHT, int(HEIGHT * rng.uniform(0.58, 0.86))
    cover = pattern(height, width, rng, art)
    ink: Colour = grey(248) if cover.mean() < 125 else (20, 20, 25)
    if rng.random() < 0.2:
        ink = some_colour(rng)
    if rng.random() < 0.3:
        top = height * rng.uniform(0, 0.6)
        left = 0 if rng.random() < 0.5 else width * 0.1
        right = width if rng.random() < 0.5 else width * 0.9
        box(cover, left, top, right, top + height * rng.uniform(0.15, 0.35), some_colour(rng))
    y = height * rng.uniform(0.04, 0.5)
    for _ in range(int(rng.integers(1, 5))):
        left, wide = width * rng.uniform(0.04, 0.2), width * rng.uniform(0.4, 0.85)
        y += write(cover, left, y, wide, rng, ink, rng.uniform(0.6, 2.4)) + height * rng.uniform(0.015, 0.05)
    if rng.random() < 0.7:
        write(cover, width * 0.15, height * rng.uniform(0.85, 0.93), width * rng.uniform(0.3, 0.7), rng, ink, 0.8)
    if rng.random() < 0.5:
        fold = toned(cover[:, :8].mean(axis=(0, 1)), rng.uniform(0.5, 1.2))
        box(cover, 0, 0, width * rng.uniform(0.02, 0.09), height, fold)
    if rng.random() < 0.06:
        cover = np.ascontiguousarray(cover[:, ::-1])
    if rng.random() < 0.12:  # a spiral
        for row in range(10, height - 8, 14):
            disc(cover, 8, row, 4, grey(30))
            cv2.line(cover, (0, row), (10, row), grey(170), 2)
    return _thick(cover, rng) if rng.random() < 0.65 else (cover, rounded(height, width, 0.02))


def _thick(cover: Image, rng: np.random.Generator) -> Stamp:
    """A book's cover with the edges of its pages at one side and above or below."""
    height, width = cover.shape[:2]
    deep = max(3, int(rng.uniform(0.02, 0.2) * width))
    rise = max(2, int(deep * rng.uniform(0.2, 0.9)))
    seen_from_above = rng.random() < 0.5
    whole = np.zeros((height + rise, width + deep, 3), dtype=np.uint8)
    covered = np.zeros(whole.shape[:2], dtype=np.uint8)
    side = surface(height, deep, np.array([215, 228, 235]) * rng.uniform(0.75, 1.05), rng, 3)
    for x in np.linspace(0, deep - 1, max(3, deep // 2)):
        cv2.line(side, (int(x), 0), (int(x), height), toned((150, 165, 175), rng.uniform(0.8, 1.2)), 1)
    turned = np.ascontiguousarray(np.rot90(side[: max(2, height // 2)]))
    end = as_image(cv2.resize(turned, (width, rise)))
    top, slope = (rise, -rise) if seen_from_above else (0, rise)
    bottom, right = top + height, width + deep
    put(whole, covered, side, [(width, top), (right, top + slope), (right, bottom + slope), (width, bottom)])
    if seen_from_above:
        put(whole, covered, end, [(0, top), (deep, 0), (right, 0), (width, top)])
    else:
        put(whole, covered, end, [(0, height), (width, height), (right, height + rise), (deep, height + rise)])
    put(whole, covered, cover, [(0, top), (width, top), (width, bottom), (0, bottom)])
    if rng.random() < 0.5:
        return np.ascontiguousarray(whole[:, ::-1]), np.ascontiguousarray(covered[:, ::-1])
    return whole, covered


def _open(rng: np.random.Generator, art: Art) -> Stamp:
    height = int(rng.uniform(230, 310))
    width = int(height * rng.uniform(0.62, 0.85))
    paper = np.array([222, 236, 243]) * rng.uniform(0.75, 1.06)
    step, pictures_only = int(rng.integers(7, 16)), rng.random() < 0.08
    pages = []
    for to_the_right in (False, True):
        page = _picture_page(height, width, rng, art) if pictures_only else _page(height, width, paper, step, rng, art)
        away = np.linspace(0, 1, width) if to_the_right else np.linspace(1, 0, width)
        gutter = 1 - rng.uniform(0.2, 0.55) * np.exp(-away * rng.uniform(5, 14))
        pages.append(as_image(page * (gutter * (1 - rng.uniform(0, 0.2) * away))[None, :, None]))
    spread, reached = _bent(np.hstack(pages), rng)
    edge = int(rng.integers(0, 12))  # of the cover, which looks out from under the pages
    whole = np.empty((spread.shape[0] + 2 * edge, spread.shape[1] + 2 * edge, 3), dtype=np.uint8)
    whole[:] = np.array(some_colour(rng, 10, 220), dtype=np.uint8)
    cover = np.zeros(whole.shape[:2], dtype=np.uint8)
    if edge:
        box_bottom = height + ROOM + edge
        cv2.rectangle(cover, (0, ROOM + edge // 2), (whole.shape[1], box_bottom), 255, -1)
    rows, columns = slice(edge, edge + spread.shape[0]), slice(edge, edge + spread.shape[1])
    whole[rows, columns][reached] = spread[reached]
    cover[rows, columns][reached] = 255
    return _folded(whole, cover, rng) if rng.random() < 0.5 else (whole, cover)


def _picture_page(height: int, width: int, rng: np.random.Generator, art: Art) -> Image:
    return fitted(art(), width, height)


def _page(height: int, width: int, paper: NDArray[np.float64], step: int, rng: np.random.Generator, art: Art) -> Image:
    page = surface(height, width, paper, rng, 3)
    ink = toned((60, 60, 60), rng.uniform(0.3, 1.8))
    margin = int(width * rng.uniform(0.06, 0.14))
    y = margin
    if rng.random() < 0.3:
        y += write(page, margin, y, width - 2 * margin, rng, ink, 1.0) + 8
    if rng.random() < 0.35:
        part = fitted(art(), width - 2 * margin, int(height * rng.uniform(0.2, 0.5)))
        top = int(rng.uniform(y, max(y + 1, height - margin - part.shape[0])))
        print_lines(page, (margin, y, width - margin, top - 4), rng, ink, step)
        shown = part[: height - top]
        page[top : top + shown.shape[0], margin : width - margin] = shown
        y = top + part.shape[0] + step
    if rng.random() < 0.25:
        print_lines(page, (margin, y, width * 0.47, height - margin), rng, ink, step)
        print_lines(page, (width * 0.53, y, width - margin, height - margin), rng, ink, step)
    else:
        below = margin * (1 if rng.random() < 0.8 else 4)
        print_lines(page, (margin, y, width - margin, height - below), rng, ink, step)
    return page


def _bent(spread: Image, rng: np.random.Generator) -> tuple[Image, NDArray[np.bool_]]:
    """Two pages bent at the gutter, with ROOM above and below; and where they are."""
    height, width = spread.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height + 2 * ROOM, dtype=np.float32))
    away = np.abs(columns / width * 2 - 1)
    sign = -1 if rng.random() < 0.2 else 1
    bend = rng.uniform(0, 16) * np.sin(np.pi * away) * sign + rng.uniform(-8, 14) * (1 - away)
    taken = (rows - ROOM + bend).astype(np.float32)
    bent = cv2.remap(spread, columns, taken, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return as_image(bent), (taken >= 0) & (taken < height)


def _folded(picture: Image, cover: Image, rng: np.random.Generator) -> Stamp:
    """The halves of an open book folded towards the camera."""
    height, width = cover.shape
    deep, middle = rng.uniform(0, 0.16) * height, width / 2
    half = middle * rng.uniform(0.7, 1)
    left = [(middle - half, 0.0), (middle, deep), (middle, height - deep * 0.3), (middle - half, float(height))]
    right = [(middle, deep), (middle + half, 0.0), (middle + half, float(height)), (middle, height - deep * 0.3)]
    whole, covered = np.zeros_like(picture), np.zeros_like(cover)
    for start, end, corners in ((0.0, middle, left), (middle, float(width), right)):
        source = np.array([[start, 0], [end, 0], [end, height], [start, height]], dtype=np.float32)
        place = cv2.getPerspectiveTransform(source, np.array(corners, dtype=np.float32))
        moved = as_image(cv2.warpPerspective(picture, place, (width, height)))
        reached = as_image(cv2.warpPerspective(cover, place, (width, height)))
        within = np.zeros_like(cover)
        cv2.fillConvexPoly(within, np.array(corners).astype(np.int32), 255)
        seen = (reached > 127) & (within > 0)
        whole[seen] = moved[seen]
        covered[seen] = 255
    return whole, covered


def _standing(rng: np.random.Generator, art: Art) -> Stamp:
    width = int(HEIGHT * rng.uniform(0.12, 0.3))
    back = pattern(HEIGHT, width, rng, art)
    ink: Colour = grey(245) if back.mean() < 125 else (15, 15, 20)
    lying = np.ascontiguousarray(np.rot90(back))
    write(lying, HEIGHT * 0.1, width * 0.3, HEIGHT * 0.7, rng, ink, width / 40)
    return _thick(np.ascontiguousarray(np.rot90(lying, -1)), rng)
