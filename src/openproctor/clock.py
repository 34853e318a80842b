"""The one clock. Times are integer milliseconds since 1970 UTC everywhere inside and on the wire."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Now, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """RFC 3339 with milliseconds, as HLS playlists and reports want it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
