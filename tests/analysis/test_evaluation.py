"""A small part of the evaluation, against the committed baseline: found things stay found."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.evaluation import objects
from benchmarks.evaluation.clips import coco_table, labelled_clips
from benchmarks.evaluation.run import BASELINE, SMALL, compare, evaluate
from benchmarks.evaluation.scenes import SECONDS, Truth, sitting
from benchmarks.evaluation.score import Found, Score
from openproctor.analysis.detectors import Detectors


def test_a_small_part_of_the_evaluation_is_no_worse_than_the_baseline(detectors: Detectors, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    result = evaluate(SMALL, detectors, "nanodet", log)
    assert compare(result, {"types": json.loads(BASELINE.read_text(encoding="utf-8"))["small"]}) == []
    # the log holds it all: the second time nothing is looked at again
    assert evaluate(SMALL, detectors, "nanodet", log)["types"] == result["types"]
    assert len(log.read_text(encoding="utf-8").splitlines()) == len(SMALL)


def test_a_worse_result_is_told() -> None:
    then = {"types": {"169": {"precision": 1.0, "recall": 1.0, "f1": 1.0}}}
    now = {"types": {"169": {"precision": 1.0, "recall": 0.5, "f1": 0.67}}}
    assert len(compare(now, then)) == 2
    assert compare(then, then) == []


def test_scores_count_episodes_delays_and_false_ones() -> None:
    score = Score()
    truths = [Truth(169, 10, 20), Truth(169, 30, 40)]
    found = [Found(169, 11, 19, 13), Found(169, 50, 60, 52)]
    score.add(truths, found, 3600, 36, {169})
    row = score.table()["169"]
    assert (row["precision"], row["recall"], row["f1"]) == (0.5, 0.5, 0.5)
    assert (row["delay_s"], row["false_per_hour"]) == (3, 1)


def test_the_same_seed_gives_the_same_sitting() -> None:
    one, two = sitting(11), sitting(11)
    assert one.truths == two.truths
    assert one.seconds == SECONDS
    assert [blob.data for blob in one.blobs] == [blob.data for blob in two.blobs]


@pytest.mark.parametrize("draw", [objects.phone, objects.book, objects.other])
def test_drawn_things_are_whole_pictures(draw: objects.Draw) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        picture, cover = draw(rng, objects.some_art(rng))
        assert picture.shape == (*cover.shape, 3)
        assert picture.dtype == cover.dtype == np.uint8
        assert cover.max() == 255


def test_folders_of_ones_own(detectors: Detectors, tmp_path: Path) -> None:
    made = sitting(3)
    (tmp_path / "one.mp4").write_bytes(b"".join(blob.data for blob in made.blobs))
    (tmp_path / "one.json").write_text('[{"type_id": 169, "from": 3, "until": 9}]')
    (tmp_path / "unlabelled.mp4").write_bytes(b"")
    assert [(clip.path.name, clip.truths) for clip in labelled_clips(tmp_path)] == [("one.mp4", [Truth(169, 3, 9)])]
    (tmp_path / "images").mkdir()
    picture = np.asarray(cv2.imread(str(Path(__file__).parents[1] / "pictures" / "coffee.png")), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "images" / "a.png"), picture)
    labels = {
        "images": [{"id": 1, "file_name": "a.png", "width": picture.shape[1], "height": picture.shape[0]}],
        "categories": [{"id": 47, "name": "cup"}],
        "annotations": [{"image_id": 1, "category_id": 47, "bbox": [100, 50, 300, 280]}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(labels))
    table = coco_table(tmp_path, detectors)
    assert table["cell phone"] == {"pictures_with": 0, "recall": None, "pictures_without": 1, "false": 0.0}
