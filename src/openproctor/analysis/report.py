"""What a check found, for people and for programs."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from openproctor.catalog import CATALOG

_WORDS = {
    "missing": "in the log, not found again",
    "new": "found again, not in the log",
    "changed": "differs",
}


@dataclass(slots=True)
class Difference:
    """``what`` is ``missing`` (in the log, not made again), ``new`` (made again, not in the log) or ``changed``; ``fields``
    maps what differs to the log's value and today's."""

    what: str
    type_id: int
    at: int
    fields: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """What came out. ``notes`` say under what other conditions the findings were made, ``deviations`` how far the numbers
    that lie within the tolerance differ."""

    session_id: str
    compared: int = 0
    chunks: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tolerant: bool = False
    deviations: dict[str, float] = field(default_factory=dict)
    runtime: str = ""

    @property
    def same(self) -> bool:
        """Whether everything was found again."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "session_id": self.session_id,
            "same": self.same,
            "compared": self.compared,
            "chunks": self.chunks,
            "runtime": self.runtime,
            "notes": self.notes,
            "deviations": self.deviations,
            "differences": [{"name": CATALOG.name(one.type_id), **asdict(one)} for one in self.differences],
        }

    def as_text(self) -> str:
        """For people: the verdict first."""
        what = f"session {self.session_id}, {_count(self.chunks, 'chunk')}, {_count(self.compared, 'finding')}"
        if self.same:
            lines = [f"SAME: {what}: the analysis finds the same again."]
        else:
            lines = [f"DIFFERENT: {what}: {_count(len(self.differences), 'difference')}."]
        lines += self.notes
        if self.deviations:
            told = [f"{kind} by up to {most:g}" for kind, most in sorted(self.deviations.items())]
            lines.append(f"Within the tolerance of another runtime: {', '.join(told)}.")
        lines += [line for one in self.differences for line in _difference(one)]
        return "\n".join(lines)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _difference(one: Difference) -> list[str]:
    at = datetime.fromtimestamp(one.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    head = f"  {at} UTC  {CATALOG.name(one.type_id)} ({one.type_id}): {_WORDS[one.what]}"
    return [head, *(f"    {name}: {before} in the log, {now} now" for name, (before, now) in one.fields.items())]
