"""The ASGI view: GraphQL over HTTP, over event streams, and over sockets, at one address."""

from collections.abc import AsyncGenerator, Mapping
from hashlib import blake2b

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from models.errors import RequestError, Unauthenticated
from runtime.auth import secret_of
from runtime.cache import KeptResponses
from schema.documents import InvalidDocument
from schema.events import EventStream, once, stream
from schema.execution import Answer, Executor, encode, refusal
from schema.requests import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    Accepted,
    Refused,
    accepted,
    read_request,
    read_source,
)
from schema.socket import Socket

NO_HEADERS: Mapping[str, str] = {}
HEADERS = {"Cache-Control": "private, no-store", "Vary": "Accept, Cookie, Authorization"}


class GraphQLEndpoint:
    """Answers GraphQL requests."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.kept = KeptResponses(executor.settings.kept_megabytes * 1_000_000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(WebSocket(scope, receive, send), self.executor).serve()
            return
        request = Request(scope, receive)
        takes = accepted(request)
        try:
            response = await self._respond(request, takes)
        except Refused as refused:
            body = encode(refusal(refused).body)
            response = _done(request, body, refused.status, takes.media_type, refused.headers)
        await response(scope, receive, send)

    async def _respond(self, request: Request, takes: Accepted) -> Response:
        """The answer to one HTTP request. Raises Refused where it is none of GraphQL's matter."""
        if not takes.takes_json and not takes.events:
            raise Refused(406, f"`Accept` takes none of {GRAPHQL_JSON}, {JSON} and {EVENT_STREAM}.")
        source = await read_source(request, self.executor.settings.max_body_bytes)
        secret = secret_of(request)
        try:
            viewer = await self.executor.authenticator.viewer(secret)
        except Unauthenticated as error:
            raise Refused(401, str(error), error.code, WWW_Authenticate="Bearer") from None
        key = (viewer.organization_id, viewer.user_id, viewer.role, request.method, source)
        try:
            self.executor.guard.admit(viewer)
            if not takes.prefers_events:
                body = self.kept.get(key, viewer.revision)
                if body is not None:
                    return _done(request, body, 200, takes.media_type)
            asked = read_request(request, source)
            operation = self.executor.operation(asked)
        except Refused:
            raise
        except (InvalidDocument, RequestError) as error:
            return self._respond_once(request, refusal(error), takes)
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
        if answer.kept_at is not None and not takes.prefers_events:
            body = encode(answer.body)
            self.kept.keep(key, answer.kept_at, body)
            return _done(request, body, 200, takes.media_type)
        return self._respond_once(request, answer, takes)

    def _respond_once(self, request: Request, answer: Answer, takes: Accepted) -> Response:
        if takes.prefers_events:
            return self._events(once(answer))
        # The older media type promises 200 for whatever GraphQL itself refuses.
        status = 400 if answer.refused and takes.media_type == GRAPHQL_JSON else 200
        return _done(request, encode(answer.body), status, takes.media_type)

    def _events(self, frames: AsyncGenerator[bytes, None]) -> Response:
        return EventStream(frames, HEADERS, self.executor.settings.slow_reader_seconds)


def _done(
    request: Request,
    body: bytes,
    status: int,
    media_type: str,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """A finished answer. A GET that names the answer it has is told that it has it."""
    headers = {**HEADERS, **headers}
    if request.method == "GET" and status == 200:
        tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
        headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    return Response(body, status, headers, f"{media_type}; charset=utf-8")
