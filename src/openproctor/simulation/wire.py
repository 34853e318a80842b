"""Thousands of connections from one process: a bare WebSocket client and a bare HTTP/1.1 client.

Only what a load run needs. Frames carry the masking key 0: it is valid on the wire, and it spares thousands of candidates
the masking that protects browsers from their own pages.
"""

import asyncio
import base64
import contextlib
import os
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_LARGEST: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is; ``prefix`` is the path under which it lives."""

    host: str
    port: int
    secure: bool
    prefix: str

    @classmethod
    def of(cls, url: str) -> "Address":
        """From a URL. Raises ``ValueError`` if it is not one of HTTP."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an address like http://127.0.0.1:8000")
        secure = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if secure else 80), secure, parts.path.rstrip("/"))

    @property
    def name(self) -> str:
        """Value of the ``Host`` header."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext | None:
        """How to secure a connection."""
        return ssl.create_default_context() if self.secure else None


def text_frame(payload: bytes, opcode: int = _TEXT) -> bytes:
    """A whole frame from client to server."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


class Socket(asyncio.Protocol):
    """A WebSocket. ``on_text`` gets every text frame, ``on_end`` the close code once (1006: no goodbye)."""

    __slots__ = ("_buffer", "_closing", "_code", "_ended", "_on_end", "_on_text", "_opened", "_transport")

    def __init__(self, on_text: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        self._on_text, self._on_end = on_text, on_end
        self._opened: asyncio.Future[None] | None = None
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._code = 1006
        self._ended = False

    async def open(self, address: Address, path: str, seconds: float = 30.0) -> None:
        """Connect and upgrade. Raises ``OSError`` or ``TimeoutError``."""
        loop = asyncio.get_running_loop()
        self._opened = loop.create_future()
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {address.prefix}{path} HTTP/1.1\r\nHost: {address.name}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        async with asyncio.timeout(seconds):
            await loop.create_connection(lambda: self, address.host, address.port, ssl=address.tls)
            assert self._transport is not None
            self._transport.write(request.encode())
            await self._opened

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent."""
        return self._transport is not None and self._opened is not None and self._opened.done() and not self._ended

    def send(self, frame: bytes) -> None:
        """Write a frame made by :func:`text_frame`; dropped silently when the socket has ended."""
        if self._transport is not None and not self._ended:
            self._transport.write(frame)

    def cut(self) -> None:
        """End without a goodbye, as when the network is gone."""
        if self._transport is not None:
            self._transport.abort()

    def close(self, code: int = 1000) -> None:
        """Say goodbye and end."""
        if self._transport is not None and not self._ended:
            self._transport.write(text_frame(struct.pack(">H", code), _CLOSE))
            self._code = code
            self._transport.close()

    # -- what the event loop calls -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(ConnectionResetError("the server closed the connection"))
            return
        self._on_end(self._code)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._opened is not None and not self._opened.done() and not self._upgraded():
            return
        while self._frame():
            pass

    def _upgraded(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self._buffer[:12])
        del self._buffer[: end + 4]
        assert self._opened is not None
        if status != b"HTTP/1.1 101":
            self._opened.set_exception(ConnectionRefusedError(f"no upgrade: {status.decode('latin-1')}"))
            self.cut()
            return False
        self._opened.set_result(None)
        return True

    def _frame(self) -> bool:
        """Take one frame from the buffer, if a whole one is there."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, at = buffer[1] & 0x7F, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(buffer) < at:
                return False
            size = int.from_bytes(buffer[2:at])
        if size > _LARGEST:
            self.cut()
            return False
        if len(buffer) < at + size:
            return False
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[at : at + size])
        del buffer[: at + size]
        if opcode == _TEXT:
            self._on_text(payload)
        elif opcode == _PING:
            self.send(text_frame(payload, _PONG))
        elif opcode == _CLOSE:
            self._code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005
            if self._transport is not None:
                self._transport.write(text_frame(payload[:2], _CLOSE))
                self._transport.close()
        return True


class Http:
    """Keep-alive connections to one server. ``request`` raises ``OSError`` or ``TimeoutError`` when the line goes."""

    def __init__(self, address: Address, connections: int = 32, seconds: float = 30.0) -> None:
        self._address = address
        self._seconds = seconds
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._gate = asyncio.Semaphore(connections)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, bytes]:
        """Status and body. A request on an idle connection that the server has closed meanwhile is sent once more."""
        head = [f"{method} {self._address.prefix}{path} HTTP/1.1", f"Host: {self._address.name}"]
        head += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head += [f"Content-Length: {len(body)}", "\r\n"]
        message = "\r\n".join(head).encode("latin-1") + body
        async with self._gate, asyncio.timeout(self._seconds):
            while True:
                fresh = not self._free
                reader, writer = await self._connection()
                try:
                    writer.write(message)
                    answer = await self._answer(reader)
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    writer.close()
                    if fresh:
                        raise ConnectionResetError("the server closed the connection") from error
                    continue
                except BaseException:
                    writer.close()
                    raise
                self._free.append((reader, writer))
                return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._free:
            return self._free.pop()
        return await asyncio.open_connection(self._address.host, self._address.port, ssl=self._address.tls, limit=2**20)

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head[9:12])
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if fields.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(await reader.readuntil(b"\r\n"), 16):
                parts.append(await reader.readexactly(size))
                await reader.readexactly(2)
            await reader.readuntil(b"\r\n")
            return status, b"".join(parts)
        return status, await reader.readexactly(int(fields.get("content-length", "0")))

    async def close(self) -> None:
        """Close all connections."""
        free, self._free = self._free, []
        for _, writer in free:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
