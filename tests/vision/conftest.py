"""Models are loaded once for all tests of this folder."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from openproctor.vision.faces import FaceDetector
from openproctor.vision.geometry import Image
from openproctor.vision.objects import ObjectDetector
from openproctor.vision.pose import FaceMesh
from openproctor.vision.speech import SpeechDetector

PICTURES = Path(__file__).parents[1] / "pictures"


def read(name: str) -> Image:
    image = cv2.imread(str(PICTURES / name))
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


@pytest.fixture(scope="session")
def astronaut() -> Image:
    return read("astronaut.png")


@pytest.fixture(scope="session")
def coffee() -> Image:
    return read("coffee.png")


@pytest.fixture(scope="session")
def camera_man() -> Image:
    return read("camera.png")


@pytest.fixture(scope="session")
def faces() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def objects() -> ObjectDetector:
    return ObjectDetector()


@pytest.fixture(scope="session")
def mesh() -> FaceMesh:
    return FaceMesh()


@pytest.fixture(scope="session")
def speech() -> SpeechDetector:
    return SpeechDetector()
