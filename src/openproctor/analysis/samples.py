"""Stretches of recording for the pipeline: key frames cheaply, all frames where it has to look closer, and the sound.

A :class:`Segment` comes from a stored chunk (:func:`chunk_segment`) or from a file (:func:`file_segments`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from openproctor.analysis.coded import Coded, Decoders, Format, MediaError, Sample, one_line, read_chunk
from openproctor.vision.frames import picture
from openproctor.vision.geometry import Image
from openproctor.vision.sound import Listener
from openproctor.vision.speech import RATE

SAMPLE_EVERY = 2.0  # s between pictures that are always looked at
DENSE_RATE = 5.0  # pictures a second when looking closer
LONG_GAP = 2.3  # s between key frames from which on a file is decoded through; browsers keep to about 2.1
SEGMENT = 2.0  # s of a file in one segment
MAX_FRAMES = 600  # decoded in one chunk; 2 s at 120 frames/s is 240


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded picture; ``time`` in seconds from the start of its part or file."""

    time: float
    image: Image


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono sound of 16,000 samples a second; ``start`` in seconds from the start of its part or file."""

    start: float
    samples: npt.NDArray[np.float32]


@dataclass(slots=True)
class Segment:
    """A stretch of recording.

    ``origin`` is the time of second 0 in ms since 1970 (0 for a file), ``start`` and ``end`` are in seconds from it,
    ``number`` and ``digest`` name the chunk.
    """

    number: int
    digest: str
    part: int
    origin: int
    start: float
    end: float
    coded: Coded
    decoders: Decoders
    # a file with few key frames is decoded through beforehand
    ready: list[Frame] | None = None
    _dense: list[Frame] | None = field(default=None, repr=False)

    def at(self, time: float) -> int:
        """A time of this segment in ms since 1970, or of the file."""
        return self.origin + round(time * 1000)

    def samples(self) -> list[Frame]:
        """The pictures that are always looked at: key frames, at most one a second. Raises :class:`MediaError`."""
        if self.ready is not None:
            return _spaced(self.ready, 1.0)
        form = self._form()
        found: list[Frame] = []
        for sample in _spaced([s for s in self.coded.pictures if s.key], 1.0):
            found.extend(_frames(self.decoders.decode(form, [sample]), form))
        if not found:
            raise MediaError("there is no key frame in the chunk")
        return found

    def dense(self, rate: float = DENSE_RATE) -> list[Frame]:
        """About ``rate`` pictures a second, the ones of :meth:`samples` among them. Decoded once, then kept."""
        if self.ready is not None:
            return self.ready
        if self._dense is None:
            self._dense = self._decode_all(rate)
        return self._dense

    def _decode_all(self, rate: float) -> list[Frame]:
        form = self._form()
        keys = {round(s.time, 6) for s in _spaced([s for s in self.coded.pictures if s.key], 1.0)}
        chosen: list[Frame] = []
        last = -1e9
        begun = [index for index, sample in enumerate(self.coded.pictures) if sample.key]
        if not begun:
            raise MediaError("there is no key frame in the chunk")
        try:
            for count, frame in enumerate(self.decoders.decode(form, self.coded.pictures[begun[0] :])):
                if count >= MAX_FRAMES:
                    break
                time = frame.pts / 1_000_000
                if time - last < 1 / rate - 0.01 and round(time, 6) not in keys:
                    continue
                image = picture(frame, rotation=form.rotation)
                if image is not None:
                    last = time
                    chosen.append(Frame(time, image))
        except MediaError:
            # what was whole up to the damage is still evidence
            if not chosen:
                raise
        return chosen

    def sound(self) -> Sound | None:
        """The sound of the segment; None where there is none or it cannot be decoded."""
        form, packets = self.coded.audio, self.coded.packets
        if form is None or not packets:
            return None
        listener = Listener()
        try:
            for frame in self.decoders.decode(form, packets):
                listener.add(frame)
        except MediaError:
            return None
        samples = listener.sound()
        # no more than the segment is long: a hostile packet may unpack to much more
        limit = int((self.end - self.start + 2.0) * RATE)
        return Sound(packets[0].time, samples[:limit]) if len(samples) else None

    def _form(self) -> Format:
        if self.coded.video is None:
            raise MediaError("there is no picture in the recording")
        return self.coded.video


def _spaced(items: list[Any], least: float) -> list[Any]:
    """Items that lie at least ``least`` seconds apart, the first among them."""
    kept: list[Any] = []
    for item in items:
        if not kept or item.time - kept[-1].time >= least - 0.05:
            kept.append(item)
    return kept


def _frames(decoded: Iterator[Any], form: Format) -> list[Frame]:
    found = []
    for frame in decoded:
        image = picture(frame, rotation=form.rotation)
        if image is not None and frame.pts is not None:
            found.append(Frame(frame.pts / 1_000_000, image))
    return found


def chunk_segment(
    *,
    number: int,
    digest: str,
    part: int,
    origin: int,
    init: bytes,
    media: bytes,
    decoders: Decoders,
) -> Segment:
    """A stored chunk as a segment. Raises :class:`MediaError` if it cannot be read."""
    coded = read_chunk(init, media)
    if not coded.pictures:
        raise MediaError("the chunk holds no picture")
    times = [sample.time for sample in coded.pictures]
    start, end = min(times), max(times)
    step = (end - start) / max(1, len(times) - 1)
    return Segment(number, digest, part, origin, start, end + step, coded, decoders)


# -- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a first pass over a file says: its length in seconds, and the longest stretch without a key frame."""

    start: float
    end: float
    longest_gap: float
    packets: int
    damaged: bool


def inspect_file(path: Path) -> FileFacts:
    """Read a file's packets without decoding. Raises :class:`MediaError` with one line saying what is wrong."""
    container = _open(path)
    with container:
        if not container.streams.video:
            kind = "only sound" if container.streams.audio else "neither picture nor sound"
            raise MediaError(f"{path.name} holds {kind}: there is nothing to look at")
        stream = container.streams.video[0]
        first = last = None
        key_time: float | None = None
        gap, count, damaged = 0.0, 0, False
        try:
            for packet in container.demux(stream):
                time = _time(packet)
                if time is None or not packet.size:
                    continue
                count += 1
                damaged |= packet.is_corrupt
                first = time if first is None else min(first, time)
                last = time if last is None else max(last, time)
                if packet.is_keyframe:
                    gap = max(gap, time - key_time if key_time is not None else 0.0)
                    key_time = time
        except av.FFmpegError:
            damaged = True
        if not count or first is None or last is None:
            raise MediaError(f"{path.name} holds no picture that can be read")
        gap = max(gap, last - (key_time if key_time is not None else first))
        step = (last - first) / max(1, count - 1)
        return FileFacts(first, last + step, gap if key_time is not None else float("inf"), count, damaged)


def file_segments(path: Path, facts: FileFacts, decoders: Decoders) -> Iterator[Segment]:
    """A file in stretches of about 2 s, in order. Times begin at the file's first picture."""
    if facts.longest_gap > LONG_GAP:
        yield from _decoded_segments(path, facts, decoders)
    else:
        yield from _coded_segments(path, facts, decoders)


def _open(path: Path) -> Any:
    if not path.is_file():
        raise MediaError(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path.name} is empty")
    try:
        return av.open(str(path))
    except (av.FFmpegError, ValueError, OSError) as error:
        raise MediaError(f"{path.name} cannot be read as a recording: {one_line(error)}") from error


def _time(packet: Any) -> float | None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return float(stamp * packet.time_base) if stamp is not None and packet.time_base else None


def _format(stream: Any) -> Format:
    context = stream.codec_context
    extradata = bytes(context.extradata) if context.extradata else None
    return Format(context.name, extradata)


class _Sounds:
    """Packets of sound on their way to the segment they belong to."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._packets: list[Sample] = []

    def add(self, packet: Any) -> None:
        time = _time(packet)
        if time is not None and packet.size:
            self._packets.append(Sample(time - self._start, True, bytes(packet)))

    def until(self, end: float) -> list[Sample]:
        taken = [sample for sample in self._packets if sample.time < end]
        self._packets = [sample for sample in self._packets if sample.time >= end]
        return taken


def _coded_segments(path: Path, facts: FileFacts, decoders: Decoders) -> Iterator[Segment]:
    """Cut at key frames; nothing is decoded yet."""
    with _open(path) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        form, audio_form = _video_format(path, facts, video), _format(audio) if audio else None
        sounds = _Sounds(facts.start)
        pictures: list[Sample] = []
        number = 0

        def cut(end: float) -> Segment:
            coded = Coded(form, pictures, audio_form, sounds.until(end))
            return Segment(number, "", 0, 0, min(s.time for s in pictures), end, coded, decoders)

        try:
            for packet in container.demux([s for s in (video, audio) if s is not None]):
                time = _time(packet)
                if time is None or not packet.size:
                    continue
                if packet.stream.type == "audio":
                    sounds.add(packet)
                    continue
                time -= facts.start
                if packet.is_keyframe and pictures and time - pictures[0].time >= SEGMENT - 0.1:
                    yield cut(time)
                    number, pictures = number + 1, []
                if pictures or packet.is_keyframe:
                    pictures.append(Sample(time, packet.is_keyframe, bytes(packet)))
        except av.FFmpegError:
            pass  # what could be read counts; the caller knows from the first pass that there is more
        if pictures:
            yield cut(facts.end - facts.start)


def _video_format(path: Path, facts: FileFacts, stream: Any) -> Format:
    """The format with the file's rotation, which only a decoded frame tells."""
    form = _format(stream)
    try:
        with _open(path) as container:
            for frame in container.decode(video=0):
                return Format(form.codec, form.extradata, frame.rotation)
    except av.FFmpegError as error:
        raise MediaError(f"{path.name} holds no picture that can be decoded: {one_line(error)}") from error
    raise MediaError(f"{path.name} holds no picture that can be decoded")


def _decoded_segments(path: Path, facts: FileFacts, decoders: Decoders) -> Iterator[Segment]:
    """Decode through, keeping five pictures a second of the stretch at hand."""
    with _open(path) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        audio = container.streams.audio[0] if container.streams.audio else None
        audio_form = _format(audio) if audio else None
        sounds = _Sounds(facts.start)
        frames: list[Frame] = []
        number, begin = 0, 0.0

        def cut(end: float) -> Segment:
            coded = Coded(None, [], audio_form, sounds.until(end))
            return Segment(number, "", 0, 0, begin, end, coded, decoders, ready=frames)

        last = -1e9
        broken = 0
        packets = container.demux([s for s in (video, audio) if s is not None])
        while broken < 1000:
            try:
                packet = next(packets)
                if packet.stream.type == "audio":
                    sounds.add(packet)
                    continue
                decoded = packet.decode()
            except StopIteration:
                break
            except av.FFmpegError:
                broken += 1
                continue
            for frame in decoded:
                stamp = frame.time
                if stamp is None:
                    continue
                time = stamp - facts.start
                if time - begin >= SEGMENT and frames:
                    yield cut(time)
                    number, frames, begin = number + 1, [], time
                if time - last >= 1 / DENSE_RATE - 0.01:
                    image = picture(frame)
                    if image is not None:
                        last = time
                        frames.append(Frame(time, image))
        if frames:
            yield cut(facts.end - facts.start)
