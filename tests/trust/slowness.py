"""A database that takes its time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models import database
from models.database import fetch, transaction

SLOW_ROWS = {
    False: "real_{0} WHERE (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
    "WHERE n < 1000000000) SELECT max(n) FROM c) > 0",
    True: "real_{0} WHERE (SELECT count(*) FROM pg_sleep(60)) > 0",
}


@asynccontextmanager
async def slow(table: str) -> AsyncIterator[None]:
    """Make every read of a table take a minute."""
    rows = SLOW_ROWS[database.is_postgres()].format(table)
    async with transaction():
        await fetch(f"ALTER TABLE {table} RENAME TO real_{table}")
        await fetch(f"CREATE VIEW {table} AS SELECT real_{table}.* FROM {rows}")
    try:
        yield
    finally:
        async with transaction():
            await fetch(f"DROP VIEW {table}")
            await fetch(f"ALTER TABLE real_{table} RENAME TO {table}")
