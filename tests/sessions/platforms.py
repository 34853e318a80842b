"""Helpers around the services of a server."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from openproctor.assembly import Platform
from openproctor.clock import now_ms
from openproctor.exams.policy import Policy
from openproctor.sessions.repository import Session

LIMIT_MS = 1_200

Server = Callable[[], AbstractAsyncContextManager[Platform]]


class Socket:
    """A candidate's end of a line."""

    def __init__(self, session: Session, page: str = "one", heard_at: float | None = None) -> None:
        self.session = session
        self.page = page
        self.number = 0
        self.opened_at = self.seen_at = now_ms()
        self.heard_at = asyncio.get_running_loop().time() if heard_at is None else heard_at
        self.codes: list[int] = []

    async def close(self, code: int, reason: str) -> None:
        assert reason
        self.codes.append(code)


async def new_sessions(platform: Platform, count: int = 1, **policy: Any) -> list[Session]:
    organization = await platform.accounts.default_organization()
    exam = await platform.exams.create(organization.id, "Algebra", None, Policy(**policy))
    return [(await platform.sessions.create(exam, f"candidate {n}", "Ada", None, 1))[0] for n in range(count)]


async def until(condition: Callable[[], Any]) -> Any:
    async with asyncio.timeout(30):
        while not (found := await condition()):  # noqa: ASYNC110 -- the log tells nobody in a test
            await asyncio.sleep(0.05)
    return found
