"""Many subscribers on one change: when the last of them hears of it, and what each one takes.

They speak `graphql-transport-ws`, and offer to compress as browsers do.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from bench import processes
from bench.data import Sample
from bench.databases import Database
from bench.load import PATIENCE, Connection, Driver, request
from bench.operations import pair
from bench.processes import HOST, Memory
from bench.servers import AGAIN, cohort, serving

SUBSCRIBERS = 1_000
CHANGES = 10  # that the time is taken of; even, so that in the end all is as it was
AT_ONCE = 50  # handshakes
FILES = 2 * SUBSCRIBERS + 500  # that a process may have open
SETTLED_SECONDS = 1.0
# What the console asks.
SUBSCRIPTION = "subscription Changes { changes { cursor node { id revision } } }"


@dataclass(slots=True)
class Followed:
    """What came of it. Times are in seconds.

    `after_answer` is from the answer of the write to the last event, change by change, and
    `after_asking` from the write's request. `before` and `after` are the server's memory without
    subscribers and with all of them; `server_cpu` is its time an event.
    """

    subscribers: int
    before: Memory
    after: Memory
    after_answer: list[float] = field(default_factory=list)
    after_asking: list[float] = field(default_factory=list)
    server_cpu: float = 0.0


class Listener(asyncio.Protocol):
    """One subscriber, over a WebSocket of its own. `hear` is called with each event."""

    def __init__(self, port: int, token: str, hear: Callable[[], None]) -> None:
        self.token = token
        self.hear = hear
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.protocol = ClientProtocol(
            parse_uri(f"ws://{HOST}:{port}/graphql"),
            subprotocols=[Subprotocol("graphql-transport-ws")],
            extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=True)],
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open (asyncio's callback)."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self.protocol.send_request(self.protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Some bytes came (asyncio's callback)."""
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                if self.protocol.handshake_exc is None:
                    authorization = {"Authorization": f"Bearer {self.token}"}
                    self._send(type="connection_init", payload=authorization)
                else:
                    self._fail(self.protocol.handshake_exc)
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._take(orjson.loads(event.data))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed (asyncio's callback)."""
        self._fail(exc or ConnectionError("the server closed the socket"))

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "next":
                self.hear()
            case "connection_ack":
                self._send(type="subscribe", id="1", payload={"query": SUBSCRIPTION})
                self._send(type="ping")
            case "pong" if not self.subscribed.done():
                self.subscribed.set_result(None)
            case _:
                self._fail(RuntimeError(f"an event was not to come: {message}"))

    def _send(self, **message: Any) -> None:
        self.protocol.send_text(orjson.dumps(message))

    def _flush(self) -> None:
        assert self.transport is not None
        for data in self.protocol.data_to_send():
            if data:
                self.transport.write(data)

    def _fail(self, error: Exception) -> None:
        if not self.subscribed.done():
            self.subscribed.set_exception(error)

    def close(self) -> None:
        """Drop the connection."""
        if self.transport:
            self.transport.abort()


class Audience:
    """All subscribers of a server; `heard_at` is when the last one heard of the present change."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._left = 0
        self._all = asyncio.Event()
        self.heard_at = 0.0

    def expect(self) -> None:
        """A change is about to be made: each has one event to come."""
        self._left = self.number
        self._all.clear()

    def hear(self) -> None:
        """One has heard."""
        self._left -= 1
        if self._left == 0:
            self.heard_at = time.perf_counter()
            self._all.set()

    async def all_heard(self) -> float:
        """Wait until each has heard; returns when the last one did."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._all.wait()
        except TimeoutError:
            raise RuntimeError(f"{self._left} of {self.number} heard nothing") from None
        return self.heard_at


@asynccontextmanager
async def subscribed(driver: Driver, number: int) -> AsyncIterator[Audience]:
    """So many subscribers, that all wait for changes while the block lasts."""
    audience = Audience(number)
    listeners: list[Listener] = []
    loop = asyncio.get_running_loop()
    try:
        while len(listeners) < number:
            some = [
                Listener(driver.server.port, driver.token, audience.hear)
                for _ in range(min(AT_ONCE, number - len(listeners)))
            ]
            listeners += some
            async with asyncio.timeout(PATIENCE):
                for one in some:
                    await loop.create_connection(lambda one=one: one, HOST, driver.server.port)  # type: ignore[misc]
                await asyncio.gather(*(one.subscribed for one in some))
        await asyncio.sleep(SETTLED_SECONDS)
        yield audience
    finally:
        for one in listeners:
            one.close()


async def change(connection: Connection, asked: bytes, audience: Audience) -> tuple[float, float]:
    """Make a change; returns the seconds to the last event, from its answer and from its request.

    The first is negative where all had heard before the answer was there.
    """
    audience.expect()
    asked_at = time.perf_counter()
    await connection.ask(asked)
    answered_at = time.perf_counter()
    heard_at = await audience.all_heard()
    return heard_at - answered_at, heard_at - asked_at


async def follow(database: Database, sample: Sample, logs: Path) -> Followed:
    """Measure it on a server of its own, which has met a subscriber before."""
    processes.allow_files(FILES)
    served = cohort(AGAIN, [], keeps=True)
    async with serving(database, sample.token, [served], 1, logs) as (running,):
        driver = running.driver
        writes = [request(driver.server, driver.token, body) for body in pair(sample, 0)]
        async with driver.connected(1) as (connection,), subscribed(driver, 1) as audience:
            for asked in writes:
                await change(connection, asked, audience)
        before = driver.server.memory()
        async with (
            subscribed(driver, SUBSCRIBERS) as audience,
            driver.connected(1) as (connection,),
        ):
            for asked in writes:
                await change(connection, asked, audience)
            followed = Followed(SUBSCRIBERS, before, driver.server.memory())
            cpu = driver.server.cpu_seconds()
            for number in range(CHANGES):
                times = await change(connection, writes[number % 2], audience)
                followed.after_answer.append(times[0])
                followed.after_asking.append(times[1])
            used = driver.server.cpu_seconds() - cpu
            followed.server_cpu = used / (CHANGES * SUBSCRIBERS)
        return followed
