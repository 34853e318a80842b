"""Suspects that turned out to be nothing are looked at once, not again and again, and scenery is not what is brought in."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.evaluation.objects import Draw, book, phone, some_art
from openproctor.analysis import settings, things
from openproctor.analysis.coded import Coded, Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import Finding
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.samples import Frame, Segment
from openproctor.analysis.settings import BOOK, DISMISS_MOST, PHONE, AnalysisSettings
from openproctor.vision.geometry import Image
from tests.analysis.conftest import scene

PICTURE = Path(__file__).parents[1] / "pictures" / "coffee.png"
LONG_S = 2 * DISMISS_MOST // 1000


def shown(analysis: Analysis, image: Image, time: int, pictures: int) -> list[Finding]:
    """What two seconds of the same picture, seen so often, lead to."""
    ready = [Frame(time + number / 5, image) for number in range(pictures)]
    segment = Segment(time // 2, "", 0, 0, time, time + 2, Coded(), Decoders(), ready=ready)
    return analysis.step(segment, lambda: None)


def sit(analysis: Analysis, image: Image, first_s: int, last_s: int) -> None:
    """The same picture, again and again."""
    for time in range(first_s, last_s, 2):
        shown(analysis, image, time, 1)


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


def with_a_thing(draw: Draw, seed: int, width: int, degrees: float, left: int, top: int) -> tuple[Image, Image]:
    """Somebody before the camera, and the same with a drawn thing of a width (pixels), turned, at a place."""
    rng = np.random.default_rng(seed)
    stamp, cover = draw(rng, some_art(rng))
    height = round(width * stamp.shape[0] / stamp.shape[1])
    side = round(np.hypot(width, height))
    scale = width / stamp.shape[1]
    turn = cv2.getRotationMatrix2D((stamp.shape[1] / 2, stamp.shape[0] / 2), degrees, scale)
    turn[:, 2] += side / 2 - np.array(stamp.shape[1::-1]) / 2
    shown = cv2.warpAffine(stamp, turn, (side, side), flags=cv2.INTER_AREA)
    share = cv2.warpAffine(cover.astype(np.float32) / 255, turn, (side, side))[..., None]
    before, after = scene("one").copy(), scene("one").copy()
    part = after[top : top + side, left : left + side]
    share = share[: part.shape[0], : part.shape[1]]
    part[:] = (share * shown[: part.shape[0], : part.shape[1], ::-1] + (1 - share) * part).astype(np.uint8)
    return before, after


@pytest.mark.parametrize("brought", [True, False])
def test_what_is_there_from_the_first_picture_on_must_be_surer_than_what_is_brought_in(
    brought: bool, detectors: Detectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    # so much that the surest is not sure enough: only the difference between the two is shown
    monkeypatch.setattr(things, "SCENERY_LESS", 12.0)
    before, after = with_a_thing(book, 6, 150, 0, 20, 230)
    asked = AnalysisSettings.of({"detectors": {"camera_frozen": False}})
    analysis, found = Analysis(detectors, asked), []
    for time in range(0, 40, 2):
        picture = before if brought and time < 10 else after
        if time == 20:  # another worker goes on
            analysis = Analysis(detectors, asked, json.loads(json.dumps(analysis.dump())))
        found += shown(analysis, picture, time, 10)
    assert [(one.type_id, one.at // 1000) for one in found if one.type_id in (PHONE, BOOK)] == [(BOOK, 10)] * brought


def test_a_phone_held_near_at_a_slant_is_not_too_large(detectors: Detectors) -> None:
    before, after = with_a_thing(phone, 7, 150, 30, 0, 100)
    analysis, found = Analysis(detectors, AnalysisSettings.of({"detectors": {"camera_frozen": False}})), []
    for time in range(0, 16, 2):
        found += shown(analysis, before if time < 6 else after, time, 10)
    (raised,) = [one for one in found if one.type_id == PHONE]
    left, top, right, bottom = raised.data["box"]
    assert (right - left) * (bottom - top) > 0.2


@pytest.mark.parametrize("enough", [settings.BROUGHT_SUSPECT, 0.08])
def test_in_what_is_brought_less_suspicion_is_enough(
    enough: float, detectors: Detectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(things, "BROUGHT_SUSPECT", enough)
    before, after = with_a_thing(phone, 21, 110, 0, 0, 150)
    asked = AnalysisSettings.of({"detectors": {"camera_frozen": False}})
    analysis, found = Analysis(detectors, asked), []
    for time in range(0, 14, 2):
        if time == 10:  # another worker goes on
            analysis = Analysis(detectors, asked, json.loads(json.dumps(analysis.dump())))
        found += shown(analysis, before if time < 10 else after, time, 10)
    expected = [(PHONE, 10)] if enough == settings.BROUGHT_SUSPECT else []
    assert [(one.type_id, one.at // 1000) for one in found if one.type_id in (PHONE, BOOK)] == expected
