"""Bare programs: the least that takes events or chunks and answers after they are on the disk. What we are compared with.

``python -m benchmarks.bare PORT_FILE FOLDER`` serves ``POST /events`` (group commit into SQLite, synchronous FULL) and
``PUT /chunks/N`` (write, sync, rename).
"""

import asyncio
import os
import socket
import sqlite3
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import uvicorn


class Event(msgspec.Struct):
    """An event as the page sends it."""

    seq: int
    type_id: int
    at: float
    data: msgspec.Raw


class Batch(msgspec.Struct):
    """A batch as the page sends it."""

    stream: str
    events: list[Event]


class Bare:
    """A raw ASGI application."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decode = msgspec.json.Decoder(Batch).decode
        self._waiting: list[tuple[Batch, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1)
        self._files = ThreadPoolExecutor(8)
        self._database = sqlite3.connect(folder / "bare.db", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=20000"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(
            "CREATE TABLE events (stream TEXT, seq INTEGER, type_id INTEGER, at INTEGER, data TEXT, PRIMARY KEY (stream, seq))"
        )
        self._task: asyncio.Task[None] | None = None

    def _commit(self, batches: list[Batch]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(
            "INSERT OR IGNORE INTO events VALUES (?,?,?,?,?)",
            [(b.stream, e.seq, e.type_id, int(e.at), bytes(e.data).decode()) for b in batches for e in b.events],
        )
        self._database.execute("COMMIT")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting[:200], self._waiting[200:]
            if self._waiting:
                self._wake.set()
            await loop.run_in_executor(self._thread, self._commit, [batch for batch, _ in group])
            for _, future in group:
                future.set_result(None)

    def _store(self, data: bytes) -> None:
        name = self._folder / uuid.uuid4().hex
        with name.open("wb", buffering=0) as file:
            file.write(data)
            os.fdatasync(file.fileno())
        name.rename(name.with_suffix(".mp4"))
        descriptor = os.open(self._folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        loop = asyncio.get_running_loop()
        if scope["path"] == "/events":
            batch = self._decode(body)
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((batch, future))
            self._wake.set()
            await future
            answer = msgspec.json.encode({"acknowledged": [event.seq for event in batch.events]})
        else:
            await loop.run_in_executor(self._files, self._store, body)
            answer = b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve on a free port and write it to a file."""
    note, folder = Path(sys.argv[1]), Path(sys.argv[2])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    config = uvicorn.Config(
        Bare(folder), http="httptools", loop="uvloop", access_log=False, log_level="error", lifespan="off"
    )
    note.with_suffix(".new").write_text(str(listener.getsockname()[1]))
    note.with_suffix(".new").rename(note)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
