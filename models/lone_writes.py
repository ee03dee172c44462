"""A write of one membership that comes by itself, by one statement. PostgreSQL only.

Nobody else waits who could share the two statements of a batch (`membership_writes.py`). Here one
statement looks up the group, the member and the membership, and writes if all is as the write needs
it. What it looks up is true at the revision that it sees. It changes the organization's row only if
that still has this revision once it is locked, so nothing has landed in between.

In every other case nothing is written, and the statements of a batch find out why.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from models import ids
from models.database import Row, fetch
from models.database.statements import FIRST, combined
from models.errors import Unwritable
from models.kinds import Kind
from models.ledger import CHANGE_TYPES, Outcome, Shown, announce, appending, utc_now
from models.membership_statements import (
    CLOSED_COLUMNS,
    GROUP_STEPS,
    MEMBER_STEPS,
    Pair,
    closing,
    counting_groups,
    counting_members,
    done,
    opened_columns,
    opening,
)
from models.viewer import Viewer


class _Given(NamedTuple):
    """The parameters of the statement, in order."""

    organization_id: Any
    group_id: Any
    member_id: Any
    viewer_revision: Any
    followed_revision: Any
    followed_changed_at: Any
    expected_revision: Any
    change_id: Any
    now: Any
    actor_kind: Any
    actor_name: Any
    actor_user_id: Any
    details: Any


_PLACEHOLDERS = _Given(*(f"${number}" for number, _ in enumerate(_Given._fields, 1)))


async def write_alone(
    viewer: Viewer, kind: Kind, pair: Pair, adds: bool, expected_revision: int | None
) -> Outcome | None:
    """Add a member to a group, or remove it. None if this was not enough, and changed nothing."""
    group_id, member_id = pair
    now = utc_now()
    followed_revision, followed_changed_at = viewer.follows
    given = _Given(
        organization_id=viewer.organization_id,
        group_id=group_id,
        member_id=member_id,
        viewer_revision=viewer.revision,
        followed_revision=followed_revision,
        followed_changed_at=followed_changed_at,
        expected_revision=expected_revision,
        change_id=ids.new_id(ids.CHANGE, now),
        now=now,
        actor_kind=viewer.kind,
        actor_name=viewer.name,
        actor_user_id=viewer.user_id,
        details=orjson.dumps({kind.plural: [member_id]}).decode(),
    )
    groups: Sequence[Row] | None = None
    try:
        groups = await fetch(_statement(kind, adds), *given)
    except Unwritable:  # refused even if it would change nothing, which a batch can still answer
        groups = []
    finally:
        if groups is None or groups:  # unknown if it was cancelled: it may have landed
            announce(viewer.organization_id)
    if not groups:
        return None
    (group,) = groups
    revision = group["updated_revision"]
    return Outcome(revision, group_id, [member_id], shown=Shown(group, revision))


@cache
def _statement(kind: Kind, adds: bool) -> str:
    """The statement, which returns the group's row if it has written."""
    given, step = _PLACEHOLDERS, "1" if adds else "-1"
    member = {"id": given.member_id, "step": step}
    group = {
        "group_id": given.group_id,
        "at": given.now,
        "revision": "found.revision",
        "step": step,
    }
    return combined(
        _moving(kind, adds),
        [
            _opening(kind) if adds else _closing(kind),
            _appending(kind, adds),
            counting_groups(kind, _table("moved", MEMBER_STEPS, member)),
            counting_members(kind, _table("moved", GROUP_STEPS, group)),
        ],
    )


def _opening(kind: Kind) -> str:
    given = _PLACEHOLDERS
    opened = {
        "id": f"{given.change_id} || {given.member_id}",
        "group_id": given.group_id,
        kind.column: given.member_id,
        "sort_key": "found.name_key",
        "added_at": given.now,
        "since_revision": "found.revision",
    }
    return opening(kind, _table("opened", opened_columns(kind), opened))


def _closing(kind: Kind) -> str:
    given = _PLACEHOLDERS
    closed = {
        "group_id": given.group_id,
        "member_id": given.member_id,
        "revision": "found.revision",
    }
    return closing(kind, _table("closed", CLOSED_COLUMNS, closed))


def _appending(kind: Kind, adds: bool) -> str:
    given = _PLACEHOLDERS
    action, words = done(kind, adds)
    change = {
        "id": given.change_id,
        "organization_id": given.organization_id,
        "revision": "found.revision",
        "at": given.now,
        "actor_kind": given.actor_kind,
        "actor_name": given.actor_name,
        "actor_user_id": given.actor_user_id,
        "action": f"'{action}'",
        "group_id": given.group_id,
        "group_name": "found.group_name",
        "summary": f"format('%s {words.format('%s', '%s')}', "
        f"{given.actor_name}, found.member_name, found.group_name)",
        "undoes_id": "NULL",
        "details": given.details,
    }
    return appending(_table("entry", CHANGE_TYPES, change))


def _moving(kind: Kind, adds: bool) -> str:
    """Move the organization's row to the next revision, if the write can be made as it is; returns
    that revision, and what else was looked up."""
    given = _PLACEHOLDERS
    return (
        f"UPDATE organizations AS o SET revision = found.revision, changed_at = {given.now} "
        "FROM (SELECT seen.revision + 1 AS revision, g.name AS group_name, "
        f"e.name AS member_name, e.name_key FROM organizations seen, groups g, {kind.table} e "
        f"WHERE seen.id = {given.organization_id} AND seen.changed_at < {given.now} "
        f"AND seen.revision = coalesce({given.expected_revision}, seen.revision) "
        # As in ledger.is_up_to_date.
        f"AND ({given.viewer_revision}::bigint = 0 OR "
        f"{given.viewer_revision} >= seen.viewers_revision "
        f"AND (seen.revision > {given.followed_revision} OR (seen.revision, seen.changed_at) "
        f"= ({given.followed_revision}, {given.followed_changed_at}))) "
        f"AND g.id = {given.group_id} AND g.until_revision IS NULL "
        f"AND e.id = {given.member_id} AND e.until_revision IS NULL "
        # Compared one by one, they would be conditions for an index: PostgreSQL would look through
        # all groups of an organization that has far more of them than most.
        "AND ARRAY[g.organization_id, e.organization_id] = ARRAY[seen.id, seen.id] "
        f"AND {'NOT ' if adds else ''}EXISTS "
        f"(SELECT 1 FROM {kind.memberships} m WHERE m.group_id = g.id AND m.{kind.column} = e.id "
        "AND m.until_revision IS NULL)) AS found "
        f"WHERE o.id = {given.organization_id} AND o.revision = found.revision - 1 "
        "RETURNING found.*"
    )


def _table(alias: str, columns: Mapping[str, str], cells: Mapping[str, str]) -> str:
    """A table of one row, with these columns of these types, from what the first statement found;
    empty if it found nothing."""
    row = ", ".join(f"{cells[name]}::{kind} AS {name}" for name, kind in columns.items())
    return f"(SELECT {row} FROM {FIRST} AS found) AS {alias}"
