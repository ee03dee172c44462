"""The pool of PostgreSQL: connections are kept at hand, and nobody waits for one in vain."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from models.database import connect, connection, connections, fetch, transaction
from models.database.pool import Pool, is_dead
from models.tables import Organization

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)

SIZE = 2
PATIENCE = 10.0  # seconds


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool of two, with which a statement has run."""
    context = await connect(database_url, fallback=True, pool_size=SIZE, pool_seconds=PATIENCE)
    await fetch("SELECT 1")
    yield connection()._pool
    await context.__aexit__(None, None, None)


async def backend() -> int:
    return int((await fetch("SELECT pg_backend_pid()"))[0][0])


async def until_all_are_back() -> None:
    """Wait until no connection is in use; asyncpg may still be at what was cancelled."""
    async with asyncio.timeout(PATIENCE):
        while connections()[0]:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def test_a_connection_is_handed_out_again_as_it_was(pool: Pool) -> None:
    client: Any = connection()
    first = await client.acquire()
    await client.give_back(first)
    again = await client.acquire()
    assert again is first
    await client.give_back(again)
    assert await backend() == await backend()
    assert connections() == (0, 1)


async def test_only_what_is_at_hand_is_taken_without_waiting(pool: Pool) -> None:
    client: Any = connection()
    held = [await client.acquire() for _ in range(SIZE)]
    assert await asyncio.wait_for(pool.take(), PATIENCE) is None
    for each in held:
        await client.give_back(each)
    taken = await pool.take()
    assert taken is held[-1]
    await client.give_back(taken)


async def test_what_comes_back_for_one_who_waits_is_not_taken(pool: Pool) -> None:
    client: Any = connection()
    first, second = [await client.acquire() for _ in range(SIZE)]
    waiting = asyncio.create_task(client.acquire())
    await asyncio.sleep(0.01)
    await pool.give_back(first)
    with pytest.raises(StopIteration) as at_once:
        pool.take().send(None)
    assert at_once.value.value is None
    assert await asyncio.wait_for(waiting, PATIENCE) is first
    for each in (first, second):
        await client.give_back(each)


async def test_more_than_there_are_connections_take_turns(pool: Pool) -> None:
    rows = await asyncio.gather(
        *(fetch("SELECT pg_backend_pid(), pg_sleep(0.01)") for _ in range(20))
    )
    assert len({row[0][0] for row in rows}) == SIZE
    assert connections() == (0, SIZE)


async def test_those_who_wait_get_what_comes_back_in_any_way(pool: Pool) -> None:
    async def write() -> None:
        async with transaction():
            await fetch("SELECT pg_sleep(0.005)")

    async def fail() -> None:
        with pytest.raises(OperationalError):
            await fetch("SELECT * FROM nothing")

    async def leave() -> None:
        task = asyncio.create_task(fetch("SELECT pg_sleep(1)"))
        await asyncio.sleep(0.01)
        task.cancel()

    some = [verb() for _ in range(5) for verb in (write, fail, leave)]
    await asyncio.wait_for(asyncio.gather(*some, *(fetch("SELECT 1") for _ in range(20))), 10)
    await until_all_are_back()


async def test_tortoise_finds_the_connections_at_hand(pool: Pool) -> None:
    await asyncio.gather(*(fetch("SELECT pg_sleep(0.01)") for _ in range(SIZE)))
    assert await asyncio.wait_for(Organization.all().count(), PATIENCE) == 0


async def test_one_that_died_at_hand_is_replaced(pool: Pool) -> None:
    client: Any = connection()
    before = await backend()
    held = await client.acquire()
    await fetch("SELECT pg_terminate_backend($1)", before)
    await client.give_back(held)
    async with asyncio.timeout(PATIENCE):
        while not is_dead(held):  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
    assert await backend() != before
    assert await backend() != before
    assert connections()[0] == 0


async def test_those_at_hand_expire_with_the_others(pool: Pool) -> None:
    before = await backend()
    await pool.expire_connections()
    assert await backend() != before


async def test_those_at_hand_are_renewed_and_none_is_lost(pool: Pool) -> None:
    async def backends() -> set[int]:
        found = await asyncio.gather(
            *(fetch("SELECT pg_backend_pid(), pg_sleep(0.02)") for _ in range(SIZE))
        )
        return {rows[0][0] for rows in found}

    before = await backends()
    pool.renew()
    after = await backends()
    assert (len(before), len(after)) == (SIZE, SIZE)
    assert before.isdisjoint(after)


async def test_closing_waits_for_nobody_who_is_at_hand(pool: Pool) -> None:
    await asyncio.wait_for(pool.close(), PATIENCE)
    assert pool.get_size() == 0


async def test_those_at_hand_are_released_together(pool: Pool) -> None:
    """Of a server that has gone silent, each would keep the others waiting."""
    await asyncio.gather(*(fetch("SELECT pg_sleep(0.01)") for _ in range(SIZE)))
    together = asyncio.Barrier(SIZE)

    async def wait(_: asyncpg.Connection) -> None:
        await together.wait()

    pool._reset = wait
    await asyncio.wait_for(pool.close(), PATIENCE)
    assert pool.get_size() == 0


async def test_closing_waits_for_nobody_who_comes_back_meanwhile(pool: Pool) -> None:
    held = [await pool.acquire() for _ in range(SIZE)]
    await pool.give_back(held[0])
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)  # it is closing the one at hand
    await pool.give_back(held[1])
    await asyncio.wait_for(closing, PATIENCE)
    assert pool.get_size() == 0


async def test_who_stops_waiting_takes_no_connection_along(pool: Pool) -> None:
    rng = random.Random(7)

    async def ask(number: int) -> None:
        statement = "SELECT 1" if number % 3 else "SELECT pg_sleep(0.001)"
        await fetch(statement)

    for _ in range(20):
        tasks = [asyncio.create_task(ask(number)) for number in range(30)]
        while waiting := [task for task in tasks if not task.done()]:
            await asyncio.sleep(rng.choice((0, 0, 0.0005)))
            if rng.random() < 0.5:
                rng.choice(waiting).cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
    await until_all_are_back()
    await asyncio.wait_for(asyncio.gather(*(fetch("SELECT 1") for _ in range(10))), PATIENCE)


async def test_one_that_is_lost_makes_room_for_who_waits(pool: Pool) -> None:
    client: Any = connection()
    held = [await client.acquire() for _ in range(SIZE)]
    waiting = asyncio.create_task(client.acquire())
    await asyncio.sleep(0.01)
    held[0].terminate()
    await client.give_back(held[0])
    made = await asyncio.wait_for(waiting, PATIENCE)
    assert made not in held
    for each in (made, held[1]):
        await client.give_back(each)
    assert connections() == (0, SIZE)


async def test_a_statement_that_is_cancelled_twice_frees_its_connection(pool: Pool) -> None:
    client: Any = connection()
    held = [await client.acquire() for _ in range(SIZE - 1)]
    task = asyncio.create_task(fetch("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(client.acquire())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    found = await asyncio.wait_for(waiting, PATIENCE)
    for each in (found, *held):
        await client.give_back(each)
    assert connections() == (0, SIZE)


async def test_closing_takes_no_longer_than_what_is_under_way(pool: Pool) -> None:
    task = asyncio.create_task(fetch("SELECT pg_sleep(0.1)"))
    await asyncio.sleep(0.02)
    await asyncio.wait_for(pool.close(), PATIENCE)
    await task
    assert pool.get_size() == 0


async def test_those_that_died_at_hand_are_not_counted(pool: Pool, database_url: str) -> None:
    await asyncio.gather(*(fetch("SELECT pg_sleep(0.01)") for _ in range(SIZE)))
    outsider = await asyncpg.connect(database_url)
    await outsider.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await outsider.close()
    async with asyncio.timeout(PATIENCE):
        while connections() != (0, 0):  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
    assert [row[0] for row in await fetch("SELECT 1")] == [1]


@pytest.mark.parametrize("waits", [True, False])
async def test_one_in_use_expires_too(pool: Pool, waits: bool) -> None:
    client: Any = connection()
    held = await client.acquire()
    before = held.get_server_pid()
    if waits:
        await pool.expire_connections()
    else:
        pool.renew()
    await client.give_back(held)
    assert await backend() != before


async def test_a_statement_given_up_once_it_was_parsed_leaves_nothing_behind(
    database_url: str,
) -> None:
    context = await connect(database_url, fallback=True, pool_size=1, statement_seconds=0.5)
    await fetch("SELECT 1")
    task: Any = asyncio.create_task(fetch("SELECT 1 + $1::int", 1))
    for _ in range(1_000_000):
        await asyncio.sleep(0)
        if task._fut_waiter and task._fut_waiter.done():
            break
    task.cancel()  # the answer to its Parse is there, and the task has yet to go on
    await asyncio.wait([task])
    assert task.cancelled()
    await asyncio.sleep(0.7)
    assert await fetch("SELECT 2")
    await context.__aexit__(None, None, None)
