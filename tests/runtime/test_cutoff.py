"""A cutoff ends a block as `asyncio.timeout` does, whatever else happens to the task."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from runtime.cutoff import Cutoff

SOON = 0.01  # seconds
NEVER = 60.0


@asynccontextmanager
async def cut(seconds: float | None) -> AsyncIterator[None]:
    """A cutoff, to be entered as asyncio's own is."""
    with Cutoff(seconds):
        yield


LIMITS = [cut, asyncio.timeout]
Limit = Callable[[float | None], asyncio.Timeout]


async def in_time(limit: Limit) -> str:
    async with limit(NEVER):
        await asyncio.sleep(0)
    async with limit(None):
        await asyncio.sleep(2 * SOON)
    return "done"


async def too_late(limit: Limit) -> str:
    async with limit(SOON):
        await asyncio.sleep(NEVER)
    return "done"


async def just_too_late(limit: Limit) -> str:
    """The time is over before the block would wait again, which it does not."""
    over = time.monotonic() + 2 * SOON
    async with limit(SOON):
        while time.monotonic() < over:
            pass
    await asyncio.sleep(2 * SOON)
    return "done"


async def broken(limit: Limit) -> str:
    async with limit(NEVER):
        raise LookupError("of the block's own")


async def broken_too_late(limit: Limit) -> str:
    async with limit(SOON):
        try:
            await asyncio.sleep(NEVER)
        finally:
            raise LookupError("of the block's own")


async def inner_first(limit: Limit) -> str:
    async with limit(NEVER):
        try:
            async with limit(SOON):
                await asyncio.sleep(NEVER)
        except TimeoutError:
            await asyncio.sleep(0)
            return "the inner one"
    return "done"


async def outer_first(limit: Limit) -> str:
    try:
        async with limit(SOON):
            try:
                async with limit(NEVER):
                    await asyncio.sleep(NEVER)
            except TimeoutError:
                return "the inner one"
    except TimeoutError:
        await asyncio.sleep(0)
        return "the outer one"
    return "done"


async def cancelled(limit: Limit) -> str:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(SOON, task.cancel)
    async with limit(NEVER):
        await asyncio.sleep(NEVER)
    return "done"


async def cancelled_too_late(limit: Limit) -> str:
    """Both at once: who cancelled the task is not to be told of a time that was over."""
    task = asyncio.current_task()
    assert task is not None
    async with limit(SOON):
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.sleep(0)  # where the second one comes
    return "done"


async def came_of(ask: Awaitable[str]) -> tuple[str, int]:
    """What came of it, and how often the task is asked to end after that."""
    task = asyncio.current_task()
    assert task is not None
    try:
        return await ask, task.cancelling()
    except (Exception, asyncio.CancelledError) as error:
        return repr(error), task.cancelling()


@pytest.mark.parametrize(
    "block",
    [
        *(in_time, too_late, just_too_late, broken, broken_too_late),
        *(inner_first, outer_first, cancelled, cancelled_too_late),
    ],
)
async def test_it_ends_a_block_as_asyncio_does(block: Callable[[Limit], Awaitable[str]]) -> None:
    tasks = [asyncio.create_task(came_of(block(limit))) for limit in LIMITS]  # type: ignore[arg-type]
    ours, theirs = await asyncio.gather(*tasks, return_exceptions=True)
    assert repr(ours) == repr(theirs)


async def test_it_can_be_told_to_end_a_block() -> None:
    cutoff = Cutoff()
    asyncio.get_running_loop().call_soon(cutoff.stop)
    with pytest.raises(TimeoutError), cutoff:
        await asyncio.sleep(NEVER)
    assert cutoff.is_over


async def test_told_too_late_it_ends_nothing() -> None:
    with Cutoff() as cutoff:
        await asyncio.sleep(0)
    cutoff.stop()
    await asyncio.sleep(0)
    assert not cutoff.is_over


async def test_told_twice_it_ends_the_block_once() -> None:
    task = asyncio.current_task()
    assert task is not None
    cutoff = Cutoff()
    for _ in range(2):
        asyncio.get_running_loop().call_soon(cutoff.stop)
    with pytest.raises(TimeoutError), cutoff:
        await asyncio.sleep(NEVER)
    assert task.cancelling() == 0


async def test_without_a_task_there_is_nothing_to_end() -> None:
    raised: asyncio.Future[BaseException | None] = asyncio.Future()

    def enter() -> None:
        try:
            with Cutoff(NEVER):
                raised.set_result(None)
        except Exception as error:
            raised.set_result(error)

    asyncio.get_running_loop().call_soon(enter)
    assert isinstance(await raised, RuntimeError)
