"""Coercing the values of variables, by functions that are composed once per operation.

graphql-core walks the types again for each value. A value that is not exactly of its type is left
to graphql-core, which either converts it (a number for an id, a single value for a list), or
reports the error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.utilities import coerce_input_value

from schema.arguments import NotPlain

Read = Callable[[Any], Any]  # raises NotPlain

TEXTS = ("ID", "String")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of an operation. `default` is Undefined if it has none."""

    signature: GraphQLVariableSignature
    read: Read
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether a value must be sent."""
        return self.default is Undefined and isinstance(self.signature.type, GraphQLNonNull)


def variables_of(
    schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]
) -> list[Variable]:
    """The variables of a valid operation. Raises NotPlain if only graphql-core can read them."""
    return [_variable(schema, each) for each in definitions]


def _variable(schema: GraphQLSchema, definition: VariableDefinitionNode) -> Variable:
    signature = get_variable_signature(schema, definition)
    if isinstance(signature, GraphQLError):
        raise NotPlain
    default = Undefined
    if definition.default_value is not None:
        known = get_variable_values(schema, [definition], {})
        if isinstance(known, list) or isinstance(known.coerced[signature.name], dict | list):
            raise NotPlain
        default = known.coerced[signature.name]
    return Variable(signature, _reader(signature.type), default)


def read_variables(variables: Sequence[Variable], sent: Mapping[str, Any]) -> VariableValues:
    """The values of variables, from those sent, exactly as graphql-core would give them.

    Raises NotPlain.
    """
    sources: dict[str, VariableValueSource] = {}
    coerced: dict[str, Any] = {}
    for each in variables:
        name = each.signature.name
        value = sent.get(name, Undefined)
        sources[name] = VariableValueSource(each.signature, value)
        if value is not Undefined:
            coerced[name] = each.read(value)
        elif each.is_required:
            raise NotPlain
        elif each.default is not Undefined:
            coerced[name] = each.default
    return VariableValues(sources, coerced)


def _reader(kind: GraphQLInputType) -> Read:
    if isinstance(kind, GraphQLNonNull):
        return _of_present(kind.of_type)
    read = _of_present(kind)
    return lambda value: None if value is None else read(value)


def _of_present(kind: Any) -> Read:
    """A function that reads a value which may not be null."""
    if isinstance(kind, GraphQLList):
        return _of_list(_reader(kind.of_type))
    if isinstance(kind, GraphQLInputObjectType):
        return _of_object(kind)
    return _text if kind.name in TEXTS else _of_leaf(kind)


def _text(value: Any) -> Any:
    if type(value) is not str:
        raise NotPlain
    return value


def _of_leaf(kind: Any) -> Read:
    def read(value: Any) -> Any:
        coerced = Undefined if value is None else coerce_input_value(value, kind)
        if coerced is Undefined:
            raise NotPlain
        return coerced

    return read


def _of_list(read_item: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise NotPlain
        return [read_item(item) for item in value]

    return read


def _of_object(kind: GraphQLInputObjectType) -> Read:
    for field in kind.fields.values():
        if field.out_name or field.default or field.default_value is not Undefined:
            raise NotPlain
    readers = {name: _reader(field.type) for name, field in kind.fields.items()}
    known = readers.keys()
    required = {name for name, field in kind.fields.items() if is_required_input_field(field)}

    def read(value: Any) -> Any:
        if type(value) is not dict or not required <= value.keys() <= known:
            raise NotPlain
        return {name: readers[name](item) for name, item in value.items()}

    return read if kind.out_type is GraphQLInputObjectType.out_type else _made(read, kind.out_type)


def _made(read: Read, make: Callable[[Any], Any]) -> Read:
    """Reads a value, and makes an input object of it (where Strawberry checks `@oneOf`)."""

    def read_and_make(value: Any) -> Any:
        found = read(value)
        try:
            return make(found)
        except Exception:
            raise NotPlain from None

    return read_and_make
