"""What a chunk costs the server: taken by the server and put into an S3 store, or put there by the page itself."""

import base64
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from benchmarks.processes import cpu_seconds
from benchmarks.programs import Product, product
from openproctor.isobmff import hollow
from openproctor.simulation.media import CAMERA, Loop, record
from scripts.engines import SeaweedFS

SESSIONS = 8  # at once
CHUNKS = 50  # of each
LINKS = 10  # as the page asks for them


def direct(folder: Path) -> dict[str, Any]:
    """CPU of the server for each chunk of two seconds, ms, both ways in turn on one store."""
    import numpy as np

    noise = np.random.default_rng(1)
    frames = [noise.integers(0, 255, (480, 640, 3), dtype=np.uint8) for _ in range(60)]
    blobs = Loop(record(frames, CAMERA))
    folder.mkdir(parents=True)
    with SeaweedFS() as store:
        settings = {
            "media_url": store.url,
            "media_access_key": store.access_key,
            "media_secret_key": store.secret_key,
            "media_direct": "true",
        }
        with product(folder / "product", **settings) as program:
            through, straight = [], []
            for _ in range(2):
                through.append(_cost(program, blobs, _through_us))
                straight.append(_cost(program, blobs, _straight))
    size = sum(len(blobs.blob(n).data) for n in range(CHUNKS)) / CHUNKS
    return {
        "unit": "ms of the server's CPU a chunk",
        "through_the_server": round(min(through), 2),
        "straight_to_the_store": round(min(straight), 2),
        "ratio": round(min(straight) / min(through), 2),
        "chunk_bytes": round(size),
    }


def _cost(program: Product, blobs: Loop, send: Callable[[str, httpx.Client, Loop], None]) -> float:
    """CPU of the server for each chunk, ms, while several candidates send one after the other."""
    opened = []
    for session, token in program.candidates(SESSIONS, {"tracks": {"camera": {}}}):
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Recording-Part": "0",
            "X-Part-Started-At": str(int(time.time() * 1000)),
        }
        client = httpx.Client(base_url=program.url, headers=headers, timeout=60)
        opened.append((f"/api/v1/sessions/{session}/media/camera", client))
    before = cpu_seconds(program.pid)
    with ThreadPoolExecutor(SESSIONS) as threads:
        list(threads.map(lambda one: send(one[0], one[1], blobs), opened))
    spent = cpu_seconds(program.pid) - before
    for _, client in opened:
        client.close()
    return spent * 1000 / (SESSIONS * CHUNKS)


def _through_us(address: str, client: httpx.Client, blobs: Loop) -> None:
    for number in range(CHUNKS):
        data = blobs.blob(number).data
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        headers = {"Content-Type": "video/mp4", "Content-Digest": f"sha-256=:{digest}:"}
        client.put(f"{address}/chunks/{number}", content=data, headers=headers).raise_for_status()


def _straight(address: str, client: httpx.Client, blobs: Loop) -> None:
    links: list[dict[str, str]] = []
    with httpx.Client(timeout=60) as page:
        for number in range(CHUNKS):
            data = blobs.blob(number).data
            if number % LINKS == 0:
                asked = {"first": number, "count": LINKS}
                links = client.post(f"{address}/uploads", params=asked).raise_for_status().json()["uploads"]
            link = links[number % LINKS]
            page.put(link["url"], content=data).raise_for_status()
            index = hollow(data, b"mdat")
            told = {"upload": link["upload"], "digest": hashlib.sha256(data).hexdigest()}
            client.post(f"{address}/chunks/{number}/uploaded", params=told, content=index).raise_for_status()
