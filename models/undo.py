"""Undo: reversing a change to a group, as one new change.

What a change did can be read off the intervals: the memberships that it opened begin at its
revision, those that it closed end there. So an undo closes the former where they are still open,
and reopens the latter where their members still exist. A membership that an undo has reopened is
still that of the change which opened it first. An undo is a change like any other, and can be
undone the same way.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from models.database import Row, fetch
from models.errors import Code, DomainError
from models.groups import close_group, must_be_free, rewrite_group, touch
from models.history import changes_by_id
from models.kinds import KINDS, Kind
from models.ledger import Draft, Outcome, write
from models.memberships import close_memberships, open_memberships
from models.tables import Action
from models.viewer import Viewer

# How the summary of an undo begins, after the name of its actor.
UNDID = "undid: "
DID_AGAIN = "did again: "

UNDOABLE = frozenset(
    {
        Action.GROUP_CREATED,
        Action.GROUP_UPDATED,
        Action.GROUP_DELETED,
        Action.CHANGE_UNDONE,
        *(action for kind in KINDS for action in (kind.added, kind.removed)),
    }
)


async def undo_change(
    viewer: Viewer, change_id: str, expected_revision: int | None = None
) -> Outcome:
    """Reverse a change to a group. The outcome's `id` is the new change's.

    Raises DomainError: NOT_FOUND, INVALID for a change to anything else, NOTHING_TO_UNDO if it was
    undone already or later writes made it moot, TAKEN if a name is in use, CONFLICT.
    """
    viewer.must_administrate()
    async with write(viewer, expected_revision) as draft:
        change = await _change_for_undo(draft, change_id)
        group = (await fetch("SELECT * FROM groups WHERE id = $1", change["group_id"]))[0]
        done = await _reverse(draft, change, group)
        if not done:
            raise DomainError.of(
                Code.NOTHING_TO_UNDO,
                "Later changes have made this one moot: there is nothing left to undo.",
                "changeId",
            )
        draft.record(
            Action.CHANGE_UNDONE,
            _summary(change),
            group=group,
            details=done,
            undoes_id=change_id,
        )
        await fetch(
            "UPDATE changes SET undone_by_id = $2 WHERE id = $1", change_id, draft.change_id
        )
    return Outcome(draft.landed_revision, draft.change_id, group_id=group["id"])


def _summary(change: Row) -> str:
    """The summary of the undo of a change, without its subject.

    Undoing an undo does again what that undid.
    """
    if change["undoes_id"] is None:
        return f"{UNDID}{change['summary']}"
    before = str(change["summary"]).removeprefix(f"{change['actor_name']} ")
    if before.startswith(UNDID):
        return DID_AGAIN + before.removeprefix(UNDID)
    return UNDID + before.removeprefix(DID_AGAIN)


async def _change_for_undo(draft: Draft, change_id: str) -> Row:
    found = await changes_by_id(draft.viewer, [change_id])
    if not found:
        raise DomainError.of(Code.NOT_FOUND, "There is no such change.", "changeId")
    change = found[0]
    if change["action"] not in UNDOABLE:
        raise DomainError.of(
            Code.INVALID, "Only changes to groups and their members can be undone.", "changeId"
        )
    if change["undone_by_id"]:
        raise DomainError.of(
            Code.NOTHING_TO_UNDO, "This change has already been undone.", "changeId"
        )
    return change


async def _reverse(draft: Draft, change: Row, group: Row) -> dict[str, Any]:
    """Reverse the change; returns the details of the new one, empty if nothing was left to do."""
    details = orjson.loads(change["details"])
    live = group["until_revision"] is None
    if _made_group_live(change["action"], details):
        if not live:
            return {}
        await close_group(draft, group)
        return {"group": "deleted"}
    if _ended_group(change["action"], details):
        return await _restore(draft, change, group) if not live else {}
    if not live:
        return {}
    if "before" in details:
        return await _rewrite_back(draft, group, details)
    return await _reverse_memberships(draft, change, group)


def _made_group_live(action: str, details: Mapping[str, Any]) -> bool:
    return action == Action.GROUP_CREATED or details.get("group") == "restored"


def _ended_group(action: str, details: Mapping[str, Any]) -> bool:
    return action == Action.GROUP_DELETED or details.get("group") == "deleted"


async def _restore(draft: Draft, change: Row, group: Row) -> dict[str, Any]:
    """Bring a group back, with those of its memberships whose members still exist."""
    await must_be_free(draft, group["name"], "changeId")
    await fetch(
        "UPDATE groups SET until_revision = NULL, user_count = 0, bot_count = 0, "
        "persona_count = 0 WHERE id = $1",
        group["id"],
    )
    draft.counts["group_count"] += 1
    await _reverse_memberships(draft, change, group)
    return {"group": "restored"}


async def _rewrite_back(draft: Draft, group: Row, details: Mapping[str, Any]) -> dict[str, Any]:
    """Restore the group's earlier values, where nobody has changed them since."""
    before = {
        key: value
        for key, value in details["before"].items()
        if group[key] == details["after"][key]
    }
    if not before:
        return {}
    await rewrite_group(draft, group, before, "changeId")
    return {"before": {key: group[key] for key in before}, "after": before}


async def _reverse_memberships(draft: Draft, change: Row, group: Row) -> dict[str, Any]:
    """Close the memberships that the change opened, and open those that it closed."""
    touched: dict[str, Any] = {}
    steps: dict[Kind, int] = {}
    for kind in KINDS:
        opened = [row[0] for row in await _still_open(draft.viewer, kind, [change], "member")]
        closed = await _closed(kind, change)
        gone = await close_memberships(draft, kind, group["id"], opened)
        back = await open_memberships(draft, kind, group["id"], closed)
        if gone or back:
            touched[kind.plural] = [*gone, *back]
            steps[kind] = len(back) - len(gone)
    touch(draft, group["id"], steps)
    return touched


async def _closed(kind: Kind, change: Row) -> list[str]:
    """The members whose membership in the group the change closed."""
    rows = await fetch(
        f"SELECT {kind.column} FROM {kind.memberships} "
        f"WHERE group_id = $1 AND until_revision = $2 ORDER BY {kind.column}",
        change["group_id"],
        change["revision"],
    )
    return [row[0] for row in rows]


async def _still_open(
    viewer: Viewer, kind: Kind, changes: Sequence[Row], columns: str
) -> Sequence[Row]:
    """The open memberships that changes to groups opened: those of their `group_id`, `member` and
    `revision` (of the change) that `columns` names, without duplicates.

    One that an undo reopened is also that of each change which opened it before. Such undos are
    later than the changes, so only they are looked at.
    """
    revisions = [change["revision"] for change in changes]
    return await fetch(
        "WITH RECURSIVE undone AS ("
        "SELECT c.group_id, c.revision AS closed, u.revision AS reopened "
        "FROM changes c JOIN changes u ON u.id = c.undone_by_id "
        "WHERE c.organization_id = $1 AND c.group_id = ANY($2) AND c.revision > $4), "
        f"held AS (SELECT m.group_id, m.{kind.column} AS member, m.since_revision AS revision "
        f"FROM {kind.memberships} m WHERE m.group_id = ANY($2) AND m.since_revision = ANY($3) "
        "AND m.until_revision IS NULL "
        # Also by their groups, or PostgreSQL would look through all that these hold.
        f"UNION SELECT m.group_id, m.{kind.column}, m.since_revision "
        f"FROM undone JOIN {kind.memberships} m ON m.group_id = undone.group_id "
        "AND m.since_revision = undone.reopened AND m.until_revision IS NULL "
        "UNION ALL SELECT held.group_id, held.member, m.since_revision "
        # CROSS, or SQLite would look through all the memberships that a member ever had.
        f"FROM held CROSS JOIN undone CROSS JOIN {kind.memberships} m "
        f"WHERE undone.reopened = held.revision AND m.{kind.column} = held.member "
        "AND m.until_revision = undone.closed) "
        f"SELECT DISTINCT {columns} FROM held WHERE revision = ANY($3) ORDER BY {columns}",
        viewer.organization_id,
        list({change["group_id"] for change in changes}),
        revisions,
        min(revisions),
    )


async def undoable(viewer: Viewer, changes: Sequence[Row]) -> set[str]:
    """The ids of those of the changes for which an undo would find something to reverse.

    A fixed number of statements, however many changes. None for a MEMBER, who may undo nothing: it
    sees changes to groups that it has left, and this would reveal their present state.
    """
    if not viewer.sees_all:
        return set()
    candidates = [
        change
        for change in changes
        if change["action"] in UNDOABLE and change["undone_by_id"] is None
    ]
    if not candidates:
        return set()
    group_ids = list({change["group_id"] for change in candidates})
    groups = {
        row["id"]: row
        for row in await fetch(
            "SELECT id, name, description, until_revision FROM groups "
            "WHERE organization_id = $1 AND id = ANY($2)",
            viewer.organization_id,
            group_ids,
        )
    }
    moved = await _reversible_memberships(viewer, candidates, group_ids)
    return {
        change["id"]
        for change in candidates
        if _is_undoable(change, groups[change["group_id"]], moved)
    }


def _is_undoable(change: Row, group: Row, moved: set[tuple[str, int]]) -> bool:
    details = orjson.loads(change["details"])
    live = group["until_revision"] is None
    if _made_group_live(change["action"], details):
        return live
    if _ended_group(change["action"], details):
        return not live
    if "before" in details:
        return live and any(group[key] == value for key, value in details["after"].items())
    return live and (change["group_id"], change["revision"]) in moved


async def _reversible_memberships(
    viewer: Viewer, changes: Sequence[Row], group_ids: list[str]
) -> set[tuple[str, int]]:
    """Group and revision of each change that opened a membership which is still open, or closed
    one that could be opened again."""
    revisions = [change["revision"] for change in changes]
    found: set[tuple[str, int]] = set()
    for kind in KINDS:
        still_open = await _still_open(viewer, kind, changes, "group_id, revision")
        found |= {(row[0], row[1]) for row in still_open}
        found |= {
            (row[0], row[1])
            for row in await fetch(
                f"SELECT DISTINCT m.group_id, m.until_revision FROM {kind.memberships} m "
                f"JOIN {kind.table} e ON e.id = m.{kind.column} AND e.until_revision IS NULL "
                "WHERE m.group_id = ANY($1) AND m.until_revision = ANY($2) "
                f"AND NOT EXISTS (SELECT 1 FROM {kind.memberships} o WHERE o.group_id = m.group_id "
                f"AND o.{kind.column} = m.{kind.column} AND o.until_revision IS NULL)",
                group_ids,
                revisions,
            )
        }
    return found
