"""Analyse a finished session again and compare: the same findings, or what differs, finding by finding."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openproctor.analysis.conditions import conditions, damaged_model, model_files
from openproctor.analysis.course import ENDED_WORKERS, Course, Outcome, Piece, Settings
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import NO_TWIN, Finding
from openproctor.analysis.material import ACCOMMODATED, ANALYSED, REJECTED, TRACK, CannotCheck, Entry, Facts, Material
from openproctor.analysis.report import Difference, Report
from openproctor.analysis.sameness import reference
from openproctor.analysis.virtual_camera import looks_virtual
from openproctor.vision.frames import decode_still, encode_jpeg
from openproctor.vision.models import shipped
from openproctor.vision.recognition import Reference

# By the same runtime every number must be the same. Another one adds up in another order: a score may differ by this much,
# and with it the picture at which a state is seen to begin (five are looked at in a second).
SCORE_TOLERANCE = 0.02
TIME_TOLERANCE = 400  # ms
NEAR = 5_000  # ms within which two findings of a type are taken for the same one that moved
VIRTUAL = 1047
# which values may differ a little by another runtime, and which then follow from the picture that was taken
_SCORES = ("score", "highest_score", "mean_score")
_TIMES = ("at", "from", "until", "length_ms", "frame_time")
_FOLLOWS = ("runtime", "still", "inputs", "chunk", "box", "boxes", "count")


@dataclass(slots=True)
class Made:
    """A finding as the log has it, or as it was made again. ``still`` is the SHA-256 of its picture, ``at`` ms since 1970."""

    type_id: int
    at: int
    data: dict[str, Any]
    still: str | None
    chunk: tuple[int, str] | None


def installed(material: Material, settings: Any, runtime: str | None = None) -> Detectors:
    """The detectors with which a session's findings were made; ``runtime`` takes another one than they name.

    ``settings`` say what is installed beside the shipped models. Raises :class:`CannotCheck` if a model is not here.
    """
    account = material.account or {}
    made = account.get("made_by", [])
    named = made[-1]["runtime"].split(" ")[0] if made else settings.analysis_runtime
    objects = settings.analysis_objects
    if made and made[-1].get("objects") == shipped("nanodet-g").sha256:
        objects = "nanodet"
    try:
        detectors = Detectors(runtime or named, objects)
    except (OSError, ValueError) as error:
        raise CannotCheck(str(error).splitlines()[0]) from error
    here = model_files(detectors)
    broken = damaged_model(here)
    if broken is not None:
        raise CannotCheck(
            f"The model file {broken.path.name} is not the one with digest {broken.sha256[:16]}… any more."
        )
    known = {model.sha256 for model in here}
    models = {one["digest"]: one["name"] for one in account.get("models", [])}
    found = [one.data for one in material.entries if one.data.get("model_digest")]
    models |= {one["model_digest"]: one.get("model", "?") for one in found}
    for digest, name in models.items():
        if digest not in known:
            raise CannotCheck(f"The model {name} with digest {digest[:16]}… is not installed.")
    return detectors


async def recheck(material: Material, detectors: Detectors, progress: Callable[[float], None] | None = None) -> Report:
    """Go the whole way again, over the stored bytes, and compare. Raises :class:`CannotCheck`."""
    report = Report(material.session_id, chunks=len(material.chunks))
    here = conditions(detectors)
    report.runtime = here["runtime"]
    report.notes, report.tolerant = _notes(material, here)
    logged = _logged(material)
    again = await _again(material, detectors, progress or (lambda fraction: None))
    report.compared = len(logged)
    other_rules = any(made["rules"] != here["rules"] for made in (material.account or {}).get("made_by", []))
    _compare(logged, again, report, ignore={"settings"} if other_rules else set())
    report.differences += _names(material)
    return report


def _notes(material: Material, here: dict[str, str]) -> tuple[list[str], bool]:
    """In what the conditions differ from today's, and whether numbers may therefore differ a little."""
    made = (material.account or {}).get("made_by", [])
    if not made:
        runtimes = {one.data["runtime"] for one in material.entries if "runtime" in one.data}
        other = bool(runtimes) and here["runtime"] not in runtimes
        return ["An older version made these findings and did not say under what conditions."], other
    notes = []
    if len(made) > 1:
        notes.append(f"The conditions changed {len(made) - 1} times while the session was analysed.")
    last = made[-1]
    other = any(one["runtime"] != here["runtime"] for one in made)
    if other:
        notes.append(f"Other runtime: {last['runtime']} then, {here['runtime']} now.")
    if any(one["rules"] != here["rules"] for one in made):
        notes.append(f"Rules of another version: {last['rules'][:12]}… then, {here['rules'][:12]}… now.")
    if last.get("software", here["software"]) != here["software"]:
        notes.append(f"Other software: {last['software']} then, {here['software']} now.")
    return notes, other


# -- as the log has it ------------------------------------------------------------------------------------------------


def _logged(material: Material) -> list[Made]:
    found = []
    for entry in material.entries:
        by_analysis = entry.source == "analysis" or entry.type_id == REJECTED
        if not by_analysis or entry.type_id == ANALYSED:
            continue
        data = {name: value for name, value in entry.data.items() if name != "still"}
        still = entry.data.get("still")
        digest = material.stills.get(still, "not in the log") if still is not None else None
        found.append(Made(entry.type_id, entry.occurred_at, data, digest, _chunk_of(entry)))
    return found


def _chunk_of(entry: Entry) -> tuple[int, str] | None:
    return next(((one["number"], one["digest"]) for one in entry.evidence if one.get("kind") == "chunk"), None)


def _names(material: Material) -> list[Difference]:
    """1047 rests on a device's name that the page told, not on the recording."""
    labels = {one.data.get("label") for one in material.entries if one.type_id != VIRTUAL}
    return [
        Difference("missing", VIRTUAL, one.occurred_at, {"label": [one.data.get("label"), None]})
        for one in material.entries
        if one.type_id == VIRTUAL
        and one.source == "server"
        and not (one.data.get("label") in labels and looks_virtual(str(one.data.get("label"))))
    ]


# -- once more --------------------------------------------------------------------------------------------------------


async def _again(material: Material, detectors: Detectors, progress: Callable[[float], None]) -> list[Made]:
    account = material.account or {}
    settings = Settings(material.policy)
    settings.replace(
        [(one.position, one.data["accommodations"]) for one in material.entries if one.type_id == ACCOMMODATED]
    )
    settings.compare_with(await _references(material, detectors))
    course = Course(detectors, settings)
    walk = _Walk(material, course, progress)
    anew = set(account.get("began_anew", []))
    gaps = [(gap["first"], gap["last"]) for gap in account.get("gaps", [])] if account else _holes(material.chunks)
    following = 0
    for chunk in [*material.chunks, None]:
        while gaps and gaps[0][0] == following:
            if following in anew:
                course.begin_anew(following)
            first, last = gaps.pop(0)
            walk.add(course.skip(first, last), None)
            following = last + 1
        if chunk is None or course.passed_over(chunk.number):
            continue
        if chunk.number != following:
            raise CannotCheck(f"Chunk {following} is missing, though it was analysed.")
        if following in anew:
            course.begin_anew(following)
        await walk.look(chunk)
        following += 1
    if gaps:
        raise CannotCheck(f"The gaps that the log tells of do not fit the chunks (gap at {gaps[0][0]}).")
    walk.add(course.turn(), None)
    while (span := course.late_span) is not None:
        for chunk in material.chunks:
            if span[0] <= chunk.number <= span[1]:
                await walk.look(chunk)
        walk.add(course.turn(), None)
    return walk.made


async def _references(material: Material, detectors: Detectors) -> tuple[Reference, ...]:
    found = []
    for capture_id in material.references:
        data = await material.reader.still(capture_id)
        try:
            image = decode_still(data).image
        except ValueError:
            continue  # a still that is broken is no reference
        known = reference(detectors, capture_id, image)
        found += [known] if known is not None else []
    return tuple(found)


def _holes(chunks: list[Facts]) -> list[tuple[int, int]]:
    found, following = [], 0
    for chunk in chunks:
        if chunk.number > following:
            found.append((following, chunk.number - 1))
        following = chunk.number + 1
    return found


class _Walk:
    """Brings a session's chunks to a course and keeps what comes out."""

    def __init__(self, material: Material, course: Course, progress: Callable[[float], None]) -> None:
        self.made: list[Made] = []
        self._material = material
        self._course = course
        self._progress = progress
        self._seen = 0
        self._init: tuple[int, bytes] = (-1, b"")

    async def look(self, chunk: Facts) -> None:
        self._seen += 1
        self._progress(min(1.0, self._seen / max(1, len(self._material.chunks))))
        if not chunk.has_media:
            if self._course.lane >= 0:
                self._course.pass_by(chunk.number)
            return
        outcome: Outcome = self._course.take(await self._piece(chunk))
        if outcome.rejected is not None:
            data = {"track": TRACK, "number": chunk.number, "digest": chunk.digest, "reason": outcome.rejected[:500]}
            self.made.append(Made(REJECTED, chunk.at, data, None, (chunk.number, chunk.digest)))
        self.add(outcome.findings, chunk)

    async def _piece(self, chunk: Facts) -> Piece:
        begin = next((one for one in self._material.chunks if one.begins and self._usable(one, chunk)), None)
        origin = begin.started_at if begin else chunk.started_at
        piece = Piece(
            chunk.number,
            chunk.part,
            chunk.digest,
            chunk.position,
            chunk.at,
            origin,
            unreadable=self._gone(chunk, begin),
        )
        if piece.unreadable is not None or begin is None:
            return piece
        if self._init[0] != begin.number:
            self._init = (begin.number, (await self._material.reader.read(begin.number))[0])
        _, media = await self._material.reader.read(chunk.number)
        return Piece(chunk.number, chunk.part, chunk.digest, chunk.position, chunk.at, origin, self._init[1], media)

    def _usable(self, begin: Facts, chunk: Facts) -> bool:
        if begin.part != chunk.part:
            return False
        return self._course.lane >= 0 or (begin.number <= chunk.number and not self._course.passed_over(begin.number))

    def _gone(self, chunk: Facts, begin: Facts | None) -> str | None:
        """What could not be read then is not read now."""
        if begin is None:
            return "the beginning of the recording is missing"
        for entry in self._material.entries:
            if entry.type_id == REJECTED and entry.data.get("number") == chunk.number:
                reason = str(entry.data["reason"])
                return reason if "the store" in reason or reason == ENDED_WORKERS else None
        return None

    def add(self, findings: list[Finding], chunk: Facts | None) -> None:
        for one in findings:
            if one.type_id == NO_TWIN:
                continue
            still = hashlib.sha256(encode_jpeg(one.still)).hexdigest() if one.still is not None else None
            place = (chunk.number, chunk.digest) if chunk is not None else None
            self.made.append(Made(one.type_id, one.at, dict(one.data), still, place))


# -- compare ----------------------------------------------------------------------------------------------------------


def _compare(logged: list[Made], again: list[Made], report: Report, ignore: set[str]) -> None:
    left = list(again)
    for one in logged:
        same = [other for other in left if other.type_id == one.type_id and abs(other.at - one.at) <= NEAR]
        if not same:
            report.differences.append(Difference("missing", one.type_id, one.at))
            continue
        other = min(same, key=lambda made: (abs(made.at - one.at), made.chunk != one.chunk))
        left.remove(other)
        fields = _fields(one, other, report, ignore)
        if fields:
            report.differences.append(Difference("changed", one.type_id, one.at, fields))
    report.differences += [Difference("new", one.type_id, one.at) for one in left]
    report.differences.sort(key=lambda difference: (difference.at, difference.type_id))


def _fields(one: Made, other: Made, report: Report, ignore: set[str]) -> dict[str, list[Any]]:
    """What differs: the log's value and today's."""
    before = {"at": one.at, "still": one.still, "chunk": list(one.chunk or ()), **one.data}
    now = {"at": other.at, "still": other.still, "chunk": list(other.chunk or ()), **other.data}
    found = {}
    for name in dict.fromkeys([*before, *now]):
        if name in ignore or _equal(name, before.get(name), now.get(name), report):
            continue
        found[name] = [before.get(name), now.get(name)]
    return found


def _equal(name: str, before: Any, now: Any, report: Report) -> bool:
    """Whether two values are the same; by another runtime, within the tolerance."""
    if before == now:
        return True
    if not report.tolerant:
        return False
    if name in _FOLLOWS:
        return True
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(_equal(name, a, b, report) for a, b in zip(before, now, strict=True))
    if isinstance(before, dict) and isinstance(now, dict):
        return before.keys() == now.keys() and all(_equal(key, before[key], now[key], report) for key in before)
    if name in _SCORES:
        kind, difference, limit = "score", abs(now - before), SCORE_TOLERANCE
    elif name in _TIMES:
        kind, difference = "ms", abs(now - before) * (1000 if name == "frame_time" else 1)
        limit = 2 * TIME_TOLERANCE if name == "length_ms" else TIME_TOLERANCE
    else:
        return False
    if difference > limit:
        return False
    report.deviations[kind] = max(report.deviations.get(kind, 0.0), round(difference, 4))
    return True
