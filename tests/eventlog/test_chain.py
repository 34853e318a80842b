"""A link is the SHA-256 of the entry's canonical form, as the documentation says."""

import hashlib

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from openproctor.eventlog.chain import data_digest, genesis, link_content, link_event, link_page

names = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
refs = st.lists(st.fixed_dictionaries({"kind": st.just("capture"), "id": names}), max_size=3)


@given(st.none() | names, st.none() | st.integers(1, 2**40), refs, st.dictionaries(names, st.integers(-9, 9) | names))
def test_a_link_is_the_digest_of_the_canonical_entry(
    stream: str | None, number: int | None, evidence: list[dict[str, str]], data: dict[str, object]
) -> None:
    previous = genesis("s")
    digest = data_digest(b"salt", data)
    assert digest == hashlib.sha256(b"salt" + rfc8785.dumps(data)).hexdigest()  # type: ignore[arg-type]
    entry = {
        "at": 5, "client_sequence": number, "data": digest, "evidence": evidence, "kind": "event", "position": 2,
        "previous": previous.hex(), "received": 6, "sequence": 1, "session": "s", "source": "candidate", "stream": stream,
        "type": 7,
    }  # fmt: skip
    link = link_event(
        previous, session_id="s", position=2, sequence=1, type_id=7, source="candidate", occurred_at=5, received_at=6,
        stream=stream, client_sequence=number, digest=digest, evidence=evidence,
    )  # fmt: skip
    assert link == hashlib.sha256(rfc8785.dumps(entry)).digest()


@given(names, st.dictionaries(names, st.integers(-9, 9) | names))
def test_the_link_of_a_content_is_the_digest_of_its_canonical_entry(kind: str, content: dict[str, object]) -> None:
    previous = genesis("s")
    entry = {"content": content, "kind": kind, "position": 2, "previous": previous.hex(), "session": "s"}
    for form in (content, rfc8785.dumps(content)):  # type: ignore[arg-type]
        link = link_content(previous, session_id="s", position=2, kind=kind, content=form)
        assert link == hashlib.sha256(rfc8785.dumps(entry)).digest()  # type: ignore[arg-type]


page_events = st.lists(
    st.tuples(
        st.integers(1, 2**53), st.integers(1, 2000), st.integers(0, 2**53), names.map(lambda n: rfc8785.dumps([n]))
    ),
    min_size=1,
    max_size=5,
)


@given(names, page_events, st.integers(1, 2**40), st.integers(1, 2**40), st.binary(min_size=80, max_size=80))
def test_a_batch_is_linked_as_its_events_one_by_one(
    stream: str, events: list[tuple[int, int, int, bytes]], position: int, sequence: int, salts: bytes
) -> None:
    links = link_page(
        genesis("s"), session_id="s", position=position, sequence=sequence, received_at=6, stream=stream, events=events,
        salts=salts,
    )  # fmt: skip
    previous = genesis("s")
    for n, (number, type_id, at, data) in enumerate(events):
        previous = link_event(
            previous, session_id="s", position=position + n, sequence=sequence + n, type_id=type_id, source="candidate",
            occurred_at=at, received_at=6, stream=stream, client_sequence=number,
            digest=data_digest(salts[n * 16 : n * 16 + 16], data), evidence=[],
        )  # fmt: skip
        assert links[n] == previous
    assert len(links) == len(events)
