"""A synthetic candidate sits a whole exam at a real server, and everything acknowledged is there afterwards, once."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import av
import httpx
import pytest

from openproctor.simulation.candidate import Candidate, RefusedError
from openproctor.simulation.media import Blob
from openproctor.simulation.readback import compare, read_events, read_track

Enter = Callable[..., Awaitable[Candidate]]
NO_CHECKS: dict[str, object] = {"checks": []}


async def test_a_whole_exam_is_stored_once_and_plays(
    enter: Enter, staff: httpx.AsyncClient, camera_blobs: list[Blob], screen_blobs: list[Blob]
) -> None:
    candidate = await enter()
    await candidate.connect()
    await candidate.pass_checks()
    room = await candidate.start()
    assert room["state"] == "running"
    assert candidate.ledger.refused == []

    last = await candidate.record("camera", camera_blobs)
    await candidate.record("screen", screen_blobs)
    await candidate.say(5, {"reason": "blur"})
    await candidate.say(4, {"away_ms": 1200})
    await candidate.say(14, {"track": "camera", "part": 0, "reason": "finished", "last_number": last - 1})
    answer = await candidate.finish()
    assert answer == {"state": "completed", "missing": {"events": 0, "chunks": {}}}

    comparison = await compare(staff, candidate.session_id, candidate.ledger)
    assert (comparison.lost, comparison.repeated) == (0, 0)
    assert (
        comparison.events_stored == comparison.events_acknowledged == len(candidate.ledger.events) == candidate.last_seq
    )
    assert comparison.chunks_stored == comparison.chunks_acknowledged == 10

    events = await read_events(staff, candidate.session_id)
    seen = {event["type_id"] for event in events}
    assert {3, 9, 13, 14, 17, 26, 34, 60, 113, 145, 146, 149, 154, 156, 159, 161, 1070, 1071, 1080} <= seen
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)
    for track, kinds in (("camera", {"audio", "video"}), ("screen", {"video"})):
        whole = b"".join(data for _, data in await read_track(staff, candidate.session_id, track))
        with av.open(io.BytesIO(whole), "r") as container:
            assert {stream.type for stream in container.streams} == kinds
            frames = list(container.decode(video=0))
        assert frames[-1].time == pytest.approx(8, abs=0.3)


async def test_repeated_late_and_reordered_events_are_stored_once(enter: Enter, staff: httpx.AsyncClient) -> None:
    candidate = await enter(**NO_CHECKS)
    await candidate.connect()
    await candidate.start()
    events = [candidate.note(7, {"idle_ms": number}) for number in range(20)]
    await candidate.send(*events[10:])
    await asyncio.gather(candidate.send(*events[:12]), candidate.send(*events[5:], by_http=True))
    await candidate.cut()
    await candidate.connect()
    await candidate.send(*events)
    comparison = await compare(staff, candidate.session_id, candidate.ledger)
    assert (comparison.events_acknowledged, comparison.events_stored, comparison.repeated) == (20, 20, 0)
    assert not candidate.waiting


async def test_a_chunk_sent_twice_is_there_once_and_other_bytes_are_refused(
    enter: Enter, staff: httpx.AsyncClient, camera_blobs: list[Blob]
) -> None:
    candidate = await enter(**NO_CHECKS)
    await candidate.start()
    at = candidate.clock.now()
    statuses = [
        (await candidate.put_chunk("camera", number, camera_blobs[number], started_at=at)).status_code
        for number in (0, 1, 1, 3, 2, 2)
    ]
    assert statuses == [201, 201, 200, 201, 201, 200]
    refused = await candidate.put_chunk("camera", 1, camera_blobs[3], started_at=at)
    assert refused.status_code == 409
    comparison = await compare(staff, candidate.session_id, candidate.ledger)
    assert (comparison.chunks_acknowledged, comparison.lost, comparison.repeated) == (4, 0, 0)


@pytest.mark.parametrize(
    ("headers", "cut", "status", "slug"),
    [
        ({"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}, 0, 400, "digest-mismatch"),
        ({"Content-Digest": "md5=:AAAA:"}, 0, 400, "digest-missing"),
        ({"Content-Type": "text/plain"}, 0, 415, "wrong-container"),
        ({}, 100, 422, "truncated"),
    ],
)
async def test_a_chunk_that_is_not_as_it_should_be_is_refused_and_leaves_nothing(
    enter: Enter,
    staff: httpx.AsyncClient,
    camera_blobs: list[Blob],
    headers: dict[str, str],
    cut: int,
    status: int,
    slug: str,
) -> None:
    candidate = await enter(**NO_CHECKS)
    await candidate.start()
    data = camera_blobs[1].data
    at = candidate.clock.now()
    assert (await candidate.put_chunk("camera", 0, camera_blobs[0], started_at=at)).status_code == 201
    blob = Blob(data[: len(data) - cut], 0, 2000)
    answer = await candidate.put_chunk("camera", 1, blob, started_at=at, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["type"].endswith(slug)
    await candidate.look()
    assert candidate.room["recorded_numbers"]["camera"] == 0


async def test_the_exam_does_not_start_while_checks_are_open(enter: Enter) -> None:
    candidate = await enter(checks=["consent", "camera"])
    with pytest.raises(RefusedError) as refused:
        await candidate.start()
    assert (refused.value.status, refused.value.slug) == (409, "checks-open")
    assert refused.value.problem["open"] == ["consent", "camera"]


async def test_finishing_waits_for_what_is_missing(
    enter: Enter, staff: httpx.AsyncClient, camera_blobs: list[Blob]
) -> None:
    candidate = await enter(**NO_CHECKS)
    await candidate.start()
    at = candidate.clock.now()
    for number in (0, 1, 3):
        await candidate.put_chunk("camera", number, camera_blobs[number], started_at=at)
    late = candidate.note(7, {"idle_ms": 1})
    answer = await candidate.finish()
    assert answer == {"state": "running", "missing": {"events": 1, "chunks": {"camera": [2]}}}
    await candidate.put_chunk("camera", 2, camera_blobs[2], started_at=at)
    await candidate.send(late, by_http=True)
    await candidate.look()
    assert candidate.state == "completed"
    events = await read_events(staff, candidate.session_id)
    assert [event["type_id"] for event in events].count(113) == 1


async def test_a_line_that_is_cut_and_comes_back_leaves_its_traces(enter: Enter, staff: httpx.AsyncClient) -> None:
    candidate = await enter(**NO_CHECKS)
    await candidate.connect()
    await candidate.start()
    await candidate.cut()
    kept = candidate.note(158, {"attempt": 1, "error": "network changed"})
    await candidate.connect()
    await candidate.flush()
    events = [e for e in await read_events(staff, candidate.session_id) if e["type_id"] in (9, 10, 158)]
    assert [e["type_id"] for e in events] == [9, 10, 9, 158]
    assert [e["data"]["reconnect"] for e in events if e["type_id"] == 9] == [False, True]
    assert kept.seq in candidate.ledger.events
