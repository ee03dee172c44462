"""Walking through a list, page by page, while it changes: whatever stays is told once."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.database import fetch
from models.kinds import KINDS
from models.tables import Role
from tests.access.world import Step, World, steps
from tests.client import Client, asker

LIVE = "organization_id = $1 AND until_revision IS NULL"
GROUP_ORDERS = {
    "NAME": "name_key", "CREATED_AT": "id", "UPDATED_AT": "updated_revision",
    "USER_COUNT": "user_count",
}  # fmt: skip
# By the field with its arguments: the SQL of its rows, as ids and what they are sorted by.
ROOTS = {
    f"groups(orderBy: {{field: {field}, direction: {way}}}, ": f"SELECT id, {key} FROM groups"
    for field, key in GROUP_ORDERS.items()
    for way in ("ASC", "DESC")
} | {f"{kind.plural}(": f"SELECT id, name_key FROM {kind.table}" for kind in KINDS}
MEMBERS = {
    f"{kind.plural}(": f"SELECT {kind.column}, sort_key FROM {kind.memberships}" for kind in KINDS
}
PAGE = "{ nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"


class Walk:
    """A walk through a list: forward by `after`, or backward by `before`."""

    def __init__(self, size: int, *, backward: bool) -> None:
        self.size, self.backward = size, backward
        self.told: list[str] = []
        self.cursor: str | None = None

    @property
    def arguments(self) -> str:
        """Those of the next page."""
        size, bound = ("last", "before") if self.backward else ("first", "after")
        after = f', {bound}: "{self.cursor}"' if self.cursor else ""
        return f"{size}: {self.size}{after})"

    def go_on(self, page: Any) -> bool:
        """Take a page in; returns whether there are more."""
        self.told += [node["id"] for node in page["nodes"]]
        info = page["pageInfo"]
        self.cursor = info["startCursor" if self.backward else "endCursor"]
        return bool(info["hasPreviousPage" if self.backward else "hasNextPage"])


@pytest.mark.parametrize("of", ["root", "group"])
@settings(settings.get_profile("access"), max_examples=10)
@given(data=st.data(), size=st.integers(1, 2), backward=st.booleans())
async def test_whatever_stays_in_a_list_is_told_once_by_a_walk(
    client: Client, of: str, data: st.DataObject, size: int, backward: bool
) -> None:
    world = await World.make()
    ask = await asker(client, world.viewer, Role.AUDITOR)
    await world.look()
    group = world.group(0)
    field, sql = data.draw(st.sampled_from([*(ROOTS if of == "root" else MEMBERS).items()]))
    of_group = f" AND group_id = '{group}'" if of == "group" else ""

    async def rows() -> dict[str, Any]:
        found = await fetch(f"{sql} WHERE {LIVE}{of_group}", world.viewer.organization_id)
        return {row[0]: row[1] for row in found}

    walk, staying = Walk(size, backward=backward), await rows()
    while True:
        asked = f"list: {field}{walk.arguments} {PAGE}"
        query = f'{{ group(id: "{group}") {{ {asked} }} }}' if of_group else f"{{ {asked} }}"
        answer = await ask(query)
        parent = answer["group"] if of_group else answer
        if parent is None:  # the group was deleted
            assert not await rows()
            return
        assert parent["list"]["totalCount"] == len(await rows())
        if not walk.go_on(parent["list"]):
            break
        assert len(walk.told) < 100  # or it goes round and round
        step: Step = data.draw(steps)
        await world.take(step)
        now = await rows()
        staying = {id: key for id, key in staying.items() if now.get(id) == key}
    assert {id: walk.told.count(id) for id in staying} == dict.fromkeys(staying, 1)
