"""Opening what a command needs: the settings, the database, and an organization in it."""

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg
from pydantic import ValidationError
from tortoise.exceptions import BaseORMException, IntegrityError

from commands.console import Refusal, run
from models import database
from models.errors import Busy, Unavailable
from models.organizations import find_organization
from models.viewer import Viewer
from runtime.limits import variable
from runtime.settings import Settings

T = TypeVar("T")

# What the drivers and Tortoise raise if a database does not exist, or does not let us in.
UNREACHABLE = (
    OSError,
    TypeError,  # by asyncpg, for an unknown option in the URL
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    BaseORMException,
    Busy,
    Unavailable,
)
# What they raise if the database fails during a command; except for faults of our own.
FAILURE = (sqlite3.DatabaseError, asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException)
OUR_FAULT = (sqlite3.IntegrityError, sqlite3.ProgrammingError, IntegrityError)
NOT_MIGRATED = "The database's tables are not up to date. Run `python manage.py migrate` first."


def read_settings() -> Settings:
    """The settings of this process. Raises Refusal, naming the variables that are wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = (
            f"{_variable(str(problem['loc'][0]))}: {problem['msg']}; it is {problem['input']!r}."
            for problem in error.errors()
        )
        raise Refusal("\n".join(wrong)) from error


def _variable(field: str) -> str:
    """The environment variable of a setting that pydantic names by its field or its alias."""
    return field if field.isupper() else variable(field)


@asynccontextmanager
async def connected(settings: Settings, *, create: bool = False) -> AsyncIterator[None]:
    """Connect to the database, whatever its tables. `create` allows for a new SQLite file.

    Raises Refusal if it cannot be reached.
    """
    async with AsyncExitStack() as stack:
        with reachable():
            _check_file(settings.database_url, create)
            await stack.enter_async_context(
                database.opened(
                    settings.database_url,
                    pool_size=settings.pool_size,
                    plans_anew=True,
                    fallback=False,
                )
            )
            await database.fetch("SELECT 1")
        yield


@asynccontextmanager
async def opened(settings: Settings, *, create: bool = False) -> AsyncIterator[None]:
    """Connect to the database, with all its tables. On SQLite, `create` migrates it first.

    Raises Refusal if it cannot be reached, if migrations are pending, or if it fails in the block.
    """
    async with connected(settings, create=create):
        with reachable():
            if create and not database.is_postgres():
                await database.migrate()
            if await database.pending_migrations():
                raise Refusal(NOT_MIGRATED)
        try:
            yield
        except OUR_FAULT:
            raise
        except FAILURE as error:
            raise _unusable(error) from error


async def migrate() -> str:
    """Bring the tables up to date; returns a message. Raises Refusal."""
    async with connected(read_settings(), create=True):
        with reachable():
            applied = await database.migrate()
    return f"Applied {', '.join(applied)}." if applied else "The tables are up to date."


def _check_file(url: str, create: bool) -> None:
    """Raise Refusal for an SQLite file that cannot be used, or that connecting would create."""
    credentials = database.config(url)["connections"][database.CONNECTION]["credentials"]
    if "file_path" not in credentials:
        return
    path = Path(credentials["file_path"])
    if not path.parent.is_dir():
        raise Refusal(
            f"DATABASE_URL names a file in {path.parent}, and there is no such directory."
        )
    if path.exists() and not path.is_file():
        raise Refusal(f"DATABASE_URL names {path}, which is not a file.")
    if not path.exists() and not create:
        raise Refusal(f"There is no database {path} yet. Run `python manage.py migrate` first.")
    real = path.resolve()  # SQLite follows symbolic links
    if not os.access(real if real.exists() else real.parent, os.W_OK):
        raise Refusal(f"DATABASE_URL names {path}, which the current user may not write to.")
    beside = (real.with_name(f"{real.name}-{name}") for name in ("wal", "shm"))
    if not (all(file.exists() for file in beside) or os.access(real.parent, os.W_OK)):
        raise Refusal(
            f"DATABASE_URL names {path}, beside which SQLite must create files, and the current "
            "user may not write to that directory."
        )


@contextmanager
def reachable() -> Iterator[None]:
    """Turn errors of an unreachable database into a Refusal of one line."""
    try:
        yield
    except ValueError as error:
        raise Refusal(f"{error}.") from error
    except UNREACHABLE as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> Refusal:
    reason = " ".join(str(error).split())
    return Refusal(f"The database that DATABASE_URL names can't be used: {reason}")


def in_database(action: Callable[[], Awaitable[T]], *, create: bool = False) -> T:
    """Run an action in the database of the settings. See `opened`."""

    async def command() -> T:
        async with opened(read_settings(), create=create):
            return await action()

    return run(command())


def in_organization(name: str, action: Callable[[Viewer], Awaitable[T]]) -> T:
    """Run an action as the operator of an organization, which must exist."""

    async def command() -> T:
        viewer = await find_organization(name)
        if viewer is None:
            raise Refusal(
                f"There is no organization “{name}”. `python manage.py org list` lists them."
            )
        return await action(viewer)

    return in_database(command)
