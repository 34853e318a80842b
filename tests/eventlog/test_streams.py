"""Repeats are dropped whatever the order in which events arrive."""

from hypothesis import given
from hypothesis import strategies as st

from openproctor.eventlog.streams import Streams


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 60)), max_size=200))
def test_each_number_is_taken_once_and_missing_ones_are_counted(arrivals: list[tuple[str, int]]) -> None:
    streams = Streams()
    seen: set[tuple[str, int]] = set()
    for stream, number in arrivals:
        streams = Streams.decode(streams.encode())
        assert streams.add(stream, number) == ((stream, number) not in seen)
        seen.add((stream, number))
    for stream in "abc":
        numbers = {n for s, n in seen if s == stream}
        for last in (0, 1, 30, 60):
            assert streams.missing(stream, last) == len(set(range(1, last + 1)) - numbers)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 4)), max_size=60))
def test_numbers_that_follow_are_noted_together_as_if_one_by_one(spans: list[tuple[int, int]]) -> None:
    together, single = Streams(), Streams()
    for first, count in spans:
        numbers = range(first, first + count)
        if not together.follows("s", first, numbers[-1]):
            for number in numbers:
                together.add("s", number)
        for number in numbers:
            single.add("s", number)
        assert together.encode() == single.encode()
