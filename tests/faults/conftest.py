"""A server of its own for each test of this folder: it will not live long, or not be well."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server without workers, and its key made while it runs undisturbed."""
    with LiveServer(tmp_path, workers=0) as live:
        assert live.key
        yield live
