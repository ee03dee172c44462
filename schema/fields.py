"""The three kinds of fields, and how each is resolved for one object or for many at once.

* `described`: a column of the object's row, or a property of its source. No resolver.
* `computed`: a function of the object and the viewer. Nothing is fetched.
* `found`: a function of *all* objects of a level, which fetches for all of them at once.

GraphQL asks object by object. Plans (`schema/plans.py`) take a level at a time, and call these
functions as they are; where there is no plan, the same functions serve single objects, gathered by
the context into the same batches.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
COLUMNS = "columns"  # the name under which a plan passes them to a function that pages
INFO = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)


F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Needs:
    """What a field's function needs of its objects, which are rows or hold one.

    `columns` are those that it reads; `only_named` says that `Named` objects are enough for it.
    """

    columns: frozenset[str]
    only_named: bool


@dataclass(frozen=True, slots=True)
class Computing:
    """How a `computed` field is resolved."""

    function: Computed
    needs: Needs | None


@dataclass(frozen=True, slots=True)
class Finding:
    """How a `found` field is resolved, or an entry point: by `find`, made of the `function`.

    `pages` says that it can be told which columns the query needs of the rows that it finds.
    `named` replaces it where the query reads only lists of the object. `needs` is None if unknown:
    then all columns are fetched.
    """

    find: Found
    function: Callable[..., Any]
    pages: bool = False
    needs: Needs | None = None
    named: "Finding | None" = None


@dataclass(frozen=True, slots=True)
class Writing:
    """How a field of `Mutation` is resolved: by `write(context, payload's class, input)`."""

    write: Callable[..., Awaitable[Any]]


Way = Computing | Finding | Writing


def reads(*columns: str, only_named: bool = False) -> Callable[[F], F]:
    """Declare what a field's function needs of its objects (`Needs`)."""

    def say(function: F) -> F:
        function.needs = Needs(frozenset(columns), only_named)  # type: ignore[attr-defined]
        return function

    return say


def way_of(field: StrawberryField) -> Way | None:
    """How a field is resolved; None for a column, a property, and what only graphql-core knows."""
    resolver = field.base_resolver and field.base_resolver.wrapped_func
    return getattr(resolver, "way", None)


def described(description: str) -> Any:
    """A field that is a column or a property."""
    return strawberry.field(description=description)


def computed(function: Computed, description: str) -> Any:
    """A field that is `function(object, viewer)`."""

    def resolve(root: Parent[Any], info: Info) -> Any:
        return function(root, info.context.viewer)

    needs = getattr(function, "needs", None)
    resolve.way = Computing(function, needs)  # type: ignore[attr-defined]
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

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        return await info.context.load(find, root, given)

    pages, needs = unfolded is not function, getattr(function, "needs", None)
    resolve.way = Finding(find, function, pages, needs)  # type: ignore[attr-defined]
    sign(resolve, function, [ROOT, INFO, *arguments])
    field = strawberry.field(resolver=resolve, description=description)
    return field


async def _as_part(field: StrawberryField, values: Awaitable[Sequence[Any]]) -> Sequence[Any]:
    """Await the values within a span of the trace that is named after the field."""
    kind = cast("type", field.origin)
    with over_part(f"{kind.__name__}.{to_camel_case(field.python_name)}"):
        return await values


def entry_point(
    function: Callable[..., Any], description: str, *, named: Found | None = None
) -> Any:
    """A field of the root: `function(context, …)`, or a coroutine of it.

    `named` replaces it where the query reads only lists of the object (`Plan.needs_only_ids`).
    """
    answer, arguments = _unfolded(function, skip=1)

    async def find(objects: Sequence[Any], context: Context, **given: Any) -> Sequence[Any]:
        answered = answer(context, **given)
        return [await answered if inspect.isawaitable(answered) else answered]

    async def resolve(info: Info, **given: Any) -> Any:
        info.context.must_be_waited_for()
        (answered,) = await find([None], info.context, **given)
        return answered

    instead = Finding(named, named) if named else None
    way = Finding(find, function, answer is not function, named=instead)
    resolve.way = way  # type: ignore[attr-defined]
    sign(resolve, function, [INFO, *arguments])
    return strawberry.field(resolver=resolve, description=description)


def _unfolded(
    function: Callable[..., Any], skip: int
) -> tuple[Callable[..., Any], list[inspect.Parameter]]:
    """The function, with the four arguments of a connection in place of a `Paging` parameter; and
    its parameters then, except for the first ones (`skip`)."""
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
    """The parameters of a function except for the first ones."""
    return list(inspect.signature(function).parameters.values())[skip:]


def sign(resolver: Any, function: Callable[..., Any], parameters: list[inspect.Parameter]) -> None:
    """Show Strawberry these parameters, and the module in which to resolve their types."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    signed = [each if each in (ROOT, INFO) else each.replace(kind=keyword) for each in parameters]
    resolver.__signature__ = inspect.Signature(signed)
    resolver.__annotations__ = {each.name: each.annotation for each in parameters}
    resolver.__module__ = function.__module__
