"""Tortoise's SQLite engine, made safe for several processes and for cancelled tasks.

It is the connection's `engine`, so Tortoise itself uses it too, for models and migrations:

* one connection writes, and a few read: in WAL mode a reader never waits for the writer;
* transactions begin IMMEDIATE: a deferred one that reads first and writes later fails with
  `database is locked` whenever another process wrote in between, whatever the busy timeout;
* begin, commit and rollback always run to completion, even if their task is cancelled.
"""

import asyncio
import fcntl
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Any, TypeVar

import aiosqlite
import orjson
from tortoise.backends.base.client import NestedTransactionContext, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError

from models.database.settle import SettledTransactionContext, settle
from models.database.statements import Statement, seen
from models.errors import Busy, Unavailable, Unwritable
from models.optimizations import Optimization
from models.spans import over_statement

PRAGMAS = {"synchronous": "FULL", "busy_timeout": 10_000}
READERS = 4
OPEN_SECONDS = 5.0
STOP_AGAIN_SECONDS = 0.01
LOCK_AGAIN_SECONDS = 0.05
PRIMARY = 0xFF  # masks the primary result code out of an extended one

T = TypeVar("T")

sqlite3.register_converter("TIMESTAMP", lambda text: datetime.fromisoformat(text.decode()))


@lru_cache(maxsize=2048)
def translate(sql: str) -> str:
    """The SQLite form of a statement of ours, which is written for PostgreSQL.

    `$1` becomes `?1`, `= ANY($1)` reads a JSON array, `string_agg` gets its older name, and `FOR
    UPDATE` is dropped with its modifiers: the transaction has locked the whole database already.
    """
    sql = re.sub(r"= ANY\(\$(\d+)\)", r"IN (SELECT value FROM json_each(?\1))", sql)
    sql = sql.replace("string_agg(", "group_concat(")
    sql = re.sub(r" FOR (NO KEY )?UPDATE( SKIP LOCKED)?", "", sql)
    return re.sub(r"\$(\d+)", r"?\1", sql)


def encode(value: Any) -> Any:
    """A parameter as SQLite stores it: lists as JSON, instants as sortable text in UTC."""
    if isinstance(value, list):
        return orjson.dumps(value, encode, orjson.OPT_PASSTHROUGH_DATETIME).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds")
    return value


def _translated(error: sqlite3.OperationalError) -> Exception:
    """Our error, or Tortoise's, for an error of SQLite (https://sqlite.org/rescode.html)."""
    match error.sqlite_errorcode & PRIMARY:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy("Another process is writing, and took too long. Try again.")
        case sqlite3.SQLITE_CANTOPEN:
            return Unavailable(str(error))
        case sqlite3.SQLITE_IOERR if error.sqlite_errorcode == sqlite3.SQLITE_IOERR_READ:
            return Unavailable(str(error))
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR:
            return Unwritable(str(error))
    return OperationalError(error)


def translate_exceptions(
    function: Callable[..., Coroutine[Any, Any, T]],
) -> Callable[..., Coroutine[Any, Any, T]]:
    """Replaces Tortoise's decorator of the same name, which does not know Busy or Unavailable."""

    @wraps(function)
    async def translated(*args: Any) -> T:
        try:
            return await function(*args)
        except sqlite3.OperationalError as error:
            raise _translated(error) from error
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error

    return translated


async def _open(filename: str, pragmas: dict[str, Any]) -> aiosqlite.Connection:
    connection = aiosqlite.connect(
        filename, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES
    )
    connection._thread.daemon = True  # else a process that is interrupted twice might never end
    try:
        await connection
    except sqlite3.Error:
        connection._thread.join()  # it is ending, and tells the event loop, which must be open
        raise
    try:
        connection._conn.row_factory = sqlite3.Row
        for pragma, value in pragmas.items():
            await _set(connection, pragma, value)
    except BaseException:  # such as a file that is not a database: do not leak the thread
        await connection.close()
        raise
    return connection


async def _set(connection: aiosqlite.Connection, pragma: str, value: Any) -> None:
    """Set a pragma, as soon as no other process keeps us from it.

    Of two that switch a new file to WAL, each would wait for the other, so SQLite refuses one at
    once, whatever its timeout.
    """
    until = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            return await (await connection.execute(f"PRAGMA {pragma}={value}")).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        await asyncio.sleep(LOCK_AGAIN_SECONDS)


def _open_lock(filename: str) -> int:
    """Open the file to lock for a database: the same one, whichever symbolic links lead to it."""
    # Reading is enough to lock it: it may belong to another user, who migrated before.
    return os.open(f"{os.path.realpath(filename)}.lock", os.O_RDONLY | os.O_CREAT, 0o666)


def _lock(file: int) -> bool:
    """Lock a file unless another process has; returns whether this one has it now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _stop(connection: aiosqlite.Connection) -> None:
    """Stop the statement of a connection, even one that is queued and has not begun yet.

    One interrupt is not enough: SQLite ignores it while no statement is running.
    """
    idle = asyncio.ensure_future(connection._execute(lambda: None))  # type: ignore[no-untyped-call]
    while not idle.done():
        await connection.interrupt()
        await asyncio.wait([idle], timeout=STOP_AGAIN_SECONDS)


class CohortSqliteClient(SqliteClient):
    """One connection that writes (Tortoise's own), and a few that read."""

    is_transaction = False

    def __init__(
        self,
        file_path: str,
        *,
        pool_seconds: float,
        writer_seconds: float | None,
        without: Collection[Optimization],
        **kwargs: Any,
    ) -> None:
        super().__init__(file_path, **kwargs)
        self.without = without
        self.pragmas |= PRAGMAS
        if writer_seconds is not None:
            longest: int = self.pragmas["busy_timeout"]
            self.pragmas["busy_timeout"] = int(min(longest, writer_seconds * 1000))
        self.pool_seconds = pool_seconds
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._opening = asyncio.Lock()

    async def create_connection(self, with_db: bool) -> None:
        async with self._opening:
            if not self._connection:
                await settle(self._open_all())

    async def _open_all(self) -> None:
        """Open all connections, or none."""
        opened = [await _open(self.filename, self.pragmas)]
        try:
            for _ in range(READERS):
                opened.append(await _open(self.filename, self.pragmas | {"query_only": "ON"}))
        except BaseException:
            for connection in opened:
                await connection.close()
            raise
        self._connection, *readers = opened
        for reader in readers:
            self._readers.put_nowait(reader)
        await self._post_connect()

    async def close(self) -> None:
        if self._connection:
            for _ in range(READERS):
                await (await self._readers.get()).close()
        await super().close()

    def _in_transaction(self) -> TransactionContext:
        return ImmediateTransactionContext(ImmediateTransaction(self))

    def usage(self) -> tuple[int, int]:
        """How many connections are in use, and how many are idle, including the one that writes."""
        if self._connection is None:
            return 0, 0
        idle = self._readers.qsize() + (not self._lock.locked())
        return READERS + 1 - idle, idle

    @asynccontextmanager
    async def migration_lock(self) -> AsyncIterator[None]:
        """Held by the one process that migrates this file."""
        lock = _open_lock(self.filename)
        try:
            # A thread that waits for the lock could not be interrupted.
            while not _lock(lock):  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(LOCK_AGAIN_SECONDS)
            yield
        finally:
            os.close(lock)

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[aiosqlite.Connection]:
        if self._connection is None:
            await self.create_connection(with_db=True)
        connection = await self._free_reader()
        try:
            yield connection
        except asyncio.CancelledError:
            # Nobody needs the rows any more: stop the statement itself, not only the waiting.
            await settle(_stop(connection))
            raise
        finally:
            self._readers.put_nowait(connection)

    async def _free_reader(self) -> aiosqlite.Connection:
        if not self._readers.empty():
            return self._readers.get_nowait()
        try:
            async with asyncio.timeout(self.pool_seconds):
                return await self._readers.get()
        except TimeoutError:
            raise self.busy(f"All {READERS} connections that read are in use") from None

    def busy(self, what: str) -> Busy:
        """The error that no connection became free in time."""
        return Busy(
            f"{what}, and none became free in {self.pool_seconds:g} seconds (COHORT_POOL_SECONDS)."
        )

    @translate_exceptions
    async def fetch(self, sql: str, params: Sequence[Any] = ()) -> Sequence[sqlite3.Row]:
        """The rows of a statement that reads, outside of any transaction."""
        seen(sql)
        async with self._reader() as connection:
            with over_statement(sql):
                return list(
                    await connection.execute_fetchall(translate(sql), [encode(p) for p in params])
                )

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """A read-only transaction that sees one state throughout. No writer waits for it."""
        async with self._reader() as connection:
            reading = ImmediateTransaction(self)
            reading._connection = connection
            token = get_connections().set(self.connection_name, reading)
            try:
                await settle(connection.execute("BEGIN"))
                yield
            except asyncio.CancelledError:
                await settle(_stop(connection))  # else the rollback would wait for the statement
                raise
            finally:
                get_connections().reset(token)
                await settle(connection.rollback())


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that holds the write lock from its beginning."""

    is_transaction = True

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(ImmediateTransaction(self))

    async def savepoint_rollback(self) -> None:
        """Roll back to the savepoint, unless all is rolled back: SQLite does so where a disk is
        full or broken, or a statement was stopped."""
        if self._connection.in_transaction:
            await super().savepoint_rollback()

    @translate_exceptions
    async def fetch(self, sql: str, params: Sequence[Any] = ()) -> Sequence[sqlite3.Row]:
        """The rows of a statement within the transaction, reading or writing."""
        seen(sql)
        try:
            with over_statement(sql):
                return list(
                    await self._connection.execute_fetchall(
                        translate(sql), [encode(p) for p in params]
                    )
                )
        except asyncio.CancelledError:
            # The rollback that follows would wait for the statement.
            await settle(_stop(self._connection))
            raise

    @translate_exceptions
    async def fetch_behind(
        self, first: Statement, others: Sequence[Statement]
    ) -> Sequence[sqlite3.Row]:
        """Run writing statements in one call to the thread, if the first returns a row."""
        connection = self._connection
        together = "; ".join(sql for sql, _ in (first, *others))
        seen(together)

        def run() -> list[sqlite3.Row]:
            rows: list[sqlite3.Row] = []
            for sql, values in (first, *others):
                encoded = [encode(value) for value in values]
                rows = connection._conn.execute(translate(sql), encoded).fetchall()
                if not rows and sql is first[0]:
                    break
            return rows

        with over_statement(together):
            rows: list[sqlite3.Row] = await connection._execute(run)  # type: ignore[no-untyped-call]  # aiosqlite
        return rows

    @translate_exceptions
    async def fetch_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each of `rows`."""
        seen(sql)
        encoded = [[encode(value) for value in row] for row in rows]
        with over_statement(sql):
            await self._connection.executemany(translate(sql), encoded)

    @translate_exceptions
    async def execute_script(self, query: str) -> None:
        """Run one statement. Tortoise's `executescript` would first commit the transaction."""
        await self._connection.execute(query)

    @translate_exceptions
    async def _execute(self, statement: str) -> None:
        await self._connection.execute(statement)

    async def begin(self) -> None:
        if self._connection is None:  # the first statement of this process
            await self._parent.create_connection(with_db=True)
            self._connection = self._parent._connection
        await self._execute("BEGIN IMMEDIATE")

    @translate_exceptions
    async def commit(self) -> None:
        await super().commit()


class ImmediateTransactionContext(SettledTransactionContext):
    """A transaction that has the connection that writes to itself."""

    async def _acquire(self) -> None:
        try:
            async with asyncio.timeout(self.shared.pool_seconds):
                await self.shared._lock.acquire()
        except TimeoutError:
            raise self.shared.busy("The connection that writes is in use") from None

    async def _give_back(self) -> None:
        self.shared._lock.release()

    async def _abandon(self) -> None:
        try:
            connection = self.client._connection
            if connection is not None and connection.in_transaction:
                await connection.rollback()
        finally:
            self.shared._lock.release()


client_class = CohortSqliteClient
