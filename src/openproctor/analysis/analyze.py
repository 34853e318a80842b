"""A recorded file in, findings out: the same pipeline as over stored recordings."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openproctor.analysis.coded import Decoders, MediaError
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import NO_TWIN, TWINS
from openproctor.analysis.findings import Finding as Transition
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.samples import Segment, file_segments, inspect_file
from openproctor.analysis.settings import AnalysisSettings

log = logging.getLogger(__name__)


class AnalyzeError(Exception):
    """A file that cannot be analysed, in one line."""


@dataclass(slots=True)
class Finding:
    """A state in a file, from ``at`` until ``until``, seconds from the file's first picture."""

    type_id: int
    at: float
    until: float | None
    score: float
    data: dict[str, Any] = field(default_factory=dict)


def analyze_file(
    path: Path,
    policy: Any = None,
    progress: Callable[[float], None] | None = None,
    *,
    runtime: str = "openvino",
    objects: str = "nanodet",
    detectors: Detectors | None = None,
    partial: bool = False,
) -> list[Finding]:
    """Findings of a recorded file, in order of time. Any file that PyAV reads.

    ``policy`` is an exam's policy (or its JSON as a mapping, or None for the defaults), ``progress`` is called with the
    share done, 0 to 1. ``detectors`` may be given where they are loaded already. A file that is cut off or damaged is looked
    at only with ``partial``, as far as it can be read. Raises :class:`AnalyzeError`.
    """
    report = progress or (lambda fraction: None)
    try:
        facts = inspect_file(path)
        if facts.damaged and not partial:
            raise _damaged(path)
        loaded = detectors or _loaded(runtime, objects)
        analysis = Analysis(loaded, AnalysisSettings.of(policy))
        transitions: list[Transition] = []
        before: Segment | None = None
        looked, broken = 0, 0
        for segment in file_segments(path, facts, Decoders()):
            earlier = before
            try:
                transitions += analysis.step(segment, lambda earlier=earlier: earlier)  # type: ignore[misc]
                looked += 1
            except MediaError as error:
                broken += 1
                log.warning("%s: %.1f s to %.1f s cannot be read: %s", path.name, segment.start, segment.end, error)
            before = segment
            report(min(1.0, segment.end / max(facts.end - facts.start, 0.001)))
        transitions += analysis.finish()
    except MediaError as error:
        raise AnalyzeError(str(error)) from error
    except (OSError, ValueError) as error:
        raise AnalyzeError(f"{path.name}: {str(error).splitlines()[0]}") from error
    if not looked:
        raise AnalyzeError(f"{path.name} holds no picture that can be decoded")
    if broken and not partial:
        raise _damaged(path)
    if broken or facts.damaged:
        log.warning("%s is damaged: only the parts that could be read were looked at", path.name)
    report(1.0)
    return _states(transitions, facts.end - facts.start)


def _loaded(runtime: str, objects: str) -> Detectors:
    try:
        return Detectors(runtime, objects)
    except (OSError, ValueError) as error:
        raise AnalyzeError(str(error).splitlines()[0]) from error


def _damaged(path: Path) -> AnalyzeError:
    return AnalyzeError(
        f"{path.name} is cut off or damaged; give the whole file, or --partial to look at what is left of it"
    )


def _states(transitions: list[Transition], length: float) -> list[Finding]:
    """Transitions as states with an end: the one that ended them, or the end of the file."""
    twins = {NO_TWIN, *TWINS.values()}
    rows: list[Finding] = []
    ends = {(end["type_id"], end["from"]): end["until"] for one in transitions for end in one.ended}
    for one in transitions:
        if one.type_id in twins:
            continue
        until = ends.get((one.type_id, one.at))
        end = round(until / 1000, 3) if until is not None else round(length, 3)
        data = {key: value for key, value in one.data.items() if key not in ("inputs", "ended")}
        rows.append(Finding(one.type_id, round(one.at / 1000, 3), end, one.score, data))
    return sorted(rows, key=lambda row: (row.at, row.type_id))
