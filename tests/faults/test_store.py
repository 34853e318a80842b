"""The store of recordings is ill: it answers 500, or slowly, or not at all. Events go on, recordings wait in the page."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pytest

from scripts.engines import SeaweedFS
from tests.faults.loads import AWAY_S, only_full, under_load, wait_for
from tests.live import LiveServer

pytestmark = pytest.mark.slow
Illness = Literal["", "500", "slow", "silent"]
SLOW_S = 3.0
_ANSWER = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class IllStore:
    """A line to a real store on which requests fail, or are answered late, or never."""

    def __init__(self, store: SeaweedFS) -> None:
        self._target = urlsplit(store.endpoint)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._illness: Illness = ""
        self.spoiled = 0
        self.url = store.url.replace(store.endpoint, f"http://127.0.0.1:{self._listener.getsockname()[1]}")
        threading.Thread(target=self._accept, daemon=True).start()

    def falls_ill(self, illness: Illness) -> None:
        """From now on; connections that are open are dropped, so that none goes on as before."""
        self._illness = illness
        for line in list(self._open):
            self._drop(line)

    @staticmethod
    def _drop(line: socket.socket) -> None:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near, self._illness), daemon=True).start()

    def _serve(self, near: socket.socket, illness: Illness) -> None:
        self._open.add(near)
        try:
            if illness:
                self.spoiled += 1
            if illness == "500":
                near.recv(65536)
                near.sendall(_ANSWER)
                return
            if illness == "silent":
                while near.recv(65536):
                    pass
                return
            with socket.create_connection((self._target.hostname or "", self._target.port or 0)) as far:
                self._open.add(far)
                up = threading.Thread(target=self._pass, args=(near, far, 0.0), daemon=True)
                up.start()
                self._pass(far, near, SLOW_S if illness == "slow" else 0.0)
                self._drop(near)
                up.join()
                self._open.discard(far)
        except OSError:
            return
        finally:
            self._open.discard(near)
            near.close()

    def _pass(self, source: socket.socket, sink: socket.socket, late: float) -> None:
        try:
            while data := source.recv(65536):
                self._over.wait(late)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """End everything."""
        self._over.set()
        self._listener.close()
        self.falls_ill("")


@pytest.fixture
def store(seaweedfs: SeaweedFS) -> Iterator[IllStore]:
    made = IllStore(seaweedfs)
    yield made
    made.close()


@pytest.fixture
def server(tmp_path: Path, store: IllStore, seaweedfs: SeaweedFS) -> Iterator[LiveServer]:
    settings = {
        "media_url": store.url,
        "media_access_key": seaweedfs.access_key,
        "media_secret_key": seaweedfs.secret_key,
    }
    with LiveServer(tmp_path, workers=0, **settings) as live:
        yield live


@pytest.mark.parametrize(
    "illness", ["500", pytest.param("slow", marks=only_full), pytest.param("silent", marks=only_full)]
)
def test_a_store_that_is_ill_for_a_while_loses_nothing(
    server: LiveServer, store: IllStore, request: pytest.FixtureRequest, illness: Illness
) -> None:
    words = {"500": "answers 500", "slow": f"answers {SLOW_S:.0f} s late", "silent": "does not answer"}[illness]
    with under_load(request, f"store {words} for {AWAY_S:.0f} s", 1, server.url, server.key) as there:
        store.falls_ill(illness)
        until = time.monotonic() + AWAY_S
        if illness != "slow":
            wait_for(lambda: httpx.get(f"{server.url}/readyz", timeout=20).json()["away"] == ["store"], "it is missed")
        time.sleep(max(0.0, until - time.monotonic()))
        assert there() == 20, "nobody lost the line over it"
        assert store.spoiled > 0
        store.falls_ill("")
        wait_for(lambda: httpx.get(f"{server.url}/readyz", timeout=20).json()["away"] == [], "it is found again")
    log = server.log.read_text()
    assert "Traceback" not in log
    if illness == "500":
        assert "the store of recordings and stills does not answer" in log
