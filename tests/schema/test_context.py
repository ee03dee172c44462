"""What is asked object by object, and answered together."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from models.viewer import Viewer
from runtime.feed import Feed
from runtime.revisions import Revisions
from schema.context import Context

PATIENCE = 10.0  # seconds


@pytest.fixture
def context() -> Context:
    """The context of an operation that counts no objects."""
    viewer = Viewer.operator("org_1")

    async def recognise() -> Viewer:
        return viewer

    return Context(viewer, recognise, Feed(), Revisions(), {}, 0)


class Doubling:
    """Doubles numbers, as a `found` field would find them; tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []

    async def __call__(self, numbers: Sequence[int], context: Context, **_: Any) -> list[int]:
        self.asked.append(numbers)
        if 0 in numbers:
            raise ValueError("0")
        return [2 * number for number in numbers]


async def test_what_is_asked_in_one_turn_is_answered_together(context: Context) -> None:
    double = Doubling()
    asked = [context.load(double, number, {"first": number // 3}) for number in (1, 2, 3, 2)]
    assert await asyncio.gather(*asked) == [2, 4, 6, 4]
    assert await context.load(double, 1, {"first": 0}) == 2  # and not remembered
    assert double.asked == [[1, 2, 2], [3], [1]]


async def test_an_error_is_told_to_all_who_asked_together(context: Context) -> None:
    double = Doubling()
    asked = [context.load(double, number, {}) for number in (0, 1)]
    for result in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(result, ValueError)


async def test_one_who_gives_up_keeps_nobody_waiting(context: Context) -> None:
    double = Doubling()
    for turns in range(4):
        first = asyncio.ensure_future(context.load(double, 1, {}))
        first.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            assert await context.load(double, 2, {}) == 4
    assert 1 not in [number for numbers in double.asked for number in numbers]


async def test_a_cancelled_statement_keeps_nobody_waiting(context: Context) -> None:
    async def cancelled(numbers: Sequence[int], context: Context) -> list[int]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE):
            await context.load(cancelled, 1, {})


async def test_what_nobody_waits_for_any_more_has_ended_behind_the_block(context: Context) -> None:
    ended: list[int] = []

    async def slow(numbers: Sequence[int], context: Context) -> Sequence[int]:
        await asyncio.sleep(0.01)
        ended.extend(numbers)
        return numbers

    for turns in range(4):
        async with context.all_loaded():
            asked = asyncio.ensure_future(context.load(slow, turns, {}))
            later = asyncio.ensure_future(context.load(slow, -turns, {"other": True}))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()  # as graphql-core does, when a sibling has failed
            later.cancel()
        before = list(ended)
        await asyncio.sleep(0.05)
        assert ended == before
    assert ended


async def test_what_is_fetched_is_given_up_with_the_block(context: Context) -> None:
    told: list[str] = []
    begun = asyncio.Event()

    async def endless(numbers: Sequence[int], context: Context) -> Sequence[int]:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            told.append("given up")
        return numbers

    async def load() -> None:
        async with context.all_loaded():
            await context.load(endless, 1, {})

    loading = asyncio.create_task(load())
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        loading.cancel()
        await asyncio.wait([loading])
    assert loading.cancelled()
    assert told == ["given up"]


async def test_a_block_that_fails_leaves_nothing_to_begin_or_to_wait_for(context: Context) -> None:
    async def fail(turns: int, double: Doubling) -> Awaitable[int]:
        """Leave the block by an error, so many turns after something was asked."""
        with suppress(ConnectionError):
            async with context.all_loaded():
                asked = context.load(double, 1, {})
                for _ in range(turns):
                    await asyncio.sleep(0)
                raise ConnectionError
        return asked

    for turns in range(4):
        double = Doubling()
        asked = asyncio.ensure_future(await fail(turns, double))
        begun = list(double.asked)
        assert asked.done()
        await asyncio.sleep(0.001)
        assert double.asked == begun
        async with asyncio.timeout(PATIENCE):
            assert await context.load(double, 2, {}) == 4


async def test_what_a_block_began_fetches_nothing_behind_it(context: Context) -> None:
    async def later(double: Doubling) -> int:
        for _ in range(3):
            await asyncio.sleep(0)
        found: int = await context.load(double, 1, {})
        return found

    double = Doubling()
    async with context.all_loaded():
        left = asyncio.create_task(later(double))
    assert await later(double) == 2
    with pytest.raises(asyncio.CancelledError):
        await left
    assert double.asked == [[1]]
