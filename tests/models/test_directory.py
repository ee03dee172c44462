"""The directory: listing users, bots and personas, finding them, and deleting them."""

import json

import pytest

from models.database import fetch
from models.directory import (
    IDS_AT_ONCE,
    USER_ORDERS,
    UserOrderField,
    delete_entries,
    entries,
    entries_by_id,
    organization,
)
from models.errors import Code
from models.groups import delete_group, groups_by_id
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.ledger import current_revision
from models.listing import Slice, fetch_count, fetch_page
from models.tables import Role, UserStatus
from models.tokens import authenticate, create_token, revoke_token, tokens_by_id
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import (
    make_admin,
    make_entries,
    make_entry,
    make_group,
    make_user,
    make_users,
    viewer_of,
)
from tests.refusals import assert_forbidden, refused, unchanged

pytestmark = pytest.mark.usefixtures("consistent")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


async def names(viewer: Viewer, kind: Kind) -> list[str]:
    page = await fetch_page(entries(viewer, kind), Slice(100))
    return [row["name"] for row in page.rows]


# --------------------------------------------------------------------------------------- reading


@every_kind
async def test_the_live_entries_of_the_organization_are_listed_by_name(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    _, grace, _ = await make_entries(viewer, kind, ["Zuse", "Grace", "ada"])
    await make_entries(other, kind, ["Theirs"])
    await delete_entries(viewer, kind, [grace])
    assert await names(viewer, kind) == ["ada", "Zuse"]
    assert await fetch_count(entries(viewer, kind)) == 2


async def test_users_are_listed_by_status(viewer: Viewer) -> None:
    ada = await make_user(viewer, "Ada")
    alan = await make_user(viewer, "Alan", status=UserStatus.DEACTIVATED)
    for status, expected in ((UserStatus.ACTIVE, [ada]), (UserStatus.DEACTIVATED, [alan])):
        page = await fetch_page(entries(viewer, USERS, status=status), Slice(10))
        assert [row["id"] for row in page.rows] == expected


async def test_users_are_listed_in_the_order_they_came(viewer: Viewer) -> None:
    ids = [await make_user(viewer, name) for name in ("Zuse", "Ada", "Grace")]
    listing = entries(viewer, USERS, order=USER_ORDERS[UserOrderField.CREATED_AT])
    page = await fetch_page(listing, Slice(10))
    assert [row["id"] for row in page.rows] == ids


@every_kind
async def test_entries_are_found_by_id_within_the_organization(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    mine, gone = await make_entries(viewer, kind, ["Mine", "Gone"])
    theirs = await make_entry(other, kind, "Theirs")
    await delete_entries(viewer, kind, [gone])
    asked = [theirs, mine, gone, "", "\x00", "\ud800", f"{kind.prefix}_0", mine]
    found = await entries_by_id(viewer, kind, asked)
    assert [row["id"] for row in found] == [mine]
    deletion = (await organization(viewer))["revision"]
    found = await entries_by_id(viewer, kind, asked, deleted_after=deletion - 1)
    assert {row["id"] for row in found} == {mine, gone}
    found = await entries_by_id(viewer, kind, asked, deleted_after=deletion)
    assert [row["id"] for row in found] == [mine]


async def test_the_organization_counts_what_it_has(viewer: Viewer) -> None:
    for number, kind in enumerate(KINDS, 2):
        ids = await make_entries(viewer, kind, [str(n) for n in range(number)])
        await delete_entries(viewer, kind, ids[:1])
    await delete_group(viewer, await make_group(viewer, "Gone"))
    await make_group(viewer, "Sales")
    row = await organization(viewer)
    counted = [row[f"{noun}_count"] for noun in ("user", "bot", "persona", "group")]
    assert counted == [1, 2, 3, 1]
    assert row["revision"] == 9


# -------------------------------------------------------------------------------------- deleting


@every_kind
async def test_deleting_closes_rows_and_memberships_in_one_change(
    viewer: Viewer, kind: Kind
) -> None:
    ids = await make_entries(viewer, kind, ["A", "B", "C"])
    sales = await make_group(viewer, "Sales", **{kind.plural: ids})
    support = await make_group(viewer, "Support", **{kind.plural: ids[:1]})
    idle = await make_group(viewer, "Idle", **{kind.plural: ids[2:]})
    outcome = await delete_entries(viewer, kind, ids[:2])
    assert outcome.changed == ids[:2]
    groups = {row["id"]: row for row in await groups_by_id(viewer, [sales, support, idle])}
    assert [groups[id][kind.counter] for id in (sales, support, idle)] == [1, 0, 1]
    assert groups[idle]["updated_revision"] == outcome.revision - 1
    open_ones = await fetch(
        f"SELECT {kind.column} FROM {kind.memberships} WHERE until_revision IS NULL"
    )
    assert {row[0] for row in open_ones} == {ids[2]}
    change = (await fetch("SELECT * FROM changes WHERE revision = $1", outcome.revision))[0]
    assert change["action"] == kind.deleted
    assert change["summary"] == f"The operator deleted 2 {kind.plural}"
    assert json.loads(change["details"])[kind.plural] == ids[:2]


async def test_a_deletion_of_one_is_told_by_name(viewer: Viewer) -> None:
    await delete_entries(viewer, BOTS, [await make_entry(viewer, BOTS, "Sales Coach")])
    rows = await fetch("SELECT summary FROM changes ORDER BY revision DESC")
    assert rows[0][0] == "The operator deleted Sales Coach"


@every_kind
async def test_deleting_nobody_is_no_change(viewer: Viewer, kind: Kind) -> None:
    async with unchanged(viewer):
        assert (await delete_entries(viewer, kind, [])).changed == []


@every_kind
async def test_what_is_deleted_makes_its_keys_free(viewer: Viewer, kind: Kind) -> None:
    values = {"email": "ada@example.com"} if kind is USERS else {}
    first = await make_entry(viewer, kind, "Ada", external_id="1", **values)
    await delete_entries(viewer, kind, [first])
    assert await make_entry(viewer, kind, "Ada", external_id="1", **values) != first


@every_kind
async def test_what_is_not_there_cannot_be_deleted(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    mine, gone = await make_entries(viewer, kind, ["Mine", "Gone"])
    theirs = await make_entry(other, kind, "Theirs")
    await delete_entries(viewer, kind, [gone])
    problems = [(Code.NOT_FOUND, kind.ids_field, str(place)) for place in (1, 2, 3)]
    async with refused(viewer, *problems), unchanged(other):
        await delete_entries(viewer, kind, [mine, gone, theirs, "\x00"])


@every_kind
async def test_more_than_are_allowed_at_once_are_refused(viewer: Viewer, kind: Kind) -> None:
    async with refused(viewer, (Code.TOO_MANY, kind.ids_field)):
        await delete_entries(viewer, kind, [f"{kind.prefix}_0"] * (IDS_AT_ONCE + 1))


@every_kind
async def test_another_revision_is_a_conflict(viewer: Viewer, kind: Kind) -> None:
    entry = await make_entry(viewer, kind, "A")
    async with refused(viewer, (Code.CONFLICT, "expectedRevision")):
        await delete_entries(viewer, kind, [entry], 0)
    await delete_entries(viewer, kind, [entry], 1)


@every_kind
async def test_only_administrators_delete(viewer: Viewer, kind: Kind) -> None:
    entry = await make_entry(viewer, kind, "A")
    await assert_forbidden(viewer, lambda anyone: delete_entries(anyone, kind, [entry]))


async def test_the_tokens_of_a_deleted_user_are_revoked(viewer: Viewer) -> None:
    ada, grace = await make_users(viewer, 2)
    (_, hers), (_, others) = [
        await create_token(viewer, "CLI", user_id=user) for user in (ada, grace)
    ]
    await delete_entries(viewer, USERS, [ada])
    assert await authenticate(hers) is None
    assert await authenticate(others) is not None
    rows = await fetch("SELECT user_id FROM tokens WHERE revoked_at IS NOT NULL")
    assert [row[0] for row in rows] == [ada]


async def test_a_token_that_was_revoked_before_its_user_is_deleted_stays_as_it_was(
    viewer: Viewer,
) -> None:
    ada = await make_user(viewer)
    made, _ = await create_token(viewer, "CLI", user_id=ada)
    await revoke_token(viewer, str(made.id))
    before = await tokens_by_id(viewer, [str(made.id)])
    await delete_entries(viewer, USERS, [ada])
    assert await tokens_by_id(viewer, [str(made.id)]) == before


async def test_a_deleted_user_is_no_longer_active(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    outcome = await delete_entries(viewer, USERS, [ada])
    rows = await fetch("SELECT since_revision, until_revision FROM activations")
    assert [tuple(row) for row in rows] == [(1, outcome.revision)]


# -------------------------------------------------------------------------------- the last admin


async def test_the_last_administrator_cannot_be_deleted(viewer: Viewer) -> None:
    grace = await make_admin(viewer)
    ada = await make_user(viewer, role=Role.AUDITOR)
    await make_user(viewer, "Alan", role=Role.ADMIN, status=UserStatus.DEACTIVATED)
    for ids in ([grace], [grace, ada]):
        async with refused(viewer, (Code.LAST_ADMIN, "userIds")):
            await delete_entries(viewer, USERS, ids)


async def test_the_last_administrators_cannot_be_deleted_at_once(viewer: Viewer) -> None:
    first, second = await make_admin(viewer, "First"), await make_admin(viewer, "Second")
    async with refused(viewer, (Code.LAST_ADMIN, "userIds")):
        await delete_entries(viewer, USERS, [first, second])
    await delete_entries(viewer, USERS, [first])
    async with refused(viewer, (Code.LAST_ADMIN, "userIds")):
        await delete_entries(viewer, USERS, [second])


@pytest.mark.parametrize(
    "lost",
    [
        {"role": Role.MEMBER},
        {"role": Role.AUDITOR},
        {"status": UserStatus.DEACTIVATED},
        {"role": Role.MEMBER, "status": UserStatus.DEACTIVATED},
    ],
)
async def test_the_last_administrators_cannot_step_down(
    viewer: Viewer, lost: dict[str, str]
) -> None:
    first = {"name": "First", "email": "first@example.com"}
    second = {"name": "Second", "email": "second@example.com"}
    await upsert_entries(viewer, USERS, [{**one, "role": Role.ADMIN} for one in (first, second)])
    async with refused(viewer, (Code.LAST_ADMIN, "users")):
        await upsert_entries(viewer, USERS, [{**first, **lost}, {**second, **lost}])
    await upsert_entries(viewer, USERS, [{**first, **lost}])
    async with refused(viewer, (Code.LAST_ADMIN, "users")):
        await upsert_entries(viewer, USERS, [{**second, **lost}])


async def test_an_administrator_may_be_replaced_in_one_change(viewer: Viewer) -> None:
    first = {"name": "First", "email": "first@example.com"}
    second = {"name": "Second", "email": "second@example.com"}
    await upsert_entries(viewer, USERS, [{**first, "role": Role.ADMIN}, second])
    swapped = [{**first, "role": Role.MEMBER}, {**second, "role": Role.ADMIN}]
    assert (await upsert_entries(viewer, USERS, swapped)).revision == 2


async def test_an_organization_without_administrators_may_stay_so(viewer: Viewer) -> None:
    ada, alan = await make_users(viewer, 2)
    await delete_entries(viewer, USERS, [ada])
    await delete_entries(viewer, USERS, [alan])
    assert await current_revision(viewer.organization_id) == 3


async def test_the_administrators_of_another_organization_do_not_count(
    viewer: Viewer, other: Viewer
) -> None:
    await make_admin(other)
    grace = await make_admin(viewer)
    async with refused(viewer, (Code.LAST_ADMIN, "userIds")):
        await delete_entries(viewer, USERS, [grace])


@pytest.mark.parametrize("kind", [BOTS, PERSONAS], ids=lambda kind: kind.noun)
async def test_bots_and_personas_are_deleted_whoever_administrates(
    viewer: Viewer, kind: Kind
) -> None:
    grace = viewer_of(viewer, await make_admin(viewer), Role.ADMIN, "Grace Hopper")
    await delete_entries(grace, kind, [await make_entry(viewer, kind, "One")])
    rows = await fetch("SELECT summary FROM changes ORDER BY revision DESC")
    assert rows[0][0] == "Grace Hopper deleted One"
