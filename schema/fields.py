"""The three kinds of fields, and how each is resolved for one object or for many at once.

* `described`: a column of the object's row, or a property of its source. No resolver.
* `computed`: a function of the object and the viewer. Nothing is fetched.
* `found`: a function of *all* objects of a level, which fetches for all of them at once.

GraphQL asks object by object. `Executor` (`schema/executor.py`) takes a level at a time, and calls
these functions as they are; where it cannot, the same functions serve single objects, gathered by a
DataLoader into the same batches.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import strawberry
from strawberry import Parent

from models.viewer import Viewer
from schema.context import Info

Computed = Callable[[Any, Viewer], Any]
Found = Callable[..., Awaitable[Sequence[Any]]]

ROOT = inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Parent[Any])  # type: ignore[misc]
INFO = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)


def described(description: str) -> Any:
    """A field that is a column or a property."""
    return strawberry.field(description=description)


def computed(function: Computed, description: str) -> Any:
    """A field that is `function(object, viewer)`."""

    def resolve(root: Parent[Any], info: Info) -> Any:
        return function(root, info.context.viewer)

    resolve.computed = function  # type: ignore[attr-defined]  # for the executor
    return strawberry.field(resolver=resolve, description=description)


def found(function: Found, description: str) -> Any:
    """A field that is found for many objects at once.

    `function(objects, context, *, …)` returns a value for each, in their order; what follows the
    first two parameters are the field's arguments.
    """

    async def resolve(root: Any, info: Info, **arguments: Any) -> Any:
        return await info.context.load(function, root, arguments)

    arguments = list(inspect.signature(function).parameters.values())[2:]
    parameters = [ROOT, INFO, *arguments]
    resolve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    resolve.__annotations__ = {each.name: each.annotation for each in parameters}
    resolve.__module__ = function.__module__
    resolve.found = function  # type: ignore[attr-defined]  # for the executor
    return strawberry.field(resolver=resolve, description=description)


def computed_by(resolver: Any) -> Computed | None:
    """The function of a `computed` field."""
    return getattr(resolver, "computed", None)


def found_by(resolver: Any) -> Found | None:
    """The function of a `found` field."""
    return getattr(resolver, "found", None)
