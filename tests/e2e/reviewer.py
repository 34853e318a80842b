"""A reviewer at the console."""

from playwright.sync_api import Page

from tests.live import LiveServer

EMAIL, PASSWORD = "review@school.example", "a long enough password"
SHOWS_PICTURES = "[...document.querySelectorAll('video')].every((video) => !video.seeking && video.readyState >= 2)"


def comes_to_the_console(page: Page, server: LiveServer, path: str = "") -> None:
    """Open a page of the console, which asks who is there."""
    server.run("people", "set", "--data", str(server.data), "--email", EMAIL, "--name", "Rita Reviewer", stdin=PASSWORD)
    page.set_default_timeout(20_000)
    page.goto(f"{server.url}/console/{path}")


def signs_in(page: Page) -> None:
    """Say who is there."""
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
