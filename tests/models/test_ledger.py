"""The ledger: one change a revision, without a gap, told to those who may know."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from models import ids, ledger
from models.database import fetch, transaction
from models.directory import USER_ORDERS, UserOrderField, entries
from models.errors import BadRequest, Code, DomainError
from models.groups import (
    ORDERS,
    GroupOrderField,
    create_group,
    delete_group,
    groups,
    update_group,
)
from models.kinds import BOTS, KINDS, USERS
from models.ledger import (
    actors_by_revision,
    changes,
    changes_after,
    changes_by_id,
    current_revision,
    is_told,
    listeners,
    revision_at,
    revisions,
    some,
    utc_now,
    write,
)
from models.listing import Slice, fetch_count, fetch_page, fetch_pages
from models.membership_writes import add_members, remove_members
from models.tables import Action, Role
from models.viewer import Viewer
from tests.factories import make_admin, make_bot, make_group, make_user, make_users, viewer_of
from tests.refusals import unchanged

pytestmark = pytest.mark.usefixtures("consistent")


async def revisions_seen(viewer: Viewer, group_id: str | None = None) -> list[int]:
    page = await fetch_page(changes(viewer, group_id), Slice(100))
    return [row["revision"] for row in page.rows]


# --------------------------------------------------------------------------------------- writing


async def test_an_organization_begins_at_revision_0_without_a_change(viewer: Viewer) -> None:
    assert await current_revision(viewer.organization_id) == 0
    assert await revisions_seen(viewer) == []


async def test_each_write_takes_the_next_revision(viewer: Viewer, other: Viewer) -> None:
    for expected in (1, 2, 3):
        outcome = await create_group(viewer, f"Group {expected}")
        assert outcome.revision == expected
        await make_group(other, f"Group {expected}")
    assert await revisions_seen(viewer) == [3, 2, 1]
    assert await revisions([viewer.organization_id, other.organization_id, "org_0"]) == {
        viewer.organization_id: (3, 0),
        other.organization_id: (3, 0),
    }


async def test_a_write_that_records_nothing_takes_no_revision(viewer: Viewer) -> None:
    async with unchanged(viewer), write(viewer) as draft:
        pass
    assert draft.landed_revision == 0


async def test_a_write_makes_one_change(viewer: Viewer) -> None:
    async def record_twice() -> None:
        async with write(viewer) as draft:
            draft.record(Action.GROUP_CREATED, "did one thing", details={})
            draft.record(Action.GROUP_CREATED, "did another", details={})

    async with unchanged(viewer):
        with pytest.raises(RuntimeError):
            await record_twice()


async def test_a_write_that_fails_leaves_no_gap(viewer: Viewer) -> None:
    async def fail() -> None:
        async with write(viewer) as draft:
            await fetch("UPDATE organizations SET name = 'Renamed'")
            draft.record(Action.GROUP_CREATED, "failed", details={})
            raise LookupError

    async with unchanged(viewer):
        with pytest.raises(LookupError):
            await fail()
    assert (await create_group(viewer, "Sales")).revision == 1


async def test_a_refusal_tells_the_revision_it_was_decided_at(viewer: Viewer) -> None:
    await make_group(viewer, "Sales")
    for expected_revision in (None, 7):
        with pytest.raises(DomainError) as refusal:
            await create_group(viewer, "Sales", expected_revision=expected_revision)
        assert refusal.value.revision == 1
    with pytest.raises(DomainError) as refusal:
        await create_group(viewer, "")
    assert refusal.value.revision is None


async def test_a_conflict_says_where_the_organization_is(viewer: Viewer) -> None:
    await make_group(viewer, "Sales")
    with pytest.raises(DomainError, match="at revision 1 now, not at 0") as refusal:
        await create_group(viewer, "Support", expected_revision=0)
    assert [problem.code for problem in refusal.value.problems] == [Code.CONFLICT]


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


async def test_time_in_the_ledger_goes_on_though_the_clock_goes_back(viewer: Viewer) -> None:
    future = utc_now() + timedelta(hours=1)
    async with transaction():
        await fetch("UPDATE organizations SET changed_at = $1", future)
    await make_group(viewer, "Sales")
    await make_group(viewer, "Support")
    instants = [row[0] for row in await fetch("SELECT at FROM changes ORDER BY revision")]
    assert future < instants[0] < instants[1] < future + timedelta(seconds=1)


async def test_what_is_made_later_sorts_behind_whatever_the_clocks_say(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ahead:  # as another machine's clock may be
        ahead.setattr(ledger, "utc_now", lambda: utc_now() + timedelta(hours=1))
        ahead.setattr(time, "time_ns", lambda: round((time.time() + 3_600) * 1e9))
        made = [await make_group(viewer, "Sales")]
        users = [*await make_users(viewer, 50)]
    made.append(await make_group(viewer, "Support"))
    users.append(await make_user(viewer, "Ada"))
    by_time = groups(viewer, order=ORDERS[GroupOrderField.CREATED_AT])
    assert [row["id"] for row in (await fetch_page(by_time, Slice(9))).rows] == made
    by_time = entries(viewer, USERS, order=USER_ORDERS[UserOrderField.CREATED_AT])
    assert [row["id"] for row in (await fetch_page(by_time, Slice(99))).rows] == users


async def test_listeners_are_told_after_the_commit_of_what_changed(
    viewer: Viewer, other: Viewer
) -> None:
    told: list[str] = []
    listeners.append(told.append)
    try:
        group = await make_group(viewer)
        await update_group(viewer, group, {})
        with pytest.raises(DomainError):
            await make_group(viewer)
        await make_group(other)
    finally:
        listeners.remove(told.append)
    assert told == [viewer.organization_id, other.organization_id]


# --------------------------------------------------------------------------------------- reading


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


async def test_every_kind_of_write_is_in_the_ledger(viewer: Viewer) -> None:
    ada, coach = (await make_users(viewer, 1))[0], await make_bot(viewer)
    group = await make_group(viewer)
    for kind, member in ((USERS, ada), (BOTS, coach)):
        await add_members(viewer, kind, group, [member])
        await remove_members(viewer, kind, group, [member])
    await delete_group(viewer, group)
    rows = await fetch("SELECT action FROM changes ORDER BY revision")
    assert [row[0] for row in rows] == [
        Action.USERS_UPSERTED,
        Action.BOTS_UPSERTED,
        Action.GROUP_CREATED,
        Action.USERS_ADDED,
        Action.USERS_REMOVED,
        Action.BOTS_ADDED,
        Action.BOTS_REMOVED,
        Action.GROUP_DELETED,
    ]


def test_some_rows_in_words() -> None:
    rows = [{"name": "Ada"}] * 1_000
    for kind in KINDS:
        assert some(rows[:1], kind.noun) == "Ada"
        assert some(rows[:2], kind.noun) == f"2 {kind.plural}"
        assert some(rows, kind.noun) == f"1,000 {kind.plural}"


def test_ids_of_changes_are_of_their_kind() -> None:
    assert ids.kind_of(ids.new_id(ids.CHANGE)) == ids.CHANGE
