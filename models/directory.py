"""The directory of users, bots and personas, a copy of the host product's: reading and deleting.

`models/upserts.py` adds and updates.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum

from models.columns import columns, select
from models.database import Row, fetch, plan_anew, read
from models.errors import Code, DomainError, Problem
from models.ids import well_formed
from models.kinds import USERS, Kind
from models.ledger import Draft, Outcome, write
from models.listing import Listing, LiveRows, Order
from models.sql import Params, live_or_deleted_after
from models.tables import Organization, Role, UserStatus
from models.text import in_words
from models.viewer import Viewer

IDS_AT_ONCE = 1_000

ORGANIZATION_COLUMNS = select(Organization, "o")


class UserOrderField(StrEnum):
    """What a list of users may be sorted by."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"


def by_name(kind: Kind) -> Order:
    """The order of a list of users, bots or personas."""
    return Order(kind.noun, "e.id", "name_key", "e.name_key")


USER_ORDERS = {
    UserOrderField.NAME: by_name(USERS),
    UserOrderField.CREATED_AT: Order("created user", "e.id"),  # ids sort by when they were made
}


async def organization(viewer: Viewer) -> Row:
    """The viewer's organization."""
    rows = await read(
        f"SELECT {ORGANIZATION_COLUMNS} FROM organizations o WHERE o.id = $1",
        viewer.organization_id,
    )
    return rows[0]


def entries(
    viewer: Viewer,
    kind: Kind,
    search: str | None = None,
    status: UserStatus | None = None,
    order: Order | None = None,
) -> Listing:
    """The users, bots or personas that the viewer may see; `status` is for users."""

    def matches(params: Params) -> str:
        in_status = f" AND e.status = {params.add(status)}" if status else ""
        return viewer.searched(params, kind, search) + in_status

    def conditions(params: Params, parent: str) -> str:
        return viewer.sees_of_own(params, kind.table, "e")

    rows = LiveRows(kind.table, viewer.organization_id, matches, conditions, search)
    searched = rows if search else None
    return Listing(columns(kind.model, "e"), rows.source, order or by_name(kind), searched)


async def entries_by_id(
    viewer: Viewer, kind: Kind, entry_ids: Sequence[str], *, deleted_after: int | None = None
) -> list[Row]:
    """The live rows with these ids that the viewer may see; optionally, also those that were
    deleted after a revision."""
    params = Params()
    sees = viewer.sees(params, kind.table, "e")
    live = live_or_deleted_after(params, "e", deleted_after)
    rows = await read(
        f"SELECT {select(kind.model, 'e')} FROM {kind.table} e WHERE {sees} AND {live} "
        f"AND e.id = ANY({params.add(well_formed(entry_ids))})",
        *params.values,
    )
    return list(rows)


async def entries_for_write(draft: Draft, kind: Kind, entry_ids: Sequence[str]) -> list[Row]:
    """The rows that a write names, each once, in order.

    Raises DomainError: TOO_MANY, or NOT_FOUND for each id that is not of a live row.
    """
    must_be_few(kind, entry_ids, kind.ids_field)
    if not entry_ids:
        return []
    rows = await entries_by_id(draft.viewer, kind, entry_ids)
    return must_exist(kind, entry_ids, {row["id"]: row for row in rows})


def must_be_few(kind: Kind, sent: Sequence[object], field: str) -> None:
    """Raise DomainError TOO_MANY if `field` names more of a kind than one write takes."""
    if len(sent) > IDS_AT_ONCE:
        raise DomainError.of(Code.TOO_MANY, too_many(kind, sent), field)


def too_many(kind: Kind, sent: Sequence[object]) -> str:
    """What is told of a write that names more of a kind than one write takes."""
    return f"At most {IDS_AT_ONCE:,} {kind.plural} per request; this one has {len(sent):,}."


def must_exist(kind: Kind, entry_ids: Sequence[str], found: Mapping[str, Row]) -> list[Row]:
    """The rows that a write names, out of those found, each once, in order.

    Raises DomainError NOT_FOUND, with a problem for each id that was not found.
    """
    problems = [
        Problem(Code.NOT_FOUND, f"There is no such {kind.noun}.", (kind.ids_field, str(index)))
        for index, id in enumerate(entry_ids)
        if id not in found
    ]
    if problems:
        raise DomainError(problems)
    return [found[id] for id in dict.fromkeys(entry_ids)]


async def delete_entries(
    viewer: Viewer, kind: Kind, entry_ids: Sequence[str], expected_revision: int | None = None
) -> Outcome:
    """Delete users, bots or personas. Their memberships end, and the access that these granted.

    Raises DomainError: TOO_MANY, NOT_FOUND, LAST_ADMIN, CONFLICT.
    """
    viewer.must_administrate()
    async with write(viewer, expected_revision) as draft:
        await plan_anew(len(entry_ids))
        rows = await entries_for_write(draft, kind, entry_ids)
        gone = [row["id"] for row in rows]
        if gone:
            async with keeping_an_admin(draft, kind, kind.ids_field):
                await _close(draft, kind, gone)
            draft.counts[kind.counter] -= len(gone)
            draft.record(
                kind.deleted, f"deleted {in_words(rows, kind.noun)}", details={kind.plural: gone}
            )
    return Outcome(draft.landed_revision, changed=gone)


async def _close(draft: Draft, kind: Kind, gone: list[str]) -> None:
    """Close the rows and their memberships, and move the counters of their groups."""
    await fetch(
        f"UPDATE {kind.memberships} SET until_revision = $2 "
        f"WHERE {kind.column} = ANY($1) AND until_revision IS NULL",
        gone,
        draft.revision,
    )
    ended = f"FROM {kind.memberships} m WHERE m.{kind.column} = ANY($1) AND m.until_revision = $2"
    await fetch(
        f"UPDATE groups SET updated_at = $3, updated_revision = $2, {kind.counter} = "
        f"{kind.counter} - (SELECT COUNT(*) {ended} AND m.group_id = groups.id) "
        f"WHERE id IN (SELECT m.group_id {ended})",
        gone,
        draft.revision,
        draft.now,
    )
    await fetch(
        f"UPDATE {kind.table} SET until_revision = $2, group_count = 0 WHERE id = ANY($1)",
        gone,
        draft.revision,
    )
    if kind is USERS:
        await close_activations(draft, gone)
        await fetch(
            "UPDATE tokens SET revoked_at = $2 WHERE user_id = ANY($1) AND revoked_at IS NULL",
            gone,
            draft.now,
        )


async def close_activations(draft: Draft, user_ids: list[str]) -> None:
    """Make these users inactive from this revision on."""
    await fetch(
        "UPDATE activations SET until_revision = $2 "
        "WHERE user_id = ANY($1) AND until_revision IS NULL",
        user_ids,
        draft.revision,
    )


async def count_active_admins(draft: Draft) -> int:
    """How many active administrators the organization has."""
    rows = await fetch(
        "SELECT COUNT(*) FROM users WHERE organization_id = $1 AND role = $2 AND status = $3 "
        "AND until_revision IS NULL",
        draft.viewer.organization_id,
        Role.ADMIN,
        UserStatus.ACTIVE,
    )
    return int(rows[0][0])


@asynccontextmanager
async def keeping_an_admin(draft: Draft, kind: Kind, field: str) -> AsyncIterator[None]:
    """Raise DomainError LAST_ADMIN if the block leaves no active admin where there was one."""
    if kind is not USERS:
        yield
        return
    before = await count_active_admins(draft)
    yield
    if before and not await count_active_admins(draft):
        raise DomainError.of(
            Code.LAST_ADMIN,
            "This would leave the organization without an active administrator. "
            "Make somebody else an administrator first.",
            field,
        )
