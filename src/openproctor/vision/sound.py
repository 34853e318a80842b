"""Decoded sound as the speech network hears it: one channel, 16,000 samples a second."""

from typing import Any

import av
import numpy as np
import numpy.typing as npt

from openproctor.vision.speech import RATE, Sound

# Browsers record 48,000 samples a second, three for each of ours. The low pass of 48 taps (half is left at 7,200 Hz) costs a
# tenth of a general resampler.
BROWSER_RATE = 3 * RATE
_TAPS, _BEFORE = 48, 23  # the last one is nothing, so that the middle is a sample
_ROWS = 8_192  # samples made at once: few enough that the matrix product stays on this thread


def _low_pass() -> Sound:
    """The filter, three taps a row."""
    at = np.arange(_TAPS) - _BEFORE
    taps = np.sinc(2 * 7_200 / BROWSER_RATE * at) * np.append(np.kaiser(_TAPS - 1, 6.0), 0.0)
    return np.ascontiguousarray((taps / taps.sum()).reshape(-1, 3), dtype=np.float32)


_LOW_PASS = _low_pass()


def thirds(sound: Sound) -> Sound:
    """Sound of 48,000 samples a second as 16,000 a second: a third as many samples, at the same times."""
    count, around = len(sound) // 3, len(_LOW_PASS)
    if not count:
        return np.zeros(0, dtype=np.float32)
    padded = np.zeros((count + around, 3), dtype=np.float32)
    padded.reshape(-1)[_BEFORE:][: count * 3] = sound[: count * 3]
    made = np.empty(count, dtype=np.float32)
    for first in range(0, count, _ROWS):
        last = min(first + _ROWS, count)
        products = _LOW_PASS @ padded[first : last + around].T
        part = made[first:last]
        part[:] = products[0, : last - first]
        for row in range(1, around):
            part += products[row, row : row + last - first]
    return made


class Listener:
    """Decoded sound frames as one mono array of 16,000 samples a second, -1 to 1."""

    def __init__(self) -> None:
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        self._joined: list[npt.NDArray[Any]] = []
        self._kind: tuple[str, str, int] | None = None
        self._pieces: list[npt.NDArray[Any]] = []

    def add(self, frame: av.AudioFrame) -> None:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            self._resample()
            self._kind = kind
        self._joined.append(frame.to_ndarray())

    def _resample(self) -> None:
        """Frames of one kind at once: each call costs as much as a frame."""
        if self._kind is None or not self._joined:
            return
        name, layout, rate = self._kind
        if rate == BROWSER_RATE and name == "fltp" and layout in ("mono", "stereo"):
            self._pieces.append(thirds(np.concatenate(self._joined, axis=1).mean(axis=0)))
            self._joined = []
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(np.concatenate(self._joined, axis=1)), format=name, layout=layout
        )
        frame.sample_rate = rate
        self._joined = []
        self._pieces.extend(piece.to_ndarray()[0] for piece in self._resampler.resample(frame))

    def sound(self) -> Sound:
        """All that was added."""
        self._resample()
        if self._kind is not None:
            self._pieces.extend(piece.to_ndarray()[0] for piece in self._resampler.resample(None))
        if not self._pieces:
            return np.zeros(0, dtype=np.float32)
        return np.concatenate(self._pieces).astype(np.float32, copy=False)
