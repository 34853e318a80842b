"""Looking away: head and eyes against the candidate's own usual direction. Off unless an exam asks for it.

Where somebody looks is no offence: people think, rest their eyes, or cannot hold their head otherwise. So it is measured
against this person's own habit, must last, and is only a reason to look.
"""

from typing import Any

import numpy as np

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.episodes import Machine
from openproctor.analysis.findings import NO_TWIN, TWINS, Finding, Maker, ended_state, finding_data
from openproctor.analysis.looks import Look
from openproctor.analysis.samples import Frame
from openproctor.analysis.settings import (
    AWAY,
    AWAY_BASELINE,
    AWAY_GAZE,
    AWAY_KEPT,
    AWAY_PITCH,
    AWAY_YAW,
    FACE_NEW,
    MESH_SURE,
    RELEASE_DEFAULT,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch

AWAY_STATE, HERE = "away", "here"
Direction = tuple[float, float, float]  # yaw and pitch in degrees, gaze as a share of the eye's width
LIMITS: Direction = (AWAY_YAW, AWAY_PITCH, AWAY_GAZE)


class LookingWatch:
    """Where one candidate looks, from key frames with one face."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings, digest: str) -> None:
        self._on = settings.detectors["looking_away"]
        self._wider = settings.wider(AWAY)
        self._detectors = detectors
        self._digest = digest
        self._usual: list[list[float]] = []
        self._machine = Machine(
            hold={AWAY_STATE: settings.hold[AWAY], HERE: RELEASE_DEFAULT}, need={AWAY_STATE: 3, HERE: 2}, state=HERE
        )

    def see(self, frames: list[Frame], looks: list[Look], stretch: Stretch) -> list[Finding]:
        """Count the key frames of a segment."""
        found: list[Finding] = []
        if not self._on:
            return found
        for frame, look in zip(frames, looks, strict=True):
            if sum(face.score >= FACE_NEW for face in look.faces) == 1:
                direction = self._direction(frame)
                if direction is not None:
                    found += self._count(direction, look, stretch)
        return found

    def _direction(self, frame: Frame) -> Direction | None:
        faces = self._detectors.faces.find(frame.image, FACE_NEW)
        if not faces:
            return None
        pose = self._detectors.mesh.pose(frame.image, faces[0])
        if pose.presence < MESH_SURE:
            return None
        return pose.yaw, pose.pitch, self._detectors.mesh.gaze(frame.image, faces[0])

    def _count(self, direction: Direction, look: Look, stretch: Stretch) -> list[Finding]:
        if len(self._usual) < AWAY_BASELINE:
            self._usual.append(list(direction))
            return []
        usual = np.median(np.array(self._usual), axis=0)
        shares = [float(abs(value - own)) / limit for value, own, limit in zip(direction, usual, LIMITS, strict=True)]
        far = max(shares) / self._wider
        if far < 1:
            # only what is usual moves what is usual: a long look away does not become the habit
            self._usual = [*self._usual, list(direction)][-AWAY_KEPT:]
        turn = self._machine.see(look.at, AWAY_STATE if far >= 1 else HERE, round(min(1.0, far / 2), 4))
        if turn is None:
            return []
        model = self._detectors.mesh.model
        maker = Maker(model.name, model.sha256, self._detectors.mesh.runtime)
        type_id, ended = AWAY, []
        more = dict(zip(("yaw", "pitch", "gaze"), direction, strict=True))
        if turn.state == HERE:
            if turn.ended is None:
                return []
            ended = [ended_state(AWAY, turn.ended.since, turn.since, turn.ended)]
            type_id, more = TWINS.get(AWAY, NO_TWIN), {}
        best = turn.tally.best
        data = finding_data(type_id, best, maker, self._digest, look.time, stretch.inputs[:], ended, **more)
        return [Finding(type_id, turn.since, data["score"], data, ended, stretch.images.get(look.at), look.at)]

    def open_states(self) -> list[tuple[int, int]]:
        tally = self._machine.tally
        return [(AWAY, tally.since)] if self._machine.state == AWAY_STATE and tally is not None else []

    def dump(self) -> dict[str, Any]:
        return {"machine": self._machine.dump(), "usual": self._usual}

    def restore(self, raw: dict[str, Any]) -> None:
        self._machine.restore(raw["machine"])
        self._usual = raw["usual"]
