"""A recording played as a camera: pictures that were seen before, in the same order and at the same distance.

A person never sits through the same movements twice, pixel by pixel. Where four key frames in a row, between which much
moved, are those of some time ago, a loop is suspected: 1047, once a session, and only a reason to look.
"""

import base64
from typing import Any

import cv2
import numpy as np

from openproctor.analysis.findings import Finding, Maker, finding_data
from openproctor.analysis.looks import Look
from openproctor.analysis.samples import Frame
from openproctor.analysis.settings import (
    LOOP_KEPT,
    LOOP_LAG,
    LOOP_MOVED,
    LOOP_ROW,
    LOOP_SAME,
    VIRTUAL,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch
from openproctor.vision.quality import thumbnail

BLOCKS = (8, 6)  # a key frame is remembered as so many means of light
_MAKER = Maker("picture-measures", "", "opencv")


class LoopWatch:
    """Remembers one session's key frames and looks for their return."""

    def __init__(self, settings: AnalysisSettings, digest: str) -> None:
        self._on = settings.detectors["virtual_camera"]
        self._row = round(LOOP_ROW * settings.relaxed.get(VIRTUAL, 1.0))
        self._digest = digest
        self._seen = np.zeros((0, BLOCKS[0] * BLOCKS[1]), dtype=np.uint8)
        self._raised = False

    def see(self, frames: list[Frame], looks: list[Look], stretch: Stretch) -> list[Finding]:
        """Count the key frames of a segment."""
        if not self._on or self._raised:
            return []
        for frame, look in zip(frames, looks, strict=True):
            small = cv2.resize(thumbnail(frame.image), BLOCKS, interpolation=cv2.INTER_AREA).reshape(1, -1)
            self._seen = np.concatenate([self._seen, np.asarray(small, dtype=np.uint8)])[-LOOP_KEPT:]
            lag = self._returned()
            if lag is not None:
                self._raised = True
                data = finding_data(VIRTUAL, 1.0, _MAKER, self._digest, look.time, stretch.inputs[:], [])
                del data["model_digest"]
                data["reason"] = f"The last {self._row} key frames were seen before, {lag} key frames ago: a recording?"
                return [Finding(VIRTUAL, look.at, data["score"], data, [], stretch.images.get(look.at), look.at)]
        return []

    def _returned(self) -> int | None:
        """How many key frames ago the last few were seen in the same order, None if never."""
        seen = self._seen.astype(np.int16)
        if len(seen) < 2 * self._row + LOOP_LAG:
            return None
        last = seen[-self._row :]
        if np.abs(np.diff(last, axis=0)).max(axis=1).min() < LOOP_MOVED:
            return None  # who sits still looks like themselves
        starts = len(seen) - self._row - LOOP_LAG - np.arange(len(seen) - self._row - LOOP_LAG + 1)
        for start in starts:
            if np.abs(seen[start : start + self._row] - last).max() <= LOOP_SAME:
                return int(len(seen) - self._row - start)
        return None

    def open_states(self) -> list[tuple[int, int]]:
        return []

    def dump(self) -> dict[str, Any]:
        return {"seen": base64.b64encode(self._seen.tobytes()).decode(), "raised": self._raised}

    def restore(self, raw: dict[str, Any]) -> None:
        seen = np.frombuffer(base64.b64decode(raw["seen"]), dtype=np.uint8)
        self._seen, self._raised = seen.reshape(-1, BLOCKS[0] * BLOCKS[1]), raw["raised"]
