"""Recordings made from public-domain pictures, as a browser's recorder would make them."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from openproctor.analysis.coded import Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.samples import Segment, chunk_segment
from openproctor.simulation.media import Blob, TrackFormat, record
from openproctor.vision.geometry import Image
from tests.captures.stills import person, room

RATE = 5
FORM = TrackFormat(640, 480, RATE, 300_000)


@cache
def scene(name: str) -> Image:
    """A picture by name, BGR."""
    empty = room(seed=1)
    return {
        "empty": empty,
        "one": person(empty, 1.1),
        "two": person(person(empty, 1.0, 0.3), 1.0, 0.75),
        "black": np.zeros_like(empty),
    }[name]


def frames(*parts: tuple[str, float]) -> Iterator[Image]:
    """RGB frames of named scenes, each for some seconds, with a camera's noise and a little life."""
    rng = np.random.default_rng(4)
    grain = [rng.integers(0, 5, (480, 640, 3), dtype=np.uint8) for _ in range(4)]
    count = 0
    for name, seconds in parts:
        base = scene(name)
        for _ in range(round(seconds * RATE)):
            picture = np.roll(base, int(3 * np.sin(count / 3)), axis=1)
            yield np.ascontiguousarray(cv2.add(picture, grain[count % 4])[:, :, ::-1])
            count += 1


def blobs(pictures: Iterable[Image]) -> list[Blob]:
    """The recorder's blobs: init segment first, then one every 2 s."""
    return list(record(pictures, FORM))


def segments(parts: list[Blob], origin: int = 0) -> list[Segment]:
    """Stored chunks as the worker sees them."""
    decoders = Decoders()
    return [
        chunk_segment(
            number=number,
            digest=f"{number:064x}",
            part=0,
            origin=origin,
            init=parts[0].data,
            media=blob.data,
            decoders=decoders,
        )
        for number, blob in enumerate(parts)
        if number
    ]


@pytest.fixture(scope="session")
def detectors() -> Detectors:
    return Detectors()


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Writes a recorded file of named scenes."""

    def write(*parts: tuple[str, float]) -> Path:
        path = tmp_path / "clip.mp4"
        path.write_bytes(b"".join(blob.data for blob in blobs(frames(*parts))))
        return path

    return write
