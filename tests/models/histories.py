"""Random histories of small organizations: written to the database and, beside it, to a `World`."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import strategies as st

from models.directory import delete_entries
from models.groups import delete_group
from models.history import changes
from models.kinds import KINDS, USERS, Kind
from models.ledger import current_revision
from models.listing import Slice, fetch_page
from models.membership_writes import add_members, remove_members
from models.organizations import create_organization
from models.tables import UserStatus
from models.undo import undo_change, undoable
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import make_group
from tests.models.world import World

SIZES = dict(zip(KINDS, (4, 3, 2), strict=True))
GROUPS = 3

Step = tuple[Any, ...]

_numbers = count(1)


def _some_of(kind: Kind) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, SIZES[kind] - 1), min_size=1, max_size=3).map(
        lambda numbers: tuple(sorted(numbers))
    )


_group = st.integers(0, GROUPS - 1)
_members = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), _some_of(kind)))

# Every number stands for one of those that there are, or has been.
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("add"), _group, _members),
    st.tuples(st.just("add"), _group, _members),
    st.tuples(st.just("remove"), _group, _members),
    st.tuples(st.just("delete_group"), _group),
    st.tuples(st.just("status"), st.integers(0, SIZES[USERS] - 1), st.sampled_from(UserStatus)),
    st.tuples(st.just("delete"), st.sampled_from(KINDS), st.integers(0, 1)),
)


@dataclass(frozen=True)
class Taken:
    """What each group holds from the start, and the steps that are taken then."""

    fill: tuple[dict[Kind, set[int]], ...]
    steps: list[Step]


_held = st.fixed_dictionaries({kind: st.sets(st.integers(0, SIZES[kind] - 1)) for kind in KINDS})
histories = st.builds(Taken, st.tuples(*[_held] * GROUPS), st.lists(steps, max_size=10))


@dataclass
class History:
    """An organization, the state it is in, and the state it was in at each revision."""

    viewer: Viewer
    ids: dict[Kind, list[str]]
    groups: list[str]
    now: World
    states: dict[int, World]

    @classmethod
    async def of(cls, taken: Taken) -> "History":
        """An organization with all its history."""
        history = await cls.begin(taken)
        for step in taken.steps:
            await history.take(step)
        return history

    @classmethod
    async def begin(cls, taken: Taken) -> "History":
        """An organization with users, bots, personas and groups, before the first step."""
        number = next(_numbers)
        viewer = await create_organization(f"Organization {number}")
        history = cls(viewer, {}, [], World(), {0: World()})
        for kind in KINDS:
            await history._add_entries(kind)
        for place, fill in enumerate(taken.fill):
            held = {kind: {history.ids[kind][n] for n in fill[kind]} for kind in KINDS}
            members = {kind.plural: list(ids) for kind, ids in held.items()}
            group = await make_group(viewer, f"Group {place}", **members)
            history.groups.append(group)
            history.now.groups[group] = held
            await history._keep()
        return history

    async def _add_entries(self, kind: Kind) -> None:
        # Two share a name, so that only the id tells them apart in a page.
        names = [f"{kind.noun} {max(place, 1)}" for place in range(SIZES[kind])]
        inputs = [
            {"name": name, "external_id": str(place), "email": f"{place}@example.com"}
            for place, name in enumerate(names)
        ]
        ids = (await upsert_entries(self.viewer, kind, inputs)).changed
        self.ids[kind] = list(ids)
        self.now.names[kind] = dict(zip(ids, names, strict=True))
        if kind is USERS:
            self.now.active = set(ids)
        await self._keep()

    async def take(self, step: Step) -> None:
        """Take one step on both sides, unless what it is about is gone."""
        verb, *arguments = step
        await getattr(self, f"_{verb}")(*arguments)
        await self._keep()

    async def undo(self) -> bool:
        """Undo the last change, on both sides, if it can be undone; returns whether it could."""
        last = await fetch_page(changes(self.viewer), Slice(1))
        if not await undoable(self.viewer, last.rows):
            return False
        await undo_change(self.viewer, last.rows[0]["id"])
        self.now = self.states[last.rows[0]["revision"] - 1].copy()
        await self._keep()
        return True

    async def _keep(self) -> None:
        self.states[await current_revision(self.viewer.organization_id)] = self.now.copy()

    def _standing(self, kind: Kind, places: tuple[int, ...]) -> list[str]:
        return [self.ids[kind][n] for n in places if self.ids[kind][n] in self.now.names[kind]]

    async def _add(self, place: int, members: tuple[Kind, tuple[int, ...]]) -> None:
        group, (kind, places) = self.groups[place], members
        if group in self.now.groups:
            ids = self._standing(kind, places)
            await add_members(self.viewer, kind, group, ids)
            self.now.groups[group][kind] |= set(ids)

    async def _remove(self, place: int, members: tuple[Kind, tuple[int, ...]]) -> None:
        group, (kind, places) = self.groups[place], members
        if group in self.now.groups:
            ids = self._standing(kind, places)
            await remove_members(self.viewer, kind, group, ids)
            self.now.groups[group][kind] -= set(ids)

    async def _delete_group(self, place: int) -> None:
        if self.now.groups.pop(self.groups[place], None) is not None:
            await delete_group(self.viewer, self.groups[place])

    async def _delete(self, kind: Kind, place: int) -> None:
        for id in self._standing(kind, (place,)):
            await delete_entries(self.viewer, kind, [id])
            del self.now.names[kind][id]
            self.now.active.discard(id)
            for held in self.now.groups.values():
                held[kind].discard(id)

    async def _status(self, place: int, status: UserStatus) -> None:
        for id in self._standing(USERS, (place,)):
            given = {"name": self.now.names[USERS][id], "email": f"{place}@example.com"}
            await upsert_entries(self.viewer, USERS, [{**given, "status": status}])
            change = self.now.active.add if status is UserStatus.ACTIVE else self.now.active.discard
            change(id)
