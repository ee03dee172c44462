"""Resolvers of the fields of objects, each for all objects of a level at once.

They translate arguments and decide nothing: what a viewer may see is decided in models/. Each
returns one value for each object, in order: a row, or a `Connection` of rows. Resolvers that differ
only in users, bots or personas are made by a factory that takes the kind.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import orjson
import strawberry
from strawberry import ID, UNSET

from models import directory, groups, history, memberships, undo
from models.database import Row
from models.kinds import USERS, Kind
from models.listing import (
    Listing,
    fetch_count,
    fetch_counts,
    fetch_known_pages,
    fetch_page,
    fetch_pages,
)
from models.viewer import Viewer, effective_role
from schema.arguments import NotPlain
from schema.context import Context
from schema.fields import Computed, Found, reads
from schema.pagination import Connection, Edge, Paging

Count = Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]

Search = Annotated[
    str | None,
    strawberry.argument(
        description="Return only items whose name contains this text, ignoring case and the white "
        "space around the text. For users the email is searched too, unless you are a MEMBER."
    ),
]
At = Annotated[
    datetime | None,
    strawberry.argument(
        description="Return the list as of this instant, which must not be in the future; defaults "
        "to now."
    ),
]
OfGroup = Annotated[
    ID | None, strawberry.argument(description="Return only changes to this group.")
]


# ------------------------------------------------------------------------------------------ rows


def by_id(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows by their ids."""
    return {row["id"]: row for row in rows}


async def entries_of(context: Context, kind: Kind, ids: Iterable[str | None]) -> dict[str, Row]:
    """The users, bots or personas with these ids that the viewer may see, by id."""
    wanted = list({id for id in ids if id})
    return by_id(await directory.entries_by_id(context.viewer, kind, wanted)) if wanted else {}


async def groups_of_ids(context: Context, ids: Iterable[str | None]) -> dict[str, Row]:
    """The groups with these ids that the viewer may see, by id."""
    wanted = list({id for id in ids if id})
    return by_id(await groups.groups_by_id(context.viewer, wanted)) if wanted else {}


async def moment_of(viewer: Viewer, at: datetime | None) -> int | None:
    """The revision that an `at` argument means; None for the present."""
    return await history.revision_at(viewer, at) if at else None


# ------------------------------------------------------------------------------------ connections


async def whole(
    listing: Listing, paging: Paging, count: Callable[[], Awaitable[int]] | None = None
) -> Connection:
    """A connection without a parent. `count` is given if there is a cheaper way to count."""

    async def count_all(parents: Sequence[str]) -> dict[str, int]:
        return {"": await count() if count else await fetch_count(listing)}

    asked = paging.range(listing.order)
    page = await fetch_page(listing, asked.part)
    return Connection(listing.order, asked.narrow(page), "", count_all)


async def of_parents(
    listing: Listing,
    paging: Paging,
    parents: Sequence[str],
    count: Count | None = None,
) -> list[Connection]:
    """A connection for each of many parents, all in one statement.

    `count` is given if there is a cheaper way to count.
    """
    asked = paging.range(listing.order)
    pages = await fetch_pages(listing, asked.part, list(dict.fromkeys(parents)))
    count = count or _counting(listing)
    return [Connection(listing.order, asked.narrow(pages[id]), id, count) for id in parents]


def _counting(listing: Listing) -> Count:
    """The `count` of all connections of a field: one function, so that they are counted together
    (`total_counts`)."""
    return partial(fetch_counts, listing.source)


@reads()
async def total_counts(connections: Sequence[Connection], context: Context) -> list[int]:
    """`totalCount`: the connections of one field are counted in one statement."""
    alike: dict[Any, list[str]] = {}
    for connection in connections:
        alike.setdefault(connection.count, []).append(connection.parent)
    counts = {count: await count(list(dict.fromkeys(some))) for count, some in alike.items()}
    return [counts[connection.count][connection.parent] for connection in connections]


# ------------------------------------------------------------------------------------- of a group


class Named:
    """Stands in for the row of a group that was not fetched.

    For a query that reads only lists of a group: each list's statement tells whether it exists.
    """

    __slots__ = ("id",)

    def __init__(self, id: str) -> None:
        self.id = id

    def __getitem__(self, column: str) -> str:
        if column != "id":
            raise NotPlain
        return self.id


async def of_groups(
    context: Context,
    listing: Listing,
    paging: Paging,
    roots: Sequence[Row | Named],
    count: Count | None = None,
) -> list[Connection | None]:
    """A connection for each of many groups; None for one that is `Named` and does not exist."""
    ids = [root["id"] for root in roots]
    if not _are_named(roots):
        return [*await of_parents(listing, paging, ids, count)]
    asked = paging.range(listing.order)
    pages = await fetch_known_pages(listing, asked.part, ids, partial(groups.known, context.viewer))
    count = count or _counting(listing)
    return [
        Connection(listing.order, asked.narrow(pages[id]), id, count) if id in pages else None
        for id in ids
    ]


def _are_named(roots: Sequence[Row | Named]) -> bool:
    return any(isinstance(root, Named) for root in roots)


async def _counters(context: Context, kind: Kind, roots: Sequence[Row | Named]) -> dict[str, int]:
    """How many members of one kind each of these groups holds, by its id."""
    rows: Iterable[Any] = roots
    if _are_named(roots):
        rows = (await groups_of_ids(context, (root["id"] for root in roots))).values()
    return {row["id"]: row[kind.counter] for row in rows}


def members(kind: Kind) -> Found:
    """`Group.users`, `.bots`, `.personas`."""

    @reads("id", kind.counter, only_named=True)
    async def find(
        roots: Sequence[Row | Named],
        context: Context,
        paging: Paging,
        search: Search = UNSET,
        at: At = UNSET,
    ) -> list[Connection | None]:
        moment = await moment_of(context.viewer, at)
        listing = memberships.members(context.viewer, kind, search, moment)

        async def counters(parents: Sequence[str]) -> dict[str, int]:
            return await _counters(context, kind, roots)

        known = counters if not search and moment is None else None
        return await of_groups(context, listing, paging, roots, known)

    return find


def available(kind: Kind) -> Found:
    """`Group.availableUsers`, `.availableBots`, `.availablePersonas`: not for a MEMBER."""

    @reads("id", kind.counter, only_named=True)
    async def find(
        roots: Sequence[Row | Named],
        context: Context,
        paging: Paging,
        search: Search = UNSET,
    ) -> list[Connection | None]:
        context.viewer.must_see_all()
        listing = memberships.available(context.viewer, kind, search)

        async def differences(parents: Sequence[str]) -> dict[str, int]:
            total = (await directory.organization(context.viewer))[kind.counter]
            held = await _counters(context, kind, roots)
            return {id: total - number for id, number in held.items()}

        known = None if search else differences
        return await of_groups(context, listing, paging, roots, known)

    return find


@reads("id")
async def changes_of_groups(
    roots: Sequence[Row],
    context: Context,
    paging: Paging,
) -> list[Connection]:
    """`Group.changes`."""
    listing = history.changes(context.viewer)
    return await of_parents(listing, paging, [root["id"] for root in roots])


# --------------------------------------------------------------- of a user, a bot, or a persona


def groups_of(kind: Kind) -> Found:
    """`User.groups`, `Bot.groups`, `Persona.groups`."""

    @reads("id")
    async def find(
        roots: Sequence[Row],
        context: Context,
        paging: Paging,
    ) -> list[Connection]:
        listing = groups.groups_of(context.viewer, kind)
        return await of_parents(listing, paging, [root["id"] for root in roots])

    return find


def group_count(kind: Kind) -> Found:
    """`User.groupCount`, `Bot.groupCount`, `Persona.groupCount`: of groups the viewer may see."""

    @reads("id", "group_count")
    async def find(roots: Sequence[Row], context: Context) -> list[int]:
        if context.viewer.sees_all:
            return [root["group_count"] for root in roots]
        listing = groups.groups_of(context.viewer, kind)
        counts = await fetch_counts(listing.source, list({root["id"] for root in roots}))
        return [counts[root["id"]] for root in roots]

    return find


# ---------------------------------------------------------------------------------- of the viewer


async def viewer_user(roots: Sequence[Viewer], context: Context) -> list[Row | None]:
    """`Viewer.user`."""
    users = await entries_of(context, USERS, (root.user_id for root in roots))
    return [users.get(root.user_id or "") for root in roots]


async def viewer_organization(roots: Sequence[Viewer], context: Context) -> list[Row]:
    """`Viewer.organization`."""
    return [await directory.organization(context.viewer)] * len(roots)


async def viewer_groups(
    roots: Sequence[Viewer],
    context: Context,
    paging: Paging,
) -> list[Connection]:
    """`Viewer.groups`: empty for a token that belongs to no user."""
    listing = groups.groups_of(context.viewer, USERS)
    return await of_parents(listing, paging, [root.user_id or "" for root in roots])


# -------------------------------------------------------------------------------- of a single row


async def group_counts(roots: Sequence[Row], context: Context) -> list[int]:
    """`Organization.groupCount`: for a MEMBER, only of the groups that it may see."""
    if context.viewer.sees_all:
        return [root["group_count"] for root in roots]
    return [await fetch_count(groups.groups(context.viewer))] * len(roots)


def entry_counts(kind: Kind) -> Found:
    """`Organization.userCount` and the like: for a MEMBER, only of what it may see."""

    async def find(roots: Sequence[Row], context: Context) -> list[int]:
        if context.viewer.sees_all:
            return [root[kind.counter] for root in roots]
        return [await fetch_count(directory.entries(context.viewer, kind))] * len(roots)

    return find


def private(column: str, hidden: Any) -> Computed:
    """A column of a user that a MEMBER may see only of itself; of others it gets `hidden`."""

    @reads("id", column)
    def compute(row: Row, viewer: Viewer) -> Any:
        return row[column] if viewer.sees_all or row["id"] == viewer.user_id else hidden

    return compute


@reads("features")
def features(row: Row, viewer: Viewer) -> Any:
    """`Bot.features`: stored as a JSON array."""
    return orjson.loads(row["features"])


@reads("added_at")
def added_at(edge: Edge, viewer: Viewer) -> Any:
    """`addedAt` of a membership."""
    return edge.node["added_at"]


@reads("added_revision")
async def added_by(roots: Sequence[Any], context: Context) -> list[Row]:
    """`addedBy` of a membership: the actor of the change that opened it."""
    revisions = [root.node["added_revision"] for root in roots]
    rows = await history.actors_by_revision(context.viewer, list(set(revisions)))
    actors = {row["revision"]: row for row in rows}
    return [actors[revision] for revision in revisions]


async def actor_users(roots: Sequence[Row], context: Context) -> list[Row | None]:
    """`Actor.user`: null for a token, the operator, and a user who is deleted or hidden."""
    users = await entries_of(context, USERS, (root["actor_user_id"] for root in roots))
    return [users.get(root["actor_user_id"] or "") for root in roots]


async def change_groups(roots: Sequence[Row], context: Context) -> list[Row | None]:
    """`Change.group`."""
    rows = await groups_of_ids(context, (root["group_id"] for root in roots))
    return [rows.get(root["group_id"] or "") for root in roots]


def change_entries(kind: Kind) -> Found:
    """`Change.users`, `.bots`, `.personas`: those that the change touched and that still exist."""

    async def find(roots: Sequence[Row], context: Context) -> list[list[Row]]:
        touched = [orjson.loads(root["details"]).get(kind.plural, ()) for root in roots]
        rows = await entries_of(context, kind, (id for ids in touched for id in ids))
        return [[rows[id] for id in ids if id in rows] for ids in touched]

    return find


async def change_undoable(roots: Sequence[Row], context: Context) -> list[bool]:
    """`Change.undoable`."""
    found = await undo.undoable(context.viewer, roots)
    return [root["id"] in found for root in roots]


async def change_undone_by(roots: Sequence[Row], context: Context) -> list[Row | None]:
    """`Change.undoneBy`."""
    wanted = [root["undone_by_id"] for root in roots if root["undone_by_id"]]
    rows = by_id(await history.changes_by_id(context.viewer, wanted)) if wanted else {}
    return [rows.get(root["undone_by_id"] or "") for root in roots]


async def token_users(roots: Sequence[Row], context: Context) -> list[Row | None]:
    """`Token.user`."""
    users = await entries_of(context, USERS, (root["user_id"] for root in roots))
    return [users.get(root["user_id"] or "") for root in roots]


def token_role(row: Row, viewer: Viewer) -> Any:
    """`Token.role`: the lesser of the token's role and its user's."""
    return effective_role(row["role"], row["user_role"])
