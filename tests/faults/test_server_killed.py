"""Nothing acknowledged is lost and nothing is there twice, also when the server dies without a chance to tidy up.

Killed twice in a row, twenty times by ``make test-faults``.
"""

import asyncio
import contextlib
import random
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from openproctor.simulation.candidate import Candidate, LineLost
from openproctor.simulation.load import Plan, Report, run_load
from openproctor.simulation.media import CAMERA, Loop, record
from openproctor.simulation.readback import compare, read_events
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound
from tests.faults.loads import ROUNDS, Row
from tests.live import LiveServer

CANDIDATES = 40


def load_in_background(server: LiveServer, seconds: float, stop: threading.Event | None = None) -> "Future[Report]":
    end = stop or threading.Event()
    plan = Plan(CANDIDATES, seconds, events_per_s=2, chunks_per_s=8, patience_s=90, stop=end)
    pool = ThreadPoolExecutor(1)
    future = pool.submit(run_load, server.url, server.key, plan=plan)
    pool.shutdown(wait=False)
    return future


def wait_for_sockets(server: LiveServer, count: int, within_s: float = 60) -> None:
    """Until so many candidates are connected, by the server's own count."""
    deadline = time.monotonic() + within_s
    while True:
        metrics = httpx.get(f"{server.url}/metrics").text
        (line,) = (row for row in metrics.splitlines() if row.startswith("openproctor_candidates_connected "))
        if float(line.split()[1]) >= count:
            return
        assert time.monotonic() < deadline, f"{line}, wanted {count}"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_nothing_acknowledged_is_lost_when_the_server_dies_under_load(
    server: LiveServer, how: str, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(20)
    stop = threading.Event()
    running = load_in_background(server, 3600, stop)
    wait_for_sockets(server, CANDIDATES)
    for _ in range(ROUNDS):
        # candidates come back within two seconds; die at some moment while they do, or soon after
        time.sleep(chance.uniform(0.3, 3.0))
        assert not running.done()
        if how == "kill":
            server.kill()
        server.restart()
    time.sleep(1)
    stop.set()
    report = running.result(timeout=240)
    print(report.as_text())
    told = f"{report.line['lost_lines']} lines lost"
    row = Row(
        f"the only server, on SQLite: {how}",
        ROUNDS,
        report.sent,
        report.acknowledged,
        report.stored,
        report.lost,
        report.repeated,
        told,
    )
    row.note(request)
    assert (report.lost, report.repeated) == (0, 0)
    assert (report.gave_up, report.refused, report.completed) == (0, 0, CANDIDATES)
    assert report.sent == report.acknowledged == report.stored
    assert report.line["lost_lines"] >= ROUNDS


@pytest.mark.slow
def test_a_kill_while_candidates_join_lets_all_of_them_in(server: LiveServer) -> None:
    running = load_in_background(server, seconds=3)
    wait_for_sockets(server, CANDIDATES // 4)
    server.kill()
    server.restart()
    report = running.result(timeout=240)
    assert (report.lost, report.repeated, report.gave_up, report.completed) == (0, 0, 0, CANDIDATES)


async def test_one_candidates_exam_goes_on_over_a_kill(server: LiveServer) -> None:
    script = Script(6, spoken=((1, 3),))
    loop = Loop(await asyncio.to_thread(lambda: list(record(camera_frames(script), CAMERA, room_sound(6)))))
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as staff:
        policy = {"checks": ["consent"], "offline_ms": 60_000}
        exam = (await staff.post("/api/v1/exams", json={"title": "Killed", "policy": policy})).json()
        person = {"external_id": secrets.token_hex(6), "name": "Synthetic Candidate"}
        made = (await staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": person})).json()
        async with Candidate(server.url, made["join_url"]) as candidate:
            await candidate.join()
            await candidate.connect()
            await candidate.pass_checks()
            await candidate.start()
            began = candidate.clock.now()
            for number in range(4):
                assert (await candidate.put_chunk("camera", number, loop.blob(number), started_at=began)).is_success
            await candidate.say(7, {"idle_ms": 1})

            for number in range(50):
                candidate.note(7, {"idle_ms": 100 + number})
            flushing = asyncio.create_task(candidate.flush())
            uploading = asyncio.create_task(candidate.put_chunk("camera", 4, loop.blob(4), started_at=began))
            await asyncio.to_thread(server.kill)
            for left in (flushing, uploading):
                with contextlib.suppress(*LineLost):
                    await left
            await asyncio.to_thread(server.restart)

            await candidate.connect()
            await candidate.flush()
            for number in range(4, 7):
                assert (await candidate.put_chunk("camera", number, loop.blob(number), started_at=began)).is_success
            assert (await candidate.finish())["state"] == "completed"

            found = await compare(staff, candidate.session_id, candidate.ledger)
            assert (found.lost, found.repeated) == (0, 0)
            assert found.events_stored == found.events_acknowledged == 52
            assert found.chunks_stored == found.chunks_acknowledged == 7
            events = await read_events(staff, candidate.session_id)
            line = [(e["type_id"], e["data"].get("reason")) for e in events if e["type_id"] in (9, 10, 181)]
            assert line == [(9, None), (10, "server_stopped"), (9, None)]
