"""What takes too long is stopped: its statements too, and what it has written is rolled back."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from models import database
from models.database import fetch
from models.organizations import create_organization
from models.tables import Role
from tests.access.service import listening
from tests.client import JSON, Asker, Client, asker, serving
from tests.factories import make_bot, make_group, make_users
from tests.refusals import unchanged
from tests.trust.slowness import slow

SECONDS = 0.3


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[Client]:
    """A client of a service that has little time."""
    async with serving(database_url, request_seconds=SECONDS, kept_megabytes=0) as client:
        yield client


async def statements_that_run() -> int:
    """How many statements the database is at, beside the one that asks."""
    if database.is_postgres():
        rows = await fetch(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state = 'active' AND pid <> pg_backend_pid()"
        )
        return int(rows[0][0])
    in_use, _ = database.connections()
    return in_use


async def assert_all_stopped() -> None:
    """Assert that no statement goes on, at the latest a moment from now."""
    async with asyncio.timeout(5):
        while await statements_that_run():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def assert_stopped(client: Client, ask: Asker, query: str) -> None:
    """Assert that an operation is stopped in time, and says which setting stopped it."""
    started = time.perf_counter()
    response = await client.post(query, token=ask.token)
    assert time.perf_counter() - started < 10 * SECONDS
    assert response.status_code == 503
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert error["message"] == ("Stopped after 0.3 seconds (COHORT_REQUEST_SECONDS); ask for less.")


@pytest.mark.parametrize(
    "query",
    ["{ groups { nodes { id } } }", "{ bots { nodes { groups { nodes { id } } } } }"],
    ids=["of the root", "of a batch"],
)
async def test_a_query_is_stopped_with_its_statements(
    client: Client, ask: Asker, query: str
) -> None:
    await make_group(ask.viewer, bots=[await make_bot(ask.viewer)])
    async with slow("groups"):
        await assert_stopped(client, ask, query)
        await assert_all_stopped()
        assert await ask("{ organization { name } }") == {"organization": {"name": "Acme"}}


async def test_the_statements_of_one_request_are_no_others(client: Client, ask: Asker) -> None:
    """Those that are fetched for many requests at once go on."""
    await make_group(ask.viewer)
    async with slow("groups"):
        stopped = assert_stopped(client, ask, "{ groups { nodes { id } } }")
        others = [ask("{ organization { name } }") for _ in range(20)]
        _, *answers = await asyncio.gather(stopped, *others)
    assert answers == [{"organization": {"name": "Acme"}}] * 20


async def test_a_write_is_rolled_back(client: Client, ask: Asker) -> None:
    group = await make_group(ask.viewer)
    (user,) = await make_users(ask.viewer, 1)
    add = f'addUsersToGroup(input: {{groupId: "{group}", userIds: ["{user}"]}}) {{ revision }}'
    async with unchanged(ask.viewer):
        async with slow("users"):
            await assert_stopped(client, ask, f"mutation {{ {add} }}")
            await assert_all_stopped()
    data = await ask(f"mutation {{ {add} }}")  # nothing holds a lock
    assert data["addUsersToGroup"]["revision"] == 4


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_body_that_does_not_come_is_not_waited_for(database_url: str) -> None:
    async with listening(database_url, request_seconds=SECONDS) as service:
        ask = await asker(service.client, await create_organization("Acme"), Role.ADMIN)
        host, port = service.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /graphql HTTP/1.1\r\nHost: {service.address}\r\nContent-Type: {JSON}\r\n"
            f"Authorization: Bearer {ask.token}\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
        async with asyncio.timeout(10 * SECONDS):
            assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
        writer.close()
        await writer.wait_closed()
