"""The way through a sitting with everything switched on: however often it is cut, the same comes out, to the last bit."""

import hashlib
import json
from functools import cache
from typing import Any

import pytest

from openproctor.analysis.course import Course, Piece, Settings
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import Finding
from openproctor.analysis.sameness import reference
from openproctor.simulation.media import Picture, TrackFormat, record
from openproctor.simulation.scenes import Happening, Scene, Script, camera_frame, camera_frames
from openproctor.simulation.sounds import room_sound
from openproctor.vision.frames import encode_jpeg

FORM = TrackFormat(640, 480, 10, 300_000, audio=True)
SITTING = Script(
    seconds=34,
    scenes=(
        Scene(Happening.AWAY, 4, 10),
        Scene(Happening.PHONE, 13, 20),
        Scene(Happening.VISITOR, 23, 28),
    ),
    spoken=((24, 29),),
    seed=3,
)
POLICY: dict[str, Any] = {"detectors": {"looking_away": True, "face_mismatch": True}}
# 169 and 1046 are off from the first position on, while the phone is in view; the second takes all back
CHANGES = [(8, [{"type_ids": [169, 1046], "what": "off"}]), (13, [])]
ORIGIN = 1_700_000_000_000


@cache
def pieces() -> list[Piece]:
    """The chunks as they are stored; chunk 0 is the init segment alone."""
    sound = room_sound(SITTING.seconds, SITTING.spoken, seed=SITTING.seed)
    init, *parts = list(record(camera_frames(SITTING, FORM), FORM, sound))
    return [
        Piece(
            number,
            0,
            hashlib.sha256(part.data).hexdigest(),
            position=number,
            at=ORIGIN + part.from_ms,
            origin=ORIGIN,
            init=init.data,
            media=part.data,
        )
        for number, part in enumerate(parts, 1)
    ]


@pytest.fixture
def plan(detectors: Detectors) -> Settings:
    settings = Settings(POLICY)
    face: Picture = camera_frame(SITTING, 1.0)[:, :, ::-1]
    known = reference(detectors, "0" * 26, face)
    assert known is not None
    settings.compare_with((known,))
    return settings


def told(findings: list[Finding]) -> list[dict[str, Any]]:
    """All that a finding says, its picture by digest."""
    return [
        {
            "type_id": one.type_id,
            "at": one.at,
            "data": one.data,
            "still": hashlib.sha256(encode_jpeg(one.still)).hexdigest() if one.still is not None else None,
        }
        for one in findings
    ]


def walk(
    detectors: Detectors, plan: Settings, *, cut: bool, gap: tuple[int, int] | None = None
) -> list[dict[str, Any]]:
    """Everything in order, a gap's chunks in the end. ``cut``: another worker takes over after every chunk."""
    course = Course(detectors, plan)
    course.skip(0, 0)
    found: list[Finding] = []
    by_number = {piece.number: piece for piece in pieces()}

    def taken_over() -> Course:
        if not cut:
            return course
        other = Course(detectors, plan, json.loads(json.dumps(course.dump())))
        if other.recalls is not None:
            other.recall(by_number[other.recalls])
        return other

    for piece in pieces():
        if gap and piece.number == gap[0]:
            found += course.skip(*gap)
        if course.passed_over(piece.number):
            continue
        outcome = course.take(piece)
        assert outcome.rejected is None
        found += outcome.findings
        course = taken_over()
    found += course.turn()
    while (span := course.late_span) is not None:
        for number in range(span[0], span[1] + 1):
            if number in by_number:
                found += course.take(by_number[number]).findings
                course = taken_over()
        found += course.turn()
    return told(found)


def test_however_often_it_is_cut_the_same_comes_out(detectors: Detectors, plan: Settings) -> None:
    whole = walk(detectors, plan, cut=False)
    assert {16, 169, 81, 1046} <= {one["type_id"] for one in whole}
    assert walk(detectors, plan, cut=True) == whole


def test_also_with_accommodations_that_come_and_go_and_with_what_came_late(
    detectors: Detectors, plan: Settings
) -> None:
    plan.replace(CHANGES)
    whole = walk(detectors, plan, cut=False)
    (gone,) = [one for one in whole if one["type_id"] == 1066]
    assert gone["data"]["reason"] == "it is not looked for any more"
    assert walk(detectors, plan, cut=True) == whole
    whole = walk(detectors, plan, cut=False, gap=(7, 10))
    assert 169 in {one["type_id"] for one in whole}, "seen in the gap, when it came"
    assert walk(detectors, plan, cut=True, gap=(7, 10)) == whole
    keys = [(one["type_id"], one["at"]) for one in whole]
    assert len(set(keys)) == len(keys), "nothing is raised twice"


def test_what_is_found_in_a_gap_ends_with_it(detectors: Detectors, plan: Settings) -> None:
    # the chair is empty from 4 s to 10 s; chunks 3 to 5 are those seconds, and were missing
    whole = walk(detectors, plan, cut=False, gap=(3, 5))
    (absent,) = [one for one in whole if one["type_id"] == 16]
    (end,) = [one for one in whole for state in one["data"].get("ended", []) if state["type_id"] == 16]
    assert (end["type_id"], end["at"]) == (15, ORIGIN + 10_000)
    assert end["data"]["ended"][0]["from"] == absent["at"]
    assert walk(detectors, plan, cut=True, gap=(3, 5)) == whole
