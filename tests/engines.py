"""Real engines for tests: every kind of storage in each of its forms, started once for all tests of a process.

``pytest --distributed`` lets every server process of the tests run on PostgreSQL, NATS and S3 instead of its data folder.
"""

import asyncio
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from scripts.engines import Engine, Missing, Nats, Postgres, SeaweedFS


def _started(engine: type[Engine]) -> Iterator[Engine]:
    try:
        made = engine()
    except Missing as missing:
        pytest.skip(str(missing))
    with made:
        yield made


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine]:
    """PostgreSQL, for all tests; each makes databases of its own."""
    yield from _started(Postgres)


@pytest.fixture(scope="session")
def nats() -> Iterator[Engine]:
    """NATS, for all tests; each uses subjects of its own."""
    yield from _started(Nats)


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Engine]:
    """An S3 store, for all tests."""
    yield from _started(SeaweedFS)


def _sql(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    # in a thread, since an event loop may be running here
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new, empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'openproctor.db'}"
        return
    yield from new_postgres_database(request)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a new, empty database on PostgreSQL."""
    yield from new_postgres_database(request)


def new_postgres_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Make a database, and remove it after the test."""
    server: Postgres = request.getfixturevalue("postgres")
    name = f"test_{secrets.token_hex(6)}"
    _sql(server.url, f"CREATE DATABASE {name}")
    yield server.database_url(name)
    _sql(server.url, f"DROP DATABASE {name} WITH (FORCE)")


def pytest_addoption(parser: pytest.Parser) -> None:
    """See the top of this file."""
    parser.addoption("--distributed", action="store_true", help="run server processes on PostgreSQL, NATS and S3")


@pytest.fixture(scope="module", autouse=True)
def distributed(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``--distributed``: the settings of every server that a test of the module starts."""
    if not request.config.getoption("--distributed"):
        yield
        return
    store: SeaweedFS = request.getfixturevalue("seaweedfs")
    name = secrets.token_hex(4)
    for url in new_postgres_database(request):
        settings = {
            **store.environment,
            "OPENPROCTOR_DATABASE_URL": url,
            "OPENPROCTOR_BUS_URL": f"{request.getfixturevalue('nats').url}/{name}",
            "OPENPROCTOR_MEDIA_URL": store.url.replace("?", f"/{name}?"),
        }
        os.environ.update(settings)
        yield
        for setting in settings:
            del os.environ[setting]
