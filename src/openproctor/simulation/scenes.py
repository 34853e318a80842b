"""What the candidate's camera sees: a person in a room, and what happens there, by a script.

Composed from public-domain pictures and drawings; the same seed gives the same frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np

from openproctor.simulation.layers import as_picture, person, visitor
from openproctor.simulation.media import CAMERA, Picture, TrackFormat
from openproctor.simulation.props import books, phone
from openproctor.simulation.room import view

_MOVE_S = 0.9  # how long coming and going take
_NOISE_FRAMES = 7


class Happening(StrEnum):
    """What may happen before the camera."""

    AWAY = "away"
    VISITOR = "visitor"
    PHONE = "phone"
    BOOKS = "books"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that happens from one moment to another, seconds from the recorder's start."""

    what: Happening
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Script:
    """A whole sitting. ``spoken`` and ``typed`` are heard, and seen on the screen."""

    seconds: float
    scenes: tuple[Scene, ...] = ()
    spoken: tuple[tuple[float, float], ...] = ()
    typed: tuple[tuple[float, float], ...] = ()
    other_window: tuple[tuple[float, float], ...] = ()
    seed: int = 0
    view_at: int = field(default=60)

    def share(self, what: Happening, at: float) -> float:
        """How far a happening is in the picture at a moment: 0 not at all, 1 wholly, between while it comes or goes."""
        share = 0.0
        for scene in self.scenes:
            if scene.what is what and scene.from_s - _MOVE_S < at < scene.until_s + _MOVE_S:
                coming = (at - scene.from_s) / _MOVE_S + 1
                going = (scene.until_s - at) / _MOVE_S + 1
                share = max(share, min(1.0, coming, going))
        return float(0.5 - 0.5 * np.cos(np.pi * share))


def camera_frames(script: Script, form: TrackFormat = CAMERA, from_s: float = 0.0) -> Iterator[Picture]:
    """Frames of the camera from a moment to the script's end, at the format's rate and size."""
    painter = _Painter(script)
    for number in range(round((script.seconds - from_s) * form.frame_rate)):
        picture = painter.frame(from_s + number / form.frame_rate, number)
        if picture.shape[:2] != (form.height, form.width):
            picture = as_picture(cv2.resize(picture, (form.width, form.height), interpolation=cv2.INTER_AREA))
        yield picture


def camera_frame(script: Script, at_s: float) -> Picture:
    """One frame, 640 x 480."""
    return _Painter(script).frame(at_s, round(at_s * 15))


class _Painter:
    def __init__(self, script: Script) -> None:
        self._script = script
        rng = np.random.default_rng(script.seed)
        self._room = as_picture(cv2.GaussianBlur(view(script.view_at), (0, 0), 2.0))  # out of focus, as behind a person
        self._sway = rng.uniform(0, 2 * np.pi, 6)
        grain = rng.normal(0, 1.5, (_NOISE_FRAMES, 240, 320)).astype(np.float32)
        grains = [np.round(cv2.resize(g, (640, 480), interpolation=cv2.INTER_NEAREST)) for g in grain]
        self._lighter = [cv2.merge([as_picture(np.clip(g, 0, 255))] * 3) for g in grains]
        self._darker = [cv2.merge([as_picture(np.clip(-g, 0, 255))] * 3) for g in grains]

    def frame(self, at: float, number: int) -> Picture:
        script, sway = self._script, self._sway
        picture = self._room
        visiting = script.share(Happening.VISITOR, at)
        if visiting > 0:
            x = 760 - 220 * visiting + 4 * np.sin(1.1 * at + sway[0])
            picture = visitor(350).laid_on(picture, (x, 320 + 3 * np.sin(0.7 * at)), 1.0, 1.5 * np.sin(0.6 * at))
        away = script.share(Happening.AWAY, at)
        if away < 1:
            x = 262 - 560 * away + 9 * np.sin(0.53 * at + sway[1]) + 3 * np.sin(1.9 * at + sway[2])
            y = 284 + 30 * np.sin(np.pi * away) + 4 * np.sin(0.9 * at + sway[3])
            size = 1.0 + 0.018 * np.sin(0.31 * at + sway[4])
            turn = 1.2 * np.sin(0.43 * at + sway[5]) - 6 * np.sin(np.pi * away)
            shrink = 1 - 0.03 * (0.5 + 0.5 * np.sin(0.37 * at))
            picture = person(420).laid_on(picture, (float(x), float(y)), float(size), float(turn), float(shrink))
        for what, layer, low, high in (
            (Happening.PHONE, phone, 640, 318),
            (Happening.BOOKS, books, 620, 394),
        ):
            shown = script.share(what, at)
            if shown > 0:
                centre = (488 + 3 * np.sin(1.3 * at), low + (high - low) * shown + 2 * np.sin(2.1 * at))
                turn = 7 + 1.5 * np.sin(0.9 * at) if what is Happening.PHONE else 0.0
                picture = layer(245 if what is Happening.PHONE else 200).laid_on(picture, centre, 1.0, float(turn))
        gain = (1 + 0.025 * np.sin(0.21 * at)) * (1 - 0.93 * script.share(Happening.DARK, at))
        lit = cv2.convertScaleAbs(picture, alpha=float(gain))
        grain = number % _NOISE_FRAMES
        return as_picture(cv2.subtract(cv2.add(lit, self._lighter[grain]), self._darker[grain]))
