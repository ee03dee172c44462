"""What all mutations share: a refusal becomes `userErrors`."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import strawberry

from models.errors import DomainError
from models.ledger import current_revision
from schema.context import Context, Info
from schema.fields import INFO, Writing, sign
from schema.payloads import Payload, UserError

INPUT = strawberry.argument(description="The parameters of the write.")
MOST_ERRORS = 100  # a thousand wrong ids need not be listed one by one

Write = Callable[[Context, Any, Any], Awaitable[Payload]]


def writes(function: Write, takes: type, description: str) -> Any:
    """A field of `Mutation`: `function(context, payload, input)` writes, and returns the payload.

    `takes` is the type of the input; `payload` is the payload's class. If the rules refuse the
    write, the payload is made here, with `userErrors`.
    """

    async def write(context: Context, payload: Any, input: Any) -> Payload:
        try:
            written = await function(context, payload, input)
            context.is_presumed = False  # the ledger has verified the viewer
            return written
        except DomainError as error:
            refused: Payload = payload(
                revision=await _revision(context, error),
                user_errors=[
                    UserError(
                        code=problem.code,
                        message=problem.message,
                        field=["input", *problem.field] if problem.field else None,
                    )
                    for problem in error.problems[:MOST_ERRORS]
                ],
            )
            return refused

    async def resolve(info: Info, input: Any) -> Any:
        return await write(info.context, info.return_type, input)

    resolve.way = Writing(write)  # type: ignore[attr-defined]
    given = inspect.Parameter(
        "input", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[takes, INPUT]
    )
    sign(resolve, function, [INFO, given])
    return strawberry.mutation(resolver=resolve, description=description)


async def _revision(context: Context, error: DomainError) -> int:
    """The revision at which the write was refused."""
    if error.revision is None:
        return await current_revision(context.viewer.organization_id)
    context.is_presumed = False
    return error.revision
