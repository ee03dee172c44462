"""How PostgreSQL goes about a statement, whatever its parameters."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from models.database import fetch, transaction, watch_statements


async def plans_of(ask: Callable[[], Awaitable[Any]]) -> list[str]:
    """The plan of each statement that something takes; scans of whole tables are avoided."""
    statements: list[str] = []
    with watch_statements(statements.append):
        await ask()
    return [await _plan(sql) for sql in statements]


async def _plan(sql: str) -> str:
    last = max(map(int, re.findall(r"\$(\d+)", sql)))
    given = ", ".join(["NULL"] * last)
    async with transaction():  # on one connection
        await fetch("SET LOCAL enable_seqscan = off")
        await fetch(f"PREPARE explained AS {sql}")
        rows = await fetch(f"EXPLAIN EXECUTE explained ({given})")
        await fetch("DEALLOCATE explained")
    return "\n".join(str(row[0]) for row in rows)
