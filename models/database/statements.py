"""The type of a statement, several of them as one, and watchers, which are called with each: in
tests and benchmarks."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

Statement = tuple[str, Sequence[Any]]  # with its parameters

FIRST = "first_of_all"  # the name, within a combined statement, of the one that decides

SHIFTED_CACHED = 500  # statements

watchers: list[Callable[[str], None]] = []


def seen(sql: str) -> None:
    """Call the watchers with a statement that is about to run."""
    for watcher in watchers:
        watcher(sql)


@lru_cache(maxsize=SHIFTED_CACHED)
def _shifted(sql: str, by: int) -> str:
    """The statement with the numbers of its parameters raised by `by`."""
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + by}", sql)


def together(first: Statement, others: Sequence[Statement]) -> Statement:
    """Several statements as one, each with parameters of its own. See `combined`."""
    first_sql, values = first
    parts, params = [], [*values]
    for sql, values in others:
        parts.append(_shifted(sql, len(params)))
        params += values
    return combined(first_sql, parts), params


def combined(first: str, others: Sequence[str]) -> str:
    """Several statements as one, with common table expressions; that of the first is FIRST."""
    *but_last, last = others
    parts = [f"{FIRST} AS ({first})"]
    parts += [f"part_{number} AS ({sql})" for number, sql in enumerate(but_last)]
    return f"WITH {', '.join(parts)} {last}"
