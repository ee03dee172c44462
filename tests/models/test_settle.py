"""Finishing what must not be left half done, whoever gives up waiting for it."""

import asyncio
import gc
from typing import Any

import pytest

from models.database.settle import settle


class Ending:
    """Something with an end that takes its time, and may fail."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.has_ended = False

    async def end(self, error: BaseException | None = None) -> str:
        await self.gate.wait()
        self.has_ended = True
        if error:
            raise error
        return "ended"

    async def given_up(self, waiting: "asyncio.Task[str]") -> None:
        """Cancel whoever waits, twice, and only then let it end."""
        for _ in range(2):
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
            assert not waiting.done()
        self.gate.set()
        await asyncio.wait([waiting], timeout=10)


async def test_what_it_returns_and_raises_is_returned_and_raised() -> None:
    ending = Ending()
    ending.gate.set()
    assert await settle(ending.end()) == "ended"
    for error in (ValueError("no"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            await settle(ending.end(error))


async def test_it_ends_though_its_caller_is_cancelled_who_hears_of_that_after() -> None:
    ending = Ending()
    waiting = asyncio.create_task(settle(ending.end()))
    await ending.given_up(waiting)
    assert ending.has_ended
    assert waiting.cancelled()


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()])
async def test_a_failure_that_nobody_waits_for_is_no_fault(error: BaseException) -> None:
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    ending = Ending()
    waiting = asyncio.create_task(settle(ending.end(error)))
    await ending.given_up(waiting)
    assert waiting.cancelled()
    del waiting
    gc.collect()
    assert faults == []
