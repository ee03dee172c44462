"""The driver: connections that each send one request after another, and what they saw.

It speaks HTTP/1.1 over sockets that stay open and does as little as it can for each request, since
it shares a core with the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import httptools

from bench.operations import Operation
from bench.processes import HOST, Server

PATIENCE = 30.0  # seconds beyond the end of a run, after which it fails


class Connection(asyncio.Protocol):
    """One socket, with at most one request under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._begin()

    def _begin(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body: list[bytes] = []
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open (asyncio's callback)."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Some bytes came (asyncio's callback)."""
        self.parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed (asyncio's callback)."""
        self._fail(exc or ConnectionError("the server closed the connection"))

    def on_body(self, body: bytes) -> None:
        """A part of the answer (httptools' callback)."""
        self.body.append(body)

    def on_message_complete(self) -> None:
        """The end of the answer (httptools' callback)."""
        if self.answer and not self.answer.done():
            self.answer.set_result((self.parser.get_status_code(), b"".join(self.body)))

    def _fail(self, error: Exception) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_exception(error)

    def close(self) -> None:
        """Close the socket."""
        if self.transport:
            self.transport.close()

    async def ask(self, request: bytes) -> bytes:
        """Send a whole request; returns the body of the answer.

        Raises RuntimeError for a status other than 200 and for errors of GraphQL.
        """
        assert self.transport is not None
        self._begin()
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        status, body = await self.answer
        # A problem of a write has a code; no other answer here has a field of that name.
        if status != 200 or b'"errors"' in body or b'"code"' in body:
            raise RuntimeError(f"{status}: {body[:500].decode(errors='replace')}")
        return body


def request(server: Server, token: str, body: bytes) -> bytes:
    """The bytes of one HTTP request."""
    head = (
        "POST /graphql HTTP/1.1\r\n"
        f"Host: {HOST}:{server.port}\r\n"
        "Content-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Driver:
    """Asks one server."""

    def __init__(self, server: Server, token: str, concurrency: int) -> None:
        self.server = server
        self.token = token
        self.concurrency = concurrency

    @asynccontextmanager
    async def connected(self, number: int) -> AsyncIterator[list[Connection]]:
        """Connections that are open meanwhile; servers close what is idle for a few seconds."""
        loop = asyncio.get_running_loop()
        connections: list[Connection] = []
        try:
            for _ in range(number):
                _, one = await loop.create_connection(Connection, HOST, self.server.port)
                connections.append(one)
            yield connections
        finally:
            for one in connections:
                one.close()

    async def ask(self, bodies: Sequence[bytes]) -> list[bytes]:
        """One request after the other, on one connection."""
        async with asyncio.timeout(PATIENCE), self.connected(1) as (connection,):
            return [await connection.ask(request(self.server, self.token, body)) for body in bodies]

    async def run(
        self, operation: Operation, seconds: float, connections: int | None = None
    ) -> tuple[float, list[float]]:
        """All connections at once, for so many seconds: how long it took, and each latency.

        There are as many as the driver has, unless the operation or the caller says how many.
        """
        number = connections or operation.connections or self.concurrency
        latencies: list[float] = []
        series = [
            [request(self.server, self.token, body) for body in one] for one in operation.series
        ]
        async with self.connected(number) as opened:
            start = time.perf_counter()
            async with asyncio.timeout(seconds + PATIENCE), asyncio.TaskGroup() as group:
                for place, connection in enumerate(opened):
                    requests = series[place % len(series)]
                    if not operation.writes:
                        begin = place * len(requests) // number
                        requests = [*requests[begin:], *requests[:begin]]
                    work = _work(connection, requests, start + seconds, latencies, operation.writes)
                    group.create_task(work)
            return time.perf_counter() - start, latencies


async def _work(
    connection: Connection,
    requests: Sequence[bytes],
    deadline: float,
    latencies: list[float],
    together: bool,
) -> None:
    """Send requests in turn until the deadline, one at least; what belongs together is finished."""
    now = time.perf_counter()
    while True:
        for one in requests:
            before = now
            await connection.ask(one)
            now = time.perf_counter()
            latencies.append(now - before)
            if now >= deadline and not together:
                return
        if now >= deadline:
            return
