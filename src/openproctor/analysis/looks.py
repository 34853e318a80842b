"""One look at one picture: what the detectors saw, as plain data, and how to look closer."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from openproctor.analysis.detectors import VIEW, WHOLE, Detectors, FindsThings
from openproctor.analysis.samples import Frame, Segment
from openproctor.analysis.settings import (
    BOOK,
    BROUGHT_SUSPECT,
    FACE_CUT,
    FACE_CUT_LEAST,
    FACE_DOUBT,
    FACE_DOUBT_LOST,
    FACE_KEEP,
    FACE_LEAST,
    FACE_NEW,
    LABELS,
    MESH_SURE,
    OBJECT_LEAST,
    OBJECT_MOST,
    PERSON,
    SCREEN,
    SCREEN_AGAIN,
    SCREEN_FIRST,
    AnalysisSettings,
)
from openproctor.vision.faces import Face
from openproctor.vision.geometry import Box, Floats, Image
from openproctor.vision.objects import Thing
from openproctor.vision.quality import grey
from openproctor.vision.second_look import LABELS as SECOND_LABELS
from openproctor.vision.second_look import SecondLook

FACE_FLOOR = 0.3
VIEW_FLOOR = 0.1  # of enlarged and turned views, where there is no second look
# enlarged parts of the picture: left, top, width, height. The lower ones come first: hands are there.
TILES = ((0.0, 0.4, 0.6, 0.6), (0.4, 0.4, 0.6, 0.6), (0.0, 0.0, 0.6, 0.6), (0.4, 0.0, 0.6, 0.6))
# how a suspect is looked at again: sizes of the view times its own, and turns in degrees, for phones are held at a slant
VIEWS = ((1.6, 0), (3.0, 0), (2.2, 0), (1.6, -25), (1.6, 25), (2.2, -25), (2.2, 25), (3.0, -25), (3.0, 25))
SCREENING = {
    1: SCREEN_FIRST,
    2: SCREEN,
    4: SCREEN_AGAIN,
}  # after so many views a suspect is dropped whose best score is below this


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
        found: list[Found] = []
        settled: list[Face] = []
        for face in self._detectors.faces.find(image, FACE_CUT_LEAST):
            if face.box.height < FACE_LEAST * height:
                continue
            cut = _cut(face, width) and not any(_on(face, other) for other in settled)
            if face.score < FACE_FLOOR and not cut:
                continue
            score = self._settled(image, face)
            if score >= FACE_KEEP:
                settled.append(face)
            found.append(Found("face", score, _fractions(face.box, width, height)))
        return sorted(found, key=lambda face: (-face.score, face.box))

    def _settled(self, image: Image, face: Face) -> float:
        """A face's score; a doubtful one is raised to that of a face, or lowered below it, by the face mesh."""
        if face.score >= FACE_DOUBT:
            return face.score
        if self._detectors.mesh.pose(image, face).presence >= MESH_SURE:
            return max(face.score, FACE_NEW)
        return min(face.score, FACE_NEW - 0.05) if face.score >= FACE_DOUBT_LOST else min(face.score, FACE_KEEP - 0.05)

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
        detector = self._detectors.objects if whole else self._detectors.views
        for thing in detector.find(image[top:bottom, left:right], BROUGHT_SUSPECT, labels):
            box = thing.box.moved(left, top)
            share = box.area / (width * height)
            if thing.label != PERSON and not OBJECT_LEAST <= share <= OBJECT_MOST[thing.label]:
                continue
            found.append(Found(thing.label, thing.score, _fractions(box, width, height)))
        return found

    def verify(self, image: Image, suspect: Found, enough: float = 1.0) -> Found:
        """A suspect with the score that enlarged and turned views of it give: the mean of the two best.

        A true phone is known in several of them, a lucky patch of a shirt or a wall in hardly one. No more views are
        looked at once the score is ``enough`` for what is asked, or cannot be hoped for. Phones and books are told by the
        second look where there is one.
        """
        height, width = image.shape[:2]
        box = Box(suspect.box[0] * width, suspect.box[1] * height, suspect.box[2] * width, suspect.box[3] * height)
        second = self._detectors.second
        if second is not None and suspect.label in SECOND_LABELS:
            return self._judged(second, image, box)
        side = max(box.width, box.height, 12.0)
        x, y = box.centre
        detector, (across, down) = self._view(suspect.label)
        scores: list[float] = []
        place, best = suspect.box, 0.0
        for count, (size, angle) in enumerate(VIEWS):
            if count and max(scores) < SCREENING.get(count, 0.0):
                break
            if count >= 2 and sum(sorted(scores)[-2:]) / 2 >= enough:
                break
            turn: Floats = np.asarray(cv2.getRotationMatrix2D((x, y), angle, down / (side * size)), dtype=np.float32)
            turn[:, 2] += np.array([across / 2 - x, down / 2 - y])
            view = cv2.warpAffine(image, turn, (across, down), flags=cv2.INTER_LINEAR, borderValue=(114, 114, 114))
            seen = self._centred(np.asarray(view, dtype=np.uint8), suspect.label, down / size, detector)
            scores.append(seen.score if seen else 0.0)
            if seen is not None and angle == 0 and seen.score > best:
                scale, best = side * size / down, seen.score
                moved = seen.box.moved(x - across / 2 * scale, y - down / 2 * scale, scale)
                place = _fractions(moved, width, height)
        return Found(suspect.label, round(sum(sorted(scores)[-2:]) / 2, 4), place)

    def _judged(self, second: SecondLook, image: Image, box: Box) -> Found:
        """What the second look makes of a place."""
        height, width = image.shape[:2]
        opinion = second.judge(image, box)
        # what is too large for a thing is none, wherever in it the network would place one
        share = max(box.area, opinion.box.area) / (width * height)
        labels = [label for label in SECOND_LABELS if label in self.labels]
        score, label = max((opinion.of(label) if share <= OBJECT_MOST[label] else 0.0, label) for label in labels)
        return Found(label, score, _fractions(opinion.box, width, height))

    def _view(self, label: str) -> tuple[FindsThings, tuple[int, int]]:
        """What looks at an enlarged view of a thing, and the view's size."""
        return (self._detectors.objects, WHOLE) if label == LABELS[BOOK] else (self._detectors.views, VIEW)

    def _centred(self, view: Image, label: str, expected: float, detector: FindsThings) -> Thing | None:
        """The best thing of a label in the middle of a view, about as large as expected (pixels of its longer side)."""
        height, width = view.shape[:2]
        for thing in detector.find(view, VIEW_FLOOR, (label,)):
            x, y = thing.box.centre
            near = abs(x - width / 2) < 0.2 * height and abs(y - height / 2) < 0.2 * height
            if near and max(thing.box.width, thing.box.height) > 0.45 * expected:
                return thing
        return None


def _cut(face: Face, width: int) -> bool:
    """Whether the left or right edge of the picture cuts a face."""
    return max(-face.box.left, face.box.right - width) > FACE_CUT * face.box.width


def _on(face: Face, other: Face) -> bool:
    """Whether a face lies on another: then it is no second one."""
    return face.box.overlap(other.box) > 0.2 * min(face.box.area, other.box.area)


def _fractions(box: Box, width: int, height: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.fractions(width, height)
    return left, top, right, bottom
