"""The three kinds of fields, and how each is resolved for one object or for many at once.

* `described`: a column of the object's row, or a property of its source. No resolver.
* `computed`: a function of the object and the viewer. Nothing is fetched.
* `found`: a function of *all* objects of a level, which fetches for all of them at once.

GraphQL asks object by object. `Executor` (`schema/executor.py`) takes a level at a time, and calls
these functions as they are; where it cannot, the same functions serve single objects, gathered by
the context into the same batches.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import strawberry
from strawberry import Parent
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from models.spans import over_part, spans
from models.viewer import Viewer
from schema.context import Context, Info
from schema.pagination import Paging

Computed = Callable[[Any, Viewer], Any]
Found = Callable[..., Awaitable[Sequence[Any]]]

ROOT = inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Parent[Any])  # type: ignore[misc]
PAGING = dict(inspect.signature(Paging).parameters)
COLUMNS = "columns"  # how a plan gives them to a function that pages
INFO = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)


F = TypeVar("F", bound=Callable[..., Any])


def reads(*columns: str) -> Callable[[F], F]:
    """Say of a function of a field which columns it reads, of an object that is a row or holds one.

    Of others nobody knows: for them all columns are fetched.
    """

    def say(function: F) -> F:
        function.reads = frozenset(columns)  # type: ignore[attr-defined]
        return function

    return say


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

    `function(objects, context, …)` returns a value for each, in their order; what follows the first
    two parameters are the field's arguments, `Paging` standing for those of a connection.
    """
    unfolded, arguments = _unfolded(function, skip=2)

    def find(objects: Sequence[Any], context: Context, **given: Any) -> Awaitable[Sequence[Any]]:
        values = unfolded(objects, context, **given)
        return _as_part(field, values) if spans.get() else values

    find.__wrapped__ = function  # type: ignore[attr-defined]  # by which a plan knows it
    find.pages = unfolded is not function  # type: ignore[attr-defined]

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        return await info.context.load(find, root, given)

    resolve.found = find  # type: ignore[attr-defined]  # for the executor
    sign(resolve, function, [ROOT, INFO, *arguments])
    field = strawberry.field(resolver=resolve, description=description)
    return field


async def _as_part(field: StrawberryField, values: Awaitable[Sequence[Any]]) -> Sequence[Any]:
    """The same values, found as a part of the request that is named after the field."""
    kind = cast("type", field.origin)
    with over_part(f"{kind.__name__}.{to_camel_case(field.python_name)}"):
        return await values


def entry_point(
    function: Callable[..., Any], description: str, *, named: Found | None = None
) -> Any:
    """A field of the root: `function(context, …)`, or a coroutine of it.

    `named` stands for it where nothing but lists of the object is wanted (`Plan.needs_but_names`).
    """
    answer, arguments = _unfolded(function, skip=1)

    async def find(objects: Sequence[Any], context: Context, **given: Any) -> Sequence[Any]:
        answered = answer(context, **given)
        return [await answered if inspect.isawaitable(answered) else answered]

    async def resolve(info: Info, **given: Any) -> Any:
        (answered,) = await find([None], info.context, **given)
        return answered

    find.pages = answer is not function  # type: ignore[attr-defined]
    resolve.found = find  # type: ignore[attr-defined]  # for the executor: the root is one object
    resolve.named = named  # type: ignore[attr-defined]
    sign(resolve, function, [INFO, *arguments])
    return strawberry.field(resolver=resolve, description=description)


def _unfolded(
    function: Callable[..., Any], skip: int
) -> tuple[Callable[..., Any], list[inspect.Parameter]]:
    """The function with the four arguments of a connection in place of a `Paging`.

    With the parameters that it has then, less the first ones.
    """
    parameters = parameters_of(function, skip)
    if all(each.annotation is not Paging for each in parameters):
        return function, parameters

    def unfolded(*first: Any, **given: Any) -> Any:
        sent = {name: given.pop(name) for name in PAGING if name in given}
        paging = Paging(**sent)
        paging.columns = given.pop(COLUMNS, None)
        return function(*first, paging=paging, **given)

    others = [each for each in parameters if each.annotation is not Paging]
    return unfolded, [*PAGING.values(), *others]


def parameters_of(function: Callable[..., Any], skip: int) -> list[inspect.Parameter]:
    """The parameters of a function behind the first ones."""
    return list(inspect.signature(function).parameters.values())[skip:]


def sign(resolver: Any, function: Callable[..., Any], parameters: list[inspect.Parameter]) -> None:
    """Let Strawberry see these parameters, and the module in which their types are known."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    signed = [each if each in (ROOT, INFO) else each.replace(kind=keyword) for each in parameters]
    resolver.__signature__ = inspect.Signature(signed)
    resolver.__annotations__ = {each.name: each.annotation for each in parameters}
    resolver.__module__ = function.__module__


def computed_by(resolver: Any) -> Computed | None:
    """The function of a `computed` field."""
    return getattr(resolver, "computed", None)


def found_by(resolver: Any) -> Found | None:
    """The function of a `found` field."""
    return getattr(resolver, "found", None)


def named_by(resolver: Any) -> Found | None:
    """What stands for the function of an entry point where no more than a name is needed."""
    return getattr(resolver, "named", None)


def reads_of(function: Any) -> frozenset[str] | None:
    """The columns that a function reads; None if that is not known."""
    return getattr(inspect.unwrap(function), "reads", None)


def is_of_named(function: Found) -> bool:
    """Whether the function of a `found` field can do with objects that are but named."""
    return getattr(inspect.unwrap(function), "of_named", False)


def write_of(resolver: Any) -> Found | None:
    """What a field of `Mutation` does: `write(context, payload's class, …)`."""
    return getattr(resolver, "write", None)


def does_page(function: Found) -> bool:
    """Whether it finds pages, and can be told the columns that are wanted of their rows."""
    return getattr(function, "pages", False)
