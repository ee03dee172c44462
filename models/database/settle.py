"""Finishing what must not be left half done if its task is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def settle(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end even if the caller is cancelled; the cancellation is raised after.

    A statement that was sent to a database runs there whether or not anyone still waits. If a
    BEGIN, COMMIT or ROLLBACK were abandoned, nobody would own its effect: a lock would be held
    forever, or a connection would return to the pool inside a transaction.
    """
    task = asyncio.ensure_future(coroutine)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except BaseException:
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()
