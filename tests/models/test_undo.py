"""Undo: the reverse of any change of a group, as far as later changes have left something of it."""

import pytest
from hypothesis import HealthCheck, given, settings
from tortoise.context import TortoiseContext

from models.database import Row, fetch, watch_statements
from models.directory import delete_entries
from models.errors import Code
from models.groups import create_group, delete_group, groups_by_id, update_group
from models.kinds import BOTS, KINDS, USERS, Kind
from models.ledger import current_revision
from models.listing import Slice, fetch_pages
from models.membership_writes import add_members, remove_members
from models.memberships import members
from models.tables import Role
from models.tokens import create_token
from models.undo import undo_change, undoable
from models.viewer import Viewer
from tests.factories import (
    make_bot,
    make_entries,
    make_entry,
    make_group,
    make_user,
    make_users,
    viewer_of,
)
from tests.models.agreement import assert_decisions, assert_pages
from tests.models.histories import History, Taken, histories
from tests.refusals import assert_forbidden, refused, unchanged

pytestmark = pytest.mark.usefixtures("consistent")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
NOTHING = (Code.NOTHING_TO_UNDO, "changeId")


async def change_of(viewer: Viewer, revision: int | None = None) -> Row:
    """The change of a revision, or the last."""
    rows = await fetch(
        "SELECT * FROM changes WHERE organization_id = $1 AND revision = $2",
        viewer.organization_id,
        revision or await current_revision(viewer.organization_id),
    )
    return rows[0]


async def undo(viewer: Viewer, revision: int | None = None) -> int:
    """Undo the change of a revision, or the last; returns the new revision.

    Asserts that it was told to be undoable before.
    """
    change = await change_of(viewer, revision)
    assert await undoable(viewer, [change]) == {change["id"]}
    outcome = await undo_change(viewer, change["id"])
    assert (await change_of(viewer))["id"] == outcome.id
    return outcome.revision


async def assert_moot(viewer: Viewer, revision: int) -> None:
    """Assert that the change of a revision cannot be undone, and is told so beforehand."""
    change = await change_of(viewer, revision)
    assert await undoable(viewer, [change]) == set()
    async with refused(viewer, NOTHING):
        await undo_change(viewer, change["id"])


async def held(viewer: Viewer, kind: Kind, group: str) -> set[str]:
    page = (await fetch_pages(members(viewer, kind), Slice(100), [group]))[group]
    assert (await groups_by_id(viewer, [group]))[0][kind.counter] == len(page.rows)
    return {row["id"] for row in page.rows}


# ----------------------------------------------------------------------------------- memberships


@every_kind
async def test_undoing_an_addition_removes_what_it_added(viewer: Viewer, kind: Kind) -> None:
    first, second, third = await make_entries(viewer, kind, ["A", "B", "C"])
    group = await make_group(viewer, "Sales", **{kind.plural: [first]})
    await add_members(viewer, kind, group, [first, second, third])
    await undo(viewer)
    assert await held(viewer, kind, group) == {first}


@every_kind
async def test_undoing_a_removal_brings_back_what_it_removed(viewer: Viewer, kind: Kind) -> None:
    ids = await make_entries(viewer, kind, ["A", "B", "C"])
    group = await make_group(viewer, "Sales", **{kind.plural: ids})
    await remove_members(viewer, kind, group, ids[:2])
    await undo(viewer)
    assert await held(viewer, kind, group) == set(ids)


async def test_an_undo_is_a_change_that_tells_what_it_undid(viewer: Viewer) -> None:
    ada, group = await make_user(viewer), await make_group(viewer)
    added = await add_members(viewer, USERS, group, [ada])
    grace = viewer_of(viewer, ada, Role.ADMIN, "Grace Hopper")
    undone = await change_of(viewer, added.revision)
    outcome = await undo_change(grace, undone["id"])
    change = await change_of(viewer)
    assert change["action"] == "CHANGE_UNDONE"
    assert change["summary"] == (
        "Grace Hopper undid: The operator added Ada Lovelace to Sales Team"
    )
    assert (change["group_id"], change["undoes_id"]) == (group, undone["id"])
    assert (await change_of(viewer, added.revision))["undone_by_id"] == outcome.id


@every_kind
async def test_an_undo_can_be_undone_and_that_again(viewer: Viewer, kind: Kind) -> None:
    entry, group = await make_entry(viewer, kind, "A"), await make_group(viewer)
    await add_members(viewer, kind, group, [entry])
    added = (await change_of(viewer))["summary"]
    for done, expected in (("undid", set()), ("did again", {entry})) * 2:
        await undo(viewer)
        assert await held(viewer, kind, group) == expected
        assert (await change_of(viewer))["summary"] == f"The operator {done}: {added}"


@every_kind
async def test_what_later_changes_have_reversed_already_stays(viewer: Viewer, kind: Kind) -> None:
    first, second = await make_entries(viewer, kind, ["A", "B"])
    group = await make_group(viewer)
    added = await add_members(viewer, kind, group, [first, second])
    await remove_members(viewer, kind, group, [first])
    await undo(viewer, added.revision)
    assert await held(viewer, kind, group) == set()


@every_kind
async def test_a_membership_that_was_opened_anew_is_not_of_the_undone_change(
    viewer: Viewer, kind: Kind
) -> None:
    entry, group = await make_entry(viewer, kind, "A"), await make_group(viewer)
    added = await add_members(viewer, kind, group, [entry])
    removed = await remove_members(viewer, kind, group, [entry])
    await add_members(viewer, kind, group, [entry])
    await assert_moot(viewer, added.revision)
    await assert_moot(viewer, removed.revision)
    assert await held(viewer, kind, group) == {entry}


@every_kind
async def test_a_membership_that_an_undo_has_reopened_is_still_that_of_its_change(
    viewer: Viewer, kind: Kind
) -> None:
    first, second = await make_entries(viewer, kind, ["A", "B"])
    group, other = await make_group(viewer, "Sales"), await make_group(viewer, "Support")
    await add_members(viewer, kind, other, [first, second])
    added = await add_members(viewer, kind, group, [first, second])
    await remove_members(viewer, kind, group, [second])
    await undo(viewer)
    await delete_group(viewer, group)
    await undo(viewer)
    again = await undo(viewer, added.revision)
    assert await held(viewer, kind, group) == set()
    assert await held(viewer, kind, other) == {first, second}
    await undo(viewer, again)
    assert await held(viewer, kind, group) == {first, second}


@every_kind
async def test_a_membership_that_an_undo_has_reopened_is_not_that_of_other_changes(
    viewer: Viewer, kind: Kind
) -> None:
    first, second = await make_entries(viewer, kind, ["A", "B"])
    group = await make_group(viewer)
    before = await add_members(viewer, kind, group, [first])
    await remove_members(viewer, kind, group, [first])
    added = await add_members(viewer, kind, group, [first])
    await add_members(viewer, kind, group, [second])
    await remove_members(viewer, kind, group, [first, second])
    await undo(viewer)
    await assert_moot(viewer, before.revision)
    await undo(viewer, added.revision)
    assert await held(viewer, kind, group) == {second}


@every_kind
async def test_a_membership_that_an_undo_has_reopened_may_have_been_closed_again(
    viewer: Viewer, kind: Kind
) -> None:
    entry, group = await make_entry(viewer, kind, "A"), await make_group(viewer)
    added = await add_members(viewer, kind, group, [entry])
    await remove_members(viewer, kind, group, [entry])
    await undo(viewer)
    await remove_members(viewer, kind, group, [entry])
    await add_members(viewer, kind, group, [entry])
    await assert_moot(viewer, added.revision)
    assert await held(viewer, kind, group) == {entry}


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_on_sqlite_what_an_undo_has_reopened_is_looked_up_by_when_it_was_closed(
    viewer: Viewer,
) -> None:
    await make_group(viewer)
    change = await change_of(viewer)
    seen: list[str] = []
    with watch_statements(seen.append):
        await undoable(viewer, [change])
    followed = [sql for sql in seen if "RECURSIVE" in sql]
    assert len(followed) == len(KINDS)
    for sql in followed:
        plan = [row["detail"] for row in await fetch(f"EXPLAIN QUERY PLAN {sql}", *[None] * 4)]
        (step,) = [line for line in plan if "until_revision=?" in line]
        assert step.startswith("SEARCH m ")


@every_kind
async def test_who_is_deleted_meanwhile_does_not_come_back(viewer: Viewer, kind: Kind) -> None:
    first, second = await make_entries(viewer, kind, ["A", "B"])
    group = await make_group(viewer, "Sales", **{kind.plural: [first, second]})
    both = await remove_members(viewer, kind, group, [first, second])
    await delete_entries(viewer, kind, [first])
    await undo(viewer, both.revision)
    assert await held(viewer, kind, group) == {second}
    one = await remove_members(viewer, kind, group, [second])
    await delete_entries(viewer, kind, [second])
    await assert_moot(viewer, one.revision)


async def test_changes_of_a_group_that_is_deleted_are_moot(viewer: Viewer) -> None:
    ada, alan = await make_users(viewer, 2)
    group = await make_group(viewer, users=[alan])
    added = await add_members(viewer, USERS, group, [ada])
    removed = await remove_members(viewer, USERS, group, [alan])
    renamed = await update_group(viewer, group, {"name": "Support"})
    await delete_group(viewer, group)
    await assert_moot(viewer, added.revision)
    await assert_moot(viewer, removed.revision)
    await assert_moot(viewer, renamed.revision)


# ---------------------------------------------------------------------------------------- groups


async def test_undoing_a_creation_deletes_the_group(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    group = await make_group(viewer, "Sales", users=[ada])
    await undo(viewer)
    assert await groups_by_id(viewer, [group]) == []
    assert (await fetch("SELECT group_count FROM users"))[0][0] == 0


async def test_undoing_a_deletion_brings_the_group_back_with_all_it_held(viewer: Viewer) -> None:
    ids = {kind: await make_entries(viewer, kind, ["A", "B"]) for kind in KINDS}
    group = await make_group(viewer, "Sales", **{kind.plural: ids[kind] for kind in KINDS})
    await update_group(viewer, group, {"description": "They sell."})
    await remove_members(viewer, BOTS, group, ids[BOTS][:1])
    await delete_group(viewer, group)
    await delete_entries(viewer, USERS, ids[USERS][:1])
    deletion = await current_revision(viewer.organization_id) - 1
    await undo(viewer, deletion)
    row = (await groups_by_id(viewer, [group]))[0]
    assert (row["name"], row["description"]) == ("Sales", "They sell.")
    assert await held(viewer, USERS, group) == {ids[USERS][1]}
    assert await held(viewer, BOTS, group) == {ids[BOTS][1]}


async def test_undoing_a_creation_and_a_deletion_can_be_undone(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    group = await make_group(viewer, "Sales", users=[ada])
    for expected in ([], [group], [], [group]):
        await undo(viewer)
        assert [row["id"] for row in await groups_by_id(viewer, [group])] == expected
    assert await held(viewer, USERS, group) == {ada}
    await delete_group(viewer, group)
    await undo(viewer)
    assert await held(viewer, USERS, group) == {ada}


async def test_a_group_whose_name_is_in_use_cannot_come_back(viewer: Viewer) -> None:
    await delete_group(viewer, await make_group(viewer, "Sales"))
    change = await change_of(viewer)
    await make_group(viewer, "SALES")
    async with refused(viewer, (Code.TAKEN, "changeId")):
        await undo_change(viewer, change["id"])
    assert await undoable(viewer, [change]) == {change["id"]}


async def test_a_group_that_is_back_already_does_not_come_back(viewer: Viewer) -> None:
    group = await make_group(viewer, "Sales")
    deleted = await delete_group(viewer, group)
    await undo(viewer)
    again = await delete_group(viewer, group)
    await undo(viewer, again.revision)
    async with refused(viewer, NOTHING):
        await undo_change(viewer, (await change_of(viewer, deleted.revision))["id"])


async def test_undoing_an_update_gives_back_what_stood_before(viewer: Viewer) -> None:
    group = str((await create_group(viewer, "Sales", "They sell.")).id)
    await update_group(viewer, group, {"name": "Support", "description": None})
    await undo(viewer)
    row = (await groups_by_id(viewer, [group]))[0]
    assert (row["name"], row["name_key"], row["description"]) == ("Sales", "sales", "They sell.")
    await undo(viewer)
    row = (await groups_by_id(viewer, [group]))[0]
    assert (row["name"], row["description"]) == ("Support", None)


async def test_what_an_update_changed_and_a_later_one_too_stays(viewer: Viewer) -> None:
    group = str((await create_group(viewer, "Sales", "They sell.")).id)
    first = await update_group(viewer, group, {"name": "Support", "description": "They help."})
    second = await update_group(viewer, group, {"name": "Care"})
    await undo(viewer, first.revision)
    row = (await groups_by_id(viewer, [group]))[0]
    assert (row["name"], row["description"]) == ("Care", "They sell.")
    await undo(viewer)
    row = (await groups_by_id(viewer, [group]))[0]
    assert (row["name"], row["description"]) == ("Care", "They help.")
    await update_group(viewer, group, {"name": "Art"})
    await assert_moot(viewer, second.revision)


async def test_a_name_that_is_in_use_is_not_given_back(viewer: Viewer) -> None:
    group = await make_group(viewer, "Sales")
    renamed = await update_group(viewer, group, {"name": "Support"})
    await make_group(viewer, "sales")
    async with refused(viewer, (Code.TAKEN, "changeId")):
        await undo_change(viewer, (await change_of(viewer, renamed.revision))["id"])


# --------------------------------------------------------------------------- whatever came before

few_examples = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few_examples
@given(taken=histories)
async def test_undoing_the_last_change_gives_back_what_stood_before_and_the_undo_too(
    database: TortoiseContext, taken: Taken
) -> None:
    history = await History.begin(taken)
    for step in taken.steps:
        await history.take(step)
        for _ in range(2):
            if await history.undo():
                await assert_pages(history, history.viewer, history.now, None, None)
    for moment, world in history.states.items():
        await assert_decisions(history, world, moment)


@few_examples
@given(taken=histories)
async def test_undoing_every_change_from_the_last_to_the_first_gives_back_the_beginning(
    database: TortoiseContext, taken: Taken
) -> None:
    history = await History.begin(taken)
    begun = await current_revision(history.viewer.organization_id)
    expected = history.now.copy()
    for step in taken.steps:
        await history.take(step)
    for revision in range(await current_revision(history.viewer.organization_id), begun, -1):
        change = await change_of(history.viewer, revision)
        if await undoable(history.viewer, [change]):
            await undo_change(history.viewer, change["id"])
    for kind in KINDS:
        for group in history.groups:
            there = expected.groups[group][kind] & set(history.now.names[kind])
            assert await held(history.viewer, kind, group) == there


# -------------------------------------------------------------------------------------- refusals


async def test_a_change_is_undone_once(viewer: Viewer) -> None:
    group = await make_group(viewer)
    for expected in (0, 1):  # also when the undo was undone: that one can be undone again
        await undo(viewer)
        assert len(await groups_by_id(viewer, [group])) == expected
        await assert_moot(viewer, 1)


@every_kind
async def test_changes_of_the_directory_cannot_be_undone(viewer: Viewer, kind: Kind) -> None:
    entry = await make_entry(viewer, kind, "A")
    await create_token(viewer, "CLI", Role.ADMIN)
    await delete_entries(viewer, kind, [entry])
    for revision in (1, 2, 3):
        change = await change_of(viewer, revision)
        assert await undoable(viewer, [change]) == set()
        async with refused(viewer, (Code.INVALID, "changeId")):
            await undo_change(viewer, change["id"])


async def test_a_change_that_is_not_there_cannot_be_undone(viewer: Viewer, other: Viewer) -> None:
    await make_group(other)
    theirs = await change_of(other)
    for id in (theirs["id"], "chg_0", "", "\x00", "\ud800"):
        async with refused(viewer, (Code.NOT_FOUND, "changeId")), unchanged(other):
            await undo_change(viewer, id)
    assert (await undo_change(other, theirs["id"])).revision == 2


async def test_another_revision_is_a_conflict(viewer: Viewer) -> None:
    await make_group(viewer)
    change = await change_of(viewer)
    for expected in (0, 2):
        async with refused(viewer, (Code.CONFLICT, "expectedRevision")):
            await undo_change(viewer, change["id"], expected)
    await undo_change(viewer, change["id"], 1)


async def test_only_administrators_undo(viewer: Viewer) -> None:
    await make_group(viewer)
    change = await change_of(viewer)
    await assert_forbidden(viewer, lambda anyone: undo_change(anyone, change["id"]))


async def test_of_many_changes_those_that_can_be_undone_are_told(viewer: Viewer) -> None:
    users, coach = await make_users(viewer, 2), await make_bot(viewer)
    group = await make_group(viewer, users=users)
    await remove_members(viewer, USERS, group, users)
    await add_members(viewer, USERS, group, users)
    await add_members(viewer, BOTS, group, [coach])
    await remove_members(viewer, USERS, group, users)
    await undo(viewer)
    changes = await fetch("SELECT * FROM changes ORDER BY revision")
    told = await undoable(viewer, changes)
    assert [row["revision"] for row in changes if row["id"] in told] == [3, 5, 6, 8]
    assert await undoable(viewer, []) == set()
