"""Doing together what waits: who is told what, and what going away stops."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from models.apart import of_request
from models.gathering import Gathering

asked_by: ContextVar[str | None] = of_request("asked_by")


class Work:
    """What is gathered here: numbers, of which those below zero are refused."""

    def __init__(self, most: int = 100) -> None:
        self.rounds: list[list[int]] = []
        self.finished: list[list[int]] = []
        self.undone: list[list[int]] = []
        self.done_for: list[str | None] = []
        self.gate = asyncio.Event()
        self.gathering: Gathering[int, str] = Gathering(
            self.do, lambda items: min(len(items), most)
        )

    async def do(self, items: Sequence[int]) -> list[str | Exception]:
        self.rounds.append(list(items))
        self.done_for.append(asked_by.get())
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # as a rollback takes its time
            self.undone.append(list(items))
            raise
        if 13 in items:
            raise ConnectionError("gone")
        if 17 in items:
            raise asyncio.CancelledError
        self.finished.append(list(items))
        return [f"did {item}" if item >= 0 else ValueError(item) for item in items]

    def ask(self, *items: int) -> list[asyncio.Task[str]]:
        return [asyncio.create_task(self.gathering.add(item)) for item in items]

    async def begun(self, rounds: int) -> None:
        """Wait until so many rounds have begun."""
        for _ in range(100):
            if len(self.rounds) >= rounds:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{len(self.rounds)} rounds have begun, and not {rounds}")


async def test_what_comes_during_a_round_makes_the_next_one() -> None:
    work = Work()
    first = work.ask(1, 2)
    await work.begun(1)
    others = work.ask(3, 4)
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*first, *others) == ["did 1", "did 2", "did 3", "did 4"]
    assert work.rounds == [[1, 2], [3, 4]]
    assert work.gathering.is_idle


async def test_those_who_come_again_and_again_are_done_by_halves() -> None:
    work = Work()
    work.gate.set()

    async def ask(item: int) -> None:
        for _ in range(5):
            await work.gathering.add(item)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask(100))
        await work.begun(1)
        for item in range(101, 116):
            group.create_task(ask(item))
    assert [len(each) for each in work.rounds[:2]] == [1, 8]
    assert {len(each) for each in work.rounds[2:8]} == {8}


async def test_the_next_round_begins_before_those_of_the_last_go_on() -> None:
    work = Work()
    first = work.ask(1)
    await work.begun(1)
    begun: list[int] = []
    first[0].add_done_callback(lambda _: begun.append(len(work.rounds)))
    (second,) = work.ask(2)
    await asyncio.sleep(0)
    work.gate.set()
    await asyncio.gather(*first, second)
    assert begun == [2]


async def test_a_round_holds_no_more_than_fit() -> None:
    work = Work(most=2)
    work.gate.set()
    await asyncio.gather(*work.ask(1, 2, 3, 4, 5))
    assert work.rounds == [[1, 2], [3, 4], [5]]


async def test_one_that_is_refused_keeps_no_other_from_being_done() -> None:
    work = Work()
    work.gate.set()
    results = await asyncio.gather(*work.ask(1, -2, 3), return_exceptions=True)
    assert (results[0], results[2]) == ("did 1", "did 3")
    assert isinstance(results[1], ValueError)


async def test_a_round_that_breaks_is_told_to_all_of_it_and_to_nobody_else() -> None:
    work = Work()
    broken = work.ask(12, 13)
    await work.begun(1)
    whole = work.ask(14)
    await asyncio.sleep(0)
    work.gate.set()
    results = await asyncio.gather(*broken, *whole, return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError, ConnectionError, str]


async def test_who_goes_away_while_it_waits_takes_it_along() -> None:
    work = Work()
    first = work.ask(1)
    await work.begun(1)
    stays, goes = work.ask(2, 3)
    await asyncio.sleep(0)
    goes.cancel()
    work.gate.set()
    await asyncio.gather(*first, stays)
    assert work.rounds == [[1], [2]]
    assert goes.cancelled()


async def test_a_round_goes_on_for_those_who_stay() -> None:
    work = Work()
    first, goes, last = work.ask(1, 2, 3)
    await work.begun(1)
    goes.cancel()
    await asyncio.sleep(0)
    work.gate.set()
    assert [await first, await last] == ["did 1", "did 3"]
    assert work.finished == [[1, 2, 3]]


async def test_a_round_that_nobody_waits_for_is_stopped_before_they_hear_of_it() -> None:
    work = Work()
    gone = work.ask(1, 2)
    await work.begun(1)
    undone: list[bool] = []
    for each in gone:
        each.add_done_callback(lambda _: undone.append(work.undone == [[1, 2]]))
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    assert undone == [True, True]
    assert work.finished == []
    work.gate.set()
    assert await work.gathering.add(3) == "did 3"
    assert work.finished == [[3]]


async def test_a_round_that_is_stopped_stops_nobody_who_waits_for_the_next_one() -> None:
    work = Work()
    (goes,) = work.ask(1)
    await work.begun(1)
    (stays,) = work.ask(2)
    await asyncio.sleep(0)
    goes.cancel()
    await work.begun(2)
    work.gate.set()
    assert await stays == "did 2"
    assert goes.cancelled()
    assert work.finished == [[2]]


async def test_a_round_that_is_cancelled_from_within_is_told_to_all_of_it() -> None:
    work = Work()
    cancelled = work.ask(17, 18)
    await work.begun(1)
    (whole,) = work.ask(19)
    await asyncio.sleep(0)
    work.gate.set()
    assert await whole == "did 19"
    done, _ = await asyncio.wait(cancelled, timeout=10)
    assert [each.cancelled() for each in done] == [True, True]


async def test_who_goes_away_before_any_round_has_begun_is_done_nothing_for() -> None:
    work = Work()
    (goes,) = work.ask(1)
    asyncio.get_running_loop().call_soon(goes.cancel)  # after it has asked, before the round
    with pytest.raises(asyncio.CancelledError):
        await goes
    assert work.rounds == []
    assert work.gathering.is_idle


async def test_a_round_belongs_to_nobody() -> None:
    work = Work()
    work.gate.set()

    async def ask(name: str, item: int) -> str:
        asked_by.set(name)
        return await work.gathering.add(item)

    await asyncio.gather(ask("Ada", 1), ask("Alan", 2))
    assert work.done_for == [None]


async def test_nothing_is_done_for_nobody() -> None:
    work = Work()
    (goes,) = work.ask(1)
    await asyncio.sleep(0)
    goes.cancel()
    with pytest.raises(asyncio.CancelledError):
        await goes
    await asyncio.sleep(0)
    assert work.finished == []
    assert work.gathering.is_idle
