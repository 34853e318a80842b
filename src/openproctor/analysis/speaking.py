"""Speech in the recorded sound. Whose it is, and what was said, is not looked for."""

from typing import Any

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.episodes import Machine
from openproctor.analysis.findings import NO_TWIN, TWINS, Finding, Maker, ended_state, finding_data
from openproctor.analysis.samples import Segment
from openproctor.analysis.settings import (
    RELEASE_SPEECH,
    SPEECH,
    SPEECH_ABOVE_FLOOR,
    SPEECH_BIN,
    SPEECH_SCORE,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch

TALK, QUIET = "talk", "quiet"
FLOORS = 15  # segments over which the background is remembered


class SpeechWatch:
    """Speech of one session."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings, digest: str) -> None:
        self._on = settings.detectors["speech"]
        self._sure = settings.surer(SPEECH, SPEECH_SCORE)
        self._detectors = detectors
        self._digest = digest
        self._floors: list[float] = []
        self._machine = Machine(
            hold={TALK: settings.hold[SPEECH], QUIET: RELEASE_SPEECH}, need={TALK: 3, QUIET: 4}, contrary=4, state=QUIET
        )

    def hear(self, segment: Segment, stretch: Stretch) -> list[Finding]:
        """Listen to a segment."""
        if not self._on:
            return []
        sound = segment.sound()
        if sound is None:
            return []
        quietest = min(self._floors, default=0.0)
        heard = self._detectors.speech.listen(sound.samples, quietest, SPEECH_ABOVE_FLOOR)
        if not len(heard.times):
            return []
        self._floors = [*self._floors, heard.floor_db][-FLOORS:]
        floor = min(self._floors)
        found: list[Finding] = []
        if not heard.looked and self._machine.state == QUIET and not self._machine.undecided:
            return []  # silence after silence
        bins = (heard.times * 1000 // SPEECH_BIN).astype(int)
        for index in range(int(bins[-1]) + 1):
            inside = bins == index
            if not inside.any():
                continue
            score = float(heard.probability[inside].mean())
            level = float(heard.level_db[inside].max())
            at = segment.at(sound.start) + index * SPEECH_BIN
            talk = score >= self._sure and level >= floor + SPEECH_ABOVE_FLOOR
            found += self._count(at, talk, score, level, floor, stretch, sound.start + index * SPEECH_BIN / 1000)
        return found

    def _count(
        self, at: int, talk: bool, score: float, level: float, floor: float, stretch: Stretch, time: float
    ) -> list[Finding]:
        turn = self._machine.see(at, TALK if talk else QUIET, score)
        if turn is None:
            return []
        model = self._detectors.speech.model
        maker = Maker(model.name, model.sha256, self._detectors.speech.runtime)
        if turn.state == TALK:
            data = finding_data(
                SPEECH,
                turn.tally.best,
                maker,
                self._digest,
                time,
                stretch.inputs[:],
                [],
                level_db=round(level, 1),
                noise_floor_db=round(floor, 1),
                threshold=self._sure,
            )
            return [Finding(SPEECH, turn.since, data["score"], data)]
        if turn.ended is None:
            return []
        ended = [ended_state(SPEECH, turn.ended.since, turn.since, turn.ended)]
        data = finding_data(
            TWINS.get(SPEECH, NO_TWIN), turn.ended.best, maker, self._digest, time, stretch.inputs[:], ended
        )
        return [Finding(TWINS.get(SPEECH, NO_TWIN), turn.since, data["score"], data, ended)]

    def open_states(self) -> list[tuple[int, int]]:
        talking = self._machine.state == TALK and self._machine.tally is not None
        return [(SPEECH, self._machine.tally.since)] if talking and self._machine.tally else []

    def dump(self) -> dict[str, Any]:
        return {"machine": self._machine.dump(), "floors": [round(floor, 2) for floor in self._floors]}

    def restore(self, raw: dict[str, Any]) -> None:
        self._machine.restore(raw["machine"])
        self._floors = raw["floors"]
