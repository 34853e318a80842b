"""Suspects that turned out to be nothing: looked at closely once, not again and again."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from openproctor.analysis.coded import Coded, Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.samples import Frame, Segment
from openproctor.analysis.settings import DISMISS_MOST, AnalysisSettings
from openproctor.vision.geometry import Image

PICTURE = Path(__file__).parents[1] / "pictures" / "coffee.png"
LONG_S = 2 * DISMISS_MOST // 1000


def sit(analysis: Analysis, image: Image, first_s: int, last_s: int) -> None:
    """The same picture, again and again."""
    for time in range(first_s, last_s, 2):
        ready = [Frame(float(time), image)]
        segment = Segment(time // 2, "", 0, 0, time, time + 2, Coded(), Decoders(), ready=ready)
        analysis.step(segment, lambda: None)


@pytest.fixture
def judged(detectors: Detectors, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The places that the second look has judged so far."""
    assert detectors.second is not None
    places, judge = [], detectors.second.judge

    def noting(image: Image, box: Any) -> Any:
        places.append(box)
        return judge(image, box)

    monkeypatch.setattr(detectors.second, "judge", noting)
    return places


def test_a_place_that_was_nothing_is_looked_at_again_only_when_there_is_something_new_in_it(
    detectors: Detectors, judged: list[Any]
) -> None:
    picture = np.asarray(cv2.imread(str(PICTURE)), dtype=np.uint8)
    analysis = Analysis(detectors, AnalysisSettings.of({"detectors": {"camera_frozen": False}}))
    sit(analysis, picture, 0, 30)
    once = len(judged)
    assert once, "something in the picture was suspected"
    sit(analysis, picture, 30, LONG_S)
    assert len(judged) == once
    # the state that another worker goes on with knows it too
    analysis = Analysis(detectors, AnalysisSettings.of({"detectors": {"camera_frozen": False}}), analysis.dump())
    sit(analysis, picture, LONG_S, 2 * LONG_S)
    assert len(judged) == once

    lit = np.asarray(np.clip(picture * 1.2, 0, 255), dtype=np.uint8)
    sit(analysis, lit, 2 * LONG_S, 3 * LONG_S)
    assert len(judged) > once
