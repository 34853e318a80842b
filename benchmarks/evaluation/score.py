"""Findings against truths: per episode, per half second, delay, false ones an hour, CPU."""

from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.evaluation.scenes import Truth

GRACE = 2.0  # s by which the edges of an episode may differ
STEP = 0.5  # s


@dataclass(frozen=True, slots=True)
class Found:
    """A state that the analysis found: seconds; ``raised`` is when its finding was written."""

    type_id: int
    from_s: float
    until_s: float
    raised: float


@dataclass(slots=True)
class Tally:
    """Counts of one event type."""

    true: int = 0
    false: int = 0
    missed: int = 0
    frames_true: int = 0
    frames_false: int = 0
    frames_missed: int = 0
    delays: list[float] = field(default_factory=list)

    def row(self, hours: float) -> dict[str, float | int | None]:
        """Precision, recall and F1 by episode and by half second, delay in s, false ones an hour."""
        return {
            "episodes": self.true + self.missed,
            "precision": ratio(self.true, self.true + self.false),
            "recall": ratio(self.true, self.true + self.missed),
            "f1": ratio(2 * self.true, 2 * self.true + self.false + self.missed),
            "frame_f1": ratio(2 * self.frames_true, 2 * self.frames_true + self.frames_false + self.frames_missed),
            "delay_s": round(sorted(self.delays)[len(self.delays) // 2], 2) if self.delays else None,
            "delay_worst_s": round(max(self.delays), 2) if self.delays else None,
            "false_per_hour": round(self.false / hours, 2) if hours else None,
        }


def ratio(part: float, whole: float) -> float | None:
    """A share, None of nothing."""
    return round(part / whole, 4) if whole else None


class Score:
    """Adds up sittings."""

    def __init__(self) -> None:
        self.types: defaultdict[int, Tally] = defaultdict(Tally)
        self.seconds = 0.0
        self.cpu = 0.0

    def add(self, truths: list[Truth], found: list[Found], seconds: float, cpu: float, watched: set[int]) -> None:
        """One sitting; only types in ``watched`` count."""
        self.seconds += seconds
        self.cpu += cpu
        for type_id in watched:
            mine = [truth for truth in truths if truth.type_id == type_id]
            theirs = [one for one in found if one.type_id == type_id]
            tally = self.types[type_id]
            matched: set[int] = set()
            for truth in mine:
                hits = [
                    index
                    for index, one in enumerate(theirs)
                    if one.from_s < truth.until_s + GRACE and one.until_s > truth.from_s - GRACE
                ]
                if hits:
                    tally.true += 1
                    tally.delays.append(max(0.0, theirs[hits[0]].raised - truth.from_s))
                    matched |= set(hits)
                else:
                    tally.missed += 1
            tally.false += len(theirs) - len(matched)
            for step in range(int(seconds / STEP)):
                at = (step + 0.5) * STEP
                there = any(truth.from_s <= at <= truth.until_s for truth in mine)
                seen = any(one.from_s <= at <= one.until_s for one in theirs)
                tally.frames_true += there and seen
                tally.frames_false += seen and not there
                tally.frames_missed += there and not seen

    @property
    def hours(self) -> float:
        return self.seconds / 3600

    def table(self) -> dict[str, dict[str, float | int | None]]:
        """A row for each type."""
        return {str(type_id): tally.row(self.hours) for type_id, tally in sorted(self.types.items())}
