"""A server of its own for each test of this folder: it will not live long, or not be well. At the end a table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.loads import PROPERTY
from tests.live import LiveServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server without workers, and its key made while it runs undisturbed."""
    with LiveServer(tmp_path, workers=0) as live:
        assert live.key
        yield live


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Acknowledged, stored, lost and repeated for every fault."""
    rows = [
        json.loads(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and getattr(report, "when", "") == "call"
    ]
    if not rows:
        return
    terminalreporter.section("faults")
    heads = ("fault", "times", "sent", "acknowledged", "stored", "lost", "repeated", "what the pages were told")
    table = [heads, *(tuple(str(value) for value in row.values()) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    for row in table:
        cells = [
            cell.ljust(width) if n in (0, 7) else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        terminalreporter.write_line("  ".join(cells).rstrip())
