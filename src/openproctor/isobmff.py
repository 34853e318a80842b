"""Boxes of an MP4 file (ISO/IEC 14496-12): where they lie, one level at a time."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass


class TruncatedBox(ValueError):
    """A box reaches beyond the end of the data, or claims less than its own header."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies: ``start`` of its header, ``body`` of its content, ``end`` behind it, bytes from the beginning."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of ``data[start:end]``; :class:`TruncatedBox` where one does not fit."""
    limit = len(data) if end is None else end
    while start < limit:
        if limit - start < 8:
            raise TruncatedBox(f"{limit - start} stray bytes at {start}")
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            if limit - start < 16:
                raise TruncatedBox(f"box {kind!r} at {start} ends within its header")
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
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
