"""Faces, objects and head pose on real pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from openproctor.vision.faces import FaceDetector
from openproctor.vision.geometry import Box, Image, letterbox, suppress
from openproctor.vision.labels import COCO_LABELS
from openproctor.vision.models import shipped
from openproctor.vision.objects import ObjectDetector
from openproctor.vision.pose import FaceMesh
from openproctor.vision.recognition import FaceRecognizer, distance


def test_one_face_is_found_where_it_is(faces: FaceDetector, astronaut: Image) -> None:
    found = faces.find(astronaut, 0.6)
    assert len(found) == 1
    assert found[0].score > 0.9
    assert found[0].box.iou(Box(165, 65, 285, 185)) > 0.6
    left_eye, right_eye, nose = found[0].points[:3]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1]


def test_a_picture_without_people_has_no_face(faces: FaceDetector, coffee: Image) -> None:
    assert faces.find(coffee, 0.3) == []


def test_two_faces_side_by_side_are_two(faces: FaceDetector, astronaut: Image) -> None:
    both = np.hstack([astronaut, astronaut[:, ::-1]])
    assert len(faces.find(np.ascontiguousarray(both), 0.6)) == 2


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (320, 240), (480, 640)])
def test_the_place_of_a_face_does_not_depend_on_the_picture_size(
    faces: FaceDetector, astronaut: Image, size: tuple[int, int]
) -> None:
    fitted = letterbox(astronaut, *size).canvas
    found = faces.find(fitted, 0.6)
    assert len(found) == 1
    scale = min(size) / 512
    assert found[0].box.width == pytest.approx(115 * scale, rel=0.25)


def test_a_person_is_found_as_an_object(objects: ObjectDetector, astronaut: Image, coffee: Image) -> None:
    assert objects.find(astronaut, 0.5, ("person",))[0].label == "person"
    assert objects.find(coffee, 0.3, ("person", "cell phone", "book", "laptop")) == []
    assert objects.find(coffee, 0.3)[0].label in {"cup", "dining table"}


def test_both_engines_find_the_same_objects(objects: ObjectDetector, astronaut: Image) -> None:
    other = ObjectDetector("onnxruntime")
    mine, theirs = objects.find(astronaut, 0.3), other.find(astronaut, 0.3)
    assert [thing.label for thing in mine] == [thing.label for thing in theirs]
    assert [thing.score for thing in mine] == pytest.approx([thing.score for thing in theirs], abs=2e-3)


def test_a_detector_is_chosen_by_decoder_and_file(astronaut: Image) -> None:
    named = ObjectDetector(decoder="nanodet", path=shipped("nanodet-g").path, width=320, height=256)
    assert named.model.sha256 == shipped("nanodet-g").sha256
    assert named.find(astronaut, 0.4, ("person",))
    with pytest.raises(ValueError, match="nanodet, yolox"):
        ObjectDetector(decoder="nosuch")
    with pytest.raises(OSError, match="No such file"):
        ObjectDetector(decoder="yolox", path=Path("/nonexistent.onnx"))


def test_there_are_80_labels() -> None:
    assert len(COCO_LABELS) == 80
    assert COCO_LABELS.index("cell phone") == 67
    assert COCO_LABELS.index("book") == 73
    assert COCO_LABELS.index("laptop") == 63


def test_a_frontal_face_looks_ahead_and_a_profile_does_not(
    faces: FaceDetector, mesh: FaceMesh, astronaut: Image, camera_man: Image
) -> None:
    ahead = mesh.pose(astronaut, faces.find(astronaut)[0])
    assert abs(ahead.yaw) < 8
    assert ahead.presence > 0.9
    assert ahead.openness > 0.15
    aside = mesh.pose(camera_man, faces.find(camera_man)[0])
    assert aside.yaw > 25


def test_yaw_changes_sign_in_a_mirror_and_gaze_with_it(
    faces: FaceDetector, mesh: FaceMesh, camera_man: Image, astronaut: Image
) -> None:
    mirrored = np.ascontiguousarray(camera_man[:, ::-1])
    assert mesh.pose(mirrored, faces.find(mirrored)[0]).yaw < -25
    assert 0.35 < mesh.gaze(astronaut, faces.find(astronaut)[0]) < 0.65


def test_a_tilted_head_has_roll_but_hardly_any_yaw(faces: FaceDetector, mesh: FaceMesh, astronaut: Image) -> None:
    turn = cv2.getRotationMatrix2D((225, 125), 20, 1.0)
    tilted = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512)), dtype=np.uint8)
    pose = mesh.pose(tilted, faces.find(tilted)[0])
    assert pose.roll == pytest.approx(-16, abs=6)
    assert abs(pose.yaw) < 12


def test_the_same_face_is_near_and_another_is_far(faces: FaceDetector, astronaut: Image, camera_man: Image) -> None:
    recognizer = FaceRecognizer()
    one = recognizer.embed(astronaut, faces.find(astronaut)[0])
    smaller = np.asarray(cv2.resize(astronaut, (300, 300)), dtype=np.uint8)
    same = recognizer.embed(smaller, faces.find(smaller)[0])
    other = recognizer.embed(camera_man, faces.find(camera_man)[0])
    assert distance(one, same) < 0.6
    assert distance(one, other) > 0.9


def test_suppression_keeps_the_best_of_what_overlaps() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], dtype=np.float32)
    assert suppress(boxes, np.array([0.5, 0.9, 0.4]), 0.3) == [1, 2]
