"""Pages that misbehave: they harm nobody else, and nothing of theirs is stored twice or at a time that cannot be."""

import asyncio
import contextlib
import resource
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openproctor.simulation import protocol
from openproctor.simulation.candidate import Candidate, LineLost
from openproctor.simulation.protocol import Event
from openproctor.simulation.readback import Comparison, compare, read_events
from openproctor.simulation.wire import text_frame
from tests.faults.loads import FULL, Row, first_event
from tests.live import LiveServer

Invite = Callable[[], Awaitable[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all of them: none of these pages may harm it."""
    with LiveServer(tmp_path_factory.mktemp("pages"), workers=0) as live:
        yield live


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that soon takes silence for a loss."""
    with LiveServer(tmp_path_factory.mktemp("quick"), workers=0, heartbeat_ms=500, heartbeat_limit_ms=2_000) as live:
        yield live


@pytest.fixture
async def staff(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
async def invite(server: LiveServer) -> Invite:
    """Makes a session and gives its join link."""
    return await _inviter(server)


@pytest.fixture
async def quick_invite(quick: LiveServer) -> Invite:
    """The same at the other server."""
    return await _inviter(quick)


async def _inviter(server: LiveServer) -> Invite:
    staff = server.client()
    policy: dict[str, Any] = {"checks": [], "tracks": {"camera": None, "screen": None}}
    exam = staff.post("/api/v1/exams", json={"title": "Bad pages", "policy": policy}).json()

    async def make() -> str:
        person = {"external_id": secrets.token_hex(6), "name": "Synthetic Candidate"}
        made = staff.post("/api/v1/sessions", json={"exam_id": exam["id"], "candidate": person}).json()
        return str(made["join_url"])

    return make


@contextlib.asynccontextmanager
async def sitting(server: LiveServer, link: str, device: str | None = None) -> AsyncIterator[Candidate]:
    async with Candidate(server.url, link, device) as candidate:
        await candidate.join()
        await candidate.connect()
        await candidate.start()
        yield candidate


async def test_the_same_batch_from_two_pages_is_stored_once(
    server: LiveServer, staff: httpx.AsyncClient, invite: Invite, request: pytest.FixtureRequest
) -> None:
    link = await invite()
    async with sitting(server, link, "one-and-the-same") as first, sitting(server, link, "one-and-the-same") as second:
        second.stream = first.stream
        events = [first.note(7, {"idle_ms": number}) for number in range(100)]
        # the first page was replaced by the second; what it still sends goes by HTTP
        both = await asyncio.gather(first.send(*events, by_http=True), second.send(*events))
        assert [len(frame.acknowledged) for frame in both] == [100, 100]
        found = await compare(staff, first.session_id, first.ledger)
        _row(request, "the same batch from two pages", 200, found)
        assert (found.events_stored, found.lost, found.repeated) == (100, 0, 0)
        assert not first.connected
        assert second.connected


async def test_a_clock_that_is_an_hour_off_is_not_believed(
    server: LiveServer, staff: httpx.AsyncClient, invite: Invite
) -> None:
    async with sitting(server, await invite()) as candidate:
        now = candidate.clock.now()
        for off in (-3_600_000, 3_600_000):
            await candidate.say(7, {"idle_ms": 1}, at=now + off)
        session = (await staff.get(f"/api/v1/sessions/{candidate.session_id}")).json()
        stored = [e for e in await read_events(staff, candidate.session_id) if e["type_id"] == 7]
        assert len(stored) == 2
        for event in stored:
            assert session["created_at"] - 2_000 <= event["occurred_at"] <= event["received_at"] + 2_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the server's memory from /proc")
async def test_a_page_that_never_reads_does_not_hold_up_the_others(
    server: LiveServer, staff: httpx.AsyncClient, invite: Invite, request: pytest.FixtureRequest
) -> None:
    async with sitting(server, await invite()) as other, Candidate(server.url, await invite()) as deaf:
        await deaf.join()
        line = await asyncio.to_thread(_deaf_line, server, deaf)
        before = _resident(server.pid)
        flood = asyncio.create_task(asyncio.to_thread(_flood, line, deaf.stream))
        waited: list[float] = []
        while not flood.done():
            began = time.monotonic()
            await other.say(7, {"idle_ms": len(waited)})
            waited.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
        with contextlib.suppress(OSError):
            await flood
        line.close()
        found = await compare(staff, other.session_id, other.ledger)
        _row(request, "beside a page that never reads", len(waited), found)
        assert (found.events_stored, found.lost, found.repeated) == (len(waited), 0, 0)
        assert len(waited) > 5
        assert max(waited) < 3
        assert _resident(server.pid) - before < 150 * 2**20


async def test_a_page_that_never_reads_is_let_go_and_so_is_a_silent_one_beside_it(
    quick: LiveServer, quick_invite: Invite
) -> None:
    async with Candidate(quick.url, await quick_invite()) as deaf, Candidate(quick.url, await quick_invite()) as silent:
        headers = {"Authorization": f"Bearer {quick.key}"}
        await deaf.join()
        await silent.join()
        silent.heartbeat_s = 3600
        await silent.connect()
        line = await asyncio.to_thread(_deaf_line, quick, deaf)
        with pytest.raises(OSError):
            await asyncio.to_thread(_flood, line, deaf.stream, 30, strict=True)
        line.close()
        # the check of heartbeats got past the one that nothing could be said to
        async with httpx.AsyncClient(base_url=quick.url, headers=headers, timeout=60) as staff:
            for each in (deaf, silent):
                lost = await first_event(staff, each.session_id, 10)
                assert lost["data"]["reason"] in ("heartbeat", "closed")


async def test_a_page_that_goes_on_sending_after_its_socket_was_closed_is_cut_off(quick: LiveServer) -> None:
    line = _open_line(quick, "/api/v1/sessions/none/socket")
    ping = text_frame(protocol.ping(1, 0)) * 200
    sent = 0
    with pytest.raises(ConnectionError):
        while sent < 200 * 2**20:
            line.sendall(ping)  # never a hello: the server says so, closes, and is not heard
            sent += len(ping)
    line.close()
    assert sent < 100 * 2**20


def _row(request: pytest.FixtureRequest, fault: str, sent: int, found: Comparison) -> None:
    """For the table at the end."""
    Row(fault, 1, sent, found.events_acknowledged, found.events_stored, found.lost, found.repeated, "").note(request)


def _resident(pid: int) -> int:
    """Memory of a process, bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _deaf_line(server: LiveServer, candidate: Candidate) -> socket.socket:
    """A socket that has said hello and will never read again."""
    line = _open_line(server, f"/api/v1/sessions/{candidate.session_id}/socket")
    hello = protocol.hello(candidate.candidate_token, candidate.device, candidate.page)
    read = b""
    line.sendall(text_frame(hello))
    while b'"t":"welcome"' not in read:
        read += line.recv(4096)
    line.sendall(text_frame(b'{"t":"ready"}'))
    return line


def _open_line(server: LiveServer, path: str) -> socket.socket:
    """A socket by hand, which reads only what it is told to."""
    address = httpx.URL(server.url)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(3)
    line.connect((address.host, address.port))
    line.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {address.netloc.decode()}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    read = b""
    while b"\r\n\r\n" not in read:
        read += line.recv(1)
    assert read.startswith(b"HTTP/1.1 101")
    return line


def _flood(line: socket.socket, stream: str, seconds: float = 8, *, strict: bool = False) -> None:
    """Send as fast as the server takes it, or until it takes no more. Made before: our own work costs.

    ``strict`` lets the end of the connection through as ``OSError``; a line that is only full is waited for.
    """
    events = [Event(n, 7, 1_700_000_000_000, {"idle_ms": n}) for n in range(1, 101)]
    pings = b"".join(text_frame(protocol.ping(n, 0)) for n in range(400))
    block = text_frame(protocol.events_frame(1, stream, 0, events)) + pings
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            line.sendall(block)
        except TimeoutError:
            if not strict:
                return


@pytest.mark.slow
async def test_a_very_long_session_is_all_there_and_can_be_read_and_verified(
    server: LiveServer, staff: httpx.AsyncClient, invite: Invite, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    count = 100_000 if FULL else 5_000
    async with sitting(server, await invite()) as candidate:
        now = candidate.clock.now()
        for number in range(count):
            candidate.note(7, {"idle_ms": number}, at=now)
        deadline = time.monotonic() + 300
        while candidate.waiting and time.monotonic() < deadline:
            with contextlib.suppress(*LineLost):
                await candidate.flush()
        assert not candidate.waiting
        found = await compare(staff, candidate.session_id, candidate.ledger)
        _row(request, f"{count:,} events in one session", count, found)
        assert (found.events_stored, found.lost, found.repeated) == (count, 0, 0)
        assert (await candidate.finish())["state"] == "completed"
        address = f"/api/v1/sessions/{candidate.session_id}"
        session = (await staff.get(address)).json()
        last = session["last_sequence"]
        assert last >= count
        # the end of a long list is reached at once, and by type; what the review page loads
        page = (await staff.get(f"{address}/events", params={"after": last - 10, "limit": 100})).json()
        assert (len(page["items"]), page["next"]) == (10, None)
        page = (await staff.get(f"{address}/events", params={"type_id": 113})).json()
        assert [event["sequence"] for event in page["items"]] == [last]
        bundle = tmp_path / "bundle.tar"
        async with staff.stream("GET", f"{address}/bundle") as answer:
            assert answer.status_code == 200
            with bundle.open("wb") as file:
                async for block in answer.aiter_bytes():
                    file.write(block)
        said = await asyncio.to_thread(server.run, "verify", str(bundle))
        assert str(last) in said.replace(",", ""), said
