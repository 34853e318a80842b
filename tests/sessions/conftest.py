"""The server's services in the process of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from openproctor.assembly import Platform
from openproctor.config import Settings
from tests.sessions.platforms import LIMIT_MS, Server


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Server:
    """What starts the server's services in this process; again after it has ended, too."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Platform]:
        settings = Settings(
            data_dir=tmp_path, database_url=database_url, heartbeat_ms=LIMIT_MS // 3, heartbeat_limit_ms=LIMIT_MS
        )
        platform = Platform(settings)
        await platform.open()
        await platform.serve()
        try:
            yield platform
        finally:
            await platform.close()

    return run
