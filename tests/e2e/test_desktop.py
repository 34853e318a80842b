"""What happens in the browser's own windows: picking a window, "Stop sharing", another window in front."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Room
from tests.e2e.desktop import MISSING, Desktop, desktop

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)} (make browser)")

# where the button is in Chromium's bar "… is sharing your screen"
STOP_FROM_RIGHT, STOP_FROM_BOTTOM = 100, 20


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as running:
        yield running


def test_pressing_stop_sharing_is_raised_and_sharing_again_repeats_no_other_check(room: Room, desk: Desktop) -> None:
    policy = {"checks": ["consent", "camera", "screen"]}
    with room(policy, shares="the screen", display=desk.display) as candidate:
        sitting = candidate.sitting
        candidate.permits("camera", "microphone")
        candidate.passes(policy["checks"])
        candidate.starts()
        assert sitting.wait_for(149)["data"]["surface"] == "monitor"
        sitting.wait_for(13, track="screen")
        assert sitting.events(12) == []

        desk.click_in_window("is sharing your screen", STOP_FROM_RIGHT, STOP_FROM_BOTTOM)
        sitting.wait_for(12)
        assert sitting.wait_for(14)["data"]["track"] == "screen"
        candidate.reads("Your screen is not shared")
        candidate.screenshot("exam-screen-lost")
        assert sitting.state == "running"

        passed = sitting.count(26)
        candidate.presses("Share my screen again")
        sitting.wait_for(1006)
        sitting.wait_for(13, 1, track="screen")
        assert sitting.count(26) == passed
        candidate.finishes()
        sitting.wait_for(113)


def test_another_window_in_front_is_focus_out_without_the_page_being_hidden(room: Room, desk: Desktop) -> None:
    with room({"checks": ["consent"], "tracks": {"camera": None, "screen": None}}, display=desk.display) as candidate:
        candidate.agrees()
        candidate.starts()
        candidate.page.locator("body").click(position={"x": 5, "y": 5})
        control = candidate.browser.browser.new_browser_cdp_session()
        target = control.send(
            "Target.createTarget", {"url": "about:blank", "newWindow": True, "width": 500, "height": 400}
        )
        left = candidate.sitting.wait_for(5)
        assert left["data"]["reason"] == "blur"
        control.send("Target.closeTarget", {"targetId": target["targetId"]})
        candidate.page.bring_to_front()
        candidate.sitting.wait_for(4)


def test_a_window_is_refused_where_the_whole_screen_is_wanted(room: Room, desk: Desktop) -> None:
    with room({"checks": ["consent", "screen"]}, shares="a window", display=desk.display) as candidate:
        control = candidate.browser.browser.new_browser_cdp_session()
        control.send("Target.createTarget", {"url": "data:text/html,<title>Notes</title>", "newWindow": True})
        candidate.page.bring_to_front()
        candidate.agrees()
        candidate.presses("Share my screen")
        candidate.reads("A single window was picked")
        candidate.sitting.wait_for(150, reason="window")
        assert candidate.sitting.events(149) == []
