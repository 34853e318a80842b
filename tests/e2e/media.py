"""What the browser's camera shows and its microphone hears.

The camera file is read frame by frame, over and over, while the browser runs. Writing other frames over it changes what
the camera sees, as a candidate does who stands up, calls somebody in or puts a hand over the lens. The scenes are those
of the simulation, which draws from public-domain pictures only.
"""

import wave
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from openproctor.simulation.media import Picture, Sound
from openproctor.simulation.room import WIDTH, view
from openproctor.simulation.scenes import Happening, Scene, Script, camera_frames
from openproctor.simulation.sounds import room_sound
from openproctor.simulation.stills import document_still

RATE = 15
SECONDS = 4
FRAMES = RATE * SECONDS
SIZE = (640, 480)
# a candidate alone sits in the middle; the simulation's leaves room beside them for what else may come
OFF_CENTRE = 58.0
# as small as tells one view from another
THUMBNAIL = (32, 24)
HEADER = f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{RATE}:1 Ip A1:1 C420\n".encode()


class View(StrEnum):
    """What may be before the camera, for four seconds that repeat."""

    PERSON = "person"
    NOBODY = "nobody"
    TWO_PEOPLE = "two people"
    PHONE = "phone"
    BOOKS = "books"
    CARD = "identity card"
    BLACK = "black"
    FROZEN = "frozen"
    ROOM_1 = "room 1"
    ROOM_2 = "room 2"
    ROOM_3 = "room 3"
    ROOM_4 = "room 4"


_HAPPENINGS = {
    View.PERSON: (),
    View.NOBODY: (Happening.AWAY,),
    View.TWO_PEOPLE: (Happening.VISITOR,),
    View.PHONE: (Happening.PHONE,),
    View.BOOKS: (Happening.BOOKS,),
}
ROOM = (View.ROOM_1, View.ROOM_2, View.ROOM_3, View.ROOM_4)


def pictures(what: View) -> list[Picture]:
    """The frames of a view, RGB, 640 x 480."""
    if what in _HAPPENINGS:
        scenes = tuple(Scene(happening, -60, 60) for happening in _HAPPENINGS[what])
        frames = list(camera_frames(Script(SECONDS, scenes)))
        return [_shifted(frame, OFF_CENTRE, 0) for frame in frames] if what is View.PERSON else frames
    if what is View.BLACK:
        return [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)] * FRAMES
    if what is View.FROZEN:
        return [pictures(View.PERSON)[0]] * FRAMES
    if what is View.CARD:
        return _moving(np.asarray(cv2.resize(document_still(), SIZE, interpolation=cv2.INTER_AREA), np.uint8))
    return _moving(view(60 + ROOM.index(what) * WIDTH // len(ROOM)))


def _shifted(picture: Picture, right: float, down: float) -> Picture:
    """The picture moved by some pixels."""
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return np.asarray(cv2.warpAffine(picture, shift, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)


def _moving(picture: Picture) -> list[Picture]:
    """A picture as a hand-held camera with some noise sees it."""
    rng = np.random.default_rng(0)
    frames = []
    for number in range(FRAMES):
        angle = 2 * np.pi * number / FRAMES
        moved = _shifted(picture, 1.5 * np.cos(angle), 1.5 * np.sin(angle))
        grain = rng.normal(0, 2, (SIZE[1] // 2, SIZE[0] // 2, 1)).repeat(2, axis=0).repeat(2, axis=1)
        frames.append(np.clip(moved + grain, 0, 255).astype(np.uint8))
    return frames


@cache
def _frames(what: View) -> bytes:
    return HEADER + b"".join(_y4m(pictures(what)))


def _y4m(frames: Iterable[Picture]) -> Iterable[bytes]:
    for frame in frames:
        yield b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes()


@cache
def thumbnail(what: View) -> npt.NDArray[np.float64]:
    """The first frame of a view, very small: THUMBNAIL grey values, row by row, 0 to 255."""
    first = np.frombuffer(_frames(what), np.uint8, SIZE[0] * SIZE[1], len(HEADER) + len(b"FRAME\n"))
    small = cv2.resize(first.reshape(SIZE[1], SIZE[0]), THUMBNAIL, interpolation=cv2.INTER_AREA)
    return (small.astype(float).ravel() - 16) * 255 / 219


class Camera:
    """A camera file that can be pointed at something else while the browser reads it."""

    def __init__(self, path: Path, what: View = View.PERSON) -> None:
        self.path = path
        self.what = what
        path.write_bytes(_frames(what))

    def show(self, what: View) -> None:
        """From now on this is before the camera."""
        self.what = what
        # over the same bytes: the browser has the file open, and all views are of one length
        with self.path.open("r+b") as file:
            file.write(_frames(what))


def _write_wav(path: Path, blocks: Iterable[Sound]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        for block in blocks:
            file.writeframes((block * 32767).astype("<i2").tobytes())
    return path


def speaking(path: Path) -> Path:
    """Two seconds of a quiet room, then eight of speech, as a WAV file."""
    return _write_wav(path, room_sound(10.0, spoken=((2.0, 10.0),)))


def late(path: Path, after_s: int) -> Path:
    """Ten seconds of speech, but first a quiet room, then a steady tone as loud as speech (a fan, a mains hum)."""
    quiet_s = after_s // 2
    time_s = np.arange(48_000 * (after_s - quiet_s)) / 48_000
    hum = (0.2 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    return _write_wav(path, [*room_sound(quiet_s), hum, *room_sound(10.0, spoken=((0.0, 10.0),))])
