"""A small HTTP/1.1 load: many kept connections, each sending prepared requests one after the other."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Timing:
    """What a load took: seconds in all, milliseconds of single answers in order, answers that were no success."""

    seconds: float
    latencies_ms: list[float]
    failed: int

    def percentile(self, share: float) -> float:
        """Latency that this share of the answers kept, ms."""
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(len(self.latencies_ms) * share))]


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """One request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def drive(url: str, connections: list[list[bytes]]) -> Timing:
    """Send each connection's requests; only to this machine."""
    address = urlsplit(url)
    if address.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("loads are sent to this machine only")
    opened = [await asyncio.open_connection(address.hostname, address.port) for _ in connections]
    latencies: list[float] = []
    failed = 0

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]) -> None:
        nonlocal failed
        for data in requests:
            began = time.perf_counter()
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            if length:
                await reader.readexactly(length)
            latencies.append((time.perf_counter() - began) * 1000)
            failed += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201"))

    began = time.perf_counter()
    await asyncio.gather(*[one(*pair, requests) for pair, requests in zip(opened, connections, strict=True)])
    seconds = time.perf_counter() - began
    for _, writer in opened:
        writer.close()
    return Timing(seconds, sorted(latencies), failed)
