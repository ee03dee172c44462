"""asyncpg's pool, less what it does each time a connection goes out and comes back.

It makes a proxy, a task and several futures each time: nearly half of what a short statement takes
in this process. Here a connection that is well is kept as it was handed out, and handed out again,
unless somebody waits for one: then it goes asyncpg's way, in whose queue all wait.
"""

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
        self._waiting = 0

    @property
    def idle(self) -> int:
        """How many connections wait for use."""
        return int(self.get_idle_size()) + sum(not is_dead(each) for each in self._at_hand)

    def take(self) -> PoolConnectionProxy | None:
        """A connection that is at hand, to be given back or released; None if there is none."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if not is_dead(connection):
                return connection
            if connection._con is not None:  # asyncpg has not noticed yet
                connection.terminate()
        return None

    async def give_back(self, connection: PoolConnectionProxy) -> None:
        """Give back a connection whose last statement has ended, outside of any transaction."""
        is_kept = (
            not self._waiting
            and not self.is_closing()
            and not is_dead(connection)
            and connection._holder._generation == self._generation
        )
        if is_kept:
            self._at_hand.append(connection)
        else:
            await self.release(connection)

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy:  # noqa: ASYNC109
        # All of asyncpg's ways to a connection lead here, Tortoise's among them.
        if (connection := self.take()) is not None:
            return connection
        self._waiting += 1
        try:
            return await super()._acquire(timeout)
        finally:
            self._waiting -= 1

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
