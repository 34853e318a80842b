"""A browser that sends its recordings straight to an S3 store, by signed links, and a reviewer's that reads them there."""

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Request, expect

from scripts.engines import SeaweedFS
from tests.e2e.conftest import QUICK, Room
from tests.e2e.sitting import until
from tests.live import LiveServer

CHECKS = ["consent", "camera"]
EMAIL, PASSWORD = "review@school.example", "a long enough password"
PLAYS = "(video) => video.readyState >= 2 && video.videoWidth > 0"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[LiveServer]:
    """A server in front of a store that pages reach by themselves."""
    store = {
        "media_direct": "true",
        "media_url": seaweedfs.url.replace("?", f"/{secrets.token_hex(4)}?"),
        "media_access_key": seaweedfs.access_key,
        "media_secret_key": seaweedfs.secret_key,
    }
    with LiveServer(tmp_path_factory.mktemp("direct"), workers=1, **QUICK, **store) as live:
        yield live


def test_recordings_go_to_the_store_and_come_from_it(room: Room, server: LiveServer) -> None:
    puts: list[str] = []
    reads: list[str] = []

    def sent(request: Request) -> None:
        if request.method == "PUT" and "/captures/" not in request.url:
            puts.append(request.url)

    with room({"checks": CHECKS, "tracks": {"camera": {}}}) as candidate:
        candidate.page.on("request", sent)
        candidate.passes(CHECKS)
        candidate.starts()
        candidate.sitting.wait_for(13, track="camera")
        found = candidate.sitting.wait_for(15, within_s=60)
        assert found["source"] == "analysis", "the worker reads what the page put there"
        candidate.finishes()
        candidate.sitting.wait_for_state("completed")
        assert len(puts) >= 2
        assert [url for url in puts if url.startswith(server.url)] == []

        server.run("people", "set", "--data", str(server.data), "--email", EMAIL, "--name", "Rita", stdin=PASSWORD)
        page = candidate.browser.in_another_tab()
        page.on("request", lambda request: reads.append(request.url))
        page.goto(f"{server.url}/console/")
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Ada Sample").first.click()
        camera = page.get_by_label("Recording of the camera")
        expect(camera).to_be_visible()
        page.get_by_text("Face Detected").first.click()
        until(lambda: camera.evaluate(PLAYS), "a picture in the player")
        store = puts[0].split("/", 3)[2]
        until(lambda: any(store in url for url in reads), "a segment from the store")
        page.close()


def test_a_store_out_of_reach_holds_nothing_up(room: Room) -> None:
    puts: list[str] = []
    with room({"checks": CHECKS, "tracks": {"camera": {}}}) as candidate:
        # the page's way to the store is cut; the server's is not
        network = candidate.browser.cdp(candidate.page)
        network.send("Network.enable")
        network.send("Network.setBlockedURLs", {"urls": ["*X-Amz-Signature*"]})
        candidate.page.on("request", lambda request: puts.append(request.url) if request.method == "PUT" else None)
        candidate.passes(CHECKS)
        candidate.starts()
        candidate.sitting.wait_for(13, track="camera")
        candidate.finishes()
        candidate.sitting.wait_for_state("completed")
        media = candidate.sitting.integrator.get(f"/sessions/{candidate.sitting.id}/media/camera")
        assert media["complete"]
        assert media["gaps"] == []
        assert any("/media/camera/chunks/" in url for url in puts)
