"""The pool of PostgreSQL: connections are kept at hand, and nobody waits for one in vain."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tortoise.exceptions import OperationalError

from models.database import connect, connection, connections, fetch, transaction
from models.database.pool import Pool
from models.tables import Organization

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)

SIZE = 2


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool of two, with which a statement has run."""
    context = await connect(database_url, fallback=True, pool_size=SIZE, pool_seconds=2.0)
    await fetch("SELECT 1")
    yield connection()._pool
    await context.__aexit__(None, None, None)


async def backend() -> int:
    return int((await fetch("SELECT pg_backend_pid()"))[0][0])


async def test_a_connection_is_handed_out_again_as_it_was(pool: Pool) -> None:
    client: Any = connection()
    first = await client.acquire()
    client.give_back(first)
    again = await client.acquire()
    assert again is first
    client.give_back(again)
    assert await backend() == await backend()
    assert connections() == (0, 1)


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
    await asyncio.sleep(0.1)  # asyncpg may still be at what was cancelled
    assert connections()[0] == 0


async def test_tortoise_finds_the_connections_at_hand(pool: Pool) -> None:
    await asyncio.gather(*(fetch("SELECT pg_sleep(0.01)") for _ in range(SIZE)))
    assert await asyncio.wait_for(Organization.all().count(), 2) == 0


async def test_one_that_died_at_hand_is_replaced(pool: Pool) -> None:
    client: Any = connection()
    before = await backend()
    held = await client.acquire()
    await fetch("SELECT pg_terminate_backend($1)", before)
    client.give_back(held)
    for _ in range(5):
        await asyncio.sleep(0.02)
    assert await backend() != before
    assert await backend() != before
    assert connections()[0] == 0


async def test_those_at_hand_expire_with_the_others(pool: Pool) -> None:
    before = await backend()
    await pool.expire_connections()
    assert await backend() != before


async def test_closing_waits_for_nobody_who_is_at_hand(pool: Pool) -> None:
    await asyncio.wait_for(pool.close(), 2)
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
    await asyncio.sleep(0.1)  # asyncpg may still be at what was cancelled
    assert connections()[0] == 0
    await asyncio.wait_for(asyncio.gather(*(fetch("SELECT 1") for _ in range(10))), 2)


async def test_a_connection_that_comes_as_its_waiter_leaves_goes_to_the_next(pool: Pool) -> None:
    client: Any = connection()
    held = [await client.acquire() for _ in range(SIZE)]
    first, second = (asyncio.create_task(client.acquire()) for _ in range(2))
    await asyncio.sleep(0.01)
    client.give_back(held[0])  # to the first, which is stopped before it hears of it
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await asyncio.wait_for(second, 1) is held[0]
    for each in held:
        client.give_back(each)
    assert connections() == (0, SIZE)


async def test_one_that_is_lost_makes_room_for_who_waits(pool: Pool) -> None:
    client: Any = connection()
    held = [await client.acquire() for _ in range(SIZE)]
    waiting = asyncio.create_task(client.acquire())
    await asyncio.sleep(0.01)
    held[0].terminate()
    client.give_back(held[0])
    made = await asyncio.wait_for(waiting, 2)
    assert made not in held
    for each in (made, held[1]):
        client.give_back(each)
    assert connections() == (0, SIZE)
