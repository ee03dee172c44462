"""What takes too long is stopped: its statements too, and what it has written is rolled back."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from asyncpg import connect_utils

import server
from models import database
from models.database import fetch
from models.organizations import create_organization
from models.tables import Role
from tests.access.service import PATIENCE, line, listening, stream
from tests.client import JSON, Asker, Client, asker, serving
from tests.databases import opened
from tests.factories import make_admin, make_bot, make_group, make_users, viewer_of
from tests.refusals import unchanged
from tests.trust.slowness import slow

SECONDS = 0.9
LONGEST = 8.0  # that a machine which is busy may make of it


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
    async with asyncio.timeout(PATIENCE):
        while await statements_that_run():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def assert_stopped(client: Client, ask: Asker, query: str) -> None:
    """Assert that an operation is stopped in time, and says which setting stopped it."""
    started = time.perf_counter()
    response = await client.post(query, token=ask.token)
    assert time.perf_counter() - started < LONGEST
    assert response.status_code == 503
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    advice = (
        "it may have been saved all the same: check before you try again"
        if "mutation" in query
        else "ask for less"
    )
    assert error["message"] == f"Stopped after 0.9 seconds (COHORT_REQUEST_SECONDS); {advice}."


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
    await ask("{ organization { name } }")  # so that signing in need not look at users
    async with unchanged(ask.viewer):
        async with slow("users"):
            await assert_stopped(client, ask, f"mutation {{ {add} }}")
            await assert_all_stopped()
    data = await ask(f"mutation {{ {add} }}")  # nothing holds a lock
    assert data["addUsersToGroup"]["revision"] == 4


WHO = """subscription($after: String) {
    changes(after: $after) { cursor node { actor { user { name } } } } }"""


async def test_an_event_that_takes_too_long_ends_its_subscription_with_nothing_lost(
    database_url: str,
) -> None:
    async with listening(database_url, request_seconds=SECONDS) as service:
        acme = await create_organization("Acme")
        ada = viewer_of(acme, await make_admin(acme, "Ada"), Role.ADMIN)
        token = (await asker(service.client, acme)).token
        async with line(service, token) as socket, stream(service, token, WHO) as events:
            await socket.subscribe("1", WHO)
            await service.has_subscribers(2)
            service.runner.guard.seconds = PATIENCE  # what can be told is, however long it takes
            await make_group(ada, "Told")
            for listener in (socket, events):
                change = await listener.change()
                assert change["node"]["actor"]["user"] == {"name": "Ada"}
            service.runner.guard.seconds = SECONDS
            async with slow("users"):
                await make_group(ada, "Not told in time")
                message = await socket.hear()
                assert (message["type"], message["id"]) == ("error", "1")
                event, body = await events.hear()
                assert event == "next"
                assert await events.hear() == ("complete", None)
                for (error,) in (message["payload"], body["errors"]):
                    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
                    assert "COHORT_REQUEST_SECONDS" in error["message"]
                await assert_all_stopped()
            # Whoever goes on from the last cursor is told what it has missed.
            service.runner.guard.seconds = PATIENCE
            await socket.subscribe("2", WHO, after=change["cursor"])
            missed = await socket.change("2")
            assert missed["node"]["actor"]["user"] == {"name": "Ada"}


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_a_statement_whose_cancellation_is_lost_is_ended_by_the_database(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(**_: object) -> None:
        pass

    monkeypatch.setattr(connect_utils, "_cancel", lost)
    monkeypatch.setattr(server, "SLACK_SECONDS", SECONDS)
    async with serving(database_url, request_seconds=SECONDS, kept_megabytes=0) as client:
        ask = await asker(client, await create_organization("Acme"))
        await make_group(ask.viewer)
        async with slow("groups"):
            await assert_stopped(client, ask, "{ groups { nodes { id } } }")
            await assert_all_stopped()
        assert await ask("{ groups { totalCount } }") == {"groups": {"totalCount": 1}}


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_an_operators_command_may_take_its_time(database_url: str) -> None:
    async with serving(database_url, request_seconds=2.5):
        assert (await fetch("SHOW statement_timeout"))[0][0] == "7500ms"
    async with opened(database_url):
        assert (await fetch("SHOW statement_timeout"))[0][0] == "0"


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
        async with asyncio.timeout(PATIENCE):
            assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
        writer.close()
        await writer.wait_closed()
