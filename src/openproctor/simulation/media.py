"""Recordings as Chromium's recorder makes them: blob 0 is the init segment, every later blob whole fragments.

Each later blob starts with a key frame and carries its own decode times, so that the init segment and any one blob play
alone. Video is VP9 (``libvpx-vp9``, BSD), sound is Opus (``libopus``).
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from openproctor.simulation.boxes import (
    AUDIO_SCALE,
    AUDIO_TRACK,
    VIDEO_SCALE,
    VIDEO_TRACK,
    Patch,
    Sample,
    fragment,
    init_segment,
)

Picture = NDArray[np.uint8]
"""One frame: rows, columns, RGB."""
Sound = NDArray[np.float32]
"""Samples of one channel at 48 kHz, -1 to 1."""

MIME_TYPE = 'video/mp4;codecs="vp09.00.31.08,opus"'
PACKET_MS = 60
"""Length of an Opus packet; Chromium's recorder uses the same."""


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """How a track is recorded; bit rates in bit/s."""

    width: int
    height: int
    frame_rate: int
    video_bits_per_second: int
    audio: bool = False
    audio_bits_per_second: int = 32_000
    screen: bool = False


CAMERA = TrackFormat(640, 480, 15, 300_000, audio=True)
SCREEN = TrackFormat(1280, 720, 5, 250_000, screen=True)


@dataclass(frozen=True, slots=True)
class Blob:
    """What the recorder hands over at once. ``from_ms`` and ``until_ms`` count from the recorder's start."""

    data: bytes
    from_ms: int
    until_ms: int

    @property
    def content_digest(self) -> str:
        """Value of the ``Content-Digest`` header (RFC 9530)."""
        return content_digest(self.data)


def content_digest(data: bytes) -> str:
    """SHA-256 as the ``Content-Digest`` header carries it (RFC 9530)."""
    return "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"


def record(
    frames: Iterable[Picture],
    form: TrackFormat,
    sound: Iterable[Sound] | None = None,
    *,
    chunk_ms: int = 2000,
    threads: int = 1,
) -> Iterator[Blob]:
    """Encode a part: the init segment, then one blob for every ``chunk_ms`` of pictures.

    ``frames`` come at the format's frame rate and size; ``sound`` in blocks of any length. Pictures set the length:
    sound beyond them is dropped, missing sound is left out. Raises ``ValueError`` if a frame has another size.
    """
    if (chunk_ms * form.frame_rate) % 1000:
        raise ValueError(f"{chunk_ms} ms at {form.frame_rate} frames/s is no whole number of frames")
    per_chunk = chunk_ms * form.frame_rate // 1000
    video = _VideoEncoder(form, per_chunk, threads)
    audio = _AudioEncoder(form, sound) if form.audio and sound is not None else None
    yield Blob(init_segment(form.width, form.height, audio=audio is not None), 0, 0)

    done = heard = 0
    sequence = 1
    for pictures in _groups(video.encode(frames), per_chunk):
        until = done + len(pictures)
        times = [number * VIDEO_SCALE // form.frame_rate for number in range(done, until + 1)]
        samples = [Sample(data, after - at) for data, at, after in zip(pictures, times, times[1:], strict=False)]
        packets = audio.until(until * AUDIO_SCALE // form.frame_rate) if audio else []
        data = fragment(sequence, samples, times[0], packets, heard)
        yield Blob(data, done * 1000 // form.frame_rate, until * 1000 // form.frame_rate)
        heard += sum(packet.ticks for packet in packets)
        done = until
        sequence += 1


def _groups(items: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


class _VideoEncoder:
    """VP9 for a live picture: no look-ahead, so that packets and frames are one to one."""

    def __init__(self, form: TrackFormat, key_every: int, threads: int) -> None:
        self._form = form
        self._key_every = key_every
        rate = str(form.video_bits_per_second)
        options = {
            "deadline": "realtime",
            "cpu-used": "8",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "aq-mode": "0" if form.screen else "3",
            "tune-content": "screen" if form.screen else "default",
            "row-mt": "1" if threads > 1 else "0",
            "minrate": rate,
            "maxrate": rate,
            "bufsize": rate,
        }
        codec: VideoCodecContext = av.CodecContext.create("libvpx-vp9", "w")
        codec.width, codec.height, codec.pix_fmt = form.width, form.height, "yuv420p"
        codec.time_base = Fraction(1, form.frame_rate)
        codec.framerate = Fraction(form.frame_rate)
        codec.bit_rate = form.video_bits_per_second
        codec.gop_size = key_every
        codec.thread_count = threads
        codec.options = options
        self._codec = codec

    def encode(self, frames: Iterable[Picture]) -> Iterator[bytes]:
        for number, picture in enumerate(frames):
            if picture.shape != (self._form.height, self._form.width, 3):
                wanted = f"{self._form.width}x{self._form.height}"
                raise ValueError(f"frame {number} is {picture.shape}, the track is {wanted}")
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = number
            frame.time_base = self._codec.time_base
            frame.pict_type = PictureType.I if number % self._key_every == 0 else PictureType.NONE
            yield from (bytes(packet) for packet in self._codec.encode(frame))
        yield from (bytes(packet) for packet in self._codec.encode(None))


class _AudioEncoder:
    """Opus in packets of 60 ms, handed out up to a moment of the recording."""

    def __init__(self, form: TrackFormat, sound: Iterable[Sound]) -> None:
        codec: AudioCodecContext = av.CodecContext.create("libopus", "w")
        codec.sample_rate = AUDIO_SCALE
        codec.layout = "mono"
        codec.format = "flt"
        codec.bit_rate = form.audio_bits_per_second
        codec.time_base = Fraction(1, AUDIO_SCALE)
        codec.options = {"application": "voip", "frame_duration": str(PACKET_MS)}
        self._codec = codec
        self._size = PACKET_MS * AUDIO_SCALE // 1000
        self._blocks = iter(sound)
        self._left: Sound = np.zeros(0, np.float32)
        self._fed = self._given = 0

    def until(self, ticks: int) -> list[Sample]:
        """Packets that begin before ``ticks``; fewer if the sound has ended."""
        packets: list[Sample] = []
        while self._given < ticks:
            block = self._next()
            if block is None:
                break
            frame: Any = av.AudioFrame.from_ndarray(block[None, :], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = AUDIO_SCALE, self._fed, self._codec.time_base
            self._fed += self._size
            for packet in self._codec.encode(frame):
                packets.append(Sample(bytes(packet), self._size))
                self._given += self._size
        return packets

    def _next(self) -> Sound | None:
        while len(self._left) < self._size:
            block = next(self._blocks, None)
            if block is None:
                return None
            self._left = np.concatenate([self._left, block.astype(np.float32, copy=False)])
        block, self._left = self._left[: self._size], self._left[self._size :]
        return np.ascontiguousarray(block)


class Loop:
    """A short recording played for ever: each later blob is an encoded one with its number and times moved on.

    Thousands of candidates share one, so that they cost no encoding and no hashing.
    """

    def __init__(self, blobs: Iterable[Blob]) -> None:
        """``blobs`` as :func:`record` gives them. Raises ``ValueError`` if sound and pictures are not equally long."""
        all_blobs = list(blobs)
        self.init = all_blobs[0]
        self._patches = [Patch.of(blob.data) for blob in all_blobs[1:]]
        self.length_ms = all_blobs[-1].until_ms
        self.chunk_ms = all_blobs[1].until_ms
        if len({blob.until_ms - blob.from_ms for blob in all_blobs[1:]}) != 1:
            raise ValueError("the blobs of a loop must be equally long")
        if self.length_ms % PACKET_MS and AUDIO_TRACK in self._patches[0].times:
            raise ValueError(f"a loop with sound must be a multiple of {PACKET_MS} ms long, not {self.length_ms}")
        self._cached = lru_cache(maxsize=4096)(self._make)

    def blob(self, number: int) -> Blob:
        """Blob ``number`` of a part: 0 is the init segment."""
        return self._cached(number)[0]

    def digested(self, number: int) -> tuple[Blob, str]:
        """The same with the value of its ``Content-Digest``."""
        return self._cached(number)

    def digest(self, number: int) -> str:
        """SHA-256 of the same, hex."""
        return base64.b64decode(self._cached(number)[1][9:-1]).hex()

    def _make(self, number: int) -> tuple[Blob, str]:
        if number == 0:
            return self.init, self.init.content_digest
        rounds, index = divmod(number - 1, len(self._patches))
        later_ms = rounds * self.length_ms
        later = {AUDIO_TRACK: later_ms * AUDIO_SCALE // 1000, VIDEO_TRACK: later_ms * VIDEO_SCALE // 1000}
        data = self._patches[index].moved(number, later)
        from_ms = later_ms + index * self.chunk_ms
        blob = Blob(data, from_ms, from_ms + self.chunk_ms)
        return blob, blob.content_digest
