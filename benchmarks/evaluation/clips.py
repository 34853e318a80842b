"""Labelled material of one's own: clips with a JSON file beside each, and folders in COCO's format."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.evaluation.scenes import Truth
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.looks import Looker
from openproctor.analysis.samples import inspect_file
from openproctor.analysis.settings import LABELS, OBJECT_RULES, AnalysisSettings
from openproctor.vision.geometry import Box

SUFFIXES = {".mp4", ".webm", ".mkv", ".mov", ".avi"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled clip. Its JSON: ``[{"type_id": 169, "from": 3.2, "until": 9.0}, …]``, seconds."""

    path: Path
    truths: list[Truth]
    seconds: float


def labelled_clips(folder: Path) -> Iterator[Clip]:
    """Clips of a folder that have labels."""
    for path in sorted(folder.iterdir()):
        labels = path.with_suffix(".json")
        if path.suffix.lower() not in SUFFIXES or not labels.exists():
            continue
        facts = inspect_file(path)
        rows = json.loads(labels.read_text(encoding="utf-8"))
        truths = [Truth(row["type_id"], row["from"], row["until"]) for row in rows]
        yield Clip(path, truths, facts.end - facts.start)


def coco_table(folder: Path, detectors: Detectors) -> dict[str, dict[str, float | int | None]]:
    """Single pictures: of those with a thing of at least 3 % of the picture, how many are seen; of those without any, how
    many are seen wrongly. A picture counts as seen when a suspect's enlarged views reach the threshold, as in a clip."""
    raw = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    names = {entry["id"]: entry["name"] for entry in raw["categories"]}
    boxes = defaultdict(list)
    for entry in raw["annotations"]:
        boxes[entry["image_id"]].append((names[entry["category_id"]], entry["bbox"]))
    looker = Looker(detectors, AnalysisSettings())
    counts: dict[str, list[int]] = {label: [0, 0, 0, 0] for label in LABELS.values()}
    for entry in raw["images"]:
        image = cv2.imread(str(folder / "images" / entry["file_name"]))
        if image is None:
            continue
        picture = np.asarray(image, dtype=np.uint8)
        height, width = picture.shape[:2]
        found = looker.things(picture)
        for type_id, label in LABELS.items():
            rule = OBJECT_RULES[type_id]
            suspects = [one for one in found if one.label == label and one.score >= rule.suspect][:3]
            seen = [one for one in (looker.verify(picture, s) for s in suspects) if one.score >= rule.confirm]
            truths = [Box(x, y, x + w, y + h) for name, (x, y, w, h) in boxes[entry["id"]] if name == label]
            large = [box for box in truths if box.area >= 0.03 * width * height]
            if large:
                hit = any(_on(one.box, box, width, height) for one in seen for box in large)
                counts[label][0] += hit
                counts[label][1] += 1
            elif not truths:
                counts[label][2] += bool(seen)
                counts[label][3] += 1
    return {
        label: {
            "pictures_with": whole,
            "recall": round(hits / whole, 4) if whole else None,
            "pictures_without": without,
            "false": round(wrong / without, 4) if without else None,
        }
        for label, (hits, whole, wrong, without) in counts.items()
    }


def _on(fractions: tuple[float, float, float, float], truth: Box, width: int, height: int) -> bool:
    left, top, right, bottom = fractions
    return Box(left * width, top * height, right * width, bottom * height).iou(truth) > 0.3
