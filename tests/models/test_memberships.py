"""Putting users, bots and personas into groups, and taking them out. One set of tests for all."""

import json
from collections.abc import Awaitable, Callable, Sequence

import pytest

from models.database import Row, fetch
from models.directory import IDS_AT_ONCE, delete_entries
from models.errors import Code
from models.groups import create_group, delete_group, groups_by_id
from models.kinds import KINDS, USERS, Kind
from models.ledger import Outcome, current_revision
from models.listing import Slice, fetch_pages
from models.membership_writes import add_members, remove_members
from models.memberships import members
from models.viewer import Viewer
from tests.factories import make_entries, make_entry, make_group, make_users
from tests.refusals import assert_forbidden, refused, unchanged

pytestmark = [
    pytest.mark.usefixtures("consistent"),
    pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun),
]

Verb = Callable[..., Awaitable[Outcome]]

BOTH_VERBS = pytest.mark.parametrize("verb", [add_members, remove_members])


async def held(viewer: Viewer, kind: Kind, group: str, moment: int | None = None) -> list[str]:
    listing = members(viewer, kind, moment=moment)
    page = (await fetch_pages(listing, Slice(2_000), [group]))[group]
    return [row["id"] for row in page.rows]


async def last_change() -> Row:
    return (await fetch("SELECT * FROM changes ORDER BY revision DESC LIMIT 1"))[0]


async def counts(viewer: Viewer, kind: Kind, group: str, entry_ids: Sequence[str]) -> list[int]:
    """The group's counter, and then that of each member."""
    rows = await fetch(f"SELECT id, group_count FROM {kind.table}")
    by_id = {row["id"]: row["group_count"] for row in rows}
    counted = (await groups_by_id(viewer, [group]))[0][kind.counter]
    return [counted, *(by_id[id] for id in entry_ids)]


async def test_adding_puts_them_into_the_group(viewer: Viewer, kind: Kind) -> None:
    ids, group = await make_entries(viewer, kind, ["A", "B", "C"]), await make_group(viewer)
    outcome = await add_members(viewer, kind, group, ids[:2])
    assert outcome.changed == ids[:2]
    assert outcome.id == group
    assert await held(viewer, kind, group) == ids[:2]
    assert await counts(viewer, kind, group, ids) == [2, 1, 1, 0]
    row = (await groups_by_id(viewer, [group]))[0]
    assert row["updated_revision"] == outcome.revision
    assert row["updated_at"] > row["created_at"]


async def test_removing_takes_them_out_of_the_group(viewer: Viewer, kind: Kind) -> None:
    ids = await make_entries(viewer, kind, ["A", "B", "C"])
    group = await make_group(viewer, "Sales", **{kind.plural: ids})
    other_group = await make_group(viewer, "Support", **{kind.plural: ids})
    outcome = await remove_members(viewer, kind, group, [ids[2], ids[0]])
    assert outcome.changed == [ids[2], ids[0]]
    assert await held(viewer, kind, group) == [ids[1]]
    assert await held(viewer, kind, other_group) == ids
    assert await counts(viewer, kind, group, ids) == [1, 1, 2, 1]


async def test_adding_and_removing_are_told_in_the_ledger(viewer: Viewer, kind: Kind) -> None:
    ids, group = await make_entries(viewer, kind, ["A", "B", "C"]), await make_group(viewer)
    await add_members(viewer, kind, group, ids[:1])
    change = await last_change()
    assert change["action"] == kind.added
    assert change["summary"] == "The operator added A to Sales Team"
    assert (change["group_id"], change["group_name"]) == (group, "Sales Team")
    await add_members(viewer, kind, group, ids)
    change = await last_change()
    assert change["summary"] == f"The operator added 2 {kind.plural} to Sales Team"
    assert json.loads(change["details"]) == {kind.plural: ids[1:]}
    await remove_members(viewer, kind, group, ids[:1])
    change = await last_change()
    assert change["action"] == kind.removed
    assert change["summary"] == "The operator removed A from Sales Team"
    assert json.loads(change["details"]) == {kind.plural: ids[:1]}


async def test_what_is_there_is_not_added_again(viewer: Viewer, kind: Kind) -> None:
    ids, group = await make_entries(viewer, kind, ["A", "B"]), await make_group(viewer)
    first = await add_members(viewer, kind, group, ids)
    async with unchanged(viewer):
        again = await add_members(viewer, kind, group, ids)
    assert (again.revision, again.changed) == (first.revision, [])


async def test_what_is_not_there_is_not_removed(viewer: Viewer, kind: Kind) -> None:
    ids = await make_entries(viewer, kind, ["A", "B"])
    group = await make_group(viewer, "Sales", **{kind.plural: ids[:1]})
    revision = await current_revision(viewer.organization_id)
    async with unchanged(viewer):
        outcome = await remove_members(viewer, kind, group, ids[1:])
    assert (outcome.revision, outcome.changed) == (revision, [])


@BOTH_VERBS
async def test_naming_nobody_is_no_change(viewer: Viewer, kind: Kind, verb: Verb) -> None:
    group = await make_group(viewer)
    async with unchanged(viewer):
        assert (await verb(viewer, kind, group, [])).changed == []


async def test_naming_one_twice_counts_once(viewer: Viewer, kind: Kind) -> None:
    ids, group = await make_entries(viewer, kind, ["A", "B"]), await make_group(viewer)
    outcome = await add_members(viewer, kind, group, [ids[1], ids[0], ids[1]])
    assert outcome.changed == [ids[1], ids[0]]
    assert await counts(viewer, kind, group, ids) == [2, 1, 1]
    outcome = await remove_members(viewer, kind, group, [ids[0], ids[0]])
    assert outcome.changed == [ids[0]]
    assert await counts(viewer, kind, group, ids) == [1, 0, 1]


async def test_coming_back_opens_a_new_interval(viewer: Viewer, kind: Kind) -> None:
    member, group = await make_entry(viewer, kind, "A"), await make_group(viewer)
    revisions = []
    for verb in (add_members, remove_members, add_members, remove_members):
        revisions.append((await verb(viewer, kind, group, [member])).revision)
    rows = await fetch(
        f"SELECT since_revision, until_revision FROM {kind.memberships} ORDER BY since_revision"
    )
    assert [tuple(row) for row in rows] == [tuple(revisions[:2]), tuple(revisions[2:])]
    for moment, found in zip(revisions, ([member], [], [member], []), strict=True):
        assert await held(viewer, kind, group, moment) == found
    assert await held(viewer, kind, group, revisions[0] - 1) == []


async def test_what_is_deleted_leaves_its_groups(viewer: Viewer, kind: Kind) -> None:
    ids = await make_entries(viewer, kind, ["A", "B"])
    group = await make_group(viewer, "Sales", **{kind.plural: ids})
    outcome = await delete_entries(viewer, kind, ids[:1])
    assert await held(viewer, kind, group) == ids[1:]
    assert await held(viewer, kind, group, outcome.revision - 1) == ids
    row = (await groups_by_id(viewer, [group]))[0]
    assert (row[kind.counter], row["updated_revision"]) == (1, outcome.revision)
    async with refused(viewer, (Code.NOT_FOUND, kind.ids_field, "0")):
        await add_members(viewer, kind, group, ids[:1])


@BOTH_VERBS
async def test_those_who_are_not_there_are_each_named(
    viewer: Viewer, other: Viewer, kind: Kind, verb: Verb
) -> None:
    group = await make_group(viewer)
    mine, theirs = await make_entry(viewer, kind, "A"), await make_entry(other, kind, "A")
    field = kind.ids_field
    unknown = ["", "\x00", "\ud800", theirs, "grp_1"]
    problems = [(Code.NOT_FOUND, field, str(place)) for place in range(1, 6)]
    async with refused(viewer, *problems), unchanged(other):
        await verb(viewer, kind, group, [mine, *unknown])


@BOTH_VERBS
async def test_a_group_that_is_not_there_is_not_changed(
    viewer: Viewer, other: Viewer, kind: Kind, verb: Verb
) -> None:
    member, theirs = await make_entry(viewer, kind, "A"), await make_group(other)
    gone = await make_group(viewer)
    await delete_group(viewer, gone)
    for group in (theirs, gone, "grp_0", "\x00"):
        async with refused(viewer, (Code.NOT_FOUND, "groupId")), unchanged(other):
            await verb(viewer, kind, group, [member])


@BOTH_VERBS
async def test_more_than_are_allowed_at_once_are_refused(
    viewer: Viewer, kind: Kind, verb: Verb
) -> None:
    group = await make_group(viewer)
    async with refused(viewer, (Code.TOO_MANY, kind.ids_field)):
        await verb(viewer, kind, group, [f"{kind.prefix}_0"] * (IDS_AT_ONCE + 1))


@BOTH_VERBS
async def test_another_revision_is_a_conflict(viewer: Viewer, kind: Kind, verb: Verb) -> None:
    member, group = await make_entry(viewer, kind, "A"), await make_group(viewer)
    revision = await current_revision(viewer.organization_id)
    for expected in (revision - 1, revision + 1, 0, -1):
        async with refused(viewer, (Code.CONFLICT, "expectedRevision")):
            await verb(viewer, kind, group, [member], expected)
    await verb(viewer, kind, group, [member], revision)


@BOTH_VERBS
async def test_only_administrators_add_and_remove(viewer: Viewer, kind: Kind, verb: Verb) -> None:
    member = await make_entry(viewer, kind, "A")
    group = await make_group(viewer, "Sales", **{kind.plural: [member]})
    await assert_forbidden(viewer, lambda anyone: verb(anyone, kind, group, [member]))


async def test_a_thousand_are_added_and_removed_at_once(viewer: Viewer, kind: Kind) -> None:
    ids = await make_entries(viewer, kind, [f"{number:04}" for number in range(IDS_AT_ONCE)])
    group = await make_group(viewer)
    assert (await add_members(viewer, kind, group, ids)).changed == ids
    assert await held(viewer, kind, group) == ids
    assert (await remove_members(viewer, kind, group, ids)).changed == ids
    assert await held(viewer, kind, group) == []


async def test_a_renamed_member_moves_within_the_page(viewer: Viewer, kind: Kind) -> None:
    values = {"email": "a@example.com"} if kind is USERS else {}
    ada = await make_entry(viewer, kind, "Ada", external_id="1", **values)
    grace = await make_entry(viewer, kind, "Grace")
    group = await make_group(viewer, "Sales", **{kind.plural: [ada, grace]})
    await make_entry(viewer, kind, "Zoe", external_id="1", **values)
    assert await held(viewer, kind, group) == [grace, ada]


async def test_a_group_of_each_kind_counts_each_apart(viewer: Viewer, kind: Kind) -> None:
    users = await make_users(viewer, 2)
    ids = await make_entries(viewer, kind, ["A", "B", "C"])
    outcome = await create_group(viewer, "Sales", None, {"user": users, kind.noun: ids})
    group = (await groups_by_id(viewer, [str(outcome.id)]))[0]
    expected = {"user_count": 2, "bot_count": 0, "persona_count": 0} | {kind.counter: 3}
    assert {counter: group[counter] for counter in expected} == expected
