"""A whole installation under load: each of its processes is killed, its engines stay away, and everything is counted.

Two servers behind a balancer, one worker, PostgreSQL, NATS and SeaweedFS: what ``make cluster`` starts.
"""

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from scripts.cluster import Node, start
from scripts.engines import Engine, Missing
from tests.faults.loads import AWAY_S, ROUNDS, Balancer, only_full, pauses, under_load, wait_for

pytestmark = pytest.mark.slow


class Installation:
    """Its processes by name, and where it is reached."""

    def __init__(self, engines: list[Engine], nodes: list[Node], balancer: Balancer) -> None:
        self.database, self.bus, self.store = engines
        self.servers = [node for node in nodes if node.name == "serve"]
        self.worker = nodes[-1]
        self.balancer = balancer
        self.url = balancer.url
        self.key = self.servers[0].run("keys", "create", "--name", "test")

    def process(self, name: str, number: int) -> Engine:
        """``database``, ``bus``, ``store``, ``worker``; ``server`` is each of the servers in turn."""
        if name == "server":
            return self.servers[number % len(self.servers)]
        process: Engine = getattr(self, name)
        return process

    def log(self) -> str:
        """What both servers have logged."""
        return "".join(server.log.read_text(errors="replace") for server in self.servers)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with ExitStack() as stack:
        # not pytest's folder, which only its own user may enter: PostgreSQL may have to run as another
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openproctor-faults-")))
        folder.chmod(0o755)
        try:
            engines, nodes = start(stack, folder, servers=2, workers=1)
        except Missing as missing:
            pytest.skip(str(missing))
        ports = [int(urlsplit(node.url).port or 0) for node in nodes if node.name == "serve"]
        balancer = stack.enter_context(Balancer(ports))
        yield Installation(engines, nodes, balancer)


def test_each_process_killed_in_turn_under_load(installation: Installation, request: pytest.FixtureRequest) -> None:
    names = ("database", "bus", "server", "worker", "store")
    with under_load(request, "each process killed in turn", len(names), installation.url, installation.key):
        for number in pauses(7, len(names), 0.3, 1.0):
            process = installation.process(names[number], number)
            process.kill()
            process.start()
    assert len(installation.balancer.used) == 2, "both servers had their share"
    assert_all_analysed(installation)


@only_full
@pytest.mark.parametrize("name", ["database", "bus", "server", "worker", "store"])
def test_killed_again_and_again_under_load(
    installation: Installation, request: pytest.FixtureRequest, name: str
) -> None:
    rounds = 5 if name == "store" else ROUNDS  # it takes its time to start
    with under_load(
        request,
        f"{name} killed",
        rounds,
        installation.url,
        installation.key,
        chunks_per_s=2 if name == "worker" else 8,
        analysed=name == "worker",
    ):
        for number in pauses(20, rounds):
            process = installation.process(name, number)
            process.kill()
            process.start()
    if name == "worker":
        assert_all_analysed(installation)


@pytest.mark.parametrize("name", ["database", pytest.param("bus", marks=only_full)])
def test_away_for_a_while_under_load(installation: Installation, request: pytest.FixtureRequest, name: str) -> None:
    process = installation.process(name, 0)
    logged = len(installation.log())
    with under_load(request, f"{name} gone for {AWAY_S:.0f} s", 1, installation.url, installation.key):
        process.kill()
        gone = time.monotonic()
        # the servers know, say so, and live
        for server in installation.servers:
            wait_for(partial(says_so, server, name), f"{name} is missed", 30)
            assert httpx.get(f"{server.url}/healthz").status_code == 200
        time.sleep(max(0.0, gone + AWAY_S - time.monotonic()))
        process.start()
        for server in installation.servers:
            wait_for(partial(well, server), f"{name} is found again", 30)
    said = installation.log()[logged:]
    assert f"the {name} is away" in said
    assert f"the {name} is back" in said
    assert "Traceback" not in said, said


def says_so(server: Node, name: str) -> bool:
    """Without its database a server is not ready; without the bus it is, and names it."""
    answer = httpx.get(f"{server.url}/readyz", timeout=20)
    if name != "database":
        return bool(answer.json() | {"waiting": 0} == {"status": "degraded", "away": [name], "waiting": 0})
    if answer.status_code != 503:
        return False
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    problem = answer.json()
    assert "database" in problem["detail"]
    assert problem["what_to_do"]
    return True


def well(server: Node) -> bool:
    answer = httpx.get(f"{server.url}/readyz", timeout=20)
    return answer.is_success and answer.json()["status"] == "ready"


def assert_all_analysed(installation: Installation) -> None:
    """Every chunk was looked at, and no finding stands in a log twice."""

    async def ask(sql: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(installation.database.url)
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    def left() -> int:
        [row] = asyncio.run(
            ask(
                "SELECT count(*) AS n FROM chunks c LEFT JOIN analyses a USING (session_id)"
                " WHERE c.track='camera' AND c.number >= coalesce(a.next_number, 0)"
            )
        )
        return int(row["n"])

    wait_for(lambda: left() == 0, "the analysis of all chunks", 240)
    found = asyncio.run(ask("SELECT session_id, type_id, occurred_at, data FROM events WHERE source='analysis'"))
    counted = Counter(
        (r["session_id"], r["type_id"], r["occurred_at"], json.loads(r["data"]).get("frame_time")) for r in found
    )
    assert not [key for key, count in counted.items() if count > 1]
