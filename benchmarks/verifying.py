"""How fast ``openproctor verify`` goes through the bundle of a three-hour session, beside hashing the same file."""

import asyncio
import base64
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.loop import drive, request
from benchmarks.programs import Product, product
from openproctor.simulation.media import CAMERA, SCREEN, Loop, record

HOURS = 3
CHUNK_SECONDS = 2
EVENTS = 5_000
PER_BATCH = 50
JSON = {"Content-Type": "application/json"}


def verifying(folder: Path, *, hours: float = HOURS, rounds: int = 3) -> dict[str, Any]:
    """Megabytes a second of the whole command, start-up included, and of SHA-256 alone over the same bytes."""
    folder.mkdir(parents=True)
    bundle = folder / "bundle.tar"
    with product(folder / "product") as program:
        made = _three_hours(program, bundle, hours)
    size = bundle.stat().st_size
    ours, theirs = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        with bundle.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        theirs.append(time.perf_counter() - began)
        began = time.perf_counter()
        command = [sys.executable, "-m", "openproctor", "verify", str(bundle)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ours.append(time.perf_counter() - began)
    bundle.unlink()
    return {
        "unit": "MB/s",
        "ours": round(size / 1e6 / min(ours)),
        "bare": round(size / 1e6 / min(theirs)),
        "ratio": round(min(theirs) / min(ours), 2),
        "seconds": round(min(ours), 1),
        "megabytes": round(size / 1e6),
        **made,
    }


def _three_hours(program: Product, bundle: Path, hours: float) -> dict[str, int]:
    """Record a session of so many hours, quicker than it would last, and download its bundle."""
    import numpy as np

    count = round(hours * 3600 / CHUNK_SECONDS)
    noise = np.random.default_rng(1)
    [(session, token)] = program.candidates(1, {"tracks": {"camera": {}, "screen": {}}, "minutes": 600})
    address = f"/api/v1/sessions/{session}"
    credentials = {"Authorization": f"Bearer {token}"}
    requests = []
    for track, format_ in (("camera", CAMERA), ("screen", SCREEN)):
        size = (format_.height, format_.width, 3)
        frames = [noise.integers(0, 255, size, dtype=np.uint8) for _ in range(4 * format_.frame_rate)]
        loop = Loop(record(frames, format_))
        sent = []
        for number in range(count + 1):
            data = loop.blob(number).data
            digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
            headers = {
                **credentials,
                "Content-Type": "video/mp4",
                "Content-Digest": f"sha-256=:{digest}:",
                "X-Recording-Part": "0",
                "X-Part-Started-At": str(int(time.time() * 1000)),
            }
            sent.append(request("PUT", f"{address}/media/{track}/chunks/{number}", headers, data))
        requests.append(sent)
    requests.append([request("POST", f"{address}/events", {**credentials, **JSON}, body) for body in _batches()])
    timing = asyncio.run(drive(program.url, requests))
    if timing.failed:
        raise RuntimeError(f"{timing.failed} requests failed")
    manifest = {"streams": {"bench": EVENTS}, "tracks": {"camera": count, "screen": count}}
    finished = program.staff.post(f"{address}/finish", json={"manifest": manifest}, headers=credentials).json()
    if finished["state"] != "completed":
        raise RuntimeError(f"the session is {finished['state']}")
    with bundle.open("wb") as file, program.staff.stream("GET", f"{address}/bundle") as answer:
        answer.raise_for_status()
        for data in answer.iter_bytes(1 << 20):
            file.write(data)
    return {"chunks": 2 * (count + 1), "events": EVENTS}


def _batches() -> list[bytes]:
    now = int(time.time() * 1000)
    numbers = range(1, EVENTS + 1)
    events = [{"seq": n, "type_id": 5, "at": now, "data": {"reason": "blur"}, "evidence": []} for n in numbers]
    return [
        json.dumps({"stream": "bench", "sent_at": now, "events": events[first : first + PER_BATCH]}).encode()
        for first in range(0, EVENTS, PER_BATCH)
    ]
