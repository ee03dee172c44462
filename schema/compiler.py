"""Compiling the plans of `schema/plans.py` from the selections of a document.

The row function of a plan is generated as Python source (`_Draft`), and compiled with `exec`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

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
from schema.arguments import NotPlain, arguments_of
from schema.fields import Computing, Finding, Writing, way_of
from schema.plans import NAMES, Fetch, Nested, Plan, Shape, WritePlan, check_of, names_of

Collect = Callable[[GraphQLObjectType, list[FieldDetails]], CollectedFields]
ANY = "*"  # in place of the columns that a computed field reads: it may read any


class Compiler:
    """Compiles selections. `collect` groups the fields of a selection by their response names."""

    def __init__(self, collect: Collect) -> None:
        self.collect = collect

    def plan(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Plan:
        """The plan for a selection on a type. Raises NotPlain if none can be made."""
        return self.plan_of(kind, self.collect(kind, details).grouped_field_set)

    def plan_of(self, kind: GraphQLObjectType, fields_by_name: GroupedFieldSet) -> Plan:
        """The plan for the collected fields of a type. Raises NotPlain."""
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
        """The plans for the mutations of an operation, in order. Raises NotPlain."""
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
            raise NotPlain  # a field of introspection, which graphql-core resolves
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
                if way.named and shape.plan and shape.plan.needs_only_ids:
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
                raise NotPlain  # our lists are never null, nor are their items
            kind = kind.of_type
        if isinstance(kind, GraphQLObjectType):
            return Shape(nullable, is_list, None, self.plan(kind, fields))
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            return Shape(nullable, is_list, kind, None)
        raise NotPlain


class _Draft:
    """A plan as it is put together, field by field, with the source of its row function."""

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
        """A name by which the source can refer to a value."""
        name = f"_{len(self.names)}"
        self.names[name] = value
        return name

    def column(self, name: str) -> str:
        """The expression for a column of a row, or for an attribute of any other object."""
        self.columns.add(name)
        return f"s[{name!r}]" if self.is_row else f"s.{name}"

    def call(self, function: Callable[[Any, Viewer], Any]) -> str:
        """The expression for a computed value."""
        self.columns.add(ANY)
        return f"{self.name_for(function)}(s, viewer)"

    def note(self, reads: frozenset[str] | None) -> None:
        """Note which columns of the rows a field reads; None if that is unknown."""
        self.reads = None if reads is None or self.reads is None else self.reads | reads

    def own(self, name: str) -> frozenset[str]:
        """What a leaf reads of the rows: its column, if the object is a row; else nothing."""
        return frozenset([name]) if self.is_row else frozenset()

    def constant(self, name: str, value: str) -> None:
        """A part of the response that is always the same."""
        self.items.append(f"{name!r}: {value!r}")

    def placeholder(self, name: str) -> None:
        """A part that is filled in later, in its place among the others."""
        self.items.append(f"{name!r}: None")

    def at_hand(self, name: str, expression: str, shape: Shape) -> None:
        """A part whose value needs no fetching, though fields of the objects in it may."""
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
            return f"{self.name_for(names_of(shape.leaf))}[x]"
        return f"refuse() if {check_of(shape.leaf).format(v='x')} else x"

    def _leaf(self, variable: str, shape: Shape) -> None:
        present = f"{variable} is not None and " if shape.nullable else ""
        if isinstance(shape.leaf, GraphQLEnumType):
            names = f"{self.name_for(names_of(shape.leaf))}[{variable}]"
            empty = f"None if {variable} is None else " if shape.nullable else ""
            self.lines.append(f"{variable} = {empty}{names}")
        else:
            check = check_of(shape.leaf).format(v=variable)
            self.lines.append(f"if {present}({check}): refuse()")

    def compile(self) -> Plan:
        """The plan, with the row function compiled."""
        body = [*self.lines, f"return {{{', '.join(self.items)}}}"]
        text = "def row(s, viewer):\n" + "".join(f"    {line}\n" for line in body)
        # Safe to execute: the source is made of the schema's own names. All that comes from the
        # client is response names, which GraphQL's grammar limits to plain identifiers.
        exec(text, self.names)
        return Plan(
            self.names["row"], self.fetches, self.nested, frozenset(self.columns), self.reads
        )
