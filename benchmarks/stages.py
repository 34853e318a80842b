"""Where the CPU time of the pipeline goes: functions wrapped by clocks that do not count what is inside them twice."""

import functools
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openproctor.analysis import camera, looks, pipeline, samples, speaking, things
from openproctor.analysis.detectors import Detectors

NETWORKS = ("faces: network", "things: network", "views: network", "mesh: network", "speech: network")
SECOND = "second look: network"


class Stages:
    """CPU seconds and calls by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._inside: list[float] = []

    def timed(self, function: Any, stage: str) -> Any:
        """The function with a clock round it."""

        @functools.wraps(function)
        def run(*given: Any, **named: Any) -> Any:
            begun = time.thread_time()
            self._inside.append(0.0)
            try:
                return function(*given, **named)
            finally:
                taken = time.thread_time() - begun
                self.seconds[stage] += taken - self._inside.pop()
                self.calls[stage] += 1
                if self._inside:
                    self._inside[-1] += taken

        return run

    def table(self, seconds: float) -> dict[str, dict[str, float]]:
        """By stage, dearest first: ms of CPU for each second of recording, calls a second, ms of a call."""
        return {
            stage: {
                "ms_per_second": round(used / seconds * 1000, 3),
                "calls_per_second": round(self.calls[stage] / seconds, 3),
                "ms_each": round(used / self.calls[stage] * 1000, 3),
            }
            for stage, used in sorted(self.seconds.items(), key=lambda item: -item[1])
        }

    @property
    def total(self) -> float:
        """CPU seconds of all stages."""
        return sum(self.seconds.values())

    def networks(self) -> float:
        """CPU seconds of bare inference among it all."""
        return sum(self.seconds.get(stage, 0.0) for stage in (*NETWORKS, SECOND))


@contextmanager
def watched(detectors: Detectors) -> Iterator[Stages]:
    """Clocks in the pipeline, taken out again at the end."""
    stages = Stages()
    speech, mesh, views = detectors.speech, detectors.mesh, detectors.views
    places: list[tuple[Any, str, str]] = [
        (detectors.faces, "find", "faces: before and after"),
        (detectors.objects, "find", "things: before and after"),
        (views, "find", "views: before and after"),
        (mesh, "pose", "mesh: before and after"),
        (speech, "listen", "speech: level and gate"),
        (samples, "read_chunk", "boxes of the chunk"),
        (samples.Segment, "samples", "decode key frame"),
        (samples.Segment, "dense", "decode all frames"),
        (samples.Segment, "sound", "decode sound"),
        (samples, "picture", "colours"),
        (things, "thumbnail", "thumbnails"),
        (camera, "thumbnail", "thumbnails"),
        (looks.Looker, "look", "light"),
        (looks.Looker, "verify", "enlarged views"),
        (speaking.SpeechWatch, "hear", "speech: states"),
        (pipeline.Analysis, "step", "states and the rest"),
    ]
    for owner, stage in zip((detectors.faces, detectors.objects, views, mesh, speech), NETWORKS, strict=True):
        places.append((getattr(owner, "_network"), "run", stage))  # noqa: B009
    if detectors.second is not None:
        places.append((getattr(detectors.second, "_network"), "run", SECOND))  # noqa: B009
    kept = [(owner, name, vars(owner).get(name)) for owner, name, _ in places]
    for owner, name, stage in places:
        setattr(owner, name, stages.timed(getattr(owner, name), stage))
    try:
        yield stages
    finally:
        for owner, name, before in kept:
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
