"""The rules of the checks on stills of the face, the document and the room. Pure: pictures in, a verdict out.

Limits are lenient: a still that a person could use passes, because a false refusal locks an honest candidate out,
while a poor still that passes is still seen by a reviewer. Every refusal says what to change.
"""

from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from openproctor.vision.documents import Card, find_cards, glare_share, print_share
from openproctor.vision.faces import Face, FaceDetector
from openproctor.vision.geometry import Image
from openproctor.vision.objects import ObjectDetector
from openproctor.vision.pose import FaceMesh
from openproctor.vision.quality import change, hash_distance, measure, perceptual_hash, thumbnail

# Each limit with its reason. Light is 0 to 255, shares 0 to 1, angles in degrees.
FACE_SCORE = 0.6  # below this the detector also sees faces in curtains (1 of 122 pictures without people at 0.6)
FAINT_FACE = 0.3  # far faces score low; this is only for telling the candidate to come nearer
OTHER_FACE = 0.25  # a second face counts from this share of the first one's height: not a stamp on the wall
FACE_HEIGHT = 0.14  # share of the picture; at arm's length it is 0.3 to 0.5, at two metres 0.12
FACE_PIXELS = 56  # a face with fewer pixels across cannot be compared with anything
FACE_CUT = 0.15  # share of the face outside the picture
FACE_SIDE = 128  # pixels of the face at which its sharpness is measured
FACE_SHARPNESS = 0.003  # a blur of 2 % of the face's width; webcams in focus measure 0.008 and more
FACE_DARK = 32.0  # dark skin in a lit room measures 50 and more; below this even bright skin is a silhouette
FACE_BRIGHT = 235.0
FACE_BURNT = 0.35  # share of the face that is burnt out
YAW, ROLL = 28.0, 35.0
PITCH = (-36.0, 36.0)  # wide: laptop cameras look from below, and the measure itself is off by up to 13
DOCUMENT_SHARE = 0.055  # share of the picture; a card half an arm away fills 0.08
DOCUMENT_SHARPNESS = 0.006  # measured on the card 384 pixels across; readable print measures 0.015 and more
DOCUMENT_SIDE = 384
DOCUMENT_DARK, DOCUMENT_BRIGHT = 30.0, 250.0
DOCUMENT_GLARE = 0.05  # share of the document under one burnt-out spot: a word or an eye is lost
DOCUMENT_PRINT = 0.12  # share of the document that holds print; a blank sheet or a table top has 0.0 to 0.08
DOCUMENT_FACE_SCORE = 0.5  # a printed face is small and flat
DOCUMENT_FACE = (0.07, 0.5)  # its width over the document's long side: passports 0.2, cards 0.15 to 0.3
USUAL_FACE = (0.11, 0.31)
# A picture's largest face is the holder's, unless it is the only one, sits in an outline as clean as this, and no body
# reaches out of it: the bust on a photo ends at the photo's edge.
ALONE_SUPPORT, ALONE_WORST = 0.7, 0.4
PERSON_SCORE, BODY_INSIDE = 0.3, 0.7
ROOM_DARK = 18.0
ROOM_CHANGE = 7.0  # mean difference of two 64 x 48 thumbnails; turning the camera by 20 degrees gives 20 and more
ROOM_HASH = 6  # bits of 64 that must differ as well

MESSAGES = {
    "no-face": "No face was found. Look at the camera, with light on your face and nothing in front of it.",
    "several-faces": "More than one face is in the picture. Only you may be in view, also on pictures behind you.",
    "face-too-small": "Your face is too small. Come nearer to the camera.",
    "face-cut-off": "Your face is not whole in the picture. Move to the middle or back a little.",
    "face-blurred": "The picture is blurred. Hold still, wipe the camera's lens and take it again.",
    "face-too-dark": "Your face is too dark. Turn on a light in front of you, or turn away from a bright window.",
    "face-too-bright": "Your face is too bright. Turn away from the lamp or the sun.",
    "face-turned": "Your face is turned away. Look straight into the camera.",
    "face-tilted": "Your head is tilted. Hold it upright.",
    "no-document": "No document was found. Hold it flat before the camera with all four edges in view.",
    "document-too-small": "The document is too far away. Hold it nearer: it should fill a quarter of the picture.",
    "document-blurred": "The document is not sharp. Hold it still, a little further away, and wait for the focus.",
    "document-glare": "Light is reflected on the document. Tilt it a little, or move it away from the lamp.",
    "document-too-dark": "The document is too dark. Turn on a light in front of you.",
    "document-too-bright": "The document is too bright. Move it away from the lamp.",
    "document-no-face": "No document with a photo was found. Show the side with your photo, all four edges in view.",
    "room-too-few": "There are not enough pictures of the room.",
    "room-alike": "Some pictures show the same view. Turn the camera further between two pictures.",
    "room-too-dark": "Some pictures are too dark. Turn on a light.",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Verdict of a check. ``messages`` has the words for each of ``reasons``; ``measures`` are for the record."""

    passed: bool
    reasons: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    measures: dict[str, Any] = field(default_factory=dict)


def _result(reasons: list[str], measures: dict[str, Any]) -> CheckResult:
    return CheckResult(not reasons, reasons, [MESSAGES[reason] for reason in reasons], measures)


@cache
def _faces() -> FaceDetector:
    return FaceDetector()


@cache
def _objects() -> ObjectDetector:
    return ObjectDetector()


@cache
def _mesh() -> FaceMesh:
    return FaceMesh()


def check_face(image: Image) -> CheckResult:
    """Exactly one face, large, sharp, lit and facing forward. ``image``: BGR, height x width x 3."""
    height, width = image.shape[:2]
    found = _faces().find(image, FACE_SCORE)
    if not found:
        light = measure(image)
        faint = _faces().find(image, FAINT_FACE)
        if light.brightness < FACE_DARK:
            reason = "face-too-dark"
        elif faint and faint[0].box.height < FACE_HEIGHT * height:
            reason = "face-too-small"
        else:
            reason = "no-face"
        return _result([reason], {"faces": 0, "brightness": light.brightness})
    main = max(found, key=lambda face: face.box.area)
    others = [face for face in found if face is not main and face.box.height >= OTHER_FACE * main.box.height]
    pose = _mesh().pose(image, main)
    inside = main.box.clipped(width, height)
    light = measure(image, inside, FACE_SIDE, enlarge=True)
    measures = {
        "faces": 1 + len(others),
        "score": main.score,
        "box": main.box.fractions(width, height),
        "height": round(main.box.height / height, 4),
        "brightness": light.brightness,
        "sharpness": light.sharpness,
        "burnt": light.glare,
        "yaw": pose.yaw,
        "pitch": pose.pitch,
        "roll": pose.roll,
    }
    reasons = []
    if others:
        reasons.append("several-faces")
    if main.box.height < FACE_HEIGHT * height or main.box.width < FACE_PIXELS:
        reasons.append("face-too-small")
    elif inside.area < (1 - FACE_CUT) * main.box.area:
        reasons.append("face-cut-off")
    # what light or a turn already explains is not also called blurred
    if light.brightness < FACE_DARK:
        reasons.append("face-too-dark")
    elif light.brightness > FACE_BRIGHT or light.glare > FACE_BURNT:
        reasons.append("face-too-bright")
    elif light.sharpness < FACE_SHARPNESS:
        reasons.append("face-blurred")
    if abs(pose.yaw) > YAW or not PITCH[0] <= pose.pitch <= PITCH[1]:
        reasons.append("face-turned")
    elif abs(pose.roll) > ROLL:
        reasons.append("face-tilted")
    return _result(reasons, measures)


def check_document(image: Image, require_face: bool = True) -> CheckResult:
    """A document that fills enough of the picture, sharp, without glare, with a photo on it if required.

    The holder's own face is no document's face: it is looked for inside the document's outline, on the flattened card.
    """
    faces = _faces().find(image, FACE_SCORE)
    cards = find_cards(image)
    found = _document(image, cards, faces)
    if found is None:
        light = measure(image)
        reason = "document-too-dark" if light.brightness < DOCUMENT_DARK else "no-document"
        return _result([reason], {"outlines": len(cards), "faces": len(faces), "brightness": light.brightness})
    card, flat, share, photo = found
    light = measure(flat, side=DOCUMENT_SIDE)
    glare = glare_share(flat)
    measures = {
        "outlines": len(cards),
        "faces": len(faces),
        "area": card.area,
        "support": card.support,
        "box": card.box.fractions(image.shape[1], image.shape[0]),
        "brightness": light.brightness,
        "sharpness": light.sharpness,
        "glare": glare,
        "print": share,
        "face_score": photo.score if photo else 0.0,
    }
    reasons = []
    if card.area < DOCUMENT_SHARE:
        reasons.append("document-too-small")
    if light.brightness < DOCUMENT_DARK:
        reasons.append("document-too-dark")
    elif light.brightness > DOCUMENT_BRIGHT:
        reasons.append("document-too-bright")
    elif light.sharpness < DOCUMENT_SHARPNESS:
        reasons.append("document-blurred")
    if glare > DOCUMENT_GLARE:
        reasons.append("document-glare")
    if require_face and photo is None:
        reasons.append("document-no-face")
    return _result(reasons, measures)


def _document(image: Image, cards: list[Card], faces: list[Face]) -> tuple[Card, Image, float, Face | None] | None:
    """The outline that is the document, flattened, its share of print, and the photo on it.

    One with a photo comes first, else the best one without the holder's head in it.
    """
    holder = max(faces, key=lambda face: face.box.area, default=None)
    flats = [(card, card.flattened(image)) for card in cards]
    printed = [(card, flat, print_share(flat)) for card, flat in flats]
    printed = [entry for entry in printed if entry[2] >= DOCUMENT_PRINT]
    apart = [entry for entry in printed if holder is None or not entry[0].holds(holder.box.centre)]
    photos = [(*entry, _photo(entry[1])) for entry in apart]
    with_photo = [entry for entry in photos if entry[3] is not None]
    if with_photo:
        # a part of the document, or something round it, shows the photo too, but not at its usual size
        return max(with_photo, key=lambda entry: _usual_size(entry[1], entry[3]))
    for card, flat, share in printed:
        if holder is None or not card.holds(holder.box.centre):
            continue
        clean = card.support >= ALONE_SUPPORT and card.worst >= ALONE_WORST
        if len(faces) > 1:
            photo = _photo(flat, other_than=card.place(holder.box.centre))
        elif clean and not _has_body(image, holder, card):
            photo = _photo(flat)
        else:
            photo = None
        if photo is not None:
            return card, flat, share, photo
    return (*apart[0], None) if apart else None


def _photo(flat: Image, other_than: tuple[float, float] | None = None) -> Face | None:
    """The printed face on a flattened document, whichever way it was held; not the one at ``other_than``."""
    for turns in range(4 if other_than is None else 1):
        turned = np.ascontiguousarray(np.rot90(flat, turns))
        for face in _faces().find(turned, DOCUMENT_FACE_SCORE):
            whole = face.box.clipped(turned.shape[1], turned.shape[0]).area >= 0.9 * face.box.area
            fits = DOCUMENT_FACE[0] <= face.box.width / max(flat.shape[:2]) <= DOCUMENT_FACE[1]
            if whole and fits and (other_than is None or not _same(face, other_than)):
                return face
    return None


def _usual_size(flat: Image, photo: Face | None) -> bool:
    return photo is not None and USUAL_FACE[0] <= photo.box.width / max(flat.shape[:2]) <= USUAL_FACE[1]


def _has_body(image: Image, face: Face, card: Card) -> bool:
    """Whether a face belongs to somebody who reaches beyond the outline: then it is the holder's, not a photo's."""
    x, y = face.box.centre
    people = _objects().find(image, PERSON_SCORE, ("person",))
    return any(
        one.box.left < x < one.box.right
        and one.box.top < y < one.box.bottom
        and (
            one.box.overlap(card.box) < BODY_INSIDE * one.box.area
            or one.box.bottom - card.box.bottom > 0.3 * face.box.height
        )
        for one in people
    )


def _same(face: Face, place: tuple[float, float]) -> bool:
    """Whether a face found on the flattened card lies at a place of it."""
    x, y = face.box.centre
    return abs(x - place[0]) < 0.5 * face.box.width and abs(y - place[1]) < 0.5 * face.box.height


def check_room(images: list[Image], minimum: int) -> CheckResult:
    """At least ``minimum`` pictures, lit, and each of a different view."""
    lights = [measure(image).brightness for image in images]
    thumbs = [thumbnail(image) for image in images]
    hashes = [perceptual_hash(image) for image in images]
    alike = [
        [one, two]
        for one, two in combinations(range(len(images)), 2)
        if change(thumbs[one], thumbs[two]).mean < ROOM_CHANGE or hash_distance(hashes[one], hashes[two]) < ROOM_HASH
    ]
    reasons = []
    if len(images) < minimum:
        reasons.append("room-too-few")
    if any(light < ROOM_DARK for light in lights):
        reasons.append("room-too-dark")
    elif alike:
        reasons.append("room-alike")
    return _result(reasons, {"pictures": len(images), "minimum": minimum, "brightness": lights, "alike": alike})
