"""From bytes to pictures: exact times, and nothing but MediaError from bytes that are not what they claim."""

import contextlib
import random
import struct

import numpy as np
import pytest

from openproctor.analysis.coded import Decoders, MediaError, read_chunk
from openproctor.analysis.samples import Segment, chunk_segment
from openproctor.simulation.media import CAMERA, Blob, record
from tests.analysis.conftest import blobs, frames, segments


@pytest.fixture(scope="module")
def recording() -> list[Blob]:
    return blobs(frames(("one", 4)))


def test_key_frames_come_alone_and_dense_looks_hold_them(recording: list[Blob]) -> None:
    first, second = segments(recording, origin=1_000_000)
    assert [frame.time for frame in second.samples()] == [2.0]
    assert [round(frame.time, 2) for frame in second.dense()] == [2 + step / 5 for step in range(10)]
    assert (second.start, round(second.end, 3)) == (2.0, 4.0)
    assert second.at(2.4) == 1_002_400
    assert np.array_equal(second.samples()[0].image, second.dense()[0].image)
    # decoding one chunk leaves nothing behind for the next
    again = first.samples()[0].image
    second.dense()
    assert np.array_equal(first.samples()[0].image, again)


def test_the_sound_of_a_chunk_is_as_long_as_its_picture() -> None:
    still = [np.full((480, 640, 3), 90, dtype=np.uint8)] * 60
    time = np.arange(4 * 48_000) / 48_000
    tone = [(0.2 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)]
    second = segments(list(record(still, CAMERA, tone)))[1]
    sound = second.sound()
    assert sound is not None
    assert sound.start == pytest.approx(2.0, abs=0.1)
    assert len(sound.samples) / 16_000 == pytest.approx(2.0, abs=0.15)
    assert np.sqrt(np.mean(np.square(sound.samples[1600:-1600]))) == pytest.approx(0.141, rel=0.2)


@pytest.mark.parametrize("data", [b"", b"moof", b"\0\0\0\x08moof", b"\xff" * 64])
def test_a_chunk_without_media_is_refused(recording: list[Blob], data: bytes) -> None:
    with pytest.raises(MediaError):
        segment(recording[0].data, data)
    with pytest.raises(MediaError):
        segment(data, recording[1].data)


def segment(init: bytes, media: bytes) -> Segment:
    return chunk_segment(number=1, digest="", part=0, origin=0, init=init, media=media, decoders=Decoders())


def test_a_truncated_chunk_is_refused(recording: list[Blob]) -> None:
    data = recording[1].data
    for size in range(10, len(data), len(data) // 40):
        with pytest.raises(MediaError):
            segment(recording[0].data, data[:size])


def test_a_chunk_that_claims_a_million_samples_is_refused(recording: list[Blob]) -> None:
    data = bytearray(recording[1].data)
    run = data.index(b"trun")
    struct.pack_into(">I", data, run + 8, 1_000_000)
    with pytest.raises(MediaError):
        read_chunk(recording[0].data, bytes(data))


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_never_raise_anything_else(recording: list[Blob], seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(60):
        init, media = bytearray(recording[0].data), bytearray(recording[1].data)
        for _ in range(dice.choice([1, 3, 30])):
            target = init if dice.random() < 0.3 else media
            # the boxes lie in the first kilobyte: damage there is what confuses a reader most
            place = dice.randrange(min(len(target), dice.choice([1200, len(target)])))
            target[place] = dice.randrange(256)
        with contextlib.suppress(MediaError):
            broken = segment(bytes(init), bytes(media))
            broken.samples()
            broken.dense()
            broken.sound()
