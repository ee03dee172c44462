"""The one rule of access, and every answer that follows from it.

A user may use a bot (or a persona) if, and only if, some live group holds both, and the user is
active. Nothing else grants, nothing denies.

A membership closes when its group or its member is deleted, so every open membership belongs to a
live group. Throughout, `moment` is the revision that is asked about; None means now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from models.columns import listed, shown
from models.database import Row, is_postgres, read
from models.groups import groups_of
from models.ids import FORM
from models.kinds import USERS, Kind
from models.listing import Listing, Page, Slice, fetch_counts, fetch_pages, statement
from models.memberships import members
from models.sql import Params, open_at, values
from models.tables import Group
from models.viewer import Viewer

BY_NAME_AND_ID = itemgetter("name_key", "id")
GROUP = listed(shown(Group, "g"))
GROUPS_TOLD = 100  # how many groups a denial names
JOINED_BY = " "  # between the ids of the groups in `via`


class Reason(StrEnum):
    """Why a user may, or may not, use something. (`AccessReason` in the schema.)"""

    GRANTED = "GRANTED"
    NO_COMMON_GROUP = "NO_COMMON_GROUP"
    RESOURCE_IN_NO_GROUP = "RESOURCE_IN_NO_GROUP"
    USER_DEACTIVATED = "USER_DEACTIVATED"
    NOT_FOUND = "NOT_FOUND"


class Question(NamedTuple):
    """May this user use this bot or persona?"""

    user_id: str
    kind: Kind
    resource_id: str
    moment: int | None = None


class Reach(NamedTuple):
    """Which members of the kind `held` does a member of the kind `holder` reach through groups
    that the viewer may see?

    From a user (`USERS`) to bots or personas, or from a bot or a persona to `USERS`.
    """

    viewer: Viewer
    holder: Kind
    held: Kind
    search: str | None = None
    moment: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question.

    `via` are the ids of the groups that grant access; `groups` the rows of those of them that the
    viewer may see today, sorted by name.
    """

    question: Question
    reason: Reason
    via: tuple[str, ...] = ()
    groups: Sequence[Row] = field(default=(), compare=False)

    @property
    def allowed(self) -> bool:
        """Whether the user may use it."""
        return self.reason is Reason.GRANTED

    @property
    def is_to_join(self) -> bool:
        """Whether it makes sense to name groups that the user would need to join."""
        return self.reason in (Reason.NO_COMMON_GROUP, Reason.USER_DEACTIVATED)


# ----------------------------------------------------------------------------- the rule, in SQL


def is_active(params: Params, user: str, moment: int | None) -> str:
    """` AND …`: the user is active. `user` is the SQL of the user's id."""
    return (
        f" AND EXISTS (SELECT 1 FROM activations a WHERE a.user_id = {user} "
        f"AND {open_at(params, 'a', moment)})"
    )


def _holds(reach: Reach, params: Params, parent: str) -> str:
    """The condition that `h` is a membership of the parent, in a group that the viewer may see."""
    viewer, moment = reach.viewer, reach.moment
    return (
        f"h.{reach.holder.column} = {parent} "
        f"AND h.organization_id = {params.add(viewer.organization_id)} "
        f"AND {open_at(params, 'h', moment)}{viewer.in_own_groups(params, 'h.group_id', moment)}"
    )


def _rule(reach: Reach, params: Params, parent: str) -> str:
    """FROM and WHERE: each pair of memberships (`h`, `m`) through which the parent reaches `e`."""
    holder, held, moment = reach.holder, reach.held, reach.moment
    user = f"h.{holder.column}" if holder is USERS else f"m.{held.column}"
    return (
        f"FROM {holder.memberships} h JOIN {held.memberships} m ON m.group_id = h.group_id "
        f"JOIN {held.table} e ON e.id = m.{held.column} "
        f"WHERE {_holds(reach, params, parent)} "
        f"AND {open_at(params, 'm', moment)}{is_active(params, user, moment)}"
        f"{reach.viewer.sees_still(params, held, moment)}"
    )


# ------------------------------------------------------------------------------------- listings


async def access_pages(reach: Reach, part: Slice, parents: Sequence[str]) -> dict[str, Page]:
    """The same slice of what each parent reaches.

    Rows are those of the directory, with the ids of the groups that grant each as `via` (`ids_of`).
    """
    listing = _reached(reach, part)
    if part.after is not None or part.before is not None:
        return await fetch_pages(listing, part, parents)
    columns = None if part.columns is None else {*part.columns, "total"}
    pages = await fetch_pages(listing, replace(part, columns=columns), parents)
    return {parent: replace(page, total=_total(page)) for parent, page in pages.items()}


def _total(page: Page) -> int | None:
    """How many there are in all, if that is known from the page."""
    if page.rows:
        total: int | None = page.rows[0]["total"]
        return total
    return None if page.has_next or page.has_previous else 0


def ids_of(via: str) -> list[str]:
    """The group ids in the `via` of a row of `access_pages`."""
    return via.split(JOINED_BY)


def _reached(reach: Reach, part: Slice) -> Listing:
    """What a parent reaches, for one slice.

    The same slice is read of every group that holds the parent, off the group's index. Merged,
    without duplicates, they contain the parent's slice; and a member in that is in the slice of
    each group that holds it, so `via` is complete. `total` counts the merged members; it is null
    if any group has more than fit its slice, as then some are missing.
    """
    held, moment = reach.held, reach.moment
    listing = members(reach.viewer, held, reach.search, moment)
    if held is USERS:
        listing = _of_active_users(listing, moment)
    order = replace(listing.order, id="reached.id", sql="reached.name_key")

    def source(params: Params, parent: str) -> str:
        holds = _holds(reach, params, parent)
        if reach.holder is USERS:
            holds += is_active(params, parent, moment)
        pages = _of_each_group(reach, listing, part, params, holds)
        limit = params.add(part.limit)
        return (
            f"FROM (SELECT name_key, id, string_agg(group_id, '{JOINED_BY}') AS via, "
            f"CASE WHEN MAX(MAX(size)) OVER () <= {limit} THEN COUNT(*) OVER () END AS total "
            f"FROM ({pages}) AS given GROUP BY name_key, id "
            f"ORDER BY {order.by(part, order.columns)} LIMIT {limit} + 1"
            f") AS reached JOIN {held.table} e ON e.id = reached.id WHERE TRUE"
        )

    known = {**shown(held.model, "e"), "via": "reached.via", "total": "reached.total"}
    return Listing(known, source, order)


def _of_each_group(reach: Reach, listing: Listing, part: Slice, params: Params, holds: str) -> str:
    """SELECT: the sort keys of one slice of each group that has a membership `h` for which `holds`
    is true, with the group's id, and the `size` of the group's slice.

    SQLite, which has no LATERAL, looks the memberships up by their ids.
    """
    holder, held = reach.holder, reach.held
    keys = {**listing.order.keys, "group_id": "m.group_id"}

    def page(columns: Mapping[str, str]) -> str:
        of_group = replace(listing, columns=columns)
        return statement(of_group, replace(part, columns=None), params, "h.group_id")

    if is_postgres():
        sized = f"SELECT *, COUNT(*) OVER () AS size FROM ({page(keys)}) AS page"
        return (
            f"SELECT page.* FROM {holder.memberships} h "
            f"CROSS JOIN LATERAL ({sized}) AS page WHERE {holds}"
        )
    size = "COUNT(*) OVER (PARTITION BY m.group_id) AS size"
    return (
        f"SELECT {listed(keys)}, {size} FROM {holder.memberships} h "
        f"CROSS JOIN {held.memberships} m ON m.id IN ({page({'id': 'm.id'})}) "
        f"LEFT JOIN {held.table} e ON e.id = m.{held.column} WHERE {holds}"
    )


async def access_counts(reach: Reach, parents: Sequence[str]) -> dict[str, int]:
    """How many distinct members each parent reaches."""

    def source(params: Params, parent: str) -> str:
        rule = _rule(reach, params, parent)
        searched = reach.viewer.searched(params, reach.held, reach.search)
        return f"FROM (SELECT DISTINCT e.id {rule}{searched}) AS reached"

    return await fetch_counts(source, parents)


def sorted_by_name(rows: Iterable[Row | None]) -> list[Row]:
    """The rows, less those that are None, sorted by name."""
    return sorted(filter(None, rows), key=BY_NAME_AND_ID)


def _of_active_users(listing: Listing, moment: int | None) -> Listing:
    """The listing without users who are not active."""

    def source(params: Params, parent: str) -> str:
        user = f"m.{USERS.column}"
        return listing.source(params, parent) + is_active(params, user, moment)

    return replace(listing, source=source)


# ------------------------------------------------------------------------------------ decisions


async def decide(viewer: Viewer, questions: Sequence[Question]) -> list[Decision]:
    """One decision per question, in order. A MEMBER may ask only about itself.

    Takes at most two statements for each kind and moment, however many questions.
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
    """Decide questions about one kind at one moment: first the grants, then why the rest is denied.

    A granted question needs no check that its user and resource exist: open memberships prove it.
    """
    known = [
        question
        for question in questions
        if (viewer.sees_all or question.user_id == viewer.user_id)
        and FORM.fullmatch(question.user_id)
        and FORM.fullmatch(question.resource_id)
    ]
    decisions = {question: Decision(question, Reason.NOT_FOUND) for question in questions}
    granted = await _granted(viewer, kind, known, moment) if known else {}
    for question, groups in granted.items():
        decisions[question] = Decision(
            question, Reason.GRANTED, tuple(groups), sorted_by_name(groups.values())
        )
    denied = [question for question in known if question not in granted]
    if not denied:
        return decisions
    active, in_groups = await _standing(viewer, kind, denied, moment)
    for question in denied:
        if question.user_id not in active or question.resource_id not in in_groups:
            continue
        if not active[question.user_id]:
            reason = Reason.USER_DEACTIVATED
        elif in_groups[question.resource_id]:
            reason = Reason.NO_COMMON_GROUP
        else:
            reason = Reason.RESOURCE_IN_NO_GROUP
        decisions[question] = Decision(question, reason)
    return decisions


async def _granted(
    viewer: Viewer, kind: Kind, questions: Sequence[Question], moment: int | None
) -> dict[Question, dict[str, Row | None]]:
    """The groups that grant what each question asks; questions without any are left out.

    Groups are by id: the row, or None if the viewer may not see the group today.
    """
    params = Params()
    by_pair = {(question.user_id, question.resource_id): question for question in questions}
    asked = values(params, "asked", {"user_id": "text", "resource_id": "text"}, list(by_pair))
    # OFFSET makes PostgreSQL look up each pair, instead of joining all that the groups hold.
    holds = (
        f"EXISTS (SELECT 1 FROM {kind.memberships} r WHERE r.group_id = u.group_id "
        f"AND r.{kind.column} = asked.resource_id AND {open_at(params, 'r', moment)} "
        "LIMIT 1 OFFSET 0)"
    )
    rows = await read(
        f"SELECT asked.user_id, asked.resource_id, u.group_id, {GROUP} FROM {asked} "
        "JOIN group_users u ON u.user_id = asked.user_id "
        f"LEFT JOIN groups g ON g.id = u.group_id AND {viewer.sees(params, 'groups', 'g')} "
        f"WHERE u.organization_id = {params.add(viewer.organization_id)} "
        f"AND {open_at(params, 'u', moment)} AND {holds}{is_active(params, 'u.user_id', moment)}",
        *params.values,
    )
    granted: dict[Question, dict[str, Row | None]] = defaultdict(dict)
    for row in rows:
        granted[by_pair[row[0], row[1]]][row[2]] = row if row["id"] else None
    return granted


async def _standing(
    viewer: Viewer, kind: Kind, questions: Sequence[Question], moment: int | None
) -> tuple[dict[str, bool], dict[str, bool]]:
    """Whether each user in these questions is active, and whether each bot or persona is in any
    group, by id. Those that do not exist at the moment are left out.

    For a MEMBER, who asks only about itself, bots and personas exist only if a group holds them
    that the member is in at the moment.
    """
    users = list({question.user_id for question in questions})
    resources = list({question.resource_id for question in questions})
    params = Params(users, resources, viewer.organization_id)
    held = (
        f"EXISTS (SELECT 1 FROM {kind.memberships} m WHERE m.{kind.column} = e.id "
        f"AND {open_at(params, 'm', moment)}{viewer.in_own_groups(params, 'm.group_id', moment)})"
    )
    exists = f"e.organization_id = $3 AND {open_at(params, 'e', moment)}"
    rows = await read(
        f"SELECT {USERS.table!r} AS kind, e.id, EXISTS (SELECT 1 FROM activations a "
        f"WHERE a.user_id = e.id AND {open_at(params, 'a', moment)}) FROM users e "
        f"WHERE e.id = ANY($1) AND {exists} UNION ALL "
        f"SELECT {kind.table!r}, e.id, {held} FROM {kind.table} e "
        f"WHERE e.id = ANY($2) AND {exists}",
        *params.values,
    )
    active = {row[1]: bool(row[2]) for row in rows if row[0] == USERS.table}
    in_groups = {row[1]: bool(row[2]) for row in rows if row[0] == kind.table}
    if not viewer.sees_all:
        in_groups = {id: True for id, is_held in in_groups.items() if is_held}
    return active, in_groups


async def holders(viewer: Viewer, decisions: Sequence[Decision]) -> list[Sequence[Row]]:
    """For each decision, the groups that hold the denied resource, sorted by name: those that the
    user would need to join.

    At most GROUPS_TOLD each; none if access is granted, or something was not found.
    """
    alike: dict[tuple[Kind, int | None], set[str]] = defaultdict(set)
    denied = [decision.question for decision in decisions if decision.is_to_join]
    for question in denied:
        alike[question.kind, question.moment].add(question.resource_id)
    pages = {
        (kind, moment): await fetch_pages(
            groups_of(viewer, kind, moment), Slice(GROUPS_TOLD), list(resources)
        )
        for (kind, moment), resources in alike.items()
    }
    rows = {each: pages[each.kind, each.moment][each.resource_id].rows for each in denied}
    return [rows.get(decision.question, ()) for decision in decisions]
