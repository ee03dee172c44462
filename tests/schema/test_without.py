"""The service without what makes it fast: slower, and the same."""

import gc

import pytest

from models.database import fetch, is_postgres
from models.organizations import create_organization
from schema.plans import Compiler, Plan
from tests.client import asker, serving
from tests.schema.organizations import furnish

QUERY = """{
    groups { nodes { name users { edges { addedAt node { name } } } bots { totalCount } } }
    users { nodes { email bots { edges { node { features } via { name } } } } }
}"""


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


@pytest.mark.parametrize("without", ["", "plans", "prepared", "frozen", "plans,prepared,frozen"])
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
