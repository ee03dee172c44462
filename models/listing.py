"""Pages of rows by keyset, for one parent or for many in one statement.

A page is cut off an index, in front of or behind the row that a cursor names. It costs what it
shows, wherever it lies, and stays good while rows come and go around it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.database import Row, fetch, is_postgres

SQLITE_PARENTS = 100  # parents in one statement; SQLite joins at most 500 SELECTs


class Params:
    """The parameters of a statement: `params.add(value)` gives the placeholder."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any) -> str:
        """Add a value and return its placeholder, such as `$3`."""
        self.values.append(value)
        return f"${len(self.values)}"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a listing: `limit` rows after a key, or before one, from either end.

    A key is what a cursor carries: the value that the listing is sorted by, and the row's id.
    """

    limit: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a slice, in the listing's order, and whether more lie on either side."""

    rows: Sequence[Row]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A set of rows in a fixed order: what a connection shows.

    `select(params, parent)` gives the clauses FROM and WHERE, where `parent` is the SQL of the
    parent's id. `key` are the SQL expressions of the order; the last one is unique. `narrow`, where
    given, is told the limit and the condition of the slice, for a source that can stop early itself.
    """

    name: str
    columns: str
    source: Callable[[Params, str], str]
    key: tuple[str, ...]
    descending: bool = False
    distinct: str = ""
    identity: tuple[Any, ...] = field(default=())
