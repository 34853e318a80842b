"""Faces: one, none, several; and nobody told apart from somebody whose face is covered."""

from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.episodes import Machine, Tally, Turn
from openproctor.analysis.findings import Finding, Maker, ended_state, finding_data
from openproctor.analysis.looks import Found, Look
from openproctor.analysis.settings import (
    COVERED,
    FACE_KEEP,
    FACE_MANY,
    FACE_NEW,
    FACE_NONE,
    FACE_ONE,
    PERSON,
    PERSON_KEEP,
    PERSON_LEAST,
    PERSON_SURE,
    TORSO_ALIKE,
    TORSO_LEAST,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch
from openproctor.vision.geometry import Box, Image
from openproctor.vision.quality import grey

ONE, NONE, MANY = "one", "none", "many"
PATCH = (16, 12)  # grey values that stand for the body below a face
NEED = 3  # looks; at five a second that is more than half a second


class PeopleWatch:
    """The face states of one session."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings, digest: str) -> None:
        self._on = settings.detectors["faces"]
        self._covered = settings.looks_for_people
        self._digest = digest
        self._hold = settings.hold
        # switched off for this candidate: several faces count as one, and whether one is in view is not asked
        self._several = FACE_MANY not in settings.off
        self._anybody = not {FACE_NONE, COVERED} <= set(settings.off)
        faces, objects = detectors.faces, detectors.objects
        self._faces = Maker(faces.model.name, faces.model.sha256, faces.runtime)
        self._objects = Maker(objects.model.name, objects.model.sha256, objects.runtime)
        absence = min(settings.hold[FACE_NONE], settings.hold[COVERED]) if self._covered else settings.hold[FACE_NONE]
        self._machine = Machine(
            hold={ONE: settings.hold[FACE_ONE], NONE: absence, MANY: settings.hold[FACE_MANY]},
            need={ONE: 2, NONE: NEED, MANY: NEED},
        )
        # while no face is there: how often somebody was seen all the same, and what was raised
        self._bodies: list[list[Any]] = []
        # the body as it was below the last face: where, and its light
        self._torso: dict[str, Any] | None = None
        self._raised: int | None = None
        self._raised_since = 0
        self._raised_tally: Tally | None = None

    # -- what a look says ----------------------------------------------------------------------------------------------

    def _value(self, look: Look) -> tuple[str | None, float]:
        sure = [face for face in look.faces if face.score >= FACE_NEW]
        kept = [face for face in look.faces if face.score >= FACE_KEEP]
        best = look.faces[0].score if look.faces else 0.0
        if len(sure) >= 2 and self._several:
            return MANY, sure[1].score
        if len(kept) >= 2 and self._machine.state == MANY and self._several:
            return MANY, kept[1].score
        if sure:
            return ONE, sure[0].score
        if kept:
            # a face that is there may fade; where none is, a faint one is no opinion
            return (None, 0.0) if self._machine.state == NONE else (ONE, kept[0].score)
        return NONE, 1.0 - best

    def curious(self, look: Look) -> bool:
        """Whether a look says something else than the state that holds, or that state is about to change."""
        if not self._on:
            return False
        value, _ = self._value(look)
        if value == NONE and not self._anybody:
            return False
        if value is None or value != self._machine.state or self._machine.undecided:
            return True
        if value == NONE:
            return self._kind(look) not in (None, self._raised)
        # a second face that is nearly sure
        return (
            value == ONE and self._several and len([face for face in look.faces if face.score >= FACE_KEEP + 0.05]) > 1
        )

    def needs_body(self, look: Look) -> bool:
        """Whether it matters if somebody is there: no face is seen."""
        return self._covered and self._anybody and self._value(look)[0] == NONE

    def _kind(self, look: Look) -> int | None:
        """Covered or nobody, if people were looked for."""
        if look.things is None or not self._covered:
            return None
        return COVERED if self._body(look) is not None else FACE_NONE

    def _body(self, look: Look) -> Found | None:
        body = look.best(PERSON)
        if body is None or Box(*body.box).area < PERSON_LEAST:
            return None
        seen_before = bool(self._bodies) and bool(self._bodies[-1][1])
        return body if body.score >= (PERSON_KEEP if seen_before else PERSON_SURE) else None

    def _remember(self, look: Look, stretch: Stretch) -> None:
        """What lies below a face that is surely there."""
        image = stretch.images.get(look.at)
        if not self._covered or image is None or not look.faces or look.faces[0].score < FACE_NEW:
            return
        left, top, right, bottom = look.faces[0].box
        width, height = right - left, bottom - top
        place = (
            max(0.0, left - 1.3 * width),
            min(1.0, bottom + 0.5 * height),
            min(1.0, right + 1.3 * width),
            min(1.0, bottom + 2 * height),
        )
        self._torso = None
        if place[3] - place[1] >= 0.5 * height:
            self._torso = {"box": list(place), "light": _patch(image, place).tolist()}

    def _remains(self, look: Look, stretch: Stretch) -> Found | None:
        """The body of somebody whose face is gone, if what was below it looks as before."""
        image = stretch.images.get(look.at)
        if self._torso is None or image is None or not self._covered:
            return None
        left, top, right, bottom = self._torso["box"]
        before, now = np.array(self._torso["light"]), _patch(image, (left, top, right, bottom))
        one, two = before - before.mean(), now - now.mean()
        spread = float(np.linalg.norm(one) * np.linalg.norm(two))
        alike = float((one * two).sum()) / spread if spread > 0 else 0.0
        if alike < TORSO_ALIKE or before.std() < TORSO_LEAST or abs(np.log((now.std() + 1) / (before.std() + 1))) > 0.5:
            return None
        return Found(PERSON, round(alike, 4), (left, top, right, bottom))

    # -- states --------------------------------------------------------------------------------------------------------

    def see(self, look: Look, stretch: Stretch) -> list[Finding]:
        """Count one look."""
        if not self._on:
            return []
        value, score = self._value(look)
        turn = self._machine.see(look.at, value, score)
        self._remember(look, stretch)
        if value == NONE:
            body = self._body(look) or self._remains(look, stretch)
            if look.things is not None:
                self._bodies.append([look.at, body.score if body else 0.0, list(body.box) if body else None])
                self._bodies = self._bodies[-60:]
        elif value is not None and self._machine.next != NONE and self._machine.state != NONE:
            self._bodies = []
        if turn is not None and turn.state != NONE:
            self._bodies = []
            return self._raise_faces(turn, look, stretch)
        if self._machine.state == NONE:
            return self._raise_absence(look, stretch)
        return []

    def _raise_faces(self, turn: Turn, look: Look, stretch: Stretch) -> list[Finding]:
        type_id = FACE_ONE if turn.state == ONE else FACE_MANY
        if type_id == self._raised:
            return []  # what was in between never lasted long enough to be raised
        ended = self._ended(turn.since)
        shown, at = _shown(turn, look, stretch)
        boxes = [list(face.box) for face in look.faces if face.score >= FACE_KEEP]
        more: dict[str, Any] = {"box": boxes[0] if boxes else None}
        if turn.state == MANY:
            more = {"count": len(boxes), "boxes": boxes}
        data = finding_data(
            type_id, turn.tally.best, self._faces, self._digest, look.time, stretch.inputs[:], ended, **more
        )
        self._raised, self._raised_since, self._raised_tally = type_id, turn.since, turn.tally
        return [Finding(type_id, turn.since, data["score"], data, ended, shown, at)]

    def _raise_absence(self, look: Look, stretch: Stretch) -> list[Finding]:
        """Nobody, or a face covered: decided by most of the looks since the face was gone."""
        tally = self._machine.tally
        assert tally is not None
        absent = self._raised in (FACE_NONE, COVERED)
        span = self._hold[COVERED]
        since = max(tally.since, look.at - span) if absent else tally.since
        seen = [body[1] for body in self._bodies if body[0] >= since]
        share = sum(score > 0 for score in seen) / len(seen) if seen else 0.0
        if absent:
            # switching between the two takes a clear majority over the whole hold time
            kind = COVERED if share >= 0.7 else FACE_NONE if share <= 0.3 else self._raised
            if kind == self._raised or len(seen) < NEED or look.at - self._raised_since < 2 * span:
                return []
        else:
            kind = COVERED if self._covered and len(seen) >= 2 and share >= 0.5 else FACE_NONE
        assert kind is not None
        if look.at - since < self._hold[kind] - (200 if absent else 0):
            return []
        ended = self._ended(since)
        body = next((body for body in reversed(self._bodies) if body[2]), None)
        if kind == COVERED and body is not None:
            score, maker, more = max(seen), self._objects, {"box": body[2]}
        else:
            score, maker, more = tally.best, self._faces, {}
        data = finding_data(kind, score, maker, self._digest, look.time, stretch.inputs[:], ended, **more)
        self._raised, self._raised_since, self._raised_tally = kind, since, Tally(**_copy(tally))
        return [Finding(kind, since, data["score"], data, ended, stretch.images.get(look.at), look.at)]

    def _ended(self, until: int) -> list[dict[str, Any]]:
        if self._raised is None or self._raised_tally is None:
            return []
        return [ended_state(self._raised, self._raised_since, until, self._raised_tally)]

    def open_states(self) -> list[tuple[int, int]]:
        return [(self._raised, self._raised_since)] if self._raised is not None else []

    def dump(self) -> dict[str, Any]:
        tally = self._raised_tally
        # the running tally of the state that holds goes on counting: it must stay one object
        return {
            "machine": self._machine.dump(),
            "bodies": self._bodies,
            "torso": self._torso,
            "raised": self._raised,
            "since": self._raised_since,
            "tally": _copy(tally) if tally else None,
            "shared": tally is not None and tally is self._machine.tally,
        }

    def restore(self, raw: dict[str, Any]) -> None:
        self._machine.restore(raw["machine"])
        self._bodies, self._torso = raw["bodies"], raw["torso"]
        self._raised, self._raised_since = raw["raised"], raw["since"]
        if raw["shared"]:
            self._raised_tally = self._machine.tally
        else:
            self._raised_tally = Tally(**raw["tally"]) if raw["tally"] else None


def _patch(image: Image, place: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """The light of a part of a picture (shares of it), as :data:`PATCH`."""
    height, width = image.shape[:2]
    left, top = int(place[0] * width), int(place[1] * height)
    right, bottom = max(left + 1, int(place[2] * width)), max(top + 1, int(place[3] * height))
    light = cv2.resize(grey(image[top:bottom, left:right]), PATCH, interpolation=cv2.INTER_AREA)
    return np.asarray(light, dtype=np.float64)


def _copy(tally: Tally) -> dict[str, Any]:
    return asdict(tally)


def _shown(turn: Turn, look: Look, stretch: Stretch) -> tuple[Any, int]:
    """The picture with the best score if it is at hand, else the last one."""
    at = turn.tally.best_at if turn.tally.best_at in stretch.images else look.at
    return stretch.images.get(at), at
