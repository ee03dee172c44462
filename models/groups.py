"""Groups, and the verbs that change them: create, update, delete. Every verb is all or nothing.

`models/membership_writes.py` adds users, bots and personas to groups, and removes them.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from models import ids
from models.columns import columns, select
from models.database import Row, fetch, read
from models.directory import entries_for_write
from models.errors import Code, DomainError
from models.ids import well_formed
from models.kinds import KINDS, Kind
from models.ledger import Draft, Outcome, write
from models.listing import Listing, Order
from models.memberships import open_memberships
from models.sql import Params, contains, live_or_deleted_after, open_at
from models.tables import Action, Group
from models.text import DESCRIPTION_LENGTH, Reader, name_key, quantity
from models.viewer import Viewer

COLUMNS = columns(Group, "g")


class GroupOrderField(StrEnum):
    """What a list of groups may be sorted by."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    USER_COUNT = "USER_COUNT"


ORDERS = {
    GroupOrderField.NAME: Order("group", "g.id", "name_key", "g.name_key"),
    GroupOrderField.CREATED_AT: Order("created group", "g.id"),  # ids sort by time
    GroupOrderField.UPDATED_AT: Order(
        "updated group", "g.id", "updated_revision", "g.updated_revision", numeric=True
    ),
    GroupOrderField.USER_COUNT: Order(
        "group users", "g.id", "user_count", "g.user_count", numeric=True
    ),
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
    """The groups that hold the parent (a user, a bot or a persona): now, or as of a revision.

    Of the past, a MEMBER is told of a group only what was while it was in it.
    """

    def source(params: Params, parent: str) -> str:
        then = "" if moment is None else viewer.in_own_groups(params, "g.id", moment)
        return (
            f"FROM {kind.memberships} m JOIN groups g ON g.id = m.group_id "
            f"WHERE m.{kind.column} = {parent} AND {open_at(params, 'm', moment)} "
            f"AND {viewer.sees(params, 'groups', 'g')}{then}"
        )

    return Listing(COLUMNS, source, BY_NAME)


def known(viewer: Viewer, params: Params, group: str) -> str:
    """JOIN: the live group `g` whose id is the SQL `group`, if the viewer may see it."""
    sees = viewer.sees(params, "groups", "g")
    return f"JOIN groups g ON g.id = {group} AND {sees} AND g.until_revision IS NULL"


async def groups_by_id(
    viewer: Viewer, group_ids: Sequence[str], *, deleted_after: int | None = None
) -> list[Row]:
    """The live groups with these ids that the viewer may see; optionally, also those that were
    `deleted_after` a revision."""
    params = Params()
    sees = viewer.sees(params, "groups", "g")
    live = live_or_deleted_after(params, "g", deleted_after)
    rows = await read(
        f"SELECT {select(Group, 'g')} FROM groups g WHERE {sees} AND {live} "
        f"AND g.id = ANY({params.add(well_formed(group_ids))})",
        *params.values,
    )
    return list(rows)


# ------------------------------------------------------------------------------------- writing


async def create_group(
    viewer: Viewer,
    name: str,
    description: str | None = None,
    members: Mapping[str, Sequence[str]] | None = None,
    expected_revision: int | None = None,
) -> Outcome:
    """Create a group; `members` are the ids of its first members, by noun (`user`, `bot`, …).

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
                draft.new_id(ids.GROUP),
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
    """Change the `name` or the `description` of a group; None removes the description.

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
        group = await _group_for_write(draft, group_id)
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
    """Delete a group. Access that was granted only through it is revoked at once.

    Raises DomainError: NOT_FOUND, CONFLICT.
    """
    viewer.must_administrate()
    async with write(viewer, expected_revision) as draft:
        group = await _group_for_write(draft, group_id)
        await close_group(draft, group)
        held = [quantity(group[kind.counter], kind.noun) for kind in KINDS]
        draft.record(
            Action.GROUP_DELETED,
            f"deleted {group['name']}, with {held[0]}, {held[1]} and {held[2]}",
            group=group,
            details={},
        )
    return Outcome(draft.landed_revision, group_id)


# ---------------------------------------------------------------------------- steps of a write


def touch(draft: Draft, group_id: str, steps: Mapping[Kind, int] | None = None) -> None:
    """Mark a group as changed by this write, and move its counters by `steps`."""
    params = Params(group_id, draft.now, draft.revision)
    counters = "".join(
        f", {kind.counter} = {kind.counter} + {params.add(step)}"
        for kind, step in (steps or {}).items()
        if step
    )
    draft.defer(
        f"UPDATE groups SET updated_at = $2, updated_revision = $3{counters} WHERE id = $1",
        *params.values,
    )


async def _group_for_write(draft: Draft, group_id: str) -> Row:
    rows = await groups_by_id(draft.viewer, [group_id])
    if not rows:
        raise no_such_group("id")
    return rows[0]


def no_such_group(field: str) -> DomainError:
    """The refusal of a write that names a group which does not exist."""
    return DomainError.of(Code.NOT_FOUND, "There is no such group.", field)


async def must_be_free(draft: Draft, name: str, field: str) -> None:
    """Raise DomainError TAKEN if a live group has the name."""
    taken = await fetch(
        "SELECT name FROM groups "
        "WHERE organization_id = $1 AND name_key = $2 AND until_revision IS NULL",
        draft.viewer.organization_id,
        name_key(name),
    )
    if taken:
        raise DomainError.of(
            Code.TAKEN, f"There is already a group named “{taken[0]['name']}”.", field
        )


async def rewrite_group(
    draft: Draft, group: Row, wanted: Mapping[str, str | None], field: str
) -> None:
    """Give a group another name or description. `field` is blamed if the name is taken."""
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


async def close_group(draft: Draft, group: Row) -> None:
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
    await fetch(
        "UPDATE groups SET until_revision = $2, user_count = 0, bot_count = 0, "
        "persona_count = 0 WHERE id = $1",
        group["id"],
        draft.revision,
    )
    draft.counts["group_count"] -= 1


def _description(reader: Reader, value: str | None) -> str | None:
    return reader.optional(value, "description", "Description", DESCRIPTION_LENGTH, lines=True)
