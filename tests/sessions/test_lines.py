"""Lines of candidates and what the log says of them, where a process is interrupted or does several things at once."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from openproctor.assembly import Platform
from openproctor.clock import now_ms
from openproctor.errors import Problem
from openproctor.sessions.models import presence
from openproctor.sessions.repository import Session
from tests.sessions.platforms import LIMIT_MS, Server, Socket, new_sessions, until

MANY = 200


async def lines_of(platform: Platform, session: Session) -> list[tuple[int, str | None]]:
    """Events of coming and going, with the reason."""
    found = await platform.events.page(session.organization_id, session.id, type_ids=[9, 10, 181, 1063], limit=100)
    return [(event.type_id, event.data.get("reason")) for event in found]


async def test_a_line_that_could_not_be_noted_leaves_no_trace(server: Server) -> None:
    async with server() as platform:
        (session,) = await new_sessions(platform, offline_ms=500)
        line = Socket(session)
        await platform.presence.opened(line, 1, 1, None)
        await platform.presence.closed(line, 1006, "closed")
        before = [(9, None), (10, "closed"), (181, None)]

        async def offline() -> bool:
            return await lines_of(platform, session) == before

        await until(offline)
        await platform.log.close()  # from now on nothing can be noted
        with pytest.raises(Problem):
            await platform.presence.opened(Socket(session), 2, 1, None)
        assert not platform.presence.connected(session.id)
        assert await platform.presence.connected_of([session.id]) == set()
    async with server() as platform:
        assert await lines_of(platform, session) == before, "no line was lost that was never there"
        await platform.presence.opened(Socket(session), 3, 1, None)
        assert await lines_of(platform, session) == [*before, (9, None), (1063, None)]


async def test_a_first_line_that_could_not_be_noted_was_no_line(server: Server) -> None:
    async with server() as platform:
        (session,) = await new_sessions(platform, offline_ms=500)
        await platform.log.close()
        with pytest.raises(Problem):
            await platform.presence.opened(Socket(session), 1, 1, None)
    async with server() as platform:
        assert await platform.sessions.repository.lines_of("") == []
        assert await platform.sessions.repository.lost_since(session.id) == 0
        await platform.presence.opened(Socket(session), 2, 1, None)
        assert await lines_of(platform, session) == [(9, None)]
        (event,) = await platform.events.page(session.organization_id, session.id, type_ids=[9], limit=1)
        assert event.data["reconnect"] is False


async def test_of_two_lines_that_come_at_once_one_stays(server: Server) -> None:
    async with server() as platform:
        (session,) = await new_sessions(platform)
        first, second = Socket(session, "one"), Socket(session, "two")
        await asyncio.gather(*(platform.presence.opened(line, 1, 1, None) for line in (first, second)))
        assert await lines_of(platform, session) == [(9, None), (10, "replaced"), (9, None)]
        assert platform.presence.lines() == [second]
        assert (first.number, second.number) == (1, 2)

        async def told() -> bool:
            return first.codes == [4409]

        await until(told)
        assert second.codes == []


async def test_questions_at_once_and_a_socket_in_between_make_one_line(server: Server) -> None:
    async with server() as platform:
        ask = platform.presence.asked
        for number, session in enumerate(await new_sessions(platform, 10)):
            await ask(session)
            await asyncio.sleep(LIMIT_MS / 5_000)  # a page that asks again after so long has no socket
            if number == 0:
                await asyncio.gather(ask(session), ask(session))
                assert platform.presence.connected(session.id)
                assert await lines_of(platform, session) == []
                continue
            line = Socket(session)
            await asyncio.gather(
                ask(session),
                platform.presence.opened(line, 1, 1, None),
                ask(session),
            )
            assert [found for found in platform.presence.lines() if found.session.id == session.id] == [line]
            assert await lines_of(platform, session) == [(9, None)]


def commits() -> float:
    return REGISTRY.get_sample_value("openproctor_log_commits_total") or 0.0


async def test_lines_that_are_lost_together_are_noted_together(server: Server) -> None:
    async with server() as platform:
        sessions = await new_sessions(platform, MANY, offline_ms=500)
        await asyncio.gather(*(platform.presence.opened(Socket(s, heard_at=0), 1, 1, None) for s in sessions))
        before = commits()

        async def all_offline() -> bool:
            heads = await platform.events.heads(sessions[0].organization_id, [s.id for s in sessions])
            return all(head.counts.get(181) == 1 for head in heads.values())

        await until(all_offline)
        # two events of each, but by far not a commit for each
        assert commits() - before < MANY / 10
        for session in sessions:
            assert await lines_of(platform, session) == [(9, None), (10, "heartbeat"), (181, None)]


# SQLite has one writer at a time
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_noting_who_is_there_waits_for_no_line_that_is_being_changed(server: Server) -> None:
    async with server() as platform:
        sessions = await new_sessions(platform, 3)
        for session in sessions:
            await platform.presence.opened(Socket(session), 1, 1, None)
        ids = [session.id for session in sessions]
        later = now_ms() + 1_000
        async with platform.database.write("a test") as connection:
            held = select(presence).where(presence.c.session_id == ids[1]).with_for_update()
            assert (await connection.execute(held)).first() is not None
            async with asyncio.timeout(15):
                gone = await platform.sessions.repository.seen(dict.fromkeys(ids, (1, later)) | {"nobody": (1, later)})
        assert gone == {"nobody"}
        rows = [await platform.sessions.repository.presence_of(session, "") for session in sessions]
        assert [row.seen_at == later for row in rows] == [True, False, True]
