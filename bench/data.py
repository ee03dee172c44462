"""Generated organizations: the same rows each time, and how they get into a database."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bench.plan import Size
from bench.tenant import Rows, Tenant, secret
from models.database import fetch, fetch_each, is_postgres, transaction
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind

SEED = 20_250
ROWS_PER_TRANSACTION = 20_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What the operations need to know of the first organization."""

    organization_id: str
    group_ids: list[str]
    crowd_ids: list[str]  # of the largest groups
    user_ids: list[str]
    bot_ids: list[str]
    outsiders: dict[str, str]  # a group's id, and the id of a user who is not in it
    token: str


def columns(kind: Kind) -> str:
    """The columns of a directory table, in the order that `Tenant.directory` gives."""
    common = (
        "id, organization_id, external_id, name, name_key, avatar_url, group_count, created_at, "
        "since_revision"
    )
    own = {
        USERS: "email, email_key, role, status",
        BOTS: "description, features",
        PERSONAS: "description",
    }
    return f"{common}, {own[kind]}"


def tables(tenant: Tenant) -> Iterator[tuple[str, str, Rows]]:
    """Each table with its columns and rows, those first that others refer to."""
    yield (
        "organizations",
        "id, name, name_key, revision, viewers_revision, group_count, user_count, bot_count, "
        "persona_count, created_at, changed_at",
        tenant.organization(),
    )
    for kind in KINDS:
        yield kind.table, columns(kind), tenant.directory(kind)
    yield (
        "activations",
        "id, organization_id, user_id, since_revision",
        tenant.activations(),
    )
    yield (
        "groups",
        "id, organization_id, name, name_key, description, user_count, bot_count, persona_count, "
        "created_at, updated_at, updated_revision, since_revision",
        tenant.group_rows(),
    )
    for kind in KINDS:
        yield (
            kind.memberships,
            f"id, organization_id, group_id, {kind.column}, sort_key, added_at, since_revision, "
            "until_revision",
            tenant.memberships(kind),
        )
    yield (
        "changes",
        "id, organization_id, revision, at, actor_kind, actor_name, action, group_id, group_name, "
        "summary, details",
        tenant.changes(),
    )
    yield (
        "tokens",
        "id, organization_id, user_id, name, role, secret_hash, created_at",
        tenant.token(),
    )


async def insert(table: str, columns: str, rows: Rows) -> None:
    """Insert rows in transactions of a bounded number."""
    width = columns.count(",") + 1
    values = ", ".join(f"${i + 1}" for i in range(width))
    sql = f"INSERT INTO {table} ({columns}) VALUES ({values})"
    while batch := list(islice(rows, ROWS_PER_TRANSACTION)):
        async with transaction():
            await fetch_each(sql, batch)


async def load(sizes: Sequence[Size]) -> Sample:
    """Fill the database that is open, which has its tables and no rows."""
    rng = random.Random(SEED)
    sample: Sample | None = None
    for number, size in enumerate(sizes, 1):
        tenant = Tenant(rng, size, number)
        for table, names_of_columns, rows in tables(tenant):
            await insert(table, names_of_columns, rows)
        sample = sample or Sample(
            tenant.id,
            tenant.groups,
            tenant.crowds(),
            tenant.members[USERS],
            tenant.members[BOTS],
            tenant.outsiders(),
            secret(number),
        )
    if sample is None:
        raise ValueError("an organization at least")
    if is_postgres():
        # What autovacuum does by itself a little later.
        await fetch("VACUUM ANALYZE")
    return sample
