"""asyncpg's pool, less what it does each time a connection goes out and comes back.

It makes a proxy, a task and several futures each time: nearly half of what a short statement takes
in this process. Here a connection that is well is kept as it was handed out, and handed out again.
There are as many permits as connections, and who has one finds a connection at hand, or free in
asyncpg's queue, or on its way back to that.
"""

import asyncio
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy


def is_dead(connection: Any) -> bool:
    """Whether a connection of the pool is closed, or was taken from its user because it was."""
    return connection._con is None or connection.is_closed()


class Pool(asyncpg.Pool):  # type: ignore[misc]  # which has no types
    """A pool whose connections can be given back without ceremony."""

    def __init__(self, *, max_size: int, **options: Any) -> None:
        super().__init__(max_size=max_size, **options)
        self._at_hand: list[PoolConnectionProxy] = []
        self._permits = asyncio.BoundedSemaphore(max_size)

    @property
    def idle(self) -> int:
        """How many connections wait for use."""
        return int(self.get_idle_size()) + sum(not is_dead(each) for each in self._at_hand)

    async def take(self) -> PoolConnectionProxy | None:
        """A connection that is at hand, to be given back or released; None if there is none."""
        if not self._at_hand or self._permits.locked():
            return None
        await self._permits.acquire()  # for which nobody has to wait
        connection = self._pop()
        if connection is None:
            self._permits.release()
        return connection

    async def give_back(self, connection: PoolConnectionProxy) -> None:
        """Give back a connection whose last statement has ended, outside of any transaction."""
        is_kept = (
            not self.is_closing()
            and not is_dead(connection)
            and connection._holder._generation == self._generation
        )
        if is_kept:
            self._at_hand.append(connection)
            self._permits.release()
        else:
            await self.release(connection)

    async def release(self, connection: PoolConnectionProxy, **options: Any) -> None:
        """Let a connection go back, whatever has become of it: once."""
        try:
            await super().release(connection, **options)
        finally:
            self._permits.release()

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy:  # noqa: ASYNC109
        # All of asyncpg's ways to a connection lead here, Tortoise's among them.
        await self._permits.acquire()
        try:
            return self._pop() or await super()._acquire(timeout)
        except BaseException:
            self._permits.release()
            raise

    async def expire_connections(self) -> None:
        """Have every connection made anew before it is used again."""
        await super().expire_connections()
        await self._release_all()

    def renew(self) -> None:
        """The same, without waiting for any of them to close."""
        self._generation += 1
        while (connection := self._pop()) is not None:
            connection.terminate()

    async def close(self) -> None:
        """Wait for those that are in use, and close all."""
        await self._release_all()
        await super().close()

    async def _release_all(self) -> None:
        while (connection := self._pop()) is not None:
            await super().release(connection)

    def _pop(self) -> PoolConnectionProxy | None:
        while self._at_hand:
            connection = self._at_hand.pop()
            if not is_dead(connection):
                return connection
            if connection._con is not None:  # asyncpg has not noticed yet
                connection.terminate()
        return None
