"""How the fields of an object are found: through the viewer, through a loader.

Resolvers translate arguments and decide nothing; what a viewer may see is decided in models/. Those
that differ in the kind of thing only are made by a function that takes the kind. Each returns the
source of its field's type: a row, or a `Connection` of rows.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import orjson
import strawberry
from strawberry import UNSET, Parent

from models import directory, groups, ids, ledger, tokens
from models.database import Row
from models.impact import BY_USER, Diff
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.listing import Listing, fetch_count, page_of
from models.viewer import Viewer
from schema.context import Context, Info
from schema.pagination import (
    AccessConnection,
    After,
    Before,
    Connection,
    First,
    Last,
    Range,
    range_of,
)

Search = Annotated[
    str | None,
    strawberry.argument(description="Only those whose name (or email) contains this, in any case."),
]
At = Annotated[
    datetime | None,
    strawberry.argument(
        description="As it stood at this instant; now, if it is left out. The future is refused."
    ),
]
Resolver = Callable[..., Awaitable[Any]]


# ------------------------------------------------------------------------------ root connections


async def whole(context: Context, name: str, listing: Listing, asked: Range, *key: Any) -> Any:
    """A connection without parent. `name` and `key` tell the listing from others."""
    page = await context.loaders.page((name, *key), listing, asked.part)
    return Connection(listing.order, asked.narrow(page), lambda: fetch_count(listing))


async def moment_of(info: Info, at: datetime | None) -> int | None:
    """The revision that an `at` argument means; None for the present."""
    return await ledger.revision_at(info.context.viewer, at) if at else None


# ------------------------------------------------------------------------------------- of a group


def members(kind: Kind) -> Resolver:
    """`Group.users`, `.bots`, `.personas`."""

    async def resolve(
        root: Parent[Row],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        search: Search = UNSET,
        at: At = UNSET,
    ) -> Any:
        moment = await moment_of(info, at)
        listing = groups.members(info.context.viewer, kind, search, moment)
        asked = range_of(listing.order, first, after, last, before)
        name = ("members", kind, search or None, moment)
        loaders, group_id = info.context.loaders, root["id"]

        async def count() -> int:
            if not search and moment is None:
                return int(root[kind.counter])
            return await loaders.count_by_parent(name, listing, group_id)

        page = await loaders.page_by_parent(name, listing, asked.part, group_id)
        return Connection(listing.order, asked.narrow(page), count)

    return resolve


def available(kind: Kind) -> Resolver:
    """`Group.availableUsers`, `.availableBots`, `.availablePersonas`: for those who see all."""

    async def resolve(
        root: Parent[Row],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        search: Search = UNSET,
    ) -> Any:
        info.context.viewer.must_see_all()
        listing = groups.available(info.context.viewer, kind, search)
        asked = range_of(listing.order, first, after, last, before)
        name = ("available", kind, search or None)
        loaders, group_id = info.context.loaders, root["id"]

        async def count() -> int:
            if not search:
                organization = await loaders.organization()
                return int(organization[kind.counter] - root[kind.counter])
            return await loaders.count_by_parent(name, listing, group_id)

        page = await loaders.page_by_parent(name, listing, asked.part, group_id)
        return Connection(listing.order, asked.narrow(page), count)

    return resolve


async def changes_of_group(
    root: Parent[Row],
    info: Info,
    first: First = UNSET,
    after: After = UNSET,
    last: Last = UNSET,
    before: Before = UNSET,
) -> Any:
    """`Group.changes`."""
    loaders, listing = info.context.loaders, ledger.changes(info.context.viewer)
    asked = range_of(listing.order, first, after, last, before)
    page = await loaders.page_by_parent("changes", listing, asked.part, root["id"])
    return Connection(
        listing.order,
        asked.narrow(page),
        lambda: loaders.count_by_parent("changes", listing, root["id"]),
    )


# ------------------------------------------------------------- of a user, a bot, or a persona


def groups_of(kind: Kind) -> Resolver:
    """`User.groups`, `Bot.groups`, `Persona.groups`."""

    async def resolve(
        root: Parent[Row],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Any:
        return await _groups_holding(info, kind, root["id"], first, after, last, before)

    return resolve


async def _groups_holding(info: Info, kind: Kind, id: str, *arguments: Any) -> Connection:
    loaders, listing = info.context.loaders, groups.groups_of(info.context.viewer, kind)
    asked = range_of(listing.order, *arguments)
    page = await loaders.page_by_parent(("groups of", kind), listing, asked.part, id)
    return Connection(
        listing.order,
        asked.narrow(page),
        lambda: loaders.count_by_parent(("groups of", kind), listing, id),
    )


def group_count(kind: Kind) -> Resolver:
    """`User.groupCount`, `Bot.groupCount`, `Persona.groupCount`: of the groups that are seen."""

    async def resolve(root: Parent[Row], info: Info) -> Any:
        if info.context.viewer.sees_all:
            return root["group_count"]
        listing = groups.groups_of(info.context.viewer, kind)
        return await info.context.loaders.count_by_parent(("groups of", kind), listing, root["id"])

    return resolve


def reached(holder: Kind, held: Kind) -> Resolver:
    """`User.bots`, `User.personas`: now, or at an instant."""

    async def resolve(
        root: Parent[Row],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        search: Search = UNSET,
        at: At = UNSET,
    ) -> Any:
        moment = await moment_of(info, at)
        asked = (first, after, last, before)
        return await _access(info, holder, held, root["id"], asked, search or None, moment)

    return resolve


def reached_by(holder: Kind) -> Resolver:
    """`Bot.users`, `Persona.users`."""

    async def resolve(
        root: Parent[Row],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        search: Search = UNSET,
    ) -> Any:
        asked = (first, after, last, before)
        return await _access(info, holder, USERS, root["id"], asked, search or None)

    return resolve


async def _access(
    info: Info,
    holder: Kind,
    held: Kind,
    id: str,
    arguments: tuple[Any, ...],
    search: str | None = None,
    moment: int | None = None,
) -> Connection:
    loaders = info.context.loaders
    order = groups.members(info.context.viewer, held).order
    asked = range_of(order, *arguments)
    page = await loaders.access_by_holder(holder, held, asked.part, id, search, moment)
    return AccessConnection(
        order,
        asked.narrow(page),
        lambda: loaders.access_count_by_holder(holder, held, id, search, moment),
    )


def groups_named(attribute: str) -> Resolver:
    """`via`, `heldBy`: the groups whose ids an answer about access names, sorted by name.

    Those that are gone are told too: in the past they gave access.
    """

    async def resolve(root: Parent[Any], info: Info) -> Any:
        loaders = info.context.loaders
        loads = [loaders.group_by_id(id, deleted=True) for id in getattr(root, attribute)]
        rows = [await load for load in loads]
        seen = [row for row in rows if row is not None]
        return sorted(seen, key=lambda row: (row["name_key"], row["id"]))

    return resolve


# ---------------------------------------------------------------------------------- of the viewer


async def viewer_user(root: Parent[Viewer], info: Info) -> Any:
    """`Viewer.user`."""
    return await info.context.loaders.entry_by_id(USERS, root.user_id) if root.user_id else None


async def viewer_organization(root: Parent[Viewer], info: Info) -> Any:
    """`Viewer.organization`."""
    return await info.context.loaders.organization()


async def viewer_groups(
    root: Parent[Viewer],
    info: Info,
    first: First = UNSET,
    after: After = UNSET,
    last: Last = UNSET,
    before: Before = UNSET,
) -> Any:
    """`Viewer.groups`: a token that is no person's is in none."""
    return await _groups_holding(info, USERS, root.user_id or "", first, after, last, before)


def viewer_reaches(held: Kind) -> Resolver:
    """`Viewer.bots`, `Viewer.personas`."""

    async def resolve(
        root: Parent[Viewer],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Any:
        return await _access(info, USERS, held, root.user_id or "", (first, after, last, before))

    return resolve


# -------------------------------------------------------------------------------- of a single row


def count_of(counter: str) -> Resolver:
    """`Organization.groupCount` and the like: a MEMBER's counts are of what it sees."""

    async def resolve(root: Parent[Row], info: Info) -> Any:
        viewer = info.context.viewer
        if viewer.sees_all:
            return root[counter]
        if counter == "group_count":
            return await fetch_count(groups.groups(viewer))
        kind = next(kind for kind in (USERS, BOTS, PERSONAS) if kind.counter == counter)
        return await fetch_count(directory.entries(viewer, kind))

    return resolve


def private(column: str, hidden: Any) -> Resolver:
    """A column of a user that a MEMBER sees of itself only; `hidden` is what it sees of others."""

    async def resolve(root: Parent[Row], info: Info) -> Any:
        viewer = info.context.viewer
        return root[column] if viewer.sees_all or root["id"] == viewer.user_id else hidden

    return resolve


def features(root: Parent[Row]) -> list[str]:
    """`Bot.features`: stored as a JSON array."""
    labels: list[str] = orjson.loads(root["features"])
    return labels


def added_by(root: Parent[Any], info: Info) -> Awaitable[Any]:
    """`addedBy` of a membership: who made the change that opened it."""
    return info.context.loaders.actor_by_revision(root.node["added_revision"])


def added_at(root: Parent[Any]) -> datetime:
    """`addedAt` of a membership."""
    instant: datetime = root.node["added_at"]
    return instant


async def actor_user(root: Parent[Row], info: Info) -> Any:
    """`Actor.user`: null for a token or the operator, and for a person who is gone or unseen."""
    id = root["actor_user_id"]
    return await info.context.loaders.entry_by_id(USERS, id) if id else None


async def change_group(root: Parent[Row], info: Info) -> Any:
    """`Change.group`."""
    return await info.context.loaders.group_by_id(root["group_id"]) if root["group_id"] else None


def change_entries(kind: Kind) -> Resolver:
    """`Change.users`, `.bots`, `.personas`: those that it touched and that still exist."""

    async def resolve(root: Parent[Row], info: Info) -> Any:
        touched = orjson.loads(root["details"]).get(kind.plural, ())
        loads = [info.context.loaders.entry_by_id(kind, id) for id in touched]
        rows = [await load for load in loads]
        return [row for row in rows if row is not None]

    return resolve


async def change_undoable(root: Parent[Row], info: Info) -> Any:
    """`Change.undoable`."""
    return await info.context.loaders.undoable(root)


async def change_undone_by(root: Parent[Row], info: Info) -> Any:
    """`Change.undoneBy`."""
    id = root["undone_by_id"]
    return await info.context.loaders.change_by_id(id) if id else None


async def token_user(root: Parent[Row], info: Info) -> Any:
    """`Token.user`."""
    return (
        await info.context.loaders.entry_by_id(USERS, root["user_id"]) if root["user_id"] else None
    )


def token_role(root: Parent[Row]) -> Any:
    """`Token.role`: the lesser of the token's own and its person's."""
    return tokens.effective_role(root["role"], root["user_role"])


# ---------------------------------------------------------------------------------- of an impact


def diffs(attribute: str) -> Resolver:
    """`AccessImpact.gains`, `.losses`, `.kept`: pages of a list that was computed whole."""

    async def resolve(
        root: Parent[Any],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Any:
        found: list[Diff] = getattr(root.impact, attribute)
        asked = range_of(BY_USER, first, after, last, before)

        async def count() -> int:
            return len(found)

        return Connection(BY_USER, asked.narrow(page_of(found, BY_USER, asked.part)), count)

    return resolve


async def diff_user(root: Parent[Diff], info: Info) -> Any:
    """`AccessDiff.user`."""
    return await info.context.loaders.entry_by_id(USERS, root.user_id)


def diff_entries(kind: Kind) -> Resolver:
    """`AccessDiff.bots`, `.personas`."""

    async def resolve(root: Parent[Diff], info: Info) -> Any:
        loads = [info.context.loaders.entry_by_id(kind, id) for id in root.held[kind]]
        rows = [await load for load in loads]
        return sorted(rows, key=lambda row: (row["name_key"], row["id"]))

    return resolve


# ------------------------------------------------------------------------------------------ nodes


async def node_by_id(context: Context, id: str) -> Any:
    """The row that an id names, whatever it is; None where the viewer sees none."""
    loaders, prefix = context.loaders, ids.kind_of(id)
    for kind in (USERS, BOTS, PERSONAS):
        if prefix == kind.prefix:
            return await loaders.entry_by_id(kind, id)
    if prefix == ids.GROUP:
        return await loaders.group_by_id(id)
    if prefix == ids.CHANGE:
        return await loaders.change_by_id(id)
    if prefix == ids.TOKEN:
        return await loaders.token_by_id(id)
    if id == context.viewer.organization_id:
        return await loaders.organization()
    return None
