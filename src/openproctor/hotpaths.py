"""The addresses that are called thousands of times a second: batches of events, and chunks.

They do what their endpoints do (which stay, for the OpenAPI document), without the framework between.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from openproctor.accounts.principal import CandidateToken, candidate
from openproctor.errors import PROBLEM_MEDIA_TYPE, Problem, forbidden
from openproctor.media.endpoints import link_chunk, store_chunk
from openproctor.sessions.candidate_endpoints import take_batch

logger = structlog.get_logger(__name__)

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SESSION = r"/api/v1/sessions/([0-9a-z]{26})"
_EVENTS = re.compile(_SESSION + r"/events").fullmatch
_CHUNK = re.compile(_SESSION + r"/media/([a-z]{1,20})/chunks/(\d{1,9})(/uploaded)?").fullmatch
_encode = msgspec.json.Encoder().encode
_JSON = ((b"content-type", b"application/json"), *SECURITY_HEADERS)


def problem_response(problem: Problem) -> Response:
    """A problem as an HTTP answer."""
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(problem.retry_after)))
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem.document(), problem.status, headers, PROBLEM_MEDIA_TYPE)


class HotPaths:
    """Knows the hot paths and answers them."""

    def __init__(self, platform: Any, unexpected: Callable[[Exception], Problem]) -> None:
        self._platform = platform
        self._unexpected = unexpected

    def find(self, scope: Scope) -> tuple[str, tuple[str, int] | None] | None:
        """The session, and track and number of a chunk, if a request is for us."""
        method = scope["method"]
        if method == "POST" and (found := _EVENTS(scope["path"])):
            return found[1], None
        if (found := _CHUNK(scope["path"])) and method == ("POST" if found[4] else "PUT"):
            return found[1], (found[2], int(found[3]))
        return None

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, session_id: str, chunk: tuple[str, int] | None
    ) -> None:
        """Answer a request that was found."""
        status = 200
        try:
            who = await self._who(scope, session_id)
            if chunk:
                take = store_chunk if scope["method"] == "PUT" else link_chunk
                status, answer = await take(self._platform, who, Request(scope, receive), *chunk)
            else:
                answer = await take_batch(self._platform, who, await self._body(scope, receive))
        except ClientDisconnect:
            return
        except Exception as error:
            problem = error if isinstance(error, Problem) else self._unexpected(error)
            response = problem_response(problem)
            response.raw_headers.extend(SECURITY_HEADERS)
            if problem.status >= 500:
                logger.error("request failed", method=scope["method"], path=scope["path"], status=problem.status)
            await response(scope, receive, send)
            return
        body = _encode(answer)
        headers = [*_JSON, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _who(self, scope: Scope, session_id: str) -> CandidateToken:
        """The candidate: at once when the token was seen a moment ago."""
        for name, value in scope["headers"]:
            if name == b"authorization" and (known := self._platform.tokens.known(value)):
                if known.session_id != session_id:
                    raise forbidden("This token belongs to another session.")
                found: CandidateToken = known
                return found
        return await candidate(Request(scope), session_id)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """A batch, read to its end; :class:`Problem` 413 without reading further."""
        limit = self._platform.settings.max_batch_bytes
        body: bytes = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > limit:
                raise Problem(413, "too-large", "The batch is too large", f"At most {limit} bytes are taken.")
            if not message.get("more_body"):
                return body
