"""``python -m benchmarks.analysis_cost``: what the analysis costs, in CPU time of the real worker process.

Recordings go to a running server by ``PUT`` as candidates send them, at ``--speed`` times real time; a worker process of its
own takes them from the store and commits its findings. Its CPU time, divided by the seconds recorded, is the cost. In the
same run the same networks are run bare, on the key frames of the same recordings, and the stages of the pipeline are timed.
"""

import argparse
import base64
import hashlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks.processes import cpu_seconds, resident_mb
from benchmarks.programs import Product, product, started
from benchmarks.recordings import Recording, hard, ordinary
from benchmarks.stages import watched
from openproctor.analysis.coded import Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.repository import DONE
from openproctor.analysis.samples import Segment, chunk_segment
from openproctor.analysis.settings import AnalysisSettings
from openproctor.vision.geometry import Image

PATIENCE_S = 240


# -- the worker process ------------------------------------------------------------------------------------------------


class Sender:
    """Candidates that send recordings at the pace of a camera."""

    def __init__(self, program: Product) -> None:
        self._program = program
        self._http = httpx.Client(base_url=program.url, timeout=60)
        self.sessions: list[tuple[str, str]] = []

    def send(self, recordings: list[Recording], speed: float) -> None:
        """All recordings side by side, each chunk when it is recorded, then the exam is handed in."""
        people = self._program.candidates(len(recordings))
        self.sessions += people
        started_at = round(time.time() * 1000)
        due = sorted(
            (max(0, blob.from_ms) / 1000 + 2 * index / len(recordings), index, number)
            for index, one in enumerate(recordings)
            for number, blob in enumerate(one.blobs)
        )
        begun = time.monotonic()
        for at, index, number in due:
            time.sleep(max(0.0, begun + at / speed - time.monotonic()))
            self._put(*people[index], number, recordings[index].blobs[number].data, started_at)
        for (session, token), one in zip(people, recordings, strict=True):
            body = {"outcome": "finished", "manifest": {"streams": {}, "tracks": {"camera": len(one.blobs) - 1}}}
            headers = {"Authorization": f"Bearer {token}"}
            self._http.post(f"/api/v1/sessions/{session}/finish", json=body, headers=headers).raise_for_status()

    def _put(self, session: str, token: str, number: int, data: bytes, started_at: int) -> None:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "video/mp4",
            "Content-Digest": f"sha-256=:{digest}:",
            "X-Recording-Part": "0",
            "X-Part-Started-At": str(started_at),
        }
        path = f"/api/v1/sessions/{session}/media/camera/chunks/{number}"
        self._http.put(path, content=data, headers=headers).raise_for_status()


def _analysed(database: Path, sessions: int) -> None:
    """Wait until the worker is through with all sessions."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            (done,) = connection.execute("select count(*) from analyses where lease_until >= ?", (DONE,)).fetchone()
        if done >= sessions:
            return
        time.sleep(0.2)
    raise RuntimeError(f"the worker did not finish {sessions} sessions in {PATIENCE_S} s")


def worker_cost(recordings: list[Recording], folder: Path, speed: float) -> dict[str, Any]:
    """CPU of the worker process over recordings sent side by side, from stored chunks to committed events."""
    data = folder / "data"
    with product(data) as program, started(["openproctor", "worker", "--data", str(data)]) as worker:
        database, sender = data / "openproctor.db", Sender(program)
        sender.send([Recording("warm-up", recordings[0].blobs[:4])], 2.0)
        _analysed(database, 1)
        before = cpu_seconds(worker.pid)
        sender.send(recordings, speed)
        _analysed(database, 1 + len(recordings))
        used, memory = cpu_seconds(worker.pid) - before, resident_mb(worker.pid)
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            found = dict(
                connection.execute("select type_id, count(*) from events where source = 'analysis' group by type_id")
            )
            failed = connection.execute("select count(*) from events where type_id = 1062").fetchone()[0]
    seconds = sum(one.seconds for one in recordings)
    return {
        "cpu_ms_per_candidate_second": round(used / seconds * 1000, 2),
        "candidates_per_core": round(seconds / used, 1),
        "sittings": len(recordings),
        "recorded_seconds": seconds,
        "events_committed": {str(type_id): count for type_id, count in sorted(found.items())},
        "chunks_not_analysed": failed,
        "worker_memory_mb": memory,
    }


# -- in this process: bare inference, and the stages -------------------------------------------------------------------


def _segments(recording: Recording) -> Iterator[Segment]:
    decoders = Decoders()
    for number, blob in enumerate(recording.blobs[1:], 1):
        yield chunk_segment(
            number=number,
            digest="",
            part=0,
            origin=0,
            init=recording.blobs[0].data,
            media=blob.data,
            decoders=decoders,
        )


def bare(pictures: list[Image], detectors: Detectors) -> float:
    """CPU seconds of the face and the object network on pictures: shrunk, inferred, read, nothing else."""
    begun = time.process_time()
    for picture in pictures:
        detectors.faces.find(picture, 0.5)
        detectors.objects.find(picture, 0.5, None)
    return time.process_time() - begun


def in_process(recordings: list[Recording], detectors: Detectors) -> dict[str, Any]:
    """Bare inference on all key frames, and the table of the pipeline's stages."""
    seconds = sum(one.seconds for one in recordings)
    pictures = [frame.image for one in recordings for segment in _segments(one) for frame in segment.samples()]
    bare(pictures[:3], detectors)
    networks = bare(pictures, detectors)
    with watched(detectors) as stages:
        for recording in recordings:
            analysis = Analysis(detectors, AnalysisSettings())
            before: Segment | None = None
            for segment in _segments(recording):
                analysis.step(segment, lambda before=before: before)  # type: ignore[misc]
                before = segment
            analysis.finish()
    return {
        "bare_ms_per_candidate_second": round(networks / seconds * 1000, 2),
        "key_frames": len(pictures),
        "pipeline_ms_per_candidate_second": round(stages.total / seconds * 1000, 2),
        "of_which_networks_ms": round(stages.networks() / seconds * 1000, 2),
        "stages": stages.table(seconds),
    }


def measure(recordings: list[Recording], detectors: Detectors, speed: float) -> dict[str, Any]:
    """Everything about one kind of sitting."""
    with tempfile.TemporaryDirectory() as folder:
        cost = worker_cost(recordings, Path(folder), speed)
    inside = in_process(recordings, detectors)
    whole = cost["cpu_ms_per_candidate_second"]
    return {
        **cost,
        "ratio_to_bare": round(whole / inside["bare_ms_per_candidate_second"], 3),
        "store_database_and_process_ms": round(whole - inside["pipeline_ms_per_candidate_second"], 2),
        **inside,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=240, help="length of the ordinary sittings")
    parser.add_argument("--candidates", type=int, default=8, help="ordinary sittings side by side")
    parser.add_argument("--speed", type=float, default=8.0, help="how much faster than in life the chunks come")
    parser.add_argument("--runtime", default="openvino")
    parser.add_argument("--only", choices=("ordinary", "hard"))
    given = parser.parse_args()
    detectors = Detectors(given.runtime)
    results: dict[str, Any] = {"runtime": detectors.faces.runtime, "speed": given.speed}
    if given.only != "hard":
        made = ordinary(given.seconds)
        several = [made[number % len(made)] for number in range(given.candidates)]
        results["ordinary"] = measure(several, detectors, given.speed)
    if given.only != "ordinary":
        results["hard"] = measure(hard(), detectors, min(given.speed, 2.0))
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
