"""A line to a server that can be cut at a chosen moment."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Line:
    """Passes bytes on to a port of this machine. ``cut_at`` cuts once when the client says something."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._words = b""
        self._deliver = True
        self.cuts = 0

    @property
    def port(self) -> int:
        """Where to connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def cut_at(self, words: bytes, *, deliver: bool) -> None:
        """Cut when these bytes come, and let the server have them or not; it does not get to answer."""
        self._words, self._deliver = words, deliver

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        answers = asyncio.create_task(self._pass(far_reader, writer))
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self._words and self._words in data:
                    self._words = b""
                    self.cuts += 1
                    answers.cancel()
                    if self._deliver:
                        far_writer.write(data)
                        await far_writer.drain()
                        await far_reader.read(1)  # it has done it
                    break
                far_writer.write(data)
                await far_writer.drain()
        answers.cancel()
        for each in (writer, far_writer):
            each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

    async def __aenter__(self) -> Self:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._lines.add(task)
            await self._serve(reader, writer)
            self._lines.discard(task)

        self._server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
