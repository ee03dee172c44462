"""Access to the database: opening it, running statements and transactions, migrating.

Statements are written in PostgreSQL's dialect, with `$1` and `= ANY($1)`; `sqlite.translate` turns
them into SQLite's. Rows are records on both: `row["name"]` and `row[0]`.
"""

import math
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise.backends.base.client import TransactionContext
from tortoise.context import TortoiseContext, require_context
from tortoise.exceptions import OperationalError
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey

from models.database import statements
from models.database.settle import settle
from models.database.stamps import STAMP, stamped, stamps
from models.database.statements import FIRST, Statement
from models.optimizations import Optimization

CONNECTION = "default"
POOL_SECONDS = 5.0
MANY = 100  # rows; for as many, planning a statement costs little beside executing it
TEXTS = ("host", "user", "password", "database")  # options that stay texts if they are all digits
APPS = {"models": {"models": ["models.tables"], "migrations": "models.migrations"}}


class Row(Protocol):
    """One row: `sqlite3.Row` or `asyncpg.Record`."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


def config(
    url: str,
    *,
    pool_size: int = 10,
    pool_seconds: float = POOL_SECONDS,
    statement_seconds: float | None = None,
    writer_seconds: float | None = None,
    plans_anew: bool = False,
    without: Collection[Optimization] = (),
) -> dict[str, Any]:
    """Tortoise's configuration for a `sqlite:` or `postgres:` URL.

    `pool_seconds` is how long a statement waits for a free connection. `statement_seconds` is how
    long a statement may run before PostgreSQL ends it; None leaves that to the database's own
    settings. (SQLite runs in this process, where cancelling always works.) `writer_seconds` limits
    how long a write on SQLite waits for another process, below what `PRAGMAS` allows. `plans_anew`
    has PostgreSQL plan each statement anew, for transactions that fill tables. `without` names
    optimizations to leave out (`does`). Raises ValueError for any other URL.
    """
    try:
        parts = urlsplit(url)
        port = None if parts.scheme == "sqlite" else parts.port
    except ValueError:  # its text could reveal a part of the password
        raise ValueError(
            "DATABASE_URL can't be read: its port must be a number, and in a name or a password "
            "write / # ? [ ] @ and : as %2F %23 %3F %5B %5D %40 and %3A"
        ) from None
    if parts.scheme == "sqlite":
        path = unquote(url.partition("://")[2])
        if not path or path == ":memory:":
            raise ValueError("DATABASE_URL needs a file: sqlite://cohort.sqlite3")
        connection = {
            "engine": "models.database.sqlite",
            "credentials": {
                "file_path": str(Path(path).expanduser()),
                "pool_seconds": pool_seconds,
                "writer_seconds": writer_seconds,
                "without": without,
            },
        }
    elif parts.scheme in ("postgres", "postgresql"):
        options = _options(parts.query)
        connection = {
            "engine": "models.database.postgres",
            "credentials": {
                "host": options.pop("host", None) or parts.hostname or "localhost",
                "port": port or 5432,
                "user": unquote(parts.username or "postgres"),
                "password": unquote(parts.password) if parts.password else None,
                "database": unquote(parts.path.lstrip("/")) or "postgres",
                "minsize": 0,  # else asyncpg reconnects on its own, and logs each failure
                "maxsize": pool_size,
                "pool_seconds": pool_seconds,
                "statement_seconds": statement_seconds,
                "plans_anew": plans_anew,
                "without": without,
                **options,
            },
        }
    else:
        raise ValueError(
            "DATABASE_URL must begin with sqlite:// or postgres://, "
            f"as in sqlite://cohort.sqlite3; it is {parts.scheme!r} now"
        )
    return {"connections": {CONNECTION: connection}, "apps": APPS}


def _options(query: str) -> dict[str, Any]:
    """The options of a URL, such as `?sslmode=require&statement_cache_size=0`, for asyncpg."""
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query):
        is_number = value.isdecimal() and name not in TEXTS
        options["ssl" if name == "sslmode" else name] = int(value) if is_number else value
    return options


async def connect(url: str, *, fallback: bool = True, **options: Any) -> TortoiseContext:
    """Open the database. `fallback` makes it the database of every task in this process.

    `options` are those of `config`.
    """
    context = TortoiseContext()
    context.__enter__()
    await context.init(config=config(url, **options), _enable_global_fallback=fallback)
    return context


@asynccontextmanager
async def opened(url: str, *, fallback: bool = True, **options: Any) -> AsyncIterator[None]:
    """Keep the database open for the duration of the block. See `connect`."""
    context = await connect(url, fallback=fallback, **options)
    try:
        yield
    finally:
        try:
            await settle(context.close_connections())
        finally:
            context.__exit__(None, None, None)


def connection() -> Any:
    """The client of this task: that of its transaction, if it is in one, else the shared one."""
    return require_context().connections.get(CONNECTION)


def _shared() -> Any:
    """The client that all tasks of this process share, also where this one is in a transaction."""
    client = connection()
    return client._parent if client.is_transaction else client


def does(what: Optimization) -> bool:
    """Whether this process uses an optimization."""
    return what not in _shared().without


def connections() -> tuple[int, int]:
    """How many connections are in use, and how many are idle, in this process."""
    usage: tuple[int, int] = _shared().usage()
    return usage


def pool_seconds() -> float:
    """How long something waits for what others of this process have in use."""
    return float(_shared().pool_seconds)


def longest_wait() -> float:
    """How many seconds may pass until a statement has ended, on PostgreSQL; infinity if nothing
    limits it."""
    client = _shared()
    return float(client.pool_seconds + (client.statement_seconds or math.inf))


async def fetch(sql: str, *params: Any) -> Sequence[Row]:
    """The rows of one statement."""
    if (noted := stamps.get()) is not None:
        noted.note(None)
    rows: Sequence[Row] = await connection().fetch(sql, params)
    return rows


async def read(sql: str, *params: Any) -> Sequence[Row]:
    """The rows of one statement that only reads; it may be stamped (`stamps.py`).

    Its first column must never be null.
    """
    noted = stamps.get()
    if noted is None:
        return await fetch(sql, *params)
    parameters = (*params, noted.organization_id, noted.changed_at)
    rows: Sequence[Row] = await connection().fetch(stamped(sql, len(params) + 1), parameters)
    noted.note(rows[0][STAMP] if rows else None)
    return rows if rows and rows[0][0] is not None else []


async def fetch_each(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a writing statement once for each of `rows`, inside a transaction."""
    if rows:
        await connection().fetch_each(sql, rows)


async def fetch_behind(first: Statement, others: Sequence[Statement]) -> Sequence[Row]:
    """Run several writing statements in one round trip, provided that the first returns a row.

    Returns the rows of the last statement; if the first returns none, returns none and does
    nothing. No statement may depend on the effects of another, or touch the same row. On SQLite,
    call it inside a transaction. On PostgreSQL it is atomic without one, and the other statements
    must read their input through `behind_first`.
    """
    rows: Sequence[Row] = await connection().fetch_behind(first, others)
    return rows


def behind_first(table: str) -> str:
    """The table, for a statement that `fetch_behind` runs on PostgreSQL: empty unless the first
    statement has returned a row."""
    return f"(SELECT * FROM {table} AS given WHERE EXISTS (SELECT 1 FROM {FIRST}))"


def transaction() -> TransactionContext:
    """A transaction that writes: commits on leaving, rolls back on an exception."""
    context: TransactionContext = connection()._in_transaction()
    return context


async def plan_anew(rows: int) -> None:
    """Have this transaction plan its statements for their values, if it writes MANY rows or more.

    PostgreSQL keeps the plan that it made for a table that was nearly empty until it has analyzed
    the table, up to a minute later. For 1,000 rows of a table that has grown meanwhile, that plan
    takes seconds.
    """
    if rows >= MANY and is_postgres():
        await fetch("SET LOCAL plan_cache_mode = force_custom_plan")


def is_in_transaction() -> bool:
    """Whether this task is inside a transaction."""
    return bool(connection().is_transaction)


def snapshot() -> AbstractAsyncContextManager[None]:
    """A read-only transaction that sees one state throughout. Writers do not wait for it.

    It must not be entered inside another transaction.
    """
    reading: AbstractAsyncContextManager[None] = connection().snapshot()
    return reading


async def listen(hear: Callable[[str], None]) -> None:
    """Call `hear` with the id of each organization that another process changes, while this runs.

    PostgreSQL only, and best effort: notifications are lost while the connection is down.
    """
    await connection().listen(hear)


async def notify(organization_id: str) -> None:
    """Tell other processes that an organization has changed. PostgreSQL only."""
    await connection().notify(organization_id)


@contextmanager
def watch_statements(watcher: Callable[[str], None]) -> Iterator[None]:
    """Call `watcher` with the SQL of every statement of ours during the block, in any task."""
    statements.watchers.append(watcher)
    try:
        yield
    finally:
        statements.watchers.remove(watcher)


async def migrate() -> list[str]:
    """Bring the tables up to date, all or nothing; returns the names of the migrations applied.

    Several processes may call this at once: one migrates, the others wait and find nothing to do.
    """
    applied: list[str] = []

    def note(event: str, app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(name)

    async with connection().migration_lock():
        if not await pending_migrations():
            return []  # Tortoise would first create its own table, for which rights may be missing
        # Tortoise records a migration only after committing it: if this process ended in between,
        # the next would create the same tables again, and always fail.
        async with transaction():
            executor = MigrationExecutor(connection(), APPS)
            # Tortoise reads the record before it creates it, which would abort the transaction.
            await executor.recorder.ensure_schema(executor._schema_editor())
            await executor.migrate(direction="forward", progress=note)
    return applied


async def pending_migrations() -> list[str]:
    """The names of the migrations that have not run yet. Raises if they cannot be read."""
    executor = MigrationExecutor(connection(), APPS)
    rows: Sequence[Row] = []
    try:
        # The executor would take any error for a database without tables.
        rows = await fetch(f"SELECT app, name FROM {executor.recorder.table_name}")
    except OperationalError as error:
        if not _is_missing_table(error):
            raise
    applied = {MigrationKey(row["app"], row["name"]) for row in rows}
    await executor.loader.build_graph()
    steps = executor._migration_plan(None, applied, executor.loader.graph)
    return [step.migration.name for step in steps]


def _is_missing_table(error: OperationalError) -> bool:
    cause = error.__cause__
    return isinstance(cause, asyncpg.UndefinedTableError) or "no such table" in str(cause)


def is_postgres() -> bool:
    """Whether the database is PostgreSQL, for statements that have a form of their own there."""
    return bool(connection().capabilities.dialect == "postgres")


def has_pairs() -> bool:
    """Whether the index of pairs can be used, as found when the last connection was opened."""
    return is_postgres() and bool(_shared().has_pairs)
