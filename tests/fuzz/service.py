"""The service in a loop of its own, for tests whose steps are no coroutines."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.client import Client, serving
from tests.databases import Databases

T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """A client of the running service, and the loop that it runs in."""

    runner: asyncio.Runner
    client: Client

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; verbs of models/ work on the service's database."""
        return self.runner.run(coroutine)


@asynccontextmanager
async def _serving(databases: Databases) -> AsyncIterator[Client]:
    url = await databases.create()
    async with serving(url, sign_ins_per_minute=1_000_000) as client:
        yield client
    await databases.drop(url)


@contextmanager
def served(databases: Databases) -> Iterator[Served]:
    """The service over a database without rows."""
    with asyncio.Runner() as runner:
        serves = _serving(databases)
        client = runner.run(serves.__aenter__())
        try:
            yield Served(runner, client)
        finally:
            runner.run(serves.__aexit__(None, None, None))
