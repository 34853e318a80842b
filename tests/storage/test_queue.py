"""The work queue in every form: each item once, in order for one session, nothing lost, poison set aside."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from openproctor.errors import Problem
from openproctor.storage.bus import open_bus
from openproctor.storage.database import Database
from openproctor.storage.queue import Delivery, Item, WorkQueue, open_queue
from scripts.engines import Nats

LEASE = 0.6
LONG = 60.0  # where no lease is to end, however busy the machine is
DELIVERIES = 3

Opener = Callable[..., Awaitable[WorkQueue]]


@pytest.fixture(params=["sqlite", "postgresql", "nats"])
async def another(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the same queue as another process would."""
    url, bus_url = f"sqlite:///{tmp_path / 'a.db'}", None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    if request.param == "nats":
        bus_url = f"{request.getfixturevalue('nats').url}/{tmp_path.name.replace('.', '_')}"
    async with AsyncExitStack() as stack:

        async def opener(lease: float = LONG) -> WorkQueue:
            database = Database(url)
            await asyncio.to_thread(database.prepare)
            stack.push_async_callback(database.close)
            bus = open_bus(bus_url, tmp_path)
            await bus.start()
            stack.push_async_callback(bus.close)
            return open_queue("analysis", database, bus, lease=lease, deliveries=DELIVERIES)

        yield opener


@pytest.fixture
async def queue(another: Opener) -> WorkQueue:
    return await another()


async def some(queue: WorkQueue, seconds: float = 10) -> Delivery:
    found = await queue.take(seconds)
    assert found is not None
    return found


async def test_what_was_added_is_taken_once_with_what_it_says(queue: WorkQueue) -> None:
    item = Item("s1", "camera-0", {"number": 0, "text": "é\n", "none": None})
    assert await queue.publish(item) is True
    assert await queue.publish(item) is False
    assert await queue.waiting() == 1
    delivery = await some(queue)
    assert (delivery.item, delivery.number) == (item, 1)
    assert await queue.publish(item) is False, "it is still not done"
    assert await queue.take(0) is None
    assert await delivery.done() is True
    assert await queue.waiting() == 0
    assert await queue.take(0) is None
    assert await queue.publish(item) is True, "the same may have to be done again later"


async def test_a_session_s_items_come_in_order_and_one_at_a_time(queue: WorkQueue) -> None:
    for number in range(3):
        await queue.publish(Item("a", str(number)))
    await queue.publish(Item("b", "0"))
    first, second = await some(queue), await some(queue)
    assert {first.item.session_id, second.item.session_id} == {"a", "b"}
    assert await queue.take(0) is None, "the next of a waits for the one before"
    done = []
    for delivery in (first, second):
        done.append((delivery.item.session_id, delivery.item.key))
        await delivery.done()
    for _ in range(2):
        delivery = await some(queue)
        done.append((delivery.item.session_id, delivery.item.key))
        await delivery.done()
    assert [key for session, key in done if session == "a"] == ["0", "1", "2"]


async def test_who_waits_is_told_at_once(another: Opener) -> None:
    working, adding = await another(), await another()
    waiting = asyncio.create_task(working.take(20))
    await working.waiting()
    for _ in range(3):
        began = time.monotonic()
        await adding.publish(Item("a", "0"))
        delivery = await waiting
        assert delivery
        assert time.monotonic() - began < 0.7, "sooner than the next look"
        waiting = asyncio.create_task(working.take(20))
        await delivery.done()
    waiting.cancel()


async def test_an_item_of_a_worker_that_died_goes_to_another_in_its_place(another: Opener) -> None:
    dies, lives = await another(LEASE), await another(LEASE)
    for number in range(2):
        await dies.publish(Item("a", str(number)))
    assert (await some(dies)).item.key == "0"
    began = time.monotonic()
    delivery = await some(lives)
    assert time.monotonic() - began > LEASE / 2
    assert (delivery.item.key, delivery.number) == ("0", 2)
    await delivery.done()
    assert (await some(lives)).item.key == "1"


async def test_a_worker_that_says_so_keeps_its_item(another: Opener) -> None:
    slow, other = await another(LEASE), await another(LEASE)
    await slow.publish(Item("a", "0"))
    delivery = await some(slow)
    until = time.monotonic() + 3 * LEASE
    while time.monotonic() < until:
        await delivery.hold()
        assert await other.take(LEASE / 3) is None
    assert await delivery.done() is True
    assert await other.waiting() == 0


async def test_what_did_not_work_comes_again_later_and_what_is_behind_it_waits(queue: WorkQueue) -> None:
    for number in range(2):
        await queue.publish(Item("a", str(number)))
    delivery = await some(queue)
    await delivery.later(0.3, "not yet")
    began = time.monotonic()
    delivery = await some(queue)
    assert time.monotonic() - began > 0.15
    assert (delivery.item.key, delivery.number) == ("0", 2)
    await delivery.later(0, "not yet")
    assert (await some(queue)).item.key == "0"


async def test_what_never_works_is_parked_and_what_is_behind_it_goes_on(queue: WorkQueue) -> None:
    await queue.publish(Item("a", "poison", {"n": 1}))
    await queue.publish(Item("a", "good"))
    for number in range(DELIVERIES):
        delivery = await some(queue)
        assert (delivery.item.key, delivery.number) == ("poison", number + 1)
        await delivery.later(0, f"no {number}")
    delivery = await some(queue)
    assert delivery.item.key == "good"
    await delivery.done()
    [parked] = await queue.parked()
    assert (parked.item, parked.deliveries, parked.error) == (Item("a", "poison", {"n": 1}), DELIVERIES, "no 2")
    assert abs(parked.parked_at / 1000 - time.time()) < 60
    assert await queue.waiting() == 0

    assert await queue.put_back("a", "poison") is True
    assert await queue.put_back("a", "poison") is False
    assert await queue.parked() == []
    delivery = await some(queue)
    assert (delivery.item.key, delivery.item.data) == ("poison", {"n": 1})
    for _ in range(DELIVERIES - delivery.number + 1):
        await delivery.later(0, "still not")
        delivery = await queue.take(0.2) or delivery
    assert len(await queue.parked()) == 1
    assert await queue.discard("a", "poison") is True
    assert await queue.discard("a", "poison") is False
    assert (await queue.parked(), await queue.waiting()) == ([], 0)


async def test_what_kills_every_worker_is_parked_too(another: Opener) -> None:
    queue = await another(LEASE)
    await queue.publish(Item("a", "poison"))
    for number in range(DELIVERIES):
        delivery = await some(queue)  # and nothing is heard of this worker again
        assert delivery.number == number + 1
    assert await queue.take(3 * LEASE) is None
    [parked] = await queue.parked()
    assert (parked.item.key, parked.deliveries) == ("poison", DELIVERIES)
    assert "without a word" in parked.error


async def test_many_workers_do_everything_once_and_in_order(another: Opener) -> None:
    queues = [await another() for _ in range(3)]
    sessions, items = 6, 15
    done: defaultdict[str, list[int]] = defaultdict(list)
    at_work: set[str] = set()

    async def worker(queue: WorkQueue) -> None:
        while delivery := await queue.take(1.5):
            session = delivery.item.session_id
            assert session not in at_work
            at_work.add(session)
            done[session].append(int(delivery.item.key))
            await asyncio.sleep(0.001)
            at_work.discard(session)
            await delivery.done()

    async def add(session: str) -> None:
        for number in range(items):
            await queues[number % 3].publish(Item(session, str(number)))

    await asyncio.gather(*[add(f"s{n}") for n in range(sessions)], *[worker(queue) for queue in queues])
    assert dict(done) == {f"s{n}": list(range(items)) for n in range(sessions)}
    assert [await queue.waiting() for queue in queues] == [0, 0, 0]


async def test_a_name_that_not_every_engine_knows_is_refused(queue: WorkQueue) -> None:
    for name in ("", "a.b", "a b", "*", ">", "a/b", "é", "x" * 65):
        for item in (Item(name, "k"), Item("s", name)):
            with pytest.raises(ValueError, match="not a name"):
                await queue.publish(item)


# -- NATS --------------------------------------------------------------------------------------------------------------


async def test_items_outlive_the_bus_and_are_refused_while_it_is_away(tmp_path: Path) -> None:
    with Nats() as server:
        bus = open_bus(server.url, tmp_path)
        await bus.start()
        queue = open_queue("analysis", Database(f"sqlite:///{tmp_path / 'a.db'}"), bus, lease=LEASE)
        for number in range(5):
            await queue.publish(Item("a", str(number)))
        await (await some(queue)).done()
        await asyncio.to_thread(server.kill)
        for call in (queue.publish(Item("a", "9")), queue.take(0), queue.waiting(), queue.parked()):
            with pytest.raises(Problem) as problem:
                await call
            assert (problem.value.status, bool(problem.value.retry_after)) == (503, True)
        await asyncio.to_thread(server.start)
        done: list[str] = []
        async with asyncio.timeout(30):
            while len(done) < 4:
                try:
                    delivery = await queue.take(1)
                    if delivery:
                        done.append(delivery.item.key)
                        await delivery.done()
                except Problem:
                    await asyncio.sleep(0.1)
        assert done == ["1", "2", "3", "4"]
        await bus.close()
