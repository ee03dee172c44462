"""Many tasks and processes that write the same rows at once: all whole, nothing lost or doubled."""

import asyncio
import sys
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from models.access import Question, decide
from models.database import fetch
from models.directory import delete_entries
from models.errors import Code, DomainError
from models.groups import create_group, delete_group, update_group
from models.history import changes_after
from models.impact import Proposal, access_impact
from models.kinds import BOTS, KINDS, USERS, Kind
from models.ledger import current_revision
from models.membership_writes import add_members, remove_members
from models.sessions import create_sign_in_link, sign_in
from models.tokens import create_token, revoke_token
from models.undo import undo_change
from models.upserts import upsert_entries
from models.verify import differences
from models.viewer import Viewer
from tests.databases import ROOT, opened
from tests.factories import (
    make_admin,
    make_bot,
    make_entries,
    make_group,
    make_user,
    make_users,
    snapshot,
)
from tests.models.worker import quarrel

pytestmark = pytest.mark.usefixtures("consistent")


async def refusals(*writes: Awaitable[object]) -> list[Code]:
    """Run writes at once; returns the codes of those that were refused."""
    results = await asyncio.gather(*writes, return_exceptions=True)
    codes = []
    for result in results:
        if isinstance(result, DomainError):
            codes += [problem.code for problem in result.problems]
        elif isinstance(result, BaseException):
            raise result
    return codes


async def start(*arguments: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tests.models.worker", *arguments]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)


@pytest.fixture
async def ids(viewer: Viewer) -> dict[Kind, list[str]]:
    """A few of each kind."""
    return {kind: await make_entries(viewer, kind, list("ABCD")) for kind in KINDS}


@pytest.fixture
async def groups(viewer: Viewer) -> list[str]:
    """Three empty groups."""
    return [await make_group(viewer, f"Group {number}") for number in range(3)]


async def test_fifty_tasks_add_and_remove_the_same_pairs(
    viewer: Viewer, ids: dict[Kind, list[str]], groups: list[str]
) -> None:
    await asyncio.gather(*(quarrel(viewer, seed, 4, groups, ids) for seed in range(50)))
    assert await differences() == []
    assert await current_revision(viewer.organization_id) > 50


async def test_several_processes_add_and_remove_the_same_pairs(
    viewer: Viewer, database_url: str, ids: dict[Kind, list[str]], groups: list[str]
) -> None:
    before = await current_revision(viewer.organization_id)
    others = [await start("quarrel", database_url, str(seed), "20") for seed in (100, 200, 300)]
    ours = asyncio.gather(*(quarrel(viewer, seed, 30, groups, ids) for seed in range(3)))
    assert [await process.wait() for process in others] == [0, 0, 0]
    await ours
    assert await differences() == []
    assert await current_revision(viewer.organization_id) > before + 50


async def test_a_process_that_is_killed_in_a_write_leaves_nothing_of_it(
    viewer: Viewer, database_url: str, groups: list[str]
) -> None:
    before = await snapshot(viewer.organization_id)
    process = await start("hang", database_url)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"written\n"
    process.kill()
    await process.wait()
    assert await snapshot(viewer.organization_id) == before
    await update_group(viewer, groups[0], {"name": "Still here"})


async def test_of_many_who_expect_one_revision_one_writes(viewer: Viewer) -> None:
    writes = (create_group(viewer, f"Group {n}", expected_revision=0) for n in range(12))
    assert await refusals(*writes) == [Code.CONFLICT] * 11
    assert await current_revision(viewer.organization_id) == 1


async def test_of_many_who_want_one_name_one_gets_it(viewer: Viewer) -> None:
    writes = (create_group(viewer, name) for name in ["Sales", "SALES", "sales"] * 4)
    assert await refusals(*writes) == [Code.TAKEN] * 11


async def test_a_pair_that_many_add_at_once_is_added_once(viewer: Viewer) -> None:
    users, group = await make_users(viewer, 3), await make_group(viewer)
    before = await current_revision(viewer.organization_id)
    outcomes = await asyncio.gather(*(add_members(viewer, USERS, group, users) for _ in range(12)))
    assert sorted(len(outcome.changed) for outcome in outcomes) == [0] * 11 + [3]
    assert {outcome.revision for outcome in outcomes} == {before + 1}


async def test_a_user_that_many_import_at_once_is_imported_once(viewer: Viewer) -> None:
    ada = {"name": "Ada", "email": "ada@example.com", "external_id": "1"}
    outcomes = await asyncio.gather(*(upsert_entries(viewer, USERS, [ada]) for _ in range(12)))
    assert len({outcome.changed[0] for outcome in outcomes}) == 1
    assert await current_revision(viewer.organization_id) == 1


async def test_of_two_last_administrators_one_stays(viewer: Viewer) -> None:
    admins = [await make_admin(viewer, name) for name in ("First", "Second")]
    writes = (delete_entries(viewer, USERS, [admin]) for admin in admins)
    assert await refusals(*writes) == [Code.LAST_ADMIN]


async def test_adding_to_what_another_deletes_leaves_no_open_membership(viewer: Viewer) -> None:
    for number in range(5):
        ada, group = await make_user(viewer), await make_group(viewer, f"Group {number}")
        bots = await make_entries(viewer, BOTS, ["A", "B"])
        codes = await refusals(
            add_members(viewer, USERS, group, [ada]),
            delete_entries(viewer, USERS, [ada]),
            add_members(viewer, BOTS, group, bots),
            delete_group(viewer, group),
        )
        assert set(codes) <= {Code.NOT_FOUND}
    for kind in (USERS, BOTS):
        rows = await fetch(f"SELECT 1 FROM {kind.memberships} WHERE until_revision IS NULL")
        assert rows == []


async def test_organizations_write_at_once(viewer: Viewer, other: Viewer) -> None:
    await asyncio.gather(
        *(make_group(one, f"Group {number}") for number in range(10) for one in (viewer, other))
    )
    assert await current_revision(viewer.organization_id) == 10
    assert await current_revision(other.organization_id) == 10


async def test_one_connection_is_enough_for_every_verb(viewer: Viewer, database_url: str) -> None:
    async with opened(database_url, pool_size=1), asyncio.timeout(20):
        admin, ada = await make_admin(viewer), await make_user(viewer)
        coach, group = await make_bot(viewer), await make_group(viewer, users=[ada])
        await add_members(viewer, BOTS, group, [coach])
        assert len((await access_impact(viewer, Proposal(group))).losses) == 1
        assert (await decide(viewer, [Question(ada, BOTS, coach)]))[0].allowed
        outcome = await remove_members(viewer, BOTS, group, [coach])
        (change,) = await changes_after(viewer.organization_id, outcome.revision - 1, 1)
        await undo_change(viewer, change["id"])
        await update_group(viewer, group, {"name": "Support"})
        token, _ = await create_token(viewer, "CLI", user_id=ada)
        await revoke_token(viewer, str(token.id))
        await sign_in(await create_sign_in_link(viewer.organization_id, admin), timedelta(days=1))
        await delete_entries(viewer, USERS, [ada])
        await delete_group(viewer, group)
        assert await differences() == []
