"""Events and chunks a second through the whole product, acknowledged after the commit, against the bare program."""

import asyncio
import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.loop import Timing, drive, request
from benchmarks.programs import bare, product
from openproctor.simulation.media import CAMERA, Loop, record

CONNECTIONS = 64
PER_BATCH = 10
JSON = {"Content-Type": "application/json"}


def _bodies(batches: int) -> list[list[bytes]]:
    """Bodies of each connection: its own stream, numbers that go on."""
    now = int(time.time() * 1000)
    return [
        [
            json.dumps(
                {
                    "stream": f"stream-{connection}",
                    "sent_at": now,
                    "events": [
                        {
                            "seq": batch * PER_BATCH + n + 1,
                            "type_id": 5,
                            "at": now,
                            "data": {"reason": "blur"},
                            "evidence": [],
                        }
                        for n in range(PER_BATCH)
                    ],
                }
            ).encode()
            for batch in range(batches)
        ]
        for connection in range(CONNECTIONS)
    ]


def _best(runs: list[Timing]) -> Timing:
    return min(runs, key=lambda timing: timing.seconds)


def events(folder: Path, *, batches: int = 60, rounds: int = 3) -> dict[str, Any]:
    """Events a second, the bare program and the product in turns; the best round of each counts."""
    bodies = _bodies(batches)
    plain = [[request("POST", "/events", JSON, body) for body in each] for each in bodies]
    ours: list[Timing] = []
    theirs: list[Timing] = []
    for turn in range(rounds):
        with bare(folder / f"bare-{turn}") as url:
            theirs.append(asyncio.run(drive(url, plain)))
        with product(folder / f"product-{turn}") as program:
            candidates = program.candidates(CONNECTIONS)
            prepared = [
                [
                    request(
                        "POST", f"/api/v1/sessions/{session}/events", {**JSON, "Authorization": f"Bearer {token}"}, b
                    )
                    for b in each
                ]
                for (session, token), each in zip(candidates, bodies, strict=True)
            ]
            ours.append(asyncio.run(drive(program.url, prepared)))
    count = CONNECTIONS * batches * PER_BATCH
    return _compare("events/s", count, _best(ours), _best(theirs))


def chunks(folder: Path, *, each: int = 20, rounds: int = 3) -> dict[str, Any]:
    """Chunks a second by ``PUT``: digest, durable file, row in the chain; against writing and syncing the same bytes."""
    import numpy as np

    noise = np.random.default_rng(1)
    frames = [noise.integers(0, 255, (480, 640, 3), dtype=np.uint8) for _ in range(60)]
    loop = Loop(record(frames, CAMERA))
    blobs = [loop.blob(number).data for number in range(each)]
    plain = [[request("PUT", "/chunks/1", {}, data) for data in blobs] for _ in range(CONNECTIONS)]
    ours: list[Timing] = []
    theirs: list[Timing] = []
    for turn in range(rounds):
        with bare(folder / f"bare-{turn}") as url:
            theirs.append(asyncio.run(drive(url, plain)))
        with product(folder / f"product-{turn}") as program:
            prepared = []
            for session, token in program.candidates(CONNECTIONS):
                base = f"/api/v1/sessions/{session}/media/camera/chunks"
                prepared.append(
                    [request("PUT", f"{base}/{n}", _headers(token, data), data) for n, data in enumerate(blobs)]
                )
            ours.append(asyncio.run(drive(program.url, prepared)))
    result = _compare("chunks/s", CONNECTIONS * each, _best(ours), _best(theirs))
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


def _compare(unit: str, count: int, ours: Timing, theirs: Timing) -> dict[str, Any]:
    return {
        "unit": unit,
        "ours": round(count / ours.seconds),
        "bare": round(count / theirs.seconds),
        "ratio": round(theirs.seconds / ours.seconds, 3),
        "p50_ms": round(ours.percentile(0.5), 1),
        "p99_ms": round(ours.percentile(0.99), 1),
        "failed": ours.failed + theirs.failed,
    }
