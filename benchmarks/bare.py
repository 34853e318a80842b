"""Bare programs: the least that takes events or chunks and answers after they are on the disk. What we are compared with.

``python -m benchmarks.bare PORT_FILE FOLDER [postgresql://…]`` serves ``POST …/sessions/ID/events`` (group commit into
SQLite in WAL mode with synchronous FULL, or into PostgreSQL) and ``PUT …/chunks/N`` (write, sync, rename, sync the folder).

It is a fair peer: it gets the very same requests as the product, and keeps of every event what the product keeps, in rows
as wide (``proof`` stands for salt and link), with an index to read a session by time and a key that drops repeats. It does
not look at the token, checks and links nothing, and has no sessions.
"""

import asyncio
import os
import socket
import sqlite3
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import uvicorn

ORGANIZATION = "0" * 26
PROOF = bytes(48)
AT_ONCE = 200
COLUMNS = (
    ("session_id", "TEXT"),
    ("stream", "TEXT"),
    ("client_sequence", "BIGINT"),
    ("organization_id", "TEXT"),
    ("type_id", "INTEGER"),
    ("source", "TEXT"),
    ("occurred_at", "BIGINT"),
    ("received_at", "BIGINT"),
    ("data", "TEXT"),
    ("evidence", "TEXT"),
    ("proof", "{bytes}"),
)
Row = tuple[Any, ...]


def _table(bytes_type: str) -> tuple[str, str]:
    columns = ",".join(f"{name} {kind.format(bytes=bytes_type)} NOT NULL" for name, kind in COLUMNS)
    return (
        f"CREATE TABLE events ({columns}, PRIMARY KEY (session_id, stream, client_sequence))",
        "CREATE INDEX events_by_time ON events (session_id, occurred_at)",
    )


class Event(msgspec.Struct):
    """An event as the page sends it."""

    seq: int
    type_id: int
    at: float
    data: msgspec.Raw
    evidence: msgspec.Raw


class Batch(msgspec.Struct):
    """A batch as the page sends it."""

    stream: str
    events: list[Event]


class Sqlite:
    """One writing connection in a thread."""

    def __init__(self, folder: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._database = sqlite3.connect(folder / "bare.db", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=20000"):
            self._database.execute(f"PRAGMA {pragma}")
        for statement in _table("BLOB"):
            self._database.execute(statement)
        self._insert = f"INSERT INTO events VALUES ({','.join('?' * len(COLUMNS))}) ON CONFLICT DO NOTHING"

    def _commit(self, groups: list[list[Row]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(self._insert, [row for rows in groups for row in rows])
        self._database.execute("COMMIT")

    async def commit(self, groups: list[list[Row]]) -> None:
        """Insert durably what is not there yet."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, groups)


class Postgres:
    """One writing connection, rows as arrays."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None
        arrays = ",".join(f"${n}::{kind.format(bytes='BYTEA')}[]" for n, (_, kind) in enumerate(COLUMNS, 1))
        self._insert = f"INSERT INTO events SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"

    async def commit(self, groups: list[list[Row]]) -> None:
        """Insert durably what is not there yet."""
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url, server_settings={"synchronous_commit": "on"})
            await self._connection.execute("DROP TABLE IF EXISTS events")
            for statement in _table("BYTEA"):
                await self._connection.execute(statement)
        columns = zip(*[row for rows in groups for row in rows], strict=True)
        await self._connection.execute(self._insert, *map(list, columns))


class Bare:
    """A raw ASGI application."""

    def __init__(self, folder: Path, store: Sqlite | Postgres) -> None:
        self._folder = folder
        self._store = store
        self._decode = msgspec.json.Decoder(Batch).decode
        self._waiting: list[tuple[list[Row], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._files = ThreadPoolExecutor(8)
        self._task: asyncio.Task[None] | None = None

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            if self._waiting:
                self._wake.set()
            await self._store.commit([rows for rows, _ in group])
            for _, future in group:
                future.set_result(None)

    def _keep(self, data: bytes) -> None:
        name = self._folder / uuid.uuid4().hex
        with name.open("wb", buffering=0) as file:
            file.write(data)
            os.fdatasync(file.fileno())
        name.rename(name.with_suffix(".mp4"))
        descriptor = os.open(self._folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    async def _take(self, session: str, body: bytes) -> bytes:
        batch = self._decode(body)
        now = time.time_ns() // 1_000_000
        rows = [
            (
                session,
                batch.stream,
                event.seq,
                ORGANIZATION,
                event.type_id,
                "candidate",
                int(event.at),
                now,
                bytes(event.data).decode(),
                bytes(event.evidence).decode(),
                PROOF,
            )
            for event in batch.events
        ]
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, future))
        self._wake.set()
        await future
        return msgspec.json.encode({"acknowledged": [event.seq for event in batch.events], "refused": []})

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
        path: str = scope["path"]
        if path.endswith("/events"):
            answer = await self._take(path.rsplit("/", 2)[1], body)
        else:
            await asyncio.get_running_loop().run_in_executor(self._files, self._keep, body)
            answer = b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve on a free port and write it to a file."""
    note, folder = Path(sys.argv[1]), Path(sys.argv[2])
    store = Postgres(sys.argv[3]) if len(sys.argv) > 3 else Sqlite(folder)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    config = uvicorn.Config(
        Bare(folder, store), http="httptools", loop="uvloop", access_log=False, log_level="error", lifespan="off"
    )
    note.with_suffix(".new").write_text(str(listener.getsockname()[1]))
    note.with_suffix(".new").rename(note)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
