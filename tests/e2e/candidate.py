"""A candidate in front of the room, who finds everything by what it is called, as a screen reader does."""

import json
import re
from pathlib import Path
from typing import Literal

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.e2e.browser import Chromium
from tests.e2e.media import ROOM, THUMBNAIL, Camera, View, thumbnail
from tests.e2e.sitting import Sitting, until

SCREENSHOTS = Path(__file__).with_name("screenshots")
# a check runs on the server, which may be busy with other people's recordings
PATIENCE_MS = 30_000
TRIES = 4

AXE_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def can_be_used_by_everybody(page: Page) -> None:
    """No violation of WCAG 2.2 AA on a page that axe can find; AssertionError with what it found."""
    page.evaluate(Axe().axe_script)
    # as text, and without what passed: taking a whole report apart takes Playwright minutes
    found = page.evaluate(
        "(options) => axe.run(options).then((report) => JSON.stringify(report.violations))", AXE_RULES
    )
    assert found == "[]", json.dumps(json.loads(found), indent=1)


TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FADES = """Promise.all(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished.catch(() => null))).then(() => true)"""


# grey values of a video's picture
SEEN = """(video, [width, height]) => {
    const canvas = new OffscreenCanvas(width, height).getContext('2d');
    canvas.imageSmoothingQuality = 'high';
    canvas.drawImage(video, 0, 0, width, height);
    const { data } = canvas.getImageData(0, 0, width, height);
    const pixels = Array.from({ length: width * height }, (_, place) => data.slice(4 * place, 4 * place + 3));
    return pixels.map(([red, green, blue]) => 0.299 * red + 0.587 * green + 0.114 * blue);
}"""


def comes_to_rest(page: Page) -> None:
    """Until what was set off has been drawn and no more of it fades or slides, so that a picture shows the page."""
    for script in (TWO_FRAMES, FADES, TWO_FRAMES):
        page.evaluate(script)


class Candidate:
    """One person, one browser, one camera, one session."""

    def __init__(self, browser: Chromium, camera: Camera, sitting: Sitting) -> None:
        self.browser = browser
        self.camera = camera
        self.sitting = sitting
        self.page: Page = browser.page
        self.page.set_default_timeout(PATIENCE_MS)

    # what everybody does

    def opens_the_link(self) -> None:
        """Go to the join link."""
        self.page.goto(self.sitting.join_url)
        self.page.bring_to_front()

    def permits(self, *names: str) -> None:
        """Answer the browser's questions with yes, for good."""
        self.browser.permit(self.origin, "granted", *names)

    @property
    def origin(self) -> str:
        """The server's origin."""
        return "/".join(self.sitting.join_url.split("/")[:3])

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def presses(self, name: str | re.Pattern[str]) -> None:
        """Press a button once it can be pressed."""
        self.button(name).click()

    def reads(self, text: str | re.Pattern[str]) -> None:
        """See a text on the page; AssertionError when it does not come."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)

    def goes_on(self) -> None:
        """Press "Continue"."""
        self.presses("Continue")

    def at(self, step: str) -> None:
        """Be at the step with this heading."""
        expect(self.page.get_by_role("heading", name=step)).to_be_visible(timeout=PATIENCE_MS)

    def sees_the_step(self) -> None:
        """Until the step has come to where it asks for something or tells something, with its picture if it has one."""
        told = self.page.get_by_role("status").filter(has_text=re.compile(r"\w"))
        expect(self.page.locator("main").get_by_role("button").or_(told).first).to_be_visible(timeout=PATIENCE_MS)
        shown = self.page.locator("video")
        until(lambda: shown.evaluate_all("(all) => all.every((one) => one.readyState >= 2)"), "a picture")
        comes_to_rest(self.page)

    def turns_the_camera_to(self, view: View) -> None:
        """Put something else before the camera, and see it in the page's own picture of it."""
        before = self.camera.what
        self.camera.show(view)
        shown, new, old = self.page.locator("video").first, thumbnail(view), thumbnail(before)

        def sees_it() -> bool:
            seen = np.array(shown.evaluate(SEEN, THUMBNAIL), float)
            return bool(np.abs(seen - new).mean() * 2 < np.abs(seen - old).mean())

        if view is not before:
            until(sees_it, f"{view} in the picture", every_s=0.05)

    # the checks

    def agrees(self) -> None:
        """Consent to what is recorded."""
        self.presses("I agree")

    def checks_the_browser(self) -> None:
        """Let the page look at the browser."""
        self.at("Checking your browser")
        self.goes_on()

    def turns_on(self, what: Literal["camera", "microphone"]) -> None:
        """Turn a device on, where the page has not done so because it was allowed before."""
        wanted = self.button(f"Turn on the {what}").or_(self.button("Start listening"))
        settled = self.page.get_by_role("status").or_(self.page.get_by_role("alert"))
        expect(wanted.or_(settled.filter(has_text=re.compile(r"\w"))).first).to_be_visible(timeout=PATIENCE_MS)
        if wanted.first.is_visible() and wanted.first.is_enabled():
            wanted.first.click()

    def passes_the_camera_check(self) -> None:
        """Show a live picture."""
        self.at("Let us see your camera")
        self.turns_on("camera")
        self.reads("Your camera works")
        self.goes_on()

    def passes_the_microphone_check(self) -> None:
        """Speak."""
        self.at("Let us hear your microphone")
        self.turns_on("microphone")
        self.reads("Your microphone works")
        self.goes_on()

    def answers_about_notifications(self) -> None:
        """Press the button that makes the browser ask; what it answers was set before."""
        self.at("May we notify you?")
        self.presses("Ask my browser")
        self.reads(re.compile("Notifications are (not )?(allowed|blocked)"))
        self.goes_on()

    def takes_a_still(self, passed: str) -> None:
        """Take a picture until it is good enough, as the page asks."""
        for _ in range(TRIES):
            self.presses("Take the picture")
            good, again = self.page.get_by_text(passed), self.page.get_by_text("needs another try")
            expect(good.or_(again).first).to_be_visible(timeout=PATIENCE_MS)
            if good.first.is_visible():
                return
            self.presses("Take it again")
        raise AssertionError(f"the still was refused {TRIES} times: {self.words()}")

    def shows_the_face(self) -> None:
        """The still of the face."""
        self.at("A picture of your face")
        self.takes_a_still("Your picture is good")
        self.goes_on()

    def shows_the_document(self) -> None:
        """The still of the identity document, held before the camera."""
        self.at("A picture of your identity document")
        self.turns_the_camera_to(View.CARD)
        self.takes_a_still("The picture of your document is good")
        self.camera.show(View.PERSON)
        self.goes_on()

    def shows_the_room(self, views: tuple[View, ...] = ROOM) -> None:
        """Pictures of the room, the camera turned between them."""
        self.at("Pictures of your room")
        for number, view in enumerate(views, 1):
            self.turns_the_camera_to(view)
            self.presses(f"Take picture {number} of {len(views)}")

    def shares_the_screen(self) -> None:
        """Share what the browser offers."""
        self.at("Share your screen")
        self.presses("Share my screen")
        self.reads("Your screen is shared")
        self.page.bring_to_front()  # sharing a tab or window may have put that in front
        self.goes_on()

    def passes(self, checks: list[str]) -> None:
        """Pass these checks, in the room's order, as anybody would whose things all work."""
        for check in checks:
            match check:
                case "consent":
                    self.agrees()
                case "browser":
                    self.checks_the_browser()
                case "camera":
                    self.passes_the_camera_check()
                case "microphone":
                    self.passes_the_microphone_check()
                case "notifications":
                    self.answers_about_notifications()
                case "face":
                    self.shows_the_face()
                case "document":
                    self.shows_the_document()
                case "room":
                    self.shows_the_room()
                    self.reads("The pictures of your room are good")
                    self.camera.show(View.PERSON)
                    self.goes_on()
                case "screen":
                    self.shares_the_screen()
                case _:
                    raise ValueError(check)

    # the exam

    @property
    def exam(self) -> FrameLocator:
        """The exam's own page inside the room."""
        return self.page.frame_locator("iframe")

    def starts(self) -> None:
        """Start the exam and see it."""
        self.at("You are ready")
        self.presses("Start the exam")
        expect(self.exam.get_by_role("heading").first).to_be_visible(timeout=PATIENCE_MS)

    def finishes(self) -> None:
        """Finish, and wait until everything has been sent."""
        self.presses("Finish")
        self.presses("Finish now")
        self.reads("You have finished")

    # what a test wants to know

    def words(self) -> str:
        """Everything that can be read on the page now."""
        return str(self.page.evaluate("document.body.innerText")) + " / " + self.page.locator("body").inner_text()

    def screenshot(self, name: str) -> None:
        """Keep a picture of the page as it is."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def can_be_used_by_everybody(self) -> None:
        """No violation on the page as it is now that axe can find."""
        can_be_used_by_everybody(self.page)
