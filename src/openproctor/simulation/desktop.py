"""What the candidate's screen shows: a drawn desktop with the exam being answered, and now and then another window."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from openproctor.simulation.layers import as_picture, asset
from openproctor.simulation.media import SCREEN, Picture, TrackFormat
from openproctor.simulation.scenes import Script

_WIDTH, _HEIGHT = 1280, 720
_INK, _SOFT, _LINE, _ACCENT = (28, 32, 40), (96, 104, 118), (214, 219, 228), (32, 86, 160)


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the drawn quiz: choices, or a text to write."""

    text: str
    choices: tuple[str, ...] = ()
    answer: str = ""
    picture: str = ""


QUESTIONS = (
    Question("Which planet has the shortest year?", ("Venus", "Mercury", "Mars", "Neptune"), "Mercury"),
    Question("What is the sum of the angles of a triangle on a plane?", ("90°", "180°", "270°", "360°"), "180°"),
    Question(
        "What does the photographer in this picture stand on?",
        ("Sand", "Grass", "Snow", "A jetty"),
        "Grass",
        "camera.png",
    ),
    Question(
        "Explain in your own words why the seasons change.",
        answer="The axis of the Earth is tilted, so each half of the globe gets more direct sunlight during one part "
        "of the year and less during the other. The distance to the Sun has little to do with it.",
    ),
)
_NOTES = (
    "Astronomy, lecture 4",
    "",
    "- axial tilt 23.4 degrees",
    "- solstice: longest and shortest day",
    "- equinox: day and night equal",
    "- distance to the Sun: closest in January",
    "",
    "Mercury 88 d, Venus 225 d, Earth 365 d, Mars 687 d",
)


@dataclass(frozen=True, slots=True)
class _State:
    question: int
    chosen: bool
    written: int
    other_window: bool


def screen_frames(script: Script, form: TrackFormat = SCREEN, from_s: float = 0.0) -> Iterator[Picture]:
    """Frames of the screen from a moment to the script's end, at the format's rate and size."""
    desk = _Desk(script)
    for number in range(round((script.seconds - from_s) * form.frame_rate)):
        picture = desk.frame(from_s + number / form.frame_rate)
        if picture.shape[:2] != (form.height, form.width):
            picture = as_picture(cv2.resize(picture, (form.width, form.height), interpolation=cv2.INTER_AREA))
        yield picture


class _Desk:
    def __init__(self, script: Script) -> None:
        self._script = script
        self._effort = sum(until - from_s for from_s, until in script.typed)
        self._render = lru_cache(maxsize=4)(_render)

    def frame(self, at: float) -> Picture:
        state = self._state(at)
        picture = self._render(state).copy()
        clock = f"{int(at) // 60:02d}:{int(at) % 60:02d}"
        cv2.putText(picture, clock, (1010, 118), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _INK, 1, cv2.LINE_AA)
        if int(at * 2) % 2 == 0:
            cv2.circle(picture, (840, 113), 6, (204, 40, 48), -1, cv2.LINE_AA)
        _pointer(picture, *self._hand(at, state))
        return picture

    def _state(self, at: float) -> _State:
        """The work grows only while the script says that something is typed."""
        done = sum(max(0.0, min(until, at) - from_s) for from_s, until in self._script.typed if from_s < at)
        share = done / self._effort if self._effort else 0.0
        steps = len(QUESTIONS) - 1
        question = min(steps, int(share * 2 * steps))  # the choices take half of the work, the text the other half
        within = share * 2 * steps - question
        written = 0
        if question == steps:
            written = round(len(QUESTIONS[-1].answer) * min(1.0, (share - 0.5) * 2))
        away = any(from_s <= at < until for from_s, until in self._script.other_window)
        return _State(question, question < steps and within > 0.55, written, away)

    def _hand(self, at: float, state: _State) -> tuple[int, int]:
        busy = any(from_s <= at < until for from_s, until in self._script.typed)
        moment = at if busy else max([until for _, until in self._script.typed if until <= at], default=0.0)
        base = (640, 420) if state.other_window else (330, 330 + 20 * state.question)
        return round(base[0] + 150 * np.sin(0.8 * moment)), round(base[1] + 90 * np.sin(1.1 * moment + 1))


def _render(state: _State) -> Picture:
    image = Image.fromarray(_wallpaper().copy())
    draw = ImageDraw.Draw(image)
    _browser(draw, image, state)
    if state.other_window:
        _notes(draw)
    draw.rectangle((0, 684, _WIDTH, _HEIGHT), fill=(30, 36, 48))
    for number, colour in enumerate(((90, 150, 220), (240, 190, 90), (120, 190, 130))):
        draw.rounded_rectangle((16 + 48 * number, 690, 46 + 48 * number, 714), 5, fill=colour)
        if number == int(state.other_window):
            draw.rectangle((20 + 48 * number, 716, 42 + 48 * number, 718), fill=(255, 255, 255))
    return as_picture(np.asarray(image))


def _browser(draw: ImageDraw.ImageDraw, image: Image.Image, state: _State) -> None:
    draw.rounded_rectangle((40, 24, 1240, 672), 10, fill=(255, 255, 255), outline=(120, 128, 140))
    draw.rounded_rectangle((40, 24, 1240, 92), 10, fill=(226, 230, 237))
    draw.rounded_rectangle((56, 30, 250, 60), 8, fill=(255, 255, 255))
    draw.text((70, 36), "Sample exam", _INK, _font(15))
    draw.rounded_rectangle((150, 63, 1000, 87), 12, fill=(255, 255, 255))
    draw.text((166, 67), "https://exams.example.edu/room", _SOFT, _font(13))
    draw.rectangle((41, 92, 1239, 132), fill=(246, 248, 251))
    draw.text((64, 102), "Sample exam", _INK, _font(17))
    draw.text((856, 104), "Recording", _SOFT, _font(14))
    draw.rounded_rectangle((1120, 98, 1220, 126), 6, fill=_ACCENT)
    draw.text((1146, 103), "Finish", (255, 255, 255), _font(15))
    draw.line((41, 132, 1239, 132), _LINE)
    for number in range(len(QUESTIONS)):
        now, done = number == state.question, number < state.question
        fill = _ACCENT if now else (208, 224, 244) if done else (240, 242, 246)
        draw.rounded_rectangle((64, 156 + 44 * number, 104, 190 + 44 * number), 6, fill=fill)
        draw.text((79, 163 + 44 * number), str(number + 1), (255, 255, 255) if now else _INK, _font(16))
    question = QUESTIONS[state.question]
    draw.text((140, 158), f"Question {state.question + 1} of {len(QUESTIONS)}", _SOFT, _font(15))
    draw.text((140, 186), question.text, _INK, _font(23))
    if question.picture:
        image.paste(Image.fromarray(asset(question.picture)).resize((300, 300)), (860, 240))
    for number, choice in enumerate(question.choices):
        y = 250 + 52 * number
        right = state.chosen and choice == question.answer
        draw.rounded_rectangle((140, y, 640, y + 42), 6, outline=_ACCENT if right else _LINE, width=2 if right else 1)
        draw.ellipse((156, y + 13, 172, y + 29), outline=_SOFT, width=2)
        if right:
            draw.ellipse((160, y + 17, 168, y + 25), fill=_ACCENT)
        draw.text((186, y + 11), choice, _INK, _font(17))
    if not question.choices:
        draw.rounded_rectangle((140, 250, 1180, 480), 6, outline=_ACCENT, width=2)
        for row, line in enumerate(_wrapped(question.answer[: state.written] + "|", 100)):
            draw.text((156, 264 + 28 * row), line, _INK, _font(18))


def _notes(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((360, 150, 1120, 650), 8, fill=(252, 251, 244), outline=(90, 90, 90), width=2)
    draw.rounded_rectangle((360, 150, 1120, 188), 8, fill=(70, 78, 92))
    draw.text((380, 159), "Notes - astronomy.txt", (240, 240, 240), _font(16))
    for row, line in enumerate(_NOTES):
        draw.text((390, 210 + 32 * row), line, _INK, _font(19))


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def _pointer(picture: Picture, x: int, y: int) -> None:
    outline = ((0, 0), (0, 20), (5, 15), (9, 23), (12, 22), (8, 14), (15, 14))
    arrow = np.array([(x + dx, y + dy) for dx, dy in outline], np.int32)
    cv2.fillPoly(picture, [arrow], (255, 255, 255), cv2.LINE_AA)
    cv2.polylines(picture, [arrow], True, (20, 20, 20), 1, cv2.LINE_AA)


@lru_cache(maxsize=1)
def _wallpaper() -> Picture:
    y = np.linspace(0, 1, _HEIGHT)[:, None, None]
    x = np.linspace(0, 1, _WIDTH)[None, :, None]
    colour = np.array([46, 92, 128]) * (1 - y) + np.array([110, 158, 168]) * y + 14 * np.sin(3 * x + 2 * y)
    return as_picture(np.clip(colour, 0, 255))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
