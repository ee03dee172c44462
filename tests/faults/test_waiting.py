"""Somebody outside of the service does not end a write: a bounded wait, and then 503."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosqlite
import asyncpg
import httpx
import pytest

from models import ledger
from models.database import Row, connection, fetch, is_postgres
from models.kinds import BOTS
from models.organizations import create_organization
from tests.client import Asker, asker, serving
from tests.databases import opened
from tests.factories import make_entries, make_group
from tests.refusals import unchanged

SECONDS = 2.0  # for a request: much less than SQLite would wait
LONGEST = 6.0  # that a machine which is busy may make of it
TOO_LONG = "is writing, and took too long. Try again."
READ = "{ organization { groupCount } }"
CREATE = 'mutation { createGroup(input: {name: "New"}) { revision } }'
DELETE = """mutation($group: ID!) { deleteGroup(input: {id: $group}) { revision } }"""
RENAME = """mutation($group: ID!, $name: String!) {
    updateGroup(input: {id: $group, name: $name}) { revision } }"""
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted"
ADD = """mutation($group: ID!, $bots: [ID!]!) {
    addBotsToGroup(input: {groupId: $group, botIds: $bots}) { revision } }"""


@pytest.fixture
async def ask(database_url: str) -> AsyncIterator[Asker]:
    """An administrator of Acme; on PostgreSQL its administrator holds all waiting to a limit."""
    async with serving(database_url, request_seconds=SECONDS) as client:
        name = (await fetch("SELECT current_database()"))[0][0] if is_postgres() else None
        if name:
            await fetch(f"ALTER DATABASE {name} SET lock_timeout = '500ms'")
            await connection()._pool.expire_connections()
        try:
            yield await asker(client, await create_organization("Acme"))
        finally:
            if name:
                await fetch(f"ALTER DATABASE {name} RESET lock_timeout")


@asynccontextmanager
async def being_written(url: str) -> AsyncIterator[None]:
    """A transaction of somebody else, which holds what every write needs."""
    if url.startswith("sqlite"):
        async with aiosqlite.connect(url.removeprefix("sqlite://")) as other:
            await other.execute("BEGIN IMMEDIATE")
            yield
            await other.rollback()
        return
    outsider = await asyncpg.connect(url)
    async with outsider.transaction():
        await outsider.execute("SELECT * FROM organizations FOR UPDATE")
        yield
    await outsider.close()


def assert_told(response: httpx.Response) -> None:
    """Assert that a write was refused, and is told why, and when to come."""
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert error["message"].endswith(TOO_LONG)


async def test_a_write_waits_for_one_of_somebody_else_no_longer_than_so(
    database_url: str, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    acme = ask.viewer
    group, bots = await make_group(acme), await make_entries(acme, BOTS, ["Coach"])
    adding = {"group": group, "bots": bots}
    async with unchanged(acme), being_written(database_url):
        for document, variables in ((CREATE, {}), (ADD, adding)):
            started = time.monotonic()
            assert_told(await ask.client.post(document, variables, ask.token))
            assert time.monotonic() - started < LONGEST
            assert (await ask(READ))["organization"] == {"groupCount": 1}
    told = [each for each in caplog.records if each.getMessage().endswith(TOO_LONG)]
    assert [(each.levelno, each.exc_info) for each in told] == [(logging.WARNING, None)] * 2
    await ask(CREATE)
    await ask(ADD, **adding)


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_a_write_that_gives_way_to_somebody_else_is_told_so(
    database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for what the other has: PostgreSQL rolls back whoever notices first."""
    lock, others = ledger.lock, []

    async def lock_and_be_waited_for(organization_id: str) -> Row:
        """The other waits by then: only once, after a second, does the write look why it waits."""
        row = await lock(organization_id)
        others.append(
            asyncio.create_task(outsider.execute("SELECT * FROM organizations FOR UPDATE"))
        )
        while not await fetch(WAITING):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return row

    async with serving(database_url) as client:
        acme = await create_organization("Acme")
        ask, group = await asker(client, acme), await make_group(acme)
        outsider = await asyncpg.connect(database_url, server_settings={"deadlock_timeout": "60s"})
        async with unchanged(acme), outsider.transaction():
            await outsider.execute("SELECT * FROM groups FOR UPDATE")
            with monkeypatch.context() as patches:
                patches.setattr(ledger, "lock", lock_and_be_waited_for)
                response = await client.post(DELETE, {"group": group}, ask.token)
            await asyncio.gather(*others)
        await outsider.close()
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
        assert error["message"] == "Another transaction conflicted with this one. Try again."
        assert "Traceback" not in caplog.text
        await ask(DELETE, group=group)


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_how_the_database_isolates_others_does_not_matter(
    database_url: str, level: str
) -> None:
    async with opened(database_url):
        name = (await fetch("SELECT current_database()"))[0][0]
        await fetch(f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
    try:
        async with serving(database_url) as client:
            acme = await create_organization("Acme")
            ask, bots = await asker(client, acme), await make_entries(acme, BOTS, ["Coach"])
            groups = [await make_group(acme, f"Group {n}") for n in range(8)]
            await asyncio.gather(
                *(ask(ADD, group=group, bots=bots) for group in groups),
                *(ask(RENAME, group=group, name=f"{group} too") for group in groups),
            )
    finally:
        async with opened(database_url):
            await fetch(f"ALTER DATABASE {name} RESET default_transaction_isolation")
