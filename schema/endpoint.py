"""The ASGI endpoint: GraphQL over HTTP, event streams and WebSockets, at one path."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from models.errors import LimitExceeded, RequestError, Stopping
from models.viewer import Viewer
from runtime.auth import secret_of
from runtime.cache import KeptResponses, Key
from runtime.cutoff import Cutoff
from runtime.limits import TryAgainLater
from runtime.metrics import CACHE
from schema.bodies import Body
from schema.compression import compressed, is_gzipped
from schema.documents import InvalidDocument, Operation
from schema.events import EventStream, once, stream
from schema.execution import Answer, Runner, encode, refusal
from schema.requests import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    Accepted,
    HTTPRequest,
    Refused,
    accepted,
    matches_etag,
    read_request,
    read_source,
    status_of,
)
from schema.socket import Socket

# GraphQL over HTTP, September 2026: data with errors beside it. A 200 would tell intermediaries
# that there were no errors.
PARTIAL_SUCCESS = 294
WATCH_AFTER = 0.1  # seconds
NO_HEADERS: Mapping[str, str] = {}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # not a web page
    "Cache-Control": "private, no-store",
    "Vary": "Accept, Accept-Encoding, Authorization, Cookie",
}
KEPT, NOT_KEPT = CACHE.labels("responses", "hit"), CACHE.labels("responses", "miss")


class GraphQLEndpoint:
    """Answers GraphQL requests."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.kept = KeptResponses(runner.settings.kept_megabytes * 1_000_000)
        runner.revisions.when_back.append(self.kept.forget)
        self.presumes = runner.settings.does("presumed")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(WebSocket(scope, receive, send), self.runner).serve()
            return
        request = HTTPRequest(scope, receive)
        takes = accepted(request)
        try:
            response = await self._respond(request, takes)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not self.runner.feed.closing.is_set():
                raise
            task.uncancel()
            response = self._error_response(request, Stopping("it took too long to end"), takes)
        except Exception as error:
            response = self._error_response(request, error, takes)
        await response(scope, receive, send)

    def _error_response(self, request: Request, error: Exception, takes: Accepted) -> Response:
        status, headers = status_of(error)
        return self._response(
            request, encode(refusal(error).body), status, takes.media_type, headers
        )

    async def _respond(self, request: Request, takes: Accepted) -> Response:
        """The response to one HTTP request. Raises Refused if it is not a valid GraphQL request."""
        if not takes.takes_json and not takes.events:
            raise Refused(406, f"`Accept` must allow {GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}.")
        source = await read_source(request, self.runner.settings)
        secret = secret_of(request)
        authenticator = self.runner.authenticator
        presumed = self._presumed(secret, request, takes, source)
        viewer = presumed or await authenticator.viewer(secret)
        try:
            self.runner.guard.admit(viewer)
            body = self._cached_body(viewer, request, takes, source)
            if body is not None:
                return self._response(request, body, 200, takes.media_type)
            asked = read_request(request, source)
            operation = self.runner.operation(viewer, asked)
            _check_transport(operation, request, takes)
        except (InvalidDocument, RequestError) as error:
            if presumed:
                await authenticator.viewer(secret)  # raises if the secret is no longer valid
            if isinstance(error, Refused | TryAgainLater):
                raise
            return self._respond_uncached(request, refusal(error), takes)
        if presumed and not self.runner.may_presume(presumed, operation):
            presumed, viewer = None, await authenticator.viewer(secret)
        if operation.type is OperationType.SUBSCRIPTION:
            answers = self.runner.guard.over_stream(
                viewer, self.runner.events(secret, viewer, operation, asked)
            )
            return self._events(stream(answers, self.runner.feed.closing))
        if operation.type is OperationType.MUTATION:
            # A client that hangs up may still want the write: run it to its end either way.
            answer = await self.runner.answer(
                secret, viewer, operation, asked, is_presumed=presumed is not None
            )
            return self._respond_uncached(request, answer, takes)
        with abort_on_disconnect(request):
            answer = await self.runner.answer(secret, viewer, operation, asked)
        if takes.prefers_events:
            return self._respond_uncached(request, answer, takes)
        return await self._respond_cacheable(request, source, answer, takes)

    def _presumed(
        self, secret: str | None, request: Request, takes: Accepted, source: bytes
    ) -> Viewer | None:
        """The viewer that the secret last stood for; None if a cached response may answer, since
        only the current revision, which a full look-up reads, tells whether it is still good."""
        presumed = self.runner.authenticator.presumed(secret) if self.presumes else None
        if presumed and self.kept.has(_key(presumed, request, takes, source)):
            return None
        return presumed

    def _cached_body(
        self, viewer: Viewer, request: Request, takes: Accepted, source: bytes
    ) -> bytes | None:
        """The cached body that answered this request at this revision, if there is one."""
        if takes.prefers_events:
            return None
        body = self.kept.get(_key(viewer, request, takes, source), viewer.revision)
        (KEPT if body else NOT_KEPT).inc()
        return body

    def _respond_uncached(self, request: Request, answer: Answer, takes: Accepted) -> Response:
        """An uncached response: to a refusal or a mutation, or as an event stream."""
        if takes.prefers_events:
            return self._events(once(answer))
        return self._response(
            request, encode(answer.body), _status(answer, takes), takes.media_type
        )

    async def _respond_cacheable(
        self, request: Request, source: bytes, answer: Answer, takes: Accepted
    ) -> Response:
        """The response to a query, cached exactly as it is sent, if it may be cached."""
        body = encode(answer.body)
        try:
            self.runner.limits.hold_size(len(body))
        except LimitExceeded as error:
            return self._respond_uncached(request, refusal(error), takes)
        if takes.gzip:
            body = await compressed(body, self.runner.settings.gzip_bytes)
        if owner := answer.kept_for:
            self.kept.keep(_key(owner, request, takes, source), owner.revision, body)
        return self._response(request, body, _status(answer, takes), takes.media_type)

    def _response(
        self,
        request: Request,
        body: bytes,
        status: int,
        media_type: str,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Response:
        """The finished response, or 304 for a GET whose `If-None-Match` names it.

        The entity tag covers the body as sent: gzipped, or in another media type, an answer is a
        different representation.
        """
        headers = {**HEADERS, **headers}
        if request.method == "GET" and status == 200:
            tag = f'"{blake2b(body, digest_size=16, person=media_type[-16:].encode()).hexdigest()}"'
            headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
            if matches_etag(tag, request.headers.get("if-none-match", "")):
                return Response(status_code=304, headers=headers)
        if is_gzipped(body):
            headers["Content-Encoding"] = "gzip"
        seconds = self.runner.settings.slow_reader_seconds
        return Body(body, status, headers, f"{media_type}; charset=utf-8", seconds)

    def _events(self, frames: AsyncGenerator[bytes, None]) -> Response:
        return EventStream(frames, HEADERS, self.runner.settings.slow_reader_seconds)


@contextmanager
def abort_on_disconnect(request: Request) -> Iterator[None]:
    """Abort the block if the client hangs up meanwhile, and raise ClientDisconnect.

    The request body must have been read. Running statements are cancelled, and their connections
    return to the pool. Watching starts after a delay: most requests are answered before it.
    """
    loop = asyncio.get_running_loop()
    watcher: asyncio.Task[None] | None = None
    gone = Cutoff()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.stop()

    def begin() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    beginning = loop.call_later(WATCH_AFTER, begin)
    try:
        with gone:
            yield
    except TimeoutError:
        if gone.is_over:
            raise ClientDisconnect from None
        raise
    finally:
        beginning.cancel()
        if watcher:
            watcher.cancel()


def _check_transport(operation: Operation, request: Request, takes: Accepted) -> None:
    """Raise Refused if the HTTP method or `Accept` does not suit the type of the operation."""
    if operation.type is OperationType.MUTATION and request.method == "GET":
        raise Refused(405, "A mutation needs POST.", Allow="POST")
    if operation.type is OperationType.SUBSCRIPTION and not takes.events:
        raise Refused(406, f"A subscription needs a WebSocket, or `Accept: {EVENT_STREAM}`.")


def _key(viewer: Viewer, request: Request, takes: Accepted, source: bytes) -> Key:
    """What a cached response depends on besides the revision.

    A persisted query's hash in the source always means the same text, even once we have dropped it.
    """
    who = (viewer.organization_id, viewer.user_id, viewer.role)
    return (*who, request.method, takes.gzip, source)


def _status(answer: Answer, takes: Accepted) -> int:
    """The HTTP status of an answer. `application/json` always gets 200, as its clients expect."""
    if takes.media_type == JSON or "errors" not in answer.body:
        return 200
    return 400 if answer.refused else PARTIAL_SUCCESS
