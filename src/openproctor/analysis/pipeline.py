"""From stretches of recording to findings. A fold: state and next segment in, state and findings out.

Key frames are looked at as they come. As soon as one says something else than the state that holds, this segment and the
one before are looked at closely, picture by picture, and only that can raise anything. So nothing rests on a single odd
picture, and times are those of the picture where it began.

Looks of the last segment wait until the next one is seen (unless it was looked at closely): if that one makes it
interesting, it is looked at again closely instead.
"""

from collections.abc import Callable
from typing import Any

from openproctor.analysis.camera import CameraWatch
from openproctor.analysis.coded import MediaError
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import Finding
from openproctor.analysis.looking import LookingWatch
from openproctor.analysis.looks import Look, Looker
from openproctor.analysis.loops import LoopWatch
from openproctor.analysis.people import PeopleWatch
from openproctor.analysis.sameness import SamenessWatch
from openproctor.analysis.samples import Frame, Segment
from openproctor.analysis.settings import AWAY, MISMATCH, SPEECH, AnalysisSettings
from openproctor.analysis.speaking import SpeechWatch
from openproctor.analysis.stretch import Stretch
from openproctor.analysis.things import ThingsWatch

FORMAT = 3  # of the dumped state
CLOSE_THINGS = 0.45  # s between the pictures of a close look in which things are looked for


class Analysis:
    """The analysis of one session's camera track, or of one file."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings, state: dict[str, Any] | None = None) -> None:
        digest = settings.digest()
        self._settings = settings
        self._looker = Looker(detectors, settings)
        self._people = PeopleWatch(detectors, settings, digest)
        self._things = ThingsWatch(detectors, settings, self._looker, digest)
        self._camera = CameraWatch(settings, digest)
        self._speech = SpeechWatch(detectors, settings, digest)
        self._looking = LookingWatch(detectors, settings, digest)
        self._sameness = SamenessWatch(detectors, settings, digest)
        self._loops = LoopWatch(settings, digest)
        self._waiting: list[Look] = []
        if state is not None:
            self._restore(state)

    # -- state ---------------------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Everything that the next step needs, as JSON."""
        return {
            "format": FORMAT,
            "people": self._people.dump(),
            "things": self._things.dump(),
            "camera": self._camera.dump(),
            "speech": self._speech.dump(),
            "looking": self._looking.dump(),
            "sameness": self._sameness.dump(),
            "loops": self._loops.dump(),
            "waiting": [look.dump() for look in self._waiting],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        if state.get("format") != FORMAT:
            raise ValueError(f"analysis state of format {state.get('format')!r}, expected {FORMAT}")
        self._people.restore(state["people"])
        self._things.restore(state["things"])
        self._camera.restore(state["camera"])
        self._speech.restore(state["speech"])
        self._looking.restore(state["looking"])
        self._sameness.restore(state["sameness"])
        self._loops.restore(state["loops"])
        self._waiting = [Look.restore(raw) for raw in state["waiting"]]

    @property
    def waits_for(self) -> int | None:
        """Number of the chunk whose looks wait: the next step may want to look at it again."""
        return self._waiting[0].number if self._waiting else None

    # -- steps ---------------------------------------------------------------------------------------------------------

    def step(self, segment: Segment, previous: Callable[[], Segment | None]) -> list[Finding]:
        """Look at the next segment. ``previous`` gives the one before, read again, where it has to be looked at closely.

        Raises :class:`MediaError` if no picture of the segment can be decoded; the state is then as it was.
        """
        frames = segment.samples()
        stretch = Stretch()
        looks = []
        for frame in frames:
            stretch.add(segment, frame)
            look = self._looker.look(segment, frame)
            self._things.glance(frame.image, look, needs_people=not look.faces)
            looks.append(look)
        close_people = any(self._curious(look) for look in (*self._waiting, *looks))
        close_things = self._things.curious(looks, stretch.images)
        found: list[Finding] = []
        if close_people or close_things:
            earlier = previous() if self._waiting else None
            if earlier is not None:
                # only what came after its own first look: that one was unsuspicious, and so was all before it
                found += self._closely(earlier, stretch, close_people, close_things, since=self._waiting[0].at)
            else:
                found += self._feed(self._waiting, stretch)
            found += self._closely(segment, stretch, close_people, close_things, since=None)
            self._waiting = []
        else:
            found += self._feed(self._waiting, stretch)
            self._waiting = looks
        found += self._camera.compare(frames, looks, stretch)
        found += self._speech.hear(segment, stretch)
        found += self._looking.see(frames, looks, stretch)
        found += self._sameness.see(frames, looks, stretch)
        found += self._loops.see(frames, looks, stretch)
        return sorted(found, key=lambda finding: (finding.at, finding.type_id))

    def finish(self) -> list[Finding]:
        """Count what still waits. To be called when there is no more."""
        found = self._feed(self._waiting, Stretch())
        self._waiting = []
        return found

    def open_states(self) -> list[tuple[int, int]]:
        """States that hold now: type and since when (ms)."""
        watches = (self._people, self._things, self._camera, self._speech, self._looking, self._sameness)
        return [state for watch in watches for state in watch.open_states()]

    def _feed(self, looks: list[Look], stretch: Stretch) -> list[Finding]:
        found: list[Finding] = []
        for look in looks:
            found += self._counted(look, stretch)
        return found

    def _curious(self, look: Look) -> bool:
        """Whether to look at every picture, for what a look says of people or of the lens."""
        return self._people.curious(look) or self._camera.curious(look)

    def _counted(self, look: Look, stretch: Stretch) -> list[Finding]:
        watches = (self._people, self._things, self._camera)
        return [finding for watch in watches for finding in watch.see(look, stretch)]

    def _closely(
        self, segment: Segment, stretch: Stretch, people: bool, things: bool, since: int | None
    ) -> list[Finding]:
        """Look at the pictures of a segment one by one: all for faces, every other one for things."""
        found: list[Finding] = []
        last_things, begun = -1e9, False
        for frame in _dense(segment):
            if since is not None and segment.at(frame.time) < since:
                continue
            due = frame.time - last_things >= CLOSE_THINGS
            if begun and not people and (not due or self._things.settled):
                continue
            begun = True
            stretch.add(segment, frame)
            look = self._looker.look(segment, frame)
            people = people or self._curious(look)
            if due and (things or self._people.needs_body(look)):
                last_things = frame.time
                self._things.closely(frame.image, look, things)
            found += self._counted(look, stretch)
        return found


def forget(state: dict[str, Any], types: set[int], begun: dict[str, Any]) -> dict[str, Any]:
    """A dumped state without what is known of some types; ``begun`` is the state of an analysis that begins."""
    for name, type_id in (("speech", SPEECH), ("looking", AWAY), ("sameness", MISMATCH)):
        if type_id in types:
            state[name]["machine"] = begun[name]["machine"]
    for type_id in types:
        state["camera"]["machines"].pop(str(type_id), None)
        state["things"]["machines"].pop(str(type_id), None)
        state["things"]["places"].pop(str(type_id), None)
    return state


def _dense(segment: Segment) -> list[Frame]:
    """All pictures of a close look; of a chunk that is damaged behind its key frame, that one alone."""
    try:
        return segment.dense()
    except MediaError:
        return segment.samples()
