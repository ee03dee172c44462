"""Finding and opening the database; statements and values alike on both engines."""

import asyncio
import socket
import sys
import threading
import traceback
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tortoise.context import TortoiseContext, get_current_context

from models.database import (
    config,
    connection,
    fetch,
    fetch_each,
    is_postgres,
    listen,
    migrate,
    notify,
    pairs,
    transaction,
)
from models.database import opened as opened_with
from models.database.sqlite import translate
from models.errors import Unavailable
from models.organizations import create_organization
from models.viewer import Viewer
from tests.databases import ROOT, assert_ended, opened
from tests.factories import count_statements, make_users

LEAVE_OPEN = """
import asyncio, sys
from models.database import connect, connection, fetch

async def main():
    await connect(sys.argv[1])
    await fetch("SELECT 1")
    return connection()

kept = asyncio.run(main())
"""


# --------------------------------------------------------------------------------- configuration


def credentials(url: str) -> dict[str, Any]:
    found: dict[str, Any] = config(url)["connections"]["default"]["credentials"]
    return found


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite://cohort.sqlite3", "cohort.sqlite3"),
        ("sqlite:///var/lib/cohort.sqlite3", "/var/lib/cohort.sqlite3"),
        ("sqlite://my%20team.sqlite3", "my team.sqlite3"),
        ("sqlite://cohort:2.x.sqlite3", "cohort:2.x.sqlite3"),
    ],
)
def test_a_sqlite_url_names_a_file(url: str, path: str) -> None:
    assert credentials(url)["file_path"] == path


def test_a_postgres_url_names_host_user_password_and_database() -> None:
    found = credentials("postgres://ada:p%40ss@db.example.com:6432/cohort?sslmode=require")
    assert found["host"] == "db.example.com"
    assert found["port"] == 6432
    assert found["user"] == "ada"
    assert found["password"] == "p@ss"
    assert found["database"] == "cohort"
    assert found["ssl"] == "require"


def test_a_password_of_digits_is_a_text_also_among_the_options() -> None:
    found = credentials("postgres://db/cohort?user=7&password=0042&statement_cache_size=0")
    assert (found["user"], found["password"]) == ("7", "0042")
    assert found["statement_cache_size"] == 0


def test_a_postgres_url_may_name_the_directory_of_a_socket() -> None:
    assert credentials("postgresql://postgres:@/db?host=/run/db")["host"] == "/run/db"


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
@pytest.mark.parametrize("option", ["sslmode=disable", "statement_cache_size=0", "timeout=3"])
async def test_a_postgres_url_may_hold_options_of_the_driver(
    database_url: str, option: str
) -> None:
    async with opened(f"{database_url}&{option}"):
        assert await fetch("SELECT 1")
        assert await migrate() == []


@pytest.mark.parametrize("url", ["", "mysql://localhost/db", "sqlite://", "sqlite://:memory:"])
def test_any_other_url_is_refused_by_a_sentence_that_names_the_variable(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        config(url)


@pytest.mark.parametrize("password", ["hun/ter2", "hun#ter2", "hun?ter2", "hun[ter2"])
def test_a_password_that_has_to_be_quoted_is_not_told(password: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL can't be read.* %2F") as raised:
        config(f"postgres://cohort:{password}@db/cohort")
    assert "hun" not in "".join(traceback.format_exception(raised.value))


# ------------------------------------------------------------------------------------ connecting


async def test_closing_leaves_no_database_behind(database_url: str) -> None:
    async with opened(database_url) as context:
        await fetch("SELECT 1")
        assert get_current_context() is context
    assert get_current_context() is None


async def test_a_file_that_is_no_database_is_refused() -> None:
    threads = set(threading.enumerate())
    async with opened(f"sqlite://{__file__}"):
        with pytest.raises(Exception, match="not a database"):
            await fetch("SELECT 1")
    assert_ended(set(threading.enumerate()) - threads)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_file_that_cannot_be_opened_leaves_no_thread(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that outlived the event loop complained that it was closed."""
    complaints: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", complaints.append)
    threads = set(threading.enumerate())

    async def open_it() -> set[threading.Thread]:
        async with opened(f"{empty_database_url}/no-directory"):
            with pytest.raises(Unavailable):
                await fetch("SELECT 1")
            return set(threading.enumerate()) - threads

    assert [asyncio.run(open_it()) for _ in range(20)] == [set()] * 20
    assert complaints == []


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_closing_goes_on_although_its_task_is_cancelled(database_url: str) -> None:
    threads = set(threading.enumerate())
    closing = asyncio.Event()

    async def open_and_close() -> None:
        async with opened(database_url):
            await fetch("SELECT 1")
            clients.append(connection())
            closing.set()

    clients: list[Any] = []  # else the threads of one that is forgotten would end by themselves
    task = asyncio.create_task(open_and_close())
    await closing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clients[0].usage() == (0, 0)
    assert_ended(set(threading.enumerate()) - threads)


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
@pytest.mark.parametrize("number", [1, 0])  # after a statement that failed, asyncpg has it
async def test_closing_goes_on_although_a_connection_was_lost(
    database_url: str, number: int
) -> None:
    async with opened(database_url):
        asked = (fetch("SELECT 1 / $1::int FROM pg_sleep(0.05)", number) for _ in range(2))
        await asyncio.gather(*asked, return_exceptions=True)
        pool = connection()._pool
        assert len(pool._at_hand) == 2 * number
        lost = pool._holders[-1]._con._transport
        lost.pause_reading()
        lost.get_extra_info("socket").shutdown(socket.SHUT_WR)  # noticed once it is used again
    assert pool.get_size() == 0


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_process_ends_although_it_has_not_closed_its_database(database_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LEAVE_OPEN, database_url), cwd=ROOT
    )
    try:
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_what_one_process_tells_the_others_hear_also_after_a_broken_connection(
    database: TortoiseContext,
) -> None:
    heard: list[str] = []

    async def tell_until_heard(organization_id: str) -> None:
        for _ in range(2_000):
            if organization_id not in heard:
                await notify(organization_id)
                await asyncio.sleep(0.005)
        assert organization_id in heard

    listening = asyncio.create_task(listen(heard.append))
    await tell_until_heard("org_1")
    await fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    await tell_until_heard("org_2")
    listening.cancel()
    await asyncio.wait([listening])
    rows = await fetch(
        "SELECT COUNT(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
    )
    assert rows[0][0] == 0


async def write_slowly() -> None:
    """A transaction that takes a minute."""
    async with transaction():
        await create_organization("Never")
        await fetch("SELECT pg_sleep(60)")


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_postgresql_ends_a_statement_that_takes_too_long(database_url: str) -> None:
    async with opened_with(database_url, fallback=False, pool_size=1, statement_seconds=0.2):
        with pytest.raises(Unavailable, match="statement timeout"):
            await fetch("SELECT pg_sleep(60)")
        with pytest.raises(Unavailable, match="statement timeout"):
            await write_slowly()
        assert not list(await fetch("SELECT * FROM organizations"))
    async with opened_with(database_url, fallback=False, statement_seconds=1e9):
        assert await fetch("SELECT 1")  # more than a setting of PostgreSQL can hold


# ------------------------------------------------------------------------------------ statements


async def test_rows_are_read_by_name_and_by_position(viewer: Viewer) -> None:
    rows = await fetch("SELECT id, name FROM organizations WHERE name = $1", "Acme")
    assert rows[0]["name"] == rows[0][1] == "Acme"


async def test_a_list_is_one_parameter(viewer: Viewer) -> None:
    users = await make_users(viewer, 3)
    rows = await fetch("SELECT id FROM users WHERE id = ANY($1) ORDER BY id", users[:2])
    assert [row["id"] for row in rows] == sorted(users[:2])
    assert await fetch("SELECT id FROM users WHERE id = ANY($1)", []) == []


async def test_a_parameter_may_be_used_twice_and_out_of_order(viewer: Viewer) -> None:
    rows = await fetch("SELECT id FROM organizations WHERE name = $2 AND id = $1 AND name = $2",
                       viewer.organization_id, "Acme")  # fmt: skip
    assert len(rows) == 1


async def test_fetch_each_runs_a_statement_for_each_row(viewer: Viewer) -> None:
    users = await make_users(viewer, 3)
    async with transaction():
        await fetch_each(
            "UPDATE users SET avatar_url = $2 WHERE id = $1",
            [[id, f"/{number}.png"] for number, id in enumerate(users)],
        )
        await fetch_each("UPDATE users SET avatar_url = $2 WHERE id = $1", [])
    rows = await fetch("SELECT avatar_url FROM users ORDER BY avatar_url")
    assert [row[0] for row in rows] == ["/0.png", "/1.png", "/2.png"]


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(hours=5, minutes=30)])
async def test_instants_keep_their_microseconds_and_compare_as_instants(
    viewer: Viewer, offset: timedelta
) -> None:
    instant = datetime(2025, 3, 30, 1, 59, 59, 1, UTC).astimezone(timezone(offset))
    async with transaction():
        await fetch("UPDATE organizations SET changed_at = $1", instant)
    rows = await fetch("SELECT changed_at FROM organizations")
    assert rows[0]["changed_at"] == instant
    assert rows[0]["changed_at"].utcoffset() == timedelta(0)
    for step, found in ((-1, 0), (0, 1), (1, 1)):
        at = instant + timedelta(microseconds=step)
        rows = await fetch("SELECT id FROM organizations WHERE changed_at <= $1", at)
        assert len(rows) == found


async def test_watchers_are_told_of_each_statement(viewer: Viewer) -> None:
    with count_statements() as statements:
        await fetch("SELECT 1 AS one")
        async with transaction():
            await fetch("SELECT 2 AS two")
    await fetch("SELECT 3 AS three")
    assert statements == ["SELECT 1 AS one", "SELECT 2 AS two"]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_sqlite_waits_for_the_disk_and_reads_while_another_writes(viewer: Viewer) -> None:
    assert not is_postgres()
    assert (await fetch("PRAGMA journal_mode"))[0][0] == "wal"
    for client in (connection(), None):
        async with transaction():
            assert (await fetch("PRAGMA synchronous"))[0][0] == 2, client
            assert (await fetch("PRAGMA foreign_keys"))[0][0] == 1


def test_the_sqlite_form_of_a_statement() -> None:
    assert (
        translate("SELECT $1, $12 FROM t WHERE a = ANY($2) FOR UPDATE")
        == translate("SELECT $1, $12 FROM t WHERE a = ANY($2) FOR NO KEY UPDATE SKIP LOCKED")
        == "SELECT ?1, ?12 FROM t WHERE a IN (SELECT value FROM json_each(?2))"
    )


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("k", ("k", "l")),
        ("kat", ("kat", "kau")),
        ("日本語", ("日本語", "日本誟")),
        ("a\ud7ff", ("a\ud7ff", "a\ue000")),
        ("a\U0010ffff", None),
    ],
)
def test_names_that_begin_alike_lie_together(key: str, names: tuple[str, str] | None) -> None:
    assert pairs.beginning(key) == names


@pytest.mark.parametrize(
    ("key", "held"),
    [
        ("a", []),
        ("aaab", ["aa", "ab"]),
        ("a.", ["a."]),
        ("a.b", ["a.", ".b"]),
        ("ab.", ["b."]),
        ("ab@c", ["b@", "@c"]),
    ],
)
def test_a_text_is_looked_for_by_its_pairs(key: str, held: list[str]) -> None:
    assert pairs.pairs("org_12345678", key) == [f"12345678{pair}" for pair in held]
