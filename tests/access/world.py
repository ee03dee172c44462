"""A small organization that is written to at random, and what is true of it by brute force.

What holds is read off the raw rows that stand, and joined here, in Python: nothing of the answers
under test is used to tell what they should be.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st

from models.database import fetch
from models.directory import delete_entries
from models.errors import DomainError
from models.groups import create_group, delete_group, update_group
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.membership_writes import add_members, remove_members
from models.organizations import create_organization
from models.tables import UserStatus
from models.undo import undo_change
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import make_entries, make_group

NAMES = ("Alpha", "Beta", "Gamma", "Delta", "Épsilon")

Pair = tuple[str, str]  # a user, and the bot or persona that they may use

_numbers = count(1)


@dataclass(frozen=True)
class Team:
    """A live group."""

    name: str
    description: str | None
    held: Mapping[Kind, frozenset[str]]

    def gives(self, active: frozenset[str]) -> set[Pair]:
        """The access that comes of this group."""
        users = self.held[USERS] & active
        return {(u, r) for u in users for r in self.held[BOTS] | self.held[PERSONAS]}


@dataclass(frozen=True)
class State:
    """All that matters of an organization at one revision."""

    teams: Mapping[str, Team]
    entries: Mapping[Kind, frozenset[str]]
    active: frozenset[str]
    revision: int = field(compare=False, default=0)

    @property
    def access(self) -> set[Pair]:
        """Who may use what: the rule itself, over every group."""
        return {pair for team in self.teams.values() for pair in team.gives(self.active)}

    def given_by(self, team_id: str) -> set[Pair]:
        """The access that comes of one group; none if it is gone."""
        team = self.teams.get(team_id)
        return team.gives(self.active) if team else set()


async def state_of(viewer: Viewer) -> State:
    """The state as the raw rows tell it."""
    organization = viewer.organization_id

    async def live(columns: str, table: str) -> list[Any]:
        sql = f"SELECT {columns} FROM {table} WHERE organization_id = $1 AND until_revision IS NULL"
        return list(await fetch(sql, organization))

    held = {kind: await live(f"group_id, {kind.column}", kind.memberships) for kind in KINDS}
    teams = {
        row["id"]: Team(
            row["name"],
            row["description"],
            {
                kind: frozenset(member for group, member in held[kind] if group == row["id"])
                for kind in KINDS
            },
        )
        for row in await live("id, name, description", "groups")
    }
    entries = {kind: frozenset(row[0] for row in await live("id", kind.table)) for kind in KINDS}
    active = frozenset(
        row["id"] for row in await live("id, status", "users") if row["status"] == UserStatus.ACTIVE
    )
    revision = (await fetch("SELECT revision FROM organizations WHERE id = $1", organization))[0][0]
    return State(teams, entries, active, revision)


@dataclass(frozen=True)
class Step:
    """One write at random. The numbers choose among what there is when it is made."""

    verb: str
    kind: Kind
    number: int
    numbers: frozenset[int]


VERBS = (
    *("add",) * 4,
    *("remove",) * 3,
    *("undo",) * 2,
    *("create", "delete group", "rename", "describe", "new", "delete", "set status"),
)
several = st.frozensets(st.integers(0, 4), max_size=4)
steps = st.builds(
    Step,
    verb=st.sampled_from(VERBS),
    kind=st.sampled_from(KINDS),
    number=st.integers(0, 12),
    numbers=several,
)


class World:
    """An organization under random writes; `state` is how it stands."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.state = State({}, {}, frozenset())

    @classmethod
    async def make(cls) -> "World":
        """A new organization with some users, bots, personas, and two groups that overlap."""
        world = cls(await create_organization(f"World {next(_numbers)}"))
        ids = {
            kind: await make_entries(
                world.viewer, kind, [f"{kind.noun} {n}" for n in range(number)]
            )
            for kind, number in ((USERS, 4), (BOTS, 3), (PERSONAS, 2))
        }
        for name, part in (("First", slice(0, 3)), ("Second", slice(1, 4))):
            await make_group(world.viewer, name, **{kind.plural: ids[kind][part] for kind in KINDS})
        await world.look()
        return world

    async def look(self) -> State:
        """How it stands now."""
        self.state = await state_of(self.viewer)
        return self.state

    def group(self, number: int) -> str | None:
        """One of the live groups."""
        groups = sorted(self.state.teams)
        return groups[number % len(groups)] if groups else None

    def members(self, kind: Kind, numbers: frozenset[int]) -> list[str]:
        """Some of the live users, bots or personas."""
        entries = sorted(self.state.entries[kind])
        return [entries[number] for number in sorted(numbers) if number < len(entries)]

    async def take(self, step: Step) -> bool:
        """Make a write; returns whether it changed anything. A refused one must not."""
        before = self.state
        with suppress(DomainError):
            await self._write(step)
        after = await self.look()
        assert after.revision - before.revision in (0, 1)
        assert after.revision > before.revision or after == before
        return after.revision > before.revision

    async def _write(self, step: Step) -> None:
        viewer, kind, name = self.viewer, step.kind, NAMES[step.number % len(NAMES)]
        if step.verb == "create":
            held = {kind.noun: self.members(kind, step.numbers) for kind in KINDS}
            await create_group(viewer, name, None, held)
        elif step.verb == "new":
            number = f"{kind.noun}{next(_numbers)}"
            email = {"email": f"{number}@example.com"} if kind is USERS else {}
            await upsert_entries(viewer, kind, [{"name": number, **email}])
        elif step.verb == "delete" and (entries := self.members(kind, step.numbers)):
            await delete_entries(viewer, kind, entries[:1])
        elif step.verb == "set status":
            await self._turn(step)
        elif step.verb == "undo":
            await undo_change(viewer, await self.change_id(step.number))
        elif (group := self.group(step.number)) is not None:
            await self._write_group(step, group, name)

    async def _write_group(self, step: Step, group: str, name: str) -> None:
        viewer, members = self.viewer, self.members(step.kind, step.numbers)
        if step.verb == "add":
            await add_members(viewer, step.kind, group, members)
        elif step.verb == "remove":
            await remove_members(viewer, step.kind, group, members)
        elif step.verb == "delete group":
            await delete_group(viewer, group)
        elif step.verb == "rename":
            await update_group(viewer, group, {"name": NAMES[len(step.numbers)]})
        elif step.verb == "describe":
            await update_group(viewer, group, {"description": name})

    async def _turn(self, step: Step) -> None:
        """Deactivate active users, and activate the others."""
        ids = self.members(USERS, step.numbers)
        rows = await fetch("SELECT name, email, status FROM users WHERE id = ANY($1)", ids)
        other = {"ACTIVE": UserStatus.DEACTIVATED, "DEACTIVATED": UserStatus.ACTIVE}
        inputs = [
            {"name": row["name"], "email": row["email"], "status": other[row["status"]]}
            for row in rows
        ]
        await upsert_entries(self.viewer, USERS, inputs)

    async def change_id(self, number: int) -> str:
        """The id of a change, counted from the newest."""
        rows = await fetch(
            "SELECT id FROM changes WHERE organization_id = $1 ORDER BY revision DESC",
            self.viewer.organization_id,
        )
        return str(rows[number % len(rows)]["id"])
