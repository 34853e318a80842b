"""Every threshold of the analysis, with its reason, and what an exam's policy changes in them.

Scores are 0 to 1, times in ms, light 0 to 255, places and sizes shares of the picture.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from openproctor.exams.accommodations import DETECTOR_TYPES
from openproctor.vision.recognition import Reference

VERSION = 8  # of the rules: part of every finding's settings digest

FACE_ONE, FACE_NONE, FACE_MANY = 15, 16, 81
PHONE, BOOK, LAPTOP = 169, 170, 1045
COVERED, OBSCURED, FROZEN, SPEECH, AWAY, MISMATCH = 1041, 1043, 1044, 1046, 1042, 1040
VIRTUAL = 1047

# -- faces ---------------------------------------------------------------------------------------------------------
# On 122 pictures without people the detector saw a face in 6 at 0.5, in 1 at 0.6, in none at 0.7; at 0.6 it counted 23 of
# 24 pictures with none to five faces exactly.
FACE_NEW = 0.6
# A face that is there already may turn or dim a little without being lost.
FACE_KEEP = 0.45
# A doubtful score is settled by the face mesh: on 122 pictures without people it was below 0.1 for all 15 faces that the
# detector suspected there. Without it a face counts as before only from the second number on.
FACE_DOUBT, FACE_DOUBT_LOST, MESH_SURE = 0.7, 0.62, 0.5
# A face that the picture's edge cuts (by this share of its width) has a low score, and the face mesh settles it from far below:
# of 22 such suspects in 700 pictures of people the mesh was above 0.8 for ten faces, below 0.35 for twelve that were none.
FACE_CUT, FACE_CUT_LEAST = 0.05, 0.1
# Smaller than this (height) it is a picture on the wall or noise; a person at four metres measures 0.05.
FACE_LEAST = 0.035

# -- objects -------------------------------------------------------------------------------------------------------
LABELS = {PHONE: "cell phone", BOOK: "book", LAPTOP: "laptop"}
PERSON = "person"


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """``suspect``: from this score on a key frame is looked at closer. The second look must reach ``confirm`` in four
    pictures of a close look, or ``nearly`` in eight, or a mixture of both. ``keep``: what is in view already stays so."""

    suspect: float
    confirm: float
    nearly: float
    keep: float


OBJECT_RULES = {
    # phones and books: suspected early by the detector, confirmed by the second look (vision/second_look.py). Set on clips of a
    # fourth of the tuning sources, which was kept out of its fit; docs/detection.md has what was found there.
    # In 260 composed tuning pictures suspicions from 0.08 on were there for 0.77 of phones and 0.81 of books, from 0.10 on for
    # 0.63 and 0.68; below 0.08 mostly the background is suspected.
    PHONE: ObjectRule(suspect=0.08, confirm=0.90, nearly=0.75, keep=0.25),
    BOOK: ObjectRule(suspect=0.08, confirm=0.82, nearly=0.66, keep=0.22),
    # screens, windows and picture frames look like laptops: only sure ones count
    LAPTOP: ObjectRule(suspect=0.40, confirm=0.60, nearly=0.55, keep=0.40),
}
# A detector of the operator's own has no second look: these are for its enlarged and turned views.
ALONE_RULES = {
    **OBJECT_RULES,
    PHONE: ObjectRule(suspect=0.12, confirm=0.45, nearly=0.37, keep=0.25),
    BOOK: ObjectRule(suspect=0.12, confirm=0.40, nearly=0.34, keep=0.22),
}
# For "somebody is there, but no face". With the face covered the score drops to 0.36 and less is rare; on 55 pictures without
# people it was above 0.3 in one.
PERSON_SURE, PERSON_KEEP = 0.34, 0.25
# Or what was below the face still looks like it (correlation of 16 x 12 grey values, which the shoulders' outline makes high),
# where there is anything to see (deviation): a hand or a sheet leaves the shoulders, somebody who goes takes them along.
TORSO_ALIKE, TORSO_LEAST = 0.75, 6.0
PERSON_LEAST = 0.08  # share of the picture; a seated candidate fills 0.2 to 0.6
OBJECT_LEAST = 0.002  # share of the picture; below this the detector guesses
# A larger "phone" is a door or a screen. One that fills 0.08 of the picture, held at a slant with the hand round it, reaches over
# 0.21 to 0.3 of it.
OBJECT_MOST = {"cell phone": 0.35, "book": 0.6, "laptop": 0.6}
OBJECT_REACH = 0.3  # a thing in a hand moves no further than this between two frames
RELEASE_OBJECT = 3_000  # how long it must be out of sight before it is gone: hands hide it for a moment
DISMISS_FIRST, DISMISS_MOST = (
    16_000,
    128_000,
)  # after a closer look found nothing, the same place rests, longer each time
DISMISS_HOPELESS = 0.3  # twice as long where the closer look gave less than this, and on while nothing in it changes
DISMISS_SOON = 5_000  # where the closer look was not without hope
DISMISS_RISE = 0.15  # unless its score rises by this
DISMISS_CHANGE = 8.0  # light levels of 64 parts of a hopeless place below which there is nothing new to see in it
DISMISS_NEWS = 20.0  # mean change of light in such a place by which something else is there now: its rest is over
DISMISS_KEPT = 40  # such places are remembered, one that moves in several positions
DISMISS_NEAR = 0.12  # of the picture; what is on a candidate's shirt moves along
# A place that looks (mean change of light of its 64 parts) as it did in the session's first key frame is scenery: a book on the
# shelf behind is no news. What the second look says of it is lowered by so much in logits, until it is in view.
SCENERY_SAME, SCENERY_LESS = 12.0, 1.0
# A suspect is dropped whose best score after 1, 2 and 4 enlarged views is below these. Of 35 true things in composed sittings
# none was below 0.16, 0.31 and 0.35; of 274 that were none, half are dropped after the first view.
SCREEN_FIRST, SCREEN, SCREEN_AGAIN = 0.1, 0.2, 0.25
# Object detection rests while nothing is brought into view, but no longer than this (ms) unless the exam's policy says
# otherwise; a little less for key frames that come early.
REST_MOST, REST_EARLY = 8_000, 500
# Something is brought into view where a block changes by BROUGHT_LEAST and BROUGHT_TIMES as much as it ever did of late; what it
# did is forgotten by BROUGHT_FADE from one key frame to the next. In 9 of 9 composed sittings that was the first key frame
# with the thing in it; somebody who only moves does it once in 17 s.
BROUGHT_LEAST, BROUGHT_TIMES, BROUGHT_FADE = 14.0, 1.5, 0.97
# In what was brought, that is where the place differs by so much (mean change of light of its 64 parts) from the last key frame
# before, less suspicion is enough: nothing else there is likelier to be a phone or a book.
BROUGHT_NEWS, BROUGHT_SUSPECT = 20.0, 0.04

# -- camera --------------------------------------------------------------------------------------------------------
OBSCURED_LIGHT = 14.0  # mean; a lens cap gives 0 to 8, a dark room with a lit face 20
OBSCURED_CONTRAST = 9.0  # deviation; a finger or tape on the lens gives 2 to 8
# A still picture coded again and again changes by less, a face that lives by more. An empty room does not change either:
# without a face only a picture that is the same to the last bit counts.
FROZEN_MEAN, FROZEN_MOST, FROZEN_EXACT = 0.65, 1.7, 0.01

# -- loops ---------------------------------------------------------------------------------------------------------
# Key frames as 48 means of light: the same within two levels, with ten or more levels of movement between them; so many in
# a row, no sooner than so many later, of so many remembered (ten minutes).
LOOP_SAME, LOOP_MOVED, LOOP_ROW, LOOP_LAG, LOOP_KEPT = 2, 10, 4, 2, 300

# -- sound ---------------------------------------------------------------------------------------------------------
SPEECH_SCORE = 0.5
SPEECH_ABOVE_FLOOR = 5.0  # dB above the quietest tenth of the last half minute
SPEECH_BIN = 250  # ms judged together
RELEASE_SPEECH = 4_000  # pauses between sentences belong to it

# -- gaze ----------------------------------------------------------------------------------------------------------
AWAY_YAW, AWAY_PITCH, AWAY_GAZE = 28.0, 22.0, 0.10  # away from the candidate's own usual direction
AWAY_BASELINE, AWAY_KEPT = 8, 60  # looks before there is a usual direction, and that make it
# -- same person ---------------------------------------------------------------------------------------------------
MISMATCH_SAME, MISMATCH_OTHER = 0.8, 0.9  # distance of embeddings: same below, different above, unsure between
MISMATCH_UNSURE_HOLD = 30_000  # what is only unsure must last
MATCH_EVERY, MATCH_LOOKS = 10_000, 3  # ms between comparisons, and how many make one judgement (their median)
MATCH_HEIGHT = 0.12  # of the picture; smaller faces tell too little

GAP = 4_500  # ms without a picture after which nothing that was about to be raised counts on
RELEASE_DEFAULT = 2_000

DEFAULT_HOLD = {
    FACE_ONE: 0,
    FACE_NONE: 3_000,
    FACE_MANY: 2_000,
    PHONE: 0,
    BOOK: 0,
    MISMATCH: 6_000,
    COVERED: 3_000,
    AWAY: 4_000,
    OBSCURED: 2_000,
    FROZEN: 10_000,
    LAPTOP: 0,
    SPEECH: 1_000,
}
DEFAULT_DETECTORS = {
    "faces": True,
    "objects": True,
    "face_covered": True,
    "camera_obscured": True,
    "camera_frozen": True,
    "laptop": True,
    "speech": True,
    "looking_away": False,
    "face_mismatch": False,
    "virtual_camera": True,
}


# -- accommodations ------------------------------------------------------------------------------------------------
NEVER = 10**9  # ms that a state must hold which is not to be raised
RELAXED_LEAST, RELAXED_MOST = 1_000, 3_600_000  # ms: what is relaxed must hold its factor times this, and no longer
RELAXED_SURER = 0.25  # for each further factor limits grow by this, and a threshold's distance from 1 shrinks as much
# a face state is part of one machine with the others: it is not taken out, it only never holds long enough
_FACE_STATES = (FACE_NONE, FACE_MANY, COVERED)


@dataclass(frozen=True)
class AnalysisSettings:
    """What is looked for, how long it must hold (ms by event type), and the accommodations: types that are ``off``, and by
    what factor others are ``relaxed``."""

    detectors: dict[str, bool] = field(default_factory=lambda: dict(DEFAULT_DETECTORS))
    hold: dict[int, int] = field(default_factory=lambda: dict(DEFAULT_HOLD))
    off: tuple[int, ...] = ()
    relaxed: dict[int, float] = field(default_factory=dict)
    # how long the search for things rests at the most, ms
    things_rest: int = REST_MOST
    # faces that the candidate's face is compared with; they are the session's, not rules
    references: tuple[Reference, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, policy: Any = None, accommodations: Iterable[Mapping[str, Any]] = ()) -> "AnalysisSettings":
        """From an exam's policy (the model, its JSON as a mapping, or None for the defaults) and a candidate's
        accommodations, as the log has them."""
        raw: Mapping[str, Any] = {}
        if policy is not None:
            raw = policy if isinstance(policy, Mapping) else policy.model_dump()
        off: set[int] = set()
        relaxed: dict[int, float] = {}
        for one in accommodations:
            if one["what"] == "off":
                off.update(one["type_ids"])
            else:
                relaxed.update(dict.fromkeys(one["type_ids"], float(one["factor"])))
        detectors = {**DEFAULT_DETECTORS, **(raw.get("detectors") or {})}
        for name, types in DETECTOR_TYPES.items():
            if not set(types) & set(_FACE_STATES) and set(types) <= off:
                detectors[name] = False
        hold = {**DEFAULT_HOLD, **{int(key): int(value) for key, value in (raw.get("hold_ms") or {}).items()}}
        for type_id, factor in relaxed.items():
            if type_id in hold:
                hold[type_id] = min(round(max(hold[type_id], RELAXED_LEAST) * factor), RELAXED_MOST)
        hold.update(dict.fromkeys(off & set(_FACE_STATES), NEVER))
        rest = int(raw.get("things_rest_ms", REST_MOST))
        return cls(detectors, hold, tuple(sorted(off)), dict(sorted(relaxed.items())), rest)

    def surer(self, type_id: int, threshold: float) -> float:
        """A threshold (0 to 1), higher where the type is relaxed."""
        return round(1 - (1 - threshold) / self.wider(type_id), 4)

    def wider(self, type_id: int) -> float:
        """By what a limit is multiplied where the type is relaxed."""
        return 1 + RELAXED_SURER * (self.relaxed.get(type_id, 1.0) - 1)

    def rule(self, type_id: int, alone: bool = False) -> ObjectRule:
        """The rule of an object, stricter where it is relaxed. ``alone``: there is no second look."""
        rule = (ALONE_RULES if alone else OBJECT_RULES)[type_id]
        return replace(rule, confirm=self.surer(type_id, rule.confirm), nearly=self.surer(type_id, rule.nearly))

    @property
    def object_types(self) -> tuple[int, ...]:
        """Event types of the objects looked for."""
        wanted = (PHONE, BOOK) if self.detectors["objects"] else ()
        wanted = (*wanted, LAPTOP) if self.detectors["laptop"] else wanted
        return tuple(type_id for type_id in wanted if type_id not in self.off)

    @property
    def looks_for_people(self) -> bool:
        """Whether people are looked for where no face is."""
        return self.detectors["faces"] and self.detectors["face_covered"]

    def digest(self) -> str:
        """SHA-256 over the rules and these settings: equal digests, equal findings on equal bytes."""
        rules: dict[str, Any] = {
            name: value for name, value in globals().items() if name.isupper() and isinstance(value, int | float | str)
        }
        rules["OBJECT_MOST"] = OBJECT_MOST
        rules["OBJECT_RULES"] = {str(key): asdict(rule) for key, rule in OBJECT_RULES.items()}
        rules["ALONE_RULES"] = {str(key): asdict(rule) for key, rule in ALONE_RULES.items()}
        mine = {"detectors": self.detectors, "hold": self.hold, "things_rest": self.things_rest}
        text = json.dumps(
            [rules, {**mine, "off": self.off, "relaxed": self.relaxed}], sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(text.encode()).hexdigest()
