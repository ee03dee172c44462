"""What a process tells the others of its writes, and what waits for those who listen."""

import asyncio
from typing import Any

import pytest

import runtime.feed
from models import database, history
from models.errors import Unavailable
from models.viewer import Viewer
from runtime.feed import MOST_WAITING, Feed, Subscriber
from tests.databases import opened, with_rights
from tests.factories import make_group


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_others_are_told_later_of_what_they_could_not_be_told(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    told = asyncio.Event()

    async def notify(organization_id: str) -> None:
        tried.append(organization_id)
        if len(tried) == 1:
            raise Unavailable
        told.set()

    monkeypatch.setattr(database, "notify", notify)
    async with Feed(poll_seconds=0.01).running():
        await make_group(viewer, "Sales")
        async with asyncio.timeout(10):
            await told.wait()
    assert tried == [viewer.organization_id] * 2


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_whoever_listens_here_is_told_while_others_cannot_be(
    viewer: Viewer, database_url: str
) -> None:
    await database.fetch("REVOKE EXECUTE ON FUNCTION pg_notify FROM PUBLIC")
    try:
        async with with_rights(database_url, "ALL") as url, opened(url):
            feed = Feed(poll_seconds=0.01)
            async with feed.running(), feed.subscribed(viewer.organization_id) as subscriber:
                for name in ("Sales", "Support"):
                    await make_group(viewer, name)
                    async with asyncio.timeout(10):
                        (change,) = await subscriber.take()
                    assert change["group_name"] == name
    finally:
        await database.fetch("GRANT EXECUTE ON FUNCTION pg_notify TO PUBLIC")


async def test_an_organization_that_goes_back_between_two_reads_is_no_failure(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reads: list[int] = []
    read_again = asyncio.Event()

    async def changes_after(organization_id: str, revision: int, most: int) -> list[Any]:
        reads.append(revision)
        if len(reads) > 1:
            read_again.set()
        return []

    monkeypatch.setattr(history, "changes_after", changes_after)
    feed = Feed(poll_seconds=0.01)
    async with feed.running(), feed.subscribed(viewer.organization_id):
        await make_group(viewer, "Sales")
        async with asyncio.timeout(10):
            await read_again.wait()
    assert set(reads) == {reads[0]}
    assert not caplog.records


async def test_all_who_begin_to_listen_at_once_are_told(viewer: Viewer) -> None:
    feed = Feed(poll_seconds=0.01)

    async def told(others: asyncio.Barrier) -> str:
        async with feed.subscribed(viewer.organization_id) as subscriber:
            await others.wait()
            (change,) = await subscriber.take()
            return str(change["group_name"])

    begun = asyncio.Barrier(3)
    async with asyncio.timeout(10), feed.running(), asyncio.TaskGroup() as tasks:
        listeners = [tasks.create_task(told(begun)) for _ in range(2)]
        await begun.wait()
        await make_group(viewer, "Sales")
    assert [each.result() for each in listeners] == ["Sales"] * 2


async def test_of_more_changes_at_once_than_may_wait_none_is_handed_over(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.feed, "MOST_WAITING", 2)
    feed = Feed(poll_seconds=0.01)
    async with feed.running(), feed.subscribed(viewer.organization_id) as subscriber:
        for number in (2, 3):
            subscriber.is_behind = False  # as one that has read the ledger
            async with database.transaction():
                for each in range(number):
                    await make_group(viewer, f"Group {number}, {each}")
            async with asyncio.timeout(10):
                taken = await subscriber.take()
            assert (len(taken), subscriber.is_behind) == ((2, False) if number == 2 else (0, True))


async def test_no_more_than_so_many_changes_wait_for_one() -> None:
    subscriber = Subscriber()
    subscriber.is_behind = False  # as one that has read the ledger
    change: Any = {"revision": 1}
    subscriber.offer([change] * MOST_WAITING)
    assert len(await subscriber.take()) == MOST_WAITING
    assert not subscriber.is_behind
    for _ in range(2):
        subscriber.offer([change] * (MOST_WAITING // 2 + 1))
    assert await subscriber.take() == []
    assert subscriber.is_behind  # so it reads the ledger again


async def test_what_waits_of_a_state_that_is_gone_is_dropped() -> None:
    subscriber = Subscriber()
    subscriber.is_behind = False
    gone: Any = {"revision": 5}
    subscriber.offer([gone])
    subscriber.go_back(3)
    assert await subscriber.take() == []
    assert (subscriber.is_behind, subscriber.back_at) == (True, 3)


async def test_of_two_states_that_are_gone_it_resumes_from_before_both() -> None:
    subscriber = Subscriber()
    subscriber.go_back(3)
    subscriber.go_back(7)
    assert subscriber.back_at == 3
    subscriber.go_back(2)
    assert subscriber.back_at == 2
