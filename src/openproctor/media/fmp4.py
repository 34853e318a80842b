"""Reading a fragmented MP4 chunk as a browser's recorder makes it (ISO/IEC 14496-12), without decoding it."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from openproctor.errors import Problem
from openproctor.isobmff import Box, TruncatedBox, boxes, find, hollow_boxes

_KNOWN = frozenset({b"ftyp", b"moov", b"moof", b"mdat", b"styp", b"sidx", b"free", b"skip", b"emsg", b"mfra", b"prft"})


@dataclass(slots=True)
class Layout:
    """What a chunk holds: ``init_size`` bytes of init segment, then fragments.

    ``timescales`` maps track ids to ticks a second (from an init segment); ``video`` is the id of the video track.
    ``times`` maps track ids to (first decode time, length) in ticks, over all fragments of the chunk.
    """

    init_size: int = 0
    timescales: dict[int, int] = field(default_factory=dict)
    video: int | None = None
    times: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def has_media(self) -> bool:
        """Whether there is at least one fragment."""
        return bool(self.times)


def read_layout(data: bytes) -> Layout:
    """The layout of a chunk.

    Raises :class:`Problem` 415 for what is no fragmented MP4, 422 for one that is cut off or damaged.
    """
    return _layout(data, boxes(data))


def read_index(data: bytes) -> tuple[Layout, int]:
    """The layout of a chunk whose ``mdat`` boxes come without their content, and the size of the whole chunk in bytes.

    Raises what :func:`read_layout` raises.
    """
    size = 0

    def counted() -> Iterable[Box]:
        nonlocal size
        for box, whole in hollow_boxes(data, b"mdat"):
            size += whole
            yield box

    return _layout(data, counted()), size


def _layout(data: bytes, found: Iterable[Box]) -> Layout:
    if len(data) < 8 or data[4:8] not in _KNOWN:
        raise Problem(
            415, "wrong-container", "This is not a fragmented MP4", "A chunk begins with ftyp, moov, styp or moof."
        )
    layout = Layout()
    try:
        _read(data, found, layout)
    except TruncatedBox as error:
        raise Problem(
            422, "truncated", "The chunk is cut off", str(error), what_to_do="Send the chunk again, whole."
        ) from error
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise Problem(422, "damaged-chunk", "The chunk cannot be read", str(error)) from error
    if not layout.init_size and not layout.times:
        raise Problem(422, "empty-chunk", "The chunk holds neither an init segment nor a fragment")
    return layout


def _read(data: bytes, found: Iterable[Box], layout: Layout) -> None:
    waiting_for_data = False
    for box in found:
        if box.kind not in _KNOWN:
            raise ValueError(f"unexpected box {box.kind!r}")
        if box.kind == b"moov":
            if layout.times:
                raise ValueError("an init segment after a fragment")
            _read_movie(data, box, layout)
            layout.init_size = box.end
        elif box.kind == b"moof":
            _read_fragment(data, box, layout)
            waiting_for_data = True
        elif box.kind == b"mdat":
            waiting_for_data = False
    if waiting_for_data:
        raise TruncatedBox("the last fragment has no data")


def _read_movie(data: bytes, movie: Box, layout: Layout) -> None:
    if not find(data, b"mvex", start=movie.body, end=movie.end):
        raise ValueError("the file is not fragmented (no mvex)")
    for track in find(data, b"trak", start=movie.body, end=movie.end):
        (header,) = find(data, b"tkhd", start=track.body, end=track.end)
        (media,) = find(data, b"mdia", b"mdhd", start=track.body, end=track.end)
        (handler,) = find(data, b"mdia", b"hdlr", start=track.body, end=track.end)
        (number,) = struct.unpack_from(">I", data, header.body + (20 if data[header.body] == 1 else 12))
        (scale,) = struct.unpack_from(">I", data, media.body + (20 if data[media.body] == 1 else 12))
        if not scale:
            raise ValueError("a track has a timescale of 0")
        layout.timescales[number] = scale
        if data[handler.body + 8 : handler.body + 12] == b"vide":
            layout.video = number
    if layout.video is None:
        raise ValueError("there is no video track")


def _read_fragment(data: bytes, moof: Box, layout: Layout) -> None:
    for traf in find(data, b"traf", start=moof.body, end=moof.end):
        parts: dict[bytes, list[Box]] = {b"tfhd": [], b"tfdt": [], b"trun": []}
        for box in boxes(data, traf.body, traf.end):
            parts.setdefault(box.kind, []).append(box)
        (header,), (time,) = parts[b"tfhd"], parts[b"tfdt"]
        flags, number = struct.unpack_from(">II", data, header.body)
        flags &= 0xFFFFFF
        at = header.body + 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
        default = struct.unpack_from(">I", data, at)[0] if flags & 8 else 0
        (decode_time,) = struct.unpack_from(">Q" if data[time.body] == 1 else ">I", data, time.body + 4)
        length = sum(_run_length(data, run, default) for run in parts[b"trun"])
        known = layout.times.get(number)
        layout.times[number] = (known[0], decode_time + length - known[0]) if known else (decode_time, length)
    if not layout.times:
        raise ValueError("a fragment without tracks")


def _run_length(data: bytes, run: Box, default: int) -> int:
    """Length of a track run in ticks."""
    flags, count = struct.unpack_from(">II", data, run.body)
    flags &= 0xFFFFFF
    if not flags & 0x100:
        return int(default) * int(count)
    at = run.body + 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
    stride = 4 * ((flags >> 8 & 1) + (flags >> 9 & 1) + (flags >> 10 & 1) + (flags >> 11 & 1))
    if at + stride * count > run.end:
        raise TruncatedBox("a track run ends within its table")
    return sum(struct.unpack_from(f">{stride // 4 * count}I", data, at)[:: stride // 4])
