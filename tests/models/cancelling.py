"""Cancelling a coroutine exactly where it waits: at its first suspension, its second, and so on."""

import asyncio
from collections.abc import Coroutine, Generator
from enum import Enum
from itertools import count
from typing import Any


class Manner(Enum):
    """How a task is cancelled."""

    WAITING = "while it waits"
    ANSWERED = "when what it waits for has just arrived, and it has not seen it yet"
    AGAIN = "while it waits, and again whenever it waits after that"


class CancelledAt:
    """Awaits `coroutine`; cancels the task that does so at the `number`th suspension."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, None], number: int, manner: Manner = Manner.WAITING
    ) -> None:
        self.coroutine = coroutine
        self.number = number
        self.manner = manner
        self.reached = False

    def __await__(self) -> Generator[Any, None, None]:
        inner = self.coroutine.__await__()
        thrown: BaseException | None = None
        for suspension in count(1):
            try:
                waited = inner.throw(thrown) if thrown else inner.send(None)
            except StopIteration:
                return
            self.reached = suspension >= self.number
            if suspension == self.number or self.reached and self.manner is Manner.AGAIN:
                self._cancel(waited)
            try:
                yield waited
                thrown = None
            except BaseException as error:
                thrown = error

    def _cancel(self, waited: asyncio.Future[Any] | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.manner is Manner.ANSWERED and waited is not None:
            waited.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


async def cancel_at(coroutine: Coroutine[Any, Any, None], number: int, manner: Manner) -> bool:
    """Run and cancel; returns whether it suspended that often at all. Raises what went wrong."""
    attempt = CancelledAt(coroutine, number, manner)

    async def run() -> None:
        await attempt

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return attempt.reached
