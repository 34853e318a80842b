"""Two servers on one PostgreSQL, NATS and S3: a candidate and the staff may talk to either of them."""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import httpx
import numpy as np
import pytest

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
    policy = {"checks": [], "tracks": {"camera": {}}}
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
