"""The quick way through the catalog takes nothing that the schemas refuse, and writes what RFC 8785 says."""

import json
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from openproctor.catalog import CATALOG
from openproctor.eventlog.accept import WireBatch, accept, accept_plain, read_batch
from openproctor.eventlog.plain import PLAIN
from openproctor.simulation.load_candidate import MIX

numbers = (
    st.integers(-5, 70_000)
    | st.sampled_from([2**53 - 1, 2**53, 2**64, -(2**53)])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(0, 50).map(float)
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def _of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that often fit a member's schema."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string":
            longest = schema.get("maxLength", 500)
            return text | st.sampled_from(
                ["é" * longest, "🙂" * longest, "a" * (longest + 1), '\x00\x1f\x7f"\\/\u2028']
            )
        case "array":
            return st.lists(_of(schema["items"]), max_size=4)
        case "boolean":
            return st.booleans()
    return numbers


@st.composite
def said(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """A type and data: mostly fitting members, sometimes odd, missing or unknown ones."""
    type_id = draw(st.sampled_from(sorted(PLAIN)))
    schema = CATALOG.types[type_id].schema
    data = {
        name: draw(_of(member) if draw(st.integers(0, 9)) else numbers | text | st.none() | st.lists(numbers))
        for name, member in schema["properties"].items()
        if name in schema.get("required", ()) or draw(st.booleans())
    }
    if not draw(st.integers(0, 9)):
        data[draw(text)] = 1
    return type_id, data


@given(said(), st.booleans())
def test_what_it_takes_fits_the_schema_and_is_written_canonically(
    said: tuple[int, dict[str, Any]], escaped: bool
) -> None:
    type_id, data = said
    raw = json.dumps(data, ensure_ascii=escaped).encode()
    try:
        written = PLAIN[type_id](msgspec.Raw(raw))
    except msgspec.MsgspecError:
        return
    value = msgspec.json.decode(raw)
    assert CATALOG.types[type_id].complaint(value) is None
    assert written == rfc8785.dumps(value)


@given(st.randoms(use_true_random=False))
def test_everything_that_pages_raise_every_day_takes_the_quick_way(chance: Any) -> None:
    for type_id, make, _ in MIX:
        data = make(chance)
        assert PLAIN[type_id](msgspec.Raw(json.dumps(data).encode())) == rfc8785.dumps(data)


def test_what_refers_to_evidence_is_looked_at() -> None:
    assert not {26, 145, 146} & PLAIN.keys()


def _batch(*events: dict[str, Any]) -> WireBatch:
    return read_batch(json.dumps({"stream": "s", "events": events}).encode())


@given(st.lists(said(), min_size=1, max_size=4), st.integers(-10, 200), st.integers(-1, 3))
def test_both_ways_accept_the_same(events: list[tuple[int, dict[str, Any]]], at: int, seq: int) -> None:
    batch = _batch(*[{"seq": seq + n, "type_id": t, "at": at, "data": d} for n, (t, d) in enumerate(events)])
    quick = accept_plain(batch, 100, 50, ())
    slow, refused = accept(batch, 100, 50)
    if quick is not None:
        assert not refused
        assert quick.stream == "s"
        assert quick.events == [(e.client_sequence, e.type_id, e.occurred_at, e.canonical) for e in slow]


@pytest.mark.parametrize(
    "event",
    [
        {"seq": 1, "type_id": 169, "at": 60, "data": {}},
        {"seq": 1, "type_id": 424242, "at": 60, "data": {}},
        {"seq": 0, "type_id": 6, "at": 60, "data": {}},
        {"seq": 1, "type_id": 6, "at": -1, "data": {}},
        {"seq": 1, "type_id": 6, "at": 60, "data": {}, "evidence": [{"kind": "capture", "id": "0" * 26}]},
        {"seq": 1, "type_id": 5, "at": 60, "data": {"reason": "blur"}},
    ],
)
def test_what_must_be_judged_or_asked_about_does_not_take_the_quick_way(event: dict[str, Any]) -> None:
    fine = {"seq": 2, "type_id": 6, "at": 60, "data": {}}
    assert accept_plain(_batch(fine), 100, 50, {5}) is not None
    assert accept_plain(_batch(fine, event), 100, 50, {5}) is None
