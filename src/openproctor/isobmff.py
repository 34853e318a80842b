"""Boxes of an MP4 file (ISO/IEC 14496-12): where they lie, one level at a time."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_short = struct.Struct(">I4s").unpack_from


class TruncatedBox(ValueError):
    """A box reaches beyond the end of the data, or claims less than its own header."""


class Box(NamedTuple):
    """Where a box lies: ``start`` of its header, ``body`` of its content, ``end`` behind it, bytes from the beginning."""

    kind: bytes
    start: int
    body: int
    end: int


def hollow(data: bytes, kind: bytes) -> bytes:
    """A file without the content of one kind of box, as :func:`hollow_boxes` reads it."""
    return b"".join(data[box.start : box.body if box.kind == kind else box.end] for box in boxes(data))


def hollow_boxes(data: bytes, hollow_kind: bytes) -> Iterator[tuple[Box, int]]:
    """The boxes of a file from which the content of one kind was left out, each with the size it has in the whole file.

    Such a box ends behind its header here. :class:`TruncatedBox` where a box does not fit.
    """
    start = 0
    while start < len(data):
        size, kind, body = _header(data, start, len(data))
        if size < body - start:
            raise TruncatedBox(f"box {kind!r} at {start} claims {size} bytes")
        end = body if kind == hollow_kind else start + size
        if end > len(data):
            raise TruncatedBox(f"box {kind!r} at {start} claims {size} bytes, {len(data) - start} are there")
        yield Box(kind, start, body, end), size
        start = end


def _header(data: bytes, start: int, limit: int) -> tuple[int, bytes, int]:
    """Size and kind of the box at ``start``, and where its body begins."""
    if limit - start < 8:
        raise TruncatedBox(f"{limit - start} stray bytes at {start}")
    size, kind = struct.unpack_from(">I4s", data, start)
    if size != 1:
        return size, kind, start + 8
    if limit - start < 16:
        raise TruncatedBox(f"box {kind!r} at {start} ends within its header")
    return struct.unpack_from(">Q", data, start + 8)[0], kind, start + 16


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of ``data[start:end]``; :class:`TruncatedBox` where one does not fit."""
    limit = len(data) if end is None else end
    while start < limit:
        if limit - start < 8:
            raise TruncatedBox(f"{limit - start} stray bytes at {start}")
        size, kind = _short(data, start)
        body = start + 8
        if size == 1:
            size, kind, body = _header(data, start, limit)
        if size < body - start or start + size > limit:
            raise TruncatedBox(f"box {kind!r} at {start} claims {size} bytes, {limit - start} are there")
        yield Box(kind, start, body, start + size)
        start += size


def find(data: bytes, *path: bytes, start: int = 0, end: int | None = None) -> list[Box]:
    """All boxes under a path such as ``b"moof", b"traf", b"tfdt"``."""
    found = [b for b in boxes(data, start, end) if b.kind == path[0]]
    if len(path) == 1:
        return found
    return [inner for outer in found for inner in find(data, *path[1:], start=outer.body, end=outer.end)]
