"""What is told to whoever watches the installation."""

import re
from pathlib import Path

import httpx
import numpy as np

from openproctor.simulation.media import CAMERA, record
from tests.live import LiveServer
from tests.page import Page


def metrics(server: LiveServer) -> dict[str, float]:
    """Name and value of every metric without labels."""
    text = httpx.get(f"{server.url}/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(openproctor_\w+) (\S+)$", text, re.MULTILINE)}


def test_chunks_that_no_worker_looks_at_are_counted(server: LiveServer, page: Page) -> None:
    before = metrics(server)
    frames = (np.full((480, 640, 3), n * 4, np.uint8) for n in range(60))
    blobs = [blob.data for blob in record(frames, CAMERA)]
    for number, data in enumerate(blobs):
        page.put_chunk("camera", number, data)
    after = metrics(server)
    assert after["openproctor_analysis_waiting_chunks"] == before["openproctor_analysis_waiting_chunks"] + len(blobs)
    assert after["openproctor_analysis_lag_seconds"] > before["openproctor_analysis_lag_seconds"]
    assert after["openproctor_log_entries_total"] >= before["openproctor_log_entries_total"] + len(blobs)


def test_metrics_are_not_for_everybody(server: LiveServer, tmp_path: Path) -> None:
    handed_on = httpx.get(f"{server.url}/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
    assert (handed_on.status_code, handed_on.headers["content-type"]) == (403, "application/problem+json")
    with LiveServer(tmp_path, workers=0, metrics_token="a secret of the house") as other:
        assert httpx.get(f"{other.url}/metrics").status_code == 403
        wrong = httpx.get(f"{other.url}/metrics", headers={"Authorization": "Bearer a secret"})
        assert wrong.status_code == 403
        right = {"Authorization": "Bearer a secret of the house", "X-Forwarded-For": "192.0.2.7"}
        assert "openproctor_log_entries_total" in httpx.get(f"{other.url}/metrics", headers=right).text
