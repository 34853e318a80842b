"""Compose pictures from a folder of one's own and from drawn things, and take views of the suspects in them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from benchmarks.evaluation.drawing.books import book
from benchmarks.evaluation.drawing.laying import cheap_camera, laid
from benchmarks.evaluation.drawing.others import other
from benchmarks.evaluation.drawing.patterns import Draw, rounded
from benchmarks.evaluation.drawing.phones import phone
from benchmarks.evaluation.second_look.views import KINDS, Sample, taken
from openproctor.vision.geometry import Box, Image
from openproctor.vision.objects import ObjectDetector, Thing
from openproctor.vision.second_look import LABELS

WIDTH, HEIGHT = 640, 480
SHARES = {"phone": (0.018, 0.2), "book": (0.03, 0.35), "other": (0.015, 0.3)}  # of the picture, least and most
DRAW: dict[str, Draw] = {"phone": phone, "book": book, "other": other}
CORNERS = {"phone": (0.05, 0.15), "book": (0.01, 0.01), "other": (0.0, 0.0)}  # of cut-outs: radius by shorter side
PROPOSING = (*LABELS, "remote", "laptop", "tv")  # labels of the detector's that make a suspect
FLOOR, EMPTY_FLOOR = 0.08, 0.06
DRAWN = 0.6  # share of the things laid that are drawn, where there are cut-outs
LEAST_AREA = 2500.0  # pixels of a thing that is to be judged
LEAST_SHARE = 0.012  # of the frame that a thing of a photograph takes, to be judged
KIND_OF = {LABELS[0]: "phone", LABELS[1]: "book"}
SURE = 0.25  # what the detector takes so surely for a phone or a book may be one without a label
TURNS = ("phone", "book", "other", "phone", "book", "other", "photograph", "photograph", "exchanged", "empty")
ART_KEPT, ART_SIDE = 60, 500  # pictures kept to be printed on things, and their longer side
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Photograph:
    """A labelled picture."""

    path: Path
    boxes: tuple[tuple[str, Box], ...]

    def of(self, *labels: str) -> list[tuple[str, Box]]:
        """Its boxes of some labels."""
        return [entry for entry in self.boxes if entry[0] in labels]


def read(path: Path) -> Image:
    """A picture, BGR. Raises OSError."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f"{path} is no picture")
    return np.asarray(image, dtype=np.uint8)


def source_of(path: Path) -> str:
    """Where a picture comes from: its name up to a double hyphen. Pictures of one source are held back together."""
    return path.stem.split("--")[0]


def photographs(folder: Path) -> list[Photograph]:
    """What ``instances.json`` (COCO's form) says of ``images/``; nothing if there is no such file."""
    if not (folder / "instances.json").exists():
        return []
    raw = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    names = {entry["id"]: entry["name"] for entry in raw["categories"]}
    boxes: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
    for entry in raw["annotations"]:
        x, y, width, height = entry["bbox"]
        boxes[entry["image_id"]].append((names[entry["category_id"]], Box(x, y, x + width, y + height)))
    return [
        Photograph(folder / "images" / entry["file_name"], tuple(boxes[entry["id"]]))
        for entry in sorted(raw["images"], key=lambda entry: str(entry["file_name"]))
    ]


def framed(
    picture: Image, boxes: Sequence[Box], rng: np.random.Generator, about: tuple[Box, float] | None = None
) -> tuple[Image, list[Box | None]]:
    """A frame of WIDTH x HEIGHT out of a picture, and where boxes lie in it; None for those that are mostly outside.

    ``about``: a box which is to be in the frame and to take about such a share of it, as far as the picture allows.
    """
    height, width = picture.shape[:2]
    zoom, x, y = max(WIDTH / width, HEIGHT / height) * rng.uniform(1, 1.25), width / 2, height / 2
    if about is not None:
        box, share = about
        wanted = np.sqrt(share * WIDTH * HEIGHT / max(1.0, box.area))
        zoom, (x, y) = float(np.clip(wanted, 0.3 * WIDTH / width, 4 * WIDTH / width)), box.centre
    spare = np.array([width * zoom - WIDTH, height * zoom - HEIGHT])  # below nought: the picture is smaller
    start = np.array([x * zoom - WIDTH / 2, y * zoom - HEIGHT / 2]) + rng.normal(0, (50, 35))
    left, top = np.clip(start, np.minimum(spare, 0), np.maximum(spare, 0)).tolist()
    # never reflected: a phone's reflection would be a phone without a label
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    moved = np.array([[zoom, 0, -left], [0, zoom, -top]], dtype=np.float64)
    frame = cv2.warpAffine(picture, moved, (WIDTH, HEIGHT), flags=how, borderMode=border, borderValue=(114, 120, 118))
    places: list[Box | None] = []
    for box in boxes:
        whole = box.moved(-left, -top, zoom)
        seen = whole.clipped(WIDTH, HEIGHT)
        places.append(seen if seen.area > 0.7 * whole.area else None)
    return np.asarray(frame, dtype=np.uint8), places


class Collector:
    """``collect`` samples. FOLDER is laid out as ``train_second_look.py`` says. Raises OSError for what is missing there."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.samples: list[Sample] = []
        self._rng = np.random.default_rng(seed)
        self._detector = ObjectDetector()
        self._cut = {kind: sorted((folder / kind).iterdir()) if (folder / kind).is_dir() else [] for kind in KINDS}
        self._backgrounds = sorted((folder / "background").iterdir())
        self._photographs = photographs(folder / "coco")
        self._phones = [one for one in self._photographs if [label for label, _ in one.boxes] == [LABELS[0]]]
        if not self._backgrounds:
            raise OSError(f"{folder / 'background'} holds no pictures")
        without = [one.path for one in self._photographs if not one.of(*LABELS)]
        self._printed = [*self._backgrounds, *self._cut["other"], *without]
        self._art: list[Image] = []

    def collect(self, count: int) -> list[Sample]:
        """The samples of ``count`` pictures."""
        for number in range(count):
            turn = TURNS[number % len(TURNS)]
            if turn == "photograph" and self._photographs:
                self._in_place(self._one(self._photographs))
            elif turn == "exchanged" and self._phones:
                self._exchanged(self._one(self._phones))
            elif turn == "empty":
                self._empty()
            else:
                self._laid(turn if turn in KINDS else KINDS[number // len(TURNS) % len(KINDS)])
        return self.samples

    def _one(self, things: Sequence[T]) -> T:
        return things[int(self._rng.integers(len(things)))]

    # -- what pictures are made of -------------------------------------------------------------------------------------

    def _background(self) -> tuple[str, Image]:
        """A frame of four by three out of a background, mirrored or not."""
        path = self._one(self._backgrounds)
        picture, _ = framed(read(path), [], self._rng)
        return source_of(path), np.ascontiguousarray(picture[:, ::-1]) if self._rng.random() < 0.5 else picture

    def _piece(self) -> Image:
        """Something to be printed on a thing: a piece of a picture without phones and books."""
        if len(self._art) < ART_KEPT or self._rng.random() < 0.2:
            picture = read(self._one(self._printed))
            scale = ART_SIDE / max(picture.shape[:2])
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            self._art = [*self._art[-(ART_KEPT - 1) :], np.asarray(small, dtype=np.uint8)]
        whole = self._one(self._art)
        share = self._rng.uniform(0.3, 1)
        height, width = (max(8, int(side * share)) for side in whole.shape[:2])
        top = int(self._rng.uniform(0, max(1, whole.shape[0] - height)))
        left = int(self._rng.uniform(0, max(1, whole.shape[1] - width)))
        return np.ascontiguousarray(whole[top : top + height, left : left + width])

    def _thing(self, kind: str) -> tuple[str, bool, Image, Image]:
        """A thing, drawn or cut out: its source, whether it is drawn, picture and cover."""
        if not self._cut[kind] or self._rng.random() < DRAWN:
            sketch = int(self._rng.integers(10**9))
            picture, cover = DRAW[kind](self._rng, self._piece)
            return f"drawn {sketch}", True, picture, cover
        path = self._one(self._cut[kind])
        picture = read(path)
        radius = self._rng.uniform(*CORNERS[kind])
        height, width = picture.shape[:2]
        return source_of(path), False, picture, rounded(height, width, radius)

    def _share(self, kind: str) -> float:
        """Which share of a picture a thing is to take."""
        least, most = SHARES[kind]
        return float(np.exp(self._rng.uniform(np.log(least), np.log(most))))

    # -- suspects ------------------------------------------------------------------------------------------------------

    def _suspects(self, picture: Image, floor: float = FLOOR) -> list[Thing]:
        found = self._detector.find(picture, floor, PROPOSING)
        return [thing for thing in found if 0.002 < thing.box.area / (WIDTH * HEIGHT) < 0.6]

    def _off(self, box: Box, spread: float) -> Box:
        """A box a little off, as detectors place them."""
        left, right = (self._rng.normal(0, spread, 2) * box.width).tolist()
        top, bottom = (self._rng.normal(0, spread, 2) * box.height).tolist()
        moved = Box(box.left + left, box.top + top, box.right + right, box.bottom + bottom).clipped(WIDTH, HEIGHT)
        return moved if moved.area > 0 else box

    def _add(self, kind: str, source: str, drawn: bool, picture: Image, suspect: Box, truth: Box | None) -> None:
        self.samples.append(taken(kind, source, drawn, picture, suspect, truth))

    def _add_thing(self, kind: str, source: str, drawn: bool, picture: Image, truth: Box, found: list[Thing]) -> None:
        """The suspects at a thing, or its place a little off where the detector has none, and sometimes all the same."""
        on = [thing.box for thing in found if thing.box.iou(truth) > 0.4][:2]
        if not on or self._rng.random() < 0.3:
            on.append(self._off(truth, 0.08))
        for suspect in on:
            self._add(kind, source, drawn, picture, suspect, truth)

    def _add_others(self, source: str, picture: Image, found: list[Thing], truths: Sequence[Box], most: int) -> None:
        """Suspects away from all true places."""
        for suspect in [thing.box for thing in found][:most]:
            if all(suspect.overlap(truth) < 0.1 * min(suspect.area, truth.area) for truth in truths):
                self._add("other", source, False, picture, suspect, None)

    # -- kinds of pictures ---------------------------------------------------------------------------------------------

    def _laid(self, kind: str) -> None:
        """A thing before a background."""
        source, drawn, thing, cover = self._thing(kind)
        behind, background = self._background()
        made = laid(background, thing, cover, self._share(kind), self._rng)
        if made is None or made[1].area < LEAST_AREA:
            return
        picture, truth = cheap_camera(made[0], self._rng), made[1]
        found = self._suspects(picture) if self._rng.random() < 0.5 else []
        self._add_thing(kind, source, drawn, picture, truth, found)
        self._add_others(behind, picture, found, [truth], 1)

    def _in_place(self, photograph: Photograph) -> None:
        """A photograph framed so that a labelled thing has a size that it may have in service."""
        labelled = photograph.of(*LABELS) or list(photograph.boxes)
        about = None
        if labelled:
            label, box = self._one(labelled)
            about = box, self._share(KIND_OF.get(label, "other"))
        frame, places = framed(read(photograph.path), [box for _, box in labelled], self._rng, about)
        frame = cheap_camera(frame, self._rng)
        found, source = self._suspects(frame), source_of(photograph.path)
        seen = [(label, place) for (label, _), place in zip(labelled, places, strict=True) if place is not None]
        for label, place in seen[:2]:
            if LEAST_SHARE <= place.area / (WIDTH * HEIGHT) <= 0.5:
                self._add_thing(KIND_OF.get(label, "other"), source, False, frame, place, found)
        if len(seen) == len(labelled):  # else a suspect may be the rest of one
            if any(label in LABELS for label, _ in seen):
                found = [thing for thing in found if thing.label not in LABELS or thing.score <= SURE]
            self._add_others(source, frame, found, [place for _, place in seen], 2)

    def _exchanged(self, photograph: Photograph) -> None:
        """Something else laid over the phone of a photograph, or else whatever a hand holds would be a phone."""
        box = photograph.boxes[0][1]
        frame, places = framed(read(photograph.path), [box], self._rng, (box, self._share("phone")))
        if (place := places[0]) is None or not LEAST_SHARE < place.area / (WIDTH * HEIGHT) < 0.3:
            return
        source, drawn, thing, cover = self._thing("other")
        rows, columns = cover.shape
        scale = max(place.width / columns, place.height / rows) * 1.02
        if scale * columns > 2.4 * place.width or scale * rows > 2.4 * place.height:
            return
        share = scale * scale * np.count_nonzero(cover) / (WIDTH * HEIGHT)
        made = laid(frame, thing, cover, float(share), self._rng, place.centre)
        if made is None or share > 0.4:
            return
        picture, truth = cheap_camera(made[0], self._rng), made[1]
        self._add_thing("other", source, drawn, picture, truth, self._suspects(picture))

    def _empty(self) -> None:
        """People and rooms without anything: whatever is suspected there, and any place."""
        source, background = self._background()
        picture = cheap_camera(background, self._rng)
        self._add_others(source, picture, self._suspects(picture, EMPTY_FLOOR), [], 4)
        side, form = self._rng.uniform(60, 200), self._rng.uniform(0.4, 2)
        width, height = (side, side * form) if form < 1 else (side / form, side)
        x, y = self._rng.uniform(0, WIDTH - width), self._rng.uniform(60, HEIGHT - height)
        self._add("other", source, False, picture, Box(x, y, x + width, y + height), None)
