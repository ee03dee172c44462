"""Migrating the database: all or nothing, once, and by one process of several."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.recorder import MigrationRecorder

from models.database import (
    connection,
    fetch,
    migrate,
    pending_migrations,
    transaction,
    unpooled,
)
from models.errors import Busy, Unavailable
from models.organizations import create_organization
from tests.databases import ROOT, opened
from tests.factories import make_group

MIGRATE = """
import asyncio, json, sys
from models.database import connect, migrate

async def main():
    async with await connect(sys.argv[1]):
        return await migrate()

print(json.dumps(asyncio.run(main())))
"""


async def test_migrations_make_all_tables_of_an_empty_database(empty_database_url: str) -> None:
    async with opened(empty_database_url):
        pending = await pending_migrations()
        assert pending
        assert await migrate() == pending
        assert await pending_migrations() == []
        await make_group(await create_organization("Acme"))


async def test_a_second_migration_finds_nothing_to_do(database: TortoiseContext) -> None:
    assert await migrate() == []
    assert await pending_migrations() == []


async def test_a_connection_that_is_lost_is_not_taken_for_a_database_without_tables(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any) -> None:
        raise Unavailable("lost")

    for name in ("fetch", "execute_query"):
        with monkeypatch.context() as patched, suppress(Unavailable):
            patched.setattr(connection(), name, lost)
            assert await pending_migrations() == []


@pytest.mark.parametrize("noted", [0, 1])
async def test_a_migration_that_is_cut_short_leaves_nothing_and_can_be_run_again(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, noted: int
) -> None:
    note, left = MigrationRecorder.record_applied, [None] * noted

    async def break_off(self: MigrationRecorder, app: str, name: str) -> None:
        if not left:
            raise ConnectionError
        left.pop()
        await note(self, app, name)

    async with opened(empty_database_url):
        pending = await pending_migrations()
        with monkeypatch.context() as patches:
            patches.setattr(MigrationRecorder, "record_applied", break_off)
            with pytest.raises(ConnectionError):
                await migrate()
        assert await pending_migrations() == pending
        assert await migrate() == pending


async def test_one_connection_is_enough_to_migrate(empty_database_url: str) -> None:
    async with asyncio.timeout(20), opened(empty_database_url, pool_size=1):
        assert await migrate()


async def test_waiting_for_another_process_that_migrates_can_be_interrupted(
    empty_database_url: str,
) -> None:
    async with opened(empty_database_url), connection().migration_lock():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await migrate()
    async with opened(empty_database_url):
        assert await migrate()


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_a_pooler_keeps_no_lock_of_a_client_that_has_migrated(
    empty_database_url: str,
) -> None:
    async with opened(empty_database_url), connection()._unpooled() as session:

        @asynccontextmanager
        async def pooled() -> AsyncIterator[Any]:
            """PgBouncer's transaction mode: when a client goes, only what it left open ends."""
            yield session
            if session.is_in_transaction():
                await session.close()

        async with unpooled.migration_lock(pooled):
            pass
        async with asyncio.timeout(20):
            assert await migrate()


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_new_file_is_opened_when_the_process_that_is_opening_it_has_done_so(
    empty_database_url: str,
) -> None:
    path = empty_database_url.removeprefix("sqlite://")

    async def migrated() -> list[str]:
        async with opened(empty_database_url):
            return await migrate()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # as SQLite does to switch to WAL
        ours = asyncio.create_task(migrated())
        ended, _ = await asyncio.wait([ours], timeout=0.3)
        assert not ended
        other.execute("COMMIT")
        assert await ours


async def test_of_several_processes_that_migrate_at_once_one_does_it(
    empty_database_url: str,
) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MIGRATE, empty_database_url),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0]
    applied = [json.loads(output) for output, _ in outputs]
    assert sorted(map(bool, applied)) == [False, False, True]
    async with opened(empty_database_url):
        assert await pending_migrations() == []


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_a_write_that_a_migration_overtakes_can_be_tried_again(
    empty_database_url: str,
) -> None:
    """The release before keeps running meanwhile, with statements that it has prepared."""

    async def write(name: str) -> None:
        async with transaction():
            await fetch("INSERT INTO probes (name) VALUES ($1)", name)
            await fetch("SELECT * FROM probes")

    async with opened(empty_database_url, pool_size=1):
        await fetch("CREATE TABLE probes (name text)")
        await write("before")
        await fetch("ALTER TABLE probes ADD COLUMN note text")
        with pytest.raises(Busy, match="Try again"):
            await write("overtaken")
        await write("again")
        assert [row[0] for row in await fetch("SELECT name FROM probes")] == ["before", "again"]
