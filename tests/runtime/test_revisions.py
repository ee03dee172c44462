"""Reading revisions: one statement for all who ask meanwhile, and its failure is told to them."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from models import ledger
from models.errors import Unavailable
from models.ledger import Position, utc_now
from models.viewer import NEVER
from runtime.revisions import Revisions

PATIENCE = 10.0  # seconds


class Readings:
    """What is read, each time once it is `let` happen: the number of the reading as revision."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.let = asyncio.Semaphore(0)
        self.failure: Exception | None = None

    async def __call__(self, ids: Sequence[str]) -> dict[str, Position]:
        self.asked.append(list(ids))
        number = len(self.asked)
        await self.let.acquire()
        if self.failure:
            raise self.failure
        return {id: Position(number, 0, utc_now()) for id in ids if id != "gone"}


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    made = Readings()
    monkeypatch.setattr(ledger, "positions", made)
    return made


async def begun(*asks: "asyncio.Task[int]") -> None:
    """Let the tasks ask, and the reading begin."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(each.done() for each in asks)


async def test_those_who_ask_meanwhile_share_the_next_reading(readings: Readings) -> None:
    revisions = Revisions()
    first = asyncio.create_task(revisions.read("a"))
    await begun(first)
    later = [asyncio.create_task(revisions.read(id)) for id in ("a", "b", "a", "gone")]
    await begun(first, *later)
    assert readings.asked == [["a"]]
    later[0].cancel()  # which is nothing to the others
    readings.let.release()
    readings.let.release()
    async with asyncio.timeout(PATIENCE):
        assert await first == 1
        results = await asyncio.gather(*later, return_exceptions=True)
    assert readings.asked == [["a"], ["a", "b", "gone"]]
    assert results[1:3] == [2, 2]
    assert [type(result) for result in results] == [
        *(asyncio.CancelledError, int, int, LookupError)
    ]


async def test_a_reading_that_fails_is_told_to_all_and_the_next_one_is_made(
    readings: Readings,
) -> None:
    revisions = Revisions()
    readings.failure = Unavailable("not now")
    readings.let.release()
    asked = [revisions.read(id) for id in ("a", "b", "a")]
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*asked, return_exceptions=True) == [readings.failure] * 3
        readings.failure = None
        readings.let.release()
        assert await revisions.read("a") == 2


async def test_the_highest_revision_that_was_seen_is_kept_with_its_first_instant() -> None:
    revisions, first = Revisions(), utc_now()
    later = first + timedelta(seconds=1)
    for revision, changed_at, newest in (
        (5, first, (5, first)),
        (4, later, (5, first)),
        (5, later, (5, first)),  # the same revision, of a state that was restored
        (6, later, (6, later)),
    ):
        revisions.saw("a", revision, changed_at)
        assert revisions.newest("a") == newest
    assert revisions.newest("b") == (0, NEVER)
