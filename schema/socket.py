"""GraphQL over WebSocket: the protocol `graphql-transport-ws` (graphql-ws's PROTOCOL.md).

One task reads what the client says; each operation runs in a task of its own.
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from models.errors import LimitExceeded, Unauthenticated
from runtime.auth import secret_in, secret_of
from schema.execution import Answer, Executor, encode, refusal
from schema.requests import GraphQLRequest, request_from

PROTOCOL = "graphql-transport-ws"
TRY_AGAIN_LATER = 1013
CLOSE_SECONDS = 2.0
LONGEST_ID = 128


class Close(Exception):
    """The connection ends, with a code and a reason that the protocol names."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Ended(Exception):
    """An operation that was refused, with the answer that says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Socket:
    """One connection."""

    def __init__(self, websocket: WebSocket, executor: Executor) -> None:
        self.websocket = websocket
        self.executor = executor
        self.settings = executor.settings
        self.secret: str | None = None
        self.operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Serve until either side ends it."""
        if PROTOCOL not in self.websocket.scope["subprotocols"]:
            await self.websocket.accept()
            await self.websocket.close(4406, f"Subprotocol not acceptable: use {PROTOCOL}")
            return
        await self.websocket.accept(PROTOCOL)
        try:
            if self.executor.sockets >= self.settings.max_sockets:
                raise Close(TRY_AGAIN_LATER, "Too many connections")
            self.executor.sockets += 1
            try:
                await self._initialise()
                while True:
                    await self._obey(await self._receive())
            finally:
                self.executor.sockets -= 1
        except Close as close:
            await self._close(close)
        except WebSocketDisconnect:
            pass
        finally:
            for task in self.operations.values():
                task.cancel()
            await asyncio.gather(*self.operations.values(), return_exceptions=True)

    # ---------------------------------------------------------------------------- what comes in

    async def _receive(self) -> dict[str, Any]:
        """The next message. Raises Close 4400 for what is none."""
        event = await self.websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        try:
            message = orjson.loads(event.get("text") or b"")
        except orjson.JSONDecodeError:
            raise Close(4400, "A message must be JSON, in a text frame") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Close(4400, "A message must be an object with a `type`")
        if not isinstance(message.get("payload"), dict | None):
            raise Close(4400, "`payload` must be an object")
        return message

    async def _initialise(self) -> None:
        """Wait for `connection_init`, and recognise the viewer.

        The token stands in the payload (`Authorization`), in the header, or in the cookie.
        """
        try:
            async with asyncio.timeout(self.settings.init_seconds):
                message = await self._receive()
                while message["type"] == "ping":
                    await self._send(type="pong")
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
            await self.executor.authenticator.viewer(self.secret)
        except Unauthenticated as error:
            raise Close(4403, str(error)) from None
        await self._send(type="connection_ack")

    async def _obey(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._send(type="pong", **_payload(message))
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message)
            case "complete":
                if task := self.operations.pop(_id(message), None):
                    task.cancel()
            case "connection_init":
                raise Close(4429, "Too many initialisation requests")
            case _:
                raise Close(4400, "Unknown message type")

    def _subscribe(self, message: dict[str, Any]) -> None:
        id = _id(message)
        if id in self.operations:
            raise Close(4409, f"Subscriber for {id} already exists")
        task = asyncio.create_task(self._operate(id, message.get("payload")))
        self.operations[id] = task

        def forget(done: asyncio.Task[None]) -> None:
            if self.operations.get(id) is done:
                del self.operations[id]

        task.add_done_callback(forget)

    # ----------------------------------------------------------------------------- what goes out

    async def _operate(self, id: str, payload: Any) -> None:
        """Execute one operation, and tell its answers."""
        try:
            if len(self.operations) > self.settings.max_subscriptions:
                raise LimitExceeded(
                    f"At most {self.settings.max_subscriptions} operations at once a connection."
                )
            await self._execute(id, request_from(payload))
        except WebSocketDisconnect:
            pass
        except Exception as error:
            answer = error.answer if isinstance(error, _Ended) else refusal(error)
            with suppress(WebSocketDisconnect):
                await self._send(type="error", id=id, payload=answer.body["errors"])

    async def _execute(self, id: str, asked: GraphQLRequest) -> None:
        viewer = await self.executor.authenticator.viewer(self.secret)
        operation = self.executor.operation(asked)
        if operation.type is OperationType.SUBSCRIPTION:
            events = self.executor.events(self.secret, viewer, operation, asked)
            async with aclosing(events) as answers:
                async for answer in answers:
                    await self._tell(id, answer)
        else:
            await self._tell(id, await self.executor.answer(self.secret, viewer, operation, asked))
        await self._send(type="complete", id=id)

    async def _tell(self, id: str, answer: Answer) -> None:
        """Send one answer. Raises _Ended for a refusal, which is told in another way."""
        if answer.refused:
            raise _Ended(answer)
        await self._send(type="next", id=id, payload=answer.body)

    async def _send(self, **message: Any) -> None:
        """Send a message. A client that does not read is let go, so that nothing piles up."""
        try:
            async with asyncio.timeout(self.settings.slow_reader_seconds):
                await self.websocket.send_text(encode(message).decode())
        except TimeoutError:
            await self._close(Close(TRY_AGAIN_LATER, "Too slow: resume from the last cursor"))
            raise WebSocketDisconnect(TRY_AGAIN_LATER) from None
        except RuntimeError:  # Starlette's word for: this side has closed
            raise WebSocketDisconnect(1006) from None

    async def _close(self, close: Close) -> None:
        """End the connection, whether or not the client still reads."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.websocket.close(close.code, close.reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            pass


def _id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise Close(4400, "`id` must be a text")
    return id


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    payload = message.get("payload")
    return {} if payload is None else {"payload": payload}
