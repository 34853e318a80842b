"""Messages between listeners of one process and of several, in every form of the bus."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openproctor.storage.bus import QUEUE_LIMIT, Bus, LocalBus
from openproctor.storage.engines import open_bus
from scripts.engines import Nats

Opener = Callable[[], Bus]


@pytest.fixture(params=["host", "nats"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the bus as another process would."""
    url = (
        f"{request.getfixturevalue('nats').url}/{tmp_path.name.replace('.', '_')}" if request.param == "nats" else None
    )
    return lambda: open_bus(url, tmp_path)


@asynccontextmanager
async def started(*openers: Opener) -> AsyncIterator[list[Bus]]:
    async with AsyncExitStack() as stack:
        buses = []
        for opener in openers:
            bus = opener()
            await bus.start()
            stack.push_async_callback(bus.close)
            buses.append(bus)
        yield buses


async def take(messages: AsyncIterator[Any], count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await anext(messages) for _ in range(count)]


async def test_everybody_who_listens_hears_it_once_and_in_order(another: Opener) -> None:
    async with started(another, another, another) as buses, AsyncExitStack() as stack:
        listening = [await stack.enter_async_context(bus.subscribe("log/a")) for bus in buses for _ in range(2)]
        other = await stack.enter_async_context(buses[1].subscribe("log/b"))
        for number in range(50):
            buses[number % 2].publish("log/a", [number % 2, number])
        buses[0].publish("log/b", {"x": "é\n", "n": None})
        for messages in listening:
            heard = await take(messages, 50)
            for sender in (0, 1):
                assert [n for s, n in heard if s == sender] == list(range(sender, 50, 2))
        assert await take(other, 1) == [{"x": "é\n", "n": None}]
        buses[0].publish("log/a", "last")
        for messages in listening:
            assert await take(messages, 1) == ["last"]


async def test_who_came_in_misses_nothing_from_then_on(another: Opener) -> None:
    async with started(another, another) as (first, second):
        for number in range(20):
            async with first.subscribe("state/a") as messages:
                second.publish("state/a", number)
                assert await take(messages, 1) == [number]


async def test_a_wait_that_was_given_up_can_be_taken_up_again(another: Opener) -> None:
    async with started(another, another) as (first, second), first.subscribe("log") as messages:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(messages)
        second.publish("log", 1)
        assert await take(messages, 1) == [1]


async def test_processes_come_and_go(another: Opener) -> None:
    async with started(another) as (stays,), stays.subscribe("log") as messages:
        for number in range(5):
            async with started(another) as (comes,):
                async with comes.subscribe("chunks") as heard:
                    stays.publish("chunks", number)
                    assert await take(heard, 1) == [number]
                comes.publish("log", number)
        assert await take(messages, 5) == list(range(5))


async def test_a_listener_that_does_not_keep_up_is_told_to_look_for_itself() -> None:
    bus = LocalBus()
    async with bus.subscribe("log") as messages:
        for number in range(QUEUE_LIMIT + 10):
            bus.publish("log", number)
        assert await take(messages, 3) == [None, QUEUE_LIMIT, QUEUE_LIMIT + 1]


@pytest.mark.parametrize("url", ["redis://h", "nats://h/a.b"])
def test_an_address_that_is_not_understood_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="BUS_URL"):
        open_bus(url, tmp_path)


# -- between the processes of one machine ------------------------------------------------------------------------------

_PROCESS = """
import asyncio, sys
from pathlib import Path
from openproctor.storage.engines import open_bus

async def main():
    bus = open_bus(None, Path(sys.argv[1]))
    await bus.start()
    async with bus.subscribe("questions") as questions:
        print("ready", flush=True)
        async for question in questions:
            bus.publish("answers", question)

asyncio.run(main())
"""


async def test_only_a_process_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "bus"
    folder.mkdir()
    (folder / "gone.sock").touch()
    with socket.socket(socket.AF_UNIX) as closed, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        closed.bind(str(folder / "killed.sock"))
        closed.close()
        # it refuses nobody, yet no line to it can be opened
        there.bind(str(folder / "there.sock"))
        async with started(lambda: open_bus(None, tmp_path)):
            left = {path.name for path in folder.iterdir()}
            assert "there.sock" in left
            assert left.isdisjoint({"gone.sock", "killed.sock"})


async def test_a_process_that_was_killed_is_forgotten_and_a_frozen_one_holds_nobody_up(tmp_path: Path) -> None:
    deep = tmp_path / ("a folder with a long name " * 4)  # longer than the address of a Unix socket may be
    async with started(lambda: open_bus(None, deep)) as (bus,), bus.subscribe("answers") as answers:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROCESS, str(deep), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        bus.publish("questions", "one")
        assert await take(answers, 1) == ["one"]

        os.kill(process.pid, signal.SIGSTOP)
        async with asyncio.timeout(5):
            for number in range(50):
                async with bus.subscribe(f"log/{number}"):
                    bus.publish("questions", "x" * 100_000)
        os.kill(process.pid, signal.SIGCONT)
        heard: list[Any] = []
        async with asyncio.timeout(20):
            while "two" not in heard:
                bus.publish("questions", "two")
                heard += await take(answers, 1)
        assert None in heard or len([h for h in heard if h == "x" * 100_000]) < 50

        process.kill()
        await process.wait()
        for _ in range(3):
            bus.publish("questions", "nobody hears it")
        async with started(lambda: open_bus(None, deep)) as (third,), third.subscribe("log") as messages:
            bus.publish("log", json.dumps("still here"))
            assert await take(messages, 1) == ['"still here"']
        assert [path.name for path in (deep / "bus").iterdir()] == [
            path.name for path in (deep / "bus").glob(f"{os.getpid()}-*")
        ]


# -- NATS --------------------------------------------------------------------------------------------------------------


async def test_a_bus_that_was_away_is_found_again_and_listeners_are_told_to_look(tmp_path: Path) -> None:
    with Nats() as server:

        def opener() -> Bus:
            return open_bus(server.url, tmp_path)

        async with started(opener, opener) as (first, second), first.subscribe("log") as messages:
            second.publish("log", 1)
            assert await take(messages, 1) == [1]
            await asyncio.to_thread(server.kill)
            async with second.subscribe("state/a") as states:
                second.publish("state/a", "within the process")
                assert await take(states, 1) == ["within the process"]
                await asyncio.to_thread(server.start)
                assert await take(messages, 1) == [None]
                assert await take(states, 1) == [None]
                first.publish("state/a", "from the other")
                assert await take(states, 1) == ["from the other"]


async def test_a_process_may_start_before_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openproctor.storage.natsbus.START_SECONDS", 0.2)
    with Nats() as server:
        server.kill()

        def opener() -> Bus:
            return open_bus(server.url, tmp_path)

        async with started(opener, opener) as (first, second), first.subscribe("log") as messages:
            await asyncio.to_thread(server.start)
            heard: list[Any] = []
            async with asyncio.timeout(20):
                while "here" not in heard:
                    second.publish("log", "here")
                    try:
                        async with asyncio.timeout(0.2):
                            heard.append(await anext(messages))
                    except TimeoutError:
                        pass
