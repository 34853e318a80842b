"""How well views are told apart: area under ROC, recall at few wrong ones, how well places agree."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation.second_look.views import KINDS, Place, Sample, plain
from openproctor.vision.geometry import Box

WRONG = (0.01, 0.005)  # shares of views without the thing that may be called one
Values = NDArray[np.float64]


def area_under_roc(right: Values, wrong: Values) -> float:
    """How often a score of ``right`` is above one of ``wrong``; ties count half."""
    order = np.sort(wrong)
    below = np.searchsorted(order, right, "left") + np.searchsorted(order, right, "right")
    return float(below.mean() / 2 / len(wrong))


def recall_at(right: Values, wrong: Values, share: float) -> float:
    """Which share of ``right`` is above all but ``share`` of ``wrong``."""
    return float((right > np.quantile(wrong, 1 - share)).mean())


def agreement(first: Place, second: Place) -> float:
    """Intersection over union of two places, 0 to 1."""
    return Box(*first).iou(Box(*second))


def lines(samples: Sequence[Sample], said: Values) -> Iterator[str]:
    """What is to be told of held-back samples and what the network said of them (n x 6)."""
    kinds = np.array([sample.kind for sample in samples])
    drawn = np.array([sample.drawn for sample in samples])
    for number, kind in enumerate(KINDS[:2]):
        score, own = said[:, number], kinds == kind
        if own.all() or not own.any():
            yield f"{kind}: nothing held back that is one, or nothing that is none"
            continue
        parts = [
            f"{kind}: {own.sum()} of {len(own)} views, area under ROC {area_under_roc(score[own], score[~own]):.4f}"
        ]
        for share in WRONG:
            found = f"recall at {share:.1%} wrong {recall_at(score[own], score[~own], share):.3f}"
            for name, chosen in (("drawn", own & drawn), ("pictures", own & ~drawn)):
                if chosen.any():
                    found += f", {name} {recall_at(score[chosen], score[~own], share):.3f}"
            parts.append(found)
        yield "; ".join(parts)
    pairs = [(plain(sample).place, row[2:].tolist()) for sample, row in zip(samples, said, strict=True)]
    agreed = [agreement(place, row) for place, row in pairs if place is not None]
    if agreed:
        yield f"places: intersection over union {np.median(agreed):.3f} in the median of {len(agreed)}"
