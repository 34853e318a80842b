"""Thousands of candidates connected at once: how soon their events are acknowledged, and what each costs in memory.

Real sockets with the frames that pages send: a heartbeat every 5 seconds and 0.2 events a second each. ``python -m
benchmarks.sockets [CANDIDATES [SECONDS]]``.
"""

import gc
import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.programs import cpu_seconds, memory_bytes, product
from openproctor.simulation.load import Plan, run_load
from openproctor.simulation.load_candidate import Mischief

EVENTS_PER_S = 0.2
STEADY = Mischief(repeated=0, late=0, reordered=0, by_http=0, cuts_per_hour=0)


class _Watch:
    """The most memory that a process had, until told to stop."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self.most = 0
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.wait(0.2):
            self.most = max(self.most, memory_bytes(self._pid))

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def sockets(folder: Path, *, candidates: int = 5_000, seconds: float = 30, progress: bool = False) -> dict[str, Any]:
    """Milliseconds until acknowledged, and kB of server memory for each candidate (the most there was, less that with none)."""

    def plan(count: int, length: float) -> Plan:
        return Plan(count, length, events_per_s=EVENTS_PER_S, chunks_per_s=0, mischief=STEADY)

    with product(folder / "sockets") as program:
        # what is loaded and filled by the first ones is not any candidate's
        run_load(program.url, program.key, plan=plan(50, 2))
        before = memory_bytes(program.pid)
        # a pause of the load's own would be counted as the server's
        gc.disable()
        try:
            with _Watch(program.pid) as watch:
                began = cpu_seconds(program.pid)
                report = run_load(program.url, program.key, plan=plan(candidates, seconds), progress=progress)
                used = cpu_seconds(program.pid) - began
        finally:
            gc.enable()
    return {
        "candidates": candidates,
        "seconds": seconds,
        "events_per_s": round(report.ack_ms["count"] / report.sitting_s, 1),
        "ack_p50_ms": round(report.ack_ms["p50"], 1),
        "ack_p95_ms": round(report.ack_ms["p95"], 1),
        "ack_p99_ms": round(report.ack_ms["p99"], 1),
        "ack_most_ms": round(report.ack_ms["most"], 1),
        "kb_per_candidate": round((watch.most - before) / candidates / 1000, 1),
        "joined_per_s": round(candidates / report.joining_s, 1),
        "server_cpu_ms_per_candidate_joined_and_sat": round(used / candidates * 1000, 1),
        "lost": report.lost,
        "repeated": report.repeated,
        "lines_lost": report.line.get("lost_lines", 0),
        "problems": report.problems,
    }


def main() -> None:
    """Measure and print."""
    numbers = [int(number) for number in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        result = sockets(
            Path(folder),
            candidates=numbers[0] if numbers else 5_000,
            seconds=numbers[1] if len(numbers) > 1 else 30,
            progress=True,
        )
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
