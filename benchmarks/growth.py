"""Does it stay as fast as it was? Events a second, and what a reviewer reads, before and after a great many events.

The stored events are real: linked into the logs of their sessions by the product's own writer, sessions in turns, as they
come in from exams that run at the same time. ``python -m benchmarks.growth [EVENTS]``.
"""

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import openproctor.assembly  # noqa: F401 -- declares the tables
from benchmarks.ingest import CONNECTIONS, PER_BATCH, bodies, requests
from benchmarks.loop import drive, run
from benchmarks.programs import Product, product
from openproctor.eventlog.entries import Append, PageEvents
from openproctor.eventlog.writer import LogWriter
from openproctor.ids import new_id
from openproctor.storage.bus import LocalBus
from openproctor.storage.database import Database

PER_SESSION = 2_000
LONG_SESSION = 20_000
DATA = (
    (5, b'{"reason":"blur"}'),
    (4, b'{"away_ms":5123}'),
    (1025, b'{"height":768,"width":1366}'),
    (1022, b'{"action":"paste","length":812}'),
)


def fill(file: Path, organization: str, known: list[str], events: int) -> float:
    """Store events for the known sessions and as many others as it takes; events a second.

    The first known session gets ``LONG_SESSION`` events, every other one ``PER_SESSION``.
    """

    async def all_in() -> float:
        database = Database(f"sqlite:///{file}")
        await asyncio.to_thread(database.prepare)
        log = LogWriter(database.log, LocalBus(), max_waiting=50_000, max_commit=2_000)
        log.start()
        sessions = [*known, *(new_id() for _ in range(events // PER_SESSION - len(known)))]
        chance = random.Random(2)
        now = int(time.time() * 1000)
        began = time.perf_counter()
        waiting: list[Any] = []

        def append(session: str, first: int) -> None:
            page = [(seq, *chance.choice(DATA)) for seq in range(first, first + PER_BATCH)]
            batch = PageEvents("prefill", [(seq, kind, now + seq, data) for seq, kind, data in page])
            waiting.append(log.append(Append(session, organization, page=batch)))

        for first in range(1, LONG_SESSION, PER_BATCH):
            # some hundred exams at a time, each in turn
            if first < PER_SESSION:
                for session in sessions:
                    append(session, first)
                    if len(waiting) >= 400:
                        await asyncio.gather(*waiting)
                        waiting.clear()
            else:
                append(sessions[0], first)
        await asyncio.gather(*waiting)
        taken = time.perf_counter() - began
        await log.close()
        await database.close()
        return events / taken

    return run(all_in())


def _ingest(program: Product, candidates: list[tuple[str, str]], batches: int) -> float:
    """Seconds that events take."""
    timing = run(drive(program.url, requests(candidates, bodies(batches))))
    if timing.failed:
        raise RuntimeError(f"{timing.failed} batches were refused")
    return timing.seconds


def _read(program: Product, session: str, **query: Any) -> float:
    """Milliseconds of reading a session's events over HTTP, median of 15."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        answer = program.staff.get(f"/api/v1/sessions/{session}/events", params=query)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200 or not answer.json()["items"]:
            raise RuntimeError(f"{answer.status_code}, no events")
    return round(median(times), 1)


def growth(folder: Path, events: int, *, batches: int = 100, rounds: int = 5) -> dict[str, Any]:
    """Throughput with ``events`` stored beside a new database's, in turns, and latencies of reading; SQLite."""
    data = folder / f"growth-{events}"
    file = data / "openproctor.db"
    with product(data) as program:
        candidates = program.candidates(CONNECTIONS)
    with closing(sqlite3.connect(file)) as connection:
        [organization] = connection.execute("SELECT id FROM organizations").fetchone()
    filled = fill(file, organization, [session for session, _ in candidates], events)
    size = file.stat().st_size
    began = time.perf_counter()
    with product(data) as full, product(folder / "growth-none") as empty:
        started = full.ready_at - began
        others = empty.candidates(CONNECTIONS)
        longest, usual = candidates[0][0], candidates[1][0]
        reads = {
            "page_ms": _read(full, usual, after=PER_SESSION // 2, limit=200),
            "page_of_1000_ms": _read(full, usual, limit=1000),
            "page_in_long_session_ms": _read(full, longest, after=LONG_SESSION // 2, limit=200),
            "of_one_type_ms": _read(full, usual, type_id=1022, limit=200),
            "of_one_type_in_long_session_ms": _read(full, longest, type_id=1022, limit=200),
        }
        turns = [(_ingest(empty, others, batches), _ingest(full, candidates, batches)) for _ in range(rounds)]
    count = CONNECTIONS * batches * PER_BATCH
    return {
        "stored_events": events,
        "file_bytes_per_event": round(size / events),
        "filled_events_per_s": round(filled),
        "events_per_s_empty": round(median(count / without for without, _ in turns)),
        "events_per_s_full": round(median(count / with_all for _, with_all in turns)),
        "kept": round(median(without / with_all for without, with_all in turns), 3),
        "start_s": round(started, 2),
        **reads,
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(growth(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000), indent=1))


if __name__ == "__main__":
    main()
