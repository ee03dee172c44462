"""asyncpg's pool, without its overhead each time a connection is acquired and released.

For that it makes a proxy, a task and several futures: nearly half of the time that a short
statement takes in this process. Here a healthy connection is kept with its proxy (`_at_hand`), and
handed out again as it is. There are as many permits as connections: whoever holds one finds a
connection at hand, or free in asyncpg's queue, or about to be returned to that.
"""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from models.database.unpooled import NO_ANSWER


def is_dead(connection: Any) -> bool:
    """Whether a connection of the pool is closed, or was detached from its proxy for that."""
    return connection._con is None or connection.is_closed()


class Pool(asyncpg.Pool):  # type: ignore[misc]  # which has no types
    """A pool with a fast path: `take` and `give_back` in place of `acquire` and `release`."""

    def __init__(self, *, max_size: int, **options: Any) -> None:
        super().__init__(max_size=max_size, **options)
        self._at_hand: list[PoolConnectionProxy] = []
        self._permits = asyncio.BoundedSemaphore(max_size)

    @property
    def idle(self) -> int:
        """How many connections are idle."""
        return int(self.get_idle_size()) + sum(not is_dead(each) for each in self._at_hand)

    async def take(self) -> PoolConnectionProxy | None:
        """A connection that is at hand, to be given back or released; None if there is none."""
        if not self._at_hand or self._permits.locked():
            return None
        await self._permits.acquire()  # does not wait: one is free
        connection = self._pop()
        if connection is None:
            self._permits.release()
        return connection

    async def give_back(self, connection: PoolConnectionProxy) -> None:
        """Return a connection whose last statement has ended, outside of any transaction."""
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
        """Return a connection in any state; call it only once for each."""
        try:
            await super().release(connection, **options)
        finally:
            self._permits.release()

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy:  # noqa: ASYNC109
        # Everything that acquires a connection from asyncpg ends up here, Tortoise included.
        await self._permits.acquire()
        try:
            return self._pop() or await super()._acquire(timeout)
        except BaseException:
            self._permits.release()
            raise

    async def expire_connections(self) -> None:
        """Have every connection replaced before it is used again."""
        await super().expire_connections()
        await self._release_all()

    def renew(self) -> None:
        """The same, without waiting for any of them to close."""
        self._generation += 1
        while (connection := self._pop()) is not None:
            connection.terminate()

    async def close(self) -> None:
        """Close all connections, after waiting for those in use."""
        await self._release_all()
        with suppress(*NO_ANSWER):  # all are closed by then
            await super().close()

    async def _release_all(self) -> None:
        release = super().release

        async def end(connection: PoolConnectionProxy) -> None:
            with suppress(*NO_ANSWER):  # it is closed by then
                await release(connection)

        while self._at_hand:  # others may be given back meanwhile
            # Together: if the server has gone silent, each of them waits for COHORT_POOL_SECONDS.
            ended = []
            while (connection := self._pop()) is not None:
                ended.append(end(connection))
            await asyncio.gather(*ended)

    def _pop(self) -> PoolConnectionProxy | None:
        while self._at_hand:
            connection = self._at_hand.pop()
            if not is_dead(connection):
                return connection
            if connection._con is not None:  # asyncpg has not noticed yet
                connection.terminate()
        return None
