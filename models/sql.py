"""Small pieces that the statements of models/ are put together from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from models.database import behind_first, has_pairs, is_postgres
from models.database.pairs import INDEXED, TABLE, beginning, pairs
from models.errors import BadRequest
from models.text import EMAIL_LENGTH, composed, is_storable, name_key

SEARCH_LENGTH = EMAIL_LENGTH  # the longest of what is searched: all of it can be searched for


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
    """What FROM reads as a table of these rows. `columns` are their names and types.

    The text is the same for any number of rows but one, so that the statement stays prepared. Of
    one row PostgreSQL sees through the table, and looks up what is joined to it. It is for a
    statement that `fetch_behind` runs, if `behind`.
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
    """The condition that a row stands: now, or (for the past) at a revision."""
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
    """What was typed, in the form in which the keys hold it."""
    return name_key(search).strip()


def _is_too_long(search: str) -> bool:
    return len(composed(search)) > SEARCH_LENGTH


def contains(params: Params, search: str | None, *columns: str) -> str:
    """` AND (…)`: that one of the key columns contains what was typed; nothing for no search.

    Raises BadRequest for a text that is too long, or that no name can contain.
    """
    key = search_key(search) if search else ""
    if not key:
        return ""
    if _is_too_long(search or ""):
        raise BadRequest(f"`search` is too long: at most {SEARCH_LENGTH} characters.")
    if not is_storable(key):
        raise BadRequest("`search` holds a character that no name can hold; remove it.")
    pattern = re.sub(r"([\\%_])", r"\\\1", key)
    placeholder = params.add(f"%{pattern}%")
    # PostgreSQL escapes by a backslash as it is; told so, it would write the pattern anew each row.
    escape = "" if is_postgres() else r" ESCAPE '\'"
    matches = (f"{column} LIKE {placeholder}{escape}" for column in columns)
    return f" AND ({' OR '.join(matches)})"


def by_pairs(
    params: Params, organization_id: str, search: str, table: str
) -> tuple[str, str] | None:
    """` AND …`, twice: what is known of a row `e` that matches. None if the index is of no use.

    The first holds for rows that the index of names finds, the second for those that the index of
    pairs does, and for no row both. One holds for each that matches, and they do for a few more, so
    they only ever stand beside `contains`.
    """
    key = search_key(search)
    if table != TABLE or not has_pairs() or _is_too_long(search):
        return None
    held = pairs(organization_id, key)
    names = beginning(key) if held else None
    if names is None:
        return None
    first, end = map(params.add, names)
    begins = f"(e.name_key >= {first} AND e.name_key < {end})"
    return f" AND {begins}", f" AND {INDEXED} @> {params.add(held)}::text[] AND NOT {begins}"
