"""Accommodations: what the analysis does not look for, or less strictly, at one candidate, and why.

A candidate with tics, an interpreter at their side or a screen reader that speaks does nothing that anybody should look at.
An accommodation says so beforehand; the candidate's page shows nothing of it.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from openproctor.errors import Problem

# event types that an accommodation can be about, by the policy's name of what finds them
DETECTOR_TYPES: dict[str, tuple[int, ...]] = {
    "faces": (16, 81),
    "face_covered": (1041,),
    "looking_away": (1042,),
    "face_mismatch": (1040,),
    "objects": (169, 170),
    "laptop": (1045,),
    "camera_obscured": (1043,),
    "camera_frozen": (1044,),
    "speech": (1046,),
    "virtual_camera": (1047,),
}
TYPES = tuple(sorted(type_id for types in DETECTOR_TYPES.values() for type_id in types))
# "relaxed" without a factor: what is looked for must last three times as long
RELAXED = 3.0
MOST = 20  # of one candidate

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class NewAccommodation(BaseModel):
    """An accommodation: what (``type_ids`` or a ``detector`` of the policy), how, and why.

    ``off``: it is not looked for. ``relaxed``: it must last ``factor`` times as long, at least that many seconds, and be
    seen more surely.
    """

    model_config = ConfigDict(extra="forbid")

    type_ids: list[int] | None = Field(None, min_length=1, max_length=len(TYPES))
    detector: str | None = Field(None, max_length=40)
    what: Literal["off", "relaxed"]
    factor: float | None = Field(None, ge=1.1, le=20)
    reason: Reason

    @field_validator("reason")
    @classmethod
    def _plain(cls, reason: str) -> str:
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in reason):
            raise ValueError("control characters are no part of a reason")
        return reason

    @model_validator(mode="after")
    def _one_of_two(self) -> "NewAccommodation":
        if (self.type_ids is None) == (self.detector is None):
            raise ValueError("expected either type_ids or detector")
        if self.factor is not None and self.what == "off":
            raise ValueError("a factor goes with relaxed only")
        return self


@dataclass(frozen=True, slots=True)
class Author:
    """Who grants an accommodation; ``person_id`` is None for an API key."""

    name: str
    person_id: str | None


def granted(
    wanted: list[NewAccommodation], author: Author, at: int, before: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Accommodations as they are kept; one that was there ``before`` keeps its author and time (``at``, ms since 1970).

    Raises :class:`Problem` 422 for a type or detector that no accommodation can be about, and for a type named twice.
    """
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    for place, one in enumerate(wanted):
        types = _types(one, place)
        twice = sorted(seen & set(types))
        if twice:
            raise Problem(
                422,
                "accommodation-twice",
                "A type is named twice",
                f"Type {twice[0]} is in more than one accommodation.",
            )
        seen |= set(types)
        kept: dict[str, Any] = {"type_ids": types, "what": one.what, "reason": one.reason}
        if one.what == "relaxed":
            kept["factor"] = one.factor or RELAXED
        old = next((other for other in before if all(other.get(name) == kept.get(name) for name in _SAME)), None)
        new = {"by": author.name[:200], "person": author.person_id, "at": at}
        found.append({**kept, **({name: old[name] for name in new} if old else new)})
    return found


_SAME = ("type_ids", "what", "reason", "factor")


def _types(one: NewAccommodation, place: int) -> list[int]:
    if one.detector is not None:
        types = DETECTOR_TYPES.get(one.detector)
        if types is None:
            raise _unknown(place, f"{one.detector!r} is no detector", ", ".join(DETECTOR_TYPES))
        return list(types)
    wanted = sorted(set(one.type_ids or ()))
    unknown = [type_id for type_id in wanted if type_id not in TYPES]
    if unknown:
        raise _unknown(place, f"No accommodation can be about type {unknown[0]}", ", ".join(map(str, TYPES)))
    return wanted


def _unknown(place: int, detail: str, known: str) -> Problem:
    return Problem(
        422,
        "unknown-finding-type",
        "There is nothing to accommodate",
        f"accommodations/{place}: {detail}.",
        what_to_do=f"Use one of {known}.",
    )
