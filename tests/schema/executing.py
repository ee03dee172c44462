"""Executing operations without a service around them, by our executor or by graphql-core's."""

from typing import Any

from graphql import ExecutionResult, GraphQLSchema, execute

from models.viewer import Viewer
from runtime.feed import Feed
from runtime.revisions import Revisions
from runtime.settings import Settings
from schema import schema
from schema.context import Context
from schema.documents import Operation
from schema.execution import encode
from schema.limits import Limits
from tests.schema.walking import NO_LIMITS

LIMITS = Limits.of(Settings.model_validate(NO_LIMITS))
CORE: GraphQLSchema = schema._schema


async def answer(
    viewer: Viewer, operation: Operation, executor: Any, variables: Any, *, told: bool = False
) -> bytes:
    """The result of an execution, with what its errors say if they are to be `told`."""

    async def recognise() -> Viewer:
        return viewer

    context = Context(viewer, recognise, Feed(), Revisions(), operation.plans, 10_000_000)
    if executor is None:
        result = execute(CORE, operation.document, context_value=context, variable_values=variables)
    else:
        begun = executor.begin(CORE, operation, variables, context)
        result = begun.execute_operation()
    if not isinstance(result, ExecutionResult):
        result = await result
    # Of several errors that null the same object, the first to arrive is told, whichever that is:
    # so errors at random are compared by whether there are any.
    errors = [error.formatted for error in result.errors or ()]
    return encode({"data": result.data, "errors": errors if told else bool(errors)})
