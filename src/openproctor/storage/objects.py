"""Where bytes are kept: recordings and stills, by key, in a folder or in an S3 store.

A ``put`` that returned is durable: in a folder, file and folder are synced. Keys carry the digest of what they hold,
so an object is never overwritten with other bytes.
"""

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from openproctor.errors import Problem

logger = structlog.get_logger(__name__)

T = TypeVar("T")
_KEY = re.compile(r"[a-z0-9][a-z0-9._/-]{0,250}")


class ObjectsUnusable(ValueError):
    """The store cannot be used as it is set up; the message says what to do."""


class WrongBytes(ValueError):
    """The bytes do not have the digest that was announced; nothing was stored."""


def check_sha256(data: bytes, sha256: bytes | None) -> None:
    """:class:`WrongBytes` for bytes that do not have a digest."""
    if sha256 is not None and hashlib.sha256(data).digest() != sha256:
        raise WrongBytes("the bytes do not have the announced digest")


def checked_key(key: str) -> str:
    """The key; ``ValueError`` for one that could leave the folder or mean something to a URL."""
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"not an object key: {key!r}")
    return key


def objects_away(error: Exception) -> Problem:
    """The answer while a store takes or gives nothing."""
    logger.error("the store of recordings and stills does not answer", error=str(error) or repr(error))
    return Problem(
        503,
        "objects-away",
        "Recordings cannot be stored or read now",
        "The store of recordings and stills does not answer, or is full.",
        what_to_do="Keep what you have and send it again in a moment.",
        retry_after=5,
    )


class Objects(Protocol):
    """An object store. Every call may raise :class:`Problem` 503 while the store is away."""

    async def check(self) -> None:
        """:class:`ObjectsUnusable` for a store that is set up wrongly; one that is only away is let pass."""
        ...

    async def put(self, key: str, data: bytes, sha256: bytes | None = None) -> None:
        """Store durably; with ``sha256`` only bytes that have this digest, :class:`WrongBytes` for others."""
        ...

    async def get(self, key: str) -> bytes:
        """The bytes; ``KeyError`` if there is no such object."""
        ...

    async def size(self, key: str) -> int | None:
        """How many bytes the object has; ``None`` if there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Remove; no error if it is not there."""
        ...

    @property
    def public_origin(self) -> str | None:
        """Scheme and host at which browsers reach signed addresses; ``None`` where there are none."""
        ...

    async def signed_get(self, key: str, seconds: int) -> str | None:
        """An address from which anyone can read the object for some time; ``None`` where we have to serve it."""
        ...

    async def signed_put(self, key: str, seconds: int) -> str | None:
        """An address to which anyone can ``PUT`` the object for some time; ``None`` where we have to take it.

        The store does not look at what it is given: compare it with its digest before it is linked into a log.
        """
        ...

    async def close(self) -> None:
        """Let go of threads and connections."""
        ...


def _new_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


class LocalObjects:
    """Objects as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="objects")

    def path(self, key: str) -> Path:
        """The file of a key; ``ValueError`` for a key that could leave the folder."""
        return self._folder / checked_key(key)

    def _put(self, key: str, data: bytes, sha256: bytes | None) -> None:
        check_sha256(data, sha256)
        path = self.path(key)
        folder = path.parent
        temporary = folder / f".{path.name}.{os.getpid()}.{id(data):x}"
        try:
            descriptor = _new_file(temporary)
        except FileNotFoundError:
            # the first of its folder: folders are too many to remember which are there
            self._make(folder)
            descriptor = _new_file(temporary)
        try:
            # buffered: unlike a raw write, which may take a part of it in silence, it writes everything or raises
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fdatasync(descriptor)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync(folder)

    @staticmethod
    def _make(folder: Path) -> None:
        missing = []
        parent = folder
        while not parent.exists():
            missing.append(parent)
            parent = parent.parent
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            sync(each.parent)

    async def check(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ObjectsUnusable(f"The folder for recordings {self._folder} cannot be made: {error}.") from error
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise ObjectsUnusable(f"The folder for recordings {self._folder} cannot be written to.")

    async def put(self, key: str, data: bytes, sha256: bytes | None = None) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._put, key, data, sha256)
        except OSError as error:
            raise objects_away(error) from error

    async def _look(self, work: Callable[[], T]) -> T:
        """The result of some work on a file; ``FileNotFoundError`` if it is not there, :class:`Problem` 503 if the disk fails."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise objects_away(error) from error

    async def get(self, key: str) -> bytes:
        try:
            return await self._look(self.path(key).read_bytes)
        except FileNotFoundError:
            raise KeyError(key) from None

    async def size(self, key: str) -> int | None:
        try:
            return (await self._look(self.path(key).stat)).st_size
        except FileNotFoundError:
            return None

    @property
    def public_origin(self) -> str | None:
        return None

    async def delete(self, key: str) -> None:
        await self._look(partial(self.path(key).unlink, missing_ok=True))

    async def signed_get(self, key: str, seconds: int) -> str | None:
        return None

    async def signed_put(self, key: str, seconds: int) -> str | None:
        return None

    async def close(self) -> None:
        self._threads.shutdown(wait=True)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def media_folder(url: str | None, data_dir: Path) -> Path | None:
    """The folder that a URL of a store names, that of the data directory when there is none; None for other stores."""
    if url is None:
        return data_dir / "media"
    return Path(url.removeprefix("file://")) if url.startswith("file://") else None
