"""The checks pass what a person could use, refuse what not, and say what to change."""

import cv2
import numpy as np
import pytest

from openproctor.captures.checks import MESSAGES, check_document, check_face, check_room
from openproctor.vision.geometry import Image
from tests.captures.stills import (
    as_image,
    blurred,
    card,
    held,
    person,
    portrait,
    read,
    room,
    webcam,
    with_glare,
)


def reasons_of_face(picture: Image) -> list[str]:
    result = check_face(picture)
    assert result.passed == (not result.reasons)
    assert result.messages == [MESSAGES[reason] for reason in result.reasons]
    return result.reasons


def reasons_of_document(picture: Image, require_face: bool = True) -> list[str]:
    return check_document(picture, require_face=require_face).reasons


# -- face --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (320, 240)])
@pytest.mark.parametrize("light", [1.0, 0.5, 0.3])
def test_a_face_before_a_wall_passes(size: tuple[int, int], light: float) -> None:
    scale = size[1] / 480 * 1.15
    assert reasons_of_face(webcam(as_image(person(room(*size), scale) * light))) == []


@pytest.mark.parametrize("darker", [0.75, 0.5, 0.35])
def test_a_face_passes_whatever_the_skin(darker: float) -> None:
    picture = person(room(), 1.15).astype(float)
    picture[150:360, 200:440] *= darker  # only the person's part: the room stays lit
    assert reasons_of_face(webcam(as_image(picture))) == []


def test_nobody_and_somebody_else_too() -> None:
    assert reasons_of_face(webcam(room())) == ["no-face"]
    two = person(person(room(), 1.1, 0.3), 1.1, 0.72)
    assert reasons_of_face(webcam(two)) == ["several-faces"]


def test_a_face_far_away_or_cut_off() -> None:
    assert reasons_of_face(webcam(person(room(), 0.4))) == ["face-too-small"]
    close = as_image(cv2.resize(portrait(), (640, 800)))[330:, :]
    assert "face-cut-off" in reasons_of_face(webcam(np.ascontiguousarray(close)))


def test_blur_darkness_and_glare_are_told_apart() -> None:
    face = person(room(), 1.15)
    assert reasons_of_face(blurred(face, 6)) == ["face-blurred"]
    assert reasons_of_face(as_image(face * 0.1)) in (["face-too-dark"], ["no-face", "face-too-dark"])
    assert reasons_of_face(as_image(face.astype(float) * 0.2 + 235)) in (["face-too-bright"], ["no-face"])


def test_a_profile_is_turned_away() -> None:
    assert "face-turned" in reasons_of_face(as_image(cv2.resize(read("camera.png"), (960, 960))))


def test_a_head_on_its_side_is_tilted() -> None:
    turn = cv2.getRotationMatrix2D((320, 240), 50, 1.0)
    tilted = cv2.warpAffine(person(room(), 1.15), turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    assert "face-tilted" in reasons_of_face(as_image(tilted))


# -- document ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "width", "tilt"), [(6, 0.42, 0.08), (-12, 0.35, -0.1), (0, 0.5, 0.02), (20, 0.45, 0.15)]
)
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_card_held_in_a_hand_passes(turn: float, width: float, tilt: float, seed: int) -> None:
    picture = held(person(room(seed=seed), x=0.65), card(seed=seed), turn=turn, width=width, tilt=tilt)
    assert reasons_of_document(webcam(picture)) == []


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_a_card_passes_at_higher_resolution(size: tuple[int, int]) -> None:
    picture = held(person(room(*size), 1.6 * size[1] / 720, 0.65), card())
    assert reasons_of_document(webcam(picture)) == []


def test_a_card_alone_before_the_face_upside_down_or_in_dim_light_passes() -> None:
    assert reasons_of_document(webcam(held(room(), card(), fingers=False, centre=(0.5, 0.5), width=0.6))) == []
    assert reasons_of_document(webcam(held(person(room()), card(), centre=(0.5, 0.45), width=0.6))) == []
    assert reasons_of_document(webcam(held(person(room(), x=0.65), np.ascontiguousarray(card()[::-1, ::-1])))) == []
    assert reasons_of_document(webcam(as_image(held(person(room(), x=0.65), card()) * 0.4))) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_holders_own_face_is_no_document(seed: int) -> None:
    assert not check_document(webcam(person(room(seed=seed)))).passed
    assert not check_document(webcam(read("astronaut.png"))).passed


def test_a_card_without_a_photo_needs_a_policy_that_allows_it() -> None:
    picture = webcam(held(person(room(), x=0.65), card(photo=False)))
    assert reasons_of_document(picture) == ["document-no-face"]
    assert reasons_of_document(picture, require_face=False) == []


@pytest.mark.parametrize("require_face", [True, False])
def test_an_empty_wall_and_darkness_are_no_document(require_face: bool) -> None:
    assert reasons_of_document(webcam(np.full((480, 640, 3), 140, dtype=np.uint8)), require_face) == ["no-document"]
    assert reasons_of_document(np.zeros((480, 640, 3), dtype=np.uint8), require_face) == ["document-too-dark"]


def test_blur_glare_and_distance_are_told_apart() -> None:
    plain = np.full((480, 640, 3), 120, dtype=np.uint8)
    good = held(person(room(), x=0.65), card())
    assert "document-blurred" in reasons_of_document(blurred(good, 3))
    assert "document-glare" in reasons_of_document(webcam(with_glare(good, (0.36, 0.62), 0.07)))
    assert "document-too-small" in reasons_of_document(
        webcam(held(plain, card(), width=0.22, fingers=False), noise=1), require_face=False
    )


# -- room --------------------------------------------------------------------------------------------------------------


def test_four_different_lit_pictures_pass() -> None:
    assert check_room([webcam(room(seed=seed)) for seed in range(4)], 4).passed


def test_too_few_alike_or_dark_room_pictures_do_not() -> None:
    views = [webcam(room(seed=seed)) for seed in range(4)]
    assert check_room(views[:3], 4).reasons == ["room-too-few"]
    again = check_room([*views[:3], webcam(room(seed=0), seed=9)], 4)
    assert again.reasons == ["room-alike"]
    assert again.measures["alike"] == [[0, 3]]
    assert check_room([*views[:3], webcam(room(seed=5, light=0.05))], 4).reasons == ["room-too-dark"]


def test_every_reason_has_words_that_say_what_to_do() -> None:
    assert all(len(words) > 20 and words.endswith(".") for words in MESSAGES.values())
