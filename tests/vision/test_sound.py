"""Sound as browsers record it becomes sound as the network hears it."""

import av
import numpy as np
import pytest

from openproctor.vision.sound import BROWSER_RATE, Listener, thirds
from openproctor.vision.speech import RATE, Sound

SECONDS = 2


def tone(hertz: float, rate: int) -> Sound:
    """A tone of full scale."""
    return np.sin(2 * np.pi * hertz * np.arange(SECONDS * rate) / rate).astype(np.float32)


def loudness(sound: Sound) -> float:
    """dB below a tone of full scale, without the two ends."""
    return float(20 * np.log10(max(1e-9, np.sqrt(2) * sound[100:-100].std())))


@pytest.mark.parametrize("hertz", [100, 440, 3000, 5000])
def test_what_speech_is_made_of_is_kept(hertz: int) -> None:
    made = thirds(tone(hertz, BROWSER_RATE))
    assert len(made) == SECONDS * RATE
    assert loudness(made) == pytest.approx(0, abs=0.5)
    # at the same time: a shift by one sample of ours would differ by much more
    assert np.abs(made - tone(hertz, RATE))[100:-100].max() < 0.05


@pytest.mark.parametrize("hertz", [9000, 12_000, 20_000])
def test_what_would_come_back_as_another_tone_is_taken_out(hertz: int) -> None:
    assert loudness(thirds(tone(hertz, BROWSER_RATE))) < -45


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 30_001])
def test_pieces_of_any_length_are_taken(count: int) -> None:
    made = thirds(np.ones(count, dtype=np.float32))
    assert len(made) == count // 3
    assert np.isfinite(made).all()


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "mono"), (48_000, "stereo"), (44_100, "mono"), (16_000, "mono")])
def test_all_rates_and_channels_sound_alike(rate: int, layout: str) -> None:
    heard, channels = Listener(), 1 + (layout == "stereo")
    whole = np.stack([0.5 * tone(440, rate)] * channels)
    for piece in np.array_split(whole, 50, axis=1):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=layout)
        frame.sample_rate = rate
        heard.add(frame)
    sound = heard.sound()
    assert len(sound) == pytest.approx(SECONDS * RATE, abs=40)
    assert loudness(sound) == pytest.approx(-6, abs=0.3)
