"""A bus between the processes of one machine that share a data folder: server, workers, command line.

Each process listens on a Unix socket in a folder and connects to those of the others. A message goes only to processes
that said they listen to its topic, so a bus on which nobody else listens costs nothing.
"""

import asyncio
import contextlib
import os
import secrets
import socket
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import structlog

from openproctor.storage.bus import LocalBus

logger = structlog.get_logger(__name__)

# a process that reads nothing for so long loses messages, and is told so
BEHIND_BYTES = 1024 * 1024
LINE_BYTES = 1024 * 1024
# how long a new listener waits until the others know of it; one that is frozen is not waited for
HEARD_SECONDS = 0.25
# the address of a Unix socket may not be longer on every system
ADDRESS_BYTES = 100

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Any]).decode


class _Link:
    """The way to another process; what it listens to is what it told us on its own way."""

    def __init__(self, name: str, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self.writer = writer
        self.answers = True
        self._behind = False

    def send(self, line: bytes) -> None:
        if self.writer.is_closing():
            return
        if self.writer.transport.get_write_buffer_size() > BEHIND_BYTES:
            self._behind = True
            return
        if self._behind:
            self._behind = False
            self.writer.write(_line("missed"))
        self.writer.write(line)


def _line(*parts: Any) -> bytes:
    return _encode(parts) + b"\n"


class HostBus(LocalBus):
    """See :class:`openproctor.storage.bus.Bus`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        self._descriptor = -1
        self._server: asyncio.Server | None = None
        self._links: dict[str, _Link] = {}
        self._abroad: defaultdict[str, set[str]] = defaultdict(set)  # topic: names of processes that listen
        self._asked: dict[int, tuple[set[str], asyncio.Future[None]]] = {}
        self._questions = 0
        self._incoming: set[asyncio.StreamWriter] = set()

    # -- starting ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._address(f".{self._name}"))
        self._server = await asyncio.start_unix_server(self._hear, sock=listener, limit=LINE_BYTES)
        # seen by the others only now that it answers: they remove what does not
        (self._folder / f".{self._name}").rename(self._folder / self._name)
        for path in sorted(self._folder.glob("*.sock")):
            if path.name != self._name:
                await self._reach(path.name)
        # until they told us what they listen to, nothing would reach them
        await self._all_answer(0, set(self._links))

    async def _all_answer(self, number: int, names: set[str]) -> None:
        if not names:
            return
        self._asked[number] = names, asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(HEARD_SECONDS):
                await self._asked[number][1]
        except TimeoutError:
            for name in names & self._links.keys():
                self._links[name].answers = False
        finally:
            del self._asked[number]

    def _address(self, name: str) -> str:
        path = str(self._folder / name)
        if len(os.fsencode(path)) > ADDRESS_BYTES and Path("/proc/self/fd").exists():
            return f"/proc/self/fd/{self._descriptor}/{name}"
        return path

    async def _reach(self, name: str) -> None:
        """Open our way to another process and tell it what we listen to."""
        if name in self._links or not name.endswith(".sock") or "/" in name:
            return
        try:
            _reader, writer = await asyncio.open_unix_connection(self._address(name))
        except (ConnectionRefusedError, FileNotFoundError):
            # its process is gone; a new one has another name
            (self._folder / name).unlink(missing_ok=True)
            return
        except OSError as error:
            # it may well be there: we have no descriptor left, or it has no room for us now
            logger.warning("a process on the bus cannot be reached", process=name, error=str(error))
            return
        if name in self._links:  # it came while we waited
            writer.close()
            return
        self._links[name] = _Link(name, writer)
        self._links[name].send(_line("hello", self._name, list(self._queues)))

    # -- hearing -------------------------------------------------------------------------------------------------

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._incoming.add(writer)
        name = ""
        try:
            while line := await reader.readline():
                parts = _decode(line)
                if parts[0] == "hello":
                    name = str(parts[1])
                    await self._reach(name)
                self._take(name, parts)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            logger.debug("a process on the bus was left", error=repr(error))
        finally:
            self._incoming.discard(writer)
            writer.close()
            self._lose(name)

    def _take(self, name: str, parts: list[Any]) -> None:
        match parts:
            case ["message", str(topic), message]:
                LocalBus.publish(self, topic, message)
            case ["hello", _, list(topics)]:
                for topic in topics:
                    self._abroad[topic].add(name)
                self._heard(0, name)
            case ["on", str(topic), int(number)]:
                self._abroad[topic].add(name)
                if name in self._links:
                    self._links[name].send(_line("heard", number))
            case ["heard", int(number)]:
                self._links[name].answers = True
                self._heard(number, name)
            case ["off", str(topic)]:
                self._forget(topic, name)
            case ["missed"]:
                self._missed()
            case _:
                raise ValueError(f"not a line of the bus: {parts!r:.100}")

    def _forget(self, topic: str, name: str) -> None:
        self._abroad[topic].discard(name)
        if not self._abroad[topic]:
            del self._abroad[topic]

    def _lose(self, name: str) -> None:
        link = self._links.pop(name, None)
        if link:
            link.writer.close()
        for topic in list(self._abroad):
            self._forget(topic, name)
        for number in list(self._asked):
            self._heard(number, name)

    def _heard(self, number: int, name: str) -> None:
        names, future = self._asked.get(number, (set(), None))
        names.discard(name)
        if not names and future and not future.done():
            future.set_result(None)

    # -- speaking ------------------------------------------------------------------------------------------------

    def publish(self, topic: str, message: Any) -> None:
        super().publish(topic, message)
        names = self._abroad.get(topic)
        if names:
            line = _line("message", topic, message)
            for name in names:
                if name in self._links:
                    self._links[name].send(line)

    async def _listen(self, topic: str) -> None:
        self._questions += 1
        number = self._questions
        for link in self._links.values():
            link.send(_line("on", topic, number))
        # whoever listens and then looks must not miss what happens in between
        await self._all_answer(number, {link.name for link in self._links.values() if link.answers})

    def _leave(self, topic: str) -> None:
        for link in self._links.values():
            link.send(_line("off", topic))

    async def close(self) -> None:
        if self._server is None:
            return
        (self._folder / self._name).unlink(missing_ok=True)
        self._server.close()
        links, self._links = list(self._links.values()), {}
        for link in links:
            link.writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(HEARD_SECONDS):  # one that is frozen takes nothing any more
                    await link.writer.wait_closed()
            link.writer.transport.abort()
        for writer in list(self._incoming):
            writer.close()
        os.close(self._descriptor)
        self._server = None
