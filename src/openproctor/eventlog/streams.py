"""Which sequence numbers of a page's streams are stored: enough to drop repeats and to know what is missing."""

import bisect

import msgspec

# a page that leaves more holes than this is not keeping to the protocol
MAX_BEYOND = 10_000
MAX_STREAMS = 64


class Streams:
    """For each stream: everything up to ``through`` is in, and of what lies beyond, these."""

    __slots__ = ("_streams",)

    def __init__(self, streams: dict[str, tuple[int, list[int]]] | None = None) -> None:
        self._streams = streams or {}

    @classmethod
    def decode(cls, text: str) -> "Streams":
        """From the stored form."""
        return cls(msgspec.json.decode(text, type=dict[str, tuple[int, list[int]]]))

    def encode(self) -> str:
        """The stored form."""
        return msgspec.json.encode(self._streams).decode()

    def add(self, stream: str, number: int) -> bool:
        """Note a number (1, 2, 3 …); False if it was in already."""
        through, beyond = self._streams.get(stream, (0, []))
        if number <= through:
            return False
        if number == through + 1:
            through += 1
            while beyond and beyond[0] == through + 1:
                beyond.pop(0)
                through += 1
        else:
            place = bisect.bisect_left(beyond, number)
            if place < len(beyond) and beyond[place] == number:
                return False
            beyond.insert(place, number)
        self._streams[stream] = (through, beyond)
        return True

    def follows(self, stream: str, first: int, last: int) -> bool:
        """Note the numbers from ``first`` to ``last`` if they are the next ones and nothing lies beyond; else do nothing."""
        through, beyond = self._streams.get(stream, (0, ()))
        if beyond or first != through + 1:
            return False
        self._streams[stream] = (last, [])
        return True

    def room_for(self, stream: str) -> bool:
        """Whether a page may still send to this stream."""
        if stream not in self._streams:
            return len(self._streams) < MAX_STREAMS
        return len(self._streams[stream][1]) < MAX_BEYOND

    def missing(self, stream: str, last: int) -> int:
        """How many of 1…last are not in."""
        through, beyond = self._streams.get(stream, (0, []))
        return max(0, last - through - sum(1 for number in beyond if number <= last))
