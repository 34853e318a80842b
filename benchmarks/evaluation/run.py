"""``python -m benchmarks.evaluation.run``: the pipeline over labelled sittings, and the table of what it found."""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.evaluation.clips import coco_table, labelled_clips
from benchmarks.evaluation.scenes import HELD_BACK, LABELS, Sitting, sittings
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


def evaluate(first: int, count: int, runtime: str, objects: str) -> dict[str, object]:
    """The table over composed sittings."""
    detectors = Detectors(runtime, objects)
    score, misses = Score(), []
    for sitting in sittings(first, count):
        found, used = states(sitting, detectors)
        score.add(sitting.truths, found, sitting.seconds, used, WATCHED)
        seen = {one.type_id for one in found}
        wanted = {truth.type_id for truth in sitting.truths}
        if wanted - seen or (seen & WATCHED) - wanted:
            shares = [truth.share for truth in sitting.truths if truth.share]
            misses.append({"sitting": sitting.name, "wanted": sorted(wanted), "found": sorted(seen), "share": shares})
        print(f"{sitting.name:16} {sorted(seen)}", file=sys.stderr)
    return {
        "seeds": [first, first + count - 1],
        "sittings": count,
        "hours": round(score.hours, 3),
        "cpu_ms_per_candidate_second": round(score.cpu * 1000 / score.seconds, 1),
        "objects": objects,
        "runtime": detectors.faces.runtime,
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


def compare(result: dict[str, object], baseline: dict[str, object]) -> list[str]:
    """What is worse than the baseline by more than the slack."""
    worse = []
    now, then = result["types"], baseline["types"]
    assert isinstance(now, dict)
    assert isinstance(then, dict)
    for type_id, row in then.items():
        for name in ("precision", "recall", "f1"):
            before, after = row[name], now.get(type_id, {}).get(name)
            if before is not None and (after is None or after < before - SLACK):
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
    parser.add_argument("--count", type=int, default=27)
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
    result = evaluate(given.first, given.count, given.runtime, given.objects)
    print_table(result)
    print(json.dumps({name: value for name, value in result.items() if name != "types"}, indent=2))
    if given.write_baseline:
        BASELINE.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        return 0
    if not BASELINE.exists() or (given.first, given.count) != (HELD_BACK, 27):
        return 0
    worse = compare(result, json.loads(BASELINE.read_text(encoding="utf-8")))
    for line in worse:
        print("worse than the baseline:", line, file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
