"""Plans: how to complete all objects of a level at once.

graphql-core walks a response value by value, at about three microseconds each. But almost all
objects of ours are plain: a field is a column, or a function of the row; what must be fetched can
be fetched for all objects of a level together. For such a selection a plan is compiled
(`schema/compiler.py`): one Python function that turns an object into its part of the response, and
a list of the fields to fetch.

A plan gives exactly what graphql-core would give, or raises: for whatever is not plain (an error, a
null where none may be, a value of another type than its column's) graphql-core does it all again,
and says what is to be said. So a plan needs no words for errors.
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

Variables = Mapping[str, Any]  # their values, as graphql-core has coerced them


@dataclass(frozen=True, slots=True)
class Fetch:
    """A field that is found for all objects of a level at once.

    `columns` are those that are wanted of the rows of a page; None is all.
    """

    name: str
    way: Finding
    given: Given
    shape: "Shape"
    columns: frozenset[str] | None = None

    def arguments(self, variables: Variables) -> dict[str, Any]:
        """What the function is given."""
        given = self.given(variables)
        return given if self.columns is None else {**given, COLUMNS: self.columns}


@dataclass(frozen=True, slots=True)
class Nested:
    """A field that is at hand, and holds objects with fields to fetch."""

    name: str
    value: Callable[[Any, Viewer], Any]
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field's value is made of: a leaf or an object, perhaps in a list, perhaps null."""

    nullable: bool
    is_list: bool
    leaf: GraphQLScalarType | GraphQLEnumType | None
    plan: "Plan | None"


@dataclass(slots=True)
class Plan:
    """How to complete objects of one type with one selection.

    Objects that are but `named` (`needs_but_names`) are null where their fields find nothing.
    `columns` are those that `row` reads of an object; `reads` those that the whole selection reads
    of the row that an object is, or holds, or the rows, if that is known.
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
        """The parts of the response, one an object. Raises whatever is not as planned."""
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
                await last  # which needs no task of its own
        if self.named:
            names = [each.name for each in self.fetches]
            return [None if any(part[n] is None for n in names) else part for part in parts]
        return parts

    def lists(self, sources: Sequence[Sequence[Any]], context: Context) -> list[list[Any]]:
        """The parts of objects in lists, where all is at hand. Raises likewise."""
        context.count(sum(map(len, sources)))
        row, viewer = self.row, context.viewer
        return [[row(each, viewer) for each in some] for some in sources]

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing has to be fetched."""
        return not self.fetches and not self.nested

    def needs_only(self, function: Found) -> bool:
        """Whether nothing has to be fetched but what one function finds."""
        return not self.nested and all(
            each.way.function is function
            and (each.shape.plan is None or each.shape.plan.is_at_hand)
            for each in self.fetches
        )

    @property
    def needs_but_names(self) -> bool:
        """Whether nothing of an object is needed but its id, by fields to which it may be named."""
        return (
            self.columns <= {"id"}
            and not self.nested
            and bool(self.fetches)
            and all(each.way.needs and each.way.needs.only_named for each in self.fetches)
        )

    def of_named(self) -> "Plan":
        """The plan for objects that are but named."""
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
        completed = await fill(fetch.shape, values, context, variables)
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
        completed = await fill(nested.shape, values, context, variables)
        for part, value in zip(parts, completed, strict=True):
            part[nested.name] = value


@dataclass(frozen=True, slots=True)
class WritePlan:
    """How to do one mutation, and to complete its payload: in graphql-core's way without a `plan`.

    `write` takes the context, the payload's class, and what is given.
    """

    name: str
    write: Callable[..., Awaitable[Any]]
    payload: Any
    given: Given
    definition: GraphQLField
    kind: GraphQLObjectType
    details: list[FieldDetails]
    plan: Plan | None


async def fill(
    shape: Shape, values: Sequence[Any], context: Context, variables: Variables
) -> Sequence[Any]:
    """Complete the values of one field, of all objects of a level."""
    if shape.is_list:
        if shape.plan is not None and shape.plan.is_at_hand:
            return shape.plan.lists(values, context)
        items = [item for value in values for item in value]
        completed = await fill(
            Shape(False, False, shape.leaf, shape.plan), items, context, variables
        )
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

# How a leaf is checked, by the name of its scalar: what is as checked is its own representation.
CHECKS = {
    "String": "type({v}) is not str",
    "ID": "type({v}) is not str",
    "Int": "type({v}) is not int or not -2147483648 <= {v} <= 2147483647",
    "Boolean": "type({v}) is not bool",
    "DateTime": "type({v}) is not datetime",
}


def _refuse() -> NoReturn:
    raise NotPlain


NAMES: Mapping[str, Any] = {"refuse": _refuse, "datetime": datetime}  # in all that is compiled


def check_of(leaf: Any) -> str:
    """The test that a leaf `{v}` is not as checked. Raises NotPlain for a scalar without one."""
    try:
        return CHECKS[leaf.name]
    except KeyError:
        raise NotPlain from None


def names_of(leaf: GraphQLEnumType) -> dict[str, str]:
    """The names of an enum by their values."""
    return {str(value.value): name for name, value in leaf.values.items()}


@cache
def leaf_function(leaf: Any) -> Callable[[Any], Any]:
    """What completes a leaf that is not null. The function raises whatever is not as planned."""
    if isinstance(leaf, GraphQLEnumType):
        return names_of(leaf).__getitem__
    complete = eval(f"lambda x: refuse() if {check_of(leaf).format(v='x')} else x", {**NAMES})
    return cast("Callable[[Any], Any]", complete)
