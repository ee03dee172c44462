"""The plain server's DataLoaders: counts by GROUP BY, and the first members of many groups.

Tortoise's `Prefetch` limits all parents together and not each, so the first N of every group are
found by a window function in SQL, and then read as models with the ORM.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from strawberry.dataloader import DataLoader
from tortoise.connection import get_connection
from tortoise.functions import Count

from bench.plain_tables import GroupBot, GroupPersona, GroupUser, Membership

First = tuple[str, int]  # a group's id, and how many members of it


async def load_counts(model: type[Membership], group_ids: list[str]) -> list[int]:
    """How many members of one kind each group has."""
    # A column of the index is counted, not the id, which would be read from each row.
    rows = (
        await model.filter(group_id__in=group_ids, until_revision__isnull=True)
        .annotate(total=Count("group_id"))
        .group_by("group_id")
        .values_list("group_id", "total")
    )
    counts = dict(rows)
    return [counts.get(group_id, 0) for group_id in group_ids]


async def load_members(
    model: type[Membership], noun: str, keys: list[First]
) -> list[list[Membership]]:
    """The first memberships of each group, in order of name, with their members."""
    groups_by_limit: dict[int, list[str]] = defaultdict(list)
    for group_id, limit in keys:
        groups_by_limit[limit].append(group_id)
    found: dict[First, list[Membership]] = defaultdict(list)
    for limit, group_ids in groups_by_limit.items():
        for row in await _members(model, noun, group_ids, limit):
            found[row.group_id, limit].append(row)
    return [found[key] for key in keys]


async def _members(
    model: type[Membership], noun: str, group_ids: Sequence[str], limit: int
) -> list[Membership]:
    live = model.filter(until_revision__isnull=True).select_related(noun)
    live = live.order_by("sort_key", f"{noun}_id")
    if len(group_ids) == 1:
        return await live.filter(group_id=group_ids[0]).limit(limit)
    connection = get_connection("default")
    placeholders = (
        ("?" for _ in group_ids)
        if connection.capabilities.dialect == "sqlite"
        else (f"${i}" for i, _ in enumerate(group_ids, 1))
    )
    rows = await connection.execute_query_dict(
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER ("
        f"PARTITION BY group_id ORDER BY sort_key, {noun}_id) AS place "
        f"FROM {model._meta.db_table} WHERE until_revision IS NULL "
        f"AND group_id IN ({', '.join(placeholders)})) AS ranked WHERE place <= {int(limit)}",
        list(group_ids),
    )
    return await live.filter(id__in=[row["id"] for row in rows])


def counts(model: type[Membership]) -> DataLoader[str, int]:
    """A loader of counts by group."""
    return DataLoader(load_fn=partial(load_counts, model))


def members(model: type[Membership], noun: str) -> "DataLoader[First, list[Any]]":
    """A loader of members by group and limit."""
    return DataLoader(load_fn=partial(load_members, model, noun))


@dataclass
class Loaders:
    """The loaders of one request."""

    user_count: DataLoader[str, int] = field(default_factory=lambda: counts(GroupUser))
    bot_count: DataLoader[str, int] = field(default_factory=lambda: counts(GroupBot))
    persona_count: DataLoader[str, int] = field(default_factory=lambda: counts(GroupPersona))
    users: DataLoader[First, list[Any]] = field(default_factory=lambda: members(GroupUser, "user"))
    bots: DataLoader[First, list[Any]] = field(default_factory=lambda: members(GroupBot, "bot"))
    personas: DataLoader[First, list[Any]] = field(
        default_factory=lambda: members(GroupPersona, "persona")
    )
