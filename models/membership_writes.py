"""Adding users, bots and personas to groups, and removing them.

Every write is all or nothing. Adding a member that is in the group, or removing one that is not, is
neither an error nor a change, so a retry is safe.

The writes of an organization take turns, so those that wait in this process are batched: what they
need is read by one statement, each is decided in turn, and the results are written by another.
Each is a change of its own, with a revision of its own, and a write that is refused does not keep
the others from landing.

On PostgreSQL this is optimistic: two statements, without a transaction. The first reads all of it
in one snapshot, with the organization's revision. The second writes only if the revision is still
the same; as every write moves it, nothing has landed in between. If it has moved, the whole batch
is done again, behind the lock. A batch of MANY memberships takes the lock at once. A write of one
membership that comes by itself is first tried by a single statement (`lone_writes.py`).
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from models.database import (
    MANY,
    Row,
    does,
    fetch,
    fetch_behind,
    is_in_transaction,
    is_postgres,
    longest_wait,
    plan_anew,
    transaction,
)
from models.database.statements import Statement
from models.directory import IDS_AT_ONCE, must_be_few, must_exist
from models.errors import DomainError, Forbidden, Unauthenticated
from models.gathering import Gathering
from models.groups import no_such_group
from models.ids import well_formed
from models.kinds import Kind
from models.ledger import (
    Draft,
    Outcome,
    Shown,
    announce,
    begin,
    is_up_to_date,
    landing,
    lock,
    utc_now,
)
from models.lone_writes import write_alone
from models.membership_statements import (
    CLOSED_COLUMNS,
    GROUP_STEPS,
    MEMBER_STEPS,
    Pair,
    closing,
    counting_groups,
    counting_members,
    done,
    opened_columns,
    opening,
)
from models.spans import over_part
from models.sql import Params, values
from models.text import in_words
from models.viewer import Viewer

AT_ONCE = 1_000  # memberships in one batch, unless a single write asks for more


@dataclass(slots=True)
class MembershipWrite:
    """A write that adds members to a group, or removes them.

    `pairs` are the memberships that it may open or close; none if it names too many members.
    """

    viewer: Viewer
    kind: Kind
    adds: bool
    group_id: str
    member_ids: Sequence[str]
    expected_revision: int | None
    pairs: Sequence[Pair] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.member_ids) > IDS_AT_ONCE:
            self.pairs = ()
            return
        groups, members = well_formed([self.group_id]), well_formed(self.member_ids)
        self.pairs = [(group, member) for group in groups for member in members]


async def add_members(
    viewer: Viewer,
    kind: Kind,
    group_id: str,
    member_ids: Sequence[str],
    expected_revision: int | None = None,
) -> Outcome:
    """Add users, bots or personas to a group. `changed` are those that were not in it.

    Raises DomainError: TOO_MANY, NOT_FOUND, CONFLICT.
    """
    return await _write(
        MembershipWrite(viewer, kind, True, group_id, member_ids, expected_revision)
    )


async def remove_members(
    viewer: Viewer,
    kind: Kind,
    group_id: str,
    member_ids: Sequence[str],
    expected_revision: int | None = None,
) -> Outcome:
    """Remove users, bots or personas from a group. `changed` are those that were in it.

    Raises DomainError: TOO_MANY, NOT_FOUND, CONFLICT.
    """
    return await _write(
        MembershipWrite(viewer, kind, False, group_id, member_ids, expected_revision)
    )


# -------------------------------------------------------------------------------------- batches

# By organization, while any write waits or is under way.
_gatherings: dict[str, Gathering[MembershipWrite, Outcome]] = {}


async def _write(asked: MembershipWrite) -> Outcome:
    asked.viewer.must_administrate()
    if is_in_transaction():  # it holds the lock already
        (outcome,) = await _write_together([asked])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
    id = asked.viewer.organization_id
    gathering = _gatherings.setdefault(id, Gathering(_write_together, _fit))
    try:
        with over_part("write"):
            return await gathering.add(asked)
    finally:
        if gathering.is_idle and _gatherings.get(id) is gathering:
            del _gatherings[id]


def _fit(waiting: Sequence[MembershipWrite]) -> int:
    """How many of the waiting writes, in order, can form a batch.

    They must all be of one kind, and no two may concern the same membership.
    """
    if len(waiting) == 1 or not does("gathered"):
        return 1
    pairs: set[Pair] = set()
    for count, asked in enumerate(waiting):
        if count and (
            asked.kind is not waiting[0].kind
            or len(pairs) + len(asked.pairs) > AT_ONCE
            or not pairs.isdisjoint(asked.pairs)
        ):
            return count
        pairs.update(asked.pairs)
    return len(waiting)


async def _write_together(all_asked: Sequence[MembershipWrite]) -> list[Outcome | Exception]:
    """Make a batch of writes of one organization; returns the outcome of each, in order, or the
    error that refused it."""
    batch = _Batch(all_asked)
    try:
        if batch.compares:
            if alone := await _alone(all_asked):
                return [alone]
            with suppress(_Moved):
                return await batch.attempt(is_locked=False)
        async with transaction():
            await plan_anew(batch.size)
            await lock(batch.organization_id)
            return await batch.attempt(is_locked=True)
    finally:
        if batch.landed:  # also if they were cancelled: they may have landed
            announce(batch.organization_id)


async def _alone(all_asked: Sequence[MembershipWrite]) -> Outcome | None:
    """The outcome of a write that came by itself, if one statement was all that it took."""
    asked, *others = all_asked
    if others or len(asked.member_ids) != 1 or not asked.pairs or not does("alone"):
        return None
    (pair,) = asked.pairs
    return await write_alone(asked.viewer, asked.kind, pair, asked.adds, asked.expected_revision)


class _Moved(Exception):
    """Nothing was written: another write landed between reading and writing, or a viewer is not up
    to date. Behind the lock, neither can happen."""


class _Batch:
    """Writes that are made together. `landed` are those of them that changed any membership."""

    def __init__(self, all_asked: Sequence[MembershipWrite]) -> None:
        self.all_asked = all_asked
        self.kind = all_asked[0].kind
        self.organization_id = all_asked[0].viewer.organization_id
        self.size = sum(len(asked.pairs) for asked in all_asked)
        self.landed: list[_Landed] = []

    @property
    def compares(self) -> bool:
        """Whether to compare revisions first, instead of taking the lock at once.

        What compares may itself wait for a lock, and land if nothing has landed meanwhile: a token
        must not expire while it does.
        """
        if is_in_transaction() or not is_postgres():
            return False
        ends = [asked.viewer.expires_at for asked in self.all_asked if asked.viewer.expires_at]
        if ends and (min(ends) - utc_now()).total_seconds() <= longest_wait():
            return False
        return self.size < MANY and does("compared")

    async def attempt(self, *, is_locked: bool) -> list[Outcome | Exception]:
        """Read, decide, and write. Raises _Moved only if the organization is not locked."""
        self.landed = []
        results: list[Outcome | Exception] = []
        known = await _read(self.organization_id, self.kind, self.all_asked)
        if not is_locked and not all(
            is_up_to_date(asked.viewer, known.organization) for asked in self.all_asked
        ):
            raise _Moved
        for asked in self.all_asked:
            last = self.landed[-1].draft if self.landed else None
            try:
                draft = await begin(asked.viewer, known.organization, asked.expected_revision, last)
                changed = _decide(asked, known)
            except (DomainError, Unauthenticated, Forbidden) as error:
                if isinstance(error, DomainError):
                    error.revision = last.revision if last else known.organization["revision"]
                results.append(error)
                continue
            if changed:
                _record(draft, asked, known, changed)
                self.landed.append(_Landed(asked, draft, changed))
            ids = [row["id"] for row in changed]
            results.append(Outcome(draft.landed_revision, asked.group_id, ids))
        shown = await _land(self.kind, self.landed) if self.landed else {}
        return [
            result._replace(shown=shown.get(asked.group_id))
            if isinstance(result, Outcome)
            else result
            for asked, result in zip(self.all_asked, results, strict=True)
        ]


# --------------------------------------------------------------------------- reading and deciding


@dataclass(slots=True)
class _Known:
    """What the writes need to know: which groups, members and open memberships exist.

    `organization` has the revision at which all of this was true.
    """

    organization: Row
    groups: dict[str, Row] = field(default_factory=dict)
    members: dict[str, Row] = field(default_factory=dict)
    open: set[Pair] = field(default_factory=set)


async def _read(organization_id: str, kind: Kind, all_asked: Sequence[MembershipWrite]) -> _Known:
    """Read all that the writes need to know, by one statement."""
    pairs = [pair for asked in all_asked for pair in asked.pairs]
    groups = well_formed([asked.group_id for asked in all_asked])
    params = Params(organization_id, groups, list({member for _, member in pairs}))
    asked_pairs = values(params, "pair", {"group_id": "text", "member_id": "text"}, pairs)
    rows = await fetch(
        "SELECT o.revision, o.viewers_revision, o.changed_at, found.* FROM organizations o "
        "LEFT JOIN ("
        "SELECT 'group' AS what, g.id, NULL AS member_id, g.name, NULL AS name_key FROM groups g "
        "WHERE g.organization_id = $1 AND g.id = ANY($2) AND g.until_revision IS NULL "
        f"UNION ALL SELECT 'member', e.id, NULL, e.name, e.name_key FROM {kind.table} e "
        "WHERE e.organization_id = $1 AND e.id = ANY($3) AND e.until_revision IS NULL "
        "UNION ALL SELECT 'open', pair.group_id, pair.member_id, NULL, NULL "
        f"FROM {asked_pairs} JOIN {kind.memberships} m ON m.group_id = pair.group_id "
        f"AND m.{kind.column} = pair.member_id "
        "WHERE m.organization_id = $1 AND m.until_revision IS NULL"
        ") AS found ON TRUE WHERE o.id = $1",
        *params.values,
    )
    known = _Known(rows[0])
    for row in rows:
        if row["what"] == "group":
            known.groups[row["id"]] = row
        elif row["what"] == "member":
            known.members[row["id"]] = row
        elif row["what"] == "open":
            known.open.add((row["id"], row["member_id"]))
    return known


def _decide(asked: MembershipWrite, known: _Known) -> list[Row]:
    """The members that the write adds or removes. Raises DomainError if it is refused."""
    if asked.group_id not in known.groups:
        raise no_such_group("groupId")
    must_be_few(asked.kind, asked.member_ids, asked.kind.ids_field)
    members = must_exist(asked.kind, asked.member_ids, known.members)
    return [row for row in members if ((asked.group_id, row["id"]) in known.open) != asked.adds]


def _record(draft: Draft, asked: MembershipWrite, known: _Known, changed: Sequence[Row]) -> None:
    kind, group = asked.kind, known.groups[asked.group_id]
    action, words = done(kind, asked.adds)
    draft.record(
        action,
        words.format(in_words(changed, kind.noun), group["name"]),
        group=group,
        details={kind.plural: [row["id"] for row in changed]},
    )


# --------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class _Landed:
    """A write that changes memberships, with the rows of the members."""

    asked: MembershipWrite
    draft: Draft
    changed: Sequence[Row]

    @property
    def step(self) -> int:
        """By how much it changes each member's count of groups."""
        return 1 if self.asked.adds else -1


async def _land(kind: Kind, landed: Sequence[_Landed]) -> dict[str, Shown]:
    """Write the memberships and the changes; returns the groups, by id. Raises _Moved."""
    moving, changes = landing([each.draft for each in landed])
    adding = [each for each in landed if each.asked.adds]
    removing = [each for each in landed if not each.asked.adds]
    statements = [
        *([_opening(kind, adding)] if adding else []),
        *([_closing(kind, removing)] if removing else []),
        _group_counts(kind, landed),
        changes,
        _member_counts(kind, landed),
    ]
    groups = await fetch_behind(moving, statements)
    if not groups:
        raise _Moved
    revision = landed[-1].draft.revision
    return {row["id"]: Shown(row, revision) for row in groups}


def _opening(kind: Kind, landed: Sequence[_Landed]) -> Statement:
    """Open the memberships that writes add."""
    params = Params(landed[0].asked.viewer.organization_id)
    rows = [
        (
            # The row's id is the change's and the member's: a change opens a pair at most once.
            each.draft.change_id + row["id"],
            each.asked.group_id,
            row["id"],
            row["name_key"],
            each.draft.now,
            each.draft.revision,
        )
        for each in landed
        for row in each.changed
    ]
    opened = values(params, "opened", opened_columns(kind), rows, behind=True)
    return opening(kind, opened), params.values


def _closing(kind: Kind, landed: Sequence[_Landed]) -> Statement:
    """Close the memberships that writes remove."""
    params = Params()
    rows = [
        (each.asked.group_id, row["id"], each.draft.revision)
        for each in landed
        for row in each.changed
    ]
    return closing(kind, values(params, "closed", CLOSED_COLUMNS, rows, behind=True)), params.values


def _group_counts(kind: Kind, landed: Sequence[_Landed]) -> Statement:
    """Move each member's count of groups."""
    steps: Counter[str] = Counter()
    for each in landed:
        for row in each.changed:
            steps[row["id"]] += each.step
    params = Params()
    moved = values(params, "moved", MEMBER_STEPS, list(steps.items()), behind=True)
    return counting_groups(kind, moved), params.values


def _member_counts(kind: Kind, landed: Sequence[_Landed]) -> Statement:
    """Move each group's count of members, and mark it as changed by the last write to it."""
    steps: Counter[str] = Counter()
    for each in landed:
        steps[each.asked.group_id] += each.step * len(each.changed)
    last = {each.asked.group_id: each.draft for each in landed}
    params = Params()
    rows = [(id, last[id].now, last[id].revision, step) for id, step in steps.items()]
    moved = values(params, "moved", GROUP_STEPS, rows, behind=True)
    return counting_members(kind, moved), params.values
