"""Writing the ledger: one change per revision, without gaps, in commit order.

A write locks the organization's row, adds one to its revision, changes rows, and appends one
Change, in one transaction. History, undo, live updates and the validity of cached responses all
rest on this; nothing else is a source of events. A write that changes nothing takes no revision.

`models/history.py` reads the ledger.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from models import ids
from models.database import Row, fetch, fetch_behind, transaction
from models.database.statements import Statement
from models.errors import EXPIRED, NOT_VALID, Code, DomainError, Forbidden, Unauthenticated
from models.sql import Params, values
from models.tables import Action, UserStatus
from models.turns import turn
from models.viewer import RANK, Viewer, effective_role

# The actions that may change who a viewer is, or what it may do.
ABOUT_VIEWERS = (Action.TOKEN_REVOKED, Action.USERS_UPSERTED, Action.USERS_DELETED)

TICK = timedelta(microseconds=1)  # the resolution of both databases

# Called after a commit, with the id of the organization that may have moved.
listeners: list[Callable[[str], None]] = []


def utc_now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """A group as of a revision: the write's own, or that of the last one made together with it."""

    group: Row
    revision: int


class Outcome(NamedTuple):
    """What a write did: the organization's revision after it, the row that it made or was about,
    and the ids that it changed (of an upsert, those of all its inputs, changed or not); for an undo
    also the group. `shown` is the group's row, if the write returned it.
    """

    revision: int
    id: str | None = None
    changed: Sequence[str] = ()
    group_id: str | None = None
    shown: Shown | None = None


@dataclass(slots=True)
class Draft:
    """A write in progress, which takes `revision` if it records a change."""

    viewer: Viewer
    revision: int
    now: datetime
    change_id: str
    counts: Counter[str] = field(default_factory=Counter)
    entry: dict[str, Any] | None = None
    made: int = 0
    deferred: list[Statement] = field(default_factory=list)

    def new_id(self, prefix: str) -> str:
        """An id for a row that this write makes. Ids sort in the order in which rows were made,
        even if the clocks of several machines disagree."""
        self.made += 1
        return ids.new_id(prefix, self.now, self.made)

    def defer(self, sql: str, *params: Any) -> None:
        """Leave a statement for the end of the write, where all deferred statements run together.

        Nothing in the write may read what it does, and no two may touch the same row.
        """
        self.deferred.append((sql, params))

    @property
    def landed_revision(self) -> int:
        """The organization's revision after the write: a new one only if anything changed."""
        return self.revision if self.entry else self.revision - 1

    def record(
        self,
        action: Action,
        summary: str,
        *,
        group: Row | None = None,
        details: Mapping[str, Any],
        undoes_id: str | None = None,
    ) -> None:
        """Record what this write did: once, after its rows were changed.

        `summary` is a sentence without its subject. `details` are stored as JSON: the ids that the
        write touched, as `users`, `bots` and `personas`, or of one `token`; what it changed of a
        group, `before` and `after`, or of rows of the directory, `before` by id; and whether an
        undo has “deleted” or “restored” its `group`.
        """
        if self.entry is not None:
            raise RuntimeError("a write makes one change")
        self.entry = {
            "action": action,
            "group_id": group["id"] if group else None,
            "group_name": group["name"] if group else None,
            "summary": f"{self.viewer.name} {summary}",
            "undoes_id": undoes_id,
            "details": orjson.dumps(dict(details)).decode(),
        }


@asynccontextmanager
async def write(viewer: Viewer, expected_revision: int | None = None) -> AsyncIterator[Draft]:
    """One write to the viewer's organization: commits on leaving, rolls back on any exception.

    Raises DomainError CONFLICT, first of all, if the organization is not at `expected_revision`.
    Any DomainError that is raised within gets the `revision` at which the write was refused.
    """
    draft: Draft | None = None
    try:
        async with turn(viewer.organization_id), transaction():
            organization = await lock(viewer.organization_id)
            try:
                draft = await begin(viewer, organization, expected_revision)
                yield draft
            except DomainError as error:
                error.revision = organization["revision"]
                raise
            if draft.entry:
                moving, changes = landing([draft])
                if not await fetch_behind(moving, [*draft.deferred, changes]):
                    raise RuntimeError("the revision has moved behind the lock")
    finally:
        if draft and draft.entry:  # also if it was cancelled: it may have landed
            announce(viewer.organization_id)


async def lock(organization_id: str) -> Row:
    """Lock the organization's row until the transaction ends; returns it."""
    rows = await fetch(
        "SELECT revision, viewers_revision, changed_at FROM organizations WHERE id = $1 FOR UPDATE",
        organization_id,
    )
    return rows[0]


async def begin(
    viewer: Viewer,
    organization: Row,
    expected_revision: int | None = None,
    previous: Draft | None = None,
) -> Draft:
    """Begin a write on the organization as it is, or as the `previous` write will leave it.

    Raises DomainError CONFLICT, and Unauthenticated or Forbidden if the viewer lost its rights, or
    its token has expired.
    """
    current, changed_at = organization["revision"], organization["changed_at"]
    if previous:
        current, changed_at = previous.revision, previous.now
    if viewer.has_expired(utc_now()):  # while the write waited for its turn
        raise Unauthenticated(EXPIRED)
    if not is_up_to_date(viewer, organization):
        viewer = await _verified(viewer, organization)
    if expected_revision is not None and expected_revision != current:
        raise DomainError.of(
            Code.CONFLICT,
            f"The organization is at revision {current} now, not at {expected_revision}. "
            "Check what has changed before you try again.",
            "expectedRevision",
        )
    # The clocks of several machines differ. The ledger's never goes back or stands still, so that
    # no two changes have the same instant.
    now = max(utc_now(), changed_at + TICK)
    return Draft(viewer, current + 1, now, ids.new_id(ids.CHANGE, now))


def is_up_to_date(viewer: Viewer, organization: Row) -> bool:
    """Whether no change about viewers has landed since this one was recognised.

    A viewer at revision 0 was never recognised: this process made it itself, and vouches for it. A
    viewer that follows a later revision than the organization's, or the same one with another
    instant, is from before a backup was restored.
    """
    columns = ("revision", "viewers_revision", "changed_at")
    at = Position(*(organization[column] for column in columns))
    return viewer.revision == 0 or at.knows(viewer)


async def _verified(viewer: Viewer, organization: Row) -> Viewer:
    """The viewer, with its present name, at the organization's revision.

    Raises Unauthenticated if it was revoked, and Forbidden if its role was lowered.
    """
    rows = await fetch(
        "SELECT u.name, u.role, u.status, u.until_revision, "
        "t.id AS token_id, t.name AS token_name, t.role AS token_role, t.revoked_at "
        "FROM organizations o "
        "LEFT JOIN users u ON u.id = $2 AND u.organization_id = o.id "
        "LEFT JOIN tokens t ON t.id = $3 AND t.organization_id = o.id WHERE o.id = $1",
        viewer.organization_id,
        viewer.user_id,
        viewer.token_id,
    )
    row = rows[0]
    no_user = viewer.user_id and (row["status"] != UserStatus.ACTIVE or row["until_revision"])
    no_token = viewer.token_id and (row["token_id"] is None or row["revoked_at"])
    if no_user or no_token:
        raise Unauthenticated(NOT_VALID)
    if RANK.index(effective_role(row["token_role"], row["role"])) < RANK.index(viewer.role):
        raise Forbidden("Your role was changed in the meantime; reload to see what you may do.")
    name = row["name"] if viewer.user_id else row["token_name"]
    revision, changed_at = organization["revision"], organization["changed_at"]
    return replace(viewer, name=name, revision=revision, changed_at=changed_at)


def announce(organization_id: str) -> None:
    """Tell all listeners that an organization may have moved."""
    for listener in listeners:
        listener(organization_id)


CHANGE_TYPES = {
    "id": "text",
    "organization_id": "text",
    "revision": "bigint",
    "at": "timestamptz",
    "actor_kind": "text",
    "actor_name": "text",
    "actor_user_id": "text",
    "action": "text",
    "group_id": "text",
    "group_name": "text",
    "summary": "text",
    "undoes_id": "text",
    "details": "text",
}


def landing(drafts: Sequence[Draft]) -> tuple[Statement, Statement]:
    """The statements that make writes land, in order: each has recorded its change.

    The first moves the organization's row to the last write's revision, and returns it, if it still
    is at the revision at which the first write began. The second inserts the changes.
    """
    oldest, newest = drafts[0], drafts[-1]
    params = Params(newest.viewer.organization_id, newest.revision, newest.now, oldest.revision - 1)
    counts: Counter[str] = Counter()
    about_viewers = 0
    for draft in drafts:
        counts.update(draft.counts)
        if draft.entry and draft.entry["action"] in ABOUT_VIEWERS:
            about_viewers = draft.revision
    moved = f", viewers_revision = {params.add(about_viewers)}" if about_viewers else ""
    counters = "".join(
        f", {counter} = {counter} + {params.add(number)}"
        for counter, number in sorted(counts.items())
        if number
    )
    moving = (
        f"UPDATE organizations SET revision = $2, changed_at = $3{moved}{counters} "
        "WHERE id = $1 AND revision = $4 RETURNING id",
        params.values,
    )
    params = Params()
    rows = [_row(draft) for draft in drafts]
    entries = values(params, "entry", CHANGE_TYPES, rows, behind=True)
    return moving, (appending(entries), params.values)


def appending(entries: str) -> str:
    """The statement that appends changes: the rows of a table with the columns CHANGE_TYPES."""
    columns = ", ".join(CHANGE_TYPES)
    return f"INSERT INTO changes ({columns}) SELECT {columns} FROM {entries} RETURNING id"


def _row(draft: Draft) -> list[Any]:
    viewer, entry = draft.viewer, draft.entry or {}
    known = {
        "id": draft.change_id,
        "organization_id": viewer.organization_id,
        "revision": draft.revision,
        "at": draft.now,
        "actor_kind": viewer.kind,
        "actor_name": viewer.name,
        "actor_user_id": viewer.user_id,
        **entry,
    }
    return [known[column] for column in CHANGE_TYPES]


async def current_revision(organization_id: str) -> int:
    """The present revision of an organization."""
    rows = await fetch("SELECT revision FROM organizations WHERE id = $1", organization_id)
    return int(rows[0][0])


class Position(NamedTuple):
    """An organization's present revision, that of the last change about viewers, and the instant of
    the present revision."""

    revision: int
    of_viewers: int
    changed_at: datetime

    def may_follow(self, revision: int, changed_at: datetime) -> bool:
        """Whether the organization may have got here from an earlier revision, which it had since
        that instant. If not, an older state was restored: the same revision comes again then, but
        not at the same instant."""
        if self.revision == revision:
            return self.changed_at == changed_at
        return self.revision > revision

    def knows(self, viewer: Viewer) -> bool:
        """Whether a viewer was recognised since that change, and not in a state that is gone."""
        return self.of_viewers <= viewer.revision and self.may_follow(*viewer.follows)


async def positions(organization_ids: Sequence[str]) -> dict[str, Position]:
    """The position of each of these organizations, by id."""
    rows = await fetch(
        "SELECT id, revision, viewers_revision, changed_at FROM organizations WHERE id = ANY($1)",
        list(organization_ids),
    )
    return {id: Position(*at) for id, *at in rows}
