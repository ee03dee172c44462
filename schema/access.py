"""Resolvers of the fields about access: what a user reaches, who reaches a bot or a persona,
through which groups, and what a write would change."""

from collections.abc import Sequence
from typing import Any

from strawberry import UNSET

from models import memberships
from models.access import (
    Decision,
    Reach,
    access_counts,
    access_pages,
    holders,
    ids_of,
    sorted_by_name,
)
from models.database import Row
from models.groups import groups_by_id
from models.impact import BY_USER, Diff, held_in_all
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.listing import page_of
from models.viewer import Viewer
from schema.context import Context
from schema.fields import Found, reads
from schema.pagination import Connection, Edge, Paging, Range
from schema.resolvers import At, Search, by_id, entries_of, moment_of


def reached(holder: Kind, held: Kind) -> Found:
    """`User.bots`, `User.personas`: now, or at an instant."""

    @reads("id")
    async def find(
        roots: Sequence[Row],
        context: Context,
        paging: Paging,
        search: Search = UNSET,
        at: At = UNSET,
    ) -> list[Connection]:
        moment = await moment_of(context.viewer, at)
        reach = Reach(context.viewer, holder, held, search or None, moment)
        return await _pages(reach, [root["id"] for root in roots], paging)

    return find


def reached_by(holder: Kind) -> Found:
    """`Bot.users`, `Persona.users`."""

    @reads("id")
    async def find(
        roots: Sequence[Row],
        context: Context,
        paging: Paging,
        search: Search = UNSET,
    ) -> list[Connection]:
        reach = Reach(context.viewer, holder, USERS, search or None)
        return await _pages(reach, [root["id"] for root in roots], paging)

    return find


async def _pages(reach: Reach, parents: Sequence[str], paging: Paging) -> list[Connection]:
    """A connection for each of many parents. A small one already has its count."""
    order = memberships.members(reach.viewer, reach.held).order
    asked = paging.range(order)
    pages = await access_pages(reach, asked.part, list(dict.fromkeys(parents)))

    async def count(some: Sequence[str]) -> dict[str, int]:
        totals = {id: pages[id].total for id in some}
        known = {id: total for id, total in totals.items() if total is not None}
        unknown = [id for id in some if id not in known]
        if unknown:
            known |= await access_counts(reach, unknown)
        return known

    return [Connection(order, asked.narrow(pages[id]), id, count) for id in parents]


@reads("via")
async def via(roots: Sequence[Edge], context: Context) -> list[Sequence[Row]]:
    """`via` of an edge: the groups that grant access, by name.

    Deleted groups are included: in the past, they granted it.
    """
    wanted = {root.node["via"] for root in roots}
    ids = list({id for each in wanted for id in ids_of(each)})
    rows = by_id(await groups_by_id(context.viewer, ids, deleted_after=0)) if ids else {}
    groups = {each: sorted_by_name(map(rows.get, ids_of(each))) for each in wanted}
    return [groups[root.node["via"]] for root in roots]


async def decided_via(roots: Sequence[Decision], context: Context) -> list[Sequence[Row]]:
    """`via` of a decision."""
    return [root.groups for root in roots]


async def held_by(roots: Sequence[Decision], context: Context) -> list[Sequence[Row]]:
    """`heldBy`."""
    return await holders(context.viewer, roots)


def viewer_reaches(held: Kind) -> Found:
    """`Viewer.bots`, `Viewer.personas`."""

    async def find(
        roots: Sequence[Viewer],
        context: Context,
        paging: Paging,
    ) -> list[Connection]:
        reach = Reach(context.viewer, USERS, held)
        return await _pages(reach, [root.user_id or "" for root in roots], paging)

    return find


def diffs(attribute: str) -> Found:
    """`AccessImpact.gains`, `.losses`, `.kept`: pages of lists that are computed in full."""

    async def find(
        roots: Sequence[Any],
        context: Context,
        paging: Paging,
    ) -> list[Connection]:
        asked = paging.range(BY_USER)
        return [DiffConnection(getattr(root.impact, attribute), asked) for root in roots]

    return find


class DiffConnection(Connection):
    """A page of a list that is computed in full. The source of `AccessDiffConnection`."""

    __slots__ = ("found",)

    def __init__(self, found: Sequence[Diff], asked: Range) -> None:
        async def count(parents: Sequence[str]) -> dict[str, int]:
            return {"": len(found)}

        super().__init__(BY_USER, asked.narrow(page_of(found, BY_USER, asked.part)), "", count)
        self.found = found

    @property
    def bot_count(self) -> int:
        return len(held_in_all(self.found, BOTS))

    @property
    def persona_count(self) -> int:
        return len(held_in_all(self.found, PERSONAS))


async def diff_users(roots: Sequence[Diff], context: Context) -> list[Row]:
    """`AccessDiff.user`."""
    users = await entries_of(context, USERS, (root.user_id for root in roots))
    return [users[root.user_id] for root in roots]


def diff_entries(kind: Kind) -> Found:
    """`AccessDiff.bots`, `.personas`."""

    async def find(roots: Sequence[Diff], context: Context) -> list[list[Row]]:
        rows = await entries_of(context, kind, (id for root in roots for id in root.held[kind]))
        return [sorted_by_name(map(rows.get, root.held[kind])) for root in roots]

    return find
