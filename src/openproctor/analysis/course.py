"""The way of one session's camera track through the analysis: chunk by chunk, in the order of their numbers.

What comes out depends on the chunks, on the gaps that were passed over and on the settings alone: not on when a chunk came,
how many were taken at a time, or how often one worker took over from another. All that the rest of the way needs is in
:meth:`Course.dump`; what somebody needs to go the same way again is in :meth:`Course.account`, which goes into the log.

A chunk that is waited for in vain is passed over: a gap. What of it came later all the same is looked at when everything
else is, from the state in which the gap was reached.
"""

import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog

from openproctor.analysis.coded import Decoders, MediaError
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import TWINS, Finding
from openproctor.analysis.pipeline import Analysis, forget
from openproctor.analysis.samples import Segment, chunk_segment
from openproctor.analysis.settings import COVERED, FACE_MANY, FACE_NONE, FACE_ONE, AnalysisSettings
from openproctor.vision.recognition import Reference

logger = structlog.get_logger(__name__)

FORMAT = 1  # of the dumped state
# Gaps whose beginning is remembered. What came late of any further one is looked at without knowing what was before.
STATES_KEPT = 16
FACE_STATES = (FACE_ONE, FACE_NONE, FACE_MANY, COVERED)

# settings for a chunk at this position of the session's chain
Plan = Callable[[int], AnalysisSettings]


class Settings:
    """The plan of a session: its policy, and from each change on its accommodations.

    A chunk is looked at by what held when it was stored: the chain says which of the two came first.
    """

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self._references: tuple[Reference, ...] = ()
        self._changes: list[tuple[int, AnalysisSettings]] = []
        self.replace([])

    def replace(self, changes: list[tuple[int, list[dict[str, Any]]]]) -> None:
        """All changes so far: position in the chain, and the accommodations that hold from there on."""
        self._changes = [
            (position, replace(AnalysisSettings.of(self._policy, held), references=self._references))
            for position, held in [(-1, []), *changes]
        ]

    def compare_with(self, references: tuple[Reference, ...]) -> None:
        """The faces with which the candidate's face is compared."""
        self._references = references
        self._changes = [(since, replace(settings, references=references)) for since, settings in self._changes]

    def __call__(self, position: int) -> AnalysisSettings:
        return next(settings for since, settings in reversed(self._changes) if since < position)


# why a chunk is passed over that ends, or holds up, whoever looks at it
ENDED_WORKERS = "every worker that looked at it ended without a word"


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk with its bytes. ``at`` is when it begins and ``origin`` when its part began, ms since 1970; ``position`` is its
    place in the session's chain.

    ``unreadable`` says in one line why there are no bytes to look at.
    """

    number: int
    part: int
    digest: str
    position: int
    at: int
    origin: int
    init: bytes = b""
    media: bytes = b""
    unreadable: str | None = None


@dataclass(slots=True)
class Outcome:
    """What one chunk gave: findings, or in one line why it could not be looked at."""

    findings: list[Finding] = field(default_factory=list)
    rejected: str | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Gap:
    """Chunks ``first`` to ``last`` were passed over.

    ``state`` and ``position`` are those in which the gap was reached, ``until`` (ms) is when the next chunk begins, and
    ``raised`` are type and beginning of what was raised since, but began before: it must not be raised again. ``found``
    are those of what was found in the gap itself.
    """

    first: int
    last: int
    position: int
    state: dict[str, Any] | None
    until: int | None = None
    raised: list[list[int]] = field(default_factory=list)
    found: list[list[int]] = field(default_factory=list)


class Course:
    """See above. Not for use by two threads at once."""

    def __init__(
        self,
        detectors: Detectors,
        plan: Plan,
        state: dict[str, Any] | None = None,
        number: int = 0,
        decoders: Decoders | None = None,
    ) -> None:
        """``state`` is a dumped one, ``number`` the chunk to go on with. A state that this version cannot read is dropped:
        what is looked for begins anew with that chunk."""
        self._detectors = detectors
        self._plan = plan
        self._decoders = decoders or Decoders()
        self._segment: Segment | None = None
        self.gaps: list[Gap] = []
        # the gap whose late chunks are looked at now; -1 while those in time are
        self.lane = -1
        self._late_next = 0
        self._position = 0
        self._chunks = self._late = 0
        self._made_by: list[dict[str, Any]] = []
        self._anew: list[int] = []
        self._settings = plan(0)
        self._analysis = Analysis(detectors, self._settings)
        if state is None:
            return
        if state.get("course") != FORMAT:
            self.begin_anew(number)
            return
        self.gaps = [Gap(**raw) for raw in state["gaps"]]
        self.lane, self._late_next, self._position = state["lane"], state["late_next"], state["position"]
        self._chunks, self._late = state["chunks"], state["late"]
        self._made_by, self._anew = state["made_by"], state["anew"]
        # as it was when the state was written: what changed since is taken over with the next chunk
        self._settings = plan(self._position)
        restored = self._restored(state["analysis"])
        if restored is None:
            self.begin_anew(number)
        else:
            self._analysis = restored

    def _restored(self, state: dict[str, Any] | None) -> Analysis | None:
        try:
            return Analysis(self._detectors, self._settings, state)
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("analysis state of another version dropped", error=repr(error))
            return None

    # -- state ---------------------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Everything that the rest of the way needs, as JSON."""
        return {
            "course": FORMAT,
            "analysis": self._analysis.dump(),
            "gaps": [asdict(gap) for gap in self.gaps],
            "lane": self.lane,
            "late_next": self._late_next,
            "position": self._position,
            "chunks": self._chunks,
            "late": self._late,
            "made_by": self._made_by,
            "anew": self._anew,
        }

    def account(self) -> dict[str, Any]:
        """What somebody needs to know to go the same way again, as the event of the end tells it."""
        told: dict[str, Any] = {
            "chunks": self._chunks,
            "settings": self._settings.digest(),
            "made_by": self._made_by[:100],
        }
        if self.gaps:
            told["gaps"] = [{"first": gap.first, "last": gap.last} for gap in self.gaps]
            told["late"] = self._late
        if self._anew:
            told["began_anew"] = self._anew
        return told

    @property
    def recalls(self) -> int | None:
        """Number of the chunk that the next step may want to see again; it is not at hand after a restore."""
        return self._analysis.waits_for if self._segment is None else None

    def recall(self, piece: Piece) -> None:
        """Have the chunk of :attr:`recalls` at hand again."""
        if piece.unreadable is None:
            with contextlib.suppress(MediaError):
                self._segment = self._read(piece)

    # -- the way -------------------------------------------------------------------------------------------------------

    def made_by(self, number: int, conditions: dict[str, str]) -> None:
        """From this chunk on the findings are made under these conditions."""
        if not self._made_by or {k: v for k, v in self._made_by[-1].items() if k != "from"} != conditions:
            self._made_by.append({"from": number, **conditions})

    def begin_anew(self, number: int) -> None:
        """From this chunk on nothing is known of what was before."""
        self._anew.append(number)
        self._segment = None
        self._settings = self._plan(self._position)
        self._analysis = Analysis(self._detectors, self._settings)

    def passed_over(self, number: int) -> bool:
        """Whether a chunk lies in a gap."""
        return any(gap.first <= number <= gap.last for gap in self.gaps)

    def skip(self, first: int, last: int) -> list[Finding]:
        """Pass over chunks; the next one to be taken is ``last + 1``."""
        if self.gaps and self.gaps[-1].last == first - 1:
            self.gaps[-1].last = last
            return []
        findings = self._count(self._analysis.finish())
        state = self._analysis.dump() if len(self.gaps) < STATES_KEPT else None
        self.gaps.append(Gap(first, last, self._position, state))
        return findings

    def take(self, piece: Piece) -> Outcome:
        """Look at the next chunk."""
        changed = self._change(self._plan(piece.position), piece)
        self._position = piece.position
        if self.lane >= 0:
            self._late_next, self._late = piece.number + 1, self._late + 1
        self._chunks += 1
        if piece.unreadable is not None:
            return Outcome(changed, piece.unreadable)
        try:
            segment = self._read(piece)
            previous = self._segment
            begin = segment.at(segment.start)
            if self.lane < 0:
                for gap in self.gaps:
                    gap.until = begin if gap.until is None else gap.until
            findings = self._analysis.step(segment, lambda: previous)
        except MediaError as error:
            return Outcome(changed, str(error))
        except Exception as error:
            # a detector or decoder that fails on these bytes must not stop the others
            return Outcome(changed, f"it could not be analysed ({type(error).__name__})", error)
        self._segment = segment
        return Outcome(changed + self._count(findings))

    def _change(self, settings: AnalysisSettings, piece: Piece) -> list[Finding]:
        """Go on with other settings. What was found and is not looked for any more ends here."""
        if settings == self._settings:
            return []
        state = self._analysis.dump()
        gone = [
            (type_id, since)
            for type_id, since in self._analysis.open_states()
            if type_id in settings.off and type_id in TWINS and type_id not in self._settings.off
        ]
        begun = Analysis(self._detectors, settings)
        self._analysis = Analysis(self._detectors, settings, forget(state, set(settings.off), begun.dump()))
        self._settings = settings
        return [
            self._ended(type_id, since, max(since, piece.at), TWINS[type_id], "it is not looked for any more")
            for type_id, since in gone
        ]

    def pass_by(self, number: int) -> None:
        """A late chunk that holds nothing to look at."""
        self._late_next = number + 1

    def _read(self, piece: Piece) -> Segment:
        return chunk_segment(
            number=piece.number,
            digest=piece.digest,
            part=piece.part,
            origin=piece.origin,
            init=piece.init,
            media=piece.media,
            decoders=self._decoders,
        )

    def turn(self) -> list[Finding]:
        """All chunks of a lane are looked at: count what waits, and go back to the next gap."""
        findings = self._count(self._analysis.finish())
        if 0 <= self.lane < len(self.gaps):
            findings += self._rejoined(self.gaps[self.lane])
        self.lane += 1
        self._segment = None
        if self.lane < len(self.gaps):
            gap = self.gaps[self.lane]
            self._late_next, self._position = gap.first, gap.position
            self._settings = self._plan(gap.position)
            self._analysis = self._restored(gap.state) or Analysis(self._detectors, self._settings)
        return findings

    def _rejoined(self, gap: Gap) -> list[Finding]:
        """What was found in a gap and holds at its end ends there, unless it was seen behind it as well."""
        if gap.until is None or gap.state is None:
            return []
        behind = [type_id for type_id, _ in gap.raised]
        faces = [gap.state["people"]["raised"], *(type_id for type_id in behind if type_id in FACE_STATES)]
        found = []
        for type_id, since in self._analysis.open_states():
            if [type_id, since] not in gap.found or type_id in behind or since >= gap.until:
                continue
            # a face state is ended by the one that holds behind the gap
            follows = faces[-1] if type_id in FACE_STATES else TWINS.get(type_id)
            if follows is not None and follows != type_id:
                found.append(self._ended(type_id, since, gap.until, follows, "it is not seen after the gap"))
        return found

    def _ended(self, type_id: int, since: int, until: int, follows: int, reason: str) -> Finding:
        over = {"type_id": type_id, "from": since, "until": until, "length_ms": until - since}
        data = {"settings": self._settings.digest(), "ended": [over], "reason": reason}
        return Finding(follows, until, 0.0, data, [over])

    @property
    def late_span(self) -> tuple[int, int] | None:
        """First and last number of what may have come late and is to be looked at now; None when nothing is left."""
        if not 0 <= self.lane < len(self.gaps):
            return None
        return self._late_next, self.gaps[self.lane].last

    def _count(self, findings: list[Finding]) -> list[Finding]:
        if self.lane < 0:
            for gap in self.gaps:
                gap.raised += [[one.type_id, one.at] for one in findings if gap.until is None or one.at < gap.until]
            return findings
        if self.lane >= len(self.gaps):
            return findings
        gap = self.gaps[self.lane]
        findings = [one for one in findings if [one.type_id, one.at] not in gap.raised]
        gap.found += [[one.type_id, one.at] for one in findings]
        return findings
