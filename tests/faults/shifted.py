"""``openproctor`` with a wall clock that can be set: its first argument is a file with the difference in seconds.

Every reading of the wall clock in the process is changed, ours and the libraries'; the monotonic clock is left alone,
as when somebody sets the clock of a machine.
"""

import contextlib
import sys
import time
from pathlib import Path

NOTE = Path(sys.argv.pop(1))
_time, _time_ns = time.time, time.time_ns
_state = [0.0, 0.0]  # looked at (monotonic), seconds


def _shift() -> float:
    now = time.monotonic()
    if now - _state[0] > 0.02:
        _state[0] = now
        with contextlib.suppress(OSError, ValueError):
            _state[1] = float(NOTE.read_text())
    return _state[1]


time.time = lambda: _time() + _shift()
time.time_ns = lambda: _time_ns() + round(_shift() * 1_000_000_000)

from openproctor.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
