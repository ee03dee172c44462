"""Fixtures: for each test that touches data a database of its own, once on each engine.

Tests of models/ take `database` (connected) or a viewer. Tests of a server take `database_url`
(migrated, nobody connected), since a server connects by itself.

Several processes may run the tests side by side (`make test`). They share no database and no port;
what they do share is made once (`tests/once.py`).
"""

import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tortoise.context import TortoiseContext

from models.organizations import create_organization
from models.verify import differences
from models.viewer import Viewer
from runtime import auth
from tests.databases import Databases, PostgresDatabases, SqliteFiles, opened

# Whether a committed row survives a crash of the machine is the one thing that no test can tell. So
# all files are in memory, if there is room, and nothing waits for a disk.
MEMORY = Path("/dev/shm")
ROOM = 4_000_000_000  # bytes; a run needs a tenth of it

if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# However long an example takes: a machine that is busy would make a failure of it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Spare the garbage collector all modules and tests: it would look through them ever again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(scope="session", autouse=True)
def no_use_is_noted() -> Iterator[None]:
    """Note no token's last use while a service runs: it would depend on the clock what it tells,
    and whether rows change meanwhile."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(auth, "SECONDS_BETWEEN_NOTES", 3_600.0)
        yield


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    """Makes SQLite databases."""
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    """Makes PostgreSQL databases. The server starts with the first test that needs one."""
    databases = PostgresDatabases()
    yield databases
    databases.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Makes databases of the engine that the test runs on.

    `@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)` keeps a test to one of them.
    """
    made: Databases = request.getfixturevalue(request.param)
    return made


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """The URL of a database with all tables and no rows."""
    url = await databases.create()
    yield url
    await databases.drop(url)


@pytest.fixture
async def empty_database_url(databases: Databases) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    url = await databases.create(empty=True)
    yield url
    await databases.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[TortoiseContext]:
    """The database of `database_url`, connected: what `models.database` works on in the test."""
    async with opened(database_url) as context:
        yield context


@pytest.fixture
async def consistent(database: TortoiseContext) -> AsyncIterator[None]:
    """Asserts at the end that counters, intervals, keys and ledger are as they should be."""
    yield
    assert await differences() == []


@pytest.fixture
def options() -> dict[str, Any]:
    """The settings of the service that a test asks, for its module to choose."""
    return {}


@pytest.fixture
async def viewer(database: TortoiseContext) -> Viewer:
    """The operator's viewer of the organization “Acme”, which is empty."""
    return await create_organization("Acme")


@pytest.fixture
async def other(database: TortoiseContext) -> Viewer:
    """The operator's viewer of a second organization, “Other”, which is empty."""
    return await create_organization("Other")
