"""Groups: creating, renaming, describing and deleting them."""

import json

import pytest

from models.database import Row, fetch
from models.directory import IDS_AT_ONCE, organization
from models.errors import Code
from models.groups import create_group, delete_group, groups, groups_by_id, groups_of, update_group
from models.kinds import BOTS, KINDS, PERSONAS, USERS
from models.ledger import current_revision
from models.listing import Slice, fetch_page, fetch_pages
from models.memberships import added_members, available, members
from models.text import DESCRIPTION_LENGTH, NAME_LENGTH
from models.viewer import Viewer
from tests.factories import (
    make_bot,
    make_entry,
    make_group,
    make_persona,
    make_user,
    make_users,
)
from tests.refusals import assert_forbidden, refused, unchanged

pytestmark = pytest.mark.usefixtures("consistent")

BAD_NAMES = pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", Code.BLANK),
        (" \t\n", Code.BLANK),
        ("x" * (NAME_LENGTH + 1), Code.TOO_LONG),
        ("Sales\x00Team", Code.INVALID),
        ("Sales\nTeam", Code.INVALID),
        ("Sales \ud800", Code.INVALID),
    ],
)


async def find(viewer: Viewer, group_id: str) -> Row:
    return (await groups_by_id(viewer, [group_id]))[0]


async def names(viewer: Viewer) -> list[str]:
    return [row["name"] for row in (await fetch_page(groups(viewer), Slice(100))).rows]


async def last_change() -> Row:
    return (await fetch("SELECT * FROM changes ORDER BY revision DESC LIMIT 1"))[0]


# -------------------------------------------------------------------------------------- creating


async def test_a_group_is_created_with_what_it_holds(viewer: Viewer) -> None:
    users, bot, persona = (
        await make_users(viewer, 2),
        await make_bot(viewer),
        await make_persona(viewer),
    )
    before = await current_revision(viewer.organization_id)
    outcome = await create_group(
        viewer,
        "  Sales Team ",
        "Those who\nsell.",
        {"user": users, "bot": [bot], "persona": [persona]},
    )
    assert outcome.revision == before + 1
    group = await find(viewer, str(outcome.id))
    assert (group["name"], group["description"]) == ("Sales Team", "Those who\nsell.")
    assert (group["user_count"], group["bot_count"], group["persona_count"]) == (2, 1, 1)
    assert group["created_at"] == group["updated_at"]
    assert group["since_revision"] == group["updated_revision"] == outcome.revision
    assert (await organization(viewer))["group_count"] == 1


async def test_a_group_may_be_created_empty_and_undescribed(viewer: Viewer) -> None:
    outcome = await create_group(viewer, "Sales", "  ")
    group = await find(viewer, str(outcome.id))
    assert group["description"] is None
    assert [group[kind.counter] for kind in KINDS] == [0, 0, 0]


async def test_creating_a_group_is_one_change_that_names_all_it_holds(viewer: Viewer) -> None:
    users, bot = await make_users(viewer, 2), await make_bot(viewer)
    outcome = await create_group(viewer, "Sales", None, {"user": users, "bot": [bot]})
    change = await last_change()
    assert change["revision"] == outcome.revision
    assert change["action"] == "GROUP_CREATED"
    assert (change["group_id"], change["group_name"]) == (outcome.id, "Sales")
    assert change["summary"] == "The operator created Sales"
    details = json.loads(change["details"])
    assert details == {"users": users, "bots": [bot], "personas": []}


async def test_a_member_that_is_named_twice_is_in_the_group_once(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    outcome = await create_group(viewer, "Sales", None, {"user": [ada, ada]})
    assert (await find(viewer, str(outcome.id)))["user_count"] == 1


@BAD_NAMES
async def test_a_group_needs_a_good_name(viewer: Viewer, name: str, code: Code) -> None:
    async with refused(viewer, (code, "name")):
        await create_group(viewer, name)


@pytest.mark.parametrize(
    ("description", "code"),
    [("x" * (DESCRIPTION_LENGTH + 1), Code.TOO_LONG), ("a\x1bb", Code.INVALID)],
)
async def test_a_description_must_be_short_and_shown(
    viewer: Viewer, description: str, code: Code
) -> None:
    async with refused(viewer, (code, "description")):
        await create_group(viewer, "Sales", description)


async def test_all_that_is_wrong_with_the_texts_is_told_at_once(viewer: Viewer) -> None:
    async with refused(viewer, (Code.BLANK, "name"), (Code.TOO_LONG, "description")):
        await create_group(viewer, " ", "x" * (DESCRIPTION_LENGTH + 1))


@pytest.mark.parametrize("name", ["Straße", "STRASSE", " strasse "])
async def test_a_name_in_another_case_is_taken(viewer: Viewer, name: str) -> None:
    await make_group(viewer, "Strasse")
    async with refused(viewer, (Code.TAKEN, "name")):
        await create_group(viewer, name)


async def test_a_name_in_another_composition_is_taken(viewer: Viewer) -> None:
    await make_group(viewer, "Zoe\u0308")
    async with refused(viewer, (Code.TAKEN, "name")):
        await create_group(viewer, "ZO\u00cb")


async def test_the_name_of_a_deleted_group_is_free(viewer: Viewer) -> None:
    await delete_group(viewer, await make_group(viewer, "Sales"))
    await make_group(viewer, "sales")


async def test_another_organization_may_use_the_same_name(viewer: Viewer, other: Viewer) -> None:
    await make_group(viewer, "Sales")
    await make_group(other, "Sales")
    assert await names(viewer) == await names(other) == ["Sales"]


async def test_a_group_cannot_be_created_with_what_is_not_there(
    viewer: Viewer, other: Viewer
) -> None:
    ada, theirs = await make_user(viewer), await make_user(other)
    async with refused(viewer, (Code.NOT_FOUND, "userIds", "1"), (Code.NOT_FOUND, "userIds", "2")):
        await create_group(viewer, "Sales", None, {"user": [ada, theirs, "usr_0"]})
    for kind in KINDS:
        async with refused(viewer, (Code.NOT_FOUND, kind.ids_field, "0")):
            await create_group(viewer, "Sales", None, {kind.noun: ["\x00"]})


async def test_a_group_cannot_be_created_with_too_many(viewer: Viewer) -> None:
    async with refused(viewer, (Code.TOO_MANY, "botIds")):
        await create_group(viewer, "Sales", None, {"bot": ["bot_0"] * (IDS_AT_ONCE + 1)})


async def test_as_many_as_are_allowed_at_once_are_created_with_a_group(viewer: Viewer) -> None:
    users = await make_users(viewer, IDS_AT_ONCE)
    group = await make_group(viewer, "Sales", users=users)
    assert (await find(viewer, group))["user_count"] == IDS_AT_ONCE


# -------------------------------------------------------------------------------------- updating


async def test_a_group_is_renamed(viewer: Viewer) -> None:
    group = await make_group(viewer, "Sales")
    outcome = await update_group(viewer, group, {"name": "Marketing"})
    row = await find(viewer, group)
    assert (row["name"], row["name_key"]) == ("Marketing", "marketing")
    assert row["updated_revision"] == outcome.revision
    assert row["updated_at"] > row["created_at"]
    change = await last_change()
    assert change["summary"] == "The operator renamed Sales to Marketing"
    assert change["group_name"] == "Sales"
    assert json.loads(change["details"])["before"] == {"name": "Sales"}


async def test_a_description_is_changed_and_taken_away(viewer: Viewer) -> None:
    group = await make_group(viewer, "Sales")
    await update_group(viewer, group, {"description": "They sell."})
    assert (await find(viewer, group))["description"] == "They sell."
    assert (await last_change())["summary"] == "The operator changed the description of Sales"
    await update_group(viewer, group, {"description": None})
    assert (await find(viewer, group))["description"] is None
    assert json.loads((await last_change())["details"])["before"] == {"description": "They sell."}


async def test_what_an_update_leaves_out_stays(viewer: Viewer) -> None:
    group = str((await create_group(viewer, "Sales", "They sell.")).id)
    await update_group(viewer, group, {"name": "Marketing"})
    assert (await find(viewer, group))["description"] == "They sell."
    await update_group(viewer, group, {"name": None, "description": "They shout."})
    row = await find(viewer, group)
    assert (row["name"], row["description"]) == ("Marketing", "They shout.")


async def test_a_group_may_change_the_case_of_its_own_name(viewer: Viewer) -> None:
    group = await make_group(viewer, "sales")
    await update_group(viewer, group, {"name": "SALES"})
    assert await names(viewer) == ["SALES"]


async def test_an_update_that_changes_nothing_is_no_change(viewer: Viewer) -> None:
    group = str((await create_group(viewer, "Sales", "They sell.")).id)
    revision = await current_revision(viewer.organization_id)
    async with unchanged(viewer):
        for changes in ({}, {"name": " Sales "}, {"name": None}, {"description": "They sell. "}):
            assert (await update_group(viewer, group, changes)).revision == revision


@BAD_NAMES
async def test_a_group_cannot_lose_its_name(viewer: Viewer, name: str, code: Code) -> None:
    group = await make_group(viewer)
    async with refused(viewer, (code, "name")):
        await update_group(viewer, group, {"name": name})


async def test_a_group_cannot_take_the_name_of_another(viewer: Viewer) -> None:
    await make_group(viewer, "Sales")
    group = await make_group(viewer, "Marketing")
    async with refused(viewer, (Code.TAKEN, "name")):
        await update_group(viewer, group, {"name": "SALES", "description": "Not written."})


# -------------------------------------------------------------------------------------- deleting


async def test_a_deleted_group_is_gone_with_its_memberships(viewer: Viewer) -> None:
    held = {kind.plural: [await make_entry(viewer, kind, "One")] for kind in KINDS}
    group = await make_group(viewer, "Sales", **held)
    outcome = await delete_group(viewer, group)
    assert await groups_by_id(viewer, [group]) == []
    assert (await groups_by_id(viewer, [group], deleted_after=0))[0]["until_revision"] == (
        outcome.revision
    )
    for kind in KINDS:
        rows = await fetch(f"SELECT until_revision FROM {kind.memberships}")
        assert [row[0] for row in rows] == [outcome.revision]
        assert (await fetch(f"SELECT group_count FROM {kind.table}"))[0][0] == 0
    assert (await organization(viewer))["group_count"] == 0
    assert (await last_change())["summary"] == (
        "The operator deleted Sales, with 1 user, 1 bot and 1 persona"
    )


async def test_deleting_a_group_leaves_the_other_groups_of_its_members_alone(
    viewer: Viewer,
) -> None:
    ada, grace = await make_users(viewer, 2)
    sales = await make_group(viewer, "Sales", users=[ada, grace])
    await make_group(viewer, "Support", users=[ada])
    await delete_group(viewer, sales)
    counts = {row[0]: row[1] for row in await fetch("SELECT id, group_count FROM users")}
    assert counts == {ada: 1, grace: 0}


# ------------------------------------------------------------------------- of all verbs together


@pytest.mark.parametrize("unknown", ["grp_0", "", "\x00", "grp_" + "0" * 32, "usr_1", "grp_\ud800"])
async def test_a_group_that_is_not_there_cannot_be_changed(viewer: Viewer, unknown: str) -> None:
    async with refused(viewer, (Code.NOT_FOUND, "id")):
        await update_group(viewer, unknown, {"name": "Sales"})
    async with refused(viewer, (Code.NOT_FOUND, "id")):
        await delete_group(viewer, unknown)


async def test_a_foreign_group_is_refused_in_the_words_for_an_unknown_one(
    viewer: Viewer, other: Viewer
) -> None:
    theirs = await make_group(other)
    async with unchanged(other), refused(viewer, (Code.NOT_FOUND, "id")):
        await update_group(viewer, theirs, {"name": "Mine"})
    async with unchanged(other), refused(viewer, (Code.NOT_FOUND, "id")):
        await delete_group(viewer, theirs)


async def test_a_deleted_group_is_not_there(viewer: Viewer) -> None:
    group = await make_group(viewer)
    await delete_group(viewer, group)
    async with refused(viewer, (Code.NOT_FOUND, "id")):
        await delete_group(viewer, group)
    async with refused(viewer, (Code.NOT_FOUND, "id")):
        await update_group(viewer, group, {"name": "Sales"})


@pytest.mark.parametrize("step", [-1, 1, 2**70])
async def test_a_revision_that_is_not_the_organizations_is_a_conflict(
    viewer: Viewer, step: int
) -> None:
    group = await make_group(viewer, "Sales")
    expected = await current_revision(viewer.organization_id) + step
    conflict = (Code.CONFLICT, "expectedRevision")
    async with refused(viewer, conflict):
        await create_group(viewer, "Support", expected_revision=expected)
    async with refused(viewer, conflict):
        await update_group(viewer, group, {"name": "Support"}, expected)
    async with refused(viewer, conflict):
        await delete_group(viewer, group, expected)


async def test_the_revision_that_is_the_organizations_is_accepted(viewer: Viewer) -> None:
    first = await create_group(viewer, "Sales", expected_revision=0)
    second = await update_group(viewer, str(first.id), {"name": "Support"}, first.revision)
    third = await delete_group(viewer, str(first.id), second.revision)
    assert [first.revision, second.revision, third.revision] == [1, 2, 3]


async def test_only_administrators_change_groups(viewer: Viewer) -> None:
    group = await make_group(viewer)
    await assert_forbidden(viewer, lambda anyone: create_group(anyone, "Support"))
    await assert_forbidden(viewer, lambda anyone: update_group(anyone, group, {"name": "Support"}))
    await assert_forbidden(viewer, lambda anyone: delete_group(anyone, group))


# --------------------------------------------------------------------------------------- reading


async def test_the_groups_of_a_member(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    sales = await make_group(viewer, "Sales", users=[ada])
    await make_group(viewer, "Art", users=[ada])
    await make_group(viewer, "Support")
    pages = await fetch_pages(groups_of(viewer, USERS), Slice(10), [ada])
    assert [row["name"] for row in pages[ada].rows] == ["Art", "Sales"]
    await delete_group(viewer, sales)
    pages = await fetch_pages(groups_of(viewer, USERS), Slice(10), [ada])
    assert [row["name"] for row in pages[ada].rows] == ["Art"]


async def test_the_groups_of_a_member_as_of_a_revision(viewer: Viewer) -> None:
    coach = await make_bot(viewer)
    before = await current_revision(viewer.organization_id)
    group = await make_group(viewer, "Sales", bots=[coach])
    held = await current_revision(viewer.organization_id)
    await delete_group(viewer, group)
    for moment, found in ((before, []), (held, ["Sales"]), (held + 1, []), (None, [])):
        pages = await fetch_pages(groups_of(viewer, BOTS, moment), Slice(10), [coach])
        assert [row["name"] for row in pages[coach].rows] == found


async def test_those_who_are_not_in_a_group_yet(viewer: Viewer, other: Viewer) -> None:
    await make_persona(other, "Theirs")
    held, free = await make_persona(viewer, "Held"), await make_persona(viewer, "Free")
    group = await make_group(viewer, personas=[held])
    pages = await fetch_pages(available(viewer, PERSONAS), Slice(10), [group])
    assert [row["id"] for row in pages[group].rows] == [free]
    pages = await fetch_pages(available(viewer, PERSONAS, "hel"), Slice(10), [group])
    assert pages[group].rows == []


async def test_a_membership_tells_when_it_began(viewer: Viewer) -> None:
    users = await make_users(viewer, 2)
    outcome = await create_group(viewer, "Sales", None, {"user": users})
    group = str(outcome.id)
    page = (await fetch_pages(members(viewer, USERS), Slice(10), [group]))[group]
    assert [row["added_revision"] for row in page.rows] == [outcome.revision] * 2
    assert page.rows[0]["added_at"] == (await find(viewer, group))["created_at"]
    opened = await added_members(viewer, USERS, group, outcome.revision, users[::-1])
    assert [row["id"] for row in opened] == users[::-1]
    assert await added_members(viewer, USERS, group, outcome.revision - 1, users) == []


async def test_groups_are_found_by_id_within_the_organization(
    viewer: Viewer, other: Viewer
) -> None:
    mine, theirs = await make_group(viewer), await make_group(other)
    found = await groups_by_id(viewer, [theirs, mine, "grp_0", "\x00", "\ud800", mine])
    assert [row["id"] for row in found] == [mine]
