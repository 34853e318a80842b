"""Verify a bundle: with the file alone, no server, no network.

A bundle is a tar file: ``session.json``, ``log.jsonl`` (the entries of the chain in order), ``seals.json``, then every
chunk and still that the chain names. The first thing that does not fit is named.
"""

import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from openproctor.eventlog.chain import data_digest, genesis, link_content, link_event
from openproctor.eventlog.seal import Seal, subject_digest

READ = 1 << 20
# a log line or a JSON member larger than this is not ours
MAX_TEXT = 2 << 30


class Broken(Exception):
    """What was found first that does not fit; ``position`` is the entry's place in the chain, None if none is meant."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(f"entry {position}: {reason}" if position is not None else reason)
        self.position = position
        self.reason = reason


class NotABundle(Exception):
    """The file cannot be read as a bundle."""


@dataclass(slots=True)
class Summary:
    """What was verified. ``bytes`` of media, ``public_key`` that signed the last seal, hex."""

    session_id: str = ""
    events: int = 0
    contents: int = 0
    bytes: int = 0
    erased: int = 0
    public_key: str = ""

    def __str__(self) -> str:
        erased = f", {self.erased} with erased data" if self.erased else ""
        return (
            f"OK: session {self.session_id}: {self.events} events{erased} and {self.contents} recordings and stills "
            f"({self.bytes / 1e6:.1f} MB) are whole, in order and sealed by key {self.public_key[:16]}…"
        )


@dataclass(slots=True)
class Chain:
    """The chain as far as it was verified; feed it the entries in order."""

    session_id: str
    link: bytes = b""
    position: int = 0
    sequence: int = 0
    events: int = 0
    erased: int = 0
    links: dict[int, str] = field(default_factory=dict)
    wanted: dict[str, tuple[int, str, int]] = field(default_factory=dict)  # file: position, digest, size

    def __post_init__(self) -> None:
        self.link = genesis(self.session_id)

    def add(self, entry: dict[str, Any]) -> None:
        """Check one entry against the one before; raises :class:`Broken`."""
        try:
            position = int(entry["position"])
            if position != self.position + 1:
                what = (
                    "an entry was removed" if position > self.position + 1 else "entries are repeated or out of order"
                )
                raise Broken(f"expected position {self.position + 1}, found {position}: {what}", self.position + 1)
            link = self._event(entry) if entry["kind"] == "event" else self._content(entry)
            if link.hex() != entry["link"]:
                raise Broken("its content does not fit its link: it was changed", position)
        except (KeyError, TypeError, ValueError) as error:
            raise Broken(f"it is malformed ({error!r})", self.position + 1) from error
        self.position, self.link = position, link
        self.links[position] = entry["link"]

    def _event(self, entry: dict[str, Any]) -> bytes:
        sequence = entry["sequence"]
        if sequence != self.sequence + 1:
            raise Broken(f"expected event {self.sequence + 1}, found {sequence}", entry["position"])
        if "data" in entry:
            digest = data_digest(bytes.fromhex(entry["salt"]), entry["data"])
        else:
            digest = entry["data_digest"]
            self.erased += 1
        self.sequence = sequence
        self.events += 1
        return link_event(
            self.link,
            session_id=self.session_id,
            position=entry["position"],
            sequence=sequence,
            type_id=entry["type_id"],
            source=entry["source"],
            occurred_at=entry["occurred_at"],
            received_at=entry["received_at"],
            stream=entry["stream"],
            client_sequence=entry["client_sequence"],
            digest=digest,
            evidence=entry["evidence"],
        )

    def _content(self, entry: dict[str, Any]) -> bytes:
        content = entry["content"]
        if not entry.get("erased"):
            self.wanted[entry["file"]] = (entry["position"], content["digest"], content["size"])
        return link_content(
            self.link,
            session_id=self.session_id,
            position=entry["position"],
            kind=entry["kind"],
            content=content,
        )


def check_seals(
    chain: Chain, seals: list[Seal], identity: dict[str, Any] | None, salt: str | None, key: str | None
) -> str:
    """The last entry must be sealed, every seal genuine and on the chain; returns the public key. Raises :class:`Broken`."""
    if not seals:
        raise Broken("there is no seal")
    for seal in seals:
        where = f"the seal at entry {seal.position}"
        if seal.session_id != chain.session_id or not seal.is_genuine():
            raise Broken(f"{where} is forged: its signature does not fit")
        if key is not None and seal.public_key != key:
            raise Broken(f"{where} is by another key than the one given")
        if chain.links.get(seal.position) != seal.link:
            raise Broken(f"{where} names another link than the chain has", seal.position)
        if identity is not None and salt is not None and seal.subject != subject_digest(bytes.fromhex(salt), identity):
            raise Broken(f"{where} was made for another candidate or exam than session.json says")
    last = max(seals, key=lambda seal: seal.position)
    if last.position != chain.position:
        raise Broken(f"the last seal is at entry {last.position}: what follows is not sealed", last.position + 1)
    return last.public_key


def verify_bundle(path: Path, *, key: str | None = None, progress: Callable[[float], None] | None = None) -> Summary:
    """Verify a bundle; ``key`` (hex) is the public key that must have sealed it.

    Raises :class:`Broken` for the first thing that does not fit, :class:`NotABundle` for what is no bundle.
    """
    total = path.stat().st_size
    try:
        with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|") as tar:
            return _verify(tar, key, lambda: progress(raw.tell() / total) if progress else None)
    except (tarfile.TarError, json.JSONDecodeError, UnicodeDecodeError, EOFError) as error:
        raise NotABundle(f"{path} is not a bundle, or it is cut off: {error}") from error


def _verify(tar: tarfile.TarFile, key: str | None, tick: Callable[[], None]) -> Summary:
    chain: Chain | None = None
    session: dict[str, Any] = {}
    seals: list[Seal] | None = None
    left: dict[str, tuple[int, str, int]] = {}
    summary = Summary()
    for member in tar:
        file = tar.extractfile(member)
        if file is None:
            raise NotABundle(f"{member.name} is not a plain file")
        if member.name == "session.json":
            session = json.loads(_text(file, member))
            chain = Chain(session["id"])
        elif member.name == "log.jsonl" and chain is not None:
            for line in file:
                chain.add(json.loads(line))
            left = dict(chain.wanted)
        elif member.name == "seals.json" and chain is not None:
            seals = [Seal(**seal) for seal in json.loads(_text(file, member))]
            summary.public_key = check_seals(chain, seals, session.get("identity"), session.get("salt"), key)
        elif chain is None or seals is None:
            raise NotABundle(f"{member.name} comes before session.json, log.jsonl and seals.json")
        else:
            _check_file(member, file, left)
            summary.contents += 1
            summary.bytes += member.size
            tick()
    if chain is None or seals is None:
        raise NotABundle("session.json, log.jsonl or seals.json is missing")
    if left:
        name, (position, _, _) = min(left.items(), key=lambda item: item[1][0])
        raise Broken(f"its file {name} is missing", position)
    summary.session_id, summary.events, summary.erased = chain.session_id, chain.events, chain.erased
    return summary


def _text(file: IO[bytes], member: tarfile.TarInfo) -> str:
    if member.size > MAX_TEXT:
        raise NotABundle(f"{member.name} is too large")
    return file.read().decode()


def _check_file(member: tarfile.TarInfo, file: IO[bytes], left: dict[str, tuple[int, str, int]]) -> None:
    wanted = left.pop(member.name, None)
    if wanted is None:
        raise Broken(f"the file {member.name} is not in the log, or is there twice")
    position, digest, size = wanted
    hasher = hashlib.sha256()
    while block := file.read(READ):
        hasher.update(block)
    if hasher.hexdigest() != digest or member.size != size:
        raise Broken(f"its file {member.name} is not the one that was stored", position)
