"""A way to PostgreSQL that falls silent: its connections stand, and nothing comes back on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec
from urllib.parse import parse_qs, urlsplit

import pytest

from models.database import (
    connection,
    connections,
    fetch,
    listen,
    notify,
    opened,
    transaction,
    unpooled,
)
from models.errors import Unavailable

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)

SIZE = 2
SECONDS = 0.5
PATIENCE = 40.0
# What a server says when it stops: an ErrorResponse of PostgreSQL's protocol (section 55.7).
ENDING = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"

P = ParamSpec("P")


class Way:
    """A proxy to PostgreSQL, which can fall silent on all connections that it has by then."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self.path = parts.path
        self.url = ""
        self._passing = asyncio.Event()
        self._passing.set()
        self._met: set[asyncio.Task[Any] | None] = set()
        self._clients: list[asyncio.StreamWriter] = []

    def say_that_it_ends(self) -> None:
        """Announce the end of all connections that there are, and fall silent on them."""
        for client in self._clients:
            client.write(b"E" + (len(ENDING) + 4).to_bytes(4) + ENDING)
        self.fall_silent()

    def fall_silent(self) -> None:
        """Pass nothing on any more, but on connections that are yet to come."""
        self._passing.clear()
        self._passing = asyncio.Event()
        self._passing.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Pass on what comes, as long as the block lasts."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"postgres://postgres@127.0.0.1:{port}{self.path}"
        try:
            yield
        finally:
            server.close()
            for task in filter(None, self._met):
                task.cancel()
            await asyncio.gather(*filter(None, self._met), return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._met.add(asyncio.current_task())
        self._clients.append(writer)
        passing = self._passing
        there, back = await asyncio.open_unix_connection(self.socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(passing, reader, back))
                tasks.create_task(self._pass(passing, there, writer))
        finally:
            writer.close()
            back.close()

    async def _pass(
        self, passing: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65_536):
            await passing.wait()
            writer.write(data)
        writer.close()


@pytest.fixture
async def way(database_url: str) -> AsyncIterator[Way]:
    """A way to the database, over which every connection of the pool has been used."""
    way = Way(database_url)
    options: dict[str, Any] = {
        "pool_size": SIZE, "pool_seconds": PATIENCE, "statement_seconds": SECONDS
    }  # fmt: skip
    async with way.open(), opened(way.url, **options):
        await asyncio.gather(*(fetch("SELECT pg_sleep(0.05)") for _ in range(SIZE)))
        connection().pool_seconds = SECONDS
        yield way


def in_time(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """The test, which fails where it would wait without end. (A fixture cannot stop its test.)"""

    @wraps(test)
    async def bounded(*args: P.args, **kwargs: P.kwargs) -> None:
        async with asyncio.timeout(PATIENCE):
            await test(*args, **kwargs)

    return bounded


async def goes_on() -> bool:
    """Whether statements are answered again, and as many at once as before."""
    connection().pool_seconds = PATIENCE  # that a machine which is busy may take to connect anew
    await asyncio.gather(*(fetch("SELECT 1") for _ in range(2 * SIZE)))
    return connections() == (0, SIZE)


@in_time
async def test_a_statement_is_not_waited_for_without_end(way: Way) -> None:
    way.fall_silent()
    for _ in range(SIZE):
        with pytest.raises(Unavailable, match="Timeout"):  # the log gives this as the reason
            await fetch("SELECT 2")
    assert await goes_on()


@in_time
async def test_the_end_of_one_that_was_given_up_is_not_waited_for_without_end(way: Way) -> None:
    way.fall_silent()
    for _ in range(SIZE):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SECONDS / 5):
                await fetch("SELECT 2")
    assert await goes_on()


@in_time
async def test_a_rollback_is_not_waited_for_without_end(way: Way) -> None:
    async def break_off() -> None:
        async with transaction():
            await fetch("SELECT 2")
            way.fall_silent()
            raise LookupError

    with pytest.raises(LookupError):
        await break_off()
    for _ in range(SIZE - 1):  # the others have fallen silent, too
        with pytest.raises(Unavailable):
            await fetch("SELECT 2")
    assert await goes_on()


@in_time
@pytest.mark.parametrize("breaks", [Way.fall_silent, Way.say_that_it_ends])
async def test_the_connection_that_listens_is_made_anew(
    way: Way, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[Way], None]
) -> None:
    monkeypatch.setattr(unpooled, "ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(unpooled, "LISTEN_AGAIN_SECONDS", 0.0)
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hears() -> bool:
        """Whether something is heard which is told again and again."""
        while heard.empty():
            await notify("org")
            await asyncio.sleep(0.05)
        return await heard.get() == "org"

    listening = asyncio.create_task(listen(heard.put_nowait))
    try:
        assert await hears()
        breaks(way)
        for _ in range(SIZE):
            with pytest.raises(Unavailable):
                await fetch("SELECT 2")
        while not heard.empty():
            heard.get_nowait()
        assert await hears()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
