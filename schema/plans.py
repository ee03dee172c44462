"""Plans: how to complete all objects of a level at once, compiled from a selection.

graphql-core walks a response value by value, at about three microseconds each. But almost all
objects of ours are plain: a field is a column, or a function of the row; what must be fetched can
be fetched for all objects of a level together. For such a selection a plan is compiled: one Python
function that turns an object into its part of the response, and a list of the fields to fetch.

A plan gives exactly what graphql-core would give, or raises: for whatever is not plain (an error, a
null where none may be, a value of another type than its column's) graphql-core does it all again,
and says what is to be said. So a plan needs no words for errors.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetails, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from models.viewer import Viewer
from schema.arguments import Given, NotPlain, arguments_of
from schema.context import Context
from schema.fields import COLUMNS, Computing, Finding, Found, Writing, way_of

Collect = Callable[[GraphQLObjectType, list[FieldDetails]], CollectedFields]
ANY = "*"  # column that a function may read

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


# ----------------------------------------------------------------------------------- compilation

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


class Compiler:
    """Compiles selections. `collect` groups the fields of one, as graphql-core does."""

    def __init__(self, collect: Collect) -> None:
        self.collect = collect

    def plan(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Plan:
        """The plan for a selection on a type. Raises NotPlain."""
        return self.plan_of(kind, self.collect(kind, details).grouped_field_set)

    def plan_of(self, kind: GraphQLObjectType, fields_by_name: GroupedFieldSet) -> Plan:
        """The plan for fields of a type that were collected. Raises NotPlain."""
        draft = _Draft(is_row=any(each.name == "Node" for each in kind.interfaces))
        for name, fields in fields_by_name.items():
            node = fields[0].node
            if node.name.value == "__typename":
                draft.constant(name, kind.name)
                continue
            definition = kind.fields.get(node.name.value)
            if definition is None:
                raise NotPlain
            self._field(draft, name, definition, fields)
        return draft.compile()

    def writes_of(
        self, kind: GraphQLObjectType, fields_by_name: GroupedFieldSet
    ) -> list[WritePlan]:
        """The mutations of an operation, in their order. Raises NotPlain."""
        return [self._write(kind, name, fields) for name, fields in fields_by_name.items()]

    def _write(self, kind: GraphQLObjectType, name: str, fields: list[FieldDetails]) -> WritePlan:
        definition = kind.fields.get(fields[0].node.name.value)
        if definition is None:
            raise NotPlain
        backref: StrawberryField = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        way = way_of(backref)
        answered = definition.type
        is_object = isinstance(answered, GraphQLNonNull) and isinstance(
            answered.of_type, GraphQLObjectType
        )
        if not isinstance(way, Writing) or not is_object:
            raise NotPlain
        plan = None
        with suppress(NotPlain):
            plan = self.plan(answered.of_type, fields)
        given = arguments_of(backref, definition, fields[0].node)
        return WritePlan(
            name, way.write, backref.type, given, definition, answered.of_type, fields, plan
        )

    def _field(
        self, draft: "_Draft", name: str, definition: GraphQLField, fields: list[FieldDetails]
    ) -> None:
        if GraphQLCoreConverter.DEFINITION_BACKREF not in definition.extensions:
            raise NotPlain  # introspection's: graphql-core resolves it
        backref: StrawberryField = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        shape = self._shape(definition.type, fields)
        if backref.base_resolver is None:
            draft.at_hand(name, draft.column(backref.python_name), shape)
            draft.note(shape.plan.reads if shape.plan else draft.own(backref.python_name))
            return
        match way_of(backref):
            case Computing(function, needs):
                draft.at_hand(name, draft.call(function), shape)
                draft.note(needs.columns if needs else None)
            case Finding() as way:
                draft.placeholder(name)
                given = arguments_of(backref, definition, fields[0].node)
                if way.named and shape.plan and shape.plan.needs_but_names:
                    way, shape = way.named, replace(shape, plan=shape.plan.of_named())
                columns = shape.plan.reads if shape.plan and way.pages else None
                draft.fetches.append(Fetch(name, way, given, shape, columns))
                draft.note(way.needs.columns if way.needs else None)
            case _:
                raise NotPlain

    def _shape(self, kind: GraphQLOutputType, fields: list[FieldDetails]) -> Shape:
        nullable, is_list = True, False
        if isinstance(kind, GraphQLNonNull):
            nullable, kind = False, kind.of_type
        if isinstance(kind, GraphQLList):
            is_list, kind = True, kind.of_type
            if nullable or not isinstance(kind, GraphQLNonNull):
                raise NotPlain  # our lists hold no nulls, and are none
            kind = kind.of_type
        if isinstance(kind, GraphQLObjectType):
            return Shape(nullable, is_list, None, self.plan(kind, fields))
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            return Shape(nullable, is_list, kind, None)
        raise NotPlain


class _Draft:
    """The source text of a row function, as it is put together."""

    def __init__(self, is_row: bool) -> None:
        self.is_row = is_row
        self.names: dict[str, Any] = {**NAMES}
        self.lines: list[str] = []
        self.items: list[str] = []
        self.columns: set[str] = set()
        self.reads: frozenset[str] | None = frozenset()
        self.fetches: list[Fetch] = []
        self.nested: list[Nested] = []

    def name_for(self, value: Any) -> str:
        """A name that the text may use for a value."""
        name = f"_{len(self.names)}"
        self.names[name] = value
        return name

    def column(self, name: str) -> str:
        """The expression for a column of a row, or a property of another source."""
        self.columns.add(name)
        return f"s[{name!r}]" if self.is_row else f"s.{name}"

    def call(self, function: Callable[[Any, Viewer], Any]) -> str:
        """The expression for a computed value."""
        self.columns.add(ANY)
        return f"{self.name_for(function)}(s, viewer)"

    def note(self, reads: frozenset[str] | None) -> None:
        """Note what a field reads of the rows; None, if that is not known."""
        self.reads = None if reads is None or self.reads is None else self.reads | reads

    def own(self, name: str) -> frozenset[str]:
        """What a leaf reads of the rows: of a row a column, of another source nothing."""
        return frozenset([name]) if self.is_row else frozenset()

    def constant(self, name: str, value: str) -> None:
        """A part of the response that is always the same."""
        self.items.append(f"{name!r}: {value!r}")

    def placeholder(self, name: str) -> None:
        """A part that comes later, but keeps its place."""
        self.items.append(f"{name!r}: None")

    def at_hand(self, name: str, expression: str, shape: Shape) -> None:
        """A part whose value needs nothing to be fetched, though what it holds may."""
        if shape.plan is not None and not shape.plan.is_at_hand:
            self.placeholder(name)
            value = eval(f"lambda s, viewer: {expression}", self.names)
            self.nested.append(Nested(name, value, shape))
            return
        variable = f"v{len(self.lines)}"
        self.lines.append(f"{variable} = {expression}")
        if shape.is_list:
            self.lines.append(f"{variable} = [{self._item(shape)} for x in {variable}]")
        elif shape.plan is not None:
            row = f"{self.name_for(shape.plan.row)}({variable}, viewer)"
            empty = f"None if {variable} is None else " if shape.nullable else ""
            self.lines.append(f"{variable} = {empty}{row}")
        else:
            self._leaf(variable, shape)
        self.items.append(f"{name!r}: {variable}")

    def _item(self, shape: Shape) -> str:
        if shape.plan is not None:
            return f"{self.name_for(shape.plan.row)}(x, viewer)"
        if isinstance(shape.leaf, GraphQLEnumType):
            return f"{self.name_for(_names(shape.leaf))}[x]"
        return f"refuse() if {_check(shape.leaf).format(v='x')} else x"

    def _leaf(self, variable: str, shape: Shape) -> None:
        present = f"{variable} is not None and " if shape.nullable else ""
        if isinstance(shape.leaf, GraphQLEnumType):
            names = f"{self.name_for(_names(shape.leaf))}[{variable}]"
            empty = f"None if {variable} is None else " if shape.nullable else ""
            self.lines.append(f"{variable} = {empty}{names}")
        else:
            check = _check(shape.leaf).format(v=variable)
            self.lines.append(f"if {present}({check}): refuse()")

    def compile(self) -> Plan:
        """The plan, with the function that the text defines."""
        body = [*self.lines, f"return {{{', '.join(self.items)}}}"]
        text = "def row(s, viewer):\n" + "".join(f"    {line}\n" for line in body)
        # The text is made of the schema's own names; what a client sent stands in it only as the
        # names of response fields, which GraphQL's grammar lets be nothing but identifiers.
        exec(text, self.names)
        return Plan(
            self.names["row"], self.fetches, self.nested, frozenset(self.columns), self.reads
        )


def _check(leaf: Any) -> str:
    try:
        return CHECKS[leaf.name]
    except KeyError:
        raise NotPlain from None


def _names(leaf: GraphQLEnumType) -> dict[str, str]:
    """The names of an enum by their values."""
    return {str(value.value): name for name, value in leaf.values.items()}


@cache
def leaf_function(leaf: Any) -> Callable[[Any], Any]:
    """What completes a leaf that is not null. The function raises whatever is not as planned."""
    if isinstance(leaf, GraphQLEnumType):
        return _names(leaf).__getitem__
    complete = eval(f"lambda x: refuse() if {_check(leaf).format(v='x')} else x", {**NAMES})
    return cast("Callable[[Any], Any]", complete)
