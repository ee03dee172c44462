"""What all mutations share: a refusal becomes `userErrors`."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from models.errors import DomainError
from models.ledger import current_revision
from schema.context import Context, Info
from schema.fields import INFO, parameters_of, sign
from schema.payloads import Payload, UserError

INPUT = strawberry.argument(description="What to do.")
MOST_ERRORS = 100  # a thousand wrong ids need not be told one by one


def writes(function: Callable[..., Awaitable[Any]], description: str) -> Any:
    """A field of `Mutation`: `function(context, input)` writes, and returns the payload.

    Where the rules refuse, it is the payload with `userErrors`.
    """

    async def write(context: Context, payload: Any, **given: Any) -> Payload:
        try:
            written: Payload = await function(context, **given)
            context.is_presumed = False  # the ledger has looked
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

    async def resolve(info: Info, **given: Any) -> Any:
        return await write(info.context, info.return_type, **given)

    resolve.write = write  # type: ignore[attr-defined]  # for the executor
    sign(resolve, function, [INFO, *parameters_of(function, skip=1)])
    return strawberry.mutation(resolver=resolve, description=description)


async def _revision(context: Context, error: DomainError) -> int:
    """The revision at which the data is as it was."""
    if error.revision is None:
        return await current_revision(context.viewer.organization_id)
    context.is_presumed = False
    return error.revision
