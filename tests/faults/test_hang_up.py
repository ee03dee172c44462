"""A client that hangs up: its query is stopped and its connection goes back; its write lands."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import httpx
import pytest

from models import database
from models.database import connection, fetch
from models.ledger import current_revision, write
from models.organizations import create_organization
from models.verify import differences
from models.viewer import Viewer
from tests.access.service import PATIENCE, Service, line, listening
from tests.client import Asker, asker
from tests.factories import make_bot, make_group
from tests.faults.writers import Line
from tests.trust.slowness import slow

SHALLOW = "{ groups { nodes { id } } }"
DEEP = "{ bots { nodes { groups { nodes { id } } } } }"  # the slow part runs in a loader's task
CREATE = 'mutation { createGroup(input: {name: "New"}) { revision } }'
RUNNING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state = 'active' AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The service, with more time for a request than any test here has."""
    async with listening(
        database_url, request_seconds=600, kept_megabytes=0, pool_size=3
    ) as service:
        yield service


@pytest.fixture
async def ask(service: Service) -> Asker:
    """An administrator of Acme, which has a group with a bot."""
    acme = await create_organization("Acme")
    await make_group(acme, bots=[await make_bot(acme)])
    return await asker(service.client, acme)


async def statements_that_run() -> int:
    """How many statements the database is at, beside the one that asks."""
    if database.is_postgres():
        return int((await fetch(RUNNING))[0][0])
    return database.connections()[0]


async def until_running(number: int) -> None:
    """Wait until the database is at so many statements."""
    async with asyncio.timeout(PATIENCE):
        while await statements_that_run() != number:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def assert_whole_again(ask: Asker) -> None:
    """Assert that nothing runs any more, and that every connection is back and of use."""
    await until_running(0)
    async with asyncio.timeout(PATIENCE):
        while database.connections()[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    answers = await asyncio.gather(*(ask("{ organization { name } }") for _ in range(20)))
    assert answers == [{"organization": {"name": "Acme"}}] * 20


@asynccontextmanager
async def asking(service: Service, token: str) -> AsyncIterator[Line]:
    """A connection of a client, closed at the end."""
    with closing(Line(int(service.address.rpartition(":")[2]), token)) as connection:
        yield connection


@pytest.mark.parametrize("query", [SHALLOW, DEEP], ids=["of the root", "of a batch"])
async def test_a_query_is_stopped_when_its_client_hangs_up(
    service: Service, ask: Asker, query: str
) -> None:
    async with slow("groups"):
        async with asking(service, ask.token) as client:
            await client.send(query, {})
            await until_running(1)
        await assert_whole_again(ask)


async def test_a_get_is_stopped_as_well(service: Service, ask: Asker) -> None:
    headers = {"Authorization": f"Bearer {ask.token}"}
    async with slow("groups"):
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            request = http.get(service.http, params={"query": SHALLOW}, headers=headers)
            asked = asyncio.create_task(request)
            await until_running(1)
            asked.cancel()
        await assert_whole_again(ask)


async def test_a_query_on_a_socket_is_stopped_when_it_is_closed(
    service: Service, ask: Asker
) -> None:
    async with slow("groups"):
        async with line(service, ask.token) as socket:
            await socket.subscribe("1", SHALLOW)
            await until_running(1)
        await assert_whole_again(ask)


async def test_many_who_hang_up_take_no_connection_with_them(service: Service, ask: Asker) -> None:
    async with slow("groups"):
        for _ in range(8):  # more than there are connections, one after the other
            async with asking(service, ask.token) as client:
                await client.send(DEEP, {})
                await until_running(1)
            await until_running(0)
        await assert_whole_again(ask)


async def test_others_are_not_stopped(service: Service, ask: Asker) -> None:
    async with slow("groups"), asking(service, ask.token) as staying:
        await staying.send("{ organization { name } }", {})
        async with asking(service, ask.token) as leaving:
            await leaving.send(SHALLOW, {})
            await until_running(1)
        assert (await staying.hear())[0] == 200
        await assert_whole_again(ask)


async def hold(acme: Viewer, held: asyncio.Event, done: asyncio.Event) -> None:
    """Keep every other write of the organization waiting."""
    async with write(acme):
        held.set()
        await done.wait()


async def test_a_write_lands_although_its_client_hangs_up(service: Service, ask: Asker) -> None:
    """It may land or not when a connection breaks; once it has begun it is worth its end."""
    before = await current_revision(ask.viewer.organization_id)
    held, done = asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(hold(ask.viewer, held, done))
    await held.wait()
    async with asking(service, ask.token) as client:
        await client.send(CREATE, {})
        async with asyncio.timeout(PATIENCE):
            while not service.runner.guard.at_once._counts:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert await current_revision(ask.viewer.organization_id) == before
    done.set()
    await holding
    async with asyncio.timeout(PATIENCE):
        while await current_revision(ask.viewer.organization_id) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await assert_whole_again(ask)
    assert await differences() == []


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_statement_that_has_yet_to_begin_is_stopped_as_well(ask: Asker) -> None:
    """SQLite forgets an interruption that comes before the statement."""
    client: Any = connection()
    for reader in client._readers._queue:
        reader._tx.put((None, lambda: time.sleep(0.3)))
    async with slow("groups"):
        asked = asyncio.create_task(ask(SHALLOW))
        await until_running(1)
        asked.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([asked])
        await assert_whole_again(ask)
