"""The one rule of access, and every answer that follows from it.

A user may use a bot (or a persona) if, and only if, some live group holds both, and the user is
active. Nothing else grants, nothing denies.

A membership ends with its group, and with either of its ends, so an open membership is one of a
live group. `moment` is None for the present, else the revision that is asked about.
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
JOINED_BY = " "  # the ids of groups that give something


class Reason(StrEnum):
    """Why somebody may use something, or may not. (`AccessReason` in the schema.)"""

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
    """Which of the one kind (`held`) do those of another (`holder`) reach, as far as is seen?

    Of a user (`USERS`) the bots or personas; of a bot or a persona the `USERS`.
    """

    viewer: Viewer
    holder: Kind
    held: Kind
    search: str | None = None
    moment: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question.

    `via` are the ids of the groups that give it; `groups` the rows of those that the viewer may see
    today, by name.
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
        """Whether groups may be named that the user would need to join."""
        return self.reason in (Reason.NO_COMMON_GROUP, Reason.USER_DEACTIVATED)


# ----------------------------------------------------------------------------- the rule, in SQL


def is_active(params: Params, user: str, moment: int | None) -> str:
    """` AND …`: that a user is active. `user` is the SQL of the user's id."""
    return (
        f" AND EXISTS (SELECT 1 FROM activations a WHERE a.user_id = {user} "
        f"AND {open_at(params, 'a', moment)})"
    )


def _holds(reach: Reach, params: Params, parent: str) -> str:
    """The condition that a membership `h` is one of the parent's, of a group that is seen."""
    viewer, moment = reach.viewer, reach.moment
    return (
        f"h.{reach.holder.column} = {parent} "
        f"AND h.organization_id = {params.add(viewer.organization_id)} "
        f"AND {open_at(params, 'h', moment)}{viewer.in_own_groups(params, 'h.group_id', moment)}"
    )


def _rule(reach: Reach, params: Params, parent: str) -> str:
    """FROM and WHERE: every pair of memberships that gives the parent (in `h`) a member (`e`)."""
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
    """What each parent reaches, in one slice.

    Rows are those of the directory, with the ids of the groups that give each, joined, as `via`
    (`ids_of`).
    """
    listing = _reached(reach, part)
    if part.after is not None or part.before is not None:
        return await fetch_pages(listing, part, parents)
    told = None if part.columns is None else {*part.columns, "total"}
    pages = await fetch_pages(listing, replace(part, columns=told), parents)
    return {parent: replace(page, total=_total(page)) for parent, page in pages.items()}


def _total(page: Page) -> int | None:
    """How many there are in all, if the page tells."""
    if page.rows:
        total: int | None = page.rows[0]["total"]
        return total
    return None if page.has_next or page.has_previous else 0


def ids_of(via: str) -> list[str]:
    """The ids of the groups that a row of `access_pages` tells."""
    return via.split(JOINED_BY)


def _reached(reach: Reach, part: Slice) -> Listing:
    """What a parent reaches, in one slice.

    Every group that holds it gives the same slice of its own, cut off its index; together, each
    member taken once, they hold the slice of the parent. A member that lies in this lies in that of
    each group that holds it, so that `via` is whole. `total` is how many they hold, if that is all:
    null, if a group has more than its slice.
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
    """SELECT: the keys of the same slice of many groups, and of each the group, and the `size` of
    what that gives: of those groups that hold what `holds` says of a membership `h`.

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
    """How many each parent reaches, each counted once."""

    def source(params: Params, parent: str) -> str:
        rule = _rule(reach, params, parent)
        searched = reach.viewer.searched(params, reach.held, reach.search)
        return f"FROM (SELECT DISTINCT e.id {rule}{searched}) AS reached"

    return await fetch_counts(source, parents)


def sorted_by_name(rows: Iterable[Row | None]) -> list[Row]:
    """The rows that are there: some may be gone."""
    return sorted(filter(None, rows), key=BY_NAME_AND_ID)


def _of_active_users(listing: Listing, moment: int | None) -> Listing:
    """The listing less the users who are not active."""

    def source(params: Params, parent: str) -> str:
        user = f"m.{USERS.column}"
        return listing.source(params, parent) + is_active(params, user, moment)

    return replace(listing, source=source)


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
    """Decide questions about one kind at one moment: first what is granted, then why not the rest.

    What an open membership holds exists, and may be seen by whoever sees the membership.
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
    """The groups that give what each question is about; questions without any are left out.

    Each by its id, with its row if the viewer may see it today.
    """
    params = Params()
    by_pair = {(question.user_id, question.resource_id): question for question in questions}
    asked = values(params, "asked", {"user_id": "text", "resource_id": "text"}, list(by_pair))
    # OFFSET has PostgreSQL look each pair up, rather than all that the groups hold.
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
    """Of the users of these questions, whether each is active; of the bots or personas, whether
    each is in a group: now, or at the moment. Those that are none are left out.

    A MEMBER, who asks about itself only, is one. For it there is what the groups hold, or held
    then, that it is in, or was in.
    """
    users = list({question.user_id for question in questions})
    resources = list({question.resource_id for question in questions})
    params = Params(users, resources, viewer.organization_id)
    held = (
        f"EXISTS (SELECT 1 FROM {kind.memberships} m WHERE m.{kind.column} = e.id "
        f"AND {open_at(params, 'm', moment)}{viewer.in_own_groups(params, 'm.group_id', moment)})"
    )
    stands = f"e.organization_id = $3 AND {open_at(params, 'e', moment)}"
    rows = await read(
        f"SELECT {USERS.table!r} AS kind, e.id, EXISTS (SELECT 1 FROM activations a "
        f"WHERE a.user_id = e.id AND {open_at(params, 'a', moment)}) FROM users e "
        f"WHERE e.id = ANY($1) AND {stands} UNION ALL "
        f"SELECT {kind.table!r}, e.id, {held} FROM {kind.table} e "
        f"WHERE e.id = ANY($2) AND {stands}",
        *params.values,
    )
    active = {row[1]: bool(row[2]) for row in rows if row[0] == USERS.table}
    in_groups = {row[1]: bool(row[2]) for row in rows if row[0] == kind.table}
    if not viewer.sees_all:
        in_groups = {id: True for id, is_held in in_groups.items() if is_held}
    return active, in_groups


async def holders(viewer: Viewer, decisions: Sequence[Decision]) -> list[Sequence[Row]]:
    """The groups that hold what was denied, by name: those that the user would need to join.

    At most GROUPS_TOLD each; none for what is granted, and for what is not found.
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
