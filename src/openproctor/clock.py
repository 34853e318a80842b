"""The one clock. Times are integer milliseconds since 1970 UTC everywhere inside and on the wire."""

import time
from datetime import UTC, datetime

_stands_at: int | None = None


def now_ms() -> int:
    """Now, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000 if _stands_at is None else _stands_at


def set_clock(ms: int | None) -> None:
    """Let this process's clock stand at a moment, or run again (None).

    Only for a process that makes a sample session of the past in seconds; no setting and no address reaches it.
    """
    global _stands_at
    _stands_at = ms


def iso(ms: int) -> str:
    """RFC 3339 with milliseconds, as HLS playlists and reports want it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
