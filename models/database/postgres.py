"""Tortoise's asyncpg engine, made safe under cancellation, with our own pool and errors.

It is the connection's `engine`, so Tortoise itself uses it too, for models and migrations.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import asyncpg
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import (
    NestedTransactionContext,
    TransactionContext,
)
from tortoise.backends.base_postgres.client import translate_exceptions

from models.database import pairs, unpooled
from models.database.pool import Pool, is_dead
from models.database.postgres_errors import NOT_REACHED, Translating
from models.database.settle import SettledTransactionContext
from models.database.statements import Statement, seen, together
from models.errors import Busy, Unavailable
from models.optimizations import Optimization
from models.spans import over_statement

STATEMENTS_PREPARED = 500  # cached on each connection
SILENT_SECONDS = 1.0  # how much longer than the server's own timeout we wait for it
RENEW_SECONDS = 1.0  # how often the pool is renewed at most while nothing can be written
LONGEST_TIMEOUT = 2**31 - 1  # milliseconds: the largest that PostgreSQL's settings can hold

logger = logging.getLogger("cohort.database")


class _Client(Translating):
    """What the pool and its transactions have in common."""

    async def fetch_behind(
        self: Any, first: Statement, others: Sequence[Statement]
    ) -> Sequence[asyncpg.Record]:
        """Run writing statements, all or nothing, in one round trip, if the first returns a row."""
        rows: Sequence[asyncpg.Record] = await self.fetch(*together(first, others))
        return rows


class CohortPostgresClient(_Client):
    """A pool of connections, each of which serves one statement or one transaction at a time."""

    is_transaction = False

    def __init__(
        self,
        *args: Any,
        pool_seconds: float,
        statement_seconds: float | None,
        plans_anew: bool,
        without: Collection[Optimization],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.without = without
        self.plans_anew = plans_anew
        self.pool_seconds = pool_seconds
        self.statement_seconds = statement_seconds
        self.has_pairs = False  # until a connection was prepared
        self._renewed_at = -RENEW_SECONDS

    def _does(self, what: Optimization) -> bool:
        return what not in self.without

    def _in_transaction(self) -> TransactionContext:
        return PooledTransactionContext(Transaction(self))

    async def create_pool(self, **options: Any) -> Pool:
        # asyncpg resets each connection on release, by a slow statement. Ours leave nothing behind
        # to reset: no setting, no cursor, no lock, no listener.
        defaults = {
            "init": self._prepare,
            "reset": self._synchronise,
            "max_queries": sys.maxsize,
            "max_inactive_connection_lifetime": 0,
            "statement_cache_size": STATEMENTS_PREPARED,
            "max_cached_statement_lifetime": 0,
            # If the network has gone silent, the server's own timeout does not reach us.
            "command_timeout": self.statement_seconds and self.statement_seconds + SILENT_SECONDS,
            "connection_class": asyncpg.Connection,
            "record_class": asyncpg.Record,
            "loop": None,
        }
        pool = Pool(**defaults | options)
        await pool
        return pool

    async def _synchronise(self, connection: asyncpg.Connection) -> None:
        """End what is left of a statement that was cancelled between its Parse and its Bind.

        asyncpg sends the Parse without a Sync. The implicit transaction would stay open, and its
        timeout would strike in the middle of a later statement.
        """
        await connection.execute("SELECT", timeout=self.pool_seconds)

    async def _prepare(self, connection: asyncpg.Connection) -> None:
        # A write reads what others have committed while it waited for its turn.
        settings = "SET jit = off; SET default_transaction_isolation = 'read committed'"
        if self.plans_anew:
            # Statistics do not count the rows of an open transaction: PostgreSQL would keep joining
            # thousands of them by the plan that suited the few that there were when it began.
            settings += "; SET plan_cache_mode = force_custom_plan"
        elif self._does("prepared"):
            # Our statements are few, and the plan of each suits all of its parameters. Planning
            # them anew each time took PostgreSQL as long as executing them.
            settings += "; SET plan_cache_mode = force_generic_plan"
        if self.statement_seconds is not None:
            # A cancel request is a separate message, which may arrive before the statement, or get
            # lost. Without a timeout the statement would run on and block its connection.
            timeout = int(min(self.statement_seconds * 1000, LONGEST_TIMEOUT))
            settings += f"; SET statement_timeout = {timeout}"
        await connection.execute(settings)
        if self._does("pairs"):
            self.has_pairs = await connection.fetchval(pairs.IS_THERE)

    async def _ensure_pool(self) -> Pool:
        if self._pool is None:
            async with self._pool_init_lock:
                if self._pool is None:
                    await self.create_connection(with_db=True)
        pool: Any = self._pool
        return cast("Pool", pool)

    async def acquire(self) -> Any:
        """A connection of the pool, to be passed to `release` or `give_back`.

        Raises Busy if none becomes free in time, and Unavailable if none can be opened.
        """
        if self._pool is not None and (connection := await self._pool.take()) is not None:
            return connection
        try:
            async with asyncio.timeout(self.pool_seconds):
                pool = self._pool or await self._ensure_pool()
                return await pool.acquire()
        except TimeoutError as error:
            if self._pool is not None and self.usage()[0] >= self._pool.get_max_size():
                raise Busy(
                    f"All {self._pool.get_max_size()} connections to the database are in use "
                    f"(COHORT_POOL_SIZE), and none became free in {self.pool_seconds:g} seconds "
                    "(COHORT_POOL_SECONDS)."
                ) from None
            raise Unavailable(f"no answer in {self.pool_seconds:g} seconds") from error
        except NOT_REACHED as error:
            raise Unavailable(str(error)) from error

    async def release(self, connection: Any) -> None:
        """Return a connection in any state to the pool. Costs a round trip."""
        if self._pool is not None:
            try:
                await self._pool.release(connection, timeout=self.pool_seconds)
            except NOT_REACHED as error:  # it is closed by now
                logger.warning("a connection is given up, since it does not answer: %r", error)

    async def give_back(self, connection: Any) -> None:
        """Return a connection whose last statement has ended, outside of any transaction."""
        if not self._does("at_hand"):
            await self.release(connection)
        elif self._pool is not None:
            await self._pool.give_back(connection)

    def renew(self) -> None:
        """Have the connections replaced, unless they were a moment ago.

        A session keeps its initial settings: one that began while the database was read-only stays
        read-only.
        """
        now = time.monotonic()
        if self._pool is not None and now - self._renewed_at >= RENEW_SECONDS:
            self._renewed_at = now
            self._pool.renew()

    def usage(self) -> tuple[int, int]:
        """How many connections of the pool are in use, and how many are idle."""
        if self._pool is None:
            return 0, 0
        idle = self._pool.idle
        return self._pool.get_size() - idle, idle

    def _unpooled(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        return unpooled.connected(
            self.pool_seconds,
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
            **self.extra,
        )

    def migration_lock(self) -> AbstractAsyncContextManager[None]:
        """Held by the one process that migrates this database, while its connection lives."""
        return unpooled.migration_lock(self._unpooled)

    async def listen(self, hear: Callable[[str], None]) -> None:
        """Call `hear` with the payload of every notification, for as long as this runs."""
        await unpooled.listen(self._unpooled, hear, self.pool_seconds)

    async def notify(self, payload: str) -> None:
        """Notify all listeners."""
        await self.fetch("SELECT pg_notify($1, $2)", [unpooled.CHANNEL, payload])

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """A transaction that only reads: one state throughout."""
        reading = Transaction(self)
        async with PooledTransactionContext(reading):
            await reading.fetch("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    async def fetch(self, sql: str, params: Sequence[Any] = ()) -> Sequence[asyncpg.Record]:
        """The rows of a statement outside of any transaction."""
        seen(sql)
        try:
            connection = await self.acquire()
            try:
                with over_statement(sql):
                    rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *params)
            except BaseException:
                await self.release(connection)
                raise
            await self.give_back(connection)
            return rows
        except Exception as error:
            await self.raise_translated(error, sql)


class Transaction(_Client, TransactionWrapper):
    """A transaction on one connection of the pool."""

    is_transaction = True

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(Transaction(self))

    def renew(self) -> None:
        """Have the connections of the pool replaced; this one as soon as it is returned."""
        pool: Any = self._parent
        pool.renew()

    async def savepoint_rollback(self) -> None:
        """Roll back to the savepoint, unless the connection is closed, and all rolled back."""
        if not is_dead(self._connection):
            await super().savepoint_rollback()

    @translate_exceptions
    async def commit(self) -> None:
        await super().commit()

    async def fetch(self, sql: str, params: Sequence[Any] = ()) -> Sequence[asyncpg.Record]:
        """The rows of a statement within the transaction, reading or writing."""
        seen(sql)
        try:
            # Tasks that share a snapshot take turns: asyncpg runs one statement at a time.
            async with self._lock:
                with over_statement(sql):
                    rows: Sequence[asyncpg.Record] = await self._connection.fetch(sql, *params)
            return rows
        except Exception as error:
            await self.raise_translated(error, sql)

    async def fetch_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each of `rows`, in one round trip."""
        seen(sql)
        try:
            with over_statement(sql):
                await self._connection.executemany(sql, rows)
        except Exception as error:
            await self.raise_translated(error, sql)


class PooledTransactionContext(SettledTransactionContext):
    """A transaction that has a connection of the pool to itself."""

    async def _acquire(self) -> None:
        self.client._connection = await self.shared.acquire()

    async def _give_back(self) -> None:
        await self.shared.give_back(self.client._connection)

    async def _abandon(self) -> None:
        """Roll back, and return the connection to the pool; closed, if it does not answer."""
        connection = self.client._connection
        try:
            if not is_dead(connection) and connection.is_in_transaction():
                async with asyncio.timeout(self.shared.pool_seconds):
                    await self.client.rollback()
        except NOT_REACHED as error:
            logger.warning("a connection is given up, since nothing can be rolled back: %s", error)
            if not is_dead(connection):
                connection.terminate()
        finally:
            await self.shared.release(connection)


client_class = CohortPostgresClient
