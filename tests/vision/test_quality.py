"""Measures move the way the eye would say, and hardly at all where it would not."""

import cv2
import numpy as np
import pytest

from openproctor.vision.geometry import Image
from openproctor.vision.quality import change, hash_distance, measure, perceptual_hash, thumbnail


def as_image(values: object) -> Image:
    return np.asarray(values, dtype=np.uint8)


def test_blur_lowers_sharpness_and_size_or_light_hardly_change_it(astronaut: Image) -> None:
    sharp = measure(astronaut).sharpness
    blurred = measure(as_image(cv2.GaussianBlur(astronaut, (0, 0), 5))).sharpness
    large = measure(as_image(cv2.resize(astronaut, (1024, 1024)))).sharpness
    dim = measure(as_image(astronaut * 0.5)).sharpness
    assert blurred < sharp / 3
    assert large == pytest.approx(sharp, rel=0.25)
    assert dim == pytest.approx(sharp, rel=0.25)


def test_brightness_glare_and_darkness(astronaut: Image) -> None:
    black = measure(np.zeros((48, 64, 3), dtype=np.uint8))
    white = measure(np.full((48, 64, 3), 255, dtype=np.uint8))
    assert (black.brightness, black.black, black.sharpness) == (0, 1, 0)
    assert (white.brightness, white.glare) == (255, 1)
    assert 80 < measure(astronaut).brightness < 150


def test_a_lamp_that_is_switched_on_is_no_change_but_a_moved_thing_is(astronaut: Image) -> None:
    before = thumbnail(astronaut)
    brighter = thumbnail(as_image(np.clip(astronaut.astype(int) + 12, 0, 255)))
    moved = astronaut.copy()
    moved[300:460, 300:400] = 20
    assert change(before, before).most == 0
    assert change(before, brighter).mean < 3
    assert change(before, thumbnail(moved)).most > 25


def test_the_perceptual_hash_survives_recompression(astronaut: Image, coffee: Image) -> None:
    _, data = cv2.imencode(".jpg", astronaut, [cv2.IMWRITE_JPEG_QUALITY, 30])
    again = as_image(cv2.resize(as_image(cv2.imdecode(data, cv2.IMREAD_COLOR)), (300, 300)))
    assert hash_distance(perceptual_hash(astronaut), perceptual_hash(again)) <= 6
    assert hash_distance(perceptual_hash(astronaut), perceptual_hash(coffee)) > 15
