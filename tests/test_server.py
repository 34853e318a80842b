"""The process of the server: its workers, and what it answers when something breaks."""

import asyncio
import contextlib
import sys
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.routing import Route
from structlog.testing import capture_logs

from openproctor import server
from openproctor.app import create_app
from openproctor.config import Settings


async def test_a_worker_that_cannot_be_started_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, started = tmp_path / "python", tmp_path / "started"
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(server, "WORKER_SECONDS", 0.05)
    with capture_logs() as said:
        task = asyncio.create_task(server.keep_worker(Settings(data_dir=tmp_path), 0))
        async with asyncio.timeout(30):
            while not said:  # noqa: ASYNC110 -- nothing tells of a log line
                await asyncio.sleep(0.01)
            assert not task.done()
            whole = tmp_path / "whole"
            whole.write_text(f"#!/bin/sh\ntouch {started}\nexec sleep 60\n")
            whole.chmod(0o755)
            whole.rename(program)
            while not started.exists():  # noqa: ASYNC110 -- a process tells with a file
                await asyncio.sleep(0.01)
    assert "could not be started" in said[0]["event"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_breaks_is_answered_with_the_headers_of_every_answer(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))

    async def breaks(_request: Request) -> None:
        raise RuntimeError("nobody expected this")

    app.router.routes.append(Route("/breaks", breaks))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        fine, broken = await client.get("/healthz"), await client.get("/breaks")
    assert (fine.status_code, broken.status_code) == (200, 500)
    assert broken.json()["type"].endswith("internal-error")
    for name in ("x-content-type-options", "cross-origin-opener-policy", "cross-origin-resource-policy"):
        assert broken.headers.get_list(name) == fine.headers.get_list(name) != []
    await app.state.platform.close()
