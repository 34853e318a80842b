"""What the microphone hears: a quiet room, keys, and speech made from formants. Blocks of a second, 48 kHz, -1 to 1.

The speech is no language: a buzz like that of the vocal folds (Klatt 1980: harmonics under the formants of vowels),
with hiss for consonants and the rhythm of syllables.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from openproctor.simulation.boxes import AUDIO_SCALE as RATE
from openproctor.simulation.media import Sound

_Curve = NDArray[np.float64]
# first three formants in Hz (Peterson and Barney 1952, rounded)
_VOWELS = (
    (730, 1090, 2440),
    (530, 1840, 2480),
    (270, 2290, 3010),
    (570, 840, 2410),
    (300, 870, 2240),
    (640, 1190, 2390),
)
_WIDTHS = (90, 110, 170)


def room_sound(
    seconds: float, spoken: Sequence[tuple[float, float]] = (), typed: Sequence[tuple[float, float]] = (), seed: int = 0
) -> Iterator[Sound]:
    """Noise of a quiet room, with speech and key strokes in the given spans (seconds from the beginning)."""
    rng = np.random.default_rng(seed)
    pieces = [(from_s, speech(until_s - from_s, seed + number)) for number, (from_s, until_s) in enumerate(spoken)]
    pieces += [(from_s, _keys(until_s - from_s, rng)) for from_s, until_s in typed]
    for second in range(int(np.ceil(seconds))):
        block = _noise(RATE, rng) * 0.0025
        for from_s, piece in pieces:
            at = round((from_s - second) * RATE)
            first, last = max(0, at), min(RATE, at + len(piece))
            if first < last:
                block[first:last] += piece[first - at : last - at]
        yield np.clip(block, -1, 1).astype(np.float32)


def speech(seconds: float, seed: int = 0, pitch_hz: float = 190.0) -> Sound:
    """Something that sounds spoken, with pauses between phrases; peak about 0.35."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    formants = [np.zeros(count) for _ in range(3)]
    loudness, hiss, pitch = np.zeros(count), np.zeros(count), np.full(count, pitch_hz)
    at = 0
    while at < count:
        for _ in range(int(rng.integers(4, 9))):
            length = round(float(rng.uniform(0.14, 0.26)) * RATE)
            at = _syllable(at, length, formants, loudness, hiss, pitch, rng)
        at += round(float(rng.uniform(0.15, 0.4)) * RATE)
    formants = [_smooth(np.where(f == 0, 600.0 * (i + 1), f), 0.02) for i, f in enumerate(formants)]
    voiced = _voice(_smooth(pitch, 0.04), formants) * _smooth(loudness, 0.012)
    sound = voiced + _highpassed(rng.normal(0, 1, count)) * _smooth(hiss, 0.008) * 0.25
    return (0.35 * sound / max(1e-9, float(np.abs(sound).max()))).astype(np.float32)


def _syllable(
    at: int,
    length: int,
    formants: list[_Curve],
    loudness: _Curve,
    hiss: _Curve,
    pitch: _Curve,
    rng: np.random.Generator,
) -> int:
    consonant = round(length * float(rng.uniform(0.18, 0.35)))
    onset, end = at + consonant, at + length
    one, two = (np.array(_VOWELS[int(rng.integers(len(_VOWELS)))], float) for _ in range(2))
    steps = len(loudness[onset:end])
    glide = np.linspace(0, 1, length - consonant)[:steps]
    for number, formant in enumerate(formants):
        formant[at:onset] = one[number] * 0.85
        formant[onset:end] = one[number] + (two[number] - one[number]) * 0.5 * glide
    swell = np.sin(np.pi * np.linspace(0.12, 0.95, length - consonant)[:steps]) ** 0.6
    loudness[onset:end] = swell * rng.uniform(0.6, 1)
    if rng.random() < 0.6:
        hiss[at:onset] = rng.uniform(0.4, 1)
    else:
        loudness[at:onset] = 0.25
    pitch[at:end] *= rng.uniform(0.86, 1.18)
    return end


def _voice(pitch: _Curve, formants: list[_Curve]) -> _Curve:
    """Harmonics of the pitch, each as loud as the formants let it through; 12 dB per octave fall of the source."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = np.zeros(len(pitch))
    # the gains change slowly: work them out at 200 Hz
    step = RATE // 200
    coarse = np.arange(0, len(pitch), step)
    fine = np.arange(len(pitch))
    for harmonic in range(1, 23):
        frequency = harmonic * pitch[coarse]
        gain = np.zeros(len(coarse))
        for formant, width, share in zip(formants, _WIDTHS, (1.0, 0.6, 0.3), strict=True):
            gain += share / (1 + ((frequency - formant[coarse]) / width) ** 2)
        gain = (gain + 0.02) / harmonic**0.6
        sound += np.interp(fine, coarse, gain) * np.sin(harmonic * phase)
    return sound


def _smooth(curve: _Curve, seconds: float) -> _Curve:
    size = max(1, round(seconds * RATE))
    total = np.cumsum(np.concatenate([np.full(size, curve[0]), curve]))
    return np.asarray((total[size:] - total[:-size]) / size)


def _highpassed(noise: _Curve) -> _Curve:
    return np.diff(noise, n=2, prepend=noise[:2]) / 2.5


def _noise(count: int, rng: np.random.Generator) -> _Curve:
    """Noise that falls by 3 dB an octave, about -1 to 1."""
    spectrum = np.fft.rfft(rng.normal(0, 1, count))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / max(1e-9, float(np.abs(noise).max())))


def _keys(seconds: float, rng: np.random.Generator) -> Sound:
    """Key strokes, about five a second."""
    sound = np.zeros(round(seconds * RATE))
    at = 0
    while at < len(sound):
        click = rng.normal(0, 1, 900) * np.exp(-np.arange(900) / 140) * rng.uniform(0.02, 0.05)
        part = sound[at : at + 900]
        part += click[: len(part)]
        at += round(float(rng.uniform(0.09, 0.32)) * RATE)
    return sound.astype(np.float32)
