"""Adding and updating users, bots and personas in bulk: what is matched, and what changes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from models.database import Row, fetch
from models.directory import IDS_AT_ONCE, delete_entries, entries_by_id
from models.errors import Code
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.ledger import current_revision
from models.tables import Role, UserStatus
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import make_bot, make_entries, make_entry, make_user, with_emails
from tests.refusals import refused, unchanged

pytestmark = pytest.mark.usefixtures("consistent")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
bots_and_personas = pytest.mark.parametrize("kind", [BOTS, PERSONAS], ids=lambda kind: kind.noun)

ADA: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@example.com"}
ALAN: dict[str, Any] = {"name": "Alan Turing", "email": "alan@example.com"}


async def rows_of(viewer: Viewer, kind: Kind, ids: Sequence[str]) -> list[Row]:
    found = {row["id"]: row for row in await entries_by_id(viewer, kind, ids)}
    return [found[id] for id in ids]


async def last_change() -> Row:
    return (await fetch("SELECT * FROM changes ORDER BY revision DESC LIMIT 1"))[0]


# ---------------------------------------------------------------------------------------- adding


async def test_new_users_are_active_members_without_groups(viewer: Viewer) -> None:
    outcome = await upsert_entries(viewer, USERS, [{**ADA, "name": "  Ada Lovelace "}])
    (row,) = await rows_of(viewer, USERS, outcome.changed)
    assert (row["name"], row["name_key"]) == ("Ada Lovelace", "ada lovelace")
    assert (row["email"], row["email_key"]) == ("ada@example.com", "ada@example.com")
    assert (row["role"], row["status"]) == (Role.MEMBER, UserStatus.ACTIVE)
    assert (row["external_id"], row["avatar_url"]) == (None, None)
    assert (row["group_count"], row["since_revision"]) == (0, outcome.revision)


@bots_and_personas
async def test_new_bots_and_personas_need_a_name_only(viewer: Viewer, kind: Kind) -> None:
    outcome = await upsert_entries(viewer, kind, [{"name": "Coach"}])
    (row,) = await rows_of(viewer, kind, outcome.changed)
    assert (row["name"], row["description"], row["avatar_url"]) == ("Coach", None, None)


async def test_everything_may_be_given(viewer: Viewer) -> None:
    user = {**ADA, "external_id": "u-1", "avatar_url": "https://example.com/a.png"}
    user |= {"role": Role.AUDITOR, "status": UserStatus.DEACTIVATED}
    bot: dict[str, Any] = {"name": "Coach", "external_id": "b-1", "avatar_url": "/coach.png"}
    bot |= {"description": "Two\nlines", "features": ["Voice", "Feedback", "Voice"]}
    (ada,) = (await upsert_entries(viewer, USERS, [user])).changed
    (coach,) = (await upsert_entries(viewer, BOTS, [bot])).changed
    (row,) = await rows_of(viewer, USERS, [ada])
    assert {key: row[key] for key in user} == user
    (row,) = await rows_of(viewer, BOTS, [coach])
    assert json.loads(row["features"]) == ["Voice", "Feedback"]
    assert row["description"] == "Two\nlines"


@every_kind
async def test_ids_come_back_in_the_order_of_the_with_emails(viewer: Viewer, kind: Kind) -> None:
    first = await upsert_entries(viewer, kind, with_emails(kind, {"name": "B", "external_id": "b"}))
    given = [{"name": "C"}, {"name": "B2", "external_id": "b"}, {"name": "A"}]
    bulk = [{"email": f"x{n}@example.com", **one} for n, one in enumerate(given)]
    ids = (await upsert_entries(viewer, kind, bulk if kind is USERS else given)).changed
    assert [row["name"] for row in await rows_of(viewer, kind, ids)] == ["C", "B2", "A"]
    assert ids[1] == first.changed[0]


@every_kind
async def test_as_many_as_are_allowed_are_added_at_once(viewer: Viewer, kind: Kind) -> None:
    ids = await make_entries(viewer, kind, [str(number) for number in range(IDS_AT_ONCE)])
    assert len(set(ids)) == IDS_AT_ONCE
    assert await current_revision(viewer.organization_id) == 1


async def test_bots_may_share_a_name(viewer: Viewer) -> None:
    ids = await make_entries(viewer, BOTS, ["Coach", "Coach"])
    assert len(set(ids)) == 2


@every_kind
async def test_nothing_given_is_no_change(viewer: Viewer, kind: Kind) -> None:
    async with unchanged(viewer):
        assert (await upsert_entries(viewer, kind, [])).changed == []


# -------------------------------------------------------------------------------------- matching


@every_kind
async def test_a_row_is_matched_by_its_external_id(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    await upsert_entries(other, kind, with_emails(kind, {"name": "Theirs", "external_id": "1"}))
    (first,) = (
        await upsert_entries(viewer, kind, with_emails(kind, {"name": "A", "external_id": "1"}))
    ).changed
    renamed = with_emails(kind, {"name": "B", "external_id": " 1 "})
    (again,) = (await upsert_entries(viewer, kind, renamed)).changed
    assert again == first
    assert (await rows_of(viewer, kind, [first]))[0]["name"] == "B"


async def test_an_external_id_keeps_its_user_through_a_new_email(viewer: Viewer) -> None:
    ada = await make_user(viewer, **ADA, external_id="1")
    moved = {"name": "Ada", "email": "countess@example.com", "external_id": "1"}
    assert (await upsert_entries(viewer, USERS, [moved])).changed == [ada]
    assert (await rows_of(viewer, USERS, [ada]))[0]["email"] == "countess@example.com"


async def test_a_user_is_matched_by_email_in_any_case(viewer: Viewer) -> None:
    ada = await make_user(viewer, **ADA)
    again = {"name": "Ada King", "email": "ADA@Example.com"}
    assert (await upsert_entries(viewer, USERS, [again])).changed == [ada]
    (row,) = await rows_of(viewer, USERS, [ada])
    assert (row["name"], row["email"], row["email_key"]) == (
        "Ada King",
        "ADA@Example.com",
        "ada@example.com",
    )


async def test_a_user_who_is_matched_by_email_takes_an_external_id_once(viewer: Viewer) -> None:
    ada = await make_user(viewer, **ADA)
    assert (await upsert_entries(viewer, USERS, [{**ADA, "external_id": "1"}])).changed == [ada]
    async with refused(viewer, (Code.TAKEN, "users", "0", "externalId")):
        await upsert_entries(viewer, USERS, [{**ADA, "external_id": "2"}])
    assert (await upsert_entries(viewer, USERS, [ADA])).changed == [ada]
    assert (await rows_of(viewer, USERS, [ada]))[0]["external_id"] == "1"


@bots_and_personas
async def test_a_row_is_matched_by_its_id_first(viewer: Viewer, kind: Kind) -> None:
    entry = await make_entry(viewer, kind, "A", external_id="1")
    given = {"id": entry, "name": "B", "external_id": "2"}
    assert (await upsert_entries(viewer, kind, [given])).changed == [entry]
    (row,) = await rows_of(viewer, kind, [entry])
    assert (row["name"], row["external_id"]) == ("B", "2")


@every_kind
async def test_a_name_matches_nobody(viewer: Viewer, kind: Kind) -> None:
    first, second = await make_entries(viewer, kind, ["Ada", "Ada"])
    assert first != second


@every_kind
async def test_a_deleted_row_matches_nothing(viewer: Viewer, kind: Kind) -> None:
    given = with_emails(kind, {"name": "A", "external_id": "1"})
    first = (await upsert_entries(viewer, kind, given)).changed
    await delete_entries(viewer, kind, first)
    assert (await upsert_entries(viewer, kind, given)).changed != first


# -------------------------------------------------------------------------------------- updating


@every_kind
async def test_what_one_input_changes_stays_in_the_rows_of_the_others(
    viewer: Viewer, kind: Kind
) -> None:
    before = with_emails(
        kind,
        {"name": "A", "external_id": "1", "avatar_url": "/a.png"},
        {"name": "B", "external_id": "2", "avatar_url": "/b.png"},
    )
    ids = (await upsert_entries(viewer, kind, before)).changed
    (first, second) = before
    changed = [{**first, "name": "C"}, {**second, "avatar_url": "/d.png"}]
    await upsert_entries(viewer, kind, changed)
    rows = await rows_of(viewer, kind, ids)
    assert [(row["name"], row["avatar_url"]) for row in rows] == [("C", "/a.png"), ("B", "/d.png")]


async def test_what_an_input_leaves_out_stays(viewer: Viewer) -> None:
    ada = await make_user(
        viewer, **ADA, external_id="1", avatar_url="/a.png", role=Role.AUDITOR,
        status=UserStatus.DEACTIVATED,
    )  # fmt: skip
    await upsert_entries(viewer, USERS, [{**ADA, "name": "Ada King", "role": None}])
    (row,) = await rows_of(viewer, USERS, [ada])
    assert (row["external_id"], row["avatar_url"]) == ("1", "/a.png")
    assert (row["role"], row["status"]) == (Role.AUDITOR, UserStatus.DEACTIVATED)
    coach = await make_bot(viewer, external_id="1", description="Coaches.", features=["Voice"])
    await upsert_entries(viewer, BOTS, [{"id": coach, "name": "Trainer", "external_id": None}])
    (row,) = await rows_of(viewer, BOTS, [coach])
    assert (row["external_id"], row["description"]) == ("1", "Coaches.")
    assert json.loads(row["features"]) == ["Voice"]


async def test_null_takes_away_what_may_be_missing(viewer: Viewer) -> None:
    coach = await make_bot(viewer, avatar_url="/a.png", description="Coaches.", features=["Voice"])
    given = {"id": coach, "name": "Coach", "avatar_url": None, "description": "", "features": None}
    await upsert_entries(viewer, BOTS, [given])
    (row,) = await rows_of(viewer, BOTS, [coach])
    assert (row["avatar_url"], row["description"], row["features"]) == (None, None, "[]")


@every_kind
async def test_the_same_again_is_no_change(viewer: Viewer, kind: Kind) -> None:
    given = with_emails(kind, {"name": "A", "external_id": "1"}, {"name": "B", "external_id": "2"})
    first = await upsert_entries(viewer, kind, given)
    async with unchanged(viewer):
        again = await upsert_entries(viewer, kind, given)
    assert again == first


@every_kind
async def test_only_rows_that_differ_are_told_in_the_ledger(viewer: Viewer, kind: Kind) -> None:
    given = with_emails(kind, {"name": "A", "external_id": "1"}, {"name": "B", "external_id": "2"})
    ids = (await upsert_entries(viewer, kind, given)).changed
    assert (await last_change())["summary"] == f"The operator added 2 {kind.plural}"
    given[1]["name"] = "B2"
    await upsert_entries(viewer, kind, given)
    change = await last_change()
    assert change["action"] == kind.upserted
    assert change["summary"] == "The operator updated B"
    details = json.loads(change["details"])
    assert details[kind.plural] == [ids[1]]
    assert details["before"] == {ids[1]: {"name": "B", "name_key": "b"}}


@every_kind
async def test_additions_and_updates_are_one_change(viewer: Viewer, kind: Kind) -> None:
    given = with_emails(kind, {"name": "A", "external_id": "1"}, {"name": "B"}, {"name": "C"})
    await upsert_entries(viewer, kind, given[:1])
    given[0]["name"] = "A2"
    outcome = await upsert_entries(viewer, kind, given)
    change = await last_change()
    assert change["revision"] == outcome.revision == 2
    assert change["summary"] == f"The operator added 2 {kind.plural} and updated A"


async def test_a_user_is_active_in_the_spans_that_the_status_says(viewer: Viewer) -> None:
    spans = []
    active, deactivated = UserStatus.ACTIVE, UserStatus.DEACTIVATED
    for status in (active, deactivated, active, None, deactivated):
        await upsert_entries(viewer, USERS, [{**ADA, "status": status}])
        rows = await fetch(
            "SELECT since_revision, until_revision FROM activations ORDER BY since_revision"
        )
        spans.append([tuple(row) for row in rows])
    again = [(1, 2), (3, None)]
    assert spans == [[(1, None)], [(1, 2)], again, again, [(1, 2), (3, 4)]]
