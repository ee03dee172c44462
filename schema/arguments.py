"""The arguments of a field, read once a document: what stands there, and what variables bring.

graphql-core reads them anew each time a field is executed. Values of variables come to both as
graphql-core has coerced them.
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
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

Given = Callable[[Mapping[str, Any]], dict[str, Any]]  # by the values of the variables


class NotPlain(Exception):
    """What no plan can be made for, or is not as it was planned for."""


def arguments_of(field: StrawberryField, definition: GraphQLField, node: FieldNode) -> Given:
    """What the field's function is given by name, for the values of the variables.

    Raises NotPlain, as the function returned does, for all but scalars and lists of them, which
    Strawberry would turn into objects, and for values that graphql-core would refuse.
    """
    names = {to_camel_case(each.python_name): each.python_name for each in field.arguments}
    constants: dict[str, Any] = {}
    variables: list[tuple[str, str, bool]] = []
    for each in node.arguments or ():
        argument = definition.args[each.name.value]
        if not isinstance(get_named_type(argument.type), GraphQLScalarType):
            raise NotPlain
        name = names[each.name.value]
        if isinstance(each.value, VariableNode):
            is_required = isinstance(argument.type, GraphQLNonNull)
            variables.append((name, each.value.name.value, is_required))
        else:
            constants[name] = _constant(argument, each.value)
    if any(each.default_value is not Undefined for each in definition.args.values()):
        raise NotPlain

    def given(values: Mapping[str, Any]) -> dict[str, Any]:
        found = constants.copy()
        for name, variable, is_required in variables:
            value = values.get(variable, Undefined)
            if is_required and (value is None or value is Undefined):
                raise NotPlain
            if value is not Undefined:
                found[name] = value
        return found

    return given


def _constant(argument: GraphQLArgument, value: ValueNode) -> Any:
    if isinstance(value, ListValueNode) and any(isinstance(v, VariableNode) for v in value.values):
        raise NotPlain
    constant = coerce_input_literal(value, argument.type)
    if constant is Undefined:
        raise NotPlain
    return constant
