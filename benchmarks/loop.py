"""A small HTTP/1.1 load: many kept connections, each sending prepared requests one after the other.

It reads no more of an answer than its status and length: on two cores the load must not take what it is to measure.
"""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import uvloop

T = TypeVar("T")
_GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 201")


@dataclass(frozen=True, slots=True)
class Timing:
    """What a load took: seconds in all, milliseconds of single answers in order, answers that were no success."""

    seconds: float
    latencies_ms: list[float]
    failed: int

    def percentile(self, share: float) -> float:
        """Latency that this share of the answers kept, ms."""
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(len(self.latencies_ms) * share))]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a load on the event loop that the server uses too."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """One request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """Sends its requests in turn and times the answers."""

    def __init__(self, requests: list[bytes], latencies: list[float], done: "asyncio.Future[int]") -> None:
        self._requests = iter(requests)
        self._latencies = latencies
        self._done = done
        self._answer = b""
        self._failed = 0
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def go(self) -> None:
        """Send the next one."""
        data = next(self._requests, None)
        if data is None:
            if not self._done.done():
                self._done.set_result(self._failed)
            return
        self._sent = time.perf_counter()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._answer[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._answer) < end + 4 + length:
            return
        self._latencies.append((time.perf_counter() - self._sent) * 1000)
        self._failed += not self._answer.startswith(_GOOD)
        self._answer = b""
        self.go()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionResetError("the server closed the connection"))

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()


async def drive(url: str, connections: list[list[bytes]]) -> Timing:
    """Send each connection's requests; only to this machine."""
    address = urlsplit(url)
    if address.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("loads are sent to this machine only")
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    ends: list[asyncio.Future[int]] = []
    opened: list[_Connection] = []
    for requests in connections:
        done: asyncio.Future[int] = loop.create_future()
        connection = _Connection(requests, latencies, done)
        await loop.create_connection(lambda connection=connection: connection, address.hostname, address.port)  # type: ignore[misc]
        ends.append(done)
        opened.append(connection)
    began = time.perf_counter()
    for connection in opened:
        connection.go()
    failed = sum(await asyncio.gather(*ends))
    seconds = time.perf_counter() - began
    for connection in opened:
        connection.close()
    return Timing(seconds, sorted(latencies), failed)
