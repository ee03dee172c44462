"""Memberships: listing what a group holds, and the steps of a write that open and close them.

The verbs that use these steps are in `groups.py` and `undo.py`. (`membership_writes.py` batches
many writes, by statements of its own.)
"""

from collections.abc import Sequence

from models.columns import listed, shown
from models.database import Row, fetch, read
from models.directory import by_name
from models.kinds import Kind
from models.ledger import Draft
from models.listing import Listing, LiveRows, Order
from models.sql import Params, open_at
from models.viewer import Viewer

ADDED = {"added_at": "m.added_at", "added_revision": "m.since_revision AS added_revision"}


def members(
    viewer: Viewer, kind: Kind, search: str | None = None, moment: int | None = None
) -> Listing:
    """The members of one kind of the parent, a group: now, or as of a revision.

    Besides the columns of the member, a row has `added_at` and `added_revision`. (Every membership
    has its member, but LEFT lets PostgreSQL omit the join if no column of it is needed.)
    """
    # The membership has a copy of the sort key, so that a page of the present comes off the index.
    # It is updated while the membership is open; the past is sorted by the names of today.
    sort_key = "m.sort_key" if moment is None else "e.name_key"

    def source(params: Params, parent: str) -> str:
        searched = viewer.searched(params, kind, search)
        return (
            f"FROM {kind.memberships} m LEFT JOIN {kind.table} e ON e.id = m.{kind.column} "
            f"WHERE m.group_id = {parent} AND {open_at(params, 'm', moment)} "
            f"AND m.organization_id = {params.add(viewer.organization_id)}{searched}"
            f"{viewer.in_own_groups(params, 'm.group_id', moment)}"
            f"{viewer.sees_still(params, kind, moment)}"
        )

    return Listing(
        {**shown(kind.model, "e"), **ADDED},
        source,
        Order(kind.noun, f"m.{kind.column}", "name_key", sort_key),
    )


def available(viewer: Viewer, kind: Kind, search: str | None = None) -> Listing:
    """The users, bots or personas that are not in the parent, a group, yet."""

    # OFFSET keeps PostgreSQL from turning NOT EXISTS into a join, which would compare each
    # candidate with all members of the group. With it, each is looked up in the index.
    def conditions(params: Params, parent: str) -> str:
        return (
            f"{viewer.sees_of_own(params, kind.table, 'e')} AND NOT EXISTS (SELECT 1 "
            f"FROM {kind.memberships} m WHERE m.group_id = {parent} "
            f"AND m.{kind.column} = e.id AND m.until_revision IS NULL LIMIT 1 OFFSET 0)"
        )

    def matches(params: Params) -> str:
        return viewer.searched(params, kind, search)

    rows = LiveRows(kind.table, viewer.organization_id, matches, conditions, search)
    searched = rows if search else None
    return Listing(shown(kind.model, "e"), rows.source, by_name(kind), searched)


async def added_members(
    viewer: Viewer, kind: Kind, group_id: str, revision: int, member_ids: Sequence[str]
) -> list[Row]:
    """The rows of `members` that a write has opened, in the order of `member_ids`."""
    params = Params()
    listing = members(viewer, kind)
    source = listing.source(params, params.add(group_id))
    rows = await read(
        f"SELECT {listed(listing.columns)} {source} AND m.since_revision = {params.add(revision)} "
        f"AND m.{kind.column} = ANY({params.add(list(member_ids))})",
        *params.values,
    )
    by_id = {row["id"]: row for row in rows}
    return [by_id[id] for id in member_ids if id in by_id]


async def open_memberships(
    draft: Draft, kind: Kind, group_id: str, member_ids: Sequence[str]
) -> list[str]:
    """Open the memberships that are not open, of members that exist; returns these, in order.

    Moves the members' counts of groups; the group's own counters are left to `touch`.
    """
    if not member_ids:
        return []
    # The row's id is the change's and the member's: a change opens a pair at most once.
    opened = await fetch(
        f"INSERT INTO {kind.memberships} "
        f"(id, organization_id, group_id, {kind.column}, sort_key, added_at, since_revision) "
        "SELECT $1 || e.id, e.organization_id, $2, e.id, e.name_key, $3, $4 "
        f"FROM {kind.table} e WHERE e.id = ANY($5) AND e.until_revision IS NULL "
        f"ON CONFLICT DO NOTHING RETURNING {kind.column}",
        draft.change_id,
        group_id,
        draft.now,
        draft.revision,
        list(member_ids),
    )
    return _count_groups(draft, kind, member_ids, {row[0] for row in opened}, +1)


async def close_memberships(
    draft: Draft, kind: Kind, group_id: str, member_ids: Sequence[str]
) -> list[str]:
    """Close the memberships that are open; returns their members, in order."""
    if not member_ids:
        return []
    closed = await fetch(
        f"UPDATE {kind.memberships} SET until_revision = $3 WHERE group_id = $1 "
        f"AND {kind.column} = ANY($2) AND until_revision IS NULL RETURNING {kind.column}",
        group_id,
        list(member_ids),
        draft.revision,
    )
    return _count_groups(draft, kind, member_ids, {row[0] for row in closed}, -1)


def _count_groups(
    draft: Draft, kind: Kind, member_ids: Sequence[str], changed: set[str], step: int
) -> list[str]:
    if changed:
        draft.defer(
            f"UPDATE {kind.table} SET group_count = group_count + $2 WHERE id = ANY($1)",
            list(changed),
            step,
        )
    return [id for id in member_ids if id in changed]
