"""The statements that change rows when memberships are opened or closed.

Each reads what it changes from a table that it is given as SQL: the parameters of a batch of writes
(`membership_writes.py`), or what a write by itself has looked up (`lone_writes.py`).
"""

from models.columns import returned
from models.kinds import Kind
from models.tables import Action, Group

Pair = tuple[str, str]  # the ids of a group and of a member

CLOSED_COLUMNS = {"group_id": "text", "member_id": "text", "revision": "bigint"}
MEMBER_STEPS = {"id": "text", "step": "integer"}
GROUP_STEPS = {"group_id": "text", "at": "timestamptz", "revision": "bigint", "step": "integer"}


def done(kind: Kind, adds: bool) -> tuple[Action, str]:
    """What a write does, for the ledger: the action, and its words, for a member and a group."""
    if adds:
        return kind.added, "added {} to {}"
    return kind.removed, "removed {} from {}"


def opened_columns(kind: Kind) -> dict[str, str]:
    """The columns of the table for `opening`, and their types."""
    return {
        "id": "text",
        "group_id": "text",
        kind.column: "text",
        "sort_key": "text",
        "added_at": "timestamptz",
        "since_revision": "bigint",
    }


def opening(kind: Kind, opened: str) -> str:
    """Open memberships of the organization whose id is the first parameter."""
    names = ", ".join(opened_columns(kind))
    into = f"{kind.memberships} (organization_id, {names})"
    return f"INSERT INTO {into} SELECT $1, {names} FROM {opened}"


def closing(kind: Kind, closed: str) -> str:
    """Close memberships, as of the revisions of a table `closed` with CLOSED_COLUMNS."""
    return (
        f"UPDATE {kind.memberships} AS m SET until_revision = closed.revision "
        f"FROM {closed} WHERE m.group_id = closed.group_id "
        f"AND m.{kind.column} = closed.member_id AND m.until_revision IS NULL"
    )


def counting_groups(kind: Kind, moved: str) -> str:
    """Move members' counts of groups, by a table `moved` with the columns MEMBER_STEPS."""
    return (
        f"UPDATE {kind.table} AS e SET group_count = group_count + moved.step FROM {moved} "
        "WHERE e.id = moved.id"
    )


def counting_members(kind: Kind, moved: str) -> str:
    """Move groups' counts of members, and mark the groups as changed, by a table `moved` with the
    columns GROUP_STEPS. Returns the groups' rows."""
    return (
        "UPDATE groups AS g SET updated_at = moved.at, updated_revision = moved.revision, "
        f"{kind.counter} = {kind.counter} + moved.step FROM {moved} "
        f"WHERE g.id = moved.group_id RETURNING {returned(Group)}"
    )
