"""Which sequence numbers of a page's streams are stored: enough to drop repeats and to know what is missing."""

import bisect
from collections.abc import Iterable
from operator import itemgetter

import msgspec

# a page that leaves more holes than this, in all its streams together, is not keeping to the protocol
MAX_HOLES = 2_000
MAX_STREAMS = 256

_first = itemgetter(0)
_decode = msgspec.json.Decoder(dict[str, tuple[int, list[int | tuple[int, int]]]]).decode


class Streams:
    """For each stream: everything up to ``through`` is in, and of what lies beyond, these ranges (first, last)."""

    __slots__ = ("_streams",)

    def __init__(self, streams: dict[str, tuple[int, list[tuple[int, int]]]] | None = None) -> None:
        self._streams = streams or {}

    @classmethod
    def decode(cls, text: str) -> "Streams":
        """From the stored form."""
        found = cls()
        for stream, (through, beyond) in _decode(text).items():
            found._streams[stream] = through, (ranges := [])
            for one in beyond:
                if isinstance(one, tuple):
                    ranges.append(one)
                else:  # numbers were stored one by one
                    found.add(stream, one)
        return found

    def encode(self) -> str:
        """The stored form."""
        return msgspec.json.encode(self._streams).decode()

    def add(self, stream: str, number: int) -> bool:
        """Note a number (1, 2, 3 …); False if it was in already."""
        through, beyond = self._streams.get(stream, (0, []))
        if number <= through:
            return False
        if number == through + 1:
            through = beyond.pop(0)[1] if beyond and beyond[0][0] == number + 1 else number
        else:
            place = bisect.bisect_right(beyond, number, key=_first)
            before = beyond[place - 1] if place else (0, 0)
            if number <= before[1]:
                return False
            first, last, start, end = number, number, place, place
            if place and before[1] == number - 1:
                first, start = before[0], place - 1
            if place < len(beyond) and beyond[place][0] == number + 1:
                last, end = beyond[place][1], place + 1
            beyond[start:end] = [(first, last)]
        self._streams[stream] = (through, beyond)
        return True

    def follows(self, stream: str, first: int, last: int) -> bool:
        """Note the numbers from ``first`` to ``last`` if they are the next ones and nothing lies beyond; else do nothing."""
        through, beyond = self._streams.get(stream, (0, ()))
        if beyond or first != through + 1:
            return False
        self._streams[stream] = (last, [])
        return True

    def room_for(self, stream: str, count: int) -> bool:
        """Whether a page may send so many events to a stream, whatever their numbers."""
        if stream not in self._streams and len(self._streams) >= MAX_STREAMS:
            return False
        return sum(len(beyond) for _, beyond in self._streams.values()) + count <= MAX_HOLES

    def fills(self, stream: str, numbers: Iterable[int]) -> bool:
        """Whether there would be no more holes in a stream with these numbers than without them."""
        if stream not in self._streams:
            return False
        through, beyond = self._streams[stream]
        after = Streams({stream: (through, list(beyond))})
        for number in numbers:
            after.add(stream, number)
        return len(after._streams[stream][1]) <= len(beyond)

    def missing(self, stream: str, last: int) -> int:
        """How many of 1…last are not in."""
        through, beyond = self._streams.get(stream, (0, []))
        return max(0, last - through) - sum(min(last, end) - first + 1 for first, end in beyond if first <= last)
