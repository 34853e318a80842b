"""Before the exam: what passes a check, what does not, and what the candidate is told."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Room
from tests.e2e.media import View, late
from tests.e2e.sitting import Sitting, until

# in which nobody speaks; the page says after 20 s that it has heard no voice
SPEECH_S = 24


def reasons(sitting: Sitting, type_id: int) -> list[str]:
    return [event["data"]["reason"] for event in sitting.events(type_id)]


def test_nothing_is_recorded_of_a_candidate_who_does_not_agree(room: Room) -> None:
    with room({"checks": ["consent", "camera"]}) as candidate:
        candidate.reads("What is recorded")
        candidate.can_be_used_by_everybody()
        candidate.presses("I do not agree")
        candidate.reads("You have not agreed")
        candidate.screenshot("consent-refused")
        candidate.sitting.wait_for(1081)
        assert candidate.sitting.events(1080, 13, 60) == []
        candidate.presses("Read it again")
        candidate.agrees()
        candidate.sitting.wait_for(1080)
        candidate.at("Let us see your camera")


def test_a_black_and_a_frozen_picture_fail_the_camera_check_until_the_picture_lives(room: Room) -> None:
    with room({"checks": ["consent", "camera"]}, view=View.BLACK) as candidate:
        candidate.agrees()
        candidate.turns_on("camera")
        candidate.reads("The picture is black")
        candidate.screenshot("camera-black")
        candidate.can_be_used_by_everybody()
        candidate.sitting.wait_for(27, reason="black")

        candidate.camera.show(View.FROZEN)
        candidate.presses("Try again")
        candidate.reads("The picture does not move")
        candidate.sitting.wait_for(27, reason="frozen")
        assert candidate.sitting.events(26) == []

        candidate.camera.show(View.PERSON)
        candidate.presses("Try again")
        candidate.reads("Your camera works")
        passed = candidate.sitting.wait_for(26)
        assert (passed["data"]["width"], passed["data"]["height"]) == (640, 480)
        assert passed["data"]["frame_rate"] > 8


def test_a_missing_camera_is_told_apart_from_a_forbidden_one(room: Room) -> None:
    with room({"checks": ["consent", "camera"]}, view=None) as candidate:
        candidate.agrees()
        candidate.turns_on("camera")
        candidate.reads("No camera was found")
        candidate.sitting.wait_for(27, reason="missing")
    with room({"checks": ["consent", "camera"]}, shares="nothing") as candidate:
        candidate.agrees()
        candidate.turns_on("camera")
        candidate.reads("The camera is not allowed for this page")
        candidate.screenshot("camera-denied")
        candidate.sitting.wait_for(27, reason="denied")
        assert candidate.sitting.events(26, 60) == []


def test_only_speech_passes_the_microphone_check(room: Room, tmp_path: Path) -> None:
    sound = late(tmp_path / "sound.wav", SPEECH_S)
    with room({"checks": ["consent", "microphone"]}, sound=sound) as candidate:
        candidate.agrees()
        candidate.turns_on("microphone")
        candidate.reads("not heard your voice")
        failed = candidate.sitting.wait_for(1001, reason="no_speech")
        expect(candidate.button("Continue")).to_have_count(0)
        candidate.screenshot("microphone-no-speech")

        candidate.reads("Your microphone works")
        passed = candidate.sitting.wait_for(34)
        assert passed["occurred_at"] > failed["occurred_at"]
        # the file is heard from its beginning when the device opens, which 159 tells
        heard_ms = passed["occurred_at"] - candidate.sitting.wait_for(159)["occurred_at"]
        assert heard_ms > (SPEECH_S - 2) * 1000, "neither the quiet room nor the tone passed"


def test_speech_passes_the_microphone_check(room: Room) -> None:
    with room({"checks": ["consent", "microphone"]}) as candidate:
        candidate.agrees()
        candidate.turns_on("microphone")
        candidate.reads("Your microphone works")
        candidate.screenshot("microphone-passed")
        candidate.can_be_used_by_everybody()
        passed = candidate.sitting.wait_for(34)
        assert passed["data"]["level_db"] > passed["data"]["noise_floor_db"] + 6
        assert candidate.sitting.wait_for(159)["data"]["count"] >= 1


def test_refused_notifications_stop_the_candidate_only_where_the_policy_says_so(room: Room) -> None:
    with room({"checks": ["consent", "notifications"]}) as candidate:
        candidate.browser.permit(candidate.origin, "denied", "notifications")
        candidate.agrees()
        candidate.answers_about_notifications()
        candidate.sitting.wait_for(18)
        candidate.at("You are ready")
    with room({"checks": ["consent", "notifications"], "notifications_required": True}) as candidate:
        candidate.browser.permit(candidate.origin, "denied", "notifications")
        candidate.agrees()
        candidate.presses("Ask my browser")
        candidate.sitting.wait_for(18)
        candidate.screenshot("notifications-refused")
        expect(candidate.button("Continue")).to_have_count(0)
        candidate.permits("notifications")
        candidate.presses("Try again")
        candidate.reads("Notifications are allowed")
        candidate.sitting.wait_for(17)
        candidate.goes_on()
        candidate.at("You are ready")


def test_a_still_without_a_face_or_a_document_is_refused_with_words_on_what_to_change(room: Room) -> None:
    with room({"checks": ["consent", "camera", "face", "document"]}) as candidate:
        candidate.passes(["consent", "camera"])
        candidate.at("A picture of your face")
        candidate.turns_the_camera_to(View.NOBODY)
        candidate.presses("Take the picture")
        candidate.reads("No face was found")
        candidate.screenshot("face-refused")
        candidate.can_be_used_by_everybody()
        refused = candidate.sitting.wait_for(155)
        assert "no-face" in refused["data"]["reasons"]
        taken = candidate.sitting.wait_for(146)
        assert taken["data"]["evidence_id"] in refused["data"]["evidence_ids"]
        assert candidate.sitting.events(154) == []

        candidate.presses("Take it again")
        candidate.turns_the_camera_to(View.PERSON)
        candidate.takes_a_still("Your picture is good")
        candidate.sitting.wait_for(154)

        candidate.presses("Take it again")
        candidate.reads("This step is done")
        candidate.turns_the_camera_to(View.NOBODY)
        candidate.presses("Take the picture")
        candidate.reads("No face was found")
        candidate.reads("An earlier try was good")
        candidate.screenshot("face-done-and-refused")
        candidate.can_be_used_by_everybody()
        candidate.camera.show(View.PERSON)
        candidate.goes_on()

        candidate.at("A picture of your identity document")
        candidate.presses("Take the picture")
        candidate.reads("needs another try")
        candidate.screenshot("document-refused")
        candidate.sitting.wait_for(1002)
        assert candidate.sitting.events(156) == []


def test_room_pictures_of_one_side_only_are_refused(room: Room) -> None:
    with room({"checks": ["consent", "camera", "room"], "room_pictures": 2}) as candidate:
        candidate.passes(["consent", "camera"])
        candidate.shows_the_room((View.ROOM_1, View.ROOM_1))
        candidate.reads("Some pictures show the same view")
        candidate.screenshot("room-refused")
        candidate.can_be_used_by_everybody()
        candidate.sitting.wait_for(1003)
        assert candidate.sitting.events(161) == []
        candidate.presses("Take all pictures again")
        candidate.shows_the_room((View.ROOM_1, View.ROOM_3))
        candidate.reads("The pictures of your room are good")
        assert len(candidate.sitting.wait_for(161)["data"]["evidence_ids"]) == 2


def test_a_tab_is_refused_where_the_whole_screen_is_wanted(room: Room) -> None:
    with room({"checks": ["consent", "screen"]}, shares="a tab") as candidate:
        other = candidate.browser.in_another_tab()
        other.goto("data:text/html,<title>Notes</title>")
        candidate.page.bring_to_front()
        candidate.agrees()
        candidate.presses("Share my screen")
        candidate.reads("A browser tab was picked")
        candidate.screenshot("screen-tab")
        candidate.sitting.wait_for(150, reason="browser")
        assert candidate.sitting.events(149) == []
        expect(candidate.button("Continue")).to_have_count(0)


def test_a_tab_is_enough_where_the_policy_says_so(room: Room) -> None:
    with room({"checks": ["consent", "screen"], "whole_screen": False}, shares="a tab") as candidate:
        other = candidate.browser.in_another_tab()
        other.goto("data:text/html,<title>Notes</title>")
        candidate.page.bring_to_front()
        candidate.agrees()
        candidate.shares_the_screen()
        assert candidate.sitting.wait_for(149)["data"]["surface"] == "browser"
        assert candidate.sitting.events(150) == []


def test_a_refused_share_is_noted_and_can_be_asked_for_again(room: Room) -> None:
    with room({"checks": ["consent", "screen"]}, shares="nothing") as candidate:
        candidate.agrees()
        candidate.presses("Share my screen")
        candidate.reads("The screen was not shared")
        candidate.sitting.wait_for(150, reason="refused")
        candidate.presses(re.compile("Share my screen|Try again"))
        until(lambda: candidate.sitting.count(150) == 2, "a second refusal")
