"""One look at one picture: what the detectors saw, as plain data, and how to look closer."""

from dataclasses import asdict, dataclass
from typing import Any

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.samples import Frame, Segment
from openproctor.analysis.settings import (
    FACE_LEAST,
    LABELS,
    OBJECT_LEAST,
    OBJECT_MOST,
    PERSON,
    AnalysisSettings,
)
from openproctor.vision.geometry import Box, Image
from openproctor.vision.quality import grey

FACE_FLOOR = 0.3
THING_FLOOR = 0.1
# enlarged parts of the picture: left, top, width, height. The lower ones come first: hands are there.
TILES = ((0.0, 0.4, 0.6, 0.6), (0.4, 0.4, 0.6, 0.6), (0.0, 0.0, 0.6, 0.6), (0.4, 0.0, 0.6, 0.6))
CROPS = (2.2, 3.2)  # sizes of the crops round a suspect, times its own


@dataclass(frozen=True, slots=True)
class Found:
    """A thing or a face: ``box`` as fractions of the picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]

    def near(self, other: "Found", reach: float) -> bool:
        """Whether the centres lie within ``reach`` of each other, or the boxes overlap by half."""
        one, two = Box(*self.box), Box(*other.box)
        (x1, y1), (x2, y2) = one.centre, two.centre
        return max(abs(x1 - x2), abs(y1 - y2)) <= reach or one.iou(two) > 0.5


@dataclass(slots=True)
class Look:
    """What was seen at ``at`` (ms) in the frame ``time`` seconds into its part. ``things`` is None where nobody looked."""

    at: int
    time: float
    number: int
    digest: str
    faces: list[Found]
    things: list[Found] | None
    light: float
    contrast: float

    def best(self, label: str) -> Found | None:
        """The best thing of a label."""
        return next((thing for thing in self.things or () if thing.label == label), None)

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restore(cls, raw: dict[str, Any]) -> "Look":
        def found(items: list[dict[str, Any]]) -> list[Found]:
            return [Found(item["label"], item["score"], tuple(item["box"])) for item in items]

        things = found(raw["things"]) if raw["things"] is not None else None
        return cls(**{**raw, "faces": found(raw["faces"]), "things": things})


class Looker:
    """Looks with the detectors that a session's settings ask for."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings) -> None:
        self._detectors = detectors
        self._settings = settings
        self.labels = [LABELS[type_id] for type_id in settings.object_types]
        if settings.looks_for_people:
            self.labels.append(PERSON)

    def look(self, segment: Segment, frame: Frame) -> Look:
        """Faces and light; things are added where wanted."""
        light = grey(frame.image[::4, ::4])
        faces = self._faces(frame.image) if self._settings.detectors["faces"] else []
        return Look(
            at=segment.at(frame.time),
            time=round(frame.time, 3),
            number=segment.number,
            digest=segment.digest,
            faces=faces,
            things=None,
            light=round(float(light.mean()), 2),
            contrast=round(float(light.std()), 2),
        )

    def _faces(self, image: Image) -> list[Found]:
        height, width = image.shape[:2]
        return [
            Found("face", face.score, _fractions(face.box, width, height))
            for face in self._detectors.faces.find(image, FACE_FLOOR)
            if face.box.height >= FACE_LEAST * height
        ]

    def things(self, image: Image, part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)) -> list[Found]:
        """Things in a part of the picture (left, top, width, height), placed in the whole."""
        if not self.labels:
            return []
        height, width = image.shape[:2]
        left, top = int(part[0] * width), int(part[1] * height)
        right, bottom = round((part[0] + part[2]) * width), round((part[1] + part[3]) * height)
        whole = part[2] >= 1.0 and part[3] >= 1.0
        # a person is judged in the whole picture only: an enlarged arm is no person
        labels = self.labels if whole else [label for label in self.labels if label != PERSON]
        found = []
        for thing in self._detectors.objects.find(image[top:bottom, left:right], THING_FLOOR, labels):
            box = thing.box.moved(left, top)
            share = box.area / (width * height)
            if thing.label != PERSON and not OBJECT_LEAST <= share <= OBJECT_MOST:
                continue
            found.append(Found(thing.label, thing.score, _fractions(box, width, height)))
        return found

    def closer(self, image: Image, seen: list[Found], suspects: list[Found], tiles: bool) -> list[Found]:
        """Everything of ``seen`` and what enlarged views add: crops round the suspects, and tiles if asked for."""
        parts = [_around(suspect.box, size) for suspect in suspects for size in CROPS]
        if tiles:
            parts.extend(TILES)
        found = list(seen)
        for part in parts:
            found.extend(self.things(image, part))
        return merged(found)


def merged(found: list[Found]) -> list[Found]:
    """One of each thing that several views saw: the best, best first."""
    kept: list[Found] = []
    for thing in sorted(found, key=lambda one: (-one.score, one.label, one.box)):
        same = (one for one in kept if one.label == thing.label)
        if not any(Box(*one.box).iou(Box(*thing.box)) > 0.3 for one in same):
            kept.append(thing)
    return kept


def _fractions(box: Box, width: int, height: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.fractions(width, height)
    return left, top, right, bottom


def _around(box: tuple[float, float, float, float], size: float) -> tuple[float, float, float, float]:
    """A part of the picture round a box, ``size`` times its longer side, at least a quarter of the picture wide."""
    left, top, right, bottom = box
    side = min(1.0, max((right - left) * size, (bottom - top) * size, 0.25))
    x = min(max((left + right) / 2 - side / 2, 0.0), 1.0 - side)
    y = min(max((top + bottom) / 2 - side / 2, 0.0), 1.0 - side)
    return x, y, side, side
