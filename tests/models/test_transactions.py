"""Transactions end whole: committed or rolled back, whenever their task is cancelled."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiosqlite
import asyncpg
import pytest
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError, OperationalError

from models.database import (
    connection,
    connections,
    does,
    fetch,
    fetch_behind,
    has_pairs,
    is_postgres,
    pool_seconds,
    snapshot,
    transaction,
    watch_statements,
)
from models.database.pool import is_dead
from models.database.sqlite import READERS
from models.errors import Unavailable, Unwritable
from models.groups import create_group
from models.kinds import BOTS, USERS
from models.ledger import current_revision, write
from models.sql import Params, values
from models.verify import differences
from models.viewer import Viewer
from tests.databases import assert_ended, end_connections, opened
from tests.factories import make_entries, make_group, make_users
from tests.factories import snapshot as snapshot_of
from tests.models.cancelling import Manner, cancel_at

PATIENCE = 10.0  # seconds

in_every_manner = pytest.mark.parametrize("manner", Manner, ids=lambda manner: manner.name.lower())


@pytest.fixture(autouse=True)
async def complaints(database: TortoiseContext) -> list[str]:
    """What the loop is told meanwhile, such as of a connection that was left in a transaction."""
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: told.append(context["message"])
    )
    return told


async def nothing_is_held(url: str) -> None:
    """Assert that all connections are back, and that no transaction is open in the database."""
    client: Any = connection()
    if is_postgres():
        async with asyncio.timeout(PATIENCE):
            while connections()[0]:  # noqa: ASYNC110  # asyncpg is at a read that was cancelled
                await asyncio.sleep(0.001)
        outsider = await asyncpg.connect(url)
        open_ones = await outsider.fetchval(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state LIKE 'idle in transaction%'"
        )
        await outsider.close()
        assert open_ones == 0
        return
    assert client._readers.qsize() == READERS
    assert not client._lock.locked()
    async with aiosqlite.connect(url.removeprefix("sqlite://"), timeout=0) as other:
        await other.execute("BEGIN IMMEDIATE")
        await other.rollback()


async def all_is_as_before(viewer: Viewer, url: str) -> None:
    """Assert that nothing of `rename_and` is left, and that the next write is made."""
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Acme"
    await nothing_is_held(url)
    await make_group(viewer)


async def rename_and(sql: str) -> None:
    """Rename the organization and run a statement, in one transaction."""
    async with transaction():
        await fetch("UPDATE organizations SET name = 'Renamed'")
        await fetch(sql)


async def test_a_transaction_commits_on_leaving(viewer: Viewer) -> None:
    async with transaction():
        await fetch("UPDATE organizations SET name = 'Renamed'")
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Renamed"


async def test_an_exception_rolls_a_transaction_back(viewer: Viewer, database_url: str) -> None:
    async def fail() -> None:
        async with transaction():
            await fetch("UPDATE organizations SET name = 'Renamed'")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Acme"
    await nothing_is_held(database_url)


async def test_a_statement_that_fails_rolls_its_transaction_back(
    viewer: Viewer, database_url: str
) -> None:
    with pytest.raises(OperationalError, match="no_such_table"):
        await rename_and("SELECT * FROM no_such_table")
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Acme"
    await nothing_is_held(database_url)


RENAME = "UPDATE organizations SET name = $1 WHERE id = $2 AND revision = $3 RETURNING id"


async def test_statements_that_run_together_all_run_or_none(viewer: Viewer) -> None:
    async def run(last: str, revision: int) -> int:
        users = Params()
        columns = {"old": "text", "new": "text"}
        renamed = values(users, "renamed", columns, [("User 00000", "Ada King")], behind=True)
        rest = Params()
        others = values(rest, "others", {"name": "text"}, [("User 00001",)], behind=True)
        async with transaction():
            rows = await fetch_behind(
                (RENAME, ["Renamed", viewer.organization_id, revision]),
                [
                    (
                        "UPDATE users SET name = renamed.new, avatar_url = '/a.png' "
                        f"FROM {renamed} WHERE users.name = renamed.old",
                        users.values,
                    ),
                    (
                        f"UPDATE users SET {last} FROM {others} WHERE users.name = others.name "
                        "RETURNING users.id",
                        rest.values,
                    ),
                ],
            )
        return len(rows)

    await make_users(viewer, 2)
    before = await snapshot_of(viewer.organization_id)
    revision = await current_revision(viewer.organization_id)
    with pytest.raises(IntegrityError):
        await run("id = NULL", revision)
    assert await snapshot_of(viewer.organization_id) == before
    assert await run("name = 'Grace'", revision - 1) == 0  # the first of them returns no row
    assert await snapshot_of(viewer.organization_id) == before
    assert await run("name = 'Grace'", revision) == 1
    rows = await fetch("SELECT name, avatar_url FROM users ORDER BY name")
    assert [tuple(row) for row in rows] == [("Ada King", "/a.png"), ("Grace", None)]
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Renamed"


async def test_other_tasks_do_not_see_a_transaction_before_it_commits(viewer: Viewer) -> None:
    changed, looked = asyncio.Event(), asyncio.Event()

    async def rename() -> None:
        async with transaction():
            await fetch("UPDATE organizations SET name = 'Renamed'")
            changed.set()
            await looked.wait()

    task = asyncio.create_task(rename())
    await changed.wait()
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Acme"
    looked.set()
    await task
    assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Renamed"


@in_every_manner
async def test_a_write_that_is_cancelled_anywhere_lands_whole_or_not_at_all(
    viewer: Viewer, database_url: str, manner: Manner, complaints: list[str]
) -> None:
    users, bots = await make_users(viewer, 3), await make_entries(viewer, BOTS, ["Coach", "Clerk"])

    async def create(name: str) -> None:
        await create_group(viewer, name, None, {"user": users, "bot": bots})

    number, was_reached, landed = 0, True, 0
    while was_reached:
        number += 1
        before = await current_revision(viewer.organization_id)
        was_reached = await cancel_at(create(f"Group {number}"), number, manner)
        await nothing_is_held(database_url)
        landed += await current_revision(viewer.organization_id) - before
        groups = await fetch("SELECT COUNT(*) FROM groups")
        assert groups[0][0] == landed
    assert number > 10
    assert await differences() == []
    assert complaints == []


async def test_a_write_that_is_cancelled_while_it_waits_for_another_leaves_that_one_alone(
    viewer: Viewer, database_url: str, complaints: list[str]
) -> None:
    held, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with write(viewer):
            held.set()
            await done.wait()

    async def create() -> None:
        await make_group(viewer, "Sales")

    holder = asyncio.create_task(hold())
    await held.wait()
    waiting = [asyncio.create_task(create()) for _ in range(3)]
    await asyncio.sleep(0.02)
    for task in waiting[:2]:
        task.cancel()
    done.set()
    await holder
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results[:2]] == [asyncio.CancelledError] * 2
    assert await current_revision(viewer.organization_id) == 1
    await nothing_is_held(database_url)
    assert complaints == []


@pytest.mark.parametrize("begin", [transaction, snapshot])
async def test_a_transaction_that_is_cancelled_does_not_wait_for_its_statement(
    database_url: str, begin: Callable[[], AbstractAsyncContextManager[None]]
) -> None:
    async def count() -> None:
        async with begin():
            await fetch(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
                "SELECT COUNT(*) FROM n",
                200_000_000,
            )

    counting = asyncio.create_task(count())
    await asyncio.sleep(0.05)
    counting.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait([counting])
    assert counting.cancelled()
    await nothing_is_held(database_url)


@in_every_manner
async def test_a_read_that_is_cancelled_anywhere_gives_its_connection_back(
    viewer: Viewer, database_url: str, manner: Manner, complaints: list[str]
) -> None:
    await make_users(viewer, 200)

    async def read() -> None:
        await fetch("SELECT * FROM users a, users b LIMIT 5000")

    number = 1
    while await cancel_at(read(), number, manner):
        await nothing_is_held(database_url)
        number += 1
    assert number > 1
    assert complaints == []


@in_every_manner
async def test_a_snapshot_that_is_cancelled_anywhere_gives_its_connection_back(
    viewer: Viewer, database_url: str, manner: Manner, complaints: list[str]
) -> None:
    async def read() -> None:
        async with snapshot():
            await fetch("SELECT * FROM users")
            await asyncio.gather(fetch("SELECT * FROM groups"), fetch("SELECT * FROM bots"))

    number = 1
    while await cancel_at(read(), number, manner):
        await nothing_is_held(database_url)
        number += 1
    assert number > 3
    await make_entries(viewer, USERS, ["Ada"])
    assert complaints == []


async def test_a_snapshot_sees_one_state_while_others_write(viewer: Viewer) -> None:
    entered, written = asyncio.Event(), asyncio.Event()

    async def read() -> list[int]:
        async with snapshot():
            first = await current_revision(viewer.organization_id)
            entered.set()
            await written.wait()
            # Tasks that are started in a snapshot share it.
            later = (current_revision(viewer.organization_id) for _ in range(5))
            return [first, *await asyncio.gather(*later)]

    task = asyncio.create_task(read())
    await entered.wait()
    await make_group(viewer)
    written.set()
    assert await task == [0] * 6
    assert await current_revision(viewer.organization_id) == 1


async def test_nothing_can_be_written_in_a_snapshot(viewer: Viewer, database_url: str) -> None:
    with pytest.raises(Exception, match="read-?only"):
        async with snapshot():
            await fetch("UPDATE organizations SET name = 'Renamed'")
    await nothing_is_held(database_url)
    await make_group(viewer)


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_a_connection_that_dies_in_a_transaction_is_replaced(
    viewer: Viewer, database_url: str
) -> None:
    with pytest.raises(Unavailable, match="terminating connection"):
        await rename_and("SELECT pg_terminate_backend(pg_backend_pid())")
    await all_is_as_before(viewer, database_url)


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_a_connection_that_dies_in_a_savepoint_takes_the_transaction_along(
    viewer: Viewer, database_url: str
) -> None:
    """Which of the statements finds out is all the same, be it the one that makes a savepoint."""

    async def rename_behind_its_end() -> None:
        await end_connections(database_url)
        async with asyncio.timeout(PATIENCE):
            while not is_dead(connection()._connection):  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.001)
        await rename_and("SELECT 1")

    async def rename_until_its_end() -> None:
        await rename_and("SELECT pg_terminate_backend(pg_backend_pid())")

    async def rename_all(verb: Callable[[], Awaitable[None]]) -> None:
        async with transaction():
            await rename_and("SELECT 1")
            await verb()

    for verb in (rename_behind_its_end, rename_until_its_end):
        with pytest.raises(Unavailable):
            await rename_all(verb)
        assert (await fetch("SELECT name FROM organizations"))[0]["name"] == "Acme"
        await nothing_is_held(database_url)
    await make_group(viewer)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_disk_that_is_full_in_a_savepoint_takes_the_transaction_along(
    viewer: Viewer, database_url: str
) -> None:
    async def rename_and_fill() -> None:
        async with transaction():
            await fetch("PRAGMA max_page_count = 1")  # as many as it has now
            await rename_and(
                "INSERT INTO tortoise_migrations (app, name, applied_at) "
                "VALUES ('models', hex(zeroblob(100000)), '2026-11-30')"
            )

    async with opened(database_url):
        with pytest.raises(Unwritable, match="disk is full"):
            await rename_and_fill()
    await all_is_as_before(viewer, database_url)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_statement_that_is_stopped_in_a_savepoint_takes_the_transaction_along(
    viewer: Viewer, database_url: str
) -> None:
    begun = asyncio.Event()

    async def rename_endlessly() -> None:
        async with transaction():
            await rename_and(
                "UPDATE organizations SET name = (WITH RECURSIVE n(i) AS "
                "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n)"
            )

    with watch_statements(lambda sql: begun.set() if "RECURSIVE" in sql else None):
        renaming = asyncio.create_task(rename_endlessly())
        await begun.wait()
    renaming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await renaming
    await all_is_as_before(viewer, database_url)


@pytest.mark.parametrize("block", [transaction, snapshot])
async def test_what_holds_of_the_process_is_told_in_a_transaction_too(
    viewer: Viewer, block: Callable[[], AbstractAsyncContextManager[object]]
) -> None:
    outside = does("alone"), pool_seconds(), has_pairs()
    in_use, idle = connections()
    async with block():
        assert (does("alone"), pool_seconds(), has_pairs()) == outside
        assert connections() == (in_use + 1, idle - 1)


async def test_how_many_connections_are_in_use_is_told(viewer: Viewer) -> None:
    entered, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with snapshot():
            entered.set()
            await done.wait()

    task = asyncio.create_task(hold())
    await entered.wait()
    assert connections()[0] == 1
    done.set()
    await task
    in_use, idle = connections()
    assert in_use == 0
    assert idle > 0


@in_every_manner
async def test_connecting_can_be_cancelled_anywhere(
    viewer: Viewer, database_url: str, manner: Manner, complaints: list[str]
) -> None:
    await make_group(viewer)
    number, was_reached = 0, True
    while was_reached:
        number += 1
        threads = set(threading.enumerate())
        async with opened(database_url):
            was_reached = await cancel_at(read_and_write(), number, manner)
            await read_and_write()
            await nothing_is_held(database_url)
        assert_ended(set(threading.enumerate()) - threads)
    assert number > 4
    assert complaints == []


async def read_and_write() -> None:
    """The first statements of a process: they open the connections."""
    await fetch("SELECT * FROM users")
    async with transaction():
        await fetch("UPDATE organizations SET name = name")
