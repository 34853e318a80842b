"""What the pipeline hands out: findings with all that it takes to repeat them."""

from dataclasses import dataclass, field
from typing import Any

from openproctor.analysis.episodes import Tally
from openproctor.analysis.settings import (
    AWAY,
    COVERED,
    FACE_KEEP,
    FACE_MANY,
    FACE_NEW,
    FACE_NONE,
    FACE_ONE,
    FROZEN,
    FROZEN_MOST,
    MISMATCH,
    MISMATCH_OTHER,
    OBJECT_RULES,
    OBSCURED,
    OBSCURED_CONTRAST,
    SPEECH,
    SPEECH_SCORE,
)
from openproctor.catalog import CATALOG
from openproctor.vision.geometry import Image

# the type that says of a state only that it is over, by the type of the state
TWINS: dict[int, int] = {
    ended: entry.id
    for entry in CATALOG.types.values()
    for ended in entry.ends
    if entry.id != FACE_ONE and entry.sources == frozenset({"analysis"})
}
# stands for the twin where the catalog has none: the state's end is known, but no event tells it
NO_TWIN = 0
THRESHOLDS: dict[int, float] = {
    FACE_ONE: FACE_NEW,
    FACE_MANY: FACE_NEW,
    FACE_NONE: FACE_KEEP,
    COVERED: FACE_KEEP,
    OBSCURED: OBSCURED_CONTRAST,
    FROZEN: FROZEN_MOST,
    SPEECH: SPEECH_SCORE,
    AWAY: 0.5,  # half of twice the allowed deviation
    MISMATCH: MISMATCH_OTHER,
    **{type_id: rule.confirm for type_id, rule in OBJECT_RULES.items()},
}


@dataclass(slots=True)
class Finding:
    """A transition. ``at`` is when the state began, in ms since 1970 (of a file: from its start).

    ``ended`` are the states that it ends, as the event's data tells them. ``still`` is the picture that shows it, taken at
    ``still_at``; None for sound. ``data`` fits the event type's schema in the catalog. Type 0 only carries ``ended``: the
    catalog has no event for that end.
    """

    type_id: int
    at: int
    score: float
    data: dict[str, Any]
    ended: list[dict[str, Any]] = field(default_factory=list)
    still: Image | None = field(default=None, repr=False)
    still_at: int | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """The part of a finding's data that says what found it."""

    model: str
    digest: str
    runtime: str


def ended_state(type_id: int, since: int, until: int, tally: Tally) -> dict[str, Any]:
    """A state that is over, as an event's data tells it."""
    return {
        "type_id": type_id,
        "from": since,
        "until": until,
        "length_ms": max(0, until - since),
        "highest_score": round(tally.best, 4),
        "mean_score": tally.mean,
    }


def finding_data(
    type_id: int,
    score: float,
    maker: Maker,
    settings: str,
    frame_time: float,
    inputs: list[str],
    ended: list[dict[str, Any]],
    **more: Any,
) -> dict[str, Any]:
    """Data of an event, to the catalog's schema."""
    data: dict[str, Any] = {
        "score": round(min(max(score, 0.0), 1.0), 4),
        "model": maker.model,
        "model_digest": maker.digest,
        "runtime": maker.runtime,
        "settings": settings,
        "frame_time": round(frame_time, 3),
        **{key: value for key, value in more.items() if value is not None},
    }
    if type_id in THRESHOLDS:
        data.setdefault("threshold", THRESHOLDS[type_id])
    if inputs:
        data["inputs"] = inputs
    if ended:
        data["ended"] = ended
    return data
