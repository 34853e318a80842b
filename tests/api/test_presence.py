"""Coming and going: 3, 9, 10, 181 and 1063, one of each per cause."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.live import LiveServer
from tests.page import Page, now

Events = Callable[..., list[dict[str, Any]]]
Make = Callable[..., dict[str, Any]]


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Ask until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_joining_again_is_a_rejoin(server: LiveServer, new_session: Make, events_of: Events) -> None:
    page = Page(server.url, new_session()["join_url"])
    page.join()
    page.join()
    page.token = page.candidate_token
    assert page.join().status_code == 200, "a reloaded page joins with its own token"
    assert [e["data"]["rejoin"] for e in events_of(page.session_id, 3)] == [False, True, True]


def test_a_socket_is_noted_when_it_comes_and_when_it_goes(page: Page, events_of: Events) -> None:
    with page.socket(attempt=3):
        (opened,) = wait_for(lambda: events_of(page.session_id, 9))
        assert opened["data"]["reconnect"] is False
        assert opened["data"]["attempt"] == 3
        assert 0 <= opened["data"]["rtt_ms"] < 5_000
    (lost,) = wait_for(lambda: events_of(page.session_id, 10))
    assert lost["data"]["code"] == 1000
    (offline,) = wait_for(lambda: events_of(page.session_id, 181))
    assert abs(offline["data"]["from"] - lost["occurred_at"]) < 1_000
    with page.socket():
        back = wait_for(lambda: events_of(page.session_id, 1063))[0]
        assert back["data"]["from"] == offline["data"]["from"]
        assert back["data"]["until"] >= offline["occurred_at"]
        assert events_of(page.session_id, 9)[1]["data"]["reconnect"] is True


def test_a_short_loss_is_no_offline(page: Page, events_of: Events) -> None:
    with page.socket():
        pass
    wait_for(lambda: events_of(page.session_id, 10))
    with page.socket():
        wait_for(lambda: len(events_of(page.session_id, 9)) == 2)
        deadline = time.monotonic() + 1.8
        while time.monotonic() < deadline:
            assert not events_of(page.session_id, 181)
            time.sleep(0.2)


def test_silence_counts_as_a_loss(page: Page, events_of: Events) -> None:
    with page.socket() as socket:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4408
    (lost,) = wait_for(lambda: events_of(page.session_id, 10))
    assert lost["data"]["reason"] == "heartbeat"


def test_what_the_page_says_of_its_own_absence_is_noted(page: Page, events_of: Events) -> None:
    since = now()
    with page.socket(offline={"from": since, "until": since + 700}):
        (offline,) = wait_for(lambda: events_of(page.session_id, 181))
        assert offline["data"] == {"from": since, "until": offline["data"]["until"], "reported_by": "page"}


def test_a_newer_page_replaces_the_older(page: Page, events_of: Events) -> None:
    with page.socket() as old, page.socket() as new:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                old.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4409
        new.send(json.dumps({"t": "ping", "n": 1, "at": 0}))
        assert json.loads(new.recv(10))["t"] == "pong"
    reasons = [
        e["data"]["reason"] for e in wait_for(lambda: [e for e in [events_of(page.session_id, 10)] if len(e) == 2])[0]
    ]
    assert reasons == ["replaced", "closed"]


def test_another_browser_waits_while_the_first_is_connected(server: LiveServer, page: Page) -> None:
    other = Page(server.url, f"{server.url}/join/{page.token}")
    with page.socket():
        refused = other.join()
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("open-elsewhere")
    assert wait_for(lambda: other.join().status_code == 200)
    assert page.send(page.event(6, {})).status_code == 409, "the first page no longer speaks for the candidate"
    manifest: dict[str, Any] = {"manifest": {"streams": {}, "tracks": {}}}
    refused = page.http.post(page.path("finish"), json=manifest)
    assert (refused.status_code, refused.json()["type"].rsplit("/")[-1]) == (409, "open-elsewhere")
    ended = other.http.post(other.path("finish"), json=manifest)
    assert ended.json()["state"] == "completed"
    assert page.http.post(page.path("finish"), json=manifest).json()["state"] == "completed", (
        "what is over may be known"
    )


@pytest.mark.parametrize("first", ["", "{", '{"t":"events"}', '{"t":"hello"}', '{"t":"hello","token":"x"}'])
def test_a_socket_that_does_not_begin_with_a_hello_is_closed(server: LiveServer, page: Page, first: str) -> None:
    with connect(server.url.replace("http", "ws") + page.path("socket")) as socket:
        socket.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (4400, 4401)


@pytest.mark.parametrize("odd", [{"attempt": 2**60}, {"page": "a\0b"}, {"page": "x" * 65}])
def test_a_hello_with_what_no_page_says_is_no_hello(
    server: LiveServer, page: Page, events_of: Events, odd: dict[str, Any]
) -> None:
    with connect(server.url.replace("http", "ws") + page.path("socket")) as socket:
        hello = {"t": "hello", "token": page.candidate_token, "device": page.device} | odd
        socket.send(json.dumps(hello))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400
    assert not events_of(page.session_id, 9)
    with page.socket(attempt=2**31):
        assert len(events_of(page.session_id, 9)) == 1


def test_a_server_that_was_killed_accounts_for_the_open_socket_at_its_start(tmp_path: Path) -> None:
    with LiveServer(tmp_path, workers=0) as server, server.client() as staff:
        exam = staff.post("/api/v1/exams", json={"title": "T", "policy": {"checks": [], "offline_ms": 2000}}).json()
        body = {"exam_id": exam["id"], "candidate": {"external_id": "a", "name": "Ada"}}
        page = Page(server.url, staff.post("/api/v1/sessions", json=body).json()["join_url"])
        page.join()
        page.http.post(page.path("start"), json={})
        with page.socket():
            assert page.send(page.event(6, {})).json()["acknowledged"] == [1]
            server.kill()
        server.restart()

        def events(*types: int) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = staff.get(page.path("events"), params={"type_id": list(types)}).json()[
                "items"
            ]
            return found

        assert len(events(6)) == 1
        (lost,) = events(10)
        assert lost["data"]["reason"] == "server_stopped"
        assert wait_for(lambda: events(181))
        with page.socket():
            assert wait_for(lambda: events(1063))
            assert [e["data"]["reconnect"] for e in events(9)] == [False, True]


def test_staff_see_who_is_connected(page: Page, staff: httpx.Client) -> None:
    address = f"/api/v1/sessions/{page.session_id}"
    assert staff.get(address).json()["connected"] is False
    with page.socket():
        assert wait_for(lambda: staff.get(address).json()["connected"])


def test_a_page_that_has_only_http_is_connected_as_long_as_it_asks(
    server: LiveServer, staff: httpx.Client, new_session: Make, events_of: Events
) -> None:
    page = Page(server.url, new_session(checks=[], offline_ms=1000)["join_url"])
    page.join()
    page.http.post(page.path("start"), json={})
    address = f"/api/v1/sessions/{page.session_id}"

    def asks() -> bool:
        assert page.http.get(page.path("room")).status_code == 200
        connected: bool = staff.get(address).json()["connected"]
        return connected

    assert not asks(), "one question may be that of a page which is about to open its socket"
    wait_for(asks)
    assert not events_of(page.session_id, 9, 10), "no socket came or went"
    (offline,) = wait_for(lambda: events_of(page.session_id, 181))
    assert offline["data"]["reported_by"] == "server"
    assert staff.get(address).json()["connected"] is False
    wait_for(asks)
    (back,) = wait_for(lambda: events_of(page.session_id, 1063))
    assert back["data"]["from"] == offline["data"]["from"]
    with page.socket():
        assert [e["type_id"] for e in events_of(page.session_id, 9, 10)] == [9], "the page found a way for its socket"
