"""The process around the workers."""

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from openproctor import server
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
