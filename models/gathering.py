"""Batching work that waits for the same lock: the more items wait, the less each costs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from models.apart import apart

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    """An item, and the future of whoever waits for it."""

    item: T
    future: asyncio.Future[R]


class Gathering(Generic[T, R]):
    """Does items in rounds; those that are added during a round wait for the next one.

    `do` does the items of a round, in order, and returns for each its result or its error; if it
    raises, all of them fail. `fit` says how many of the waiting items, from the first on, may be
    done in one round.
    """

    def __init__(
        self,
        do: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        fit: Callable[[Sequence[T]], int],
    ) -> None:
        self._do = do
        self._fit = fit
        self._waiting: list[_Waiting[T, R]] = []
        self._aboard: list[_Waiting[T, R]] = []
        self._round: asyncio.Task[Sequence[R | Exception]] | None = None
        self._rounds: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits, and no round is under way."""
        return self._rounds is None

    async def add(self, item: T) -> R:
        """Do an item, together with others that wait by then; returns its result.

        If the caller is cancelled while the item waits, the item is dropped. A round that has begun
        is stopped only once all of its callers are gone.
        """
        waiting: _Waiting[T, R] = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._go_round(), context=apart())
        try:
            return await waiting.future
        except asyncio.CancelledError:
            if self._round and all(each.future.done() for each in self._aboard):
                self._round.cancel()
                await asyncio.wait([self._round])
            raise

    async def _go_round(self) -> None:
        aboard: Sequence[_Waiting[T, R]] = ()
        try:
            self._begin_round()
            while self._round is not None:
                done, aboard = self._round, self._aboard
                await asyncio.wait([done])
                try:
                    # First begin the next round: it waits for the database while the callers of
                    # the last one go on.
                    self._begin_round()
                finally:
                    self._settle(aboard, done)
        finally:
            for each in (*aboard, *self._aboard, *self._waiting):
                each.future.cancel()  # those without a result, if this task was cancelled
            self._rounds = self._round = None
            self._aboard, self._waiting = [], []

    def _begin_round(self) -> None:
        """Begin a round with some of the waiting items; none if nobody waits.

        Where the same callers come again and again, a round takes at most half of them: while the
        database does one half, this process answers the other.
        """
        waiting = [each for each in self._waiting if not each.future.done()]
        count = self._fit([each.item for each in waiting]) if waiting else 0
        if self._aboard:
            count = min(count, -(-(len(self._aboard) + len(waiting)) // 2))
        self._aboard, self._waiting = waiting[:count], waiting[count:]
        self._round = asyncio.create_task(self._one_round(self._aboard)) if waiting else None

    async def _one_round(self, aboard: Sequence[_Waiting[T, R]]) -> Sequence[R | Exception]:
        return await self._do([each.item for each in aboard])

    def _settle(
        self, aboard: Sequence[_Waiting[T, R]], done: asyncio.Task[Sequence[R | Exception]]
    ) -> None:
        """Hand the results of a round to its callers."""
        if done.cancelled():
            for each in aboard:
                each.future.cancel()
            return
        error = done.exception()
        results = [error] * len(aboard) if error else done.result()
        for each, result in zip(aboard, results, strict=True):
            if each.future.done():
                continue
            if isinstance(result, BaseException):
                each.future.set_exception(result)
            else:
                each.future.set_result(result)
