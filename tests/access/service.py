"""The service on a port of its own, and clients of its subscriptions, as plain as can be."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from commands.connections import HTTP, WebSockets
from schema.execution import Runner
from tests.client import Client, serving

HOST = "127.0.0.1"
PATIENCE = 40.0  # seconds; a busy machine may need many

NEWEST = "{ changes(first: 1) { edges { cursor } } }"
CHANGES = """subscription($after: String, $groupId: ID) {
    changes(after: $after, groupId: $groupId) { cursor node { revision action summary } } }"""


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something holds, though not forever."""
    for _ in range(int(PATIENCE * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


@dataclass(frozen=True)
class Service:
    """The running service: where it listens, and a client of its application."""

    address: str
    client: Client

    @property
    def http(self) -> str:
        """The address for requests and event streams."""
        return f"http://{self.address}/graphql"

    @property
    def runner(self) -> Runner:
        """What executes its operations."""
        runner: Runner = self.client.app.state.runner
        return runner

    @property
    def ws(self) -> str:
        """The address for sockets."""
        return f"ws://{self.address}/graphql"

    async def has_subscribers(self, number: int) -> None:
        """Wait until so many subscriptions have begun: they are told of what lands from then on.

        An answer to what a client said later tells nothing of it, as operations run side by side.
        """
        await eventually(lambda: self.runner.feed.subscriber_count == number)


@asynccontextmanager
async def listening(url: str, **settings: Any) -> AsyncIterator[Service]:
    """The service over the database of `url`, on a port; the test's own verbs work on it too."""
    async with serving(url, **settings) as client, on_port(client) as service:
        yield service


@asynccontextmanager
async def on_port(client: Client) -> AsyncIterator[Service]:
    """The service that a client in this process asks, on a port too."""
    config = uvicorn.Config(
        client.app, lifespan="off", log_config=None, access_log=False, http=HTTP, ws=WebSockets,
        timeout_graceful_shutdown=1, ws_ping_interval=None,
    )  # fmt: skip
    config.load()
    # Its parts rather than `serve`, which looks but now and then whether it is to end.
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server((HOST, 0)) as listener:
        # As uvloop does: else an answer in two parts takes 40 ms, as its second one waits.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await server.startup(sockets=[listener])
        await server.on_tick(0)  # it knows the time, for the header `Date`
        port = listener.getsockname()[1]
        try:
            yield Service(f"{HOST}:{port}", client)
        finally:
            await asyncio.sleep(0.005)  # until it knows that who has left is gone
            if server.server_state.connections or server.server_state.tasks:
                await server.shutdown()  # which waits for a tenth of a second, or more
            for each in server.servers:
                each.close()


async def cursor_of(service: Service, token: str) -> str:
    """The cursor of the newest change."""
    answer = await service.client.ask(NEWEST, None, token)
    return str(answer["data"]["changes"]["edges"][0]["cursor"])


# --------------------------------------------------------------------------------------- sockets


class Line:
    """A client of the protocol of sockets that says what it is told to say, right or wrong."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, type: str, **message: Any) -> None:
        """Send a message."""
        await self.raw(orjson.dumps({"type": type, **message}).decode())

    async def raw(self, frame: str | bytes) -> None:
        """Send a frame."""
        await self.connection.send(frame)

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = orjson.loads(await self.connection.recv())
        return message

    async def hear_or_close(self) -> dict[str, Any] | int:
        """The next message; the code, if the other side ends the connection instead."""
        try:
            return await self.hear()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    async def sign_in(self, token: str) -> None:
        """Say who it is, and hear that it is welcome."""
        await self.say("connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, id: str = "1", query: str = CHANGES, **variables: Any) -> None:
        """Start an operation."""
        await self.say("subscribe", id=id, payload={"query": query, "variables": variables})

    async def ask(self, query: str, id: str = "asked") -> Any:
        """The data of a query's one answer."""
        await self.subscribe(id, query)
        answer = await self.hear()
        assert answer["type"] == "next", answer
        assert await self.hear() == {"type": "complete", "id": id}
        return answer["payload"]["data"]

    async def change(self, id: str = "1") -> Any:
        """The next change that is told: the edge."""
        message = await self.hear()
        assert (message["type"], message["id"]) == ("next", id), message
        return message["payload"]["data"]["changes"]

    async def revisions(self, number: int) -> list[int]:
        """The revisions of the next so many changes."""
        return [(await self.change())["node"]["revision"] for _ in range(number)]

    async def close_code(self) -> int:
        """The code with which the other side ends the connection; what comes before is passed."""
        while not isinstance(heard := await self.hear_or_close(), int):
            pass
        return heard


@asynccontextmanager
async def line(
    service: Service, token: str | None = None, *protocols: str, **options: Any
) -> AsyncIterator[Line]:
    """A connection; with a `token` it is signed in already."""
    offered = [Subprotocol(each) for each in protocols or ("graphql-transport-ws",)]
    async with connect(service.ws, subprotocols=offered, **options) as connection:
        made = Line(connection)
        if token:
            await made.sign_in(token)
        yield made


# --------------------------------------------------------------------------------- event streams


class Stream:
    """A client of an event stream."""

    def __init__(self, response: httpx.Response, events: AsyncIterator[str]) -> None:
        self.response = response
        self.events = events

    async def hear(self) -> tuple[str, Any]:
        """The next event and its data; comments are passed."""
        async with asyncio.timeout(PATIENCE):
            while True:
                lines = (await anext(self.events)).split("\n")
                fields = dict(line.split(": ", 1) for line in lines if line and line[0] != ":")
                if fields:
                    data = fields["data"]
                    return fields["event"], orjson.loads(data) if data else None

    async def change(self) -> Any:
        """The next change that is told: the edge."""
        event, body = await self.hear()
        assert event == "next", body
        return body["data"]["changes"]

    async def revisions(self, number: int) -> list[int]:
        """The revisions of the next so many changes."""
        return [(await self.change())["node"]["revision"] for _ in range(number)]


async def _events(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The events of a stream, as text without the empty line at their end."""
    rest = ""
    async for text in response.aiter_text():
        *events, rest = (rest + text).split("\n\n")
        for event in events:
            yield event


@asynccontextmanager
async def stream(
    service: Service, token: str, query: str = CHANGES, **variables: Any
) -> AsyncIterator[Stream]:
    """A subscription that has begun."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    body = {"query": query, "variables": variables}
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("POST", service.http, json=body, headers=headers) as response,
        aclosing(_events(response)) as events,
    ):
        assert await anext(events) == ":"  # a comment, at once
        yield Stream(response, events)
