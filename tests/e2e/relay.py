"""The line between a browser and a server, which can be cut: from then on nothing passes and nobody is told."""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self


class Relay:
    """Passes connections on to a port of this machine, from a thread of its own."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._whole = asyncio.Event()
        self.url = ""

    def cut(self) -> None:
        """Let nothing through; connections stay open, as when a cable is pulled somewhere on the way."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """Let new connections through. Those of before are dead."""

        async def mend() -> None:
            for task in list(self._tasks):
                task.cancel()
            self._whole.set()

        asyncio.run_coroutine_threadsafe(mend(), self._loop).result(10)

    async def _serve(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [near_writer]
        try:
            await self._whole.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(near_reader, far_writer))
                both.create_task(self._pass(far_reader, near_writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass
        finally:
            for writer in writers:
                writer.transport.abort()
            self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._whole.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError  # either end ends both

    def __enter__(self) -> Self:
        self._thread.start()

        async def listen() -> asyncio.Server:
            self._whole.set()
            return await asyncio.start_server(self._serve, "127.0.0.1", 0)

        self._server = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def end() -> None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
