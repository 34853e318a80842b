"""The line is dead in the middle of the exam, the page is loaded again meanwhile, then the server dies: nothing is lost."""

import io
import os
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import av
import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.candidate import SCREENSHOTS, Candidate
from tests.e2e.conftest import Room
from tests.e2e.relay import Relay
from tests.e2e.reviewer import SHOWS_PICTURES, comes_to_the_console, signs_in
from tests.e2e.sitting import Integrator, Sitting, until
from tests.live import LiveServer

CUT_S = 120 if os.environ.get("FAULTS") == "full" else 20
CHECKS = ["consent", "camera", "screen"]
POLICY = {"checks": CHECKS, "minutes": 60, "offline_ms": 4_000, "recording_stall_ms": 8_000}
# what a heartbeat, a timeout or a busy machine may put between cause and event
LATE_MS = 8_000
# longer than the focus goes unjudged after a prompt of our own, with timers that a hidden tab runs once a second
PROMPT_RESTS_MS = 6_000


@pytest.fixture(scope="module")
def relay(server: LiveServer) -> Iterator[Relay]:
    with Relay(urlsplit(server.url).port or 0) as made:
        yield made


class Through(Integrator):
    """Sends candidates by way of the relay."""

    def __init__(self, server: LiveServer, relay: Relay) -> None:
        super().__init__(server)
        self._server, self._relay = server, relay

    def invite(self, *arguments: Any, **more: Any) -> Sitting:
        sitting = super().invite(*arguments, **more)
        sitting.join_url = sitting.join_url.replace(self._server.url, self._relay.url)
        return sitting


@pytest.fixture(scope="module")
def integrator(server: LiveServer, relay: Relay) -> Integrator:
    return Through(server, relay)


def now() -> int:
    return round(time.time() * 1000)


def starts(candidate: Candidate, track: str) -> int:
    return sum(event["data"]["track"] == track for event in candidate.sitting.events(13))


def test_a_step_says_that_its_answer_is_long_in_coming_and_goes_on_when_it_comes(room: Room, relay: Relay) -> None:
    with room({"checks": ["consent", "notifications"]}) as candidate:
        candidate.permits("notifications")
        candidate.agrees()
        candidate.at("May we notify you?")
        relay.cut()
        try:
            candidate.presses("Ask my browser")
            expect(candidate.page.get_by_role("heading", name="May we notify you?")).to_be_focused()
            candidate.reads("That did not reach the server yet")
            candidate.screenshot("step-late")
        finally:
            relay.mend()
        candidate.reads("Notifications are allowed")
        candidate.goes_on()
        candidate.at("You are ready")


def test_a_dead_line_a_reload_and_a_dead_server_lose_nothing(room: Room, relay: Relay, server: LiveServer) -> None:
    with room(POLICY) as candidate:
        sitting, page = candidate.sitting, candidate.page
        candidate.passes(CHECKS)
        candidate.starts()
        for track in ("camera", "screen"):
            sitting.wait_for(13, track=track)
        until(lambda: page.evaluate("caches.match(location.pathname).then(Boolean)"), "the page is kept")
        sockets = sitting.count(9)

        relay.cut()
        cut_at = now()
        drop = sitting.wait_for(10)
        away = sitting.wait_for(181)
        candidate.reads(re.compile("Reconnecting"))

        page.reload()
        candidate.reads("There is no connection at the moment")
        again = candidate.button("Share my screen again")
        expect(again).to_be_visible()
        again.click()
        expect(again).to_be_hidden()  # while the browser asks what to share, losing the focus is no event
        candidate.screenshot("exam-loaded-without-a-line")
        other = candidate.browser.in_another_tab()  # raises 5 and 4 while nobody can be told
        page.wait_for_timeout(PROMPT_RESTS_MS)
        other.close()
        page.bring_to_front()
        page.wait_for_timeout(max(0.0, cut_at + CUT_S * 1000 - now()))
        assert sitting.count(9) == sockets
        assert sitting.count(5) == 0

        relay.mend()
        mended_at = now()
        back = sitting.wait_for(9, sockets, 90)
        failed = sitting.wait_for(158)
        left = sitting.wait_for(5)
        sitting.wait_for(1063)
        expect(candidate.exam.get_by_role("heading").first).to_be_visible()
        until(lambda: starts(candidate, "camera") > 1 and starts(candidate, "screen") > 1, "new parts are stored", 90)

        sockets = sitting.count(9)
        known = [event["sequence"] for event in sitting.events()]
        server.kill()
        page.wait_for_timeout(3_000)
        server.start()
        assert sitting.wait_for(9, sockets, 90)["data"]["reconnect"] is True
        candidate.finishes()

        done = sitting.wait_for(113)
        assert not done["data"].get("missing")
        assert sitting.count(1060) == 0
        sequences = [event["sequence"] for event in sitting.events()]
        assert sequences == list(range(1, len(sequences) + 1))
        assert sequences[: len(known)] == known

        assert cut_at - LATE_MS <= drop["occurred_at"] <= cut_at + LATE_MS
        assert abs(away["data"]["from"] - drop["occurred_at"]) <= LATE_MS
        for event in (failed, left):
            # happened in the dark, told when the line was back
            assert cut_at <= event["occurred_at"] <= mended_at + LATE_MS
            assert event["received_at"] >= mended_at
        assert back["data"]["reconnect"] is True
        assert back["occurred_at"] >= mended_at
        assert [e["data"]["reason"] for e in sitting.events(10)][:2] == ["heartbeat", "server_stopped"]

        for track in ("camera", "screen"):
            plays_across(sitting, track, cut_at, mended_at)
        a_reviewer_sees_it(candidate, server, drop)


def plays_across(sitting: Sitting, track: str, cut_at: int, mended_at: int) -> None:
    """The recording has pictures of the time without a line, and every part of it can be decoded from its beginning."""
    media = sitting.integrator.get(f"/sessions/{sitting.id}/media/{track}")
    assert media["complete"]
    recorded = sum(max(0, min(s["until"], mended_at) - max(s["from"], cut_at)) for s in media["spans"])
    # all but the time in which the page was loaded again and somebody pressed "Share my screen again"
    assert mended_at - cut_at - recorded < 15_000, media["spans"]
    http = sitting.integrator.http
    address = f"/api/v1/sessions/{sitting.id}/media/{track}/index.m3u8"
    parts: list[bytes] = []
    for line in http.get(address).text.splitlines():
        if line.startswith("#EXT-X-MAP"):
            parts.append(http.get(urljoin(address, line.split('"')[1])).content)
        elif line and not line.startswith("#"):
            parts[-1] += http.get(urljoin(address, line)).content
    assert len(parts) >= 2
    seconds = 0.0
    for part in parts:
        with av.open(io.BytesIO(part), mode="r") as recording:
            times = [frame.time for frame in recording.decode(video=0)]
        assert times == sorted(times)
        seconds += times[-1] - times[0]
    assert seconds == pytest.approx(media["duration_s"], abs=2 * len(parts))


def a_reviewer_sees_it(candidate: Candidate, server: LiveServer, drop: dict[str, Any]) -> None:
    """Both players run from the moment at which the line was lost into the part that was recorded when it was back."""
    sitting = candidate.sitting
    spans = sitting.integrator.get(f"/sessions/{sitting.id}/media/camera")["spans"]
    lost, last = (
        span["position_s"] + max(0, drop["occurred_at"] - span["from"]) / 1000 for span in (spans[0], spans[-1])
    )
    assert lost < last
    page = candidate.browser.in_another_tab()
    comes_to_the_console(page, server, f"sessions/{sitting.id}")
    signs_in(page)
    until(lambda: page.evaluate(SHOWS_PICTURES), "pictures in both players")
    page.get_by_text(drop["name"]).first.click()
    camera, screen = (page.get_by_label(f"Recording of the {track}") for track in ("camera", "screen"))

    def at(player: Locator) -> float:
        return float(player.evaluate("(video) => video.currentTime"))

    until(lambda: abs(at(camera) - lost) < 1, "a player where the line was lost")
    page.locator("body").press("]")
    page.locator("body").press("]")
    page.locator("body").press("]")
    page.locator("body").press(" ")
    for player in (camera, screen):
        until(lambda player=player: at(player) > last + 1, "a player behind the cut", max(30, CUT_S))  # type: ignore[misc]
    until(lambda: page.evaluate(SHOWS_PICTURES), "pictures in both players")
    page.screenshot(path=SCREENSHOTS / "console-behind-the-cut.png")
    page.close()
