"""The exact impact of a write on people's access, computed before the write is made.

A write to a group touches pairs of an active user and a bot or persona: those that the group would
newly grant, or no longer grant. A pair is gained or lost, unless some other group holds both; then
it is kept. The touched bots and personas are numbered, and sets of them are bits of an integer, so
that what all other groups of a user grant is joined by `|`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from models.access import is_active
from models.database import fetch
from models.directory import IDS_AT_ONCE, entries_by_id, too_many
from models.errors import BadRequest, LimitExceeded
from models.groups import groups_by_id
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.listing import Order
from models.sql import Params
from models.viewer import Viewer

RESOURCES = (BOTS, PERSONAS)
BY_USER = Order("user", "", "name_key")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed write: adding members to a group, removing them, or deleting the group, for which
    `kind` is None.
    """

    group_id: str
    kind: Kind | None = None
    member_ids: Sequence[str] = ()
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Diff:
    """One user, with the bots and personas that the proposal touches for them, as bits."""

    name_key: str
    user_id: str
    bits: int
    resources: list[tuple[Kind, str]]

    @property
    def held(self) -> dict[Kind, list[str]]:
        """The ids of the bots and personas, by kind."""
        return _of_bits(self.bits, self.resources)

    def __getitem__(self, column: str) -> str:
        """The two columns that make a cursor (`BY_USER`)."""
        return self.name_key if column == "name_key" else self.user_id


@dataclass(slots=True)
class Impact:
    """Who gains, who loses, and who keeps access through another group: sorted by name."""

    gains: list[Diff] = field(default_factory=list)
    losses: list[Diff] = field(default_factory=list)
    kept: list[Diff] = field(default_factory=list)


async def access_impact(viewer: Viewer, proposal: Proposal) -> Impact:
    """The impact of a proposal, in a fixed number of statements. Not for a MEMBER.

    Raises BadRequest for an unknown group or member, LimitExceeded for too many members.
    """
    viewer.must_see_all()
    await _must_exist(viewer, proposal)
    users = await _touched_users(viewer, proposal)
    resources = [
        (kind, id) for kind in RESOURCES for id in await _touched_resources(viewer, proposal, kind)
    ]
    impact = Impact()
    if not users or not resources:
        return impact
    elsewhere = await _reached_elsewhere(viewer, proposal, [id for id, _ in users], resources)
    everything = (1 << len(resources)) - 1
    changed = impact.gains if proposal.adds else impact.losses
    for user_id, name in sorted(users, key=lambda user: (user[1], user[0])):
        kept = elsewhere.get(user_id, 0)
        if kept != everything:
            changed.append(Diff(name, user_id, everything & ~kept, resources))
        if kept:
            impact.kept.append(Diff(name, user_id, kept, resources))
    return impact


async def _must_exist(viewer: Viewer, proposal: Proposal) -> None:
    if proposal.kind and len(proposal.member_ids) > IDS_AT_ONCE:
        raise LimitExceeded(too_many(proposal.kind, proposal.member_ids))
    if not await groups_by_id(viewer, [proposal.group_id]):
        raise BadRequest("There is no such group.")
    if proposal.kind is not None:
        found = await entries_by_id(viewer, proposal.kind, proposal.member_ids)
        if len(found) != len(set(proposal.member_ids)):
            raise BadRequest(f"At least one of the ids is not that of a {proposal.kind.noun}.")


async def _touched_users(viewer: Viewer, proposal: Proposal) -> list[tuple[str, str]]:
    """The id and the sort key of each active user whose pairs are touched."""
    params = Params(viewer.organization_id, proposal.group_id)
    if proposal.kind is USERS and proposal.adds:
        source = _not_yet_in_group(USERS, params, proposal)
        columns, active = "e.id, e.name_key", is_active(params, "e.id", None)
    else:
        source = _in_group(USERS, params, proposal)
        columns, active = "m.user_id, m.sort_key", is_active(params, "m.user_id", None)
    rows = await fetch(f"SELECT {columns} {source}{active}", *params.values)
    return [(row[0], row[1]) for row in rows]


async def _touched_resources(viewer: Viewer, proposal: Proposal, kind: Kind) -> list[str]:
    """The ids of the bots or personas whose pairs are touched."""
    if proposal.kind not in (None, USERS, kind):
        return []
    params = Params(viewer.organization_id, proposal.group_id)
    if proposal.kind is kind and proposal.adds:
        sql = f"SELECT e.id {_not_yet_in_group(kind, params, proposal)}"
    else:
        sql = f"SELECT m.{kind.column} {_in_group(kind, params, proposal)}"
    return [row[0] for row in await fetch(sql, *params.values)]


def _in_group(kind: Kind, params: Params, proposal: Proposal) -> str:
    """FROM and WHERE: the group's members of a kind, or those of them that the proposal names."""
    named = f" AND m.{kind.column} = ANY({_ids(params, proposal)})" if proposal.kind is kind else ""
    return (
        f"FROM {kind.memberships} m WHERE m.organization_id = $1 AND m.group_id = $2 "
        f"AND m.until_revision IS NULL{named}"
    )


def _not_yet_in_group(kind: Kind, params: Params, proposal: Proposal) -> str:
    """FROM and WHERE: those whom the proposal names that are not in the group."""
    return (
        f"FROM {kind.table} e WHERE e.organization_id = $1 AND e.until_revision IS NULL "
        f"AND e.id = ANY({_ids(params, proposal)}) AND NOT EXISTS ("
        f"SELECT 1 FROM {kind.memberships} m WHERE m.group_id = $2 "
        f"AND m.{kind.column} = e.id AND m.until_revision IS NULL)"
    )


def _ids(params: Params, proposal: Proposal) -> str:
    return params.add(list(proposal.member_ids))


async def _reached_elsewhere(
    viewer: Viewer, proposal: Proposal, user_ids: list[str], resources: list[tuple[Kind, str]]
) -> dict[str, int]:
    """The bits of the resources that other groups grant each user, by the user's id."""
    memberships = await fetch(
        "SELECT m.user_id, m.group_id FROM group_users m WHERE m.organization_id = $1 "
        "AND m.group_id <> $2 AND m.user_id = ANY($3) AND m.until_revision IS NULL",
        viewer.organization_id,
        proposal.group_id,
        user_ids,
    )
    groups = list({row[1] for row in memberships})
    held: dict[str, int] = defaultdict(int)
    bit = {id: 1 << number for number, (_, id) in enumerate(resources)}
    for kind in RESOURCES:
        rows = await fetch(
            f"SELECT m.group_id, m.{kind.column} FROM {kind.memberships} m "
            f"WHERE m.organization_id = $1 AND m.group_id = ANY($2) AND m.{kind.column} = ANY($3) "
            "AND m.until_revision IS NULL",
            viewer.organization_id,
            groups,
            [id for of_kind, id in resources if of_kind is kind],
        )
        for group_id, id in rows:
            held[group_id] |= bit[id]
    reached: dict[str, int] = defaultdict(int)
    for user_id, group_id in memberships:
        reached[user_id] |= held.get(group_id, 0)
    return reached


def held_in_all(diffs: Sequence[Diff], kind: Kind) -> list[str]:
    """The ids of all bots, or all personas, in these diffs: each once."""
    bits = reduce(or_, (diff.bits for diff in diffs), 0)
    return _of_bits(bits, diffs[0].resources)[kind] if diffs else []


def _of_bits(bits: int, resources: list[tuple[Kind, str]]) -> dict[Kind, list[str]]:
    """The ids that the bits stand for, by kind."""
    ids: dict[Kind, list[str]] = {kind: [] for kind in RESOURCES}
    for number, (kind, id) in enumerate(resources):
        if bits >> number & 1:
            ids[kind].append(id)
    return ids
