"""Is there speech in a piece of sound: Silero VAD, asked only where it is loud enough to matter."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from openproctor.vision.models import shipped
from openproctor.vision.runtime import load

RATE = 16_000  # samples a second
WINDOW = 512  # samples a step: 32 ms
CONTEXT = 64
BLOCK = 16  # windows
# Quieter than this is silence or the microphone's own noise. Speech at a table's distance lies 15 to 40 dB above it.
QUIET_DB = -55.0
NEAR = 15  # windows, half before and half after a loud one, that the network hears as well: those of the same 250 ms
Sound = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Speech:
    """``times`` (seconds from the start of the piece), level and probability of each 32 ms window.

    ``floor_db`` is the background: the level that a tenth of the windows stay below. ``looked`` counts the windows that
    were loud enough to be given to the network.
    """

    times: npt.NDArray[np.float64]
    level_db: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    floor_db: float
    looked: int


class SpeechDetector:
    """``listen`` to mono sound of 16,000 samples a second, -1 to 1."""

    def __init__(self, runtime: str = "openvino") -> None:
        self.model = shipped("silero-vad")
        self._network = load(self.model, runtime)
        self.runtime = self._network.description

    def listen(self, sound: Sound, floor_db: float = 0.0, above_db: float = 0.0) -> Speech:
        """Probability of speech for each window of a piece.

        What stays below the gate costs nothing and has none: it is :data:`QUIET_DB`, or ``above_db`` above the background
        (the piece's own, or ``floor_db`` if that is lower), so that a fan is not listened to.
        """
        count = len(sound) // WINDOW
        pieces = sound[: count * WINDOW].reshape(count, WINDOW).astype(np.float32)
        level = levels(pieces)
        floor = float(np.percentile(level, 10)) if count else -120.0
        probability = np.zeros(count)
        loud = level >= max(QUIET_DB, min(floor, floor_db) + above_db)
        looked = 0
        if loud.any():
            # the network needs the moments before and after
            near = np.convolve(loud, np.ones(NEAR), "full")[NEAR // 2 : NEAR // 2 + count] > 0
            before = np.concatenate([np.zeros((1, CONTEXT), dtype=np.float32), pieces[:-1, -CONTEXT:]])
            given = np.concatenate([before, pieces], axis=1)
            edges = np.flatnonzero(np.diff(near, prepend=False, append=False))
            for first, last in zip(edges[::2], edges[1::2], strict=True):
                probability[first:last] = self._judge(given[first:last])
            looked = int(near.sum())
        times = np.arange(count) * WINDOW / RATE
        return Speech(times, np.round(level, 2), probability, round(floor, 2), looked)

    def _judge(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probability of each of some windows that follow one another."""
        # in whole blocks: an engine prepares itself for each length anew, and what comes later changes nothing before it
        blocks = np.zeros((-(-len(windows) // BLOCK) * BLOCK, windows.shape[1]), dtype=np.float32)
        blocks[: len(windows)] = windows
        output = next(iter(self._network.run(blocks).values()))
        return np.asarray(np.round(output[: len(windows)], 4), dtype=np.float64)


def levels(pieces: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Level of each row of samples in dB of full scale, -120 for silence."""
    power = np.mean(np.square(pieces, dtype=np.float64), axis=1) if pieces.size else np.zeros(len(pieces))
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))
