"""The one rule of access, and every answer that follows from it.

A user may use a bot (or a persona) if, and only if, some live group holds both, and the user is
active. Nothing else grants, nothing denies.

A membership ends with its group, and with either of its ends, so an open membership is one of a
live group. `moment` is None for the present, else the revision that is asked about.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

from models.database import Row, fetch
from models.directory import entries_by_id
from models.groups import groups_of
from models.kinds import USERS, Kind
from models.listing import Listing, Page, Slice, cut, fetch_counts, fetch_pages
from models.memberships import members
from models.sql import Params, open_at
from models.viewer import Viewer

GROUPS_TOLD = 100  # how many groups a denial names


class Reason(StrEnum):
    """Why somebody may use something, or may not. (`AccessReason` in the schema.)"""

    GRANTED = "GRANTED"
    NO_COMMON_GROUP = "NO_COMMON_GROUP"
    RESOURCE_IN_NO_GROUP = "RESOURCE_IN_NO_GROUP"
    USER_DEACTIVATED = "USER_DEACTIVATED"
    NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Access:
    """What one side of the rule reaches on the other: its row, and the groups that give it."""

    row: Row
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """May this user use this bot or persona?"""

    user_id: str
    kind: Kind
    resource_id: str
    moment: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `via` and `held_by` are ids of groups."""

    reason: Reason
    via: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the user may use it."""
        return self.reason is Reason.GRANTED


# ----------------------------------------------------------------------------- the rule, in SQL


def is_active(params: Params, user: str, moment: int | None) -> str:
    """` AND …`: that a user is active. `user` is the SQL of the user's id."""
    return (
        f" AND EXISTS (SELECT 1 FROM activations a WHERE a.user_id = {user} "
        f"AND {open_at(params, 'a', moment)})"
    )


def _rule(
    viewer: Viewer, holder: Kind, held: Kind, params: Params, parent: str, moment: int | None
) -> str:
    """FROM and WHERE: every pair of memberships that gives the parent (in `h`) a member (`e`)."""
    user = f"h.{holder.column}" if holder is USERS else f"m.{held.column}"
    return (
        f"FROM {holder.memberships} h JOIN {held.memberships} m ON m.group_id = h.group_id "
        f"JOIN {held.table} e ON e.id = m.{held.column} WHERE h.{holder.column} = {parent} "
        f"AND h.organization_id = {params.add(viewer.organization_id)} "
        f"AND {open_at(params, 'h', moment)} AND {open_at(params, 'm', moment)}"
        f"{is_active(params, user, moment)}{viewer.in_own_groups(params, 'h.group_id', moment)}"
    )


# ------------------------------------------------------------------------------------- listings


async def access_pages(
    viewer: Viewer,
    holder: Kind,
    held: Kind,
    part: Slice,
    parents: Sequence[str],
    search: str | None = None,
    moment: int | None = None,
) -> dict[str, Page]:
    """What each parent reaches: a user its bots or personas, a bot or persona its users.

    Every group gives a page of the same slice, cut off its index; merged by name, each member taken
    once, they make the page of the parent. A member that lies in the merged page lies in the page
    of each group that holds it, so that `via` is whole. Rows are `Access`.
    """
    groups = await _groups_of_holders(viewer, holder, parents, moment)
    listing = members(viewer, held, search, moment)
    if held is USERS:
        listing = _of_active_users(listing, moment)
    distinct = sorted({group for of_parent in groups.values() for group in of_parent})
    pages = await fetch_pages(listing, part, distinct) if distinct else {}
    return {
        parent: _merge({group: pages[group] for group in groups.get(parent, ())}, listing, part)
        for parent in parents
    }


async def access_counts(
    viewer: Viewer,
    holder: Kind,
    held: Kind,
    parents: Sequence[str],
    search: str | None = None,
    moment: int | None = None,
) -> dict[str, int]:
    """How many each parent reaches, each counted once."""

    def source(params: Params, parent: str) -> str:
        rule = _rule(viewer, holder, held, params, parent, moment)
        searched = viewer.searched(params, held, search)
        return f"FROM (SELECT DISTINCT e.id {rule}{searched}) AS reached"

    return await fetch_counts(source, parents)


async def _groups_of_holders(
    viewer: Viewer, holder: Kind, parents: Sequence[str], moment: int | None
) -> dict[str, list[str]]:
    """The groups that hold each parent; none for a user who is not active."""
    params = Params(list(parents), viewer.organization_id)
    active = is_active(params, "h.user_id", moment) if holder is USERS else ""
    rows = await fetch(
        f"SELECT h.{holder.column}, h.group_id FROM {holder.memberships} h "
        f"WHERE h.{holder.column} = ANY($1) AND h.organization_id = $2 "
        f"AND {open_at(params, 'h', moment)}{active}"
        f"{viewer.in_own_groups(params, 'h.group_id', moment)}",
        *params.values,
    )
    groups: dict[str, list[str]] = defaultdict(list)
    for parent, group in rows:
        groups[parent].append(group)
    return groups


def _of_active_users(listing: Listing, moment: int | None) -> Listing:
    """The listing less the users who are not active."""

    def source(params: Params, parent: str) -> str:
        return listing.source(params, parent) + is_active(params, "e.id", moment)

    return replace(listing, source=source)


def _merge(pages: Mapping[str, Page], listing: Listing, part: Slice) -> Page:
    """One page out of the pages of several groups, by id of the group."""
    columns = listing.order.columns

    def keyed(group: str, page: Page) -> Iterator[tuple[tuple[Any, ...], str, Row]]:
        rows = reversed(page.rows) if part.backward else page.rows
        return ((tuple(row[column] for column in columns), group, row) for row in rows)

    merged = heapq.merge(
        *(keyed(group, page) for group, page in pages.items()),
        key=itemgetter(0),
        reverse=part.backward,
    )
    found: list[Access] = []
    for _, run in groupby(merged, key=itemgetter(0)):
        if len(found) > part.limit:
            break
        same = list(run)
        found.append(Access(same[0][2], tuple(group for _, group, _ in same)))
    page = cut(listing.order, part, found)
    cut_off = any(p.has_previous if part.backward else p.has_next for p in pages.values())
    if len(found) < part.limit or not cut_off:
        return page
    return replace(page, has_previous=True) if part.backward else replace(page, has_next=True)


# ------------------------------------------------------------------------------------ decisions


async def decide(viewer: Viewer, questions: Sequence[Question]) -> list[Decision]:
    """One decision a question, in order. A MEMBER may ask about itself only.

    The statements are a handful for each kind and moment, however many the questions.
    """
    decisions: dict[Question, Decision] = {}
    alike: dict[tuple[Kind, int | None], list[Question]] = defaultdict(list)
    for question in dict.fromkeys(questions):
        alike[question.kind, question.moment].append(question)
    for (kind, moment), asked in alike.items():
        decisions |= await _decide_alike(viewer, kind, moment, asked)
    return [decisions[question] for question in questions]


async def _decide_alike(
    viewer: Viewer, kind: Kind, moment: int | None, questions: Sequence[Question]
) -> dict[Question, Decision]:
    """Decide questions about one kind at one moment."""
    users = await _standing(viewer, USERS, [question.user_id for question in questions], moment)
    resources = await _standing(viewer, kind, [q.resource_id for q in questions], moment)
    known = [
        question
        for question in questions
        if question.user_id in users
        and question.resource_id in resources
        and (viewer.sees_all or question.user_id == viewer.user_id)
    ]
    decisions = {question: Decision(Reason.NOT_FOUND) for question in questions}
    if not known:
        return decisions
    active = await _active(users, moment)
    granted = await _granted(viewer, kind, known, moment)
    listing = groups_of(viewer, kind, moment)
    denied = [q.resource_id for q in known if q.user_id not in active or q not in granted]
    holding = await fetch_pages(listing, Slice(GROUPS_TOLD), list(dict.fromkeys(denied)))
    for question in known:
        is_active = question.user_id in active
        if is_active and question in granted:
            decisions[question] = Decision(Reason.GRANTED, via=tuple(granted[question]))
            continue
        held_by = tuple(row["id"] for row in holding[question.resource_id].rows)
        reason = Reason.NO_COMMON_GROUP if held_by else Reason.RESOURCE_IN_NO_GROUP
        decisions[question] = Decision(
            reason if is_active else Reason.USER_DEACTIVATED, held_by=held_by
        )
    return decisions


async def _standing(viewer: Viewer, kind: Kind, ids: Sequence[str], moment: int | None) -> set[str]:
    """Those of the ids that are rows for this viewer, now or at the moment."""
    if moment is not None and not viewer.sees_all:
        return await _standing_for_member(viewer, kind, ids, moment)
    rows = await entries_by_id(viewer, kind, ids, deleted=moment is not None)
    return {
        row["id"]
        for row in rows
        if moment is None
        or row["since_revision"] <= moment
        and (row["until_revision"] is None or row["until_revision"] > moment)
    }


async def _standing_for_member(
    viewer: Viewer, kind: Kind, ids: Sequence[str], moment: int
) -> set[str]:
    """Itself, and what the groups held that it was in, then."""
    if kind is USERS:
        return {id for id in ids if id == viewer.user_id}
    params = Params(list(ids), viewer.organization_id)
    rows = await fetch(
        f"SELECT DISTINCT m.{kind.column} FROM {kind.memberships} m "
        f"WHERE m.{kind.column} = ANY($1) AND m.organization_id = $2 "
        f"AND {open_at(params, 'm', moment)}"
        f"{viewer.in_own_groups(params, 'm.group_id', moment)}",
        *params.values,
    )
    return {row[0] for row in rows}


async def _active(user_ids: Iterable[str], moment: int | None) -> set[str]:
    """Those of the users who are active, now or at the moment."""
    params = Params(list(user_ids))
    rows = await fetch(
        "SELECT a.user_id FROM activations a "
        f"WHERE a.user_id = ANY($1) AND {open_at(params, 'a', moment)}",
        *params.values,
    )
    return {row[0] for row in rows}


async def _granted(
    viewer: Viewer, kind: Kind, questions: Sequence[Question], moment: int | None
) -> dict[Question, list[str]]:
    """The groups that hold both sides of each question; questions without any are left out."""
    params = Params()
    by_pair = {(question.user_id, question.resource_id): question for question in questions}
    pairs = ", ".join(f"({params.add(user)}, {params.add(other)})" for user, other in by_pair)
    rows = await fetch(
        f"WITH asked (user_id, resource_id) AS (VALUES {pairs}) "
        "SELECT asked.user_id, asked.resource_id, u.group_id FROM asked "
        "JOIN group_users u ON u.user_id = asked.user_id "
        f"JOIN {kind.memberships} r "
        f"ON r.group_id = u.group_id AND r.{kind.column} = asked.resource_id "
        f"WHERE u.organization_id = {params.add(viewer.organization_id)} "
        f"AND {open_at(params, 'u', moment)} AND {open_at(params, 'r', moment)}",
        *params.values,
    )
    granted: dict[Question, list[str]] = defaultdict(list)
    for user_id, resource_id, group_id in rows:
        granted[by_pair[user_id, resource_id]].append(group_id)
    return granted
