"""``python -m benchmarks.evaluation.run``: the pipeline over labelled sittings, and the table of what it found."""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.evaluation.clips import coco_table, labelled_clips
from benchmarks.evaluation.scenes import HELD_BACK, LABELS, Sitting, Truth, sitting
from benchmarks.evaluation.score import Found, Score
from openproctor.analysis.analyze import analyze_file
from openproctor.analysis.coded import Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import TWINS, Finding
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.samples import Segment, chunk_segment
from openproctor.analysis.settings import AnalysisSettings
from openproctor.catalog import CATALOG

BASELINE = Path(__file__).with_name("baseline.json")
WATCHED = {*LABELS.values(), 1045}
COUNT = 98  # seven sittings of each kind
SMALL = (2000, 2003, 2004, 2010)  # what the tests look at each time: a phone, nobody, a visitor, speech
SLACK = 0.05  # by which a rate may fall below the baseline before the comparison fails


def states(sitting: Sitting, detectors: Detectors) -> tuple[list[Found], float]:
    """What the pipeline finds in a sitting's chunks, and the CPU seconds it took."""
    analysis = Analysis(detectors, AnalysisSettings())
    decoders, before = Decoders(), None
    transitions: list[tuple[Finding, float]] = []
    used = 0.0
    for number, blob in enumerate(sitting.blobs[1:], 1):
        begun = time.process_time()
        segment = chunk_segment(
            number=number, digest="", part=0, origin=0, init=sitting.blobs[0].data, media=blob.data, decoders=decoders
        )
        previous: Segment | None = before
        transitions += [(one, segment.end) for one in analysis.step(segment, lambda previous=previous: previous)]  # type: ignore[misc]
        used += time.process_time() - begun
        before = segment
    ends = {(end["type_id"], end["from"]): end["until"] for one, _ in transitions for end in one.ended}
    skip = {0, *TWINS.values()}
    found = [
        Found(one.type_id, one.at / 1000, ends.get((one.type_id, one.at), sitting.seconds * 1000) / 1000, raised)
        for one, raised in transitions
        if one.type_id not in skip
    ]
    return found, used


def evaluate(
    seeds: Sequence[int], detectors: Detectors, objects: str, log: Path | None = None, minutes: float | None = None
) -> dict[str, object]:
    """The table over composed sittings.

    ``log`` keeps a line for each sitting; those it has are not looked at again, so that a long evaluation may be cut into
    parts of some ``minutes``. The digest of the rules is part of a line: after a change all count anew.
    """
    settings = AnalysisSettings().digest()
    done: dict[int, dict[str, Any]] = {}
    if log is not None and log.exists():
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        done = {line["seed"]: line for line in lines if line["settings"] == settings and line["objects"] == objects}
    begun, left = time.monotonic(), 0
    for seed in seeds:
        if seed in done:
            continue
        if minutes is not None and time.monotonic() - begun > minutes * 60:
            left += 1
            continue
        made = sitting(seed)
        found, used = states(made, detectors)
        line: dict[str, Any] = {
            "seed": seed, "settings": settings, "objects": objects, "name": made.name, "seconds": made.seconds,
            "cpu": round(used, 3), "truths": [asdict(one) for one in made.truths], "found": [asdict(one) for one in found],
        }  # fmt: skip
        done[seed] = line
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        print(f"{made.name:16} {sorted({one.type_id for one in found})}", file=sys.stderr)
    score, misses = Score(), []
    for seed in (one for one in seeds if one in done):
        line = done[seed]
        truths, found = [Truth(**one) for one in line["truths"]], [Found(**one) for one in line["found"]]
        score.add(truths, found, line["seconds"], line["cpu"], WATCHED)
        seen, wanted = {one.type_id for one in found}, {truth.type_id for truth in truths}
        if wanted - seen or (seen & WATCHED) - wanted:
            shares = [truth.share for truth in truths if truth.share]
            misses.append({"sitting": line["name"], "wanted": sorted(wanted), "found": sorted(seen), "share": shares})
    if left:
        print(f"{left} sittings are left for the next part", file=sys.stderr)
    return {
        "seeds": [seeds[0], seeds[-1]],
        "sittings": len(seeds) - left,
        "left": left,
        "hours": round(score.hours, 3),
        "cpu_ms_per_candidate_second": round(score.cpu * 1000 / score.seconds, 1) if score.seconds else None,
        "objects": objects,
        "runtime": detectors.faces.runtime,
        "settings": settings,
        "types": score.table(),
        "differences": misses,
    }


def evaluate_clips(folder: Path, runtime: str, objects: str) -> dict[str, object]:
    """The same over a folder of clips, each with a JSON file of what is in it."""
    detectors = Detectors(runtime, objects)
    score = Score()
    for clip in labelled_clips(folder):
        begun = time.process_time()
        found = [
            Found(one.type_id, one.at, one.until if one.until is not None else clip.seconds, one.at)
            for one in analyze_file(clip.path, detectors=detectors)
        ]
        score.add(clip.truths, found, clip.seconds, time.process_time() - begun, WATCHED)
    return {"clips": str(folder.name), "hours": round(score.hours, 3), "types": score.table()}


def compare(result: Mapping[str, object], baseline: Mapping[str, object]) -> list[str]:
    """What is worse than the baseline by more than the slack."""
    worse = []
    now, then = result["types"], baseline["types"]
    assert isinstance(now, Mapping)
    assert isinstance(then, Mapping)
    for type_id, row in then.items():
        for name in ("precision", "recall", "f1"):
            before, after = row[name], now.get(type_id, {}).get(name)
            if before is not None and (after or 0.0) < before - SLACK:
                worse.append(f"{CATALOG.name(int(type_id))}: {name} {after} was {before}")
    return worse


def print_table(result: dict[str, object]) -> None:
    """The types as a table in Markdown."""
    types = result["types"]
    assert isinstance(types, dict)
    columns = next(iter(types.values())).keys()
    print("| type | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for type_id, row in types.items():
        cells = " | ".join("–" if value is None else str(value) for value in row.values())
        print(f"| {type_id} {CATALOG.name(int(type_id))} | {cells} |")


def main() -> int:
    """Evaluate, print, and compare with the committed baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=HELD_BACK, help="first seed; below 2000 is for tuning")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--log", type=Path, help="keep what was found here, and go on from there")
    parser.add_argument(
        "--minutes", type=float, help="stop after so long; the rest is for another call with the same log"
    )
    parser.add_argument("--runtime", default="openvino")
    parser.add_argument("--objects", default="nanodet", help="nanodet, or DECODER:FILE such as yolox:yolox_nano.onnx")
    parser.add_argument("--clips", type=Path, help="folder of clips, each NAME.mp4 with NAME.json")
    parser.add_argument("--coco", type=Path, help="folder with images/ and a COCO instances.json")
    parser.add_argument("--write-baseline", action="store_true")
    given = parser.parse_args()
    if given.coco:
        print(json.dumps(coco_table(given.coco, Detectors(given.runtime, given.objects)), indent=2))
        return 0
    if given.clips:
        result = evaluate_clips(given.clips, given.runtime, given.objects)
        print_table(result)
        return 0
    seeds = range(given.first, given.first + given.count)
    result = evaluate(seeds, Detectors(given.runtime, given.objects), given.objects, given.log, given.minutes)
    if result["left"]:
        return 3
    print_table(result)
    print(json.dumps({name: value for name, value in result.items() if name != "types"}, indent=2))
    if given.write_baseline:
        small = evaluate(SMALL, Detectors(given.runtime, given.objects), given.objects, given.log)
        BASELINE.write_text(json.dumps({**result, "small": small["types"]}, indent=2) + "\n", encoding="utf-8")
        return 0
    if not BASELINE.exists() or (given.first, given.count) != (HELD_BACK, COUNT):
        return 0
    worse = compare(result, json.loads(BASELINE.read_text(encoding="utf-8")))
    for line in worse:
        print("worse than the baseline:", line, file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
