"""GraphQL over WebSocket: the protocol `graphql-transport-ws` (graphql-ws's PROTOCOL.md).

One task reads what the client says; each operation runs in a task of its own.
"""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from models.errors import Busy, LimitExceeded, Unauthenticated, Unavailable
from models.viewer import Viewer
from runtime.auth import secret_in, secret_of
from runtime.limits import TryAgainLater, variable
from schema.execution import Answer, Runner, encode, refusal
from schema.requests import GraphQLRequest, request_from

PROTOCOL = "graphql-transport-ws"
TRY_AGAIN_LATER = 1013
MESSAGE_TOO_BIG = 1009
# How long a client that does not read may take to read why it is disconnected.
CLOSE_SECONDS = 30.0
LONGEST_ID = 128
LONGEST_REASON = 123  # bytes (RFC 6455, section 5.5.1)
SUBSCRIBE = {
    "query": str | None,
    "variables": dict | None,
    "operationName": str | None,
    "extensions": dict | None,
}


class Close(Exception):
    """The connection is to be closed, with a code and a reason from the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """One WebSocket connection."""

    def __init__(self, websocket: WebSocket, runner: Runner) -> None:
        self.websocket = websocket
        self.runner = runner
        self.settings = runner.settings
        self.secret: str | None = None
        self.operations: dict[str, asyncio.Task[None]] = {}  # by id, while the id is in use
        self.running: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until either side ends it."""
        try:
            await self._serve()
        except* Close as closes:
            close = closes.exceptions[0]
            assert isinstance(close, Close)
            await self._close(close)
        except* WebSocketDisconnect:
            pass

    async def _serve(self) -> None:
        """Serve. Raises Close or WebSocketDisconnect, after cancelling all operations."""
        if PROTOCOL not in self.websocket.scope["subprotocols"]:
            await self.websocket.accept()
            raise Close(4406, f"Subprotocol not acceptable: use {PROTOCOL}")
        await self.websocket.accept(PROTOCOL)
        if self.runner.sockets >= self.settings.max_sockets:
            raise Close(TRY_AGAIN_LATER, "Too many connections")
        self.runner.sockets += 1
        try:
            viewer = await self._initialise()
            with self._one_of_its_token(viewer):
                await self._send(type="connection_ack")
                async with asyncio.TaskGroup() as tasks:
                    while True:
                        await self._obey(await self._receive(), tasks)
        finally:
            self.runner.sockets -= 1

    # ---------------------------------------------------------------------------- what comes in

    async def _receive(self) -> dict[str, Any]:
        """The next message. Raises Close 4400 if it is malformed."""
        event = await self.websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        text = event.get("text") or ""
        if len(text) > self.settings.max_body_bytes:
            raise Close(MESSAGE_TOO_BIG, "Message too big")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Close(4400, "A message must be JSON, in a text frame") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Close(4400, "A message must be an object with a `type`")
        if not isinstance(message.get("payload"), dict | None):
            raise Close(4400, "`payload` must be an object")
        return message

    async def _initialise(self) -> Viewer:
        """Wait for `connection_init`, and recognise the viewer.

        The token is in the payload (`Authorization`), in the header, or in the cookie.
        """
        try:
            async with asyncio.timeout(self.settings.init_seconds):
                message = await self._receive()
                while message["type"] in ("ping", "pong"):
                    await self._answer_ping(message)
                    message = await self._receive()
        except TimeoutError:
            raise Close(4408, "Connection initialisation timeout") from None
        if message["type"] == "subscribe":
            raise Close(4401, "Unauthorized")
        if message["type"] != "connection_init":
            raise Close(4400, "Expected `connection_init`")
        for name, value in (message.get("payload") or {}).items():
            if name.lower() == "authorization" and isinstance(value, str):
                self.secret = secret_in(value)
        if self.secret is None:
            self.secret = secret_of(self.websocket)
        try:
            return await self.runner.authenticator.viewer(self.secret)
        except Unauthenticated as error:
            raise Close(4403, str(error)) from None
        except (Busy, Unavailable) as error:
            raise Close(TRY_AGAIN_LATER, refusal(error).body["errors"][0]["message"]) from None

    @contextmanager
    def _one_of_its_token(self, viewer: Viewer) -> Iterator[None]:
        """Count the connection. Raises Close if its token has too many."""
        sockets, key = self.runner.guard.sockets, viewer.counts_as
        try:
            sockets.enter(key)
        except TryAgainLater as error:
            raise Close(TRY_AGAIN_LATER, str(error)) from None
        try:
            yield
        finally:
            sockets.leave(key)

    async def _obey(self, message: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        match message["type"]:
            case "ping" | "pong":
                await self._answer_ping(message)
            case "subscribe":
                await self._subscribe(message, tasks)
            case "complete":
                if task := self.operations.pop(_id(message), None):
                    task.cancel()
            case "connection_init":
                raise Close(4429, "Too many initialisation requests")
            case _:
                raise Close(4400, "Unknown message type")

    async def _answer_ping(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            payload = message.get("payload")
            try:
                await self._send(type="pong", **({} if payload is None else {"payload": payload}))
            except orjson.JSONEncodeError:  # orjson decodes deeper nesting than it encodes
                raise Close(4400, "`payload` is nested too deeply") from None

    async def _subscribe(self, message: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        id, asked = _id(message), message.get("payload")
        if asked is None or not _is_request(asked):
            raise Close(4400, "`payload` must hold a `query`, and may hold `variables`")
        if id in self.operations:
            raise Close(4409, f"Subscriber for {id} already exists")
        most = self.settings.max_subscriptions
        if len(self.operations) >= most:
            limit = LimitExceeded(
                f"At most {most} operations at once on a connection "
                f"({variable('max_subscriptions')})."
            )
            await self._send(type="error", id=id, payload=refusal(limit).body["errors"])
            return
        while len(self.running) >= 2 * most:  # as many again have yet to send that they ended
            await asyncio.wait(self.running, return_when=asyncio.FIRST_COMPLETED)
        task = tasks.create_task(self._operate(id, asked))
        self.operations[id] = task
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    # ----------------------------------------------------------------------------- what goes out

    async def _operate(self, id: str, payload: dict[str, Any]) -> None:
        """Execute one operation, and send its answers and its end."""
        try:
            refused = await self._execute(id, request_from(payload))
        except (Close, WebSocketDisconnect):
            raise
        except Exception as error:
            refused = refusal(error)
        # A client that gets the end may reuse the id, so it must be free before.
        self.operations.pop(id, None)
        if refused:
            await self._send(type="error", id=id, payload=refused.body["errors"])
        else:
            await self._send(type="complete", id=id)

    async def _execute(self, id: str, asked: GraphQLRequest) -> Answer | None:
        """Execute one operation, and send its answers; returns the one that refuses it, if any."""
        viewer = await self.runner.authenticator.viewer(self.secret)
        self.runner.guard.admit(viewer)
        operation = self.runner.operation(viewer, asked)
        if operation.type is OperationType.SUBSCRIPTION:
            events = self.runner.events(self.secret, viewer, operation, asked)
            async with aclosing(events) as answers:
                async for answer in answers:
                    if answer.refused:
                        return answer
                    await self._send(type="next", id=id, payload=answer.body)
            return None
        answer = await self.runner.answer(self.secret, viewer, operation, asked)
        if answer.refused:
            return answer
        await self._send(type="next", id=id, payload=answer.body)
        return None

    async def _send(self, **message: Any) -> None:
        """Send a message. A client that does not read is disconnected, so that nothing piles up."""
        try:
            async with asyncio.timeout(self.settings.slow_reader_seconds):
                await self.websocket.send_text(encode(message).decode())
        except TimeoutError:
            raise Close(TRY_AGAIN_LATER, "Too slow: resume from the last cursor") from None
        except RuntimeError:  # raised by Starlette if this side has closed the connection
            raise WebSocketDisconnect(1006) from None

    async def _close(self, close: Close) -> None:
        """Close the connection, whether or not the client still reads."""
        with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(CLOSE_SECONDS):
                reason = close.reason.encode()[:LONGEST_REASON].decode(errors="ignore")
                await self.websocket.close(close.code, reason)


def _is_request(payload: dict[str, Any]) -> bool:
    """Whether each part is of its type. The query may be omitted if its hash is given."""
    if not all(isinstance(payload.get(key), SUBSCRIBE[key]) for key in SUBSCRIBE):
        return False
    return payload.get("query") is not None or "persistedQuery" in (payload.get("extensions") or {})


def _id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise Close(4400, f"`id` must be a string of 1 to {LONGEST_ID} characters")
    return id
