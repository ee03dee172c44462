"""asyncpg's pool, less what it does each time a connection goes out and comes back.

It makes a proxy, a task and several futures each time: nearly half of what a short statement takes
in this process. Here a connection that is well is kept as it was handed out, and handed out again,
to whoever waits for one first. The others go asyncpg's way.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy


def is_dead(connection: Any) -> bool:
    """Whether a connection of the pool is closed, or was taken from its user because it was."""
    return connection._con is None or connection.is_closed()


class Pool(asyncpg.Pool):  # type: ignore[misc]  # which has no types
    """A pool whose connections can be given back without ceremony."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._at_hand: list[PoolConnectionProxy] = []
        # Each is given a connection, or None: to look again, as there may be one by now.
        self._waiters: deque[asyncio.Future[PoolConnectionProxy | None]] = deque()

    @property
    def idle(self) -> int:
        """How many connections wait for use."""
        return int(self.get_idle_size()) + len(self._at_hand)

    def take(self) -> PoolConnectionProxy | None:
        """A connection that is at hand, to be given back or released; None if there is none."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if not is_dead(connection):
                return connection
            self._drop(connection)
        return None

    def give_back(self, connection: PoolConnectionProxy) -> None:
        """Give back a connection whose last statement has ended, outside of any transaction."""
        if is_dead(connection):
            self._drop(connection)
            self._answer_waiter(None)
        elif not self._answer_waiter(connection):
            self._at_hand.append(connection)

    async def release(self, connection: PoolConnectionProxy, **options: Any) -> None:
        """Let a connection go back, whatever has become of it."""
        try:
            await super().release(connection, **options)
        finally:
            self._answer_waiter(None)

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy:  # noqa: ASYNC109
        # All of asyncpg's ways to a connection lead here, Tortoise's among them.
        while True:
            if (connection := self.take()) is not None:
                return connection
            if not self._queue.empty():  # asyncpg has one, or can make one
                try:
                    return await super()._acquire(timeout)
                except BaseException:
                    self._answer_waiter(None)
                    raise
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                connection = await waiter
            except asyncio.CancelledError:
                if not waiter.cancelled():  # it was answered at the same time
                    self._pass_on(waiter.result())
                raise
            if connection is not None:
                return connection

    def _answer_waiter(self, connection: PoolConnectionProxy | None) -> bool:
        """Answer the first who waits; whether anybody does."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _pass_on(self, connection: PoolConnectionProxy | None) -> None:
        if connection is None:
            self._answer_waiter(None)
        else:
            self.give_back(connection)

    def _drop(self, connection: PoolConnectionProxy) -> None:
        """Let go of a dead connection, if asyncpg has not noticed yet."""
        if connection._con is not None:
            connection.terminate()

    async def expire_connections(self) -> None:
        """Have every connection made anew before it is used again."""
        await super().expire_connections()
        await self._release_all()

    async def close(self) -> None:
        """Wait for those that are in use, and close all."""
        await self._release_all()
        await super().close()

    async def _release_all(self) -> None:
        while (connection := self.take()) is not None:
            await self.release(connection)
