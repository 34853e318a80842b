"""What a candidate's page may say, and what becomes of it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from openproctor.eventlog.streams import MAX_STREAMS
from tests.page import Page, now

Events = Callable[..., list[dict[str, Any]]]


def test_an_accepted_event_is_in_the_log_with_name_times_and_link(page: Page, events_of: Events) -> None:
    answer = page.send(page.event(5, {"reason": "blur"}))
    assert answer.json() == {"acknowledged": [1], "refused": []}
    (event,) = events_of(page.session_id, 5)
    assert (event["name"], event["source"], event["data"]) == ("Window Focus-Out", "candidate", {"reason": "blur"})
    assert event["occurred_at"] <= event["received_at"]
    assert len(event["link"]) == 64


def test_a_repeated_event_is_acknowledged_again_and_stored_once(page: Page, events_of: Events) -> None:
    event = page.event(6, {})
    for _ in range(3):
        assert page.send(event).json()["acknowledged"] == [1]
    assert len(events_of(page.session_id, 6)) == 1


def test_events_that_arrive_late_and_out_of_order_are_all_stored_once(page: Page, events_of: Events) -> None:
    batch = [page.event(7, {"idle_ms": n}) for n in range(1, 6)]
    for index in (4, 0, 2, 1, 2, 3, 0):
        page.send(batch[index])
    assert sorted(e["data"]["idle_ms"] for e in events_of(page.session_id, 7)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("type_id", "data", "slug"),
    [
        (424242, {}, "unknown-event"),
        (169, {}, "forbidden-event"),
        (3, {"rejoin": False}, "forbidden-event"),
        (113, {"outcome": "finished"}, "forbidden-event"),
        (1093, {}, "forbidden-event"),
        (5, {"reason": "bored"}, "schema"),
        (5, {"reason": "blur", "more": 1}, "schema"),
        (4, {}, "schema"),
        (13, {"track": "camera"}, "not-confirmed"),
        (146, {"evidence_id": "0" * 26}, "not-confirmed"),
        (26, {"width": 640, "height": 480, "frame_rate": 15}, "not-confirmed"),
    ],
)
def test_a_page_cannot_say_what_is_not_its_to_say(
    page: Page, events_of: Events, type_id: int, data: dict[str, Any], slug: str
) -> None:
    before = len(events_of(page.session_id))
    answer = page.send(page.event(type_id, data), page.event(6, {})).json()
    assert answer["acknowledged"] == [2], "the other event of the batch is stored"
    assert answer["refused"][0]["type"].endswith(slug)
    assert answer["refused"][0]["seq"] == 1
    assert len(events_of(page.session_id)) == before + 1


def test_an_exam_does_not_wait_for_events_that_were_refused(page: Page) -> None:
    assert page.http.post(page.path("start"), json={}).status_code == 200
    camera = {"width": 640, "height": 480, "frame_rate": 15}
    assert page.send(page.event(26, camera)).json()["acknowledged"] == []
    assert page.send(page.event(6, {}), page.event(5, {"reason": "bored"}), page.event(6, {})).json()[
        "acknowledged"
    ] == [2, 4]
    assert page.send(page.event(424242, {})).json()["acknowledged"] == []
    manifest = {"streams": {page.stream: page.seq}, "tracks": {}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"stream": 1, "events": []}', b"\xff\xfe", b'{"stream":"s","events":[{"type_id":5}]}']
)
def test_what_is_no_batch_gets_a_problem_and_changes_nothing(page: Page, events_of: Events, body: bytes) -> None:
    before = len(events_of(page.session_id))
    answer = page.http.post(page.path("events"), content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("malformed-batch")
    assert len(events_of(page.session_id)) == before


def test_a_batch_of_ten_megabytes_is_refused_unread(page: Page) -> None:
    answer = page.http.post(page.path("events"), content=b"x" * 10_000_000)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"

    def pieces() -> Any:
        for _ in range(100):
            yield b"x" * 100_000

    assert page.http.post(page.path("events"), content=pieces()).status_code in (400, 413)


def test_a_clock_that_runs_wild_is_bounded_by_the_servers(page: Page, events_of: Events) -> None:
    page.send(page.event(6, {}, at=now() + 10**9), page.event(6, {}, at=5))
    future, past = events_of(page.session_id, 6)
    assert future["occurred_at"] <= future["received_at"] + 2_000
    assert past["occurred_at"] >= past["received_at"] - 60_000


def test_pages_of_events_are_in_order_and_complete(page: Page, staff: httpx.Client) -> None:
    page.send(*[page.event(6, {"idle_after_ms": n}) for n in range(25)])
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = staff.get(f"/api/v1/sessions/{page.session_id}/events", params={"after": after, "limit": 7}).json()
        seen += [e["sequence"] for e in answer["items"]]
        after = answer["next"]
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 25


def test_a_page_that_opens_stream_after_stream_is_refused(page: Page, events_of: Events) -> None:
    def send(stream: str) -> httpx.Response:
        event = {"seq": 1, "type_id": 6, "at": now(), "data": {}}
        return page.http.post(page.path("events"), json={"stream": stream, "events": [event]})

    for number in range(MAX_STREAMS):
        assert send(f"s{number}").status_code == 200
    refused = send("another")
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (429, "too-many-holes")
    assert refused.headers["retry-after"]
    with page.socket() as socket:
        socket.send(json.dumps({"t": "events", "id": 1, "stream": page.stream, "events": [page.event(6, {})]}))
        frame = json.loads(socket.recv(10))
        assert (frame["t"], frame["problem"]["status"]) == ("problem", 429)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
        # not 4400: a page throws away what the server cannot read
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
    assert send("s0").json() == {"acknowledged": [1], "refused": []}
    assert len(events_of(page.session_id, 6)) == MAX_STREAMS


@pytest.mark.parametrize(
    "streams", [{f"s{n}": 1 for n in range(MAX_STREAMS + 1)}, {"": 1}, {"x" * 65: 1}, {"é": 1}, {"a\nb": 1}]
)
def test_a_manifest_has_as_many_streams_and_such_names_as_a_page_may_have(page: Page, streams: dict[str, int]) -> None:
    answer = page.http.post(page.path("finish"), json={"manifest": {"streams": streams, "tracks": {}}})
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (400, "malformed-manifest")


def test_the_socket_acknowledges_after_the_commit(page: Page, events_of: Events) -> None:
    with page.socket() as socket:
        socket.send(json.dumps({"t": "events", "id": 1, "stream": page.stream, "events": [page.event(6, {})]}))
        ack = json.loads(socket.recv(10))
        assert ack == {"t": "ack", "id": 1, "acknowledged": [1], "refused": []}
        assert len(events_of(page.session_id, 6)) == 1
        socket.send(json.dumps({"t": "ping", "n": 3, "at": 12.5}))
        pong = json.loads(socket.recv(10))
        assert (pong["t"], pong["n"], pong["at"]) == ("pong", 3, 12.5)
        assert abs(pong["server_time"] - now()) < 5_000
