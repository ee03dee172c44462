"""Writes of memberships that wait for one another: made together, and each a change of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import database, ledger, membership_writes
from models.database import fetch, is_in_transaction, is_postgres, transaction
from models.errors import Code, DomainError, Unauthenticated
from models.groups import delete_group
from models.kinds import BOTS, KINDS, USERS, Kind
from models.ledger import Outcome, current_revision, utc_now
from models.membership_writes import AT_ONCE, MembershipWrite, add_members, remove_members
from models.tables import Action, Role
from models.tokens import authenticate, create_token, revoke_token
from models.viewer import Viewer
from tests.factories import count_statements, make_entries, make_group, make_user, make_users
from tests.refusals import refused

pytestmark = pytest.mark.usefixtures("consistent")

NUMBER = 16


async def _landed(viewer: Viewer, since: int) -> list[tuple[int, str, str]]:
    rows = await fetch(
        "SELECT revision, action, group_id FROM changes WHERE organization_id = $1 "
        "AND revision > $2 ORDER BY revision",
        viewer.organization_id,
        since,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def _groups(viewer: Viewer) -> list[str]:
    return [await make_group(viewer, f"Group {number}") for number in range(NUMBER)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_many_at_once_cost_the_statements_of_one(viewer: Viewer, kind: Kind) -> None:
    groups = await _groups(viewer)
    ids = await make_entries(viewer, kind, [f"Name {number}" for number in range(NUMBER)])
    start = await current_revision(viewer.organization_id)
    with count_statements() as statements:
        outcomes = await asyncio.gather(
            *(
                add_members(viewer, kind, *pair)
                for pair in zip(groups, [[id] for id in ids], strict=True)
            )
        )
    # What is read, and what is written; behind the lock on SQLite.
    assert len(statements) == (2 if is_postgres() else 3)
    assert [outcome.changed for outcome in outcomes] == [[id] for id in ids]
    assert sorted(outcome.revision for outcome in outcomes) == list(
        range(start + 1, start + NUMBER + 1)
    )
    by_revision = {outcome.revision: outcome.id for outcome in outcomes}
    assert await _landed(viewer, start) == [
        (revision, kind.added, by_revision[revision])
        for revision in range(start + 1, start + NUMBER + 1)
    ]


async def test_adding_and_removing_land_together(viewer: Viewer) -> None:
    old, new = await make_users(viewer, 2)
    group = await make_group(viewer, users=[old])
    added, removed = await asyncio.gather(
        add_members(viewer, USERS, group, [new]), remove_members(viewer, USERS, group, [old])
    )
    assert (added.changed, removed.changed) == ([new], [old])
    rows = await fetch("SELECT user_id FROM group_users WHERE until_revision IS NULL")
    assert [row[0] for row in rows] == [new]


async def test_one_that_is_refused_changes_nothing_and_keeps_no_other_from_landing(
    viewer: Viewer,
) -> None:
    groups, user = await _groups(viewer), await make_user(viewer)
    start = await current_revision(viewer.organization_id)
    results = await asyncio.gather(
        add_members(viewer, USERS, groups[0], [user]),
        add_members(viewer, USERS, "grp_" + "0" * 32, [user]),
        add_members(viewer, USERS, groups[1], [user, "usr_" + "0" * 32]),
        add_members(viewer, USERS, groups[2], [user]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Outcome, DomainError, DomainError, Outcome]
    for error in results[1:3]:
        assert isinstance(error, DomainError)
        assert [problem.code for problem in error.problems] == [Code.NOT_FOUND]
        assert error.revision == start + 1
    assert [group for _, _, group in await _landed(viewer, start)] == [groups[0], groups[2]]


async def test_who_expects_a_revision_counts_those_in_front(viewer: Viewer) -> None:
    groups, user = await _groups(viewer), await make_user(viewer)
    start = await current_revision(viewer.organization_id)
    results = await asyncio.gather(
        add_members(viewer, USERS, groups[0], [user], start),
        add_members(viewer, USERS, groups[1], [user], start),
        add_members(viewer, USERS, groups[2], [user], start + 1),
        return_exceptions=True,
    )
    assert isinstance(results[1], DomainError)
    assert [problem.code for problem in results[1].problems] == [Code.CONFLICT]
    assert results[1].revision == start + 1
    assert [result.revision for result in results if isinstance(result, Outcome)] == [
        start + 1,
        start + 2,
    ]


async def test_what_is_there_already_makes_no_change_among_others(viewer: Viewer) -> None:
    ada, alan = await make_users(viewer, 2)
    group, other = await make_group(viewer, "A", users=[ada]), await make_group(viewer, "B")
    start = await current_revision(viewer.organization_id)
    none, one = await asyncio.gather(
        add_members(viewer, USERS, group, [ada]), add_members(viewer, USERS, other, [alan])
    )
    assert (none.changed, none.revision, none.shown) == ([], start, None)
    assert (one.changed, one.revision) == ([alan], start + 1)


async def test_those_about_the_same_membership_take_turns(viewer: Viewer) -> None:
    user, group = await make_user(viewer), await make_group(viewer)
    start = await current_revision(viewer.organization_id)
    outcomes = await asyncio.gather(
        add_members(viewer, USERS, group, [user]),
        remove_members(viewer, USERS, group, [user]),
        add_members(viewer, USERS, group, [user]),
        add_members(viewer, USERS, group, [user]),
    )
    assert [outcome.changed for outcome in outcomes] == [[user], [user], [user], []]
    assert len(await _landed(viewer, start)) == 3


async def test_those_about_different_kinds_take_turns(viewer: Viewer) -> None:
    user, (bot,) = await make_user(viewer), await make_entries(viewer, BOTS, ["Coach"])
    group = await make_group(viewer)
    outcomes = await asyncio.gather(
        add_members(viewer, USERS, group, [user]), add_members(viewer, BOTS, group, [bot])
    )
    assert [outcome.changed for outcome in outcomes] == [[user], [bot]]


async def test_a_transaction_is_not_asked_for_more_than_so_many(viewer: Viewer) -> None:
    users = await make_users(viewer, AT_ONCE)
    groups = await _groups(viewer)
    with count_statements() as statements:
        outcomes = await asyncio.gather(
            *(add_members(viewer, USERS, id, users) for id in groups[:3])
        )
    assert len(statements) == 3 * (4 if is_postgres() else 3)  # a round each, behind the lock
    assert [len(outcome.changed) for outcome in outcomes] == [AT_ONCE] * 3


async def test_one_who_was_revoked_writes_nothing_among_others(viewer: Viewer) -> None:
    groups, user = await _groups(viewer), await make_user(viewer)
    made, secret = await create_token(viewer, "Robot", Role.ADMIN, None, None)
    robot = await authenticate(secret)
    assert robot
    assert made.id
    await revoke_token(viewer, made.id)
    start = await current_revision(viewer.organization_id)
    results = await asyncio.gather(
        add_members(viewer, USERS, groups[0], [user]),
        add_members(robot, USERS, groups[1], [user]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Outcome, Unauthenticated]
    assert [group for _, _, group in await _landed(viewer, start)] == [groups[0]]


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_what_others_write_between_reading_and_writing_is_seen(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, (user, other) = await make_group(viewer), await make_users(viewer, 2)

    async def add() -> None:
        async with transaction():  # as another process does it: not with those who wait here
            await add_members(viewer, USERS, group, [user])

    async def delete() -> None:
        await delete_group(viewer, group)

    read, meanwhile = membership_writes._read, [delete, add]

    async def read_and_be_overtaken(*asked: Any) -> Any:
        found = await read(*asked)
        if not is_in_transaction():
            await meanwhile.pop()()
        return found

    monkeypatch.setattr(membership_writes, "_read", read_and_be_overtaken)
    start = await current_revision(viewer.organization_id)
    outcome = await add_members(viewer, USERS, group, [user, other])
    assert (outcome.changed, outcome.revision) == ([other], start + 2)
    with pytest.raises(DomainError) as refused:
        await remove_members(viewer, USERS, group, [user, other])
    assert [problem.code for problem in refused.value.problems] == [Code.NOT_FOUND]
    assert [action for _, action, _ in await _landed(viewer, start)] == [
        Action.USERS_ADDED,
        Action.USERS_ADDED,
        Action.GROUP_DELETED,
    ]


async def test_who_goes_away_leaves_nothing_half_done(viewer: Viewer) -> None:
    groups, user = await _groups(viewer), await make_user(viewer)
    start = await current_revision(viewer.organization_id)
    tasks = [asyncio.create_task(add_members(viewer, USERS, id, [user])) for id in groups]
    for number, task in enumerate(tasks):
        await asyncio.sleep(0.002 if number < 3 else 0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    landed = {group for _, _, group in await _landed(viewer, start)}
    rows = await fetch("SELECT group_id FROM group_users WHERE until_revision IS NULL")
    assert {row[0] for row in rows} == landed
    outcome = await add_members(viewer, USERS, groups[-1], [user])
    assert outcome.changed == ([] if groups[-1] in landed else [user])


async def test_the_group_is_shown_as_the_last_of_them_left_it(viewer: Viewer) -> None:
    group, users = await make_group(viewer), await make_users(viewer, 3)
    outcomes = await asyncio.gather(*(add_members(viewer, USERS, group, [id]) for id in users))
    newest = max(outcome.revision for outcome in outcomes)
    last = max(outcomes, key=lambda outcome: outcome.revision)
    assert last.shown
    assert (last.shown.revision, last.shown.group["user_count"]) == (newest, 3)
    assert last.shown.group["updated_revision"] == newest


async def test_within_a_transaction_nothing_is_waited_for(viewer: Viewer) -> None:
    group, users = await make_group(viewer), await make_users(viewer, 2)

    async def fail() -> None:
        async with transaction():
            await add_members(viewer, USERS, group, users)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await fetch("SELECT 1 FROM group_users") == []


async def test_within_a_transaction_a_refusal_is_raised_as_well(viewer: Viewer) -> None:
    group = await make_group(viewer)
    async with transaction(), refused(viewer, (Code.NOT_FOUND, "userIds", "0")):
        await add_members(viewer, USERS, group, ["usr_0"])


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_all_take_the_lock_at_once_if_a_token_of_one_ends_soon(
    database_url: str, viewer: Viewer
) -> None:
    group, (user,) = await make_group(viewer), await make_users(viewer, 1)
    soon, later = (
        replace(viewer, expires_at=utc_now() + timedelta(seconds=seconds)) for seconds in (1, 3_600)
    )
    async with database.opened(database_url, statement_seconds=10.0, fallback=False):
        for writers, compares in (
            ([viewer, later], True),
            ([viewer, soon, later], False),
            ([later, soon], False),
        ):
            asked = [MembershipWrite(each, USERS, True, group, [user], None) for each in writers]
            assert membership_writes._Batch(asked).compares is compares


async def test_those_who_write_again_and_again_stay_together(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups, users = await _groups(viewer), await make_users(viewer, 4)
    sizes: list[int] = []
    write_together = membership_writes._write_together

    async def noted(asked: Sequence[MembershipWrite]) -> list[Outcome | Exception]:
        sizes.append(len(asked))
        return await write_together(asked)

    monkeypatch.setattr(membership_writes, "_write_together", noted)

    async def write(group: str) -> None:
        for user in users:
            await add_members(viewer, USERS, group, [user])

    await asyncio.gather(*map(write, groups))
    assert sum(sizes) == len(groups) * len(users)
    assert len(sizes) <= 2 * len(users)
    assert membership_writes._gatherings == {}


async def test_a_write_that_is_broken_off_in_its_commit_is_told_of(viewer: Viewer) -> None:
    group, user = await make_group(viewer), await make_user(viewer)
    told: list[str] = []
    ledger.listeners.append(told.append)
    try:
        task = asyncio.create_task(add_members(viewer, USERS, group, [user]))
        before = await current_revision(viewer.organization_id)
        while not task.done():
            await asyncio.sleep(0)
            if await current_revision(viewer.organization_id) > before:
                task.cancel()  # once: another time, it would not wait to see what comes of it
                break
        await asyncio.gather(task, return_exceptions=True)
    finally:
        ledger.listeners.remove(told.append)
    assert told == [viewer.organization_id]
