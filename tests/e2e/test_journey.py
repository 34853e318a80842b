"""One proctored exam from the join link to the review, with every check, as a candidate and a reviewer live it."""

from collections.abc import Iterator

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.candidate import SCREENSHOTS, Candidate, can_be_used_by_everybody, comes_to_rest
from tests.e2e.conftest import Room
from tests.e2e.media import View
from tests.e2e.reviewer import SHOWS_PICTURES, comes_to_the_console, signs_in
from tests.e2e.sitting import until
from tests.live import LiveServer

CHECKS = ["consent", "browser", "camera", "microphone", "notifications", "face", "document", "room", "screen"]
FINDING_S = 60.0
# what each part of the journey must have left in the log
LEFT_BY_CHECKS = {3, 9, 17, 26, 34, 60, 145, 146, 149, 154, 156, 159, 161, 1080}
LEFT_BY_EXAM = {13, 15, 169, 1070}
LEFT_BY_FINISH = {113, 1071}


@pytest.fixture(scope="module")
def finished(room: Room) -> Iterator[Candidate]:
    """A candidate who has done it all, still before the last page."""
    with room({}) as candidate:
        candidate.permits("notifications")
        for check in CHECKS:
            expect(candidate.page.get_by_role("heading", level=1)).to_be_visible()
            candidate.sees_the_step()
            candidate.screenshot(f"step-{CHECKS.index(check) + 1}-{check}")
            candidate.can_be_used_by_everybody()
            candidate.passes([check])
        candidate.at("You are ready")
        candidate.screenshot("step-10-ready")
        candidate.can_be_used_by_everybody()
        candidate.starts()
        candidate.exam.get_by_role("radio").first.click()
        candidate.sitting.wait_for(13, track="camera")
        candidate.screenshot("exam")
        candidate.can_be_used_by_everybody()
        candidate.sitting.wait_for(15, within_s=FINDING_S)
        candidate.camera.show(View.PHONE)
        candidate.sitting.wait_for(169, within_s=FINDING_S)
        candidate.camera.show(View.PERSON)
        candidate.finishes()
        candidate.sitting.wait_for(113)
        yield candidate


def test_every_step_leaves_its_event(finished: Candidate) -> None:
    seen = {event["type_id"] for event in finished.sitting.events()}
    assert LEFT_BY_CHECKS - seen == set()
    assert LEFT_BY_EXAM - seen == set()
    assert LEFT_BY_FINISH - seen == set()


def test_nothing_is_claimed_that_did_not_happen(finished: Candidate) -> None:
    seen = {event["type_id"] for event in finished.sitting.events()}
    assert seen & {5, 10, 12, 16, 18, 27, 81, 150, 155, 158, 170, 181, 1001, 1003, 1060} == set()


def test_every_check_is_passed_by_the_event_that_shows_it(finished: Candidate) -> None:
    events = {event["sequence"]: event for event in finished.sitting.events()}
    shown_by = {"consent": 1080, "camera": 26, "microphone": 34, "notifications": 17}
    shown_by |= {"face": 154, "document": 156, "room": 161, "screen": 149}
    checks = finished.sitting.look()["checks"]
    assert [check["id"] for check in checks] == CHECKS
    for check in checks:
        assert check["state"] == "passed", check
        if check["id"] in shown_by:
            assert events[check["event_sequence"]]["type_id"] == shown_by[check["id"]]


@pytest.mark.parametrize(("track", "kinds"), [("camera", {"video", "audio"}), ("screen", {"video"})])
def test_the_recording_plays_from_beginning_to_end(finished: Candidate, track: str, kinds: set[str]) -> None:
    sitting = finished.sitting
    described = sitting.integrator.get(f"/sessions/{sitting.id}/media/{track}")
    assert described["complete"]
    assert described["gaps"] == []
    http = sitting.integrator.http
    headers = f"Authorization: {http.headers['Authorization']}\r\n"
    address = f"{http.base_url}/api/v1/sessions/{sitting.id}/media/{track}/index.m3u8"
    with av.open(address, mode="r", options={"headers": headers}) as recording:
        assert {stream.type for stream in recording.streams} == kinds
        times = [frame.time for frame in recording.decode(video=0)]
    assert times == sorted(times)
    assert times[-1] - times[0] == pytest.approx(described["duration_s"], abs=3)


@pytest.fixture(scope="module")
def console(finished: Candidate, server: LiveServer) -> Iterator[Page]:
    """The console, with somebody who has just signed in."""
    page = finished.browser.in_another_tab()
    comes_to_the_console(page, server)
    looks_right(page, "console-sign-in")
    signs_in(page)
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    yield page
    page.close()


def test_a_reviewer_finds_the_session_and_sees_the_recording_at_the_second_of_a_finding(
    finished: Candidate, console: Page, server: LiveServer
) -> None:
    page = console
    page.goto(f"{server.url}/console/sessions")
    row = page.get_by_role("link", name="Ada Sample").first
    expect(row).to_be_visible()
    looks_right(page, "console-sessions")
    row.click()

    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_be_visible()
    camera = page.get_by_label("Recording of the camera")
    until(lambda: page.evaluate(SHOWS_PICTURES), "pictures in both players")
    looks_right(page, "console-session")
    phone = next(event for event in finished.sitting.events(169))
    page.get_by_text("Mobile Phone Detected").first.click()
    described = finished.sitting.integrator.get(f"/sessions/{finished.sitting.id}/media/camera")
    span = described["spans"][0]
    kept = {still["id"]: still["captured_at"] for still in finished.sitting.stills()}
    shown_at = kept[phone["evidence"][0]["id"]]
    assert 0 <= shown_at - phone["occurred_at"] < 10_000
    wanted = span["position_s"] + (shown_at - span["from"]) / 1000
    until(lambda: abs(camera.evaluate("(video) => video.currentTime") - wanted) < 0.1, "a player at what was found")
    looks_right(page, "console-finding")
    (face, *_) = finished.sitting.events(15)
    with_phone, without = (still(finished, each["evidence"][0]["id"]) for each in (phone, face))

    def shows_the_phone() -> bool:
        shown = small(camera.screenshot())
        return bool(np.abs(shown - with_phone).mean() * 2 < np.abs(shown - without).mean())

    until(shows_the_phone, "a player that shows the picture that was kept")


def test_a_reviewer_grants_an_accommodation_and_takes_it_back(
    finished: Candidate, console: Page, server: LiveServer
) -> None:
    page, sitting = console, finished.sitting.integrator.invite({})
    page.goto(f"{server.url}/console/sessions/{sitting.id}")
    page.get_by_role("tab", name="Policy").click()
    page.get_by_role("button", name="Grant an accommodation").press("Enter")
    dialog = page.get_by_role("dialog", name="Grant an accommodation")
    grant = dialog.get_by_role("button", name="Grant it")
    grant.press("Enter")
    expect(dialog.get_by_text("Choose at least one")).to_be_visible()
    looks_right(page, "console-accommodation-missing")
    dialog.get_by_role("checkbox", name="Looking away").press("Space")
    dialog.get_by_role("radio", name="Less strictly").press("Space")
    dialog.get_by_label("How many times as long must it last?").fill("4")
    dialog.get_by_label("Why?").fill("Tics; the letter is with the exam office")
    comes_to_rest(page)
    page.screenshot(path=SCREENSHOTS / "console-accommodation.png")

    # an examination system grants another while the form is open
    aide = {"detector": "speech", "what": "off", "reason": "An aide reads aloud"}
    answer = sitting.integrator.http.put(
        f"/api/v1/sessions/{sitting.id}/accommodations", json={"accommodations": [aide]}
    )
    assert answer.status_code == 200
    wide = page.evaluate("({width: innerWidth, height: innerHeight})")
    page.set_viewport_size({"width": 360, "height": 740})
    grant.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has changed the accommodations meanwhile")
    expect(dialog.get_by_role("alert")).to_be_in_viewport()
    looks_right(page, "console-accommodation-meanwhile-narrow")
    grant.press("Enter")
    expect(dialog).to_be_hidden()
    speech, tics = sitting.look()["accommodations"]
    assert (speech["type_ids"], speech["reason"], speech["person"]) == ([1046], "An aide reads aloud", None)
    assert (tics["type_ids"], tics["what"], tics["factor"], tics["by"]) == ([1042], "relaxed", 4, "Rita Reviewer")
    expect(page.get_by_role("listitem").filter(has_text="Tics; the letter")).to_contain_text("Rita Reviewer")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("scrollTo(0, 0)")
    looks_right(page, "console-accommodations-narrow")
    page.set_viewport_size(wide)
    page.get_by_role("button", name="Take back: Looking away").press("Enter")
    looks_right(page, "console-accommodation-take-back")
    page.get_by_role("button", name="Take it back").press("Enter")
    expect(page.get_by_role("heading", name="Accommodations")).to_be_focused()
    assert sitting.look()["accommodations"] == [speech]
    assert [len(event["data"]["accommodations"]) for event in sitting.events(1096)] == [1, 2, 1]


def still(finished: Candidate, still_id: str) -> npt.NDArray[np.float32]:
    """A still of the session, small."""
    sitting = finished.sitting
    answer = sitting.integrator.http.get(f"/api/v1/sessions/{sitting.id}/captures/{still_id}/image")
    return small(answer.content)


def small(data: bytes) -> npt.NDArray[np.float32]:
    """The middle of a picture, of the camera's form, without its bars: 64 by 48 grey values."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    bar = max(0, (picture.shape[1] - picture.shape[0] * 4 // 3) // 2)
    middle = picture[:, bar : picture.shape[1] - bar]
    return np.asarray(cv2.resize(middle, (64, 48), interpolation=cv2.INTER_AREA), np.float32)


def looks_right(page: Page, name: str) -> None:
    """Keep a picture of a page of the console, and ask axe."""
    comes_to_rest(page)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    can_be_used_by_everybody(page)
