"""Is it still the face that was captured at the start? Off unless an exam asks for it and the candidate consented.

Three outcomes: same, unsure, different. The last two are reasons for a person to compare the pictures; nothing is blocked
by them. Light, spectacles, beards and the years since a document's photo all move a face away from its picture.
"""

from typing import Any

import numpy as np

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.episodes import Machine, Turn
from openproctor.analysis.findings import NO_TWIN, TWINS, Finding, Maker, ended_state, finding_data
from openproctor.analysis.looks import Look
from openproctor.analysis.samples import Frame
from openproctor.analysis.settings import (
    FACE_DOUBT,
    MATCH_EVERY,
    MATCH_HEIGHT,
    MATCH_LOOKS,
    MISMATCH,
    MISMATCH_OTHER,
    MISMATCH_SAME,
    MISMATCH_UNSURE_HOLD,
    RELEASE_DEFAULT,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch
from openproctor.vision.geometry import Image
from openproctor.vision.recognition import Reference, distance

CONSENTED, REFUSED = 1080, 1081
SAME, UNSURE, DIFFERENT = "same", "unsure", "different"


def reference(detectors: Detectors, capture: str, image: Image) -> Reference | None:
    """The largest face of a still as a reference, None if there is none."""
    faces = detectors.faces.find(image, FACE_DOUBT)
    if not faces:
        return None
    return Reference(capture, detectors.recognizer.embed(image, max(faces, key=lambda face: face.box.area)))


def chosen(consents: list[tuple[int, int]], stills: list[tuple[int, str, str]], first: int) -> list[str]:
    """Ids of the stills to compare with: the newest of face and document from before the recording began.

    ``consents`` are position in the chain and type of what the candidate said (1080 given, 1081 refused), ``stills``
    position, kind and id, both in order; ``first`` is the position of the first recorded chunk. None without consent.
    """
    said = [type_id for position, type_id in consents if position < first]
    if not said or said[-1] != CONSENTED:
        return []
    latest = {kind: still for position, kind, still in stills if position < first and kind in ("face", "document")}
    return list(latest.values())


class SamenessWatch:
    """Compares one candidate's face with the references, every few seconds."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings, digest: str) -> None:
        self._references = settings.references if settings.detectors["face_mismatch"] else ()
        self._detectors = detectors
        self._digest = digest
        self._last: int | None = None
        self._distances: list[float] = []
        unsure = round(MISMATCH_UNSURE_HOLD * settings.relaxed.get(MISMATCH, 1.0))
        self._machine = Machine(
            hold={SAME: RELEASE_DEFAULT, UNSURE: unsure, DIFFERENT: settings.hold[MISMATCH]},
            need={SAME: 2, UNSURE: MATCH_LOOKS, DIFFERENT: MATCH_LOOKS},
            state=SAME,
        )

    def see(self, frames: list[Frame], looks: list[Look], stretch: Stretch) -> list[Finding]:
        """Count the key frames of a segment."""
        found: list[Finding] = []
        if not self._references:
            return found
        for frame, look in zip(frames, looks, strict=True):
            due = self._last is None or look.at - self._last >= MATCH_EVERY or self._machine.undecided
            if not due or len(look.faces) != 1 or look.faces[0].score < FACE_DOUBT:
                continue
            faces = self._detectors.faces.find(frame.image, FACE_DOUBT)
            if len(faces) != 1 or faces[0].box.height < MATCH_HEIGHT * frame.image.shape[0]:
                continue
            self._last = look.at
            embedding = self._detectors.recognizer.embed(frame.image, faces[0])
            nearest = min(self._references, key=lambda one: distance(one.embedding, embedding))
            self._distances = [*self._distances, distance(nearest.embedding, embedding)][-MATCH_LOOKS:]
            found += self._count(nearest.capture, look, stretch)
        return found

    def _count(self, capture: str, look: Look, stretch: Stretch) -> list[Finding]:
        middle = round(float(np.median(self._distances)), 4)
        outcome = SAME if middle <= MISMATCH_SAME else DIFFERENT if middle > MISMATCH_OTHER else UNSURE
        turn = self._machine.see(look.at, outcome, min(1.0, middle / 2))
        if turn is None:
            return []
        ended = self._ended(turn)
        if turn.state == SAME and not ended:
            return []
        model = self._detectors.recognizer.model
        maker = Maker(model.name, model.sha256, self._detectors.recognizer.runtime)
        type_id = MISMATCH if turn.state != SAME else TWINS.get(MISMATCH, NO_TWIN)
        data = finding_data(type_id, turn.tally.best, maker, self._digest, look.time, stretch.inputs[:], ended)
        if type_id == MISMATCH:
            data |= {"distance": middle, "outcome": turn.state, "reference": capture}
        return [Finding(type_id, turn.since, data["score"], data, ended, stretch.images.get(look.at), look.at)]

    def _ended(self, turn: Turn) -> list[dict[str, Any]]:
        if turn.before == SAME or turn.ended is None:
            return []
        return [ended_state(MISMATCH, turn.ended.since, turn.since, turn.ended)]

    def open_states(self) -> list[tuple[int, int]]:
        tally = self._machine.tally
        return [(MISMATCH, tally.since)] if self._machine.state != SAME and tally is not None else []

    def dump(self) -> dict[str, Any]:
        return {"machine": self._machine.dump(), "last": self._last, "distances": self._distances}

    def restore(self, raw: dict[str, Any]) -> None:
        self._machine.restore(raw["machine"])
        self._last, self._distances = raw["last"], raw["distances"]
