"""Coded pictures and sound: taken out of a chunk without opening it as a file, and decoded one piece at a time.

Opening ``init + fragment`` as a file costs twice as much as decoding its key frame; here the boxes are read directly and the
samples go to a decoder that stays open. Every decoding starts afresh, so that what is seen and heard in a chunk depends on
the bytes of this chunk (and its init segment) alone. Pictures begin with a key frame, which forgets all before it; a decoder
of sound remembers something even when it is flushed, so each piece of sound has one of its own.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av

from openproctor.isobmff import Box, TruncatedBox, boxes, find

MAX_SAMPLES = 5_000  # of one chunk; 2 s hold some 30 pictures and 100 packets of sound
CODECS = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"av01": "av1",
    b"Opus": "opus",
    b"mp4a": "aac",
}
SOUND = ("opus", "aac")
_TICK = Fraction(1, 1_000_000)


class MediaError(ValueError):
    """A chunk or a file that cannot be read; the message is one line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A coded picture or packet of sound. ``time`` in seconds from the start of its part or file."""

    time: float
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Format:
    """What a decoder needs to know. ``rotation`` in degrees counter-clockwise, None to ask each frame."""

    codec: str
    extradata: bytes | None
    rotation: int | None = None


@dataclass(slots=True)
class Coded:
    """The samples of one stretch of recording: pictures with their format, sound with its own."""

    video: Format | None = None
    pictures: list[Sample] = field(default_factory=list)
    audio: Format | None = None
    packets: list[Sample] = field(default_factory=list)


class Decoders:
    """Open decoders by format. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._open: dict[Format, Any] = {}

    def _context(self, form: Format) -> Any:
        if form.codec in SOUND:
            self._open.pop(form, None)
        if form not in self._open:
            if len(self._open) >= 64:  # sessions come and go; a decoder is cheap to open again
                self._open.clear()
            try:
                context = av.CodecContext.create(form.codec, "r")
                if form.extradata:
                    context.extradata = form.extradata
                # one thread: the same frames at the same times, and other sessions use the other cores
                context.thread_count = 1
            except (av.FFmpegError, ValueError) as error:
                raise MediaError(f"no decoder for {form.codec}") from error
            self._open[form] = context
        return self._open[form]

    def decode(self, form: Format, samples: list[Sample]) -> Iterator[Any]:
        """Frames of samples, with ``pts`` in microseconds. Raises :class:`MediaError` at the first broken sample."""
        context = self._context(form)
        try:
            for sample in samples:
                packet = av.Packet(sample.data)
                packet.pts = packet.dts = round(sample.time * 1_000_000)
                packet.time_base = _TICK
                yield from context.decode(packet)
            yield from context.decode(None)
        except (av.FFmpegError, ValueError) as error:
            self._open.pop(form, None)
            raise MediaError(f"{form.codec} cannot be decoded: {one_line(error)}") from error
        finally:
            if form in self._open:
                context.flush_buffers()


def one_line(error: Exception) -> str:
    """What an error says, without number and path."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).splitlines()[0][:160]


# -- fragmented MP4 ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Track:
    video: bool
    scale: int
    form: Format
    size: int
    duration: int
    flags: int


def read_chunk(init: bytes, media: bytes) -> Coded:
    """The samples of a chunk: ``init`` is the init segment of its part, ``media`` its fragments.

    Raises :class:`MediaError` for anything that is not a readable fragmented MP4.
    """
    try:
        tracks = _tracks(init)
        coded = Coded()
        for number, track in tracks.items():
            if track.video and coded.video is None:
                coded.video, coded.pictures = track.form, _samples(media, number, track)
            elif not track.video and coded.audio is None:
                coded.audio, coded.packets = track.form, _samples(media, number, track)
    except TruncatedBox as error:
        raise MediaError(f"cut off: {one_line(error)}") from error
    except (struct.error, IndexError, KeyError, ValueError, OverflowError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(f"damaged: {one_line(error)}") from error
    if coded.video is None:
        raise MediaError("there is no picture in the recording")
    return coded


def _tracks(init: bytes) -> dict[int, _Track]:
    movies = find(init, b"moov")
    if not movies:
        raise MediaError("the init segment is missing")
    movie = movies[0]
    defaults = {}
    for box in find(init, b"mvex", b"trex", start=movie.body, end=movie.end):
        number, _, duration, size, flags = struct.unpack_from(">5I", init, box.body + 4)
        defaults[number] = (duration, size, flags)
    tracks = {}
    for track in find(init, b"trak", start=movie.body, end=movie.end):
        (header,) = find(init, b"tkhd", start=track.body, end=track.end)
        (clock,) = find(init, b"mdia", b"mdhd", start=track.body, end=track.end)
        (handler,) = find(init, b"mdia", b"hdlr", start=track.body, end=track.end)
        (table,) = find(init, b"mdia", b"minf", b"stbl", b"stsd", start=track.body, end=track.end)
        long = init[header.body] == 1
        (number,) = struct.unpack_from(">I", init, header.body + (20 if long else 12))
        (scale,) = struct.unpack_from(">I", init, clock.body + (20 if init[clock.body] == 1 else 12))
        kind = init[handler.body + 8 : handler.body + 12]
        if not scale or kind not in (b"vide", b"soun"):
            continue
        entry = next(iter(boxes(init, table.body + 8, table.end)), None)
        if entry is None or entry.kind not in CODECS:
            continue
        video = kind == b"vide"
        rotation = _rotation(init, header.body + (52 if long else 40)) if video else None
        form = Format(CODECS[entry.kind], _extradata(init, entry, video), rotation)
        duration, size, flags = defaults.get(number, (0, 0, 0))
        tracks[number] = _Track(video, scale, form, size, duration, flags)
    return tracks


def _rotation(init: bytes, at: int) -> int:
    """Degrees counter-clockwise that the track's matrix asks for."""
    a, b = struct.unpack_from(">ii", init, at)
    return {(1, 0): 0, (0, 1): -90, (-1, 0): 180, (0, -1): 90}.get((a >> 16, b >> 16), 0)


def _extradata(init: bytes, entry: Box, video: bool) -> bytes | None:
    """The decoder's set-up data out of a sample entry."""
    for box in boxes(init, entry.body + (78 if video else 28), entry.end):
        body = init[box.body : box.end]
        if box.kind in (b"avcC", b"hvcC", b"av1C"):
            return body
        if box.kind == b"dOps":
            channels, skip, rate, gain, family = struct.unpack_from(">BHIhB", body, 1)
            return b"OpusHead" + struct.pack("<BBHIhB", 1, channels, skip, rate, gain, family) + body[11:]
        if box.kind == b"esds":
            return _audio_config(body)
    return None


def _audio_config(body: bytes) -> bytes | None:
    """The AudioSpecificConfig inside an MPEG-4 ES descriptor."""
    at = 4
    while at + 2 <= len(body):
        tag, at, size = body[at], at + 1, 0
        while at < len(body):
            size, at = size << 7 | body[at] & 0x7F, at + 1
            if not body[at - 1] & 0x80:
                break
        if tag == 0x03:
            at += 3
        elif tag == 0x04:
            at += 13
        elif tag == 0x05:
            return body[at : at + size]
        else:
            at += size
    return None


def _samples(media: bytes, number: int, track: _Track) -> list[Sample]:
    found: list[Sample] = []
    for moof in find(media, b"moof"):
        for traf in find(media, b"traf", start=moof.body, end=moof.end):
            (header,) = find(media, b"tfhd", start=traf.body, end=traf.end)
            flags, this = struct.unpack_from(">II", media, header.body)
            if this == number:
                _run(media, moof, traf, header, flags & 0xFFFFFF, track, found)
    return found


def _run(media: bytes, moof: Box, traf: Box, header: Box, flags: int, track: _Track, found: list[Sample]) -> None:
    at = header.body + 8
    base = moof.start
    if flags & 0x1:
        at += 8  # an absolute offset in the file as it was recorded: meaningless for a chunk on its own
    if flags & 0x2:
        at += 4
    duration, size, default = track.duration, track.size, track.flags
    if flags & 0x8:
        duration, at = struct.unpack_from(">I", media, at)[0], at + 4
    if flags & 0x10:
        size, at = struct.unpack_from(">I", media, at)[0], at + 4
    if flags & 0x20:
        default = struct.unpack_from(">I", media, at)[0]
    (clock,) = find(media, b"tfdt", start=traf.body, end=traf.end)
    (time,) = struct.unpack_from(">Q" if media[clock.body] == 1 else ">I", media, clock.body + 4)
    place = moof.end + 8
    for run in find(media, b"trun", start=traf.body, end=traf.end):
        which, count = struct.unpack_from(">II", media, run.body)
        version, which = which >> 24, which & 0xFFFFFF
        at = run.body + 8
        if which & 0x1:
            place, at = base + struct.unpack_from(">i", media, at)[0], at + 4
        first = default
        if which & 0x4:
            first, at = struct.unpack_from(">I", media, at)[0], at + 4
        if len(found) + count > MAX_SAMPLES:
            raise MediaError(f"more than {MAX_SAMPLES} samples in one chunk")
        for index in range(count):
            length, bytes_, flag, shift = duration, size, first if index == 0 else default, 0
            if which & 0x100:
                length, at = struct.unpack_from(">I", media, at)[0], at + 4
            if which & 0x200:
                bytes_, at = struct.unpack_from(">I", media, at)[0], at + 4
            if which & 0x400:
                flag, at = struct.unpack_from(">I", media, at)[0], at + 4
            if which & 0x800:
                shift, at = struct.unpack_from(">i" if version else ">I", media, at)[0], at + 4
            if place < 0 or place + bytes_ > len(media):
                raise TruncatedBox("a sample reaches beyond the end of the chunk")
            # bit 16 of the flags: not a key frame
            key = not flag & 0x10000
            found.append(Sample((time + shift) / track.scale, key, media[place : place + bytes_]))
            place += bytes_
            time += length
