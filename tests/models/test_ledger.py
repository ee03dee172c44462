"""The ledger: one change a revision, without a gap."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import ledger, membership_writes
from models.database import fetch, transaction
from models.directory import USER_ORDERS, UserOrderField, entries
from models.errors import Code, DomainError, Unauthenticated
from models.groups import (
    ORDERS,
    GroupOrderField,
    create_group,
    delete_group,
    groups,
    update_group,
)
from models.kinds import BOTS, USERS
from models.ledger import current_revision, listeners, lock, positions, utc_now, write
from models.listing import Slice, fetch_page
from models.membership_writes import add_members, remove_members
from models.tables import Action
from models.viewer import Viewer
from tests.clock import put_on
from tests.factories import make_bot, make_group, make_user, make_users
from tests.refusals import unchanged

pytestmark = pytest.mark.usefixtures("consistent")


async def revisions_made(viewer: Viewer) -> list[int]:
    rows = await fetch(
        "SELECT revision FROM changes WHERE organization_id = $1 ORDER BY revision",
        viewer.organization_id,
    )
    return [row[0] for row in rows]


async def test_an_organization_begins_at_revision_0_without_a_change(viewer: Viewer) -> None:
    assert await current_revision(viewer.organization_id) == 0
    assert await revisions_made(viewer) == []


async def test_each_write_takes_the_next_revision(viewer: Viewer, other: Viewer) -> None:
    for expected in (1, 2, 3):
        outcome = await create_group(viewer, f"Group {expected}")
        assert outcome.revision == expected
        await make_group(other, f"Group {expected}")
    assert await revisions_made(viewer) == [1, 2, 3]
    found = await positions([viewer.organization_id, other.organization_id, "org_0"])
    assert {id: (at.revision, at.of_viewers) for id, at in found.items()} == {
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


Make = Callable[[Viewer, str, list[str]], Coroutine[Any, Any, object]]

LATE: dict[str, Make] = {
    "create": lambda late, group, users: create_group(late, "New"),
    "add": lambda late, group, users: add_members(late, USERS, group, users[2:]),
    "add several": lambda late, group, users: add_members(late, USERS, group, users[1:]),
    "remove": lambda late, group, users: remove_members(late, USERS, group, users[:1]),
}


async def hold_the_lock(viewer: Viewer, over: asyncio.Event) -> asyncio.Task[None]:
    """Lock the organization's row until it is over, by a task that then changes nothing."""
    held = asyncio.Event()

    async def hold() -> None:
        async with transaction():
            await lock(viewer.organization_id)
            held.set()
            await over.wait()

    task = asyncio.create_task(hold())
    await held.wait()
    return task


@pytest.mark.parametrize("make", LATE.values(), ids=LATE)
async def test_a_write_whose_token_expires_before_its_turn_changes_nothing(
    viewer: Viewer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = list(await make_users(viewer, 3))
    group = await make_group(viewer, users=users[:1])
    before = await current_revision(viewer.organization_id)
    over = asyncio.Event()
    holding = await hold_the_lock(viewer, over)
    ahead = asyncio.create_task(add_members(viewer, USERS, group, users[1:2]))
    while not any(each._round for each in membership_writes._gatherings.values()):  # noqa: ASYNC110
        await asyncio.sleep(0)  # else the late one may be made together with it
    expires_at = utc_now() + timedelta(hours=1)
    late = asyncio.create_task(make(replace(viewer, expires_at=expires_at), group, users))
    put_on(monkeypatch, expires_at)
    over.set()
    with pytest.raises(Unauthenticated):
        await late
    await asyncio.gather(holding, ahead)
    assert await current_revision(viewer.organization_id) == before + 1


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
@pytest.mark.parametrize("make", LATE.values(), ids=LATE)
async def test_a_write_that_waits_for_one_that_changes_nothing_may_be_too_late_as_well(
    viewer: Viewer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = list(await make_users(viewer, 3))
    group = await make_group(viewer, users=users[:1])
    over = asyncio.Event()
    async with unchanged(viewer):
        holding = await hold_the_lock(viewer, over)
        expires_at = utc_now() + timedelta(hours=1)
        late = asyncio.create_task(make(replace(viewer, expires_at=expires_at), group, users))
        while not await fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        put_on(monkeypatch, expires_at)
        over.set()
        with pytest.raises(Unauthenticated):
            await late
        await holding


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
