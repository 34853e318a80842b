"""While the exam runs: each event raised by what really causes it, and by nothing else.

One sitting for all of them: what a test waits for is always what came after it began.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.candidate import Candidate
from tests.e2e.conftest import Room
from tests.e2e.media import View
from tests.e2e.sitting import Event, until
from tests.live import LiveServer

CHECKS = ["consent", "camera", "screen"]
POLICY = {
    "checks": CHECKS,
    "minutes": 60,
    "idle_ms": 5_000,
    "offline_ms": 4_000,
    "recording_stall_ms": 8_000,
    "hold_ms": {"16": 3_000, "81": 2_000},
}
# chunk on its way, key frame, detector, debounce; on a busy machine
FINDING_S = 45.0
# longer than the debounce of focus-out, and than the way to the server
SETTLED_MS = 2_000


@pytest.fixture(scope="module")
def exam(room: Room) -> Iterator[Candidate]:
    """A candidate in the running exam."""
    with room(POLICY) as candidate:
        candidate.passes(CHECKS)
        candidate.starts()
        candidate.sitting.wait_for(13, track="camera")
        candidate.sitting.wait_for(13, track="screen")
        yield candidate


def now_and_then(candidate: Candidate, view: View, type_id: int) -> Event:
    """Show something until it is found, then the person alone again until that is found too."""
    sitting = candidate.sitting
    before, faces = sitting.count(type_id), sitting.count(15)
    candidate.camera.show(view)
    try:
        found = sitting.wait_for(type_id, before, FINDING_S)
    finally:
        candidate.camera.show(View.PERSON)
    if type_id in (16, 81):
        sitting.wait_for(15, faces, FINDING_S)
    return found


def test_the_session_was_joined_and_its_socket_was_measured(exam: Candidate) -> None:
    joined, connected = exam.sitting.events(3)[0], exam.sitting.events(9)[0]
    assert joined["data"]["rejoin"] is False
    assert connected["data"]["reconnect"] is False
    assert connected["data"]["rtt_ms"] >= 0


def test_devices_were_seen_and_the_screen_is_shared(exam: Candidate) -> None:
    assert exam.sitting.events(60)[0]["data"]["count"] >= 1
    assert exam.sitting.events(149)[0]["data"]["surface"] == "monitor"


def test_a_recording_counts_as_started_only_with_its_first_chunk_stored(exam: Candidate) -> None:
    for track in ("camera", "screen"):
        started = next(e for e in exam.sitting.events(13) if e["data"]["track"] == track)
        media = exam.sitting.integrator.get(f"/sessions/{exam.sitting.id}/media/{track}")
        assert media["spans"], track
        # the event tells when the recorder began, which is where the recording begins
        assert abs(media["spans"][0]["from"] - started["occurred_at"]) < 3_000


def test_one_face_is_found(exam: Candidate) -> None:
    found = exam.sitting.wait_for(15, within_s=FINDING_S)
    assert found["source"] == "analysis"
    assert found["data"]["score"] >= found["data"]["threshold"]
    assert len(found["data"]["model_digest"]) == 64


def test_another_tab_in_front_is_focus_out_and_coming_back_is_focus_in(exam: Candidate) -> None:
    outs, ins = exam.sitting.count(5), exam.sitting.count(4)
    exam.page.locator("body").click(position={"x": 5, "y": 5})
    other = exam.browser.in_another_tab()
    left = exam.sitting.wait_for(5, outs)
    assert left["data"]["reason"] == "hidden"
    exam.page.wait_for_timeout(500)
    other.close()
    exam.page.bring_to_front()
    back = exam.sitting.wait_for(4, ins)
    assert 500 <= back["data"]["away_ms"] <= 15_000
    assert exam.sitting.count(5) == outs + 1


def test_clicking_and_typing_in_the_exam_is_no_focus_out(exam: Candidate) -> None:
    outs = exam.sitting.count(5)
    answer = exam.exam.get_by_role("radio").first
    answer.click()
    expect(answer).to_be_checked()
    exam.page.wait_for_timeout(SETTLED_MS)
    exam.page.locator("body").click(position={"x": 5, "y": 5})
    exam.page.wait_for_timeout(SETTLED_MS)
    assert exam.sitting.count(5) == outs


def test_no_input_is_idle_and_the_next_input_is_active(exam: Candidate) -> None:
    idle = exam.sitting.wait_for(6, exam.sitting.count(6), 20)
    assert idle["data"].get("idle_after_ms", 5_000) == 5_000
    actives = exam.sitting.count(7)
    exam.page.mouse.move(200, 300)
    exam.page.mouse.move(240, 320)
    assert exam.sitting.wait_for(7, actives)["data"]["idle_ms"] >= 4_000


def test_nobody_before_the_camera_is_found_and_so_is_the_return(exam: Candidate) -> None:
    missing = now_and_then(exam, View.NOBODY, 16)
    assert missing["data"]["threshold"] > 0
    assert missing["evidence"], "a finding shows what it saw"


def test_a_second_person_is_found(exam: Candidate) -> None:
    found = now_and_then(exam, View.TWO_PEOPLE, 81)
    assert found["data"]["count"] == 2
    assert len(found["data"]["boxes"]) == 2


def test_a_phone_is_found_with_its_place_score_and_still(exam: Candidate) -> None:
    books = exam.sitting.count(170)
    found = now_and_then(exam, View.PHONE, 169)
    assert found["data"]["score"] >= found["data"]["threshold"]
    left, top, right, bottom = found["data"]["box"]
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    still = next(part for part in found["evidence"] if part["kind"] == "capture")
    image = exam.sitting.integrator.http.get(still["url"])
    assert image.headers["content-type"].startswith("image/")
    assert exam.sitting.count(170) == books


def test_a_book_is_found(exam: Candidate) -> None:
    phones = exam.sitting.count(169)
    found = now_and_then(exam, View.BOOKS, 170)
    assert found["data"]["score"] >= found["data"]["threshold"]
    assert exam.sitting.count(169) == phones


def test_a_glance_away_is_no_missing_face(exam: Candidate) -> None:
    misses = exam.sitting.count(16)
    exam.camera.show(View.NOBODY)
    exam.page.wait_for_timeout(1_000)
    exam.camera.show(View.PERSON)
    exam.page.wait_for_timeout(3_000)
    # what comes later in the recording was looked at, so the glance was too
    now_and_then(exam, View.TWO_PEOPLE, 81)
    assert exam.sitting.count(16) == misses


def test_a_camera_that_is_taken_away_stops_its_recording_and_both_come_back(exam: Candidate) -> None:
    sitting = exam.sitting
    lost, stopped, starts = sitting.count(1004), sitting.count(14), len(started(exam, "camera"))
    exam.browser.permit(exam.origin, "denied", "camera", "microphone")
    sitting.wait_for(1004, lost)
    assert sitting.wait_for(14, stopped)["data"]["track"] == "camera"
    exam.reads("Your camera is not available")
    exam.screenshot("exam-camera-lost")
    exam.permits("camera", "microphone")
    exam.presses("Turn on the camera")
    until(lambda: len(started(exam, "camera")) > starts, "a new part of the camera's recording")
    sitting.wait_for(60, plugged_in=True) if sitting.events(60)[-1]["data"].get("plugged_in") else None
    assert sitting.state == "running"


def started(candidate: Candidate, track: str) -> list[Event]:
    return [event for event in candidate.sitting.events(13) if event["data"]["track"] == track]


def test_a_dead_line_is_noticed_on_both_sides_and_nothing_of_it_is_lost(exam: Candidate) -> None:
    sitting = exam.sitting
    drops, offline, failures, sockets = (sitting.count(kind) for kind in (10, 181, 158, 9))
    outs = sitting.count(5)
    exam.browser.context.set_offline(True)
    sitting.wait_for(10, drops)
    away = sitting.wait_for(181, offline)
    exam.reads(re.compile("Reconnecting"))
    exam.screenshot("exam-offline")
    other = exam.browser.in_another_tab()  # happens while nobody can be told
    exam.page.wait_for_timeout(1_500)
    other.close()
    exam.page.bring_to_front()
    exam.page.wait_for_timeout(1_500)
    assert sitting.count(158) == failures
    exam.browser.context.set_offline(False)
    back = sitting.wait_for(9, sockets)
    assert back["data"]["reconnect"] is True
    assert sitting.wait_for(158, failures)["occurred_at"] > away["data"]["from"] - 1_000
    kept = sitting.wait_for(5, outs)
    assert kept["occurred_at"] < back["occurred_at"] <= kept["received_at"] + 1_000
    sitting.wait_for(1063)
    until(lambda: not gaps(exam, since=away["data"]["from"]), "the recording of the time without a line", 40)


def gaps(candidate: Candidate, since: int) -> list[Event]:
    """Holes in the recordings that begin after a moment, longer than a recorder takes to start."""
    sitting = candidate.sitting
    found = []
    for track in ("camera", "screen"):
        media = sitting.integrator.get(f"/sessions/{sitting.id}/media/{track}")
        found += [gap for gap in media["gaps"] if gap["from"] > since and gap["until"] - gap["from"] > 1_500]
        if not media["spans"] or media["spans"][-1]["until"] < since + 5_000:
            found.append({"track": track, "missing": "everything since"})
    return found


def goes_on_after(exam: Candidate) -> None:
    """Give the devices to the page again, which a browser asks for anew, and be back in the exam."""
    parts = len(started(exam, "camera"))
    again = exam.button("Share my screen again")
    expect(again).to_be_visible()
    again.click()
    expect(exam.exam.get_by_role("heading").first).to_be_visible()
    until(lambda: len(started(exam, "camera")) > parts, "a new part of the camera's recording")
    assert exam.sitting.state == "running"


def test_a_reload_goes_on_with_the_exam_without_joining_or_being_checked_again(exam: Candidate) -> None:
    joins, drops, sockets = exam.sitting.count(3), exam.sitting.count(10), exam.sitting.count(9)
    exam.page.reload()
    exam.sitting.wait_for(10, drops)
    exam.sitting.wait_for(9, sockets)
    exam.screenshot("exam-reloaded")
    goes_on_after(exam)
    assert exam.sitting.count(3) == joins


def test_opening_the_link_again_joins_again(exam: Candidate) -> None:
    joins = exam.sitting.count(3)
    exam.opens_the_link()
    assert exam.sitting.wait_for(3, joins)["data"]["rejoin"] is True
    goes_on_after(exam)


def test_a_server_that_dies_and_comes_back_loses_no_event_and_no_chunk(exam: Candidate, server: LiveServer) -> None:
    sitting = exam.sitting
    sockets, outs = sitting.count(9), sitting.count(5)
    numbers = [event["sequence"] for event in sitting.events()]
    began = sitting.events()[-1]["received_at"]
    server.kill()
    other = exam.browser.in_another_tab()
    exam.page.wait_for_timeout(2_500)
    other.close()
    exam.page.bring_to_front()
    server.start()
    assert sitting.wait_for(9, sockets, 60)["data"]["reconnect"] is True
    sitting.wait_for(5, outs)
    until(lambda: not gaps(exam, since=began), "the recording of the time without a server", 40)
    after = [event["sequence"] for event in sitting.events()]
    assert after[: len(numbers)] == numbers
    assert after == sorted(set(after))
    assert sitting.state == "running"


def test_finishing_waits_for_everything_the_page_has_kept(exam: Candidate) -> None:
    exam.screenshot("exam-running")
    exam.presses("Finish")
    exam.reads("Finish the exam?")
    exam.screenshot("exam-finish")
    exam.can_be_used_by_everybody()
    exam.presses("Finish now")
    exam.reads("You have finished")
    exam.screenshot("exam-finished")
    exam.can_be_used_by_everybody()
    done = exam.sitting.wait_for(113)
    assert done["data"]["outcome"] == "finished"
    assert not done["data"].get("missing")
    assert exam.sitting.state == "completed"
    for track in exam.sitting.look()["tracks"]:
        assert track["complete"], track
