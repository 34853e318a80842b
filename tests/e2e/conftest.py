"""One server for all browser tests; each test or module has a browser, a camera and a session of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, Response, sync_playwright

from tests.e2e.browser import Devices, chromium
from tests.e2e.candidate import SCREENSHOTS, Candidate
from tests.e2e.media import Camera, View, speaking
from tests.e2e.sitting import Integrator
from tests.live import LiveServer

HERE = Path(__file__).parent
LOGS = HERE / "logs"
# quicker than a real exam would want, so that a lost line is noticed in seconds
QUICK = {"heartbeat_ms": 1_000, "heartbeat_limit_ms": 3_000}

Room = Callable[..., AbstractContextManager[Candidate]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session", autouse=True)
def _fresh_folders() -> None:
    """Screenshots and logs are of this run only."""
    for folder in (SCREENSHOTS, LOGS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver; ended with the module, for it holds an event loop that other tests could not bear."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for camera and sound files, removed afterwards: they are large."""
    folder = tmp_path_factory.mktemp("media")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """The server, with one worker; its log is kept."""
    folder = tmp_path_factory.mktemp("server")
    try:
        with LiveServer(folder, workers=1, **QUICK) as live:
            yield live
    finally:
        if (folder / "server.log").exists():
            shutil.copy(folder / "server.log", LOGS / f"server-{request.module.__name__.rsplit('.', 1)[-1]}.log")
        shutil.rmtree(folder / "data", ignore_errors=True)


@pytest.fixture(scope="module")
def integrator(server: LiveServer) -> Integrator:
    """Whoever creates exams and reads what came of them."""
    return Integrator(server)


def _keep_what_the_page_says(candidate: Candidate) -> None:
    """Console and refused requests of the page, for whoever looks into a failure."""
    path = LOGS / f"page-{candidate.sitting.id}.log"

    def note(line: str) -> None:
        with path.open("a") as log:
            log.write(line + "\n")

    def answered(answer: Response) -> None:
        if answer.status >= 400:
            note(f"{answer.status} {answer.request.method} {answer.url}")

    page = candidate.page
    page.on("console", lambda message: note(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: note(f"error: {error}"))
    page.on("requestfailed", lambda request: note(f"failed: {request.method} {request.url} {request.failure}"))
    page.on("response", answered)


@pytest.fixture(scope="module")
def room(playwright: Playwright, integrator: Integrator, media: Path) -> Room:
    """Invites a candidate and puts them, with camera and microphone, before the room's first step."""
    speech = speaking(media / "speech.wav")

    @contextmanager
    def open_room(
        policy: dict[str, Any],
        view: View | None = View.PERSON,
        sound: Path | None = speech,
        **devices: Any,
    ) -> Iterator[Candidate]:
        sitting = integrator.invite(policy)
        camera = Camera(media / f"{sitting.id}.y4m", view or View.BLACK)
        found = Devices(camera=camera.path if view else None, microphone=sound, **devices)
        with chromium(playwright, found, LOGS) as browser:
            candidate = Candidate(browser, camera, sitting)
            _keep_what_the_page_says(candidate)
            try:
                candidate.opens_the_link()
                yield candidate
            except BaseException:
                candidate.screenshot(f"failed-{sitting.id}")
                raise
        camera.path.unlink()

    return open_room
