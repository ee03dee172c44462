"""Reading the arguments of a field once per document: constants, and references to variables.

graphql-core reads them again each time a field is executed. The values of variables are the same
for both, as graphql-core coerces them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    GraphQLScalarType,
    ListValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.utilities import coerce_input_literal
from strawberry.types.base import StrawberryList, has_object_definition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

Convert = Callable[[Any], Any]
Given = Callable[[Mapping[str, Any]], dict[str, Any]]  # from values of variables to arguments


class NotPlain(Exception):
    """No plan can be made for this, or a value is not as its plan expects."""


def arguments_of(field: StrawberryField, definition: GraphQLField, node: FieldNode) -> Given:
    """A function that gives the arguments by name, from the values of the variables.

    Raises NotPlain, as that function does, for inputs that Strawberry converts in a way of its own,
    and for values that graphql-core would refuse.
    """
    known = {to_camel_case(each.python_name): each for each in field.arguments}
    constants: dict[str, Any] = {}
    variables: list[tuple[str, str, bool, Convert | None]] = []
    for each in node.arguments or ():
        argument = definition.args[each.name.value]
        name = known[each.name.value].python_name
        convert = None
        if not isinstance(get_named_type(argument.type), GraphQLScalarType):
            convert = _converter(known[each.name.value].type)
        if isinstance(each.value, VariableNode):
            is_required = isinstance(argument.type, GraphQLNonNull)
            variables.append((name, each.value.name.value, is_required, convert))
        elif convert is None:
            constants[name] = _constant(argument, each.value)
        else:
            raise NotPlain
    if any(each.default_value is not Undefined for each in definition.args.values()):
        raise NotPlain

    def given(values: Mapping[str, Any]) -> dict[str, Any]:
        found = constants.copy()
        for name, variable, is_required, convert in variables:
            value = values.get(variable, Undefined)
            if is_required and (value is None or value is Undefined):
                raise NotPlain
            if value is not Undefined:
                found[name] = convert(value) if convert else value
        return found

    return given


def _converter(kind: Any) -> Convert:
    """A function that makes an input object, or a list of them, if the type has `from_input`."""
    if isinstance(kind, StrawberryList):
        make_item = _converter(kind.of_type)
        return lambda values: [make_item(each) for each in values]
    make: Any = has_object_definition(kind) and kind.__strawberry_definition__.from_input
    if not make:
        raise NotPlain
    return lambda value: make(kind, value, None)


def _constant(argument: GraphQLArgument, value: ValueNode) -> Any:
    if isinstance(value, ListValueNode) and any(isinstance(v, VariableNode) for v in value.values):
        raise NotPlain
    constant = coerce_input_literal(value, argument.type)
    if constant is Undefined:
        raise NotPlain
    return constant
