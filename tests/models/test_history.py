"""Reading the ledger: as far as one may know, newest first, and as of an instant."""

from datetime import UTC, datetime, timedelta

import pytest

from models.database import fetch, transaction
from models.errors import BadRequest
from models.groups import update_group
from models.history import (
    actors_by_revision,
    changes,
    changes_after,
    changes_by_id,
    is_told,
    revision_at,
)
from models.kinds import USERS
from models.ledger import utc_now
from models.listing import Slice, fetch_count, fetch_page, fetch_pages
from models.membership_writes import remove_members
from models.tables import Role
from models.viewer import Viewer
from tests.factories import make_admin, make_group, make_user, viewer_of

pytestmark = pytest.mark.usefixtures("consistent")


async def revisions_seen(viewer: Viewer, group_id: str | None = None) -> list[int]:
    page = await fetch_page(changes(viewer, group_id), Slice(100))
    return [row["revision"] for row in page.rows]


async def test_a_change_tells_who_made_it(viewer: Viewer) -> None:
    grace = viewer_of(viewer, await make_admin(viewer), Role.ADMIN, "Grace Hopper")
    await make_group(grace, "Sales")
    page = await fetch_page(changes(viewer), Slice(10))
    told = [
        (row["summary"], row["actor_kind"], row["actor_name"], row["actor_user_id"])
        for row in page.rows
    ]
    assert told == [
        ("Grace Hopper created Sales", "USER", "Grace Hopper", grace.user_id),
        ("The operator added Grace Hopper", "OPERATOR", "The operator", None),
    ]
    by_revision = {row["revision"]: row for row in await actors_by_revision(viewer, [1, 2, 9])}
    assert by_revision[2]["actor_user_id"] == grace.user_id
    assert sorted(by_revision) == [1, 2]


async def test_changes_are_listed_newest_first(viewer: Viewer, other: Viewer) -> None:
    sales, support = await make_group(viewer, "Sales"), await make_group(viewer, "Support")
    await make_group(other)
    await update_group(viewer, sales, {"name": "Art"})
    assert await revisions_seen(viewer) == [3, 2, 1]
    assert await revisions_seen(viewer, sales) == [3, 1]
    assert await fetch_count(changes(viewer, support)) == 1
    pages = await fetch_pages(changes(viewer), Slice(1), [sales, support])
    assert [pages[id].rows[0]["revision"] for id in (sales, support)] == [3, 2]
    assert pages[sales].has_next is True


async def test_the_changes_behind_a_revision_come_oldest_first(
    viewer: Viewer, other: Viewer
) -> None:
    for number in range(5):
        await make_group(viewer, f"Group {number}")
        await make_group(other, f"Group {number}")
    found = await changes_after(viewer.organization_id, 2, 2)
    assert [row["revision"] for row in found] == [3, 4]
    page = await fetch_page(changes(viewer), Slice(100))
    assert {row["id"] for row in found} <= {row["id"] for row in page.rows}
    assert await changes_after(viewer.organization_id, 5, 2) == []


async def test_changes_are_found_by_id_within_the_organization(
    viewer: Viewer, other: Viewer
) -> None:
    await make_group(viewer)
    await make_group(other)
    rows = await fetch("SELECT id, organization_id FROM changes")
    mine = [row["id"] for row in rows if row["organization_id"] == viewer.organization_id]
    asked = [row["id"] for row in rows] + ["", "\x00", "\ud800", "chg_0"]
    assert [row["id"] for row in await changes_by_id(viewer, asked)] == mine


@pytest.mark.parametrize("group_id", ["", "\x00", "\ud800", "grp_0"])
async def test_a_group_that_is_none_has_no_changes(viewer: Viewer, group_id: str) -> None:
    await make_group(viewer)
    assert await revisions_seen(viewer, group_id) == []


async def test_a_member_is_told_of_the_groups_it_is_in(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    member = viewer_of(viewer, ada)
    sales = await make_group(viewer, "Sales", users=[ada])
    await make_group(viewer, "Support")
    left = await make_group(viewer, "Left", users=[ada])
    await remove_members(viewer, USERS, left, [ada])
    assert await revisions_seen(member) == [2]
    assert await revisions_seen(member, sales) == [2]
    assert await revisions_seen(member, left) == []
    all_changes = await changes_after(viewer.organization_id, 0, 100)
    told = [row["revision"] for row in all_changes if await is_told(member, row)]
    assert told == [2, 4, 5]  # it was in the group that it left until then
    assert [await is_told(viewer, row) for row in all_changes] == [True] * 5
    found = await changes_by_id(member, [row["id"] for row in all_changes])
    assert [row["revision"] for row in found] == [2]


async def test_the_revision_at_an_instant(viewer: Viewer) -> None:
    before = utc_now()
    await make_group(viewer, "Sales")
    between = utc_now()
    await make_group(viewer, "Support")
    instants = [row[0] for row in await fetch("SELECT at FROM changes ORDER BY revision")]
    assert await revision_at(viewer, datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert await revision_at(viewer, before) == 0
    assert await revision_at(viewer, instants[0] - timedelta(microseconds=1)) == 0
    assert await revision_at(viewer, instants[0]) == 1
    assert await revision_at(viewer, between) == 1
    assert await revision_at(viewer, instants[1]) == 2
    assert await revision_at(viewer, utc_now()) == 2


async def test_nothing_can_be_told_of_the_future(viewer: Viewer) -> None:
    with pytest.raises(BadRequest):
        await revision_at(viewer, utc_now() + timedelta(minutes=1))


async def test_changes_of_one_instant_are_told_by_the_last(viewer: Viewer) -> None:
    instant = utc_now()
    for number in range(3):
        await make_group(viewer, f"Group {number}")
    async with transaction():
        await fetch("UPDATE changes SET at = $1", instant)
    assert await revision_at(viewer, instant) == 3
