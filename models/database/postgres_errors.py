"""Turning the errors of asyncpg, as Tortoise's engine passes them on, into ours."""

import re
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NoReturn, Self

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.exceptions import BaseORMException, DBConnectionError

from models.database import unpooled
from models.database.pool import is_dead
from models.errors import Busy, Unavailable, Unwritable

# What is raised where a connection cannot be made or does not answer, and where the database has
# gone away during a statement.
NOT_REACHED = (*unpooled.NO_ANSWER, DBConnectionError)
GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InternalClientError,  # when the connection was closed while idle
    asyncpg.QueryCanceledError,  # by the server; when we cancel a statement, nobody sees the error
)
NOT_WRITTEN = (asyncpg.DiskFullError, asyncpg.ReadOnlySQLTransactionError)
# PostgreSQL has rolled back the whole transaction to let somebody else's go on.
IN_THE_WAY = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,  # by a migration; outside a transaction asyncpg retries
)
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")  # also matches FOR UPDATE


class Translating(AsyncpgDBClient):
    """Turns errors of asyncpg into ours: Unavailable if the database went away, Unwritable if it
    cannot be written, and Busy if a lock was not free in time (`lock_timeout`) or the transaction
    was in the way of another (a deadlock, or a migration)."""

    async def _translate_exceptions(
        self, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        try:
            return await super()._translate_exceptions(func, *args, **kwargs)
        except Exception as error:
            cause = error.__cause__ if isinstance(error, BaseORMException) else error
            if isinstance(cause, asyncpg.LockNotAvailableError):
                raise Busy(
                    "Another transaction is writing, and took too long. Try again."
                ) from error
            if isinstance(cause, IN_THE_WAY):
                raise Busy("Another transaction conflicted with this one. Try again.") from error
            if isinstance(cause, asyncpg.ReadOnlySQLTransactionError):
                self.renew()
            if isinstance(cause, NOT_WRITTEN):
                raise Unwritable(str(cause)) from error
            if isinstance(cause, GONE) or self._has_died(cause):
                raise Unavailable(str(cause) or repr(cause)) from error
            raise

    async def raise_translated(self, error: Exception, sql: str) -> NoReturn:
        """Raise the translation of a statement's error.

        For hot paths: the decorator `translate_exceptions` would add three calls to each statement.
        """
        if isinstance(error, asyncpg.InsufficientPrivilegeError) and WRITES.search(sql):
            raise Unwritable(str(error)) from error

        async def again(client: Self) -> NoReturn:
            raise error

        await self._translate_exceptions(again)
        raise error

    @abstractmethod
    def renew(self) -> None:
        """Have the connections of the pool replaced."""

    def _has_died(self, cause: BaseException | None) -> bool:
        """Whether this is asyncpg's complaint that the transaction's connection is closed."""
        if self._connection is None or not isinstance(cause, asyncpg.InterfaceError):
            return False
        return is_dead(self._connection)
