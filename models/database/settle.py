"""Finishing what must not be left half done if its task is cancelled."""

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any, TypeVar

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.connection import get_connections

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
            cancelled = error
        except BaseException:
            break
    if cancelled is not None:
        raise cancelled
    return task.result()


class SettledTransactionContext(TransactionContext):
    """A transaction that begins and ends completely, even if its task is cancelled: no lock or
    connection is lost, and none is handed on inside a transaction."""

    client: Any

    def __init__(self, client: TransactionalDBClient) -> None:
        self.client = client
        self.shared: Any = client._parent  # the client whose connections they are
        self.connection_name = client.connection_name

    @abstractmethod
    async def _acquire(self) -> None:
        """Wait for what the transaction has to itself."""

    @abstractmethod
    async def _give_back(self) -> None:
        """Give that back after a commit."""

    @abstractmethod
    async def _abandon(self) -> None:
        """Roll back, if the transaction has begun, and give that back."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._acquire()
        try:
            await settle(self.client.begin())
        except BaseException:
            await settle(self._abandon())
            raise
        self._token = get_connections().set(self.connection_name, self.client)
        return self.client  # type: ignore[no-any-return]

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        get_connections().reset(self._token)
        if exc_type:
            await settle(self._abandon())
            return
        try:
            await settle(self.client.commit())
        except BaseException:
            await settle(self._abandon())
            raise
        await self._give_back()
