"""Phones, books and other computers: suspected on key frames, confirmed only by looking closer.

A key frame is looked at whole and, in turns, in an enlarged lower part. A suspect is looked at again in enlarged and turned
views of the same picture; only if it holds there are the pictures round it looked at one by one, each in the same way. A
place that turned out to be nothing rests for a while, longer each time, and further as long as nothing in it changes. What is
there from the first picture on must be surer than what is brought in.
"""

from math import exp, log
from typing import Any

import numpy as np

from openproctor.analysis.detectors import Detectors
from openproctor.analysis.episodes import Machine
from openproctor.analysis.findings import NO_TWIN, TWINS, Finding, Maker, ended_state, finding_data
from openproctor.analysis.looks import TILES, Found, Look, Looker
from openproctor.analysis.places import Dismissals, appearance, difference
from openproctor.analysis.settings import (
    BROUGHT_FADE,
    BROUGHT_LEAST,
    BROUGHT_NEWS,
    BROUGHT_SUSPECT,
    BROUGHT_TIMES,
    LABELS,
    LAPTOP,
    OBJECT_REACH,
    PERSON,
    RELEASE_OBJECT,
    REST_EARLY,
    SCENERY_LESS,
    SCENERY_SAME,
    AnalysisSettings,
)
from openproctor.analysis.stretch import Stretch
from openproctor.vision.geometry import Box, Image
from openproctor.vision.quality import changes, packed, thumbnail, unpacked
from openproctor.vision.second_look import LABELS as SECOND_LABELS

IN, OUT = "in", "out"
STAGE = 0.65  # of ``confirm``: what a suspect must reach in one picture for those round it to be looked at
SUSPECTS = 3  # of one picture that are looked at again, no two in the same place
NEED, SURE = 8, 2  # weight that it takes to raise, and of a picture that is sure; one that is nearly so weighs 1
CLEARLY = 0.08  # by which one label must be surer than another of the same thing
SAME_THING = 0.08  # of the picture: two names this near to each other are names of one thing
GIVE_UP = 3  # pictures of a close look in which a suspect does not hold


class ThingsWatch:
    """The object states of one session."""

    def __init__(self, detectors: Detectors, settings: AnalysisSettings, looker: Looker, digest: str) -> None:
        self._looker = looker
        self._digest = digest
        objects = detectors.objects
        own = Maker(objects.model.name, objects.model.sha256, objects.runtime)
        second = detectors.second
        judge = Maker(second.model.name, second.model.sha256, second.runtime) if second is not None else own
        # who said so: what is judged by the second look is its word, not the detector's that only suspected
        self._makers = {type_id: own if type_id == LAPTOP else judge for type_id in settings.object_types}
        self._types = settings.object_types
        self._rules = {type_id: settings.rule(type_id, detectors.second is None) for type_id in self._types}
        self._machines = {
            type_id: Machine(
                hold={IN: settings.hold[type_id], OUT: RELEASE_OBJECT},
                need={IN: NEED, OUT: 3},
                contrary=6,
                state=OUT,
            )
            for type_id in self._types
        }
        # where each was seen last while it is in view or about to be: a thing does not jump
        self._place: dict[int, Found] = {}
        self._targets: list[Found] = []
        self._missed: dict[str, int] = {}
        self._suspected_at = 0
        self._judged_together = set(SECOND_LABELS) if second is not None else set()
        self._dismissed = Dismissals(self._judged_together)
        self._glances = 0
        self._looked_at: int | None = None
        self._thumb: Image | None = None  # of the newest key frame
        self._thumb_at: int | None = None
        self._first: Image | None = None  # of the session's first key frame
        self._usual: list[float] = []  # the most that each block of the picture changed of late
        self._was_brought = False  # whether something was brought into view in the newest key frame
        self._calm: Image | None = None  # the newest key frame in which nothing was being brought
        self._brings = False  # whether something is being brought in the newest one
        self._rest = settings.things_rest

    # -- key frames ----------------------------------------------------------------------------------------------------

    def glance(self, image: Image, look: Look, needs_people: bool) -> None:
        """Look for things in a key frame, unless nothing has changed since the last time."""
        if not self._looker.labels:
            return
        before, thumb = self._thumb, thumbnail(image)
        self._thumb, self._thumb_at = thumb, look.at
        self._first = thumb if self._first is None else self._first
        busy = any(machine.state == IN or machine.undecided for machine in self._machines.values())
        # what is being brought may not be all there yet: the next key frame is looked at as well
        brought, just_brought = self._brought(before, thumb), self._was_brought
        self._was_brought = brought and before is not None
        self._brings = brought = brought or just_brought
        self._calm = self._calm if brought else thumb
        rests = self._looked_at is not None and look.at - self._looked_at < self._rest - REST_EARLY
        if rests and not (busy or needs_people or brought):
            return
        self._looked_at = look.at
        self._glances += 1
        if self._types and self._glances % 2 == 0 and not (brought or needs_people or busy):
            # every other time one of the two lower tiles, enlarged: a small phone is only seen there
            look.things = self._looker.things(image, TILES[self._glances // 2 % 2])
            return
        look.things = self._looker.things(image)
        for type_id, machine in self._machines.items():
            if machine.state == IN and type_id in self._place and self._value(type_id, look)[0] != IN:
                look.things.append(self._looker.verify(image, self._place[type_id], self._rules[type_id].keep))

    def _brought(self, before: Image | None, thumb: Image) -> bool:
        """Whether something was brought into view since the last key frame."""
        if before is None:
            return True
        now = changes(before, thumb)
        usual = np.array(self._usual, dtype=np.float32) if self._usual else now
        self._usual = [round(float(one), 1) for one in np.maximum(now, BROUGHT_FADE * usual)]
        return bool((now >= np.maximum(BROUGHT_LEAST, BROUGHT_TIMES * usual)).any())

    def curious(self, looks: list[Look], images: dict[int, Image]) -> bool:
        """Whether to look at every picture: something is about to change, or a suspect holds when enlarged."""
        wanted = any(machine.undecided for machine in self._machines.values())
        self._targets, self._missed = list(self._place.values()), {}
        self._suspected_at = looks[-1].at if looks else 0
        for look in looks:
            if look.things is None:
                continue
            wanted |= any(
                machine.state == IN and self._value(type_id, look)[0] != IN
                for type_id, machine in self._machines.items()
            )
            thumb = self._thumb_of(look, images) if look.things else None
            seen = [found for found in look.things if self._suspicious(found, look.at, thumb)]
            suspects = self._apart(self._dismissed.awake(seen, look.at, thumb))[:SUSPECTS]
            verified = [
                self._unless_scenery(
                    self._looker.verify(images[look.at], one, self._enough(one, suspects, STAGE)), thumb
                )
                for one in suspects
            ]
            for suspect, found in zip(suspects, verified, strict=True):
                if found.score >= STAGE * self._rules[_type(found.label)].confirm:
                    wanted = True
                    if not any(found.label == one.label and found.near(one, 0.05) for one in self._targets):
                        self._targets.append(found)
                else:
                    self._dismissed.add(suspect, look.at, found.score, thumb)
            look.things = _judged(look.things, self._machines, verified)
        return wanted

    def _thumb_of(self, look: Look, images: dict[int, Image]) -> Image:
        if self._thumb is not None and self._thumb_at == look.at:
            return self._thumb
        return thumbnail(images[look.at])

    def _suspicious(self, found: Found, at: int, thumb: Image | None) -> bool:
        """Whether to look again at what the detector sees: it is sure enough, or less sure in what is being brought."""
        if found.label == PERSON or self._machines[_type(found.label)].state == IN:
            return False
        if found.score >= self._rules[_type(found.label)].suspect:
            return True
        if found.label not in self._judged_together or not self._brings or at != self._thumb_at:
            return False
        if thumb is None or self._calm is None or found.score < BROUGHT_SUSPECT:
            return False
        return bool(difference(appearance(self._calm, found.box), thumb, found.box).mean() >= BROUGHT_NEWS)

    def _apart(self, suspects: list[Found]) -> list[Found]:
        """One for each place where one look is about all labels."""
        chosen: list[Found] = []
        for one in suspects:
            same = [one.label, *self._judged_together] if one.label in self._judged_together else [one.label]
            if not any(other.label in same and Box(*one.box).iou(Box(*other.box)) > 0.5 for other in chosen):
                chosen.append(one)
        return chosen

    # -- close looks ---------------------------------------------------------------------------------------------------

    def closely(self, image: Image, look: Look, enlarge: bool) -> None:
        """Look for things in a picture of a close look."""
        look.things = self._looker.things(image)
        if not enlarge:
            look.things = _judged(look.things, self._machines, [])
            return
        # each suspect where the whole picture shows it now, else where it was seen last, should it have faded
        verified: list[Found] = []
        kept: list[Found] = []
        thumb = thumbnail(image) if self._targets else None
        for target in self._targets:
            same = [one for one in look.things if one.label == target.label and one.near(target, OBJECT_REACH / 2)]
            if same and self._holds(same[0]):
                kept.append(same[0])
                continue
            if not same and look.at < self._suspected_at and not self._deciding(target):
                kept.append(target)  # not there yet
                continue
            place = _nearest(target, same)
            found = self._looker.verify(image, place, self._enough(place, self._targets, 1.0))
            if same and same[0] is not place and found.score < STAGE * self._rules[_type(found.label)].confirm:
                again = self._looker.verify(image, same[0], self._enough(same[0], self._targets, 1.0))
                found = max(found, again, key=lambda one: one.score)
            found = self._unless_scenery(found, thumb)
            verified.append(found)
            rule, machine = self._rules[_type(found.label)], self._machines[_type(found.label)]
            holds = found.score >= STAGE * rule.confirm
            # before the picture that made it a suspect it need not have been there
            counts = not holds and look.at >= self._suspected_at
            missed = 0 if holds else self._missed.get(target.label, 0) + counts
            self._missed[target.label] = missed
            if missed >= GIVE_UP and machine.state == OUT and not machine.undecided:
                self._dismissed.add(target, look.at)
                continue
            # the place moves along with the thing; two suspects may turn out to be one
            place = found if found.score >= rule.keep else target
            if not any(place.label == one.label and place.near(one, 0.05) for one in kept):
                kept.append(place)
        self._targets = kept
        look.things = _judged(look.things, self._machines, verified)

    def _unless_scenery(self, found: Found, thumb: Image | None) -> Found:
        """A suspect with its score lowered where its place looks as it did when the recording began: it must be surer than what
        is brought in. What is in view already keeps its score."""
        new = found.label not in self._judged_together or self._machines[_type(found.label)].state == IN
        if new or thumb is None or self._first is None:
            return found
        if difference(appearance(self._first, found.box), thumb, found.box).mean() > SCENERY_SAME:
            return found
        score = min(max(found.score, 1e-4), 1 - 1e-4)
        return Found(found.label, round(1 / (1 + exp(SCENERY_LESS - log(score / (1 - score)))), 4), found.box)

    def _holds(self, found: Found) -> bool:
        """Whether a thing that is in view already is seen well enough in the whole picture."""
        type_id = _type(found.label)
        return self._machines[type_id].state == IN and found.score >= self._rules[type_id].keep

    def _deciding(self, found: Found) -> bool:
        """Whether a thing is in view, or about to be."""
        machine = self._machines[_type(found.label)]
        return machine.state == IN or machine.undecided

    def _enough(self, found: Found, others: list[Found], share: float) -> float:
        """The score that settles a suspect; where two labels stand for one thing, the surer one must be found out."""
        contested = any(_same_place(found, other) for other in others)
        return 1.0 if contested else share * self._rules[_type(found.label)].confirm

    @property
    def settled(self) -> bool:
        """Whether there is nothing left that a close look could decide."""
        return not self._targets and not any(m.undecided or m.state == IN for m in self._machines.values())

    def _value(self, type_id: int, look: Look) -> tuple[str | None, float, Found | None]:
        if look.things is None:
            return None, 0.0, None
        rule, machine = self._rules[type_id], self._machines[type_id]
        candidates = [found for found in look.things if found.label == LABELS[type_id]]
        if machine.state == OUT:
            # what is in view under another name already does not become a second thing
            named = [self._place[t] for t in self._types if t in self._place and self._machines[t].state == IN]
            candidates = [found for found in candidates if not any(found.near(one, SAME_THING) for one in named)]
        place = self._place.get(type_id)
        if place is not None and IN in (machine.state, machine.next):
            candidates = [found for found in candidates if found.near(place, OBJECT_REACH)]
        best = max(candidates, key=lambda found: found.score, default=None)
        if best is None:
            return OUT, 0.0, None
        if machine.state == IN:
            return (IN if best.score >= rule.keep else OUT), best.score, best
        if best.score >= rule.nearly:
            return IN, best.score, best
        # nearly: no opinion while it is being decided
        return (None if best.score >= rule.keep else OUT), best.score, best

    def see(self, look: Look, stretch: Stretch) -> list[Finding]:
        """Count one look."""
        found: list[Finding] = []
        for type_id in self._types:
            machine = self._machines[type_id]
            value, score, thing = self._value(type_id, look)
            undecided = machine.undecided
            turn = machine.see(look.at, value, score, SURE if score >= self._rules[type_id].confirm else 1)
            if value == IN and thing is not None:
                self._place[type_id] = thing
            if undecided and not machine.undecided and machine.state == OUT and type_id in self._place:
                self._dismissed.add(self._place.pop(type_id), look.at)
            if turn is None:
                continue
            if turn.state == IN:
                found.append(self._raise(type_id, turn.since, turn.tally.best, turn.tally.best_at, look, stretch))
            else:
                self._place.pop(type_id, None)
                if turn.ended is not None:
                    ended = [ended_state(type_id, turn.ended.since, turn.since, turn.ended)]
                    twin = TWINS.get(type_id, NO_TWIN)
                    data = finding_data(
                        twin, turn.ended.best, self._makers[type_id], self._digest, look.time, stretch.inputs[:], ended
                    )
                    found.append(Finding(twin, turn.since, data["score"], data, ended))
        return found

    def _raise(self, type_id: int, since: int, best: float, best_at: int, look: Look, stretch: Stretch) -> Finding:
        label = LABELS[type_id]
        shown = best_at if best_at in stretch.images else look.at
        things = [found for found in look.things or () if found.label == label]
        count = len([found for found in things if found.score >= self._rules[type_id].keep])
        data = finding_data(
            type_id,
            best,
            self._makers[type_id],
            self._digest,
            look.time + (shown - look.at) / 1000,
            stretch.inputs[:],
            [],
            box=list(self._place[type_id].box),
            count=max(1, count),
            threshold=self._rules[type_id].confirm,
        )
        return Finding(type_id, since, data["score"], data, [], stretch.images.get(shown), shown)

    def open_states(self) -> list[tuple[int, int]]:
        return [
            (type_id, machine.tally.since)
            for type_id, machine in self._machines.items()
            if machine.state == IN and machine.tally is not None
        ]

    # -- state ---------------------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        return {
            "machines": {str(type_id): machine.dump() for type_id, machine in self._machines.items()},
            "places": {str(t): [found.label, found.score, list(found.box)] for t, found in self._place.items()},
            "dismissed": self._dismissed.dump(),
            "glances": self._glances,
            "looked_at": self._looked_at,
            "usual": self._usual,
            "was_brought": self._was_brought,
            "brings": self._brings,
            "calm": packed(self._calm),
            "thumb": packed(self._thumb),
            "first": packed(self._first),
        }

    def restore(self, raw: dict[str, Any]) -> None:
        for type_id, machine in self._machines.items():
            if str(type_id) in raw["machines"]:
                machine.restore(raw["machines"][str(type_id)])
        self._place = {int(key): Found(label, score, tuple(box)) for key, (label, score, box) in raw["places"].items()}
        self._dismissed.restore(raw["dismissed"])
        self._glances, self._looked_at = raw["glances"], raw["looked_at"]
        self._thumb, self._thumb_at, self._usual = unpacked(raw["thumb"]), None, raw["usual"]
        self._first, self._was_brought = unpacked(raw.get("first")), bool(raw.get("was_brought"))
        self._calm, self._brings = unpacked(raw.get("calm")), bool(raw.get("brings"))


def _type(label: str) -> int:
    return next(type_id for type_id, name in LABELS.items() if name == label)


def _judged(things: list[Found], machines: dict[int, Machine], verified: list[Found]) -> list[Found]:
    """Things with their verified scores. Of what is not in view yet, only what was verified counts."""
    taken = [found for found in things if found.label == PERSON or machines[_type(found.label)].state == IN]
    # a thing is one thing: what another label is clearly surer of is not counted
    clear = [
        found
        for found in verified
        if not any(other.score > found.score + CLEARLY and _same_place(found, other) for other in verified)
    ]
    return sorted([*taken, *clear], key=lambda found: (-found.score, found.label, found.box))


def _nearest(target: Found, seen: list[Found]) -> Found:
    """Where a target is now: what is seen in its place, or its own place where all that is seen there is only near."""
    best = max(seen, key=lambda one: Box(*one.box).iou(Box(*target.box)), default=target)
    return best if Box(*best.box).iou(Box(*target.box)) > 0.5 else target


def _same_place(one: Found, other: Found) -> bool:
    return one.label != other.label and Box(*one.box).iou(Box(*other.box)) > 0.5
