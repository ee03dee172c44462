"""Column and index types that mean the same on SQLite and on PostgreSQL."""

from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType

from tortoise.fields.base import Field
from tortoise.indexes import Index
from tortoise.models import Model

NOT_SHOWN = ("organization_id", "email_key", "since_revision", "until_revision")


class KeyField(Field[str], str):  # type: ignore[misc]  # Tortoise's way to declare a value's type
    """Text that is compared and sorted byte by byte, whatever the database's locale.

    For ids and name keys, so that both databases page in the same order.
    """

    SQL_TYPE = "TEXT"

    class _db_postgres:
        SQL_TYPE = 'TEXT COLLATE "C"'


class LiveIndex(Index):
    """An index of the open rows, so that history costs the present nothing."""

    def __init__(self, *, fields: tuple[str, ...] | list[str], name: str | None = None) -> None:
        super().__init__(fields=fields, name=name)
        self.extra = " WHERE until_revision IS NULL"


class PastIndex(Index):
    """An index of the closed rows, for questions about the past."""

    def __init__(self, *, fields: tuple[str, ...] | list[str], name: str | None = None) -> None:
        super().__init__(fields=fields, name=name)
        self.extra = " WHERE until_revision IS NOT NULL"


def returned(model: type[Model]) -> str:
    """All columns of a table, for RETURNING."""
    return ", ".join(model._meta.fields_db_projection.values())


@cache
def columns(model: type[Model], alias: str) -> Mapping[str, str]:
    """All columns of a table by their names, for a SELECT that knows the table as `alias`."""
    names = model._meta.fields_db_projection.values()
    return MappingProxyType({name: f"{alias}.{name}" for name in names})


@cache
def shown(model: type[Model], alias: str) -> Mapping[str, str]:
    """The same without the columns that only conditions use, to keep the rows of lists small."""
    found = columns(model, alias)
    return MappingProxyType({name: sql for name, sql in found.items() if name not in NOT_SHOWN})


def listed(known: Mapping[str, str], wanted: Collection[str] | None = None) -> str:
    """Columns for a SELECT: those that are wanted, or all of them."""
    return ", ".join(sql for name, sql in known.items() if wanted is None or name in wanted)


def select(model: type[Model], alias: str) -> str:
    """All columns of a table, for a SELECT that knows the table as `alias`."""
    return listed(columns(model, alias))
