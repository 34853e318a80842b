"""The two addresses that are called thousands of times a second: batches of events, and chunks.

They do what their endpoints do (which stay, for the OpenAPI document), without the framework between.
"""

import re
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from openproctor.accounts.principal import candidate
from openproctor.errors import PROBLEM_MEDIA_TYPE, Problem
from openproctor.media.endpoints import store_chunk
from openproctor.sessions.candidate_endpoints import take_batch

logger = structlog.get_logger(__name__)

_SESSION = r"/api/v1/sessions/([0-9a-z]{26})"
_EVENTS = re.compile(_SESSION + r"/events")
_CHUNK = re.compile(_SESSION + r"/media/([a-z]{1,20})/chunks/(\d{1,9})")
_encode = msgspec.json.Encoder().encode


def problem_response(problem: Problem) -> Response:
    """A problem as an HTTP answer."""
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(problem.retry_after)))
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem.document(), problem.status, headers, PROBLEM_MEDIA_TYPE)


class HotPaths:
    """Answers the hot paths itself and hands everything else on."""

    def __init__(self, app: ASGIApp, platform: Any) -> None:
        self._app = app
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            method, path = scope["method"], scope["path"]
            if method == "PUT" and (found := _CHUNK.fullmatch(path)):
                await self._answer(scope, receive, send, found[1], (found[2], int(found[3])))
                return
            if method == "POST" and (found := _EVENTS.fullmatch(path)):
                await self._answer(scope, receive, send, found[1], None)
                return
        await self._app(scope, receive, send)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, session_id: str, chunk: tuple[str, int] | None
    ) -> None:
        request = Request(scope, receive)
        response: Response
        status = 200
        try:
            who = await candidate(request, session_id)
            if chunk:
                status, body = await store_chunk(self._platform, who, request, *chunk)
            else:
                body = await take_batch(self._platform, who, request)
            response = Response(_encode(body), status, media_type="application/json")
        except Problem as problem:
            response = problem_response(problem)
        await response(scope, receive, send)
