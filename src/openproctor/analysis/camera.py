"""The camera itself: covered or black, or a picture that stands still."""

from typing import Any

from openproctor.analysis.episodes import Machine, Turn
from openproctor.analysis.findings import NO_TWIN, TWINS, Finding, Maker, ended_state, finding_data
from openproctor.analysis.looks import Look
from openproctor.analysis.samples import Frame
from openproctor.analysis.settings import (
    FACE_KEEP,
    FROZEN,
    FROZEN_EXACT,
    FROZEN_MEAN,
    FROZEN_MOST,
    OBSCURED,
    OBSCURED_CONTRAST,
    OBSCURED_LIGHT,
    RELEASE_DEFAULT,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch
from openproctor.vision.geometry import Image
from openproctor.vision.quality import Change, change, packed, thumbnail, unpacked

BAD, GOOD = "bad", "good"
_MAKER = Maker("picture-measures", "", "opencv")


class CameraWatch:
    """Obscured, from the looks that people are counted by, and frozen, from key frames: that lasts."""

    def __init__(self, settings: AnalysisSettings, digest: str) -> None:
        self._digest = digest
        wanted = {OBSCURED: "camera_obscured", FROZEN: "camera_frozen"}
        self._machines = {
            type_id: Machine(
                hold={BAD: settings.hold[type_id], GOOD: RELEASE_DEFAULT},
                need={BAD: 2 if type_id == OBSCURED else 3, GOOD: 2},
                state=GOOD,
            )
            for type_id, name in wanted.items()
            if settings.detectors[name]
        }
        self._thumb: Image | None = None

    def curious(self, look: Look) -> bool:
        """Whether to look at every picture: the lens seems to be covered now, or free again."""
        machine = self._machines.get(OBSCURED)
        return machine is not None and (_obscured(look)[0] != (machine.state == BAD) or machine.undecided)

    def see(self, look: Look, stretch: Stretch) -> list[Finding]:
        """Count one look: is the lens covered?"""
        if OBSCURED not in self._machines:
            return []
        covered, score = _obscured(look)
        turn = self._machines[OBSCURED].see(look.at, BAD if covered else GOOD, score)
        return self._turned(OBSCURED, turn, look, stretch, brightness=look.light)

    def compare(self, frames: list[Frame], looks: list[Look], stretch: Stretch) -> list[Finding]:
        """Count the key frames of a segment: does the picture stand still?"""
        if FROZEN not in self._machines:
            return []
        pairs = zip(frames, looks, strict=True)
        return [finding for frame, look in pairs for finding in self._frozen(frame, look, stretch)]

    def _frozen(self, frame: Frame, look: Look, stretch: Stretch) -> list[Finding]:
        thumb = thumbnail(frame.image)
        before, self._thumb = self._thumb, thumb
        if before is None:
            return []
        difference = change(before, thumb, level=False)
        face = any(face.score >= FACE_KEEP for face in look.faces)
        still = difference.mean < FROZEN_MEAN and difference.most < FROZEN_MOST
        still = still and (face or difference.mean < FROZEN_EXACT)
        # a black picture does not change either, but it is called obscured
        value = BAD if still and not _obscured(look)[0] else GOOD
        score = _share(difference) if still else 0.0
        turn = self._machines[FROZEN].see(look.at, value, score)
        return self._turned(FROZEN, turn, look, stretch, difference=difference.mean)

    def _turned(self, type_id: int, turn: Turn | None, look: Look, stretch: Stretch, **more: float) -> list[Finding]:
        if turn is None:
            return []
        ended = []
        if turn.state == GOOD:
            if turn.ended is None:
                return []
            ended = [ended_state(type_id, turn.ended.since, turn.since, turn.ended)]
            type_id, more = TWINS.get(type_id, NO_TWIN), {}
        data = finding_data(type_id, turn.tally.best, _MAKER, self._digest, look.time, stretch.inputs[:], ended, **more)
        del data["model_digest"]
        return [Finding(type_id, turn.since, data["score"], data, ended, stretch.images.get(look.at), look.at)]

    def open_states(self) -> list[tuple[int, int]]:
        return [
            (type_id, machine.tally.since)
            for type_id, machine in self._machines.items()
            if machine.state == BAD and machine.tally is not None
        ]

    def dump(self) -> dict[str, Any]:
        return {
            "machines": {str(type_id): machine.dump() for type_id, machine in self._machines.items()},
            "thumb": packed(self._thumb),
        }

    def restore(self, raw: dict[str, Any]) -> None:
        for type_id, machine in self._machines.items():
            if str(type_id) in raw["machines"]:
                machine.restore(raw["machines"][str(type_id)])
        self._thumb = unpacked(raw["thumb"])


def _obscured(look: Look) -> tuple[bool, float]:
    """Black or featureless, and no face: with a score that grows as the picture gets emptier."""
    if any(face.score >= FACE_KEEP for face in look.faces):
        return False, 0.0
    dark = 1 - look.light / OBSCURED_LIGHT
    flat = 1 - look.contrast / OBSCURED_CONTRAST
    return dark > 0 or flat > 0, round(min(1.0, max(dark, flat, 0.0) + 0.5), 4)


def _share(difference: Change) -> float:
    return round(1 - max(difference.mean / FROZEN_MEAN, difference.most / FROZEN_MOST) / 2, 4)
