"""The sample session of the demo: a sitting in the minutes before now, with everything at its right second."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openproctor.simulation.demo import (
    CANDIDATE,
    LINE_BACK,
    LINE_LOST,
    SAMPLE_EXAM,
    SCREEN_BACK,
    SCREEN_STOPPED,
    SITTING,
)
from tests.live import LiveServer

# A server whose clock the sitting sets. Small pictures do here: what is seen in the real ones is tested elsewhere.
MAKER = """
import os, signal, sys, time
from pathlib import Path

from openproctor import clock
held = []
clock.now_ms = lambda: held[-1] if held else time.time_ns() // 1_000_000

import numpy as np
from openproctor.config import Settings
from openproctor.server import run_server
from openproctor.simulation import demo
from openproctor.simulation.media import TrackFormat, record

SMALL = TrackFormat(160, 120, 1, 50_000)

def part(seconds):
    return list(record((np.full((120, 160, 3), n % 256, np.uint8) for n in range(seconds)), SMALL))

async def play(url):
    try:
        demo.ANALYSIS_SECONDS = 0
        recording = demo.Recording(part(192), part(demo.SCREEN_STOPPED), part(192 - demo.SCREEN_BACK))
        print(await demo.play_sample_session(url, sys.argv[2], recording=recording, set_clock=held.append), flush=True)
        print(await demo.play_sample_session(url, sys.argv[2]), flush=True)
    finally:
        held.clear()
        os.kill(os.getpid(), signal.SIGTERM)

run_server(Settings(data_dir=Path(sys.argv[1]), port=0, workers=0), play)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """A client of an ordinary server, and the session that was made before it started."""
    with LiveServer(tmp_path_factory.mktemp("demo"), workers=0) as server:
        key = server.key
        server.stop()
        maker = subprocess.run(
            [sys.executable, "-c", MAKER, str(server.data), key],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=Path(__file__).parents[2],
        )
        ids = maker.stdout.split()
        # the second call found the session completed and made no other
        assert len(ids) == 2, maker.stderr[-3000:]
        assert ids[0] == ids[1]
        server.start()
        with server.client() as client:
            yield client, ids[0]


@pytest.fixture(scope="module")
def session(made: tuple[httpx.Client, str]) -> dict[str, Any]:
    client, session_id = made
    found: dict[str, Any] = client.get(f"/api/v1/sessions/{session_id}").json()
    return found


@pytest.fixture(scope="module")
def events(made: tuple[httpx.Client, str]) -> list[dict[str, Any]]:
    client, session_id = made
    found: list[dict[str, Any]] = client.get(f"/api/v1/sessions/{session_id}/events").json()["items"]
    return found


def test_the_sample_session_is_completed_and_lies_in_the_past(session: dict[str, Any]) -> None:
    assert session["state"] == "completed"
    assert session["exam"]["title"] == SAMPLE_EXAM["title"]
    assert session["candidate"]["external_id"] == CANDIDATE["external_id"]
    assert all(check["state"] == "passed" for check in session["checks"])
    assert session["created_at"] <= session["joined_at"] < session["started_at"] < session["completed_at"]
    assert session["completed_at"] - session["started_at"] == pytest.approx((SITTING.seconds + 1) * 1000, abs=2000)


def test_events_are_in_the_order_in_which_they_happened(session: dict[str, Any], events: list[dict[str, Any]]) -> None:
    # what happened without a line, and the recorder's start, are told later
    told = [e["occurred_at"] for e in events if e["type_id"] not in (13, 158, 181)]
    assert told == sorted(told)
    # the clock stands while no two events have the same time: a few ms
    late = [e for e in events if not e["occurred_at"] - 5 <= e["received_at"] <= session["completed_at"]]
    assert late == []


def test_every_event_is_at_its_second(session: dict[str, Any], events: list[dict[str, Any]]) -> None:
    began = session["started_at"] + 1000
    seconds = {(e["type_id"], (e["occurred_at"] - began) / 1000) for e in events if e["occurred_at"] >= began}
    wanted = {
        (13, 0),
        (13, SCREEN_BACK),
        (5, 70),
        (4, 82),
        (12, SCREEN_STOPPED),
        (14, SCREEN_STOPPED),
        (1006, SCREEN_BACK),
        (6, 154),
        (7, 160),
        (10, LINE_LOST),
        (158, LINE_LOST + 6),
        (158, LINE_LOST + 14),
        (9, LINE_BACK),
        (1063, LINE_BACK),
        (14, SITTING.seconds),
        (113, SITTING.seconds),
    }
    assert wanted - seconds == set()
    (offline,) = [e for e in events if e["type_id"] == 181]
    assert offline["data"]["from"] == began + LINE_LOST * 1000


def test_the_recordings_are_whole_but_for_the_screen_that_was_not_shared(
    made: tuple[httpx.Client, str], session: dict[str, Any]
) -> None:
    client, session_id = made
    began = session["started_at"] + 1000
    camera, screen = (
        client.get(f"/api/v1/sessions/{session_id}/media/{track}").json() for track in ("camera", "screen")
    )
    assert [(s["from"] - began, s["until"] - began) for s in camera["spans"]] == [(0, SITTING.seconds * 1000)]
    assert screen["gaps"] == [{"from": began + SCREEN_STOPPED * 1000, "until": began + SCREEN_BACK * 1000}]
