"""One generated organization: its rows, consistent as if they had been written one by one.

Counters, intervals, activations and the ledger agree with one another, so that `manage.py verify`
finds nothing to say.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bench import names
from bench.plan import DEACTIVATED_ONE_IN, Plan, Size, Step, make_plan
from models import ids
from models.kinds import BOTS, KINDS, USERS, Kind
from models.tables import Action, ActorKind, Role, UserStatus
from models.text import name_key, quantity

START = datetime(2025, 1, 1, tzinfo=UTC)

Rows = Iterator[tuple[Any, ...]]


class Tenant:
    """One organization in the making: its plan, and an id for everything in it."""

    def __init__(self, rng: random.Random, size: Size, number: int) -> None:
        self.rng = rng
        self.number = number
        self.plan: Plan = make_plan(rng, size)
        self.id = self.new_id(ids.ORGANIZATION, 0)
        self.since = {kind: self.plan.since(kind) for kind in KINDS}
        self.members = {
            kind: [self.new_id(kind.prefix, revision) for revision in self.since[kind]]
            for kind in KINDS
        }
        self.names = {
            kind: [_member_name(rng, kind, i) for i in range(size.count(kind))] for kind in KINDS
        }
        self.created = [
            revision
            for revision, step in enumerate(self.plan.steps, 1)
            if step.action is Action.GROUP_CREATED
        ]
        self.change_ids = [self.new_id(ids.CHANGE, 1 + i) for i in range(self.plan.revision)]
        actions = [step.action for step in self.plan.steps]
        self.token_revision = 1 + actions.index(Action.TOKEN_CREATED)
        self.token_id = self.new_id(ids.TOKEN, self.token_revision)
        self.groups = [self.new_id(ids.GROUP, revision) for revision in self.created]
        self.group_names = [_group_name(rng, size, i) for i in range(size.groups)]
        self.held: dict[Kind, Counter[int]] = {kind: Counter() for kind in KINDS}
        self.holders: dict[Kind, Counter[int]] = {kind: Counter() for kind in KINDS}
        for kind in KINDS:
            for interval in self.plan.intervals(kind):
                if interval.until is None:
                    self.held[kind][interval.group] += 1
                    self.holders[kind][interval.member] += 1

    def at(self, revision: int) -> datetime:
        """When a revision was made: one a minute."""
        return START + timedelta(minutes=revision)

    def new_id(self, prefix: str, revision: int) -> str:
        """An id in the form of `models.ids`, but always the same one."""
        milliseconds = int(self.at(revision).timestamp() * 1000)
        low = self.rng.getrandbits(62) | 1 << 63
        return f"{prefix}_{milliseconds:012x}7{self.rng.getrandbits(12):03x}{low:016x}"

    def is_active(self, user: int) -> bool:
        """Some users are deactivated, never the first one, who is the administrator."""
        return user % DEACTIVATED_ONE_IN != DEACTIVATED_ONE_IN - 1

    def organization(self) -> Rows:
        """The row of the organization itself."""
        size, revision = self.plan.size, self.plan.revision
        name = f"Organization {self.number}"
        yield (
            self.id, name, name_key(name), revision, max(self.since[USERS]), size.groups,
            size.users, size.bots, size.personas, self.at(0), self.at(revision),
        )  # fmt: skip

    def directory(self, kind: Kind) -> Rows:
        """The rows of users, bots or personas."""
        for i, (id, name, since) in enumerate(
            zip(self.members[kind], self.names[kind], self.since[kind], strict=True)
        ):
            common = (
                id, self.id, f"{kind.noun}-{i}", name, name_key(name), None,
                self.holders[kind][i], self.at(since), since,
            )  # fmt: skip
            if kind is USERS:
                yield *common, *self._user(i, name)
            elif kind is BOTS:
                features = self.rng.sample(names.FEATURES, self.rng.randint(0, 4))
                yield *common, f"Trains with {name}.", orjson.dumps(features).decode()
            else:
                yield *common, f"{name}, as met on the telephone."

    def _user(self, i: int, name: str) -> tuple[str, str, Role, UserStatus]:
        email = f"{name.replace(' ', '.')}.{i}@example.com"
        return (
            email,
            name_key(email),
            Role.MEMBER if i else Role.ADMIN,
            UserStatus.ACTIVE if self.is_active(i) else UserStatus.DEACTIVATED,
        )

    def activations(self) -> Rows:
        """One row for each active user."""
        for i, (user_id, since) in enumerate(
            zip(self.members[USERS], self.since[USERS], strict=True)
        ):
            if self.is_active(i):
                yield self.change_ids[since - 1] + user_id, self.id, user_id, since

    def group_rows(self) -> Rows:
        """The rows of groups."""
        touched = {
            step.group: revision
            for revision, step in enumerate(self.plan.steps, 1)
            if step.group is not None
        }
        for i, (id, name, since) in enumerate(
            zip(self.groups, self.group_names, self.created, strict=True)
        ):
            counts = [self.held[kind][i] for kind in KINDS]
            yield (
                id, self.id, name, name_key(name), f"Generated group {i}.", *counts,
                self.at(since), self.at(touched[i]), touched[i], since,
            )  # fmt: skip

    def memberships(self, kind: Kind) -> Rows:
        """The rows of one kind of membership."""
        keys = [name_key(name) for name in self.names[kind]]
        for one in self.plan.intervals(kind):
            member = self.members[kind][one.member]
            yield (
                self.change_ids[one.since - 1] + member, self.id, self.groups[one.group], member,
                keys[one.member], self.at(one.since), one.since, one.until,
            )  # fmt: skip

    def changes(self) -> Rows:
        """The ledger: one row a revision, made by the operator."""
        for revision, step in enumerate(self.plan.steps, 1):
            group = step.group
            group_id = None if group is None else self.groups[group]
            group_name = None if group is None else self.group_names[group]
            yield (
                self.change_ids[revision - 1], self.id, revision, self.at(revision),
                ActorKind.OPERATOR, "The operator", step.action, group_id, group_name,
                f"The operator {_summary(step, group_name)}",
                orjson.dumps(self._details(step)).decode(),
            )  # fmt: skip

    def _details(self, step: Step) -> dict[str, Any]:
        """What the verbs of `models` keep of such a change."""
        if step.action is Action.TOKEN_CREATED:
            return {"token": self.token_id}
        touched: dict[str, Any] = {
            kind.plural: [self.members[kind][i] for i in members]
            for kind, members in step.members.items()
        }
        upserted = step.action in (kind.upserted for kind in KINDS)
        return touched | {"before": {}} if upserted else touched

    def token(self) -> Rows:
        """A token of the administrator's."""
        yield (
            self.token_id, self.id, self.members[USERS][0], "bench", None,
            hashlib.sha256(secret(self.number).encode()).hexdigest(), self.at(self.token_revision),
        )  # fmt: skip

    def crowds(self) -> list[str]:
        """The ids of the largest groups."""
        return [id for i, id in enumerate(self.groups) if self.plan.size.is_crowd(i)]

    def outsiders(self) -> dict[str, str]:
        """For each group, a user who never was in it."""
        inside: dict[int, set[int]] = {}
        for one in self.plan.intervals(USERS):
            inside.setdefault(one.group, set()).add(one.member)
        users = range(self.plan.size.users)
        return {
            id: self.members[USERS][next(u for u in users if u not in inside.get(i, ()))]
            for i, id in enumerate(self.groups)
        }


def secret(number: int) -> str:
    """The secret of an organization's token, which opens nothing but a generated database."""
    return f"bench-token-of-organization-{number:04}"


def _member_name(rng: random.Random, kind: Kind, i: int) -> str:
    if kind is USERS:
        return f"{rng.choice(names.FIRST)} {rng.choice(names.LAST)}"
    first, second = (
        (names.BOT_TOPICS, names.BOT_ROLES) if kind is BOTS else (names.MOODS, names.CALLERS)
    )
    return f"{rng.choice(first)} {rng.choice(second)} {i + 1}"


def _group_name(rng: random.Random, size: Size, i: int) -> str:
    name = f"{rng.choice(names.TEAMS)} {rng.choice(names.PLACES)} {i + 1}"
    return f"All of {name}" if size.crowds_lead and size.is_crowd(i) else name


def _summary(step: Step, group_name: str | None) -> str:
    """The sentence of a change without its subject."""
    if step.action is Action.TOKEN_CREATED:
        return "created the token bench"
    if step.action is Action.GROUP_CREATED:
        return f"created {group_name}"
    words = ", ".join(quantity(len(members), kind.noun) for kind, members in step.members.items())
    if any(step.action is kind.removed for kind in KINDS):
        return f"removed {words} from {group_name}"
    return f"added {words}" + (f" to {group_name}" if group_name else "")
