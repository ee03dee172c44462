"""`verify` finds every kind of damage, tells it, and changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase

import pytest

from models import verify
from models.database import fetch, transaction
from models.groups import create_group
from models.verify import KEYS, TOLD, checks, differences, differences_here
from models.viewer import Viewer
from tests.commands.damage import Damage, damaged, damages, make_history
from tests.commands.running import manage, refusal
from tests.factories import make_group
from tests.refusals import unchanged


@pytest.fixture
async def acme(viewer: Viewer, other: Viewer) -> AsyncIterator[Viewer]:
    """The viewer of an organization with a history, which is all right before and after."""
    await make_history(viewer)
    async with unchanged(viewer):
        assert await differences() == []
        yield viewer


async def test_every_damage_is_told(acme: Viewer) -> None:
    for damage in damages():
        async with damaged(damage):
            told = await differences_here()
        assert any(fnmatchcase(sentence, damage.told) for sentence in told), (damage, told)


async def test_every_check_has_a_damage_that_it_finds(acme: Viewer) -> None:
    names = {check.name for check in checks()} | {f"the {key} of {table}" for table, _, key in KEYS}
    assert {damage.check for damage in damages()} == names


async def test_only_the_organization_that_is_asked_for_is_looked_at(
    acme: Viewer, other: Viewer
) -> None:
    one_of_each = {damage.told.startswith("Other"): damage for damage in damages()}
    for is_of_other, damage in one_of_each.items():
        async with damaged(damage):
            assert bool(await differences_here(other.organization_id)) is is_of_other


async def test_only_the_keys_of_the_organization_that_is_asked_for_are_looked_at(
    acme: Viewer, other: Viewer
) -> None:
    of_keys = [damage for damage in damages() if "has a wrong" in damage.told]
    statements = tuple(statement for damage in of_keys for statement in damage.statements)
    async with damaged(Damage("", "", statements)):
        told = await differences_here(acme.organization_id)
        assert await differences_here(other.organization_id) == []
    for damage in of_keys:
        assert any(fnmatchcase(sentence, damage.told) for sentence in told), damage


async def test_of_many_differences_of_a_kind_it_tells_some(viewer: Viewer) -> None:
    for number in range(TOLD + 2):
        await make_group(viewer, f"Group {number}")
    async with transaction():
        await fetch("UPDATE groups SET user_count = 1, name_key = name")
    told = await differences()
    assert len(told) == 2 * (TOLD + 1)
    assert told[TOLD] == "… and more of the kind: the users that a group counts."
    assert told[-1] == "… and more of the kind: the name_key of groups."


async def test_keys_are_looked_at_however_many_rows_there_are(
    acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "ROWS_AT_ONCE", 2)
    async with damaged(Damage("", "", ("UPDATE bots SET name_key = 'wrong'",))):
        told = await differences_here(acme.organization_id)
    assert len([sentence for sentence in told if "wrong name_key" in sentence]) == 3


async def test_what_is_being_written_is_no_difference(acme: Viewer) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def write_slowly() -> None:
        async with transaction():
            await fetch("UPDATE groups SET user_count = user_count + 1")
            begun.set()
            await done.wait()
            await fetch("UPDATE groups SET user_count = user_count - 1")

    writing = asyncio.create_task(write_slowly())
    await begun.wait()
    assert await differences() == []
    done.set()
    await writing


async def test_the_command_tells_that_all_is_well(acme: Viewer, database_url: str) -> None:
    for arguments in ([], ["--organization", "acme"]):
        ran = await manage(database_url, "verify", *arguments)
        assert (ran.out, ran.said) == ("", ["No problems were found."])


async def test_the_command_tells_differences_and_exits_with_1(
    viewer: Viewer, database_url: str
) -> None:
    await create_group(viewer, "Sales")
    async with transaction():
        await fetch("UPDATE groups SET bot_count = 7")
    ran = await manage(database_url, "verify", code=1)
    assert ran.out == "Acme: the group Sales counts 7 bots, and holds 0.\n"
    assert ran.said == []


async def test_an_unknown_organization_is_refused(viewer: Viewer, database_url: str) -> None:
    said = await refusal(database_url, "verify", "--organization", "Nope")
    assert said.startswith("There is no organization “Nope”.")
