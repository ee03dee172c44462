"""The fields of `Query`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, UNSET

from models import access, directory, groups, history, tokens
from models.access import Question
from models.database import Row, is_postgres
from models.ids import CHANGE, GROUP, TOKEN, is_well_formed, kind_of
from models.impact import Impact, Proposal, access_impact
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.tables import UserStatus
from schema.context import Context
from schema.enums import OrderDirection
from schema.fields import entry_point
from schema.inputs import AccessImpactInput, AccessQuestion, GroupOrder, QuestionAt, UserOrder
from schema.pagination import Paging
from schema.resolvers import (
    Named,
    OfGroup,
    Search,
    by_id,
    entries_of,
    groups_of_ids,
    moment_of,
    whole,
)
from schema.types import (
    AccessDecision,
    AccessImpact,
    Bot,
    BotEdge,
    Change,
    ChangeEdge,
    Connection,
    Group,
    GroupEdge,
    Node,
    Organization,
    Persona,
    PersonaEdge,
    Token,
    TokenEdge,
    User,
    UserEdge,
    Viewer,
)

Resolver = Callable[..., Awaitable[Any]]

Id = Annotated[ID, strawberry.argument(description="The id of the object.")]
Ids = Annotated[list[ID], strawberry.argument(description="The ids of the objects, at most 100.")]
DeletedAfter = Annotated[
    datetime | None,
    strawberry.argument(
        description="Return it even if it was deleted after this instant. Its lists take an `at` "
        "of their own; its other fields are current, or the last ones before the deletion, with "
        "counts of 0. Must not be in the future."
    ),
]
EntryDeletedAfter = Annotated[
    datetime | None,
    strawberry.argument(
        description="Return it even if it was deleted after this instant. Lists that have an `at` "
        "take one of their own; everything else is current, or the last before the deletion, with "
        "counts of 0 and empty lists. Must not be in the future."
    ),
]
Questions = Annotated[
    list[AccessQuestion], strawberry.argument(description="The questions, at most 100.")
]
Status = Annotated[
    UserStatus | None, strawberry.argument(description="Return only users with this status.")
]
OrderGroups = Annotated[
    GroupOrder | None, strawberry.argument(description="How to sort; by name if omitted.")
]
OrderUsers = Annotated[
    UserOrder | None, strawberry.argument(description="How to sort; by name if omitted.")
]
Of = Annotated[AccessImpactInput, strawberry.argument(description="The write to preview.")]


# ---------------------------------------------------------------------------------- single objects


def viewer(context: Context) -> Any:
    return context.viewer


async def organization(context: Context) -> Any:
    return await directory.organization(context.viewer)


async def node(context: Context, id: Id) -> Any:
    return (await _nodes_by_id(context, [id]))[0]


async def nodes(context: Context, ids: Ids) -> Any:
    return await _nodes_by_id(context, ids)


async def _groups(ids: Sequence[str], context: Context) -> list[Any]:
    rows = await groups_of_ids(context, ids)
    return [rows.get(id) for id in ids]


async def _nodes_by_id(context: Context, wanted: Sequence[str]) -> list[Row | None]:
    """The rows with these ids, of any type; None for those that the viewer may not see."""
    viewer = context.viewer
    rows: dict[str, Row] = {}
    for kind in KINDS:
        rows |= await entries_of(context, kind, [id for id in wanted if kind_of(id) == kind.prefix])
    rows |= await groups_of_ids(context, [id for id in wanted if kind_of(id) == GROUP])
    if changes := [id for id in wanted if kind_of(id) == CHANGE]:
        rows |= by_id(await history.changes_by_id(viewer, changes))
    if some_tokens := [id for id in wanted if kind_of(id) == TOKEN]:
        rows |= by_id(await tokens.tokens_by_id(viewer, some_tokens))
    if viewer.organization_id in wanted:
        rows[viewer.organization_id] = await directory.organization(viewer)
    return [rows.get(id) for id in wanted]


async def group(context: Context, id: Id, at: DeletedAfter = UNSET) -> Any:
    if (moment := await moment_of(context.viewer, at)) is None:
        return await context.load(_groups, id, {})  # with those of other aliases
    found = await groups.groups_by_id(context.viewer, [id], deleted_after=moment)
    return next(iter(found), None)


async def named(
    roots: Sequence[None], context: Context, id: str, at: DeletedAfter = UNSET
) -> list[Any]:
    """`group`, where a query reads only its lists. PostgreSQL looks it up along with these."""
    if at:
        return [await group(context, ID(id), at)]
    return [Named(id)] if is_postgres() and is_well_formed(id) else await _groups([id], context)


def entry(kind: Kind) -> Resolver:
    async def find(ids: Sequence[str], context: Context) -> list[Any]:
        rows = await entries_of(context, kind, ids)
        return [rows.get(id) for id in ids]

    async def resolve(context: Context, id: Id, at: EntryDeletedAfter = UNSET) -> Any:
        if (moment := await moment_of(context.viewer, at)) is None:
            return await context.load(find, id, {})
        found = await directory.entries_by_id(context.viewer, kind, [id], deleted_after=moment)
        return next(iter(found), None)

    return resolve


# ------------------------------------------------------------------------------------------ lists


def counter(context: Context, column: str) -> Callable[[], Awaitable[int]] | None:
    """A count off the organization's row, in place of counting; None for a MEMBER."""
    viewer = context.viewer

    async def count() -> int:
        return int((await directory.organization(viewer))[column])

    return count if viewer.sees_all else None


async def all_groups(
    context: Context,
    paging: Paging,
    search: Search = UNSET,
    order_by: OrderGroups = UNSET,
) -> Any:
    order = groups.ORDERS[order_by.field] if order_by else groups.BY_NAME
    if order_by:
        order = replace(order, descending=order_by.direction is OrderDirection.DESC)
    listing = groups.groups(context.viewer, search, order)
    return await whole(listing, paging, None if search else counter(context, "group_count"))


async def all_users(
    context: Context,
    paging: Paging,
    search: Search = UNSET,
    status: Status = UNSET,
    order_by: OrderUsers = UNSET,
) -> Any:
    order = directory.USER_ORDERS[order_by.field] if order_by else directory.by_name(USERS)
    if order_by:
        order = replace(order, descending=order_by.direction is OrderDirection.DESC)
    listing = directory.entries(context.viewer, USERS, search, status or None, order)
    plain = not search and not status
    return await whole(listing, paging, counter(context, USERS.counter) if plain else None)


def all_entries(kind: Kind) -> Resolver:
    async def resolve(
        context: Context,
        paging: Paging,
        search: Search = UNSET,
    ) -> Any:
        listing = directory.entries(context.viewer, kind, search)
        return await whole(listing, paging, None if search else counter(context, kind.counter))

    return resolve


async def all_changes(
    context: Context,
    paging: Paging,
    group_id: OfGroup = UNSET,
) -> Any:
    listing = history.changes(context.viewer, group_id if isinstance(group_id, str) else None)
    return await whole(listing, paging)


async def all_tokens(
    context: Context,
    paging: Paging,
) -> Any:
    listing = tokens.tokens(context.viewer)
    return await whole(listing, paging)


# ----------------------------------------------------------------------------------------- access


async def check_access(context: Context, questions: Questions) -> Any:
    viewer = context.viewer
    asked = cast("list[QuestionAt]", questions)
    moments = {at: await moment_of(viewer, at) for at in {question.at for question in asked}}
    return await access.decide(
        viewer,
        [Question(each.user_id, each.kind, each.resource_id, moments[each.at]) for each in asked],
    )


@dataclass(frozen=True, slots=True)
class ImpactAt:
    """The source of `AccessImpact`."""

    revision: int
    impact: Impact


async def impact(context: Context, of: Of) -> Any:
    viewer = context.viewer
    return ImpactAt(viewer.revision, await access_impact(viewer, _proposal(of)))


def _proposal(of: AccessImpactInput) -> Proposal:
    for kind in KINDS:
        for verb in ("add", "remove"):
            if sent := getattr(of, f"{verb}_{kind.plural}"):
                ids = getattr(sent, f"{kind.noun}_ids")
                return Proposal(sent.group_id, kind, ids, adds=verb == "add")
    return Proposal(cast("ID", of.delete_group))  # @oneOf lets nothing else through


@strawberry.type(description="Operations that read.")
class Query:
    viewer: Viewer = entry_point(viewer, "The authenticated user or token, and what they may use.")
    organization: Organization = entry_point(organization, "Your organization.")
    node: Node | None = entry_point(
        node, "The object with this id; null if it does not exist or is not visible to you."
    )
    nodes: list[Node | None] = entry_point(
        nodes,
        "The objects with these ids, in the same order; null for each that does not exist or is "
        "not visible to you.",
    )
    group: Group | None = entry_point(
        group, "A group; null if it does not exist or is not visible to you.", named=named
    )
    groups: Connection[GroupEdge, Group] = entry_point(
        all_groups, "The groups visible to you: all groups or, for a MEMBER, their own."
    )
    user: User | None = entry_point(
        entry(USERS), "A user; null if they do not exist or are not visible to you."
    )
    users: Connection[UserEdge, User] = entry_point(
        all_users,
        "The users visible to you: all users or, for a MEMBER, themselves and the users in their "
        "groups.",
    )
    bot: Bot | None = entry_point(
        entry(BOTS), "A bot; null if it does not exist or is not visible to you."
    )
    bots: Connection[BotEdge, Bot] = entry_point(
        all_entries(BOTS),
        "The bots visible to you: all bots or, for a MEMBER, those in their groups.",
    )
    persona: Persona | None = entry_point(
        entry(PERSONAS), "A persona; null if it does not exist or is not visible to you."
    )
    personas: Connection[PersonaEdge, Persona] = entry_point(
        all_entries(PERSONAS),
        "The personas visible to you: all personas or, for a MEMBER, those in their groups.",
    )
    check_access: list[AccessDecision] = entry_point(
        check_access,
        "Whether users may use bots and personas: one decision per question, in the same order. "
        "Call this before letting a user use one. A MEMBER may ask only about themselves; other "
        "questions are answered with NOT_FOUND.",
    )
    access_impact: AccessImpact = entry_point(
        impact,
        "Preview a write: who would gain, lose or keep access, and to which bots and personas. "
        "Requires ADMIN or AUDITOR.",
    )
    changes: Connection[ChangeEdge, Change] = entry_point(
        all_changes,
        "The ledger (audit log), newest first: all changes, or those to one group. A MEMBER sees "
        "only changes to their groups.",
    )
    tokens: Connection[TokenEdge, Token] = entry_point(
        all_tokens,
        "The organization's tokens, newest first, including expired and revoked ones. Requires "
        "ADMIN or AUDITOR.",
    )
