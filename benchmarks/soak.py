"""``python -m benchmarks.soak``: candidates who record for a long time, and whether the analysis keeps up, in real time.

A server with its workers is started in a folder of its own, synthetic candidates send it real chunks, and once a second
the database is asked how old the oldest chunk of each session is that the analysis has not been through with. Prints JSON:
percentiles of that lag, memory of server and workers over time, CPU of each.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import children, cpu_seconds, resident_mb
from benchmarks.programs import product
from openproctor.analysis.repository import DONE
from openproctor.simulation.load import Plan, run_load

WARM_UP_S = 30  # loading the networks is not what is looked at
MEMORY_EVERY_S = 10
CATCH_UP_S = 120  # for what is left when the candidates are gone
UNSEEN = """
select min(c.received_at) from chunks c left join analyses a on a.session_id = c.session_id
where c.track = 'camera' and c.number >= coalesce(a.next_number, 0) group by c.session_id
"""


@dataclass(slots=True)
class Watch:
    """What was seen. Lags in seconds: one for each session and second; memory in MiB."""

    lags: list[float] = field(default_factory=list)
    memory: dict[str, list[float]] = field(default_factory=dict)

    def look(self, database: Path, sessions: int) -> None:
        """The lag of each session; of one whose chunks are all looked at it is 0."""
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
            oldest = [row[0] for row in connection.execute(UNSEEN)]
        now = time.time() * 1000
        self.lags += [max(0.0, now - at) / 1000 for at in oldest]
        self.lags += [0.0] * (sessions - len(oldest))

    def weigh(self, name: str, pid: int) -> None:
        """Memory of a process now."""
        self.memory.setdefault(name, []).append(resident_mb(pid))


def _growth(values: list[float]) -> float:
    """MiB between the means of the second and the last quarter."""
    quarter = max(1, len(values) // 4)
    return round(float(np.mean(values[-quarter:]) - np.mean(values[quarter : 2 * quarter])), 1)


def _load(url: str, key: str, candidates: int, seconds: float) -> dict[str, Any]:
    plan = Plan(candidates, seconds, chunks_per_s=candidates / 2, analysed=True)
    return run_load(url, key, plan=plan).as_dict()


def _finished(database: Path, sessions: int) -> float | None:
    """Seconds until the analysis is through with all sessions; None if it never is."""
    begun = time.monotonic()
    while time.monotonic() < begun + CATCH_UP_S:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
            (done,) = connection.execute("select count(*) from analyses where lease_until >= ?", (DONE,)).fetchone()
        if done >= sessions:
            return round(time.monotonic() - begun, 1)
        time.sleep(0.5)
    return None


def _events(database: Path) -> dict[str, int]:
    query = "select type_id, count(*) from events where source = 'analysis' or type_id = 1062 group by type_id"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return {str(type_id): count for type_id, count in connection.execute(query)}


def _observe(run: "Future[dict[str, Any]]", data: Path, pid: int, candidates: int, began: float) -> Watch:
    watch, second = Watch(), 0
    while not run.done():
        second += 1
        time.sleep(max(0.0, began + second - time.monotonic()))
        if second < WARM_UP_S:
            continue
        watch.look(data / "openproctor.db", candidates)
        if second % MEMORY_EVERY_S == 0:
            watch.weigh("server", pid)
            for number, worker in enumerate(children(pid)):
                watch.weigh(f"worker-{number}", worker)
    return watch


def soak(folder: Path, candidates: int, minutes: float, workers: int) -> dict[str, Any]:
    """Run and report."""
    data = folder / "data"
    spawned = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with product(data, workers=str(workers)) as program, spawned as pool:
        before = {pid: cpu_seconds(pid) for pid in (program.pid, *children(program.pid))}
        began = time.monotonic()
        run = pool.submit(_load, program.url, program.key, candidates, minutes * 60)
        watch = _observe(run, data, program.pid, candidates, began)
        report = run.result()
        caught_up = _finished(data / "openproctor.db", candidates)
        used = {pid: cpu_seconds(pid) - before.get(pid, 0.0) for pid in (program.pid, *children(program.pid))}
        found = _events(data / "openproctor.db")
    recorded = report["chunks"]["stored"] * 2.0
    analysis = sum(seconds for pid, seconds in used.items() if pid != program.pid)
    lags = watch.lags or [0.0]
    return {
        "candidates": candidates,
        "minutes": minutes,
        "workers": workers,
        "lag_s": {
            **{f"p{p}": round(float(np.percentile(lags, p)), 2) for p in (50, 90, 99)},
            "most": round(max(lags), 2),
            "looks": len(lags),
        },
        "caught_up_after_s": caught_up,
        "analysis_cpu_ms_per_candidate_second": round(analysis / recorded * 1000, 2),
        "server_cpu_ms_per_candidate_second": round(used[program.pid] / recorded * 1000, 2),
        "memory_mb": {
            name: {"first": values[0], "most": max(values), "last": values[-1], "growth": _growth(values)}
            for name, values in watch.memory.items()
        },
        "memory_over_time_mb": watch.memory,
        "events": found,
        "lost": report["lost"],
        "repeated": report["repeated"],
        "completed": report["completed"],
        "problems": report["problems"],
        "chunk_stored_after_ms": report["chunk_ms"],
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--candidates", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2, help="worker processes beside the server")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(soak(Path(folder), given.candidates, given.minutes, given.workers), indent=2))


if __name__ == "__main__":
    main()
