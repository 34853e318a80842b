"""Suspects that turned out to be nothing are looked at once, not again and again, and scenery is not what is brought in."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.evaluation.objects import book, some_art
from openproctor.analysis import things
from openproctor.analysis.coded import Coded, Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.samples import Frame, Segment
from openproctor.analysis.settings import BOOK, DISMISS_MOST, PHONE, AnalysisSettings
from openproctor.vision.geometry import Image
from tests.analysis.conftest import scene

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


def test_what_sways_is_known_in_each_of_its_positions(detectors: Detectors, judged: list[Any]) -> None:
    picture = np.asarray(cv2.imread(str(PICTURE)), dtype=np.uint8)
    analysis = Analysis(detectors, AnalysisSettings.of({"detectors": {"camera_frozen": False}}))
    for time in range(0, LONG_S, 2):
        sit(analysis, np.roll(picture, 24 * (time // 2 % 3), axis=1), time, time + 2)
    # known in its last position only, it is judged in two of three pictures: 85 times
    assert 0 < len(judged) < 10


def with_a_book() -> tuple[Image, Image]:
    """Somebody before the camera, and the same with a drawn book in the lower left corner."""
    rng = np.random.default_rng(6)
    stamp, cover = book(rng, some_art(rng))
    size = (150, round(150 * stamp.shape[0] / stamp.shape[1]))
    shown, share = cv2.resize(stamp, size), cv2.resize(cover.astype(np.float32), size)[..., None]
    before, after = scene("one").copy(), scene("one").copy()
    part = after[260 : 260 + size[1], 20:170]
    part[:] = (share * shown[..., ::-1] + (1 - share) * part).astype(np.uint8)
    return before, after


@pytest.mark.parametrize("brought", [True, False])
def test_what_is_there_from_the_first_picture_on_must_be_surer_than_what_is_brought_in(
    brought: bool, detectors: Detectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    # so much that the surest is not sure enough: only the difference between the two is shown
    monkeypatch.setattr(things, "SCENERY_LESS", 12.0)
    before, after = with_a_book()
    settings = AnalysisSettings.of({"detectors": {"camera_frozen": False}})
    analysis, found = Analysis(detectors, settings), []
    for time in range(0, 40, 2):
        picture = before if brought and time < 10 else after
        if time == 20:  # another worker goes on
            analysis = Analysis(detectors, settings, json.loads(json.dumps(analysis.dump())))
        ready = [Frame(time + step / 5, picture) for step in range(10)]
        segment = Segment(time // 2, "", 0, 0, time, time + 2, Coded(), Decoders(), ready=ready)
        found += analysis.step(segment, lambda: None)
    assert [(one.type_id, one.at // 1000) for one in found if one.type_id in (PHONE, BOOK)] == [(BOOK, 10)] * brought
