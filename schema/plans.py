"""Plans: how to complete all objects of one level of a response at once.

graphql-core completes a response value by value, at about three microseconds each. But almost all
of our fields are plain: a column of a row, or a function of it; and those that must be fetched can
be fetched for all objects of a level together. For a selection of such fields a plan is compiled
(`schema/compiler.py`): one Python function that turns an object into its part of the response, and
a list of the fields to fetch.

A plan gives exactly what graphql-core would give, or raises. After anything unusual (an error, a
null in a non-null field, a value that is not of its column's type) graphql-core does all of it
again, and reports the errors. So a plan never has to report one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, cast

from graphql import GraphQLEnumType, GraphQLField, GraphQLObjectType, GraphQLScalarType
from graphql.execution.collect_fields import FieldDetails

from models.viewer import Viewer
from schema.arguments import Given, NotPlain
from schema.context import Context
from schema.fields import COLUMNS, Finding, Found

Variables = Mapping[str, Any]  # coerced values by name


@dataclass(frozen=True, slots=True)
class Fetch:
    """A field that is fetched for all objects of a level at once.

    `columns` are those that the query needs of a page's rows; None means all.
    """

    name: str
    way: Finding
    given: Given
    shape: "Shape"
    columns: frozenset[str] | None = None

    def arguments(self, variables: Variables) -> dict[str, Any]:
        """The keyword arguments of the function that fetches."""
        given = self.given(variables)
        return given if self.columns is None else {**given, COLUMNS: self.columns}


@dataclass(frozen=True, slots=True)
class Nested:
    """A field that needs no fetching itself, but holds objects with fields that do."""

    name: str
    value: Callable[[Any, Viewer], Any]
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of a field: a leaf or an object type, perhaps nullable, perhaps in a list."""

    nullable: bool
    is_list: bool
    leaf: GraphQLScalarType | GraphQLEnumType | None
    plan: "Plan | None"


@dataclass(slots=True)
class Plan:
    """How to complete objects of one type with one selection.

    `row` turns an object into its part of the response. `columns` are those that it reads of the
    object; `reads` those that the whole selection reads of the rows that the object is or holds;
    None if unknown. Of a plan for `named` objects (`needs_only_ids`), an object whose fields find
    nothing becomes null.
    """

    row: Callable[[Any, Viewer], dict[str, Any]]
    fetches: list[Fetch] = field(default_factory=list)
    nested: list[Nested] = field(default_factory=list)
    columns: frozenset[str] = frozenset()
    reads: frozenset[str] | None = None
    named: bool = False

    async def complete(
        self, sources: Sequence[Any], context: Context, variables: Variables
    ) -> list[Any]:
        """The objects' parts of the response, in order. Raises if anything is not as planned."""
        context.count(len(sources))
        row, viewer = self.row, context.viewer
        parts = [row(source, viewer) for source in sources]
        if not sources:
            return parts
        under_way = [
            *(self._fetch(each, sources, parts, context, variables) for each in self.fetches),
            *(self._descend(each, sources, parts, context, variables) for each in self.nested),
        ]
        if len(under_way) == 1:
            await under_way[0]
        elif under_way:
            *others, last = under_way
            async with asyncio.TaskGroup() as group:
                for each in others:
                    group.create_task(each)
                await last  # in this task: one less to create
        if self.named:
            names = [each.name for each in self.fetches]
            return [None if any(part[n] is None for n in names) else part for part in parts]
        return parts

    def lists(self, sources: Sequence[Sequence[Any]], context: Context) -> list[list[Any]]:
        """The same for lists of objects that need no fetching. Raises likewise."""
        context.count(sum(map(len, sources)))
        row, viewer = self.row, context.viewer
        return [[row(each, viewer) for each in some] for some in sources]

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing needs to be fetched: `row` makes all of an object's part."""
        return not self.fetches and not self.nested

    def needs_only(self, function: Found) -> bool:
        """Whether nothing needs to be fetched except what one function finds."""
        return not self.nested and all(
            each.way.function is function
            and (each.shape.plan is None or each.shape.plan.is_at_hand)
            for each in self.fetches
        )

    @property
    def needs_only_ids(self) -> bool:
        """Whether an object's id is all that its fields need, so that its row need not be fetched
        (`resolvers.Named`)."""
        return (
            self.columns <= {"id"}
            and not self.nested
            and bool(self.fetches)
            and all(each.way.needs and each.way.needs.only_named for each in self.fetches)
        )

    def of_named(self) -> "Plan":
        """The same plan for `Named` objects."""
        fetches = [replace(each, shape=replace(each.shape, nullable=True)) for each in self.fetches]
        return replace(self, fetches=fetches, named=True)

    async def _fetch(
        self,
        fetch: Fetch,
        sources: Sequence[Any],
        parts: list[dict[str, Any]],
        context: Context,
        variables: Variables,
    ) -> None:
        values = await fetch.way.find(sources, context, **fetch.arguments(variables))
        completed = await complete_values(fetch.shape, values, context, variables)
        for part, value in zip(parts, completed, strict=True):
            part[fetch.name] = value

    async def _descend(
        self,
        nested: Nested,
        sources: Sequence[Any],
        parts: list[dict[str, Any]],
        context: Context,
        variables: Variables,
    ) -> None:
        values = [nested.value(source, context.viewer) for source in sources]
        completed = await complete_values(nested.shape, values, context, variables)
        for part, value in zip(parts, completed, strict=True):
            part[nested.name] = value


@dataclass(frozen=True, slots=True)
class WritePlan:
    """How to execute one mutation, and how to complete its payload: by graphql-core if there is no
    `plan`. `write` takes the context, the payload's class, and the arguments.
    """

    name: str
    write: Callable[..., Awaitable[Any]]
    payload: Any
    given: Given
    definition: GraphQLField
    kind: GraphQLObjectType
    details: list[FieldDetails]
    plan: Plan | None


async def complete_values(
    shape: Shape, values: Sequence[Any], context: Context, variables: Variables
) -> Sequence[Any]:
    """Complete the values that one field has for all objects of a level."""
    if shape.is_list:
        if shape.plan is not None and shape.plan.is_at_hand:
            return shape.plan.lists(values, context)
        items = [item for value in values for item in value]
        item_shape = Shape(False, False, shape.leaf, shape.plan)
        completed = await complete_values(item_shape, items, context, variables)
        ends, filled = 0, []
        for value in values:
            filled.append(list(completed[ends : ends + len(value)]))
            ends += len(value)
        return filled
    if shape.plan is None:
        complete = leaf_function(shape.leaf)
        return [None if v is None and shape.nullable else complete(v) for v in values]
    there = [value for value in values if value is not None]
    if len(there) < len(values) and not shape.nullable:
        raise NotPlain
    parts = iter(await shape.plan.complete(there, context, variables))
    return [None if value is None else next(parts) for value in values]


# ---------------------------------------------------------------------------------------- leaves

# The condition, by scalar, under which a value is not its own representation in the response.
CHECKS = {
    "String": "type({v}) is not str",
    "ID": "type({v}) is not str",
    "Int": "type({v}) is not int or not -2147483648 <= {v} <= 2147483647",
    "Boolean": "type({v}) is not bool",
    "DateTime": "type({v}) is not datetime",
}


def _refuse() -> NoReturn:
    raise NotPlain


NAMES: Mapping[str, Any] = {"refuse": _refuse, "datetime": datetime}  # globals of compiled code


def check_of(leaf: Any) -> str:
    """The condition, for a value `{v}`, that it must be refused. Raises NotPlain for a scalar that
    has none."""
    try:
        return CHECKS[leaf.name]
    except KeyError:
        raise NotPlain from None


def names_of(leaf: GraphQLEnumType) -> dict[str, str]:
    """The names of an enum's values in GraphQL, by the values in Python."""
    return {str(value.value): name for name, value in leaf.values.items()}


@cache
def leaf_function(leaf: Any) -> Callable[[Any], Any]:
    """A function that completes a leaf value, if not null. It raises if that is not as planned."""
    if isinstance(leaf, GraphQLEnumType):
        return names_of(leaf).__getitem__
    complete = eval(f"lambda x: refuse() if {check_of(leaf).format(v='x')} else x", {**NAMES})
    return cast("Callable[[Any], Any]", complete)
