"""Where bytes are kept: recordings and stills, by key.

A ``put`` that returned is on the disk: file and folder are synced. Keys carry the digest of what they hold, so
an object is never overwritten with other bytes.
"""

import asyncio
import contextlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

_KEY = re.compile(r"[a-z0-9][a-z0-9._/-]{0,250}")


class Objects(Protocol):
    """An object store."""

    async def put(self, key: str, data: bytes) -> None:
        """Store durably."""
        ...

    async def get(self, key: str) -> bytes:
        """The bytes; ``KeyError`` if there is no such object."""
        ...

    async def delete(self, key: str) -> None:
        """Remove; no error if it is not there."""
        ...

    async def close(self) -> None:
        """Let go of threads and connections."""
        ...


class LocalObjects:
    """Objects as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="objects")

    def path(self, key: str) -> Path:
        """The file of a key; ``ValueError`` for a key that could leave the folder."""
        if not _KEY.fullmatch(key) or ".." in key:
            raise ValueError(f"not an object key: {key!r}")
        return self._folder / key

    def _put(self, key: str, data: bytes) -> None:
        path = self.path(key)
        folder = path.parent
        if folder not in self._made:
            self._make(folder)
        temporary = folder / f".{path.name}.{os.getpid()}.{id(data):x}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.write(data)
                os.fdatasync(descriptor)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(folder)

    def _make(self, folder: Path) -> None:
        missing = []
        parent = folder
        while not parent.exists():
            missing.append(parent)
            parent = parent.parent
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(each.parent)
        self._made.add(folder)

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._put, key, data)

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.path(key).read_bytes)
        except FileNotFoundError:
            raise KeyError(key) from None

    async def delete(self, key: str) -> None:
        path = self.path(key)
        await asyncio.get_running_loop().run_in_executor(self._threads, lambda: path.unlink(missing_ok=True))

    async def close(self) -> None:
        self._threads.shutdown(wait=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_objects(url: str | None, data_dir: Path) -> Objects:
    """The store named by a URL; a folder of the data directory when there is none."""
    if url is None:
        return LocalObjects(data_dir / "media")
    if url.startswith("file://"):
        return LocalObjects(Path(url.removeprefix("file://")))
    raise ValueError(f"MEDIA_URL {url.split(':', 1)[0]}:… is not supported; expected file://FOLDER.")
