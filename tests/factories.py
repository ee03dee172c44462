"""Rows for the tests: small functions with defaults, which go through the verbs of models/."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from tortoise.models import Model

from models import tables
from models.database import fetch, watch_statements
from models.groups import create_group
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.tables import ActorKind, Role, UserStatus
from models.upserts import upsert_entries
from models.viewer import Viewer

TABLES = sorted(
    model._meta.db_table
    for model in vars(tables).values()
    if isinstance(model, type) and issubclass(model, Model) and not model._meta.abstract
)

_numbers = count(1)

Snapshot = dict[str, list[dict[str, Any]]]


async def make_user(
    viewer: Viewer,
    name: str = "Ada Lovelace",
    *,
    email: str | None = None,
    role: Role = Role.MEMBER,
    status: UserStatus = UserStatus.ACTIVE,
    **values: Any,
) -> str:
    """A new user; returns the id. The email is made up unless it is given."""
    email = email or f"user{next(_numbers)}@example.com"
    return await _make(viewer, USERS, name=name, email=email, role=role, status=status, **values)


async def make_admin(viewer: Viewer, name: str = "Grace Hopper", **values: Any) -> str:
    """A new user who is an administrator; returns the id."""
    return await make_user(viewer, name, role=Role.ADMIN, **values)


async def make_bot(viewer: Viewer, name: str = "Sales Coach", **values: Any) -> str:
    """A new bot; returns the id."""
    return await _make(viewer, BOTS, name=name, **values)


async def make_persona(viewer: Viewer, name: str = "Busy Buyer", **values: Any) -> str:
    """A new persona; returns the id."""
    return await _make(viewer, PERSONAS, name=name, **values)


async def make_entry(viewer: Viewer, kind: Kind, name: str, **values: Any) -> str:
    """A new user, bot or persona; returns the id."""
    return (await make_entries(viewer, kind, [name], **values))[0]


async def make_entries(
    viewer: Viewer, kind: Kind, names: Sequence[str], **values: Any
) -> list[str]:
    """New users, bots or personas with these names, in one change; returns their ids in order."""
    inputs = [{"name": name, **values} for name in names]
    if kind is USERS:
        inputs = [{"email": f"user{next(_numbers)}@example.com", **given} for given in inputs]
    return list((await upsert_entries(viewer, kind, inputs)).changed)


def with_emails(kind: Kind, *inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Inputs of an upsert; those of users get the emails that they must have: `0@example.com` …"""
    if kind is not USERS:
        return list(inputs)
    return [{"email": f"{number}@example.com", **given} for number, given in enumerate(inputs)]


async def make_users(viewer: Viewer, number: int) -> list[str]:
    """So many new users, in one change; returns their ids. Their names sort in that order."""
    return await make_entries(viewer, USERS, [f"User {n:05}" for n in range(number)])


async def make_group(viewer: Viewer, name: str = "Sales Team", /, **members: Sequence[str]) -> str:
    """A new group; returns the id. `members` are the ids it holds: `users`, `bots`, `personas`."""
    by_noun = {plural.removesuffix("s"): ids for plural, ids in members.items()}
    outcome = await create_group(viewer, name, None, by_noun)
    assert outcome.id is not None
    return outcome.id


def viewer_of(viewer: Viewer, user_id: str, role: Role = Role.MEMBER, name: str = "Ada") -> Viewer:
    """The viewer that a user of the same organization is."""
    return Viewer(viewer.organization_id, role, ActorKind.USER, name, user_id)


async def snapshot(organization_id: str) -> Snapshot:
    """Every row of the organization in every table, to tell that a write changed nothing."""
    rows: Snapshot = {}
    for table in TABLES:
        column = "id" if table == "organizations" else "organization_id"
        found: Any = await fetch(
            f"SELECT * FROM {table} WHERE {column} = $1 ORDER BY id", organization_id
        )
        rows[table] = [dict(row) for row in found]
    return rows


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """The SQL of every statement that runs meanwhile, in any task: `len()` tells how many."""
    statements: list[str] = []
    with watch_statements(statements.append):
        yield statements


async def _make(viewer: Viewer, kind: Kind, **values: Any) -> str:
    return (await upsert_entries(viewer, kind, [values])).changed[0]
