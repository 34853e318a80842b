"""Repeats are dropped whatever the order in which events arrive."""

import json

from hypothesis import given
from hypothesis import strategies as st

from openproctor.eventlog.streams import MAX_HOLES, MAX_STREAMS, Streams


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


@given(st.integers(0, 9), st.sets(st.integers(1, 60)))
def test_numbers_that_were_stored_one_by_one_are_read_too(through: int, numbers: set[int]) -> None:
    beyond = sorted(n for n in numbers if n > through + 1)
    read, made = Streams.decode(json.dumps({"s": [through, beyond]})), Streams({"s": (through, [])})
    for number in beyond:
        made.add("s", number)
    assert read.encode() == made.encode()


def test_a_hole_costs_the_same_however_much_lies_beyond_it() -> None:
    streams = Streams()
    for number in range(2, 20_000):
        assert streams.room_for("s", 200)
        streams.add("s", number)
    assert (len(streams.encode()), streams.missing("s", 20_000)) == (len('{"s":[0,[[2,19999]]]}'), 2)


def test_a_page_may_not_go_on_leaving_holes_but_may_always_fill_them() -> None:
    streams = Streams()
    odd = [n * 2 + 1 for n in range(1, MAX_HOLES + 1)]
    for number in odd:
        assert streams.room_for("s", 1)
        streams.add("s", number)
    assert not streams.room_for("s", 1)
    assert not streams.room_for("another", 1), "holes of all streams count"
    assert not streams.fills("another", [1])
    assert not streams.fills("s", [odd[-1] + 2])
    assert not streams.fills("s", [1, odd[-1] + 2, odd[-1] + 4])
    for lowest in ([1, 2], list(range(4, 200)), odd[:300]):
        assert streams.fills("s", lowest)


def test_a_page_may_not_go_on_opening_streams() -> None:
    streams = Streams()
    for number in range(MAX_STREAMS):
        assert streams.room_for(str(number), 500)
        streams.add(str(number), 1)
    assert not streams.room_for("new", 1)
    assert not streams.fills("new", [1])
    assert streams.room_for("0", 500)
