"""The watch for a client that hangs up stops what it should, and leaves nothing behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from schema import endpoint
from schema.endpoint import abort_on_disconnect

SOON = 0.02  # seconds
NEVER = 60.0
SCOPE = {"type": "http", "method": "POST", "headers": []}


@pytest.fixture(autouse=True)
def watches_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "WATCH_AFTER", SOON / 4)


def request_of(seconds: float) -> Request:
    """A request whose client hangs up after so long."""

    async def receive() -> Any:
        await asyncio.sleep(seconds)
        return {"type": "http.disconnect"}

    return Request(SCOPE, receive)


async def watched(seconds: float, block: Callable[[], Awaitable[object]]) -> None:
    """Run a block for such a client."""
    with abort_on_disconnect(request_of(seconds)):
        await block()


async def time_out() -> None:
    await asyncio.sleep(SOON)
    raise TimeoutError("of the block's own")


@pytest.mark.parametrize("takes", [0, SOON])
async def test_who_stays_is_answered(takes: float) -> None:
    before = asyncio.all_tasks()
    await watched(NEVER, lambda: asyncio.sleep(takes))
    await asyncio.sleep(SOON)
    assert asyncio.all_tasks() == before  # and nobody watches


async def test_for_who_is_gone_nothing_goes_on() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(ClientDisconnect):
        await watched(SOON, lambda: asyncio.sleep(NEVER))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_time_that_is_over_within_is_no_hang_up() -> None:
    with pytest.raises(TimeoutError, match="own"):
        await watched(NEVER, time_out)


@pytest.mark.parametrize("after", [0, SOON])
async def test_to_be_cancelled_is_no_hang_up(after: float) -> None:
    task = asyncio.create_task(watched(NEVER, lambda: asyncio.sleep(NEVER)))
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1
