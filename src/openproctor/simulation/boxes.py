"""Fragmented MP4, box by box, laid out as Chromium's recorder does it.

An init segment is ``ftyp`` + ``moov`` with ``mvex``; a fragment is one ``moof`` (sound first) and one ``mdat``.
Formats: ISO/IEC 14496-12, the VP9 and Opus bindings to it (webmproject.org, opus-codec.org).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from openproctor.isobmff import find

AUDIO_TRACK = 1
VIDEO_TRACK = 2
AUDIO_SCALE = 48_000
"""Ticks a second of the audio track: Opus always decodes at 48 kHz."""
VIDEO_SCALE = 20_000
"""Ticks a second of the video track, as Chromium writes it."""

_KEY_FRAME = 0x02000000
_DELTA_FRAME = 0x01010000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, slots=True)
class Sample:
    """One encoded frame or packet: its bytes and its length in ticks of its track."""

    data: bytes
    ticks: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """One box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def init_segment(width: int, height: int, *, audio: bool) -> bytes:
    """``ftyp`` + ``moov`` for VP9 (8 bit, 4:2:0) and, if asked for, Opus in mono.

    The picture's size is in pixels.
    """
    brand = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso6iso2vp09mp41")
    movie = full_box(
        b"mvhd", 1, 0, struct.pack(">QQIQIH10x", 0, 0, 1000, 0, 0x10000, 0x100), _MATRIX, bytes(24),
        struct.pack(">I", VIDEO_TRACK + 1),
    )  # fmt: skip
    tracks = [_video_track(width, height)]
    extends = [_extends(VIDEO_TRACK)]
    if audio:
        tracks.insert(0, _audio_track())
        extends.append(_extends(AUDIO_TRACK))
    return brand + box(b"moov", movie, *tracks, box(b"mvex", *extends))


def fragment(sequence: int, video: Sequence[Sample], video_at: int, audio: Sequence[Sample], audio_at: int) -> bytes:
    """``moof`` + ``mdat``; the first video sample must be a key frame.

    ``sequence`` counts from 1 in a recording; ``video_at`` and ``audio_at`` are decode times in ticks of their tracks.
    A track without samples is left out.
    """
    header = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence))
    video_size = _traf_size(len(video), keyed=True) if video else 0
    audio_size = _traf_size(len(audio), keyed=False) if audio else 0
    at = 8 + len(header) + video_size + audio_size + 8
    trafs = []
    if audio:
        trafs.append(_traf(AUDIO_TRACK, audio, audio_at, at, keyed=False))
        at += sum(len(s.data) for s in audio)
    if video:
        trafs.append(_traf(VIDEO_TRACK, video, video_at, at, keyed=True))
    return box(b"moof", header, *trafs) + box(b"mdat", *(s.data for s in audio), *(s.data for s in video))


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a fragment keeps its number and its times, to move it along the timeline without building it anew."""

    data: bytes
    sequence_at: int
    time_at: dict[int, int]
    times: dict[int, int]

    @classmethod
    def of(cls, data: bytes) -> "Patch":
        """Read one ``moof`` + ``mdat`` with 64-bit decode times."""
        (header,) = find(data, b"moof", b"mfhd")
        time_at: dict[int, int] = {}
        times: dict[int, int] = {}
        for traf in find(data, b"moof", b"traf"):
            (track_header,) = find(data, b"tfhd", start=traf.body, end=traf.end)
            (time,) = find(data, b"tfdt", start=traf.body, end=traf.end)
            if data[time.body] != 1:
                raise ValueError("decode times of 32 bits are not supported")
            (track,) = struct.unpack_from(">I", data, track_header.body + 4)
            time_at[track] = time.body + 4
            (times[track],) = struct.unpack_from(">Q", data, time.body + 4)
        return cls(data, header.body + 4, time_at, times)

    def moved(self, sequence: int, later: dict[int, int]) -> bytes:
        """The fragment under another number and ``later`` (ticks by track) on the timeline."""
        data = bytearray(self.data)
        struct.pack_into(">I", data, self.sequence_at, sequence)
        for track, at in self.time_at.items():
            struct.pack_into(">Q", data, at, self.times[track] + later[track])
        return bytes(data)


def _traf_size(samples: int, *, keyed: bool) -> int:
    return 8 + 20 + 20 + (24 if keyed else 20) + 8 * samples


def _traf(track: int, samples: Sequence[Sample], at: int, data_offset: int, *, keyed: bool) -> bytes:
    default = _DELTA_FRAME if keyed else _KEY_FRAME
    header = full_box(b"tfhd", 0, 0x020020, struct.pack(">II", track, default))
    time = full_box(b"tfdt", 1, 0, struct.pack(">Q", at))
    flags = 0x000305 if keyed else 0x000301
    first = struct.pack(">I", _KEY_FRAME) if keyed else b""
    table = struct.pack(f">{2 * len(samples)}I", *(number for s in samples for number in (s.ticks, len(s.data))))
    run = full_box(b"trun", 1, flags, struct.pack(">Ii", len(samples), data_offset), first, table)
    return box(b"traf", header, time, run)


def _extends(track: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">5I", track, 1, 0, 0, 0))


def _track(
    track: int, kind: bytes, name: bytes, scale: int, volume: int, size: bytes, media: bytes, entry: bytes
) -> bytes:
    header = full_box(b"tkhd", 1, 3, struct.pack(">QQIIQ8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0), _MATRIX, size)
    times = full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, scale, 0, 0x55C4, 0))
    handler = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, kind), name)
    where = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    empty = (full_box(b"stts", 0, 0, bytes(4)), full_box(b"stsc", 0, 0, bytes(4)), full_box(b"stsz", 0, 0, bytes(8)),
             full_box(b"stco", 0, 0, bytes(4)))  # fmt: skip
    table = box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), *empty)
    return box(b"trak", header, box(b"mdia", times, handler, box(b"minf", media, where, table)))


def _video_track(width: int, height: int) -> bytes:
    # profile 0, level 3.1, 8 bit, 4:2:0, limited range, BT.601 as OpenCV's conversion makes it
    codec = full_box(b"vpcC", 1, 0, struct.pack(">BBBBBBH", 0, 31, 8 << 4 | 1 << 1, 6, 6, 6, 0))
    name = b"\x0aVPC Coding".ljust(32, b"\0")
    head = struct.pack(">6xH16xHHII4xH", 1, width, height, 0x480000, 0x480000, 1)
    entry = box(b"vp09", head, name, struct.pack(">Hh", 24, -1), codec, box(b"pasp", struct.pack(">II", 1, 1)))
    media = full_box(b"vmhd", 0, 1, bytes(8))
    size = struct.pack(">II", width << 16, height << 16)
    return _track(VIDEO_TRACK, b"vide", b"VideoHandler\0", VIDEO_SCALE, 0, size, media, entry)


def _audio_track() -> bytes:
    codec = box(b"dOps", struct.pack(">BBHIhB", 0, 1, 312, AUDIO_SCALE, 0, 0))
    entry = box(b"Opus", struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, AUDIO_SCALE << 16), codec)
    media = full_box(b"smhd", 0, 0, bytes(4))
    return _track(AUDIO_TRACK, b"soun", b"SoundHandler\0", AUDIO_SCALE, 0x100, bytes(8), media, entry)
