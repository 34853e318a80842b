"""Noise and silence are not speech. (Real speech is measured by the evaluation: the tests ship none.)"""

import numpy as np
import pytest

from openproctor.vision.speech import RATE, SpeechDetector, levels


def test_silence_costs_no_inference(speech: SpeechDetector) -> None:
    heard = speech.listen(np.zeros(2 * RATE, dtype=np.float32))
    assert heard.looked == 0
    assert heard.probability.max() == 0
    assert len(heard.times) == 62


@pytest.mark.parametrize("kind", ["white", "tone", "clicks"])
def test_noise_is_not_speech(speech: SpeechDetector, kind: str) -> None:
    rng = np.random.default_rng(3)
    time = np.arange(4 * RATE) / RATE
    sound = {
        "white": rng.normal(0, 0.05, time.size),
        "tone": 0.1 * np.sin(2 * np.pi * 440 * time),
        "clicks": (rng.random(time.size) < 0.0005) * rng.normal(0, 0.7, time.size),
    }[kind]
    heard = speech.listen(sound.astype(np.float32))
    assert heard.looked > 0
    assert (heard.probability > 0.5).mean() < 0.05


def test_nothing_at_all_is_no_speech(speech: SpeechDetector) -> None:
    assert speech.listen(np.zeros(10, dtype=np.float32)).times.size == 0


def test_the_level_of_a_full_scale_square_wave_is_zero() -> None:
    assert levels(np.ones((1, 512), dtype=np.float32))[0] == pytest.approx(0)
