"""What a generated organization looks like: who is in which group, and by which steps it came so.

Everything is drawn from one seeded source, so that the same size gives the same rows each time.
A plan holds positions (0, 1, 2…) of members and not their ids: a million memberships are a few
megabytes.
"""

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.tables import Action

Members: TypeAlias = "array[int]"  # positions in a directory

BATCH = 1_000  # ids in one write, at most
DEACTIVATED_ONE_IN = 20  # users
LEFT_ONE_IN = 10  # members that were in a group and left


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of everything in an organization.

    `members` tells the fewest and the most members of each kind in a group; `crowds` groups have
    `crowd` users instead. Where `crowds_lead`, they come first by name.
    """

    groups: int
    users: int
    bots: int
    personas: int
    crowds: int
    crowd: int
    crowds_lead: bool = False
    members: dict[Kind, tuple[int, int]] = field(
        default_factory=lambda: {USERS: (5, 115), BOTS: (5, 55), PERSONAS: (5, 55)}
    )

    def count(self, kind: Kind) -> int:
        """How many of a kind the directory has."""
        return {USERS: self.users, BOTS: self.bots, PERSONAS: self.personas}[kind]

    def is_crowd(self, group: int) -> bool:
        """Whether a group is one of the crowds, which are spread over the list of groups."""
        return bool(self.crowds) and group % (self.groups // self.crowds) == 7


FIRST = Size(groups=200, users=5_000, bots=500, personas=300, crowds=3, crowd=2_000)
OTHER = Size(groups=20, users=500, bots=100, personas=60, crowds=0, crowd=0)
NORMAL = (FIRST, OTHER, OTHER, OTHER, OTHER)
# Of a million memberships, 400,000 are users'. A user is in four groups, as in the first
# organization, and a group holds as many bots and personas as there.
LARGE = (
    Size(
        groups=10_000,
        users=100_000,
        bots=2_000,
        personas=1_000,
        crowds=25,
        crowd=10_000,
        crowds_lead=True,
        members={USERS: (5, 25), BOTS: (5, 55), PERSONAS: (5, 55)},
    ),
    OTHER,
    OTHER,
    OTHER,
    OTHER,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the ledger. `members` are positions in the directory of each kind."""

    action: Action
    members: dict[Kind, Members] = field(default_factory=dict)
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """One membership: positions of the group and the member, and the revisions that bound it."""

    group: int
    member: int
    since: int
    until: int | None


@dataclass(slots=True)
class Plan:
    """An organization's whole history: the step at index `i` makes revision `i + 1`."""

    size: Size
    steps: list[Step]

    @property
    def revision(self) -> int:
        """The last revision."""
        return len(self.steps)

    def since(self, kind: Kind) -> Members:
        """For each position in the directory of a kind, the revision that made it."""
        revisions = array("I", bytes(4 * self.size.count(kind)))
        for revision, step in enumerate(self.steps, 1):
            if step.action is kind.upserted:
                for member in step.members[kind]:
                    revisions[member] = revision
        return revisions

    def intervals(self, kind: Kind) -> Iterator[Interval]:
        """Every membership of a kind, group by group."""
        ends = {
            (step.group, member): revision
            for revision, step in enumerate(self.steps, 1)
            if step.action is kind.removed
            for member in step.members[kind]
        }
        for revision, step in enumerate(self.steps, 1):
            if step.action not in (Action.GROUP_CREATED, kind.added) or step.group is None:
                continue
            for member in step.members.get(kind, ()):
                yield Interval(step.group, member, revision, ends.get((step.group, member)))


def make_plan(rng: random.Random, size: Size) -> Plan:
    """Draw an organization: first its directory, then a token, then one group after another."""
    steps = [
        Step(kind.upserted, {kind: batch})
        for kind in KINDS
        for batch in _batches(array("I", range(size.count(kind))))
    ]
    steps.append(Step(Action.TOKEN_CREATED))
    for group in range(size.groups):
        steps.extend(_group_steps(rng, size, group))
    return Plan(size, steps)


def _group_steps(rng: random.Random, size: Size, group: int) -> Iterator[Step]:
    joined = {kind: _draw(rng, size, group, kind) for kind in KINDS}
    first = {kind: members[:BATCH] for kind, members in joined.items()}
    yield Step(Action.GROUP_CREATED, first, group)
    for batch in _batches(joined[USERS][BATCH:]):
        yield Step(USERS.added, {USERS: batch}, group)
    for kind in KINDS:
        left = first[kind][: len(first[kind]) // LEFT_ONE_IN]
        if left:
            yield Step(kind.removed, {kind: left}, group)


def _draw(rng: random.Random, size: Size, group: int, kind: Kind) -> Members:
    """Who joins a group."""
    fewest, most = size.members[kind]
    number = rng.randint(fewest, most)
    if kind is USERS and size.is_crowd(group):
        number = size.crowd + BATCH // LEFT_ONE_IN
    total = size.count(kind)
    return array("I", rng.sample(range(total), min(number, total)))


def _batches(members: Members) -> Iterator[Members]:
    for start in range(0, len(members), BATCH):
        yield members[start : start + BATCH]
