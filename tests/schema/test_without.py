"""The service without what makes it fast: slower, and the same."""

import asyncio
import gc
from collections import Counter

import pytest

from models.database import connection, fetch, has_pairs, is_postgres
from models.optimizations import OPTIMIZATIONS
from models.organizations import create_organization
from schema.compiler import Compiler
from schema.plans import Plan
from tests.client import asker, serving
from tests.factories import count_statements, make_group, make_users
from tests.schema.organizations import furnish

QUERY = """{
    groups { nodes { name users { edges { addedAt node { name } } } bots { totalCount } } }
    users { nodes { email bots { edges { node { features } via { name } } } } }
}"""
ADD = """mutation($group: ID!, $user: ID!) {
    addUsersToGroup(input: {groupId: $group, userIds: [$user]}) { group { userCount } } }"""


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of which selections were planned."""
    names: list[str] = []
    plan_of = Compiler.plan_of

    def noted(self: Compiler, kind: object, fields: object) -> Plan:
        names.append(str(kind))
        return plan_of(self, kind, fields)  # type: ignore[arg-type]

    monkeypatch.setattr(Compiler, "plan_of", noted)
    return names


@pytest.mark.parametrize("without", ["", *OPTIMIZATIONS, ",".join(OPTIMIZATIONS)])
async def test_answers_are_the_same(database_url: str, planned: list[str], without: str) -> None:
    async with serving(database_url) as client:
        viewer = await create_organization("Acme")
        await furnish(viewer, "acme")
        expected = await (await asker(client, viewer))(QUERY)
        assert len(expected["groups"]["nodes"]) > 1
    planned.clear()
    gc.unfreeze()
    async with serving(database_url, without=without) as client:
        ask = await asker(client, viewer)
        assert await ask(QUERY) == expected
        assert ("Query" in planned) is ("plans" not in without)
        assert (gc.get_freeze_count() > 0) is ("frozen" not in without)
        if is_postgres():
            ((mode,),) = await fetch("SHOW plan_cache_mode")
            assert mode == ("auto" if "prepared" in without else "force_generic_plan")
            assert bool(connection()._pool._at_hand) is ("at_hand" not in without)
            assert has_pairs() is ("pairs" not in without)
        group, users = await make_group(viewer, "Empty"), await make_users(viewer, 13)
        for _ in range(3):  # from now on it is known who asks, and that the revision rests
            await ask("{ viewer { role } }")
        with count_statements() as statements:
            await ask("{ organization { name } }")
        looks = [_kind(statement) for statement in statements].count("looked")
        assert looks == ("presumed" in without) + ("stamped" in without)
        with count_statements() as statements:
            await ask(ADD, group=group, user=users.pop())
        is_one = is_postgres() and "alone" not in without and "compared" not in without
        assert ("read" not in map(_kind, statements)) is is_one
        with count_statements() as statements:
            await asyncio.gather(*(ask(ADD, group=group, user=user) for user in users))
        counts = Counter(_kind(statement) for statement in statements)
        locks = 0 if is_postgres() and "compared" not in without else counts["written"]
        assert counts["locked"] == locks
        assert (counts["written"] == 1) is ("gathered" not in without)
        found = await ask("query($id: ID!) { group(id: $id) { userCount } }", id=group)
        assert found == {"group": {"userCount": 13}}


def _kind(statement: str) -> str:
    if "FOR UPDATE" in statement:
        return "locked"
    if "UPDATE organizations" in statement:
        return "written"
    if statement.startswith("SELECT o.revision, o.viewers_revision, o.changed_at"):
        return "read"  # by a batch of membership writes
    return "looked" if statement.startswith("SELECT id, revision, viewers_revision") else ""
