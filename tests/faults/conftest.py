"""Fixtures: databases whose writes are as durable as in production."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.databases import Databases, PostgresDatabases
from tests.faults.postmaster import OwnPostgres


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL server with its default settings, which may be stopped and started."""
    made = OwnPostgres(PostgresDatabases({}))
    yield made
    made.databases.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def durable_databases(request: pytest.FixtureRequest) -> Databases:
    """Makes databases whose writes wait for the disk."""
    if request.param == "postgres":
        own: OwnPostgres = request.getfixturevalue("own_postgres")
        return own.databases
    files: Databases = request.getfixturevalue("sqlite")
    return files


@pytest.fixture
async def durable_url(durable_databases: Databases) -> AsyncIterator[str]:
    """The URL of a database with all tables, whose writes wait for the disk."""
    url = await durable_databases.create()
    yield url
    await durable_databases.drop(url)


@pytest.fixture
async def postgres_url(own_postgres: OwnPostgres) -> AsyncIterator[str]:
    """The URL of a database of the server that may be stopped."""
    url = await own_postgres.databases.create()
    yield url
    await own_postgres.databases.drop(url)
