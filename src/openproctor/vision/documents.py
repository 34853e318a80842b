"""Find an identity document held before the camera: four straight sides at about right angles round something printed.

Fingers hide corners and parts of the sides, so closed contours are rare. Lines are: pairs of near-parallel lines are
combined into quadrilaterals, and each is judged by how much of its outline lies on edges of the picture.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.vision.geometry import Box, Image
from openproctor.vision.quality import grey

SIDE = 480  # longer side at which lines are looked for: fine print vanishes, outlines stay
LINES = 11  # longest lines of each direction that are tried
SMALLEST = 0.03  # share of the picture; a card held out at arm's length
LARGEST = 0.97
# long side over short side as seen: a card is 1.59, a passport's page 1.42; perspective stretches both
ASPECT = (1.1, 2.3)
SUPPORT = 0.55  # share of the outline on edges
SIDE_SUPPORT = 0.25  # the same of the worst side: a hand may hide most of one
CARD = (640, 404)  # width, height of the flattened card: 85.6 x 54 mm

Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Card:
    """A quadrilateral: corners clockwise from the top left in picture pixels (4 x 2), its share of the picture's area,
    and how much of its outline and of its worst side lies on edges (0 to 1)."""

    corners: Points
    area: float
    support: float
    worst: float

    @property
    def box(self) -> Box:
        left, top = self.corners.min(axis=0)
        right, bottom = self.corners.max(axis=0)
        return Box(float(left), float(top), float(right), float(bottom))

    def _onto(self) -> tuple[npt.NDArray[Any], tuple[int, int]]:
        across = np.linalg.norm(self.corners[1] - self.corners[0])
        down = np.linalg.norm(self.corners[3] - self.corners[0])
        width, height = CARD if across >= down else CARD[::-1]
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        return np.asarray(cv2.getPerspectiveTransform(self.corners, target)), (width, height)

    def flattened(self, image: Image) -> Image:
        """The card as seen from straight ahead, 640 pixels on its long side."""
        matrix, size = self._onto()
        return np.asarray(cv2.warpPerspective(image, matrix, size), dtype=np.uint8)

    def place(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the picture lies on the flattened card."""
        matrix, _ = self._onto()
        x, y, depth = matrix @ np.array([*point, 1.0])
        return float(x / depth), float(y / depth)

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether a point of the picture lies inside."""
        return cv2.pointPolygonTest(self.corners, point, False) >= 0


def find_cards(image: Image, most: int = 8) -> list[Card]:
    """Quadrilaterals that may be a document, the likeliest first."""
    scale = min(1.0, SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    height, width = small.shape[:2]
    edges, slopes = _edges(np.asarray(small, dtype=np.uint8))
    segments = cv2.HoughLinesP(edges, 1, np.pi / 180, 40, minLineLength=min(height, width) * 0.12, maxLineGap=10)
    if segments is None:
        return []
    lines = _merged(segments.reshape(-1, 4).astype(np.float64))
    quads = [_quads(one, other) for one, other in _directions(lines)]
    if not quads:
        return []
    shaped, shares = _shaped(np.concatenate(quads), width, height)
    supports = _support(shaped, slopes)
    mean, worst = supports.mean(axis=1), supports.min(axis=1)
    good = np.flatnonzero((mean >= SUPPORT) & (worst >= SIDE_SUPPORT))
    # a larger outline as well supported is the document, the smaller one its header or its photo
    rank = mean + 0.1 * np.minimum(shares, 0.3) / 0.3
    kept: list[Card] = []
    for index in good[np.argsort(-rank[good], kind="stable")]:
        card = Card(
            (shaped[index] / scale).astype(np.float32),
            round(float(shares[index]), 4),
            round(float(mean[index]), 4),
            round(float(worst[index]), 4),
        )
        if all(card.box.iou(other.box) < 0.85 for other in kept):
            kept.append(card)
        if len(kept) == most:
            break
    return kept


def _edges(image: Image) -> tuple[Image, Points]:
    """Edges of light and of colour, and at each pixel the steepest slope (x, y) of the three.

    A white card before a white wall still differs from it in one of them.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    total = np.zeros(image.shape[:2], dtype=np.uint8)
    slopes = np.zeros((*image.shape[:2], 2), dtype=np.float32)
    steepest = np.zeros(image.shape[:2], dtype=np.float32)
    # colour is worth less than light: it is recorded coarsely
    for channel, least, worth in zip(cv2.split(lab), (30, 14, 14), (1.0, 1.5, 1.5), strict=True):
        smooth = cv2.bilateralFilter(channel, 5, 30, 3)
        x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
        strength = cv2.magnitude(x, y)
        high = max(float(np.percentile(strength, 90)) * 0.8, least)
        total |= np.asarray(cv2.Canny(smooth, high * 0.4, high), dtype=np.uint8)
        relative = np.asarray(strength) * (worth / high)
        better = relative > steepest
        steepest[better] = relative[better]
        # scaled so that 1 is an edge that Canny would start from
        slopes[better] = np.stack([x, y], axis=2)[better] * (worth / high)
    return total, slopes


def _merged(segments: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Segments on one line become one: rows of angle (0 to pi), distance from the origin, total length."""
    delta = segments[:, 2:] - segments[:, :2]
    length = np.hypot(delta[:, 0], delta[:, 1])
    angle = np.mod(np.arctan2(delta[:, 1], delta[:, 0]), np.pi)
    middle = (segments[:, :2] + segments[:, 2:]) / 2
    reach = -np.sin(angle) * middle[:, 0] + np.cos(angle) * middle[:, 1]
    lines: list[list[float]] = []
    for index in np.argsort(-length, kind="stable"):
        for line in lines:
            turn = abs(line[0] - angle[index])
            off = abs(-np.sin(line[0]) * middle[index, 0] + np.cos(line[0]) * middle[index, 1] - line[1])
            if min(turn, np.pi - turn) < 0.06 and off < 4:
                line[2] += float(length[index])
                break
        else:
            lines.append([float(angle[index]), float(reach[index]), float(length[index])])
    return np.array(lines)


def _directions(lines: npt.NDArray[np.float64]) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Pairs of groups of lines: one about a direction, the other about its right angle."""
    pairs = []
    for base in np.deg2rad(np.arange(-45, 45, 10)):
        groups = []
        for direction in (base, base + np.pi / 2):
            turn = np.abs(np.mod(lines[:, 0] - direction + np.pi / 2, np.pi) - np.pi / 2)
            group = lines[turn < np.deg2rad(11)]
            groups.append(group[np.argsort(-group[:, 2], kind="stable")][:LINES])
        if len(groups[0]) >= 2 and len(groups[1]) >= 2:
            pairs.append((groups[0], groups[1]))
    return pairs


def _quads(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Corners (n x 4 x 2) of all quadrilaterals of two lines of each group; nan where lines do not meet."""
    a, b = one[:, np.newaxis], other[np.newaxis]
    # lines are -sin(t) x + cos(t) y = r; the determinant is the sine of the angle between them
    sine = -np.sin(a[..., 0]) * np.cos(b[..., 0]) + np.cos(a[..., 0]) * np.sin(b[..., 0])
    sine = np.where(np.abs(sine) < 0.5, np.nan, sine)
    x = (a[..., 1] * np.cos(b[..., 0]) - b[..., 1] * np.cos(a[..., 0])) / sine
    y = (a[..., 1] * np.sin(b[..., 0]) - b[..., 1] * np.sin(a[..., 0])) / sine
    points = np.stack([x, y], axis=2)
    rows = np.array(list(combinations(range(len(one)), 2)))
    columns = np.array(list(combinations(range(len(other)), 2)))
    i, j = rows[:, np.newaxis, :], columns[np.newaxis, :, :]
    corners = np.stack(
        [
            points[i[..., 0], j[..., 0]],
            points[i[..., 0], j[..., 1]],
            points[i[..., 1], j[..., 1]],
            points[i[..., 1], j[..., 0]],
        ],
        axis=2,
    )
    return np.asarray(corners.reshape(-1, 4, 2))


def _shaped(
    quads: npt.NDArray[np.float64], width: int, height: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The quadrilaterals shaped like a document, clockwise from the top left, with their share of the picture."""
    margin = 0.03 * max(width, height)
    with np.errstate(invalid="ignore"):
        inside = np.isfinite(quads).all(axis=(1, 2)) & (quads.min(axis=(1, 2)) >= -margin)
        inside &= (quads[..., 0].max(axis=1) <= width + margin) & (quads[..., 1].max(axis=1) <= height + margin)
    quads = quads[inside]
    away = quads - quads.mean(axis=1, keepdims=True)
    turn = np.argsort(np.arctan2(away[..., 1], away[..., 0]), axis=1)
    quads = np.take_along_axis(quads, turn[..., np.newaxis], axis=1)
    first = np.argmin(quads.sum(axis=2), axis=1)
    quads = np.take_along_axis(quads, ((first[:, np.newaxis] + np.arange(4)) % 4)[..., np.newaxis], axis=1)
    ahead = np.roll(quads, -1, axis=1) - quads
    sides = np.maximum(np.hypot(ahead[..., 0], ahead[..., 1]), 1e-6)
    x, y = quads[..., 0], quads[..., 1]
    share = 0.5 * np.abs(np.sum(x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y, axis=1)) / (width * height)
    cosine = np.sum(ahead * np.roll(ahead, -1, axis=1), axis=2) / (sides * np.roll(sides, -1, axis=1))
    pairs = sides.reshape(-1, 2, 2)
    alike = pairs.min(axis=1).min(axis=1) > 0
    alike &= (np.minimum(pairs[:, 0], pairs[:, 1]) / np.maximum(pairs[:, 0], pairs[:, 1])).min(axis=1) >= 0.6
    middle = pairs.mean(axis=1)
    aspect = middle.max(axis=1) / middle.min(axis=1)
    good = alike & (share >= SMALLEST) & (share <= LARGEST) & (np.abs(cosine).max(axis=1) <= 0.4)
    good &= (aspect >= ASPECT[0]) & (aspect <= ASPECT[1]) & (sides.min(axis=1) >= 0.08 * min(width, height))
    return quads[good], share[good]


def _support(quads: npt.NDArray[np.float64], slopes: Points) -> npt.NDArray[np.float64]:
    """Share of each side (n x 4) that lies on an edge which runs along it."""
    height, width = slopes.shape[:2]
    ahead = np.roll(quads, -1, axis=1) - quads
    normal = np.stack([-ahead[..., 1], ahead[..., 0]], axis=2)
    normal /= np.maximum(np.hypot(normal[..., 0], normal[..., 1]), 1e-6)[..., np.newaxis]
    steps = np.linspace(0.05, 0.95, 40)
    samples = quads[:, :, np.newaxis] + ahead[:, :, np.newaxis] * steps[:, np.newaxis]
    hit = np.zeros(samples.shape[:3], dtype=bool)
    for off in (0.0, -1.0, 1.0, -2.0, 2.0):
        place = np.round(samples + normal[:, :, np.newaxis] * off).astype(int)
        slope = slopes[np.clip(place[..., 1], 0, height - 1), np.clip(place[..., 0], 0, width - 1)]
        across = np.abs(np.sum(slope * normal[:, :, np.newaxis], axis=3))
        strength = np.hypot(slope[..., 0], slope[..., 1])
        hit |= (across >= 0.4) & (across >= 0.94 * strength)
    return np.asarray(hit.mean(axis=2))


def print_share(card: Image) -> float:
    """Share of a flattened card that holds print or pictures: cells of an 8 x 12 grid with strong local contrast."""
    light = cv2.resize(grey(card), (240, 152), interpolation=cv2.INTER_AREA).astype(np.float32)
    cells = light[:144, :].reshape(8, 18, 12, 20).transpose(0, 2, 1, 3).reshape(96, -1)
    return round(float((cells.std(axis=1) > 9).mean()), 4)


def glare_share(card: Image) -> float:
    """Share of a flattened card under its largest burnt-out spot."""
    burnt = (card.min(axis=2) >= 250).astype(np.uint8)
    burnt = cv2.morphologyEx(burnt, cv2.MORPH_OPEN, np.ones((5, 5), dtype=np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(burnt)
    if count < 2:
        return 0.0
    return round(float(stats[1:, cv2.CC_STAT_AREA].max()) / burnt.size, 4)
