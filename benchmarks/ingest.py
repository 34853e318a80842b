"""Events and chunks a second through the whole product, acknowledged after the commit, against the bare program.

Both get the same requests, in turns; the ratio is the median of the turns'. ``python -m benchmarks.ingest
events|chunks [postgresql]`` measures one of them.
"""

import asyncio
import base64
import hashlib
import json
import os
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from benchmarks.loop import Timing, drive, request, run
from benchmarks.programs import Product, bare, cpu_seconds, product
from openproctor.simulation.load_candidate import MIX
from openproctor.simulation.media import CAMERA, Loop, record
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound
from scripts.engines import Postgres

CONNECTIONS = 64
PER_BATCH = 10
SECONDS = 12
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Run:
    """What a load took, and the CPU seconds of the program that took it (not those of a database server)."""

    timing: Timing
    cpu: float


def bodies(batches: int) -> list[list[bytes]]:
    """Bodies of each connection: its own stream, numbers that go on, the mix of events that pages raise."""
    chance = random.Random(1)
    types = [(type_id, make) for type_id, make, _ in MIX]
    weights = [weight for *_, weight in MIX]
    now = int(time.time() * 1000)
    found = []
    for _ in range(CONNECTIONS):
        stream, seq, mine = secrets.token_hex(16), 0, []
        for _ in range(batches):
            events = []
            for type_id, make in chance.choices(types, weights, k=PER_BATCH):
                seq += 1
                events.append({"seq": seq, "type_id": type_id, "at": now + seq, "data": make(chance), "evidence": []})
            mine.append(json.dumps({"stream": stream, "sent_at": now, "events": events}).encode())
        found.append(mine)
    return found


def requests(candidates: list[tuple[str, str]], given: list[list[bytes]]) -> list[list[bytes]]:
    """Requests of each candidate: (session, token), and the bodies to send."""
    return [
        [
            request("POST", f"/api/v1/sessions/{session}/events", {**JSON, "Authorization": f"Bearer {token}"}, body)
            for body in each
        ]
        for (session, token), each in zip(candidates, given, strict=True)
    ]


@contextmanager
def _database(engine: str) -> Iterator[Postgres | None]:
    if engine != "postgresql":
        yield None
        return
    with Postgres() as server:
        yield server


def _new_database(server: Postgres | None) -> str | None:
    if server is None:
        return None
    name = f"bench_{secrets.token_hex(4)}"

    async def make() -> None:
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make())
    return server.database_url(name)


def _driven(url: str, pid: int, prepared: list[list[bytes]]) -> Run:
    os.sync()  # what the one before left to be written is not this one's work
    before = cpu_seconds(pid)
    timing = run(drive(url, prepared))
    return Run(timing, cpu_seconds(pid) - before)


def _turn(folder: Path, given: list[list[bytes]], server: Postgres | None) -> tuple[Run, Run]:
    """Product, then the bare program, with the same requests."""
    url = _new_database(server)
    with product(folder / "product", **({"database_url": url} if url else {})) as program:
        prepared = requests(program.candidates(CONNECTIONS), given)
        before = _stored(program)
        ours = _driven(program.url, program.pid, prepared)
        count = _stored(program) - before
    if count != sum(map(len, given)) * PER_BATCH:
        raise RuntimeError(f"{count} events were stored")
    with bare(folder / "bare", _new_database(server)) as (url, pid):
        theirs = _driven(url, pid, prepared)
    return ours, theirs


def _stored(program: Product) -> int:
    page = program.staff.get("/api/v1/sessions", params={"limit": CONNECTIONS}).json()["items"]
    return sum(session["last_sequence"] for session in page)


def events(folder: Path, *, engine: str = "sqlite", batches: int = 150, rounds: int = 3) -> dict[str, Any]:
    """Events a second."""
    given = bodies(batches)
    with _database(engine) as server:
        turns = [_turn(folder / f"events-{number}", given, server) for number in range(rounds)]
    return _compare("events/s", CONNECTIONS * batches * PER_BATCH, turns)


def chunks(folder: Path, *, each: int = 40, rounds: int = 3) -> dict[str, Any]:
    """Chunks a second by ``PUT``: digest, durable file, row in the chain; against writing and syncing the same bytes."""
    loop = Loop(record(camera_frames(Script(SECONDS, seed=9), CAMERA), CAMERA, room_sound(SECONDS, (), (), 9)))
    blobs = [loop.blob(number).data for number in range(each)]
    turns = []
    for turn in range(rounds):
        with product(folder / f"chunks-{turn}" / "product") as program:
            prepared = []
            for session, token in program.candidates(CONNECTIONS):
                base = f"/api/v1/sessions/{session}/media/camera/chunks"
                prepared.append(
                    [request("PUT", f"{base}/{n}", _headers(token, data), data) for n, data in enumerate(blobs)]
                )
            ours = _driven(program.url, program.pid, prepared)
        with bare(folder / f"chunks-{turn}" / "bare") as (url, pid):
            turns.append((ours, _driven(url, pid, prepared)))
    result = _compare("chunks/s", CONNECTIONS * each, turns)
    size = sum(map(len, blobs)) / len(blobs)
    result["megabytes_per_second"] = round(result["ours"] * size / 1e6, 1)
    result["chunk_bytes"] = round(size)
    return result


def _headers(token: str, data: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "video/mp4",
        "Content-Digest": f"sha-256=:{digest}:",
        "X-Recording-Part": "0",
        "X-Part-Started-At": str(int(time.time() * 1000)),
    }


def _compare(unit: str, count: int, turns: list[tuple[Run, Run]]) -> dict[str, Any]:
    mine, bare = [ours.timing for ours, _ in turns], [theirs.timing for _, theirs in turns]
    return {
        "unit": unit,
        "connections": CONNECTIONS,
        "ours": round(median(count / timing.seconds for timing in mine)),
        "bare": round(median(count / timing.seconds for timing in bare)),
        "ratio": round(median(b.seconds / o.seconds for o, b in zip(mine, bare, strict=True)), 3),
        "cpu_us": round(median(ours.cpu for ours, _ in turns) / count * 1e6, 1),
        "bare_cpu_us": round(median(theirs.cpu for _, theirs in turns) / count * 1e6, 1),
        "p50_ms": round(median(timing.percentile(0.5) for timing in mine), 1),
        "p99_ms": round(median(timing.percentile(0.99) for timing in mine), 1),
        "bare_p99_ms": round(median(timing.percentile(0.99) for timing in bare), 1),
        "failed": sum(timing.failed for timing in mine + bare),
    }


def main() -> None:
    """Measure one and print."""
    what, engine = sys.argv[1], (sys.argv[2:] or ["sqlite"])[0]
    with tempfile.TemporaryDirectory() as folder:
        result = events(Path(folder), engine=engine) if what == "events" else chunks(Path(folder))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
