"""What the second look is fitted to: drawn things, how they are laid, views of suspects, how a fit is judged."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.evaluation.drawing.books import book
from benchmarks.evaluation.drawing.laying import cheap_camera, laid
from benchmarks.evaluation.drawing.others import other
from benchmarks.evaluation.drawing.patterns import Draw, rounded
from benchmarks.evaluation.drawing.phones import phone
from benchmarks.evaluation.second_look.collect import HEIGHT, WIDTH, Collector, framed, photographs
from benchmarks.evaluation.second_look.report import agreement, area_under_roc, lines, recall_at
from benchmarks.evaluation.second_look.views import (
    KEPT_SIDE,
    KINDS,
    Sample,
    decoded,
    plain,
    repeated,
    taken,
    varied,
    weighed,
)
from openproctor.vision.geometry import Box, Image
from openproctor.vision.second_look import SIDE, viewed

PICTURES = Path(__file__).parents[1] / "pictures"
TRUTH, SUSPECT = Box(200, 150, 260, 250), Box(190, 160, 270, 280)


def white_on_black() -> Image:
    """A picture with something white at TRUTH."""
    picture: Image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture[int(TRUTH.top) : int(TRUTH.bottom), int(TRUTH.left) : int(TRUTH.right)] = 255
    return picture


def art() -> Image:
    return np.asarray(cv2.imread(str(PICTURES / "coffee.png")), dtype=np.uint8)


@pytest.mark.parametrize("draw", [phone, book, other])
def test_the_same_seed_draws_the_same_thing_with_a_cover_of_its_size(draw: Draw) -> None:
    for seed in range(16):
        picture, cover = draw(np.random.default_rng(seed), art)
        assert picture.shape == (*cover.shape, 3)
        assert picture.dtype == cover.dtype == np.uint8
        assert cover.max() == 255
        again, same_cover = draw(np.random.default_rng(seed), art)
        assert np.array_equal(picture, again)
        assert np.array_equal(cover, same_cover)
    one, two = (draw(np.random.default_rng(seed), art)[0] for seed in (0, 1))
    assert one.shape != two.shape or not np.array_equal(one, two)


def test_a_laid_thing_lies_where_its_box_says() -> None:
    background: Image = np.full((HEIGHT, WIDTH, 3), 100, dtype=np.uint8)
    blue: Image = np.full((200, 120, 3), (255, 0, 0), dtype=np.uint8)
    seen = 0
    for seed in range(12):
        for held in (0.0, 1.0):
            made = laid(background, blue, rounded(200, 120, 0.05), 0.08, np.random.default_rng(seed), held=held)
            if made is None:
                continue
            picture, place = made
            assert picture.shape == background.shape
            rows, columns = np.nonzero(picture[..., 0].astype(int) - picture[..., 2] > 60)
            found = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert found.overlap(place) > 0.95 * found.area  # a hand hides some of it and adds nothing blue
            if not held:
                assert found.iou(place) > 0.95
                seen += 1
    assert seen > 6


def test_a_thing_is_laid_at_a_place_or_not_at_all_outside() -> None:
    background: Image = np.full((HEIGHT, WIDTH, 3), 100, dtype=np.uint8)
    thing, cover = phone(np.random.default_rng(3), art)
    made = laid(background, thing, cover, 0.05, np.random.default_rng(4), at=(300, 200))
    assert made is not None
    assert made[1].centre == pytest.approx((300, 200), abs=15)
    assert laid(background, thing, cover, 0.05, np.random.default_rng(4), at=(-900, -900)) is None
    first, second = (cheap_camera(made[0], np.random.default_rng(5)) for _ in range(2))
    assert first.shape == background.shape
    assert np.array_equal(first, second)


def test_a_view_is_what_the_product_looks_at_and_tells_the_place() -> None:
    sample = taken("phone", "one", False, white_on_black(), SUSPECT, TRUTH)
    assert decoded(sample).shape == (KEPT_SIDE, KEPT_SIDE, 3)
    look = plain(sample)
    own, scale = viewed(white_on_black(), SUSPECT)
    assert look.picture.shape == own.shape == (SIDE, SIDE, 3)
    assert np.abs(look.picture.astype(int) - own).mean() < 3
    assert look.form == pytest.approx(np.log(SUSPECT.width / SUSPECT.height))
    assert look.place is not None
    (x, y), side = SUSPECT.centre, SIDE / scale
    left, top, right, bottom = (value * side for value in look.place)
    assert (x + left, y + top, x + right, y + bottom) == pytest.approx(
        (TRUTH.left, TRUTH.top, TRUTH.right, TRUTH.bottom), abs=0.01
    )
    assert plain(taken("other", "one", False, white_on_black(), SUSPECT, TRUTH)).place is None


def test_a_varied_view_tells_where_the_thing_has_come_to_lie() -> None:
    sample = taken("phone", "one", False, white_on_black(), SUSPECT, TRUTH)
    off = []
    for seed in range(40):
        look, again = (varied(sample, np.random.default_rng(seed)) for _ in range(2))
        assert look.picture.shape == (SIDE, SIDE, 3)
        assert np.array_equal(look.picture, again.picture)
        if look.place is not None:
            bright = look.picture.min(axis=2) > look.picture.min(axis=2).max() * 0.8
            rows, columns = np.nonzero(bright)
            left, top, right, bottom = look.place
            middle = np.array([(left + right) / 2, (top + bottom) / 2])
            off.append(np.abs(np.array([np.median(columns), np.median(rows)]) / SIDE - 0.5 - middle).max())
    assert 10 < len(off) < 40  # of those turned further nothing is to be learned of the place
    assert np.median(off) < 0.02


def test_a_frame_holds_the_box_that_it_is_about() -> None:
    picture, box = white_on_black(), TRUTH
    for seed in range(8):
        frame, places = framed(picture, [box], np.random.default_rng(seed), (box, 0.06))
        place = places[0]
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert place is not None
        assert place.area / (WIDTH * HEIGHT) == pytest.approx(0.06, rel=0.05)
        inside = frame[int(place.top) + 3 : int(place.bottom) - 3, int(place.left) + 3 : int(place.right) - 3]
        assert inside.min() == 255


def test_a_folder_gives_the_same_samples_of_all_kinds_by_seed(tmp_path: Path) -> None:
    for name in ("background", "other", "coco", "coco/images"):
        (tmp_path / name).mkdir()
    for folder, name in (("background", "astronaut"), ("background", "camera"), ("other", "coffee")):
        (tmp_path / folder / f"{name}.png").write_bytes((PICTURES / f"{name}.png").read_bytes())
    (tmp_path / "coco" / "images" / "a--1.png").write_bytes((PICTURES / "coffee.png").read_bytes())
    labels = {
        "images": [{"id": 1, "file_name": "a--1.png", "width": 600, "height": 400}],
        "categories": [{"id": 77, "name": "cell phone"}],
        "annotations": [{"image_id": 1, "category_id": 77, "bbox": [200, 50, 120, 200]}],
    }
    (tmp_path / "coco" / "instances.json").write_text(json.dumps(labels), encoding="utf-8")
    assert [one.boxes for one in photographs(tmp_path / "coco")] == [(("cell phone", Box(200, 50, 320, 250)),)]
    samples, again = (Collector(tmp_path, 5).collect(10) for _ in range(2))
    assert samples == again
    assert {sample.kind for sample in samples} == set(KINDS)
    assert {"a", "astronaut"} <= {sample.source for sample in samples}
    assert all(decoded(sample).shape == (KEPT_SIDE, KEPT_SIDE, 3) for sample in samples)
    assert all((sample.place is None) == (sample.kind == "other") for sample in samples)


def test_sources_and_kinds_count_the_same() -> None:
    def sample(kind: str, source: str, drawn: bool = False) -> Sample:
        return Sample(kind, source, drawn, b"", 1, 1, None)

    samples = [
        *[sample("phone", "often")] * 4,
        sample("phone", "once"),
        sample("other", "x"),
        sample("other", "y", True),
    ]
    counts = weighed(samples)
    assert counts[4] == pytest.approx(2 * counts[0])
    assert counts[:5].mean() == pytest.approx(1.1)
    assert weighed(samples, drawn=0.5)[5:].tolist() == [1.0, 0.5]


def test_how_a_fit_is_judged() -> None:
    right, wrong = np.array([0.9, 0.8, 0.3, 0.1]), np.array([0.2] * 99 + [0.85])
    assert area_under_roc(right, wrong) == pytest.approx((1 + 0.99 + 0.99 + 0) / 4)
    assert area_under_roc(wrong, wrong) == pytest.approx(0.5)
    assert recall_at(right, wrong, 0.02) == 0.75
    assert agreement((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert agreement((0, 0, 1, 1), (2, 2, 1, 1)) == 0
    picture = white_on_black()
    samples = [taken(kind, kind, False, picture, SUSPECT, TRUTH) for kind in KINDS]
    said = np.array([[5.0, -5, *(plain(samples[0]).place or ())], [-5, 5, 0, 0, 0, 0], [-5, -5, 0, 0, 0, 0]])
    told = list(lines(samples, said))
    assert [line.split(":")[0] for line in told] == ["phone", "book", "places"]
    assert "area under ROC 1.0000" in told[0]
    assert "0.500 in the median of 2" in told[2]


def test_a_second_fit_shows_most_often_what_the_first_got_wrong() -> None:
    def some(kind: str, number: int) -> Sample:
        return Sample(kind, f"{kind}{number}", False, b"", 10.0, 10.0, None)

    kinds = ["other"] * 20 + ["phone"] * 20 + ["book"] * 20
    samples = [some(kind, number) for number, kind in enumerate(kinds)]
    sure = np.array([[0.01, 0.01]] * 20 + [[0.99, 0.01]] * 20 + [[0.01, 0.99]] * 20)
    sure[0], sure[20], sure[21], sure[40] = (0.01, 0.9), (0.6, 0.01), (0.02, 0.9), (0.9, 0.6)
    often = repeated(samples, sure)
    assert often.sum() == pytest.approx(1)
    assert often[0] > 5 * often[1]  # called a book and none
    assert often[20] > 2 * often[22]  # a phone that is doubted
    assert often[21] < often[22]  # one that cannot be told as such
    assert often[40] > 2 * often[41]  # a book that is rather called a phone
    assert [often[begin : begin + 20].sum() for begin in (20, 40, 0)] == pytest.approx([0.3, 0.27, 0.43])
