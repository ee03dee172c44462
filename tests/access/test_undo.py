"""Undo: the reverse of a change, as a new change; and whether it can be told beforehand."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext

from models.directory import delete_entries
from models.errors import Code, DomainError
from models.groups import delete_group, update_group
from models.history import changes, changes_by_id
from models.kinds import KINDS, PERSONAS, USERS
from models.listing import Slice, fetch_page
from models.membership_writes import add_members, remove_members
from models.tables import Action
from models.undo import undo_change, undoable
from models.verify import differences
from models.viewer import Viewer
from tests.access.world import Step, World, state_of, steps
from tests.factories import count_statements, make_entries, make_group

IN_QUESTION = {Code.NOTHING_TO_UNDO, Code.INVALID}


async def ledger(viewer: Viewer) -> list[Any]:
    """Every change, newest first."""
    return list((await fetch_page(changes(viewer), Slice(100))).rows)


async def newest(viewer: Viewer) -> Any:
    """The last change."""
    return (await ledger(viewer))[0]


async def code_of_undo(viewer: Viewer, change_id: str) -> Code | None:
    """Why an undo was refused; None if it was done."""
    try:
        await undo_change(viewer, change_id)
    except DomainError as error:
        (problem,) = error.problems
        return problem.code
    return None


@settings(settings.get_profile("access"), max_examples=60)
@given(history=st.lists(steps, max_size=8), last=steps)
async def test_undoing_the_last_change_restores_exactly_the_state_before_it(
    database: TortoiseContext, history: list[Step], last: Step
) -> None:
    world = await World.make()
    for step in history:
        await world.take(step)
    before = world.state
    if not await world.take(last):
        return
    after, change = world.state, await newest(world.viewer)
    if not await undoable(world.viewer, [change]):
        assert change["group_id"] is None
        return

    undo = (await undo_change(world.viewer, change["id"])).id
    assert await world.look() == before
    redo = (await undo_change(world.viewer, str(undo))).id
    assert await world.look() == after
    await undo_change(world.viewer, str(redo))
    assert await world.look() == before
    assert await differences(world.viewer.organization_id) == []


@settings(settings.get_profile("access"), max_examples=40)
@given(history=st.lists(steps, max_size=12), numbers=st.lists(st.integers(0, 16), max_size=8))
async def test_undoable_says_what_an_undo_then_finds(
    database: TortoiseContext, history: list[Step], numbers: list[int]
) -> None:
    world = await World.make()
    for step in history:
        await world.take(step)
    for number in numbers:
        told = await ledger(world.viewer)
        change = told[number % len(told)]
        can_be_undone = change["id"] in await undoable(world.viewer, told)
        before = world.state

        code = await code_of_undo(world.viewer, change["id"])

        after = await world.look()
        if code is None:
            assert can_be_undone
            assert after.revision == before.revision + 1
        else:
            assert can_be_undone == (code is Code.TAKEN)
            assert code is Code.TAKEN or code in IN_QUESTION
            assert (after, after.revision) == (before, before.revision)
    assert await differences(world.viewer.organization_id) == []


# ------------------------------------------------------------------------------------ by example


async def test_a_deleted_group_comes_back_with_its_name_and_those_who_still_exist(
    viewer: Viewer, consistent: None
) -> None:
    ids = {kind: await make_entries(viewer, kind, ["Stays", "Goes"]) for kind in KINDS}
    group = await make_group(viewer, "Sales", **{kind.plural: ids[kind] for kind in KINDS})
    await update_group(viewer, group, {"description": "They sell."})
    await delete_group(viewer, group)
    deletion = await newest(viewer)
    for kind in KINDS:
        await delete_entries(viewer, kind, ids[kind][1:])

    await undo_change(viewer, deletion["id"])

    team = (await state_of(viewer)).teams[group]
    assert (team.name, team.description) == ("Sales", "They sell.")
    assert team.held == {kind: frozenset(ids[kind][:1]) for kind in KINDS}
    undo = await newest(viewer)
    assert undo["action"] == Action.CHANGE_UNDONE
    assert undo["summary"].startswith("The operator undid: The operator deleted Sales")
    assert undo["undoes_id"] == deletion["id"]
    (undone,) = await changes_by_id(viewer, [deletion["id"]])
    assert undone["undone_by_id"] == undo["id"]


async def test_what_still_stands_of_a_change_is_undone(viewer: Viewer, consistent: None) -> None:
    personas = await make_entries(viewer, PERSONAS, ["One", "Two", "Three"])
    group = await make_group(viewer)
    await add_members(viewer, PERSONAS, group, personas)
    addition = await newest(viewer)
    await remove_members(viewer, PERSONAS, group, personas[:1])
    await add_members(viewer, PERSONAS, group, personas[:1])
    await undo_change(viewer, addition["id"])
    team = (await state_of(viewer)).teams[group]
    assert team.held[PERSONAS] == frozenset(personas[:1])  # by a later write


async def test_a_hundred_changes_are_judged_in_the_statements_of_one(viewer: Viewer) -> None:
    users = await make_entries(viewer, USERS, [f"User {n}" for n in range(20)])
    group = await make_group(viewer)
    for user in users:
        await add_members(viewer, USERS, group, [user])
    told = await ledger(viewer)
    with count_statements() as one:
        await undoable(viewer, told[:1])
    with count_statements() as many:
        found = await undoable(viewer, told)
    assert len(many) == len(one)
    assert len(found) == 21
