"""Groups: what they hold, and the verbs that change it: create, update, delete, add, remove.

Every verb is all or nothing. Adding what is there, or removing what is not, is no error and no
change, so that a retry is safe.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from models import ids
from models.columns import select
from models.database import Row, fetch
from models.directory import entries_for_write
from models.errors import Code, DomainError, Problem
from models.kinds import KINDS, Kind
from models.ledger import Outcome, Write, some, write
from models.listing import Listing, Order
from models.sql import Params, contains, known_ids, open_at
from models.tables import Action, Group
from models.text import DESCRIPTION_LENGTH, Reader, name_key, quantity
from models.viewer import Viewer

COLUMNS = select(Group, "g")


class GroupOrderField(StrEnum):
    """What a list of groups may be sorted by."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    USER_COUNT = "USER_COUNT"


ORDERS = {
    GroupOrderField.NAME: Order("name", "g.id", "name_key", "g.name_key"),
    GroupOrderField.CREATED_AT: Order("created", "g.id"),  # ids sort by the time they were made
    GroupOrderField.UPDATED_AT: Order(
        "updated", "g.id", "updated_revision", "g.updated_revision", numeric=True
    ),
    GroupOrderField.USER_COUNT: Order("users", "g.id", "user_count", "g.user_count", numeric=True),
}
BY_NAME = ORDERS[GroupOrderField.NAME]


# ------------------------------------------------------------------------------------- reading


def groups(viewer: Viewer, search: str | None = None, order: Order = BY_NAME) -> Listing:
    """The live groups that the viewer may see."""

    def source(params: Params, parent: str) -> str:
        return (
            f"FROM groups g WHERE {viewer.sees(params, 'groups', 'g')} "
            f"AND g.until_revision IS NULL{contains(params, search, 'g.name_key')}"
        )

    return Listing(COLUMNS, source, order)


def groups_of(viewer: Viewer, kind: Kind, moment: int | None = None) -> Listing:
    """The groups that hold the parent, a user, a bot or a persona: now, or as of a revision."""

    def source(params: Params, parent: str) -> str:
        return (
            f"FROM {kind.memberships} m JOIN groups g ON g.id = m.group_id "
            f"WHERE m.{kind.column} = {parent} AND {open_at(params, 'm', moment)} "
            f"AND {viewer.sees(params, 'groups', 'g')}"
        )

    return Listing(COLUMNS, source, BY_NAME)


def members(
    viewer: Viewer, kind: Kind, search: str | None = None, moment: int | None = None
) -> Listing:
    """What the parent, a group, holds of one kind: now, or as of a revision.

    Besides the columns of the member a row has `added_at` and `added_revision`.
    """
    # The sort key stands in the membership, so that a page of the present comes off the index. It
    # is kept up while the membership is open; the past sorts by the names of today.
    sort_key = "m.sort_key" if moment is None else "e.name_key"

    def source(params: Params, parent: str) -> str:
        searched = contains(params, search, *(f"e.{key}" for key in kind.search_keys))
        return (
            f"FROM {kind.memberships} m JOIN {kind.table} e ON e.id = m.{kind.column} "
            f"WHERE m.group_id = {parent} AND {open_at(params, 'm', moment)} "
            f"AND m.organization_id = {params.add(viewer.organization_id)}{searched}"
        )

    columns = f"{select(kind.model, 'e')}, m.added_at, m.since_revision AS added_revision"
    return Listing(columns, source, Order("name", f"m.{kind.column}", "name_key", sort_key))


def available(viewer: Viewer, kind: Kind, search: str | None = None) -> Listing:
    """Those of one kind that the parent, a group, does not hold yet."""

    def source(params: Params, parent: str) -> str:
        searched = contains(params, search, *(f"e.{key}" for key in kind.search_keys))
        return (
            f"FROM {kind.table} e WHERE {viewer.sees(params, kind.table, 'e')} "
            f"AND e.until_revision IS NULL{searched} AND NOT EXISTS (SELECT 1 "
            f"FROM {kind.memberships} m WHERE m.group_id = {parent} "
            f"AND m.{kind.column} = e.id AND m.until_revision IS NULL)"
        )

    return Listing(select(kind.model, "e"), source, Order("name", "e.id", "name_key", "e.name_key"))


async def groups_by_id(
    viewer: Viewer, group_ids: Sequence[str], *, deleted: bool = False
) -> list[Row]:
    """The groups with these ids that the viewer may see: the live ones, or also the `deleted`."""
    params = Params()
    live = "" if deleted else " AND g.until_revision IS NULL"
    sees = viewer.sees(params, "groups", "g")
    rows = await fetch(
        f"SELECT {COLUMNS} FROM groups g WHERE {sees}{live} "
        f"AND g.id = ANY({params.add(known_ids(tuple(group_ids)))})",
        *params.values,
    )
    return list(rows)


async def added_members(
    viewer: Viewer, kind: Kind, group_id: str, revision: int, member_ids: Sequence[str]
) -> list[Row]:
    """The rows of `members` that one write opened, in the order of `member_ids`."""
    params = Params()
    listing = members(viewer, kind)
    source = listing.source(params, params.add(group_id))
    rows = await fetch(
        f"SELECT {listing.columns} {source} AND m.since_revision = {params.add(revision)} "
        f"AND m.{kind.column} = ANY({params.add(list(member_ids))})",
        *params.values,
    )
    by_id = {row["id"]: row for row in rows}
    return [by_id[id] for id in member_ids if id in by_id]


# ------------------------------------------------------------------------------------- writing


async def create_group(
    viewer: Viewer,
    name: str,
    description: str | None = None,
    members: Mapping[str, Sequence[str]] | None = None,
    expected_revision: int | None = None,
) -> Outcome:
    """Create a group; `members` are the ids it holds from the start, by noun (`user`, `bot`, …).

    Raises DomainError: BLANK, TOO_LONG, INVALID, TAKEN, TOO_MANY, NOT_FOUND, CONFLICT.
    """
    viewer.must_administrate()
    reader = Reader()
    name = reader.required(name, "name", "Name")
    description = _description(reader, description)
    reader.finish()
    async with write(viewer, expected_revision) as draft:
        await must_be_free(draft, name, "name")
        found = {
            kind: await entries_for_write(draft, kind, (members or {}).get(kind.noun, ()))
            for kind in KINDS
        }
        group = (
            await fetch(
                "INSERT INTO groups (id, organization_id, name, name_key, description, user_count, "
                "bot_count, persona_count, created_at, updated_at, updated_revision, "
                "since_revision) VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6, $6, $7, $7) RETURNING *",
                ids.new_id(ids.GROUP),
                viewer.organization_id,
                name,
                name_key(name),
                description,
                draft.now,
                draft.revision,
            )
        )[0]
        opened = {
            kind: await open_memberships(draft, kind, group["id"], [row["id"] for row in rows])
            for kind, rows in found.items()
        }
        touch(draft, group["id"], {kind: len(added) for kind, added in opened.items()})
        draft.counts["group_count"] += 1
        draft.record(
            Action.GROUP_CREATED,
            f"created {name}",
            group=group,
            details={kind.plural: added for kind, added in opened.items()},
        )
    return Outcome(draft.landed_revision, group["id"])


async def update_group(
    viewer: Viewer,
    group_id: str,
    changes: Mapping[str, str | None],
    expected_revision: int | None = None,
) -> Outcome:
    """Rename a group (`name`), or describe it anew (`description`; None takes it away).

    Raises DomainError: BLANK, TOO_LONG, INVALID, TAKEN, NOT_FOUND, CONFLICT.
    """
    viewer.must_administrate()
    reader = Reader()
    wanted: dict[str, str | None] = {}
    if changes.get("name") is not None:
        wanted["name"] = reader.required(changes["name"] or "", "name", "Name")
    if "description" in changes:
        wanted["description"] = _description(reader, changes["description"])
    reader.finish()
    async with write(viewer, expected_revision) as draft:
        group = await _group_for_write(draft, group_id, "id")
        before = {key: group[key] for key, value in wanted.items() if value != group[key]}
        if before:
            await rewrite_group(draft, group, wanted, "name")
            name = wanted.get("name") or group["name"]
            draft.record(
                Action.GROUP_UPDATED,
                f"renamed {group['name']} to {name}"
                if "name" in before
                else f"changed the description of {name}",
                group=group,
                details={"before": before, "after": {key: wanted[key] for key in before}},
            )
    return Outcome(draft.landed_revision, group_id)


async def delete_group(
    viewer: Viewer, group_id: str, expected_revision: int | None = None
) -> Outcome:
    """Delete a group. What came only through it is revoked at once.

    Raises DomainError: NOT_FOUND, CONFLICT.
    """
    viewer.must_administrate()
    async with write(viewer, expected_revision) as draft:
        group = await _group_for_write(draft, group_id, "id")
        await close_group(draft, group)
        held = [quantity(group[kind.counter], kind.noun) for kind in KINDS]
        draft.record(
            Action.GROUP_DELETED,
            f"deleted {group['name']}, with {held[0]}, {held[1]} and {held[2]}",
            group=group,
            details={},
        )
    return Outcome(draft.landed_revision, group_id)


async def add_members(
    viewer: Viewer,
    kind: Kind,
    group_id: str,
    member_ids: Sequence[str],
    expected_revision: int | None = None,
) -> Outcome:
    """Put users, bots or personas into a group. `changed` are those that were not in it.

    Raises DomainError: TOO_MANY, NOT_FOUND, CONFLICT.
    """
    viewer.must_administrate()
    async with write(viewer, expected_revision) as draft:
        group = await _group_for_write(draft, group_id, "groupId")
        rows = await entries_for_write(draft, kind, member_ids)
        added = await open_memberships(draft, kind, group_id, [row["id"] for row in rows])
        if added:
            touch(draft, group_id, {kind: len(added)})
            words = some([row for row in rows if row["id"] in added], kind.noun)
            draft.record(
                kind.added,
                f"added {words} to {group['name']}",
                group=group,
                details={kind.plural: added},
            )
    return Outcome(draft.landed_revision, group_id, added)


async def remove_members(
    viewer: Viewer,
    kind: Kind,
    group_id: str,
    member_ids: Sequence[str],
    expected_revision: int | None = None,
) -> Outcome:
    """Take users, bots or personas out of a group. `changed` are those that were in it.

    Raises DomainError: TOO_MANY, NOT_FOUND, CONFLICT.
    """
    viewer.must_administrate()
    async with write(viewer, expected_revision) as draft:
        group = await _group_for_write(draft, group_id, "groupId")
        rows = await entries_for_write(draft, kind, member_ids)
        removed = await close_memberships(draft, kind, group_id, [row["id"] for row in rows])
        if removed:
            touch(draft, group_id, {kind: -len(removed)})
            words = some([row for row in rows if row["id"] in removed], kind.noun)
            draft.record(
                kind.removed,
                f"removed {words} from {group['name']}",
                group=group,
                details={kind.plural: removed},
            )
    return Outcome(draft.landed_revision, group_id, removed)


# ---------------------------------------------------------------------------- steps of a write


async def open_memberships(
    draft: Write, kind: Kind, group_id: str, member_ids: Sequence[str]
) -> list[str]:
    """Open those memberships that are not open, of members who exist; returns them, in order.

    Counts the members' groups; the group's own counters are for `touch`.
    """
    if not member_ids:
        return []
    # The change's id and the member's make the row's: a change opens a pair at most once.
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
    draft: Write, kind: Kind, group_id: str, member_ids: Sequence[str]
) -> list[str]:
    """Close those memberships that are open; returns their members, in order."""
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
    draft: Write, kind: Kind, member_ids: Sequence[str], changed: set[str], step: int
) -> list[str]:
    if changed:
        draft.at_last(
            f"UPDATE {kind.table} SET group_count = group_count + $2 WHERE id = ANY($1)",
            list(changed),
            step,
        )
    return [id for id in member_ids if id in changed]


def touch(draft: Write, group_id: str, steps: Mapping[Kind, int] | None = None) -> None:
    """Mark a group as changed by this write, and move its counters by `steps`."""
    params = Params(group_id, draft.now, draft.revision)
    counters = "".join(
        f", {kind.counter} = {kind.counter} + {params.add(step)}"
        for kind, step in (steps or {}).items()
        if step
    )
    draft.at_last(
        f"UPDATE groups SET updated_at = $2, updated_revision = $3{counters} WHERE id = $1",
        *params.values,
    )


async def _group_for_write(draft: Write, group_id: str, field: str) -> Row:
    rows = await groups_by_id(draft.viewer, [group_id])
    if not rows:
        raise DomainError([Problem(Code.NOT_FOUND, "There is no such group.", (field,))])
    return rows[0]


async def must_be_free(draft: Write, name: str, field: str) -> None:
    """Raise DomainError TAKEN if a live group has the name."""
    taken = await fetch(
        "SELECT name FROM groups "
        "WHERE organization_id = $1 AND name_key = $2 AND until_revision IS NULL",
        draft.viewer.organization_id,
        name_key(name),
    )
    if taken:
        raise DomainError.of(
            Code.TAKEN, f"There is a group named “{taken[0]['name']}” already.", field
        )


async def rewrite_group(
    draft: Write, group: Row, wanted: Mapping[str, str | None], field: str
) -> None:
    """Give a group another name or description. `field` is told if the name is taken."""
    name = wanted.get("name") or group["name"]
    if name_key(name) != group["name_key"]:
        await must_be_free(draft, name, field)
    await fetch(
        "UPDATE groups SET name = $2, name_key = $3, description = $4 WHERE id = $1",
        group["id"],
        name,
        name_key(name),
        wanted.get("description", group["description"]),
    )
    touch(draft, group["id"])


async def close_group(draft: Write, group: Row) -> None:
    """End a group and all its memberships."""
    for kind in KINDS:
        await fetch(
            f"UPDATE {kind.memberships} SET until_revision = $2 "
            "WHERE group_id = $1 AND until_revision IS NULL",
            group["id"],
            draft.revision,
        )
        await fetch(
            f"UPDATE {kind.table} SET group_count = group_count - 1 WHERE id IN ("
            f"SELECT {kind.column} FROM {kind.memberships} "
            "WHERE group_id = $1 AND until_revision = $2)",
            group["id"],
            draft.revision,
        )
    await fetch("UPDATE groups SET until_revision = $2 WHERE id = $1", group["id"], draft.revision)
    draft.counts["group_count"] -= 1


def _description(reader: Reader, value: str | None) -> str | None:
    return reader.optional(value, "description", "Description", DESCRIPTION_LENGTH, lines=True)
