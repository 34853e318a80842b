"""Somebody sets the clock: of the server's machine, or of the candidate's."""

import asyncio
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openproctor.simulation.candidate import Candidate
from openproctor.simulation.media import CAMERA, Loop, record
from openproctor.simulation.readback import compare, read_events
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound
from tests.faults.loads import Row, first_event, only_full, under_load
from tests.live import LiveServer

HOUR = 3_600


class Clock:
    """The wall clock of a server."""

    def __init__(self, note: Path) -> None:
        self.note = note
        self.set(0)

    def set(self, seconds: float) -> None:
        """Let it show so much more, or less, than the machine's."""
        new = self.note.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.note)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[LiveServer]:
    """A server whose clock can be set."""
    settings = {"workers": 0, "heartbeat_ms": 500, "heartbeat_limit_ms": 2_000, "finish_grace_minutes": 1}
    live = LiveServer(tmp_path, **settings)
    assert live.key
    live.program = [sys.executable, str(Path(__file__).with_name("shifted.py")), str(clock.note)]
    with live:
        yield live


@pytest.mark.slow
@pytest.mark.parametrize("jump", [-HOUR, pytest.param(HOUR, marks=only_full)])
def test_the_servers_clock_jumps_by_an_hour_under_load(
    server: LiveServer, clock: Clock, request: pytest.FixtureRequest, jump: int
) -> None:
    words = "back" if jump < 0 else "forward"
    with under_load(request, f"server's clock jumps {words} an hour", 1, server.url, server.key, moved=True) as there:
        clock.set(jump)
        time.sleep(4)
        # nobody was taken for silent, and nobody stays for ever
        assert there() == 20
    log = server.log.read_text()
    assert "the clock of this machine was changed" in log
    assert "Traceback" not in log


async def test_after_a_jump_back_silence_offline_and_the_recording_are_noted_as_always(
    server: LiveServer, clock: Clock
) -> None:
    script = Script(6, spoken=((1, 3),))
    loop = Loop(await asyncio.to_thread(lambda: list(record(camera_frames(script), CAMERA, room_sound(6)))))
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as staff:
        policy = {"checks": [], "offline_ms": 2_000, "tracks": {"camera": {}, "screen": None}}
        exam = (await staff.post("/api/v1/exams", json={"title": "Clock", "policy": policy})).json()
        person = {"external_id": secrets.token_hex(6), "name": "Synthetic Candidate"}
        made = (await staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": person})).json()
        async with Candidate(server.url, made["join_url"]) as candidate:
            await candidate.join()
            candidate.heartbeat_s = 0.5
            await candidate.connect()
            await candidate.start()
            began = candidate.clock.now()
            for number in range(3):
                assert (await candidate.put_chunk("camera", number, loop.blob(number), started_at=began)).is_success
            clock.set(-HOUR)
            for number in range(3, 6):
                assert (await candidate.put_chunk("camera", number, loop.blob(number), started_at=began)).is_success
            await candidate.say(7, {"idle_ms": 1})
            told = await first_event(staff, candidate.session_id, 1061)
            assert told["data"]["where"] == "server"
            assert abs(told["data"]["change_ms"] + HOUR * 1000) < 5_000
            await candidate.cut()
            await first_event(staff, candidate.session_id, 10)
            await first_event(staff, candidate.session_id, 181)
            await candidate.connect()
            await first_event(staff, candidate.session_id, 1063)
            media = (await staff.get(f"/api/v1/sessions/{candidate.session_id}/media/camera")).json()
            assert len(media["spans"]) == 1, "one recording, whatever the clock said"
            assert (await candidate.finish())["state"] == "completed"
            found = await compare(staff, candidate.session_id, candidate.ledger)
            # the event may have been moved to another time, so it is counted and not looked for
            assert (found.events_stored, found.chunks_stored) == (found.events_acknowledged, 6) == (1, 6)
            assert (found.chunks_lost, found.repeated) == (0, 0)


@pytest.mark.parametrize(
    "how", ["time_up", pytest.param("abandoned", marks=only_full), pytest.param("finished", marks=only_full)]
)
async def test_what_never_arrives_is_a_gap_with_its_extent(server: LiveServer, clock: Clock, how: str) -> None:
    script = Script(6, spoken=((1, 3),))
    loop = Loop(await asyncio.to_thread(lambda: list(record(camera_frames(script), CAMERA, room_sound(6)))))
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as staff:
        minutes = 30 if how == "time_up" else None
        policy: dict[str, Any] = {
            "checks": [],
            "minutes": minutes,
            "offline_ms": 500,
            "tracks": {"camera": {}, "screen": None},
        }
        exam = (await staff.post("/api/v1/exams", json={"title": "Gaps", "policy": policy})).json()
        person = {"external_id": secrets.token_hex(6), "name": "Synthetic Candidate"}
        made = (await staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": person})).json()
        address = f"/api/v1/sessions/{made['id']}"
        async with Candidate(server.url, made["join_url"]) as candidate:
            await candidate.join()
            await candidate.connect()
            await candidate.start()
            began = candidate.clock.now()
            for number in (0, 1, 2, 4, 5):
                assert (await candidate.put_chunk("camera", number, loop.blob(number), started_at=began)).is_success
            if how == "finished":
                body = {"manifest": {"streams": {}, "tracks": {"camera": 7}}}
                answer = await candidate.http.post(f"{address}/finish", json=body)
                assert answer.json() == {"state": "running", "missing": {"events": 0, "chunks": {"camera": [3, 6, 7]}}}
            await candidate.cut()
        await first_event(staff, made["id"], 181)
        # the exam's time, then the time that is waited for what the page still keeps
        clock.set(31 * 60)
        if how == "time_up":
            await first_event(staff, made["id"], 1071)
        clock.set(33 * 60)
        done = await first_event(staff, made["id"], 113, 90)
        assert done["data"]["outcome"] == how
        session = (await staff.get(address)).json()
        spans = (await staff.get(f"{address}/media/camera")).json()["spans"]
        gaps = [e for e in await read_events(staff, made["id"]) if e["type_id"] == 1060]
        found = [(e["data"].get("numbers"), e["data"]["from"], e["data"]["until"]) for e in gaps]
        assert [numbers for numbers, _, _ in found] == [[3], [6, 7] if how == "finished" else None]
        inner, last = found
        # to the frame where the recording breaks off, and where it goes on or the exam ended
        assert abs(inner[1] - spans[0]["until"]) < 100
        assert abs(inner[2] - spans[1]["from"]) < 100
        assert abs(last[1] - spans[-1]["until"]) < 100
        assert last[2] == max(session["finish_requested_at"], last[1])
        assert all(e["source"] == "server" and e["occurred_at"] == e["data"]["from"] for e in gaps)


@pytest.mark.parametrize("jump", [-HOUR, pytest.param(HOUR, marks=only_full)])
async def test_the_pages_clock_jumps_by_an_hour(server: LiveServer, request: pytest.FixtureRequest, jump: int) -> None:
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as staff:
        policy = {"checks": [], "tracks": {"camera": None, "screen": None}}
        exam = (await staff.post("/api/v1/exams", json={"title": "Clock", "policy": policy})).json()
        person = {"external_id": secrets.token_hex(6), "name": "Synthetic Candidate"}
        made = (await staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": person})).json()
        async with Candidate(server.url, made["join_url"]) as candidate:
            await candidate.join()
            await candidate.connect()
            await candidate.start()
            for number in range(200):
                at = candidate.clock.now() + number + (jump * 1000 if number >= 100 else 0)
                candidate.note(7, {"idle_ms": number}, at=at)
            await candidate.flush()
            session = (await staff.get(f"/api/v1/sessions/{candidate.session_id}")).json()
            stored = [e for e in await read_events(staff, candidate.session_id) if e["type_id"] == 7]
            assert [e["data"]["idle_ms"] for e in stored] == list(range(200))
            for event in stored:
                assert session["created_at"] - 2_000 <= event["occurred_at"] <= event["received_at"] + 2_000
            words = "back" if jump < 0 else "forward"
            row = Row(
                f"page's clock jumps {words} an hour", 1, 200, len(candidate.ledger.events), len(stored), 0, 0, ""
            )
            row.note(request)
            assert row.acknowledged == row.stored == 200
