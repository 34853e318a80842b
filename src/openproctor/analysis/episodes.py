"""States and their transitions: a state is raised when it has held long enough, and ends when another has.

A single odd look never raises anything; a look may have no opinion. Everything here is plain data, so that any worker can
go on where another one stopped.
"""

from dataclasses import asdict, dataclass
from typing import Any

from openproctor.analysis.settings import GAP

STALE = 2_500  # ms without a look that agrees, after which what was about to take over is dropped


@dataclass(slots=True)
class Tally:
    """Looks that agree on a state: since when (ms), how many for and against it, their scores, and the best of them."""

    since: int
    looks: int = 0
    weight: int = 0
    against: int = 0
    row: int = 0
    total: float = 0.0
    best: float = 0.0
    best_at: int = 0
    seen: int = 0

    def add(self, at: int, score: float, weight: int = 1) -> None:
        self.looks += 1
        self.weight += weight
        self.row = 0
        self.seen = at
        self.total += score
        if score > self.best or self.looks == 1:
            self.best, self.best_at = score, at

    @property
    def mean(self) -> float:
        return round(self.total / self.looks, 4) if self.looks else 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A state took over. ``since`` is when it began (ms), ``tally`` its looks; ``ended`` the state before, with its own."""

    state: str
    since: int
    tally: Tally
    before: str | None
    ended: Tally | None


@dataclass(slots=True)
class Machine:
    """Which of several states holds. ``hold`` (ms) and ``need`` (looks) say what it takes to enter each."""

    hold: dict[str, int]
    need: dict[str, int]
    contrary: int = 3  # looks in a row that say otherwise end what was about to take over
    state: str | None = None
    tally: Tally | None = None
    next: str | None = None
    pending: Tally | None = None
    last: int | None = None

    def see(self, at: int, value: str | None, score: float = 0.0, weight: int = 1) -> Turn | None:
        """One look at time ``at``: it says ``value``, or nothing if None. Looks must come in order.

        A look may weigh more than one where it is surer; ``need`` is in weight.
        """
        if self.last is not None and at - self.last > GAP:
            # nobody saw what happened meanwhile
            self.next = self.pending = None
        if self.pending is not None and at - self.pending.seen > STALE:
            # too few and far between to be a state
            self.next = self.pending = None
        self.last = at
        if value is None:
            return None
        if value == self.state and self.tally is not None:
            self.tally.add(at, score)
        if self.pending is not None and value != self.next:
            self.pending.against += 1
            self.pending.row += 1
            if self.pending.row >= self.contrary or self.pending.against > self.pending.looks:
                self.next = self.pending = None
        if value == self.state:
            return None
        if self.pending is None:
            self.next, self.pending = value, Tally(at)
        if value != self.next:
            return None
        self.pending.add(at, score, weight)
        if at - self.pending.since < self.hold.get(value, 0) or self.pending.weight < self.need.get(value, 2):
            return None
        turn = Turn(value, self.pending.since, self.pending, self.state, self.tally)
        self.state, self.tally = value, self.pending
        self.next = self.pending = None
        return turn

    @property
    def undecided(self) -> bool:
        """Whether another state is about to take over."""
        return self.pending is not None

    def dump(self) -> dict[str, Any]:
        """As JSON; :meth:`restore` reads it."""
        return {
            "state": self.state,
            "tally": asdict(self.tally) if self.tally else None,
            "next": self.next,
            "pending": asdict(self.pending) if self.pending else None,
            "last": self.last,
        }

    def restore(self, raw: dict[str, Any]) -> None:
        """Take over a dumped state."""
        self.state, self.next, self.last = raw["state"], raw["next"], raw["last"]
        self.tally = Tally(**raw["tally"]) if raw["tally"] else None
        self.pending = Tally(**raw["pending"]) if raw["pending"] else None
