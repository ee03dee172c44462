"""What the database itself refuses, whatever the code above it does: raw rows, no verbs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from models import ids
from models.database import fetch, transaction
from models.groups import delete_group
from models.kinds import KINDS, Kind
from models.membership_writes import remove_members
from models.viewer import Viewer
from tests.factories import make_bot, make_entry, make_group, make_persona, make_user, snapshot

NOW = datetime.now(UTC)

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


async def insert(table: str, **values: Any) -> None:
    """Insert one row, as it is."""
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    async with transaction():
        await fetch(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values()
        )


async def insert_membership(viewer: Viewer, kind: Kind, group: str, member: str) -> None:
    await insert(
        kind.memberships,
        id=ids.new_id("row"),
        organization_id=viewer.organization_id,
        group_id=group,
        sort_key="",
        added_at=NOW,
        since_revision=1,
        **{kind.column: member},
    )


async def insert_group(viewer: Viewer, name_key: str) -> None:
    await insert(
        "groups",
        id=ids.new_id(ids.GROUP),
        organization_id=viewer.organization_id,
        name=name_key,
        name_key=name_key,
        user_count=0,
        bot_count=0,
        persona_count=0,
        created_at=NOW,
        updated_at=NOW,
        updated_revision=1,
        since_revision=1,
    )


async def insert_user(viewer: Viewer, email_key: str, external_id: str | None) -> None:
    await insert(
        "users",
        id=ids.new_id(ids.USER),
        organization_id=viewer.organization_id,
        name="Ada",
        name_key="ada",
        email=email_key,
        email_key=email_key,
        external_id=external_id,
        role="MEMBER",
        status="ACTIVE",
        group_count=0,
        created_at=NOW,
        since_revision=1,
    )


async def insert_change(viewer: Viewer, revision: int) -> None:
    await insert(
        "changes",
        id=ids.new_id(ids.CHANGE),
        organization_id=viewer.organization_id,
        revision=revision,
        at=NOW,
        actor_kind="OPERATOR",
        actor_name="The operator",
        action="GROUP_CREATED",
        summary="",
        details="{}",
    )


@every_kind
async def test_a_pair_has_at_most_one_open_membership(viewer: Viewer, kind: Kind) -> None:
    member = await make_entry(viewer, kind, "Ada")
    group = await make_group(viewer, **{kind.plural: [member]})
    before = await snapshot(viewer.organization_id)
    with pytest.raises(IntegrityError):
        await insert_membership(viewer, kind, group, member)
    assert await snapshot(viewer.organization_id) == before


@every_kind
async def test_a_pair_may_have_any_number_of_closed_memberships(viewer: Viewer, kind: Kind) -> None:
    member = await make_entry(viewer, kind, "Ada")
    group = await make_group(viewer, **{kind.plural: [member]})
    await remove_members(viewer, kind, group, [member])
    await insert_membership(viewer, kind, group, member)
    rows = await fetch(f"SELECT COUNT(*) FROM {kind.memberships}")
    assert rows[0][0] == 2


@every_kind
async def test_a_membership_cannot_cross_organizations(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    mine, theirs = await make_group(viewer), await make_group(other)
    my_member = await make_entry(viewer, kind, "Ada")
    their_member = await make_entry(other, kind, "Ada")
    for owner, group, member in (
        (viewer, mine, their_member),
        (viewer, theirs, my_member),
        (viewer, theirs, their_member),
        (other, mine, my_member),
        (other, theirs, my_member),
    ):
        with pytest.raises(IntegrityError):
            await insert_membership(owner, kind, group, member)
    assert (await fetch(f"SELECT COUNT(*) FROM {kind.memberships}"))[0][0] == 0


async def test_nothing_else_that_refers_to_a_user_can_cross_organizations(
    viewer: Viewer, other: Viewer
) -> None:
    theirs = await make_user(other)
    common = {"organization_id": viewer.organization_id, "user_id": theirs}
    with pytest.raises(IntegrityError):
        await insert("activations", id=ids.new_id("row"), since_revision=1, **common)
    with pytest.raises(IntegrityError):
        await insert(
            "tokens",
            id=ids.new_id(ids.TOKEN),
            name="",
            secret_hash="0",
            created_at=NOW,
            **common,
        )
    with pytest.raises(IntegrityError):
        await insert(
            "sign_in_links",
            id=ids.new_id(ids.SIGN_IN_LINK),
            secret_hash="0",
            expires_at=NOW,
            **common,
        )


async def test_a_change_cannot_tell_of_a_group_of_another_organization(
    viewer: Viewer, other: Viewer
) -> None:
    theirs = await make_group(other)
    await insert_change(viewer, 1)
    with pytest.raises(IntegrityError):
        async with transaction():
            await fetch(
                "UPDATE changes SET group_id = $2 WHERE organization_id = $1",
                viewer.organization_id,
                theirs,
            )


async def test_rows_that_others_refer_to_cannot_be_deleted(viewer: Viewer) -> None:
    user, bot, persona = (
        await make_user(viewer),
        await make_bot(viewer),
        await make_persona(viewer),
    )
    await make_group(viewer, users=[user], bots=[bot], personas=[persona])
    for table in ("organizations", "groups", "users", "bots", "personas"):
        with pytest.raises(IntegrityError):
            async with transaction():
                await fetch(f"DELETE FROM {table}")


async def test_one_live_group_has_a_name(viewer: Viewer, other: Viewer) -> None:
    group = await make_group(viewer, "Sales")
    await make_group(other, "Sales")
    with pytest.raises(IntegrityError):
        await insert_group(viewer, "sales")
    await delete_group(viewer, group)
    await insert_group(viewer, "sales")


async def test_one_live_user_has_an_email_or_an_external_id(viewer: Viewer, other: Viewer) -> None:
    await insert_user(viewer, "ada@example.com", "1")
    await insert_user(other, "ada@example.com", "1")
    await insert_user(viewer, "none@example.com", None)
    await insert_user(viewer, "nothing@example.com", None)
    with pytest.raises(IntegrityError):
        await insert_user(viewer, "ada@example.com", "2")
    with pytest.raises(IntegrityError):
        await insert_user(viewer, "grace@example.com", "1")


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda kind: kind.noun)
async def test_one_live_bot_or_persona_has_an_external_id(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    first = await make_entry(viewer, kind, "First", external_id="1")
    second = await make_entry(viewer, kind, "Second")
    await make_entry(other, kind, "First", external_id="1")
    with pytest.raises(IntegrityError):
        async with transaction():
            await fetch(f"UPDATE {kind.table} SET external_id = '1' WHERE id = $1", second)
    async with transaction():
        await fetch(f"UPDATE {kind.table} SET until_revision = 9 WHERE id = $1", first)
        await fetch(f"UPDATE {kind.table} SET external_id = '1' WHERE id = $1", second)


async def test_one_change_has_a_revision(viewer: Viewer, other: Viewer) -> None:
    await insert_change(viewer, 1)
    await insert_change(other, 1)
    await insert_change(viewer, 2)
    with pytest.raises(IntegrityError):
        await insert_change(viewer, 1)


async def test_a_user_is_active_once_at_a_time(viewer: Viewer) -> None:
    user = await make_user(viewer)
    with pytest.raises(IntegrityError):
        await insert(
            "activations",
            id=ids.new_id("row"),
            organization_id=viewer.organization_id,
            user_id=user,
            since_revision=1,
        )


async def test_one_token_has_a_secret(viewer: Viewer) -> None:
    values = {
        "organization_id": viewer.organization_id,
        "name": "CI",
        "role": "ADMIN",
        "secret_hash": "0",
        "created_at": NOW,
    }
    await insert("tokens", id=ids.new_id(ids.TOKEN), **values)
    with pytest.raises(IntegrityError):
        await insert("tokens", id=ids.new_id(ids.TOKEN), **values)


async def test_two_organizations_have_two_names(viewer: Viewer) -> None:
    with pytest.raises(IntegrityError):
        async with transaction():
            await fetch(
                "INSERT INTO organizations SELECT 'org_2', name, name_key, 0, 0, 0, 0, 0, 0, "
                "created_at, changed_at FROM organizations"
            )


@every_kind
async def test_keys_sort_byte_by_byte_whatever_the_locale(viewer: Viewer, kind: Kind) -> None:
    for name in ("b", "a", "é", "_", "Z", "10", "9", "ö"):
        await make_entry(viewer, kind, name)
    rows = await fetch(f"SELECT name_key FROM {kind.table} ORDER BY name_key")
    assert [row[0] for row in rows] == ["10", "9", "_", "a", "b", "z", "é", "ö"]
