"""Places in the picture that are remembered: what they looked like, and which of them turned out to hold nothing."""

import base64
from collections.abc import Sequence
from math import ceil
from typing import Any

import cv2
import numpy as np

from openproctor.analysis.looks import Found
from openproctor.analysis.settings import (
    DISMISS_CHANGE,
    DISMISS_FIRST,
    DISMISS_HOPELESS,
    DISMISS_KEPT,
    DISMISS_MOST,
    DISMISS_NEAR,
    DISMISS_NEWS,
    DISMISS_RISE,
    DISMISS_SOON,
)
from openproctor.vision.geometry import Floats, Image

HOPEFUL = 0.325  # score of a second look from which a place is soon looked at again


class Dismissals:
    """Places of suspects that turned out to be nothing. They rest for a while, longer each time, and further as long as
    nothing in them changes."""

    def __init__(self, judged_together: set[str]) -> None:
        """``judged_together``: labels that one second look is about."""
        self._together = judged_together
        self._entries: list[dict[str, Any]] = []

    def awake(self, seen: list[Found], at: int, thumb: Image | None) -> list[Found]:
        """Those of some suspects that are not in a place that rests. ``at`` in ms, ``thumb`` the thumbnail of the picture."""
        resting = [
            old for old in self._entries if any(self._covers(old, found) for found in seen) and _rests(old, at, thumb)
        ]
        places = [self._place(found, resting) for found in seen]
        for old in places:
            if old is not None and at >= old["until"]:
                # its time is over, but there is nothing new to see in it: it rests on, twice as long
                old["wait"] = min(DISMISS_MOST, old["wait"] * 2)
                old["until"] = at + old["wait"]
        return [found for found, old in zip(seen, places, strict=True) if old is None]

    def add(self, found: Found, at: int, opinion: float = 1.0, thumb: Image | None = None) -> None:
        """Remember a suspect's place, of which the second look had this opinion (0 to 1)."""
        wait, score = DISMISS_FIRST * (2 if opinion < DISMISS_HOPELESS else 1), found.score
        wait = DISMISS_SOON if opinion >= HOPEFUL else wait
        kept = []
        for old in self._entries:
            covers = self._covers(old, found)
            if covers:
                wait = min(DISMISS_MOST, max(wait, old["wait"] * 2))
                score = max(score, old["score"])
            # what moves, as the candidate's own shoulder does, is remembered in several positions
            if at < old["until"] + DISMISS_MOST and not (covers and _alike(old, thumb)):
                kept.append(old)
        entry = {"label": found.label, "box": list(found.box), "score": score, "wait": wait, "until": at + wait}
        seen = appearance(thumb, found.box) if thumb is not None else None
        self._entries = [*kept, entry | {"print": seen, "hopeless": opinion < DISMISS_HOPELESS}][-DISMISS_KEPT:]

    def _place(self, found: Found, resting: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The resting place in which this is seen, unless it is far surer now."""
        covering = (old for old in resting if self._covers(old, found) and found.score < old["score"] + DISMISS_RISE)
        return next(covering, None)

    def _covers(self, old: dict[str, Any], found: Found) -> bool:
        """Whether what was dismissed is this."""
        same = old["label"] == found.label or {old["label"], found.label} <= self._together
        return same and found.near(Found(old["label"], 0.0, tuple(old["box"])), DISMISS_NEAR)

    def dump(self) -> list[dict[str, Any]]:
        """As JSON."""
        return self._entries

    def restore(self, raw: list[dict[str, Any]]) -> None:
        """Take over what was dumped."""
        self._entries = raw


def appearance(thumb: Image, box: Sequence[float]) -> str:
    """What a place (shares of the picture) of a thumbnail looks like: 8 x 8 grey values, base64."""
    rows, columns = thumb.shape
    left, top = int(box[0] * columns), int(box[1] * rows)
    part = thumb[top : max(top + 1, ceil(box[3] * rows)), left : max(left + 1, ceil(box[2] * columns))]
    return base64.b64encode(cv2.resize(part, (8, 8), interpolation=cv2.INTER_AREA).tobytes()).decode()


def difference(before: str, thumb: Image, box: Sequence[float]) -> Floats:
    """By how many light levels the 64 parts of a place differ from what it looked like before."""
    texts = (before, appearance(thumb, box))
    one, two = (np.frombuffer(base64.b64decode(text), dtype=np.uint8).astype(np.float32) for text in texts)
    return np.asarray(np.abs(one - two), dtype=np.float32)


def _rests(old: dict[str, Any], at: int, thumb: Image | None) -> bool:
    """Whether a place that was dismissed rests still: its time is not over and nothing else is there now, or it is hopeless
    and nothing in it has changed."""
    if at < old["until"]:
        return _alike(old, thumb)
    if thumb is None or not old["print"] or not old["hopeless"]:
        return False
    return bool(difference(old["print"], thumb, old["box"]).max() <= DISMISS_CHANGE)


def _alike(old: dict[str, Any], thumb: Image | None) -> bool:
    """Whether a place looks much as it did when it was dismissed; True where that is not known."""
    if thumb is None or not old["print"]:
        return True
    return bool(difference(old["print"], thumb, old["box"]).mean() <= DISMISS_NEWS)
