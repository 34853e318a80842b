"""A copy of a data folder while the server runs: the copy is a data folder itself, so restoring is serving it."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from openproctor.storage.objects import sync

KEYS = ("secret.key", "sealing.key")
DATABASE = "openproctor.db"  # whatever its name was: a server finds it in the copy without a setting
PAGES_AT_ONCE = 2_000  # of the database between two looks of the progress; the server writes meanwhile


class BackupImpossible(ValueError):
    """There is nothing to copy, or no place for it; the message says what to do."""


@dataclass(slots=True)
class Copied:
    """What a backup copied; ``kept`` recordings and stills were in the copy already."""

    files: int = 0
    kept: int = 0
    bytes: int = 0
    database_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"Database {self.database_bytes / 1e6:.1f} MB; {self.files} recordings and stills copied "
            f"({self.bytes / 1e6:.1f} MB), {self.kept} were there already."
        )


def back_up(
    data: Path, target: Path, *, database: Path, media: Path, progress: Callable[[str, float], None] | None = None
) -> Copied:
    """Copy a data folder on SQLite into ``target``, which may hold an earlier backup of it.

    The database comes first: what it names was stored before, and stored objects never change. So the copy is the state at
    the moment it began, or a little later, with every recording that this state names. Raises :class:`BackupImpossible`.
    """
    tell = progress or (lambda _what, _share: None)
    if not database.is_file():
        raise BackupImpossible(f"There is no database at {database}. Name the data folder with --data.")
    target, data = target.resolve(), data.resolve()
    if target == data or data in target.parents or target in data.parents:
        raise BackupImpossible("The copy must be in a folder of its own, outside of the data folder.")
    if target.exists() and any(target.iterdir()) and not (target / DATABASE).exists():
        raise BackupImpossible(f"{target} holds other files. Name an empty folder, or one with an earlier backup.")
    if (target / "serve.json").exists():
        raise BackupImpossible(f"A server runs on {target}. Name another folder.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    copied = Copied()
    for name in KEYS:
        if (data / name).exists():
            _copy(data / name, target / name)
    copied.database_bytes = _copy_database(database, target / DATABASE, lambda share: tell("Database", share))
    _copy_media(media, target / "media", copied, lambda share: tell("Recordings and stills", share))
    return copied


def _copy_database(source: Path, target: Path, tell: Callable[[float], None]) -> int:
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as reader,
        closing(sqlite3.connect(fresh)) as writer,
    ):
        # one transaction of the reader: writers do not make it begin again
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        reader.backup(
            writer, pages=PAGES_AT_ONCE, progress=lambda _status, left, total: tell(1 - left / max(1, total)), sleep=0
        )
        reader.execute("COMMIT")
        [answer] = writer.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise BackupImpossible(f"The copy of the database is damaged: {answer}.")
    for beside in ("-wal", "-shm"):
        target.with_name(target.name + beside).unlink(missing_ok=True)
    sync(fresh)
    fresh.replace(target)
    sync(target.parent)
    return target.stat().st_size


def _copy_media(source: Path, target: Path, copied: Copied, tell: Callable[[float], None]) -> None:
    files = [Path(folder) / name for folder, _, names in os.walk(source) for name in names if not name.startswith(".")]
    for number, path in enumerate(files):
        copy = target / path.relative_to(source)
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile, when its time was over
            size = path.stat().st_size
            if copy.exists() and copy.stat().st_size == size:
                copied.kept += 1
            else:
                _copy(path, copy)
                copied.files += 1
                copied.bytes += size
        if number % 100 == 0:
            tell(number / len(files))


def _copy(source: Path, target: Path) -> None:
    """Copy durably, so that a file in the backup is always whole."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o600)
    sync(fresh)
    fresh.replace(target)
