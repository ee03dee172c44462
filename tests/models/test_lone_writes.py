"""Writes of one membership that come by themselves: one statement, or nothing at all."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import ledger, lone_writes
from models.database import fetch, transaction
from models.directory import delete_entries
from models.errors import Code, DomainError, Unwritable
from models.groups import delete_group
from models.kinds import KINDS, USERS, Kind
from models.ledger import TICK, Outcome, current_revision
from models.lone_writes import write_alone
from models.membership_writes import add_members, remove_members
from models.tables import Role
from models.tokens import authenticate, create_token, revoke_token
from models.viewer import Viewer
from tests.databases import opened, with_rights
from tests.factories import (
    Snapshot,
    count_statements,
    make_entry,
    make_group,
    make_user,
    make_users,
    snapshot,
)
from tests.refusals import refused, unchanged

pytestmark = [
    pytest.mark.usefixtures("consistent"),
    pytest.mark.parametrize("databases", ["postgres"], indirect=True),
]

Write = Coroutine[Any, Any, Outcome | None]

UNKNOWN = "0" * 32
ID_OR_TIME = re.compile(r"[a-z]{3}_[0-9a-f]{32}|datetime\.datetime\([^()]*\)")


def without_ids(rows: Snapshot) -> str:
    """The rows as text, with each id and each instant as a number, in order of appearance."""
    numbers: dict[str, str] = {}
    text = repr(rows).replace("datetime.timezone.utc", "UTC")
    return ID_OR_TIME.sub(lambda found: numbers.setdefault(found[0], f"#{len(numbers)}"), text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_rows_are_those_that_a_batch_makes(viewer: Viewer, kind: Kind, other: Viewer) -> None:
    name = "100 % “O'Reilly” {} %s"
    email = {"email": "ada@example.com"} if kind is USERS else {}
    group, member = await make_group(viewer, name), await make_entry(viewer, kind, name, **email)
    their_group, theirs = (
        await make_group(other, name),
        await make_entry(other, kind, name, **email),
    )
    for verb in (add_members, remove_members, add_members):
        with count_statements() as statements:
            outcome = await verb(viewer, kind, group, [member])
        assert len(statements) == 1
        async with transaction():
            await verb(other, kind, their_group, [theirs])
        (row,) = await fetch(
            "SELECT g.*, o.revision FROM groups g JOIN organizations o ON o.id = organization_id "
            "WHERE g.id = $1",
            group,
        )
        assert outcome.shown
        assert (outcome.revision, outcome.id, outcome.changed) == (row["revision"], group, [member])
        assert (*outcome.shown.group, outcome.shown.revision) == tuple(row)
    expected = without_ids(await snapshot(other.organization_id))
    rows = without_ids(await snapshot(viewer.organization_id))
    assert rows == expected.replace("Other", "Acme").replace("other", "acme")


async def test_who_wrote_is_in_the_ledger(viewer: Viewer) -> None:
    group, user = await make_group(viewer, "Sales"), await make_user(viewer, "Ada")
    grace = await make_user(viewer, "Grace", role=Role.ADMIN)
    for verb, owner, name, summary in (
        (add_members, None, "Robot", "Robot added Ada to Sales"),
        (remove_members, grace, "Grace", "Grace removed Ada from Sales"),
    ):
        _, secret = await create_token(viewer, "Robot", Role.ADMIN, owner, None)
        writer = await authenticate(secret)
        assert writer
        with count_statements() as statements:
            outcome = await verb(writer, USERS, group, [user], writer.revision)
        assert len(statements) == 1
        (told,) = await fetch(
            "SELECT actor_kind, actor_name, actor_user_id, summary FROM changes "
            "WHERE revision = $1",
            outcome.revision,
        )
        assert tuple(told) == (writer.kind, name, owner, summary)


@pytest.fixture
async def group(viewer: Viewer) -> str:
    """A group with one member, “Inside”."""
    return await make_group(viewer, users=[await make_user(viewer, "Inside")])


@pytest.fixture
async def inside(group: str) -> str:
    """The user who is in it."""
    ((id,),) = await fetch("SELECT user_id FROM group_users WHERE group_id = $1", group)
    return str(id)


@pytest.fixture
async def outside(viewer: Viewer) -> str:
    """A user who is not."""
    return await make_user(viewer, "Outside")


async def nothing_is_written(
    viewer: Viewer, group: str, member: str, adds: bool, expected: int | None = None
) -> None:
    """Assert that a write by itself leaves all to a batch, and all rows as they are."""
    before = await snapshot(viewer.organization_id)
    assert await write_alone(viewer, USERS, (group, member), adds, expected) is None
    assert await snapshot(viewer.organization_id) == before


async def test_who_is_in_is_not_added_and_who_is_not_is_not_removed(
    viewer: Viewer, group: str, inside: str, outside: str
) -> None:
    await nothing_is_written(viewer, group, inside, True)
    await nothing_is_written(viewer, group, outside, False)
    outcome = await add_members(viewer, USERS, group, [inside])
    assert (outcome.changed, outcome.shown) == ([], None)


async def test_where_nothing_can_be_written_what_changes_nothing_is_answered(
    viewer: Viewer, group: str, inside: str, outside: str, database_url: str
) -> None:
    async with unchanged(viewer), with_rights(database_url, "SELECT") as url, opened(url):
        for verb, member in ((add_members, inside), (remove_members, outside)):
            assert (await verb(viewer, USERS, group, [member])).changed == []
        async with refused(viewer, (Code.NOT_FOUND, "groupId")):
            await add_members(viewer, USERS, f"grp_{UNKNOWN}", [outside])
        with pytest.raises(Unwritable):
            await add_members(viewer, USERS, group, [outside])


async def test_what_is_not_there_is_not_written_to(
    viewer: Viewer, other: Viewer, group: str, inside: str, outside: str
) -> None:
    strange = await make_group(other, users=[await make_user(other)])
    ((stranger,),) = await fetch("SELECT user_id FROM group_users WHERE group_id = $1", strange)
    theirs = await snapshot(other.organization_id)
    await nothing_is_written(viewer, f"grp_{UNKNOWN}", outside, True)
    await nothing_is_written(viewer, group, f"usr_{UNKNOWN}", True)
    await nothing_is_written(viewer, strange, outside, True)
    await nothing_is_written(viewer, group, stranger, True)
    await nothing_is_written(viewer, strange, stranger, False)
    assert await snapshot(other.organization_id) == theirs


async def test_what_was_deleted_is_not_written_to(
    viewer: Viewer, group: str, inside: str, outside: str
) -> None:
    await delete_entries(viewer, USERS, [outside])
    await nothing_is_written(viewer, group, outside, True)
    another = await make_user(viewer)
    await delete_group(viewer, group)
    await nothing_is_written(viewer, group, another, True)
    await nothing_is_written(viewer, group, inside, False)


async def test_who_expects_another_revision_writes_nothing(
    viewer: Viewer, group: str, outside: str
) -> None:
    now = await current_revision(viewer.organization_id)
    await nothing_is_written(viewer, group, outside, True, now - 1)
    await nothing_is_written(viewer, group, outside, True, now + 1)
    outcome = await write_alone(viewer, USERS, (group, outside), True, now)
    assert outcome
    assert outcome.revision == now + 1


async def test_who_may_have_been_revoked_writes_nothing(
    viewer: Viewer, group: str, outside: str
) -> None:
    made, secret = await create_token(viewer, "Robot", Role.ADMIN, None, None)
    robot = await authenticate(secret)
    assert robot
    await revoke_token(viewer, str(made.id))
    await nothing_is_written(robot, group, outside, True)


async def test_who_is_from_before_a_restore_writes_nothing(
    viewer: Viewer, group: str, outside: str
) -> None:
    _, secret = await create_token(viewer, "Robot", Role.ADMIN, None, None)
    robot = await authenticate(secret)
    assert robot
    await fetch("UPDATE changes SET revision = revision + 1000")  # nothing is as recent as it was
    await fetch("UPDATE organizations SET revision = revision - 1")
    await nothing_is_written(robot, group, outside, True)
    await fetch("UPDATE changes SET revision = revision - 1000")
    await fetch("UPDATE organizations SET revision = revision + 1")
    elsewhere = replace(robot, changed_at=robot.changed_at - TICK)  # the same revision came again
    await nothing_is_written(elsewhere, group, outside, True)
    assert await write_alone(robot, USERS, (group, outside), True, None)


async def test_time_does_not_go_back_or_stand_still(
    viewer: Viewer, group: str, outside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((at,),) = await fetch("SELECT changed_at FROM organizations")
    with monkeypatch.context() as patches:
        patches.setattr(lone_writes, "utc_now", lambda: at)
        await nothing_is_written(viewer, group, outside, True)
    await fetch("UPDATE organizations SET changed_at = $1", at + timedelta(hours=1))
    await nothing_is_written(viewer, group, outside, True)
    await add_members(viewer, USERS, group, [outside])
    ((changed_at,),) = await fetch("SELECT changed_at FROM organizations")
    assert changed_at > at + timedelta(hours=1)


@asynccontextmanager
async def another_writes() -> AsyncIterator[Callable[[Write], Awaitable[asyncio.Task[Any]]]]:
    """Another's transaction, and what begins a write outside of it that has to wait for it."""
    outside = copy_context()

    async def begun(write: Write) -> asyncio.Task[Any]:
        task = asyncio.create_task(write, context=outside.copy())
        async with asyncio.timeout(10):
            while not await fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return task

    async with transaction():
        yield begun


async def test_what_another_has_done_meanwhile_is_not_done_again(
    viewer: Viewer, group: str, outside: str
) -> None:
    start = await current_revision(viewer.organization_id)
    async with another_writes() as begun:
        await add_members(viewer, USERS, group, [outside])
        task = await begun(write_alone(viewer, USERS, (group, outside), True, None))
    assert await task is None
    assert await current_revision(viewer.organization_id) == start + 1


async def test_a_group_that_another_has_deleted_meanwhile_stays_empty(
    viewer: Viewer, group: str, outside: str
) -> None:
    async with another_writes() as begun:
        await delete_group(viewer, group)
        task = await begun(add_members(viewer, USERS, group, [outside]))
    with pytest.raises(DomainError) as refused:
        await task
    assert [problem.code for problem in refused.value.problems] == [Code.NOT_FOUND]
    assert await fetch("SELECT 1 FROM group_users WHERE until_revision IS NULL") == []


async def test_what_another_rolls_back_keeps_nobody_from_writing(
    viewer: Viewer, group: str, outside: str
) -> None:
    start = await current_revision(viewer.organization_id)
    with suppress(ZeroDivisionError):
        async with another_writes() as begun:
            await delete_group(viewer, group)
            task = await begun(write_alone(viewer, USERS, (group, outside), True, None))
            raise ZeroDivisionError
    outcome = await task
    assert (outcome.changed, outcome.revision) == ([outside], start + 1)


async def test_those_whose_ids_need_a_look_are_left_to_a_batch(
    viewer: Viewer, group: str, outside: str
) -> None:
    users = await make_users(viewer, 2)
    for ids in ([outside, outside], users):
        with count_statements() as statements:
            outcome = await add_members(viewer, USERS, group, ids)
        assert len(statements) == 2
        assert outcome.changed == list(dict.fromkeys(ids))


async def test_all_are_told_of_a_write_unless_it_changed_nothing(
    viewer: Viewer, group: str, inside: str, outside: str
) -> None:
    told: list[str] = []
    ledger.listeners.append(told.append)
    try:
        await nothing_is_written(viewer, group, inside, True)
        assert told == []
        assert await write_alone(viewer, USERS, (group, outside), True, None)
        assert told == [viewer.organization_id]
        async with another_writes() as begun:
            await add_members(viewer, USERS, group, await make_users(viewer, 2))
            told.clear()
            task = await begun(write_alone(viewer, USERS, (group, outside), False, None))
            task.cancel()  # its statement may land, for all we know
            await asyncio.wait([task])
            assert task.cancelled()
            assert told == [viewer.organization_id]
    finally:
        ledger.listeners.remove(told.append)
