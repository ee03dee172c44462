"""Organizations: made, listed and found by the operator."""

import pytest
from tortoise.context import TortoiseContext

from models.database import fetch
from models.directory import organization
from models.errors import Code, DomainError
from models.organizations import all_organizations, create_organization, find_organization
from models.tables import ActorKind, Role
from models.text import NAME_LENGTH

pytestmark = pytest.mark.usefixtures("consistent")


async def test_a_new_organization_is_empty_and_has_an_operator(database: TortoiseContext) -> None:
    viewer = await create_organization("  Acme Inc. ")
    assert (viewer.role, viewer.kind, viewer.user_id) == (Role.ADMIN, ActorKind.OPERATOR, None)
    row = await organization(viewer)
    assert (row["name"], row["name_key"]) == ("Acme Inc.", "acme inc.")
    counters = ("revision", "group_count", "user_count", "bot_count", "persona_count")
    assert [row[column] for column in counters] == [0] * 5
    assert row["created_at"] == row["changed_at"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (" ", Code.BLANK),
        ("x" * (NAME_LENGTH + 1), Code.TOO_LONG),
        ("a\x00", Code.INVALID),
        ("ACME", Code.TAKEN),
    ],
)
async def test_an_organization_needs_a_good_name_of_its_own(
    database: TortoiseContext, name: str, code: Code
) -> None:
    await create_organization("Acme")
    with pytest.raises(DomainError) as refusal:
        await create_organization(name)
    assert [(problem.code, problem.field) for problem in refusal.value.problems] == [
        (code, ("name",))
    ]
    assert (await fetch("SELECT COUNT(*) FROM organizations"))[0][0] == 1


async def test_organizations_are_listed_by_name(database: TortoiseContext) -> None:
    for name in ("Zebra", "acme", "Öl"):
        await create_organization(name)
    assert [row["name"] for row in await all_organizations()] == ["acme", "Zebra", "Öl"]


async def test_an_organization_is_found_by_name_in_any_case(database: TortoiseContext) -> None:
    made = await create_organization("Straße")
    assert await find_organization(" STRASSE ") == made
    assert await find_organization("Strase") is None
