"""What the scenes show is what the detectors see in them; the same seed shows the same."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from openproctor.simulation.desktop import screen_frames
from openproctor.simulation.media import CAMERA, Picture, TrackFormat
from openproctor.simulation.scenes import Happening, Scene, Script, camera_frame, camera_frames
from openproctor.simulation.sounds import room_sound
from openproctor.simulation.stills import camera_test_stills, document_still, face_still, jpeg, room_stills
from openproctor.vision.faces import FaceDetector
from openproctor.vision.objects import ObjectDetector
from openproctor.vision.speech import SpeechDetector

SCRIPT = Script(
    60,
    (
        Scene(Happening.AWAY, 10, 16),
        Scene(Happening.VISITOR, 20, 28),
        Scene(Happening.PHONE, 32, 40),
        Scene(Happening.BOOKS, 44, 54),
        Scene(Happening.DARK, 57, 59),
    ),
    seed=4,
)


@pytest.fixture(scope="module")
def faces() -> FaceDetector:
    return FaceDetector("onnxruntime")


@pytest.fixture(scope="module")
def objects() -> ObjectDetector:
    return ObjectDetector("onnxruntime")


def bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[..., ::-1])


@pytest.mark.parametrize(
    ("at", "count"), [(2, 1), (8, 1), (10, 0), (13, 0), (16, 0), (18, 1), (20, 2), (24, 2), (28, 2), (31, 1), (48, 1)]
)
def test_as_many_faces_are_seen_as_people_are_there(faces: FaceDetector, at: float, count: int) -> None:
    assert len(faces.find(bgr(camera_frame(SCRIPT, at)), 0.6)) == count


@pytest.mark.parametrize("what", [Happening.PHONE, Happening.BOOKS])
def test_a_thing_is_seen_while_it_is_held_up_and_only_then(objects: ObjectDetector, what: Happening) -> None:
    label = "cell phone" if what is Happening.PHONE else "book"
    (scene,) = (scene for scene in SCRIPT.scenes if scene.what is what)
    for at in np.arange(0, 57, 1.5):
        best = max((t.score for t in objects.find(bgr(camera_frame(SCRIPT, at)), 0.1, [label])), default=0.0)
        if scene.from_s <= at <= scene.until_s:
            assert best > 0.5, at
        elif not scene.from_s - 1 < at < scene.until_s + 1:
            assert best < 0.3, at


def test_the_picture_can_go_dark() -> None:
    assert camera_frame(SCRIPT, 58).mean() < 25 < camera_frame(SCRIPT, 50).mean()


def test_the_same_seed_shows_the_same_and_no_two_frames_are_alike() -> None:
    short = Script(1, seed=5)
    one, two = list(camera_frames(short)), list(camera_frames(short))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert all(not np.array_equal(a, b) for a, b in pairwise(one))
    assert not np.array_equal(one[0], next(iter(camera_frames(Script(1, seed=6)))))


def test_frames_come_in_the_size_and_at_the_rate_of_the_format() -> None:
    small = TrackFormat(320, 240, 4, 80_000)
    assert [frame.shape for frame in camera_frames(Script(2), small)] == [(240, 320, 3)] * 8
    assert [frame.shape for frame in screen_frames(Script(2), small)] == [(240, 320, 3)] * 8
    assert CAMERA.frame_rate == 15


def test_the_screen_changes_when_something_is_typed_and_when_another_window_is_opened() -> None:
    script = Script(12, typed=((2, 6),), other_window=((8, 10),))
    frames = [cv2.resize(frame[140:660], (160, 65)).astype(int) for frame in screen_frames(script)]
    changes = [float(np.abs(b - a).mean()) for a, b in pairwise(frames)]
    assert max(changes[:9]) == 0
    assert max(changes[9:30]) > 0
    assert max(changes[31:39] + changes[40:49] + changes[50:]) == 0
    assert min(changes[39], changes[49]) > 5


def test_speech_is_heard_only_where_somebody_speaks() -> None:
    sound = np.concatenate(list(room_sound(16, spoken=((3, 7),), typed=((9, 14),), seed=2)))
    heard = SpeechDetector().listen(sound.reshape(-1, 3).mean(axis=1).astype(np.float32))
    speaking = (heard.times > 3.2) & (heard.times < 6.8)
    assert heard.probability[speaking].mean() > 0.6
    assert heard.probability[(heard.times < 2.8) | (heard.times > 7.5)].max() < 0.4


def test_stills_show_what_they_are_for(faces: FaceDetector) -> None:
    assert len(faces.find(bgr(face_still()))) == 1
    assert len(faces.find(bgr(document_still()))) == 1
    assert not any(faces.find(bgr(still)) for still in room_stills())
    first, second = camera_test_stills()
    assert np.abs(first.astype(int) - second.astype(int)).mean() > 1
    assert jpeg(first)[:3] == b"\xff\xd8\xff"
