"""Doing together what waits for the same lock: the more wait, the less each costs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from models.apart import apart

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    """One thing to do, and who waits for it."""

    item: T
    future: asyncio.Future[R]


class Gathering(Generic[T, R]):
    """What comes while a round is under way waits for the next one.

    `do` does the things of a round, in their order, and returns for each what came of it, or why
    nothing did; what it raises holds for all of them. `fit` says how many, from the first on, may
    be done in one round.
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
        """Whether nobody waits, and nothing is done."""
        return self._rounds is None

    async def add(self, item: T) -> R:
        """Do one thing, with whatever waits by then.

        Who goes away while it waits takes it along. A round that has begun is stopped only once
        everybody of it is gone.
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
                    # The next round first: it waits for others while those of the last go on.
                    self._begin_round()
                finally:
                    self._tell(aboard, done)
        finally:
            for each in (*aboard, *self._aboard, *self._waiting):
                each.future.cancel()  # of those who were not told, if this was broken off
            self._rounds = self._round = None
            self._aboard, self._waiting = [], []

    def _begin_round(self) -> None:
        """Begin with some that wait, behind a round or none; nothing is under way if nobody does.

        Where many come back again and again, as many wait as are aboard: while the one half is
        done, elsewhere, the other is answered here.
        """
        waiting = [each for each in self._waiting if not each.future.done()]
        count = self._fit([each.item for each in waiting]) if waiting else 0
        if self._aboard:
            count = min(count, -(-(len(self._aboard) + len(waiting)) // 2))
        self._aboard, self._waiting = waiting[:count], waiting[count:]
        self._round = asyncio.create_task(self._one_round(self._aboard)) if waiting else None

    async def _one_round(self, aboard: Sequence[_Waiting[T, R]]) -> Sequence[R | Exception]:
        return await self._do([each.item for each in aboard])

    def _tell(
        self, aboard: Sequence[_Waiting[T, R]], done: asyncio.Task[Sequence[R | Exception]]
    ) -> None:
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
