"""PostgreSQL connections outside of the pool, each held for long: to listen, and to migrate.

Neither may take one of the pool's, which may have only one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import asyncpg

from models.database.settle import settle

CHANNEL = "cohort"
LISTEN_AGAIN_SECONDS = 1.0
ALIVE_SECONDS = 30.0  # how often the listening connection is checked to be still alive
MIGRATION_LOCK = 0x436F686F7274  # the number of an advisory lock: "Cohort" in ASCII

# What asyncpg raises where a connection cannot be made, or does not answer.
NO_ANSWER = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

Connect = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]

logger = logging.getLogger("cohort.database")


@asynccontextmanager
async def connected(close_seconds: float, **options: Any) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own, closed on leaving, whether or not the server answers by then."""
    connection = await asyncpg.connect(**options)
    try:
        yield connection
    finally:
        await settle(_close(connection, close_seconds))


async def _close(connection: asyncpg.Connection, seconds: float) -> None:
    try:
        await connection.close(timeout=seconds)
    except NO_ANSWER:
        connection.terminate()


@asynccontextmanager
async def migration_lock(connect: Connect) -> AsyncIterator[None]:
    """Hold the lock of the one process that migrates this database.

    It belongs to a transaction, not to the session: a pooler such as PgBouncer keeps a session open
    when its client has gone, and with it a lock for which every other migration would wait.
    """
    async with connect() as connection:
        await connection.execute(
            "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; "
            f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
        )
        yield


async def listen(connect: Connect, hear: Callable[[str], None], answer_seconds: float) -> None:
    """Call `hear` with the payload of every notification, for as long as this runs.

    A connection that ends, or does not answer in time, is replaced.
    """
    while True:
        try:
            async with connect() as connection:
                await _listen_on(connection, hear, answer_seconds)
        except NO_ANSWER as error:
            logger.warning("cannot listen for changes of other processes: %r", error)
        await asyncio.sleep(LISTEN_AGAIN_SECONDS)


async def _listen_on(
    connection: asyncpg.Connection, hear: Callable[[str], None], answer_seconds: float
) -> None:
    """Listen until the connection ends, or no longer answers; raises then."""
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    async with asyncio.timeout(answer_seconds):
        await connection.add_listener(CHANNEL, lambda *notice: hear(notice[-1]))
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(ALIVE_SECONDS):
                await ended.wait()
        await connection.execute("SELECT", timeout=answer_seconds)
