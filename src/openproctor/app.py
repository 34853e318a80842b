"""The web application: routes, error answers, security headers."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi import HTTPException as FrameworkError
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from openproctor import __version__
from openproctor.accounts.endpoints import router as accounts_router
from openproctor.analysis.repository import AnalysisRepository
from openproctor.assembly import Platform
from openproctor.captures.endpoints import router as captures_router
from openproctor.catalog import CATALOG_FILE
from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.errors import PROBLEM_BASE, Problem
from openproctor.exams.endpoints import router as exams_router
from openproctor.hotpaths import SECURITY_HEADERS, HotPaths, problem_response
from openproctor.integrations.endpoints import router as exports_router
from openproctor.media.endpoints import router as media_router
from openproctor.pages import page_routes
from openproctor.sessions.candidate_endpoints import router as candidate_router
from openproctor.sessions.endpoints import router as sessions_router
from openproctor.sessions.socket import candidate_socket
from openproctor.storage.database import database_away

logger = structlog.get_logger(__name__)

# workers are processes of their own and may be gone: what they have not done is asked of the database
WAITING_CHUNKS = Gauge("openproctor_analysis_waiting_chunks", "Chunks that no worker has looked at yet.")
LAG = Gauge("openproctor_analysis_lag_seconds", "Age of the oldest chunk that waits for the analysis.")
# a check of health is asked every few seconds
READY_SECONDS = 3.0
_THIS_MACHINE = ("127.0.0.1", "::1")
MAX_BODY = 2 * 1024 * 1024
# larger bodies are read only where chunks and stills are taken, which have limits of their own
_WIDE = re.compile(r"/api/v1/sessions/[^/]+/(media/[^/]+/chunks|captures)/[^/]+").fullmatch


class Guard:
    """Headers on every answer, a limit on every body, and one log line for what failed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        wide = scope["method"] == "PUT" and _WIDE(path)
        length = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        if not wide and length.isdigit() and int(length) > MAX_BODY:
            too_large = Problem(413, "too-large", "The request is too large", f"At most {MAX_BODY} bytes are taken.")
            await problem_response(too_large)(scope, receive, send)
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if not wide and read > MAX_BODY:
                # whoever reads a body for the framework makes 400 of every other error
                raise FrameworkError(413, f"At most {MAX_BODY} bytes are taken.")
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in SECURITY_HEADERS if h[0] not in present)]
                if b"content-security-policy" not in present and b"text/html" in dict(message["headers"]).get(
                    b"content-type", b""
                ):
                    policy = b"default-src 'self'; frame-ancestors 'self'; base-uri 'none'; object-src 'none'"
                    message["headers"].append((b"content-security-policy", policy))
                if message["status"] >= 500:
                    # the path of a join link holds a token
                    shown = "/join/…" if path.startswith("/join/") else path
                    logger.error("request failed", method=scope["method"], path=shown, status=message["status"])
            await send(message)

        await self._app(scope, limited, with_headers)


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"where": "/".join(str(p) for p in e["loc"]), "message": e["msg"], "got": repr(e.get("input"))[:100]}
        for e in error.errors()
    ]
    detail = "; ".join(f"{e['where']}: {e['message']}" for e in errors[:5])
    return problem_response(Problem(422, "invalid-request", "The request does not fit", detail, errors=errors[:50]))


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "There is nothing here", 405: "This method is not taken here", 413: "The request is too large"}
    slug = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.status_code, "http-error")
    problem = Problem(error.status_code, slug, words.get(error.status_code, str(error.detail)), str(error.detail))
    response = problem_response(problem)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Problem:
    logger.error("unexpected error", exc_info=error)
    return Problem(
        500,
        "internal-error",
        "Something went wrong on our side",
        what_to_do="Try again; nothing that was stored is lost.",
    )


async def _on_error(_request: Request, error: Exception) -> Response:
    response = problem_response(_unexpected(error))
    response.raw_headers.extend(SECURITY_HEADERS)  # the framework answers what went wrong outside of the guard
    return response


async def _catalog(_request: Request) -> Response:
    return FileResponse(CATALOG_FILE, media_type="application/json", headers={"Cache-Control": "no-cache"})


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok", "version": __version__})


async def _readyz(request: Request) -> Response:
    """Whether this server can take events: 503 without the database; without bus or store it goes on, and says so."""
    platform: Platform = request.app.state.platform
    away = []
    try:
        async with asyncio.timeout(READY_SECONDS):
            await platform.accounts.default_organization()
        if not platform.log.available:
            raise database_away()
    except (Problem, TimeoutError):
        problem = database_away()
        problem.slug, problem.title = "not-ready", "This server is not ready"
        problem.detail = "The database does not answer. Events and recordings are refused until it is back."
        problem.what_to_do = "Look at the database; the server finds it by itself when it is back."
        raise problem from None
    if not platform.bus.available:
        away.append("bus")
    try:
        async with asyncio.timeout(READY_SECONDS):
            await platform.objects.get("health")
    except KeyError:
        pass  # it answered, and there is no such object
    except (Problem, TimeoutError):
        away.append("store")
    body = {"status": "degraded" if away else "ready", "away": away, "waiting": round(platform.log.pressure, 4)}
    return JSONResponse(body)


def _may_read_metrics(request: Request) -> bool:
    token = request.app.state.platform.settings.metrics_token
    if token:
        given = request.headers.get("authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())
    # what a proxy of this machine hands on comes from this machine too, but says so
    handed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "via"))
    return request.client is not None and request.client.host in _THIS_MACHINE and not handed_on


async def _metrics(request: Request) -> Response:
    if not _may_read_metrics(request):
        raise Problem(
            403,
            "metrics-closed",
            "Metrics are not for everybody",
            "They are given on this machine, or to who has the token.",
            what_to_do="Set OPENPROCTOR_METRICS_TOKEN and send it as 'Authorization: Bearer …'.",
        )
    with contextlib.suppress(Problem):  # the database is away: the other figures are wanted all the more
        waiting, oldest = await AnalysisRepository(request.app.state.platform.database).backlog()
        WAITING_CHUNKS.set(waiting)
        LAG.set(0 if oldest is None else max(0, now_ms() - oldest) / 1000)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _socket(websocket: WebSocket) -> None:
    await candidate_socket(websocket, websocket.path_params["session_id"])


class App(FastAPI):
    """The application; what is called most does not go through the framework at all."""

    hot_paths: HotPaths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (found := self.hot_paths.find(scope)):
            scope["app"] = self
            await self.hot_paths.answer(scope, receive, send, *found)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings) -> FastAPI:
    """The application for the settings; engines are opened when it starts."""
    platform = Platform(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await platform.open()
        await platform.serve()
        yield
        await platform.close()

    app = App(
        title="OpenProctor",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        description="Self-hosted proctoring of online exams. Errors are RFC 9457 problem details.",
    )
    app.state.platform = platform
    app.hot_paths = HotPaths(platform, _unexpected)
    app.state.problem_base = PROBLEM_BASE
    handlers: dict[Any, Any] = {
        Problem: _on_problem,
        RequestValidationError: _on_invalid,
        HTTPException: _on_http,
        Exception: _on_error,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(Guard)
    app.add_api_route(
        "/api/v1/catalog",
        _catalog,
        methods=["GET"],
        tags=["catalog"],
        summary="The event types",
        response_class=Response,
    )
    for router in (
        accounts_router,
        exams_router,
        candidate_router,
        sessions_router,
        media_router,
        captures_router,
        exports_router,
    ):
        app.include_router(router)
    app.router.routes.append(WebSocketRoute("/api/v1/sessions/{session_id}/socket", _socket))
    app.router.routes.extend(
        [Route("/healthz", _healthz), Route("/readyz", _readyz), Route("/metrics", _metrics), *page_routes()]
    )
    return app
