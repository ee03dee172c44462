"""The schema itself: checked in as it is printed, whole against the contract, and described."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_required_argument,
    is_required_input_field,
    is_specified_scalar_type,
)

import schema

HERE = Path(__file__).parent
CONTRACT = build_schema((HERE.parent / "contract.graphql").read_text())
PRINTED = build_schema(schema.sdl())

FIELDED = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType


def own_types(of: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    """The types of a schema by name, less those of GraphQL itself."""
    return {
        name: type_
        for name, type_ in of.type_map.items()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    }


def lines(type_: GraphQLNamedType) -> set[str]:
    """All that a client can rely on in a type, a line each."""
    said = {type(type_).__name__}
    if isinstance(type_, GraphQLEnumType):
        said |= {f"value {name}" for name in type_.values}
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        said |= {f"implements {interface.name}" for interface in type_.interfaces}
        said |= {
            f"{name}({argument}: {value.type})"
            for name, field in type_.fields.items()
            for argument, value in field.args.items()
        }
    if isinstance(type_, GraphQLInputObjectType):
        said |= {f"oneOf {type_.is_one_of}"}
    if isinstance(type_, FIELDED):
        said |= {f"{name}: {field.type}" for name, field in type_.fields.items()}
    return said


def test_the_file_is_what_the_service_prints() -> None:
    assert Path(schema.__file__).with_name("schema.graphql").read_text() == schema.sdl(), (
        "print it anew: python manage.py sdl > schema/schema.graphql"
    )


@pytest.mark.parametrize("name", own_types(CONTRACT))
def test_the_schema_holds_what_the_contract_says(name: str) -> None:
    printed = own_types(PRINTED)
    assert name in printed
    missing = lines(own_types(CONTRACT)[name]) - lines(printed[name])
    assert not missing


@pytest.mark.parametrize("name", sorted({*own_types(CONTRACT)} & {*own_types(PRINTED)}))
def test_what_the_schema_adds_to_a_type_of_the_contract_may_be_left_out(name: str) -> None:
    contract, printed = own_types(CONTRACT)[name], own_types(PRINTED)[name]
    demanded = []
    if isinstance(printed, GraphQLInputObjectType):
        assert isinstance(contract, GraphQLInputObjectType)
        demanded = [
            field
            for field, value in printed.fields.items()
            if field not in contract.fields and is_required_input_field(value)
        ]
    elif isinstance(printed, GraphQLObjectType | GraphQLInterfaceType):
        assert isinstance(contract, GraphQLObjectType | GraphQLInterfaceType)
        demanded = [
            f"{field}({argument})"
            for field in {*contract.fields} & {*printed.fields}
            for argument, given in printed.fields[field].args.items()
            if argument not in contract.fields[field].args and is_required_argument(given)
        ]
    assert not demanded


def undescribed(type_: GraphQLNamedType) -> Iterator[str]:
    """What GraphiQL would show without a word of explanation."""
    if not type_.description:
        yield type_.name
    if isinstance(type_, GraphQLEnumType):
        yield from (f"{type_}.{name}" for name, v in type_.values.items() if not v.description)
    if isinstance(type_, FIELDED):
        for name, field in type_.fields.items():
            if not field.description:
                yield f"{type_}.{name}"
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            for argument, value in field.args.items():
                if not value.description:
                    yield f"{type_}.{name}({argument})"


@pytest.mark.parametrize("name", own_types(PRINTED))
def test_everything_is_described(name: str) -> None:
    assert not list(undescribed(own_types(PRINTED)[name]))
