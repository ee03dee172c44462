"""Executing an operation, whatever the transport: HTTP, an event stream, or a WebSocket."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import create_source_event_stream, execute_subscription_event

from models.database import snapshot
from models.database.stamps import Stamps
from models.errors import Busy, RequestError, Unauthenticated, Unavailable
from models.tables import Role
from models.viewer import Viewer
from runtime.auth import Authenticator
from runtime.feed import Feed
from runtime.settings import Settings
from schema import schema
from schema.context import Context
from schema.documents import InvalidDocument, Operation, operation_of
from schema.errors import fault, format_error, invalid, origin_of, problem
from schema.executor import PlanningExecutor
from schema.guard import Guard
from schema.limits import Limits, check_variables
from schema.persisted import PersistedQueries
from schema.requests import GraphQLRequest

TRIES = 3  # of a query outside a transaction, each undone by a write that landed meanwhile


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer. `refused` says that nothing was executed.

    `kept_for` is the viewer for whom the answer may be cached, at the viewer's revision; None if it
    may not be. It can differ from the viewer that asked: what a secret stands for may change while
    a query runs.
    """

    body: dict[str, Any]
    refused: bool = False
    kept_for: Viewer | None = None


def encode(body: dict[str, Any]) -> bytes:
    """A body as JSON. Instants are RFC 3339 in UTC."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def refusal(error: Exception) -> Answer:
    """The answer to a request that was not executed, or that failed through a fault of ours."""
    if isinstance(error, InvalidDocument):
        errors = [invalid(each) for each in error.errors]
    elif isinstance(error, RequestError):
        errors = [problem(error)]
    else:
        errors = [fault(error, "an operation broke")]
    return Answer({"errors": errors}, refused=True)


class Runner:
    """Executes a viewer's operations, each against one snapshot of the viewer's organization."""

    def __init__(self, settings: Settings, authenticator: Authenticator, feed: Feed) -> None:
        self.settings = settings
        self.authenticator = authenticator
        self.revisions = authenticator.revisions
        self.feed = feed
        self.guard = Guard(settings)
        self.limits = Limits.of(settings)
        self.persisted = PersistedQueries(settings.persisted_megabytes * 1_000_000)
        self.sockets = 0  # open ones
        self.plans, self.stamps = settings.does("plans"), settings.does("stamped")

    def may_presume(self, viewer: Viewer, operation: Operation) -> bool:
        """Whether an operation may begin with a presumed viewer, to be verified later.

        A query verifies its viewer before it answers; beginning early pays off while the revision
        is at rest. The ledger verifies the viewer of a write by its token, but rights are checked
        before that: a presumed viewer who is not an administrator might be refused wrongly.
        """
        if operation.type is OperationType.QUERY:
            return self.revisions.rests_at(viewer.organization_id) == viewer.revision
        is_write = operation.type is OperationType.MUTATION
        return is_write and viewer.role is Role.ADMIN and viewer.token_id is not None

    def operation(self, viewer: Viewer, asked: GraphQLRequest) -> Operation:
        """The operation that a request asks for.

        Raises InvalidDocument, or a RequestError that says why the request is refused.
        """
        variables = asked.variables or {}
        check_variables(self.limits, variables)
        text = self.persisted.text_of(viewer, asked)
        operation = operation_of(text, asked.operation_name, variables, self.limits)
        self.persisted.learn(viewer, asked)
        return operation

    async def answer(
        self,
        secret: str | None,
        viewer: Viewer,
        operation: Operation,
        asked: GraphQLRequest,
        *,
        is_presumed: bool = False,
    ) -> Answer:
        """Execute a query or a mutation. `secret` is what the viewer was recognised by; perhaps a
        while ago, if the viewer is presumed (`may_presume`).

        Raises Busy or Unavailable if the database failed us; a write may still have landed. Raises
        Unauthenticated if the secret turns out to be no longer valid.
        """
        async with self.guard.over(viewer, operation):
            is_query = operation.type is OperationType.QUERY
            if is_query:
                result, viewer = await self._read(secret, viewer, operation, asked)
                revision = viewer.revision
            else:
                context = self._context(secret, viewer, operation)
                context.is_presumed = is_presumed
                result = await self._execute(context, operation, asked)
                if context.is_presumed:  # no write reached the ledger, which would have verified it
                    await context.recognise_again()
                # No payload names one if none could be completed.
                revision = context.shown or await self.revisions.read(viewer.organization_id)
                self.authenticator.note(context.viewer)
            is_kept = is_query and operation.is_lasting and not result.errors
            extensions = {"revision": revision, "cost": operation.cost}
            return _answer(result, extensions, kept_for=viewer if is_kept else None)

    async def events(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> AsyncGenerator[Answer, None]:
        """Execute a subscription: an answer for each event, until it ends or is closed.

        Raises Unauthenticated once the secret is no longer valid, and Busy, Unavailable or
        TookTooLong if an event could not be answered. That ends the subscription, so that the
        client resumes from its last cursor: going on would lose the event.
        """
        context = self._context(secret, viewer, operation)
        executor = PlanningExecutor.begin(schema._schema, operation, asked.variables, context)
        if isinstance(executor, list):  # what is wrong with the variables
            yield _answer(ExecutionResult(None, executor), None)
            return
        started = create_source_event_stream(executor)
        source = started if isinstance(started, ExecutionResult | AsyncIterable) else await started
        if isinstance(source, ExecutionResult):
            yield _answer(source, {"revision": viewer.revision, "cost": operation.cost})
            return
        try:
            async for event in source:
                async with self.guard.over(context.viewer, operation):
                    answer = execute_subscription_event(executor.build_per_event_executor(event))
                    result = answer if isinstance(answer, ExecutionResult) else await answer
                    if result.errors:
                        _raise_outage(result.errors, operation, result.data)
                yield _answer(result, {"revision": context.shown} if context.shown else None)
        finally:
            await source.aclose()  # type: ignore[attr-defined]  # Strawberry's is a generator

    async def _read(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> tuple[ExecutionResult, Viewer]:
        """Execute a query against one snapshot; also returns the viewer, at its revision.

        If all statements saw the viewer's revision, or the viewer and its revision are the same
        after the query as before, nothing changed meanwhile. Otherwise the query runs again, the
        last time inside one transaction. (A token that expires during its query is still answered.)
        """
        for _ in range(TRIES):
            context = self._context(secret, viewer, operation)
            stamps = Stamps(viewer.organization_id, viewer.changed_at)
            with stamps if self.stamps else nullcontext():
                result = await self._execute(context, operation, asked)
            if stamps.are_all(viewer.revision):
                self.authenticator.note(viewer)
                return result, viewer
            now = await self.authenticator.viewer(secret)
            if now == viewer:
                return result, viewer
            viewer = now
        async with snapshot():
            viewer = await self.authenticator.viewer(secret)
            context = self._context(secret, viewer, operation)
            context.plans = None  # a plan that fails cancels statements, which breaks a transaction
            async with context.all_loaded():
                return await self._execute(context, operation, asked), viewer

    async def _execute(
        self, context: Context, operation: Operation, asked: GraphQLRequest
    ) -> ExecutionResult:
        executor = PlanningExecutor.begin(schema._schema, operation, asked.variables, context)
        if isinstance(executor, list):  # what is wrong with the variables
            return ExecutionResult(None, executor)
        result = executor.execute_operation()
        result = result if isinstance(result, ExecutionResult) else await result
        if result.errors:
            _raise_outage(result.errors, operation, result.data)
        return result

    def _context(self, secret: str | None, viewer: Viewer, operation: Operation) -> Context:
        return Context(
            viewer,
            lambda: self.authenticator.viewer(secret),
            self.feed,
            self.revisions,
            operation.plans if self.plans else None,
            self.settings.max_cost,
        )


def _raise_outage(errors: list[GraphQLError], operation: Operation, data: Any) -> None:
    """Raise Busy or Unavailable if fields failed for that, rather than give a partial answer; for
    an event also Unauthenticated, since its viewer may no longer see it.

    A write that has landed is answered as far as possible.
    """
    if operation.type is OperationType.MUTATION and data is not None:
        return
    outages: tuple[type[Exception], ...] = (Busy, Unavailable)
    if operation.type is OperationType.SUBSCRIPTION:
        outages += (Unauthenticated,)
    for error in errors:
        cause = origin_of(error).original_error
        if isinstance(cause, outages):
            raise cause


def _answer(
    result: ExecutionResult, extensions: dict[str, int] | None, kept_for: Viewer | None = None
) -> Answer:
    """The answer that carries a result."""
    body: dict[str, Any] = {} if extensions is None else {"extensions": extensions}
    if not result.errors:
        return Answer({"data": result.data, **body}, kept_for=kept_for)
    errors = [format_error(error) for error in result.errors]
    if all(error.path is None for error in result.errors):
        return Answer({"errors": errors}, refused=True)  # a variable of the wrong type
    return Answer({"errors": errors, "data": result.data, **body})
