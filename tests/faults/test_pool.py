"""Every connection to the database is in use: a bounded wait, and then 503."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from models.database import connection, is_in_transaction, is_postgres, snapshot
from models.database.sqlite import READERS
from models.groups import create_group
from models.ledger import write
from models.organizations import create_organization
from models.tables import Action
from models.viewer import Viewer
from schema.plans import Plan
from tests.access.service import line, listening
from tests.client import Asker, Client, asker, serving
from tests.factories import make_group
from tests.refusals import unchanged

POOL = 3
SECONDS = 0.5
LONGEST = 8.0  # that a machine which is busy may make of it
READ = "{ organization { groupCount } groups { nodes { id } } }"
CREATE = 'mutation { createGroup(input: {name: "New"}) { revision } }'
patiently = pytest.mark.parametrize("seconds", [LONGEST])
on_sqlite = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@pytest.fixture
def seconds() -> float:
    """How long one waits for a connection."""
    return SECONDS


async def open_all() -> None:
    """Open all connections, which may take longer than one waits here for one to be free."""
    if is_postgres():
        pool = await connection()._ensure_pool()
        for each in [await pool.acquire() for _ in range(POOL)]:
            await pool.give_back(each)


@pytest.fixture
async def client(database_url: str, seconds: float) -> AsyncIterator[Client]:
    """A client of a service with few connections, which keeps no answers."""
    async with serving(
        database_url, pool_size=POOL, pool_seconds=seconds, kept_megabytes=0
    ) as client:
        await open_all()
        yield client


@pytest.fixture
async def ask(client: Client) -> Asker:
    """An administrator of Acme, which has a group."""
    acme = await create_organization("Acme")
    await make_group(acme)
    return await asker(client, acme)


@asynccontextmanager
async def in_use(number: int) -> AsyncIterator[None]:
    """Hold so many of the connections that read, each in a task of its own."""
    held, done = asyncio.Semaphore(0), asyncio.Event()

    async def hold() -> None:
        async with snapshot():
            held.release()
            await done.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(number):
            tasks.create_task(hold())
        for _ in range(number):
            await held.acquire()
        yield
        done.set()


@asynccontextmanager
async def held_up(viewer: Viewer) -> AsyncIterator[None]:
    """A write of the viewer's organization, in a task of its own, that ends with the block."""
    held, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with write(viewer):
            held.set()
            await done.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold())
        await held.wait()
        yield
        done.set()


def all_of(database_url: str) -> int:
    """How many connections there are to read on."""
    return POOL if database_url.startswith("postgres") else READERS


def assert_busy(response: httpx.Response) -> None:
    """Assert that a request was refused for want of a connection, and is told when to come."""
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert "(COHORT_POOL_SECONDS)" in error["message"]


async def test_a_read_waits_so_long_and_is_refused(
    database_url: str, client: Client, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_use(all_of(database_url)):
        started = time.monotonic()
        responses = await asyncio.gather(*(client.post(READ, token=ask.token) for _ in range(20)))
        assert SECONDS <= time.monotonic() - started < LONGEST
        for response in responses:
            assert_busy(response)
    assert (await ask(READ))["organization"] == {"groupCount": 1}
    assert "Traceback" not in caplog.text


async def test_a_write_waits_so_long_and_changes_nothing(
    database_url: str, client: Client, ask: Asker
) -> None:
    async with in_use(all_of(database_url) - 1), AsyncExitStack() as last, unchanged(ask.viewer):
        await last.enter_async_context(in_use(1))
        assert_busy(await client.post(CREATE, token=ask.token))
        await last.aclose()
    assert (await ask(CREATE))["createGroup"]["revision"] == 3


@patiently
async def test_whoever_waits_is_served_as_soon_as_one_is_free(
    database_url: str, client: Client, ask: Asker
) -> None:
    async with in_use(all_of(database_url)):
        waiting = [asyncio.create_task(client.post(READ, token=ask.token)) for _ in range(20)]
        await asyncio.sleep(SECONDS / 5)
    responses = await asyncio.gather(*waiting)
    assert {response.status_code for response in responses} == {200}


@patiently
async def test_more_requests_than_connections_only_wait(client: Client, ask: Asker) -> None:
    responses = await asyncio.gather(*(client.post(READ, token=ask.token) for _ in range(60)))
    assert {response.status_code for response in responses} == {200}


async def test_readiness_says_so_meanwhile(database_url: str, client: Client) -> None:
    async with in_use(all_of(database_url)):
        assert (await client.http.get("/readyz")).status_code == 503
        assert (await client.http.get("/healthz")).status_code == 200
    assert (await client.http.get("/readyz")).status_code == 200


async def test_other_pages_are_refused_alike(database_url: str, client: Client, ask: Asker) -> None:
    async with in_use(all_of(database_url)):
        assert_busy(await client.http.post("/session", json={"token": "wrong"}))
        headers = {"Authorization": "Bearer wrong"}
        assert_busy(await client.http.get("/metrics", headers=headers))


async def test_a_socket_is_told_to_come_again(database_url: str) -> None:
    async with listening(database_url, pool_size=POOL, pool_seconds=SECONDS) as service:
        await open_all()
        ask = await asker(service.client, await create_organization("Acme"))
        async with line(service, ask.token) as earlier, line(service) as later:
            async with in_use(all_of(database_url)):
                await later.say("connection_init", payload={"Authorization": "Bearer wrong"})
                assert await later.close_code() == 1013
                await earlier.subscribe("1", READ)
                error = await earlier.hear()
                assert error["type"] == "error"
                assert error["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
            assert await earlier.ask("{ organization { name } }") == {
                "organization": {"name": "Acme"}
            }


@on_sqlite
async def test_a_write_waits_for_another_no_longer_than_so(client: Client, ask: Asker) -> None:
    async with held_up(ask.viewer):
        assert_busy(await client.post(CREATE, token=ask.token))
        assert (await ask(READ))["organization"] == {"groupCount": 1}
    assert (await ask(CREATE))["createGroup"]["revision"] == 3


async def test_writes_that_wait_for_one_another_hold_no_connection(
    client: Client, ask: Asker
) -> None:
    other = await asker(client, await create_organization("Other"))
    async with held_up(ask.viewer):
        waiting = [asyncio.create_task(client.post(CREATE, token=ask.token)) for _ in range(20)]
        await asyncio.sleep(SECONDS / 5)
        connection().pool_seconds = LONGEST  # of who comes now: those that wait keep theirs
        assert (await other(READ))["organization"] == {"groupCount": 0}
        assert (await ask(READ))["organization"] == {"groupCount": 1}
        if is_postgres():
            assert (await other(CREATE))["createGroup"]["revision"] == 2
        for response in await asyncio.gather(*waiting):
            assert_busy(response)
    assert (await ask(CREATE))["createGroup"]["revision"] == 3


@patiently
async def test_who_writes_much_keeps_nobody_else_waiting(client: Client, ask: Asker) -> None:
    other = await create_organization("Other")
    landed: list[str] = []

    async def land(viewer: Viewer, name: str) -> None:
        await create_group(viewer, name)
        landed.append(viewer.organization_id)

    # So that each has a connection, which may take longer to open than many writes.
    await asyncio.gather(land(ask.viewer, "The first"), land(other, "The first"))
    landed.clear()
    await asyncio.gather(
        *(land(ask.viewer, f"Group {number}") for number in range(20)), land(other, "Theirs")
    )
    assert landed.index(other.organization_id) < 10


@patiently
async def test_answers_to_writes_need_no_two_connections_at_once(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found again in a snapshot, since others wrote meanwhile, waits for no connection."""
    complete = Plan.complete

    async def complete_too_late(self: Plan, *given: Any) -> list[dict[str, Any]]:
        parts = await complete(self, *given)
        if not is_in_transaction():
            async with write(ask.viewer) as draft:
                draft.record(Action.GROUP_UPDATED, "came in between", details={})
        return parts

    monkeypatch.setattr(Plan, "complete", complete_too_late)
    create = """mutation($name: String!) { createGroup(input: {name: $name}) {
        group { users { totalCount } } } }"""
    answers = await asyncio.gather(*(ask(create, name=f"New {n}") for n in range(2 * POOL)))
    assert answers == [{"createGroup": {"group": {"users": {"totalCount": 0}}}}] * (2 * POOL)
