"""Fit the second look's network to views. Needs torch and onnx."""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from benchmarks.evaluation.second_look.network import ENDS, SPREAD, Graph, Network
from benchmarks.evaluation.second_look.views import KINDS, Look, Sample, plain, repeated, varied, weighed
from openproctor.vision.objects import NanoDet

BATCH, PLAIN_BATCH = 64, 128
USUAL = 1408  # samples from which is taken what is usual of the pooled values
BODY_RATE, BODY_RATE_AGAIN, HEAD_RATE, DECAY = 6e-4, 5e-4, 1e-3, 0.03
WARMING = 100  # steps until the rates are reached; a tenth of all where these are few
LONGEST = 5.0  # of a step's slope
SMOOTHING = 0.01  # no label is quite sure
PLACE_WEIGHT, PLACE_NEAR = 2.0, 0.05
AVERAGED_FROM, AVERAGED = 0.3, 0.01  # share of the steps after which the weights' moving average begins, and its pace
LEAST_AVERAGED = 5  # the pace is so much by the number of steps where these are few
TOLD = 100  # steps between two lines of progress
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit: passes over the samples, and as many samples as in ``again`` passes in a second fit that shows what the first
    got wrong more often; processes that vary views, threads that compute, what drawn ones count."""

    passes: int
    again: int
    seed: int
    workers: int
    threads: int
    drawn: float


class _Looks:
    """Samples as tensors. An item is asked for by its number and the seed of its variation, -1 for the plain view."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._decoder = NanoDet()

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, asked: tuple[int, int]) -> tuple[Any, ...]:
        number, seed = asked
        cv2.setNumThreads(1)
        sample = self._samples[number]
        look: Look = plain(sample) if seed < 0 else varied(sample, np.random.default_rng(seed))
        place = [0.0] * 5 if look.place is None else [1.0, *look.place]
        return (
            torch.from_numpy(self._decoder.feed(look.picture)[0].copy()),
            torch.tensor([look.form], dtype=torch.float32),
            torch.tensor([float(sample.kind == kind) for kind in KINDS[:2]]),
            torch.tensor(place, dtype=torch.float32),
            number,
        )


def _batches(looks: _Looks, asked: list[tuple[int, int]], size: int, workers: int) -> Any:
    """Batches of looks in the order asked for."""
    # begun anew, not forked: the detector's threads and OpenCV's do not outlive a fork, and who waits for them hangs
    how = "spawn" if workers else None
    return DataLoader(looks, size, sampler=asked, num_workers=workers, multiprocessing_context=how)


def _order(number: int, passes: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Whole batches of all samples in a new order for each pass, each varied anew."""
    asked: list[tuple[int, int]] = []
    for _ in range(passes):
        order = rng.permutation(number)[: number // BATCH * BATCH].tolist()
        asked += zip(order, rng.integers(2**62, size=len(order)).tolist(), strict=True)
    return asked


def fitted(graph: Graph, samples: Sequence[Sample], plan: Plan) -> Network:
    """A network fitted to samples by AdamW; the moving average of its weights. Raises ValueError for less than a batch."""
    if len(samples) < BATCH:
        raise ValueError(f"{len(samples)} samples are too few: at least {BATCH} are needed")
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    rng = np.random.default_rng(plan.seed)
    network, looks = Network(graph), _Looks(samples)
    _learn_usual(network, looks, rng, plan.workers)
    counts = torch.tensor(weighed(samples, plan.drawn), dtype=torch.float32)
    _descend(network, looks, _order(len(samples), plan.passes, rng), counts, BODY_RATE, plan.workers)
    if plan.again:
        sure = 1 / (1 + np.exp(-said_of(network, samples, plan.workers)[:, :2]))
        number = plan.again * len(samples) // BATCH * BATCH
        drawn = rng.choice(len(samples), number, p=repeated(samples, sure, plan.drawn)).tolist()
        asked = list(zip(drawn, rng.integers(2**62, size=number).tolist(), strict=True))
        _descend(network, looks, asked, torch.ones(len(samples)), BODY_RATE_AGAIN, plan.workers)
    return network


def _descend(
    network: Network, looks: _Looks, asked: list[tuple[int, int]], counts: Any, body_rate: float, workers: int
) -> None:
    """Fit to samples in the order asked for; what is kept is the moving average of the weights."""
    head = [*network.modules["first"].parameters(), *network.modules["last"].parameters()]
    own = {id(part) for part in head}
    body = [part for part in network.modules.parameters() if part.requires_grad and id(part) not in own]
    groups = [{"params": body, "lr": body_rate}, {"params": head, "lr": HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
    steps = len(asked) // BATCH
    warming, averaged = max(1, min(WARMING, steps // 10)), max(AVERAGED, min(0.5, LEAST_AVERAGED / steps))
    average: dict[str, Any] = {}
    begun, losses = time.monotonic(), 0.0
    network.modules.train()
    for step, batch in enumerate(_batches(looks, asked, BATCH, workers), 1):
        views, forms, wanted, places, numbers = batch
        pace = 0.5 * (1 + math.cos(math.pi * step / steps)) * min(1.0, step / warming)
        for group, rate in zip(optimizer.param_groups, (body_rate, HEAD_RATE), strict=True):
            group["lr"] = rate * pace
        with torch.autocast("cpu", torch.bfloat16):
            said = network(views, forms)
        loss = _loss(said.float(), wanted, places, counts[numbers])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.modules.parameters(), LONGEST)
        optimizer.step()
        losses += loss.item()
        if step > steps * AVERAGED_FROM:
            _average(average, network, averaged)
        if step % TOLD == 0:
            seconds = time.monotonic() - begun
            print(f"step {step} of {steps}: loss {losses / TOLD:.3f}, {seconds:.0f} s", file=sys.stderr, flush=True)
            losses = 0.0
    network.modules.load_state_dict(average)
    network.modules.eval()


def _learn_usual(network: Network, looks: _Looks, rng: np.random.Generator, workers: int) -> None:
    """Mean and deviation of the pooled values before anything is fitted."""
    chosen = [(int(number), -1) for number in rng.permutation(len(looks))[:USUAL]]
    network.modules.eval()
    with torch.no_grad():
        batches = _batches(looks, chosen, PLAIN_BATCH, workers)
        pooled = torch.cat([network.pooled(batch[0]) for batch in batches])
    network.mean, network.scale = pooled.mean(0), 1 / (pooled.std(0) + SPREAD)


def _loss(said: Any, wanted: Any, places: Any, counts: Any) -> Any:
    """Of both labels, each sample by what it counts; and of the place, where there is one to learn."""
    smooth = wanted * (1 - 2 * SMOOTHING) + SMOOTHING
    labels = functional.binary_cross_entropy_with_logits(said[:, :2], smooth, reduction="none").sum(1)
    off = functional.smooth_l1_loss(said[:, 2:], places[:, 1:], beta=PLACE_NEAR, reduction="none").sum(1)
    return (labels * counts).mean() + PLACE_WEIGHT * (off * places[:, 0]).mean()


def _average(average: dict[str, Any], network: Network, pace: float) -> None:
    with torch.no_grad():
        for name, weights in network.modules.state_dict().items():
            if name in average:
                average[name].lerp_(weights, pace)
            else:
                average[name] = weights.clone()


def said_of(network: Network, samples: Sequence[Sample], workers: int) -> Values:
    """What a network says of the plain views of samples (n x ENDS)."""
    asked = [(number, -1) for number in range(len(samples))]
    network.modules.eval()
    parts = [np.zeros((0, ENDS))]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for views, forms, *_ in _batches(_Looks(samples), asked, PLAIN_BATCH, workers):
            parts.append(network(views, forms).float().numpy())
    return np.concatenate(parts)
