"""Building blocks for the SQL statements of models/."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from models.database import behind_first, has_pairs, is_postgres
from models.database.pairs import INDEXED, TABLE, beginning, pairs
from models.errors import BadRequest
from models.text import EMAIL_LENGTH, is_longer, is_storable, name_key

SEARCH_LENGTH = EMAIL_LENGTH  # the longest text that is searched


class Params:
    """The parameters of a statement: `params.add(value)` gives the placeholder."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any) -> str:
        """Add a value and return its placeholder, such as `$3`."""
        self.values.append(value)
        return f"${len(self.values)}"


def values(
    params: Params,
    alias: str,
    columns: Mapping[str, str],
    rows: Sequence[Sequence[Any]],
    *,
    behind: bool = False,
) -> str:
    """A table of these rows, for FROM. `columns` are their names and types.

    The SQL is the same for any number of rows except one, so that the statement stays prepared.
    For one row, it lets PostgreSQL plan look-ups in the tables that are joined to it. With
    `behind`, it is for a statement that `fetch_behind` runs.
    """
    if is_postgres():
        if len(rows) == 1:
            cells = zip(rows[0], columns.values(), strict=True)
            row = ", ".join([f"{params.add(value)}::{kind}" for value, kind in cells])
            table = f"(VALUES ({row}))"
        else:
            arrays = [
                f"{params.add([row[place] for row in rows])}::{kind}[]"
                for place, kind in enumerate(columns.values())
            ]
            table = f"unnest({', '.join(arrays)})"
        return f"{behind_first(table) if behind else table} AS {alias} ({', '.join(columns)})"
    read = ", ".join(f"value ->> {place} AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {read} FROM json_each({params.add([list(row) for row in rows])})) AS {alias}"


def open_at(params: Params, alias: str, moment: int | None) -> str:
    """The condition that a row is open: now, or as of a revision."""
    if moment is None:
        return f"{alias}.until_revision IS NULL"
    revision = params.add(moment)
    return (
        f"{alias}.since_revision <= {revision} "
        f"AND ({alias}.until_revision IS NULL OR {alias}.until_revision > {revision})"
    )


def live_or_deleted_after(params: Params, alias: str, moment: int | None) -> str:
    """The condition that a row is live, or (with a revision) that it was deleted after that one."""
    live = f"{alias}.until_revision IS NULL"
    if moment is None:
        return live
    return f"({live} OR {alias}.until_revision > {params.add(moment)})"


def search_key(search: str) -> str:
    """The text of a search, normalised like the keys that it is compared with."""
    return name_key(search).strip()


def contains(params: Params, search: str | None, *columns: str) -> str:
    """` AND (…)`: one of the key columns contains the text; empty without a search.

    Raises BadRequest for a text that is too long, or that no name can contain.
    """
    if is_longer(search or "", SEARCH_LENGTH):
        raise BadRequest(f"`search` is too long: at most {SEARCH_LENGTH} characters.")
    key = search_key(search) if search else ""
    if not key:
        return ""
    if not is_storable(key):
        raise BadRequest("`search` contains a character that no name can contain; remove it.")
    pattern = re.sub(r"([\\%_])", r"\\\1", key)
    placeholder = params.add(f"%{pattern}%")
    # A backslash is PostgreSQL's default; if given, it would rewrite the pattern for each row.
    escape = "" if is_postgres() else r" ESCAPE '\'"
    matches = (f"{column} LIKE {placeholder}{escape}" for column in columns)
    return f" AND ({' OR '.join(matches)})"


def by_pairs(
    params: Params, organization_id: str, search: str, table: str
) -> tuple[str, str] | None:
    """` AND …`, twice: conditions that indexes can check; None if the index of pairs is of no use.

    The first is for the index of names, the second for the index of pairs. Each matching row `e`
    meets exactly one of them, but so may a few others: use them only together with `contains`.
    """
    key = search_key(search)
    if table != TABLE or not has_pairs() or is_longer(search, SEARCH_LENGTH):
        return None
    held = pairs(organization_id, key)
    names = beginning(key) if held else None
    if names is None:
        return None
    first, end = map(params.add, names)
    begins = f"(e.name_key >= {first} AND e.name_key < {end})"
    return f" AND {begins}", f" AND {INDEXED} @> {params.add(held)}::text[] AND NOT {begins}"
