"""Two servers on one PostgreSQL, NATS and S3: a candidate and the staff may talk to either of them."""

import json
import os
import re
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from openproctor.eventlog.verify import verify_bundle
from openproctor.simulation.media import CAMERA, record
from scripts.engines import Engine, SeaweedFS
from tests.engines import new_postgres_database
from tests.live import LiveServer
from tests.page import Page


@pytest.fixture(scope="module")
def nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, nats: Engine, seaweedfs: SeaweedFS
) -> Iterator[list[LiveServer]]:
    """Two servers that have their engines and keys in common."""
    name = secrets.token_hex(4)
    for url in new_postgres_database(request):
        settings = {
            "workers": 0,
            # a server that stands still is given up after 2 + 5 + 5 seconds
            "heartbeat_ms": 500,
            "heartbeat_limit_ms": 2_000,
            "secret_key": secrets.token_hex(32),
            "database_url": url,
            "bus_url": f"{nats.url}/{name}",
            "media_url": seaweedfs.url.replace("?", f"/{name}?"),
            "media_access_key": seaweedfs.access_key,
            "media_secret_key": seaweedfs.secret_key,
        }
        folders = [tmp_path_factory.mktemp(f"node{number}") for number in range(2)]
        with LiveServer(folders[0], **settings) as first:
            (folders[1] / "data").mkdir()
            shutil.copy(first.data / "sealing.key", folders[1] / "data")
            with LiveServer(folders[1], **settings) as second:
                yield [first, second]


@pytest.fixture
def staff(nodes: list[LiveServer]) -> Iterator[list[httpx.Client]]:
    """An integrator at each node, with one key."""
    key = {"Authorization": f"Bearer {nodes[0].key}"}
    clients = [httpx.Client(base_url=node.url, headers=key, timeout=30) for node in nodes]
    yield clients
    for client in clients:
        client.close()


@pytest.fixture
def pages(nodes: list[LiveServer], staff: list[httpx.Client]) -> list[Page]:
    """One candidate's page, in a running exam, as it talks to each node."""
    policy = {"checks": [], "offline_ms": 2_000, "tracks": {"camera": {}}}
    exam = staff[0].post("/api/v1/exams", json={"title": "Algebra", "policy": policy}).json()
    body = {"exam_id": exam["id"], "candidate": {"external_id": secrets.token_hex(6), "name": "Ada"}}
    made = staff[1].post("/api/v1/sessions", json=body).json()
    again = staff[0].post("/api/v1/sessions", json=body)
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    found = [Page(node.url, made["join_url"], device="the-same-device-0") for node in nodes]
    for page in found:
        assert page.join().status_code == 200
    assert found[0].http.post(found[0].path("start"), json={}).json()["state"] == "running"
    return found


def events_of(client: httpx.Client, page: Page, *types: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(page.path("events"), params={"type_id": list(types)}).json()["items"]
    return items


def test_the_same_batch_sent_to_both_nodes_at_once_is_stored_once(pages: list[Page], staff: list[httpx.Client]) -> None:
    first, second = pages
    second.stream = first.stream
    batches = [[first.event(6, {"idle_after_ms": number}) for number in range(3)] for _ in range(20)]
    with ThreadPoolExecutor(2) as threads:
        for batch in batches:
            answers = list(threads.map(lambda page, batch=batch: page.send(*batch), pages))
            assert [answer.status_code for answer in answers] == [200, 200]
            assert [len(answer.json()["acknowledged"]) for answer in answers] == [3, 3]
    for client in staff:
        assert [event["sequence"] for event in events_of(client, first)] == list(
            range(1, len(events_of(client, first)) + 1)
        )
        assert len(events_of(client, first, 6)) == 60


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def beating(who: Page, **hello: Any) -> Iterator[ClientConnection]:
    """A socket whose page sends its heartbeats."""
    with who.socket(**hello) as socket:
        over = threading.Event()

        def beat() -> None:
            while not over.wait(0.4):
                try:
                    socket.send(json.dumps({"t": "ping", "n": 1, "at": 0}))
                except ConnectionClosed:
                    return

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            yield socket
        finally:
            over.set()
            thread.join()


def closing_code(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(30)
    assert closed.value.rcvd is not None
    return int(closed.value.rcvd.code)


def test_both_nodes_know_who_is_connected_and_a_newer_page_at_the_other_replaces_the_older(
    pages: list[Page], staff: list[httpx.Client]
) -> None:
    first, second = pages
    address = f"/api/v1/sessions/{first.session_id}"
    with beating(first, page="one") as old:
        for client in staff:
            wait_for(lambda client=client: client.get(address).json()["connected"])  # type: ignore[misc]
        stranger = Page(second.url, f"{second.url}/join/{first.token}")
        assert stranger.join().status_code == 409, "the other node knows that the exam is open here"
        with beating(second, page="two"):
            assert closing_code(old) == 4409
            lines = [(e["type_id"], e["data"].get("reason")) for e in events_of(staff[0], first, 9, 10)]
            assert lines == [(9, None), (10, "replaced"), (9, None)]
            assert all(client.get(address).json()["connected"] for client in staff)
    wait_for(lambda: not staff[0].get(address).json()["connected"])
    wait_for(lambda: events_of(staff[0], first, 181))
    assert [e["data"]["reason"] for e in events_of(staff[1], first, 10)] == ["replaced", "closed"]


def test_a_page_that_changes_nodes_is_connected_all_the_time(pages: list[Page], staff: list[httpx.Client]) -> None:
    first, second = pages
    with beating(first, page="same"), beating(second, page="same"):
        lines = events_of(staff[0], first, 9, 10)
        assert [(e["type_id"], e["data"].get("reason")) for e in lines] == [(9, None), (10, "closed"), (9, None)]
        assert lines[-1]["data"]["reconnect"] is True
        wait_for(lambda: staff[0].get(f"/api/v1/sessions/{first.session_id}").json()["connected"])
    assert not events_of(staff[0], first, 181)


def test_a_node_that_stood_still_neither_forks_the_log_nor_speaks_for_a_line_it_has_lost(
    nodes: list[LiveServer], pages: list[Page], staff: list[httpx.Client], tmp_path: Any
) -> None:
    first, second = pages
    second.stream = first.stream
    address = f"/api/v1/sessions/{first.session_id}"
    with beating(first, page="same") as old, ThreadPoolExecutor(2) as threads:
        # in the middle of taking events it stops, with some of them on their way
        late = [first.event(6, {"idle_after_ms": n}) for n in range(40)]
        answers = [threads.submit(first.send, *late[n : n + 20]) for n in (0, 20)]
        os.kill(nodes[0].pid, signal.SIGSTOP)
        try:
            # the page gives up waiting and sends the same, and more, to the other node
            newer = [second.event(6, {"idle_after_ms": 1_000 + n}) for n in range(20)]
            second.seq = first.seq = 60
            for n, event in enumerate(newer):
                event["seq"] = 41 + n
            for batch in (late, newer):
                assert len(second.send(*batch).json()["acknowledged"]) == len(batch)
            with beating(second, page="same"):
                # whoever asks the living node is told the truth
                assert staff[1].get(address).json()["connected"] is True
                os.kill(nodes[0].pid, signal.SIGCONT)
                for answer in answers:
                    # it is stored, once; or it was refused, and the page sends it again
                    assert answer.result().status_code in (200, 503), answer.result().text
                assert len(first.send(*newer).json()["acknowledged"]) == 20
                assert closing_code(old) in (4408, 4409, 1013)
                assert staff[0].get(address).json()["connected"] is True
        finally:
            os.kill(nodes[0].pid, signal.SIGCONT)
    assert len(events_of(staff[0], first, 6)) == 60
    # the living node takes the line over, or gives the other one up if that kept it waiting for long
    assert events_of(staff[0], first, 10)[0]["data"]["reason"] in ("closed", "server_stopped")
    # one for each line; the second is noted soon after its socket is closed
    wait_for(lambda: len(events_of(staff[0], first, 10)) == 2)
    assert events_of(staff[0], first) == events_of(staff[1], first)
    manifest = {"streams": {first.stream: 60}, "tracks": {"camera": -1}}
    assert second.http.post(second.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    for client in staff:
        bundle = tmp_path / "bundle.tar"
        bundle.write_bytes(client.get(first.path("bundle")).content)
        verify_bundle(bundle)


@pytest.mark.slow
@pytest.mark.long  # waits until a server is given up
def test_a_node_that_is_gone_has_its_candidates_taken_over(
    nodes: list[LiveServer], pages: list[Page], staff: list[httpx.Client]
) -> None:
    first, second = pages
    address = f"/api/v1/sessions/{first.session_id}"
    with beating(second, page="same"):
        wait_for(lambda: staff[0].get(address).json()["connected"])
        nodes[1].kill()
        try:
            # nobody comes back: the other node notices, and the candidate counts as offline
            (lost,) = wait_for(lambda: events_of(staff[0], first, 10), 60)
            assert lost["data"]["reason"] == "server_stopped"
            assert wait_for(lambda: events_of(staff[0], first, 181))
            assert staff[0].get(address).json()["connected"] is False
            with beating(first, page="same"):
                assert wait_for(lambda: events_of(staff[0], first, 1063))
        finally:
            nodes[1].restart()
    assert [e["type_id"] for e in events_of(staff[1], first, 9, 10, 181, 1063)][:5] == [9, 10, 181, 9, 1063]


def test_what_one_node_decides_is_told_at_a_socket_of_the_other(pages: list[Page]) -> None:
    first, second = pages
    with first.socket() as socket:
        answer = second.http.post(second.path("finish"), json={"manifest": {"streams": {}, "tracks": {}}})
        assert answer.json()["state"] == "completed"
        told = []
        while "completed" not in told:
            frame = json.loads(socket.recv(10))
            assert frame["t"] == "state"
            told.append(frame["state"])


def test_recordings_come_in_at_one_node_and_out_at_the_other(
    pages: list[Page], staff: list[httpx.Client], tmp_path: Any
) -> None:
    frames = (np.full((480, 640, 3), n * 3, np.uint8) for n in range(60))
    blobs = list(record(frames, CAMERA))
    for number, blob in enumerate(blobs):
        assert pages[number % 2].put_chunk("camera", number, blob.data).status_code == 201
    pages[0].send(pages[0].event(6, {"idle_after_ms": 1}))
    address = pages[0].path("media/camera/index.m3u8")
    for client in staff:
        playlist = client.get(address).text
        links = [line for line in playlist.splitlines() if line and not line.startswith("#")]
        inits = re.findall(r'URI="([^"]+)"', playlist)
        assert (len(links), len(inits)) == (len(blobs) - 1, 1)
        stored = b"".join(client.get(urljoin(address, link)).content for link in [*inits, *links])
        assert stored == b"".join(blob.data for blob in blobs)
    manifest = {"streams": {pages[0].stream: pages[0].seq}, "tracks": {"camera": len(blobs) - 1}}
    assert pages[1].http.post(pages[1].path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    for client in staff:
        bundle = tmp_path / "bundle.tar"
        bundle.write_bytes(client.get(pages[0].path("bundle")).content)
        verify_bundle(bundle)
