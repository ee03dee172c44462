"""Executing an operation, whatever it came by: HTTP, an event stream, or a socket."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
from graphql import ExecutionResult, OperationType, execute, subscribe

from models.database import snapshot
from models.errors import RequestError
from models.viewer import Viewer
from runtime.auth import Authenticator
from runtime.feed import Feed
from runtime.settings import Settings
from schema import schema
from schema.context import Context
from schema.documents import InvalidDocument, Operation, operation_of
from schema.errors import fault, format_error, problem
from schema.executor import PlanningExecutor
from schema.requests import GraphQLRequest

TRIES = 3

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer. `refused` says that nothing was executed.

    `kept_at` is the revision at which the same request has the same answer; None if it may not.
    """

    body: Body
    refused: bool = False
    kept_at: int | None = None


def encode(body: Body) -> bytes:
    """A body as JSON. Instants are RFC 3339 in UTC."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def refusal(error: Exception) -> Answer:
    """The answer to a request that is not executed, or that breaks by a fault of ours."""
    if isinstance(error, InvalidDocument):
        extensions = {"code": "GRAPHQL_VALIDATION_FAILED"}
        errors = [{**each.formatted, "extensions": extensions} for each in error.errors]
    elif isinstance(error, RequestError):
        errors = [problem(str(error), error.code)]
    else:
        errors = [fault(error, "an operation broke")]
    return Answer({"errors": errors}, refused=True)


class Executor:
    """Executes operations of viewers, each as one snapshot of the viewer's organization."""

    def __init__(self, settings: Settings, authenticator: Authenticator, feed: Feed) -> None:
        self.settings = settings
        self.authenticator = authenticator
        self.revisions = authenticator.revisions
        self.feed = feed
        self.sockets = 0  # that are open

    def operation(self, asked: GraphQLRequest) -> Operation:
        """The operation that is asked for. Raises InvalidDocument or BadRequest."""
        return operation_of(asked.query, asked.operation_name, self.settings.max_tokens)

    async def answer(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> Answer:
        """Execute a query or a mutation. `secret` is what the viewer was recognised by."""
        if operation.type is OperationType.QUERY:
            result, revision = await self._read(secret, viewer, operation, asked)
            if operation.is_lasting and not result.errors:
                return replace(_answer(result, revision), kept_at=revision)
        else:
            result = await self._execute(secret, viewer, operation, asked)
            revision = await self.revisions.read(viewer.organization_id)
        return _answer(result, revision)

    async def events(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> AsyncGenerator[Answer, None]:
        """Execute a subscription: an answer for each event, until it ends or is closed.

        Raises Unauthenticated once the viewer is nobody any more.
        """
        context = self._context(secret, viewer, operation)
        started = subscribe(
            schema._schema,
            operation.document,
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=PlanningExecutor,
        )
        stream = started if isinstance(started, ExecutionResult | AsyncIterator) else await started
        if isinstance(stream, ExecutionResult):
            yield _answer(stream, viewer.revision)
            return
        try:
            async for result in stream:
                yield _answer(result, None)
        finally:
            await stream.aclose()  # type: ignore[attr-defined]  # graphql-core's is a generator

    async def _read(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> tuple[ExecutionResult, int]:
        """Execute a query as one snapshot; returns the revision that it shows as well.

        The revision was read with the viewer. If it is the same after the query, nothing changed
        meanwhile; if it moved, the query runs again, the last time inside one transaction.
        """
        for _ in range(TRIES):
            result = await self._execute(secret, viewer, operation, asked)
            if await self.revisions.read(viewer.organization_id) == viewer.revision:
                return result, viewer.revision
            viewer = await self.authenticator.viewer(secret)
        async with snapshot():
            viewer = await self.authenticator.recognise(secret)
            return await self._execute(secret, viewer, operation, asked), viewer.revision

    async def _execute(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> ExecutionResult:
        result = execute(
            schema._schema,
            operation.document,
            context_value=self._context(secret, viewer, operation),
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=PlanningExecutor,
        )
        return result if isinstance(result, ExecutionResult) else await result

    def _context(self, secret: str | None, viewer: Viewer, operation: Operation) -> Context:
        return Context(
            viewer, lambda: self.authenticator.viewer(secret), self.feed, operation.plans
        )


def _answer(result: ExecutionResult, revision: int | None) -> Answer:
    """What a client is told of a result. `revision` is None for an event, which names its own."""
    body: Body = {} if revision is None else {"extensions": {"revision": revision}}
    if not result.errors:
        return Answer({"data": result.data, **body})
    errors = [format_error(error) for error in result.errors]
    if all(error.path is None for error in result.errors):
        return Answer({"errors": errors}, refused=True)  # a variable of the wrong type
    return Answer({"errors": errors, "data": result.data, **body})
