"""What a command needs before it begins: the settings, the database, and an organization in it."""

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

# What the drivers and Tortoise raise for a database that is not there, or does not let us in.
TROUBLE = (
    OSError,
    TypeError,  # asyncpg's for an option of the URL that it does not know
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    BaseORMException,
    Busy,
    Unavailable,
)
# The same in the middle of a command, where more than these may be a fault of ours.
FAILURE = (sqlite3.DatabaseError, asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException)
OURS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, IntegrityError)
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
    """The environment variable of a setting, which pydantic names by field or by alias."""
    return field if field.isupper() else variable(field)


@asynccontextmanager
async def connected(settings: Settings, *, create: bool = False) -> AsyncIterator[None]:
    """The database as it is. `create` allows for a new file of SQLite.

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
    """The database with all its tables, which `create` makes on SQLite: nobody has to agree there.

    Raises Refusal if it cannot be reached, if tables are missing, or if it fails in the block.
    """
    async with connected(settings, create=create):
        with reachable():
            if create and not database.is_postgres():
                await database.migrate()
            if await database.pending_migrations():
                raise Refusal(NOT_MIGRATED)
        try:
            yield
        except OURS:
            raise
        except FAILURE as error:
            raise _unusable(error) from error


async def migrate() -> str:
    """Bring the tables up to date; returns what to say. Raises Refusal."""
    async with connected(read_settings(), create=True):
        with reachable():
            applied = await database.migrate()
    return f"Applied {', '.join(applied)}." if applied else "The tables are up to date."


def _check_file(url: str, create: bool) -> None:
    """Refuse a file of SQLite that cannot be used, or that connecting would create unasked."""
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
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Refusal(f"DATABASE_URL names {path}, which this user may not write.")


@contextmanager
def reachable() -> Iterator[None]:
    """Tell in one line what keeps a database from being used."""
    try:
        yield
    except ValueError as error:
        raise Refusal(f"{error}.") from error
    except TROUBLE as error:
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
    """Run an action as the operator in an organization, which has to be there."""

    async def command() -> T:
        viewer = await find_organization(name)
        if viewer is None:
            raise Refusal(
                f"There is no organization “{name}”. `python manage.py org list` tells which are."
            )
        return await action(viewer)

    return in_database(command)
