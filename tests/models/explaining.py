"""How PostgreSQL goes about a statement, whatever its parameters."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

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
    name = f"explained_{uuid4().hex}"  # which outlives a transaction that breaks
    async with transaction():  # on one connection
        await fetch("SET LOCAL enable_seqscan = off")
        await fetch(f"PREPARE {name} AS {sql}")
        rows = await fetch(f"EXPLAIN EXECUTE {name} ({given})")
        await fetch(f"DEALLOCATE {name}")
    return "\n".join(str(row[0]) for row in rows)
