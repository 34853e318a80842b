"""The candidate's side of the public protocol: frames, headers, and the list of what the server has acknowledged."""

import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from openproctor.simulation.media import Blob, content_digest

API = "/api/v1"


class Event(msgspec.Struct):
    """An event as a page sends it; ``at`` in ms since 1970."""

    seq: int
    type_id: int
    at: int
    data: dict[str, Any] = {}
    evidence: list[dict[str, str]] = []

    @property
    def key(self) -> tuple[int, int, bytes]:
        """What must come back from the server: type, time, data."""
        return event_key(self.type_id, self.at, self.data)


class Frame(msgspec.Struct):
    """A frame from the server; each kind fills its own members."""

    t: str
    id: int = 0
    n: int = 0
    at: float = 0
    server_time: int = 0
    heartbeat_ms: int = 0
    max_batch: int = 0
    milliseconds: int = 0
    acknowledged: list[int] = []
    refused: list[dict[str, Any]] = []
    state: str = ""
    problem: dict[str, Any] = {}
    room: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


encode = msgspec.json.Encoder().encode
read_frame = msgspec.json.Decoder(Frame).decode
_canonical = msgspec.json.Encoder(order="deterministic").encode


def event_key(type_id: int, at: int, data: Any) -> tuple[int, int, bytes]:
    """Identity of an event across the wire."""
    return type_id, at, _canonical(_plain(data))


def _plain(value: Any) -> Any:
    """The same JSON value with one spelling of each number: 15 for 15.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value


def hello(token: str, device: str, page: str, attempt: int = 1, offline: tuple[int, int] | None = None) -> bytes:
    """The first frame. ``offline`` is when the page was without a line, ms since 1970."""
    frame: dict[str, Any] = {"t": "hello", "token": token, "device": device, "attempt": attempt, "page": page}
    if offline:
        frame["offline"] = {"from": offline[0], "until": offline[1]}
    return encode(frame)


def ping(number: int, at: int) -> bytes:
    """A heartbeat."""
    return b'{"t":"ping","n":%d,"at":%d}' % (number, at)


def events_frame(id_: int, stream: str, sent_at: int, events: list[Event]) -> bytes:
    """A batch of events on the socket."""
    return encode({"t": "events", "id": id_, "stream": stream, "sent_at": sent_at, "events": events})


def chunk_headers(blob: Blob, part: int, started_at: int, digest: str | None = None) -> dict[str, str]:
    """Headers of a chunk's ``PUT``."""
    return {
        "Content-Type": "video/mp4",
        "Content-Digest": digest or blob.content_digest,
        "X-Recording-Part": str(part),
        "X-Part-Started-At": str(started_at),
    }


def capture_headers(data: bytes, captured_at: int) -> dict[str, str]:
    """Headers of a JPEG still's ``PUT``."""
    return {
        "Content-Type": "image/jpeg",
        "Content-Digest": content_digest(data),
        "X-Captured-At": str(captured_at),
    }


def socket_url(base_url: str, session_id: str) -> str:
    """Address of a session's socket."""
    parts = urlsplit(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{API}/sessions/{session_id}/socket"


def join_token(join_url: str) -> str:
    """The token at the end of a join link."""
    return urlsplit(join_url).path.rstrip("/").rsplit("/", 1)[-1]


@dataclass(slots=True)
class Ledger:
    """Everything that the server has acknowledged to one candidate, to be compared with what it gives back."""

    events: dict[int, Event] = field(default_factory=dict)
    chunks: dict[tuple[str, int], str] = field(default_factory=dict)
    captures: dict[str, str] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def chunk(self, track: str, number: int, data: bytes) -> None:
        """Note a stored chunk."""
        self.chunks[track, number] = hashlib.sha256(data).hexdigest()

    def last_numbers(self) -> dict[str, int]:
        """Last chunk number of each track."""
        last: dict[str, int] = {}
        for track, number in self.chunks:
            last[track] = max(number, last.get(track, -1))
        return last
