"""What all mutations share: a refusal becomes `userErrors`."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from models.errors import DomainError
from models.ledger import current_revision
from schema.payloads import UserError

INPUT = strawberry.argument(description="What to do.")
MOST_ERRORS = 100  # a thousand wrong ids need not be told one by one


class Refusals(FieldExtension):
    """Answers with the mutation's payload, filled with `userErrors`, where the rules refuse."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Any, **kwargs: Any
    ) -> Any:
        try:
            payload = await next_(source, info, **kwargs)
            info.context.is_presumed = False  # the ledger has looked
            return payload
        except DomainError as error:
            revision = error.revision
            if revision is not None:
                info.context.is_presumed = False
            else:
                revision = await current_revision(info.context.viewer.organization_id)
            return info.return_type(
                revision=revision,
                user_errors=[
                    UserError(
                        code=problem.code,
                        message=problem.message,
                        field=["input", *problem.field] if problem.field else None,
                    )
                    for problem in error.problems[:MOST_ERRORS]
                ],
            )


def writes(resolver: Callable[..., Awaitable[Any]], description: str) -> Any:
    """A field of `Mutation`."""
    return strawberry.mutation(resolver=resolver, description=description, extensions=[Refusals()])
