"""The pages: the candidate's room, the console, the sample exam. Built by ``make setup`` into ``web/``."""

import html
import secrets
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from openproctor.errors import Problem
from openproctor.exams.service import exam_origin
from openproctor.ids import is_id
from openproctor.sessions.states import OVER

WEB = Path(__file__).parent / "web"
NONCE_MARK = "__CSP_NONCE__"

_BASE_POLICY = (
    "default-src 'self'; script-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
)
_PERMISSIONS = (
    "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), window-management=(self), "
    "idle-detection=(self), screen-wake-lock=(self)"
)


class _Immutable(StaticFiles):
    """Files whose names carry a digest may be kept for ever."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        if "assets" in str(args[0]):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Problem(
            503, "not-built", "The pages are not built", f"{path.name} is missing.", what_to_do="Run 'make setup'."
        ) from None


def _base_policy(platform: Any) -> str:
    """What all pages may do; with direct recordings they also reach the store."""
    store = platform.objects.public_origin if platform.settings.media_direct else None
    return f"{_BASE_POLICY}connect-src 'self'{' ' + store if store else ''}; "


def _candidate_page(platform: Any, exam_url: str | None) -> Response:
    frame = exam_origin(exam_url)
    policy = (
        _base_policy(platform)
        + f"style-src 'self'; frame-src 'self'{' ' + frame if frame else ''}; frame-ancestors 'self'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Permissions-Policy": _PERMISSIONS,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return HTMLResponse(_file(WEB / "candidate" / "index.html"), headers=headers)


async def join_page(request: Request) -> Response:
    """``/join/{token}``: the room, or words on why the link does not work."""
    platform = request.app.state.platform
    try:
        organization_id, session_id = platform.sessions.read_join_token(request.path_params["token"])
        session = await platform.sessions.fresh(organization_id, session_id)
        if session.state in OVER:
            raise Problem(
                410,
                "session-over",
                "This exam is over",
                "Everything that belongs to it has been received.",
                what_to_do="You may close this page.",
            )
    except Problem as problem:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return _problem_page(problem)
    return _candidate_page(platform, session.exam_url)


async def room_page(request: Request) -> Response:
    """``/room/{session_id}``: the room after a reload; the page proves itself to the API."""
    session_id = request.path_params["session_id"]
    platform = request.app.state.platform
    exam_url = await platform.sessions.repository.exam_url(session_id) if is_id(session_id) else None
    return _candidate_page(platform, exam_url)


async def room_worker(_request: Request) -> Response:
    """The script that keeps the room's page at hand; at the root, since it may only serve what is below it."""
    path = WEB / "candidate" / "room-worker.js"
    return Response(_file(path), media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def _problem_page(problem: Problem) -> Response:
    page = _file(Path(__file__).parent / "problem.html")
    for mark, text in (("title", problem.title), ("detail", problem.detail), ("what_to_do", problem.what_to_do)):
        page = page.replace("{{" + mark + "}}", html.escape(text))
    nonce = secrets.token_urlsafe(16)
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(page.replace(NONCE_MARK, nonce), status_code=problem.status, headers=headers)


async def console_page(request: Request) -> Response:
    """``/console/…``: the console; its own files, or its page for every other address."""
    path = request.path_params.get("path", "")
    folder = (WEB / "console").resolve()
    wanted = (folder / path).resolve()
    if path and path != "index.html" and wanted.is_relative_to(folder) and wanted.is_file():
        cache = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        return FileResponse(wanted, headers={"Cache-Control": cache})
    if path.startswith("assets/"):
        return Response(status_code=404)
    nonce = secrets.token_urlsafe(16)
    base = _base_policy(request.app.state.platform)
    policy = base + f"style-src 'self' 'nonce-{nonce}'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(_file(folder / "index.html").replace(NONCE_MARK, nonce), headers=headers)


async def _to_console(_request: Request) -> Response:
    return RedirectResponse("/console/")


def page_routes() -> list[BaseRoute]:
    """Routes of the pages. All are public: what they show comes from the API, which asks who is there."""
    candidate = WEB / "candidate"
    return [
        Route("/", _to_console),
        Route("/join/{token}", join_page),
        Route("/room/{session_id}", room_page),
        Route("/room-worker.js", room_worker),
        Route("/console", _to_console),
        Route("/console/{path:path}", console_page),
        Mount("/candidate-app", _Immutable(directory=candidate, check_dir=False)),
        Mount("/sample-exam", _Immutable(directory=candidate / "sample-exam", html=True, check_dir=False)),
    ]
