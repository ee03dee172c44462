"""Executing an operation, whatever it came by: HTTP, an event stream, or a socket."""

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

TRIES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer. `refused` says that nothing was executed.

    `kept_for` is the viewer that has the same answer to the same request for as long as its
    revision stands; None if nobody has. It may be another than asked, as somebody may change whom a
    secret stands for while a query runs.
    """

    body: dict[str, Any]
    refused: bool = False
    kept_for: Viewer | None = None


def encode(body: dict[str, Any]) -> bytes:
    """A body as JSON. Instants are RFC 3339 in UTC."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def refusal(error: Exception) -> Answer:
    """The answer to a request that is not executed, or that breaks by a fault of ours."""
    if isinstance(error, InvalidDocument):
        errors = [invalid(each) for each in error.errors]
    elif isinstance(error, RequestError):
        errors = [problem(error)]
    else:
        errors = [fault(error, "an operation broke")]
    return Answer({"errors": errors}, refused=True)


class Runner:
    """Executes operations of viewers, each as one snapshot of the viewer's organization."""

    def __init__(self, settings: Settings, authenticator: Authenticator, feed: Feed) -> None:
        self.settings = settings
        self.authenticator = authenticator
        self.revisions = authenticator.revisions
        self.feed = feed
        self.guard = Guard(settings)
        self.limits = Limits.of(settings)
        self.persisted = PersistedQueries(settings.persisted_megabytes * 1_000_000)
        self.sockets = 0  # that are open
        self.plans, self.stamps = settings.does("plans"), settings.does("stamped")

    def may_presume(self, viewer: Viewer, operation: Operation) -> bool:
        """Whether an operation may begin with a viewer that was but presumed.

        A query looks at the viewer again before it tells anything; it is worth beginning where
        the revision rests. At the viewer of a write the ledger looks, by its token, if it may be
        another by now; whoever was no administrator would be refused before that.
        """
        if operation.type is OperationType.QUERY:
            return self.revisions.rests_at(viewer.organization_id) == viewer.revision
        is_write = operation.type is OperationType.MUTATION
        return is_write and viewer.role is Role.ADMIN and viewer.token_id is not None

    def operation(self, viewer: Viewer, asked: GraphQLRequest) -> Operation:
        """The operation that is asked for.

        Raises InvalidDocument, or a RequestError that says why there is none.
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
        """Execute a query or a mutation. `secret` is what the viewer was recognised by, perhaps
        long ago, if it is but presumed (`may_presume`).

        Raises Busy or Unavailable if the database kept it from its end; a write may have landed all
        the same. Raises Unauthenticated if the viewer turns out to be nobody any more.
        """
        async with self.guard.over(viewer, operation):
            is_query = operation.type is OperationType.QUERY
            if is_query:
                result, viewer = await self._read(secret, viewer, operation, asked)
                revision: int | None = viewer.revision
            else:
                context = self._context(secret, viewer, operation)
                context.is_presumed = is_presumed
                result = await self._execute(context, operation, asked)
                if context.is_presumed:  # nothing has come before the ledger
                    await context.recognise_again()
                revision = context.shown or await self._revision_after(viewer, result)
                self.authenticator.note(context.viewer)
            is_kept = is_query and operation.is_lasting and not result.errors
            extensions = {} if revision is None else {"revision": revision}
            extensions["cost"] = operation.cost
            return _answer(result, extensions, kept_for=viewer if is_kept else None)

    async def events(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> AsyncGenerator[Answer, None]:
        """Execute a subscription: an answer for each event, until it ends or is closed.

        Raises Unauthenticated once the viewer is nobody any more, and Busy, Unavailable or
        TookTooLong when an event could not be told. It ends then, so that the client begins again
        behind what it has: if it went on, this event would be lost.
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
                    told = execute_subscription_event(executor.build_per_event_executor(event))
                    result = told if isinstance(told, ExecutionResult) else await told
                    if result.errors:
                        _raise_trouble(result.errors, operation, result.data)
                yield _answer(result, {"revision": context.shown} if context.shown else None)
        finally:
            await source.aclose()  # type: ignore[attr-defined]  # Strawberry's is a generator

    async def _read(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> tuple[ExecutionResult, Viewer]:
        """Execute a query as one snapshot; returns the viewer at the revision that it shows, too.

        If all that was read stood at the viewer's revision, or the viewer is the same after the
        query, and so is the revision, nothing changed since it was recognised; else the query runs
        again, the last time inside one transaction. (A token that expires meanwhile is answered.)
        """
        for _ in range(TRIES):
            context = self._context(secret, viewer, operation)
            stamps = Stamps(viewer.organization_id)
            with stamps if self.stamps else nullcontext():
                result = await self._execute(context, operation, asked)
            if stamps.all_tell(viewer.revision):
                self.authenticator.note(viewer)
                return result, viewer
            now = await self.authenticator.viewer(secret)
            if now == viewer:
                return result, viewer
            viewer = now
        async with snapshot():
            viewer = await self.authenticator.recognise(secret)
            context = self._context(secret, viewer, operation)
            context.plans = None  # one that gives up would leave statements cancelled behind it
            async with context.all_loaded():
                return await self._execute(context, operation, asked), viewer

    async def _revision_after(self, viewer: Viewer, result: ExecutionResult) -> int | None:
        """The revision after a mutation; None if it cannot be told of a write that has landed."""
        try:
            return await self.revisions.read(viewer.organization_id)
        except (Busy, Unavailable):
            if result.data is None:
                raise
            return None

    async def _execute(
        self, context: Context, operation: Operation, asked: GraphQLRequest
    ) -> ExecutionResult:
        executor = PlanningExecutor.begin(schema._schema, operation, asked.variables, context)
        if isinstance(executor, list):  # what is wrong with the variables
            return ExecutionResult(None, executor)
        result = executor.execute_operation()
        result = result if isinstance(result, ExecutionResult) else await result
        if result.errors:
            _raise_trouble(result.errors, operation, result.data)
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


def _raise_trouble(errors: list[GraphQLError], operation: Operation, data: Any) -> None:
    """Raise Busy or Unavailable if that is why fields failed, rather than answer with the rest;
    of an event also Unauthenticated, since it is told to nobody.

    Of a write that has landed, the answer is told as far as it could be given.
    """
    if operation.type is OperationType.MUTATION and data is not None:
        return
    trouble: tuple[type[Exception], ...] = (Busy, Unavailable)
    if operation.type is OperationType.SUBSCRIPTION:
        trouble += (Unauthenticated,)
    for error in errors:
        cause = origin_of(error).original_error
        if isinstance(cause, trouble):
            raise cause


def _answer(
    result: ExecutionResult, extensions: dict[str, int] | None, kept_for: Viewer | None = None
) -> Answer:
    """What a client is told of a result."""
    body: dict[str, Any] = {} if extensions is None else {"extensions": extensions}
    if not result.errors:
        return Answer({"data": result.data, **body}, kept_for=kept_for)
    errors = [format_error(error) for error in result.errors]
    if all(error.path is None for error in result.errors):
        return Answer({"errors": errors}, refused=True)  # a variable of the wrong type
    return Answer({"errors": errors, "data": result.data, **body})
