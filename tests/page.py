"""Small helpers for tests that speak the candidate's protocol by hand."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect


def now() -> int:
    """Now, ms since 1970."""
    return int(time.time() * 1000)


def digest_header(data: bytes) -> str:
    """Content-Digest of a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


class Page:
    """A candidate's page without a browser: join, events, socket."""

    def __init__(self, url: str, join_url: str, device: str | None = None) -> None:
        self.url = url
        self.device = device or secrets.token_hex(8)
        self.token = join_url.rsplit("/", 1)[1]
        self.http = httpx.Client(base_url=url, timeout=30)
        self.stream = secrets.token_hex(8)
        self.seq = 0
        self.session_id = ""
        self.room: dict[str, Any] = {}

    def join(self) -> httpx.Response:
        """Join; remembers the candidate's token."""
        answer = self.http.post("/api/v1/join", json={"token": self.token, "device": self.device})
        if answer.status_code == 200:
            body = answer.json()
            self.session_id, self.room = body["session_id"], body["room"]
            self.http.headers["Authorization"] = f"Bearer {body['candidate_token']}"
            self.candidate_token = body["candidate_token"]
        return answer

    def path(self, rest: str) -> str:
        """Address below the session."""
        return f"/api/v1/sessions/{self.session_id}/{rest}"

    def event(self, type_id: int, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The next event of the stream."""
        self.seq += 1
        return {"seq": self.seq, "type_id": type_id, "at": now(), "data": data or {}, **more}

    def send(self, *events: dict[str, Any]) -> httpx.Response:
        """Events by HTTP."""
        return self.http.post(
            self.path("events"), json={"stream": self.stream, "sent_at": now(), "events": list(events)}
        )

    @contextmanager
    def socket(self, **hello: Any) -> Iterator[ClientConnection]:
        """An open socket that the server has taken note of."""
        with connect(self.url.replace("http", "ws") + self.path("socket")) as socket:
            socket.send(json.dumps({"t": "hello", "token": self.candidate_token, "device": self.device, **hello}))
            welcome = json.loads(socket.recv(10))
            assert welcome["t"] == "welcome", welcome
            socket.send(json.dumps({"t": "ready"}))
            # frames are answered only after the opening is in the log
            socket.send(json.dumps({"t": "ping", "n": 0, "at": 0}))
            assert json.loads(socket.recv(10))["t"] == "pong"
            yield socket

    def put_chunk(self, track: str, number: int, data: bytes, part: int = 0, **headers: str) -> httpx.Response:
        """Upload a chunk."""
        defaults = {
            "Content-Type": "video/mp4",
            "Content-Digest": digest_header(data),
            "X-Recording-Part": str(part),
            "X-Part-Started-At": str(now()),
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.put(self.path(f"media/{track}/chunks/{number}"), content=data, headers=defaults | given)
