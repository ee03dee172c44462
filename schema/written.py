"""Resolvers of the fields of payloads: what was written, as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import groups, history, memberships, tokens
from models.database import Row
from models.kinds import USERS, Kind
from models.ledger import Shown
from models.viewer import Viewer
from schema.context import Context
from schema.fields import Found
from schema.pagination import Edge
from schema.resolvers import by_id, entries_of, groups_of_ids


@dataclass(frozen=True, slots=True)
class Written:
    """What a write was about: a group, memberships in it, rows of the directory, and so on.

    `shown` is the group's row, if the write returned it.
    """

    group_id: str | None = None
    kind: Kind = USERS
    entry_ids: Sequence[str] = ()
    revision: int = 0
    change_id: str | None = None
    token_id: str | None = None
    shown: Shown | None = None


async def written_groups(roots: Sequence[Any], context: Context) -> list[Row | None]:
    """`group` of a payload: None if it is deleted."""
    if all(root.written.shown for root in roots):
        return [root.written.shown.group for root in roots]
    rows = await groups_of_ids(context, (root.written.group_id for root in roots))
    return [rows.get(root.written.group_id or "") for root in roots]


async def written_edges(roots: Sequence[Any], context: Context) -> list[Edge | None]:
    """`edge` of a payload."""
    rows = await written_groups(roots, context)
    return [Edge(groups.BY_NAME, row) if row is not None else None for row in rows]


async def added_edges(roots: Sequence[Any], context: Context) -> list[list[Edge]]:
    """`addedEdges` of a payload: the memberships that it opened, and that are still open."""
    return [await _added(root.written, context.viewer) for root in roots]


async def _added(written: Written, viewer: Viewer) -> list[Edge]:
    if written.group_id is None:
        return []
    order = memberships.members(viewer, written.kind).order
    rows = await memberships.added_members(
        viewer, written.kind, written.group_id, written.revision, written.entry_ids
    )
    return [Edge(order, row) for row in rows]


def written_entries(kind: Kind) -> Found:
    """`users`, `bots`, `personas` of a payload: those that still exist."""

    async def find(roots: Sequence[Any], context: Context) -> list[list[Row]]:
        ids = [root.written.entry_ids for root in roots]
        rows = await entries_of(context, kind, (id for some in ids for id in some))
        return [[rows[id] for id in some if id in rows] for some in ids]

    return find


async def written_changes(roots: Sequence[Any], context: Context) -> list[Row | None]:
    """`change` of a payload."""
    wanted = [root.written.change_id or "" for root in roots]
    rows = by_id(await history.changes_by_id(context.viewer, wanted))
    return [rows.get(id) for id in wanted]


async def written_tokens(roots: Sequence[Any], context: Context) -> list[Row | None]:
    """`token` of a payload."""
    wanted = [root.written.token_id or "" for root in roots]
    rows = by_id(await tokens.tokens_by_id(context.viewer, wanted))
    return [rows.get(id) for id in wanted]
