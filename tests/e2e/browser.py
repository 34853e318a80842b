"""A real Chromium, started by ourselves.

A browser that Playwright launches keeps its pages focused for ever: no blur, no hidden tab. One that we start and
attach to behaves as a candidate's does.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Playwright

from scripts.ensure_browser import find_browser

START_S = 30.0

# Nothing here changes what a page sees; it keeps the browser from calling its maker and from asking on first use.
FLAGS = (
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--password-store=basic",
    "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb",
    "--window-size=1366,900",
)

PICKS = {
    "a monitor": "--use-fake-ui-for-media-stream",
    "nothing": "--use-fake-ui-for-media-stream=deny",
    "the screen": "--auto-select-desktop-capture-source=Entire screen",
    "a window": "--auto-select-window-capture-source-by-title=Notes",
    "a tab": "--auto-select-tab-capture-source-by-title=Notes",
}


@dataclass(frozen=True)
class Devices:
    """What the browser finds plugged in, and what its person picks in the prompts."""

    camera: Path | None = None
    """A Y4M or MJPEG file that the camera shows, over and over; None: no camera and no microphone."""
    microphone: Path | None = None
    """A WAV file that the microphone hears, over and over."""
    shares: Literal["a monitor", "nothing", "the screen", "a window", "a tab"] = "a monitor"
    """What the person picks when asked to share. "a monitor" is a test picture; "nothing" refuses camera and microphone
    too. The rest is real: screen and window need a display, and window and tab one whose title is "Notes"."""
    screens: str = ""
    """Chromium's ``--screen-info``: ``{0,0 1600x1200}{1600,0 1280x1024}`` are two screens."""
    display: str | None = None
    """An X display, ``:5``; None is headless."""
    more: tuple[str, ...] = field(default=())

    def flags(self) -> list[str]:
        """Chromium's switches for it."""
        flags = ["--ozone-platform=x11"] if self.display else ["--headless"]
        flags.append(PICKS[self.shares])
        flags += [
            "--use-fake-device-for-media-stream" + ("" if self.camera else "=device-count=0"),
            *([f"--use-file-for-fake-video-capture={self.camera}"] if self.camera else []),
        ]
        if self.microphone:
            flags += [f"--use-file-for-fake-audio-capture={self.microphone}"]
        if self.screens:
            flags += [f"--screen-info={self.screens}"]
        return [*flags, *self.more]


class Chromium:
    """A running browser with one context and one page to begin with."""

    def __init__(self, browser: Browser, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.browser = browser
        self.process = process
        self.log = log
        self.context: BrowserContext = browser.contexts[0]
        self.page: Page = self.context.pages[0] if self.context.pages else self.context.new_page()
        self._control: CDPSession = browser.new_browser_cdp_session()

    def permit(self, origin: str, setting: Literal["granted", "denied", "prompt"], *names: str) -> None:
        """What the person answered, once and for all, to the browser's questions: "camera", "notifications", …"""
        for name in names:
            self._control.send(
                "Browser.setPermission", {"permission": {"name": name}, "setting": setting, "origin": origin}
            )

    def cdp(self, page: Page) -> CDPSession:
        """A session of the DevTools protocol with a page."""
        return self.context.new_cdp_session(page)

    def in_another_tab(self) -> Page:
        """Open another tab in front, as a candidate who looks something up does."""
        other = self.context.new_page()
        other.bring_to_front()
        return other


def _wait_for_port(process: "subprocess.Popen[bytes]", folder: Path, log: Path) -> int:
    deadline = time.monotonic() + START_S
    note = folder / "DevToolsActivePort"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(
                f"Chromium ended with code {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}"
            )
        lines = note.read_text().split("\n") if note.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        time.sleep(0.05)
    raise TimeoutError(
        f"Chromium did not open its port within {START_S:.0f} s:\n{log.read_text(errors='replace')[-2000:]}"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the browser and its helpers, which share a process group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


@contextmanager
def chromium(playwright: Playwright, devices: Devices, logs: Path) -> Iterator[Chromium]:
    """A browser with these devices; ended, with its profile removed, when the block ends. ``logs`` is a folder."""
    program = find_browser()
    if program is None:
        raise RuntimeError("no Chromium here; make browser installs it or says what to install")
    profile = Path(tempfile.mkdtemp(prefix="openproctor-browser-"))
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{profile.name}.log"
    flags = [*FLAGS, *devices.flags(), f"--user-data-dir={profile}", "--remote-debugging-port=0"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    environment: dict[str, Any] = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    environment["TMPDIR"] = str(profile)  # what it leaves there goes with the profile
    if devices.display:
        environment["DISPLAY"] = devices.display
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, *flags, "about:blank"], stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        port = _wait_for_port(process, profile, log)
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        try:
            yield Chromium(browser, process, log)
        finally:
            browser.close()
    finally:
        _end(process)
        shutil.rmtree(profile, ignore_errors=True)
