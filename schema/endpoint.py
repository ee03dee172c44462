"""The ASGI view: GraphQL over HTTP, over event streams, and over sockets, at one address."""

from collections.abc import AsyncGenerator, Mapping

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from models.errors import RequestError, Unauthenticated
from runtime.auth import secret_of
from schema.documents import InvalidDocument
from schema.events import EventStream, once, stream
from schema.execution import Answer, Body, Executor, refusal
from schema.requests import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    Accepted,
    Refused,
    accepted,
    read_request,
)
from schema.socket import Socket

HEADERS = {"Cache-Control": "private, no-store", "Vary": "Accept, Cookie, Authorization"}


class GraphQLEndpoint:
    """Answers GraphQL requests."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(WebSocket(scope, receive, send), self.executor).serve()
            return
        request = Request(scope, receive)
        takes = accepted(request)
        try:
            response = await self._respond(request, takes)
        except Refused as refused:
            response = _json(
                refusal(refused).body, refused.status, takes.media_type, refused.headers
            )
        await response(scope, receive, send)

    async def _respond(self, request: Request, takes: Accepted) -> Response:
        """The answer to one HTTP request. Raises Refused where it is none of GraphQL's matter."""
        if not takes.takes_json and not takes.events:
            raise Refused(406, f"`Accept` takes none of {GRAPHQL_JSON}, {JSON} and {EVENT_STREAM}.")
        asked = await read_request(request, self.executor.settings.max_body_bytes)
        secret = secret_of(request)
        try:
            viewer = await self.executor.authenticator.viewer(secret)
        except Unauthenticated as error:
            raise Refused(401, str(error), error.code, WWW_Authenticate="Bearer") from None
        try:
            operation = self.executor.operation(viewer, asked)
        except (InvalidDocument, RequestError) as error:
            answer = refusal(error)
            return self._respond_once(answer, takes)
        if operation.type is OperationType.MUTATION and request.method == "GET":
            raise Refused(405, "A mutation needs POST.", Allow="POST")
        if operation.type is OperationType.SUBSCRIPTION:
            if not takes.events:
                raise Refused(
                    406, f"A subscription needs a WebSocket, or `Accept: {EVENT_STREAM}`."
                )
            answers = self.executor.events(secret, viewer, operation, asked)
            return self._events(stream(answers, self.executor.feed.closing))
        answer = await self.executor.answer(secret, viewer, operation, asked)
        return self._respond_once(answer, takes)

    def _respond_once(self, answer: Answer, takes: Accepted) -> Response:
        if takes.prefers_events:
            return self._events(once(answer))
        # The older media type promises 200 for whatever GraphQL itself refuses.
        status = 400 if answer.refused and takes.media_type == GRAPHQL_JSON else 200
        return _json(answer.body, status, takes.media_type)

    def _events(self, frames: AsyncGenerator[bytes, None]) -> Response:
        return EventStream(frames, HEADERS, self.executor.settings.slow_reader_seconds)


def _json(
    body: Body, status: int, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(body),
        status,
        headers={**HEADERS, **(headers or {})},
        media_type=f"{media_type}; charset=utf-8",
    )
