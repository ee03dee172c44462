"""Variables are coerced as graphql-core coerces them, or left to it."""

from datetime import datetime
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    OperationDefinitionNode,
    get_variable_values,
    parse,
    parse_type,
    type_from_ast,
)
from graphql.execution.values import VariableValues
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import schema
from schema.arguments import NotPlain
from schema.variables import Variable, read_variables, variables_of
from tests.client import Asker

CORE = schema._schema
INPUTS = [name for name, kind in CORE.type_map.items() if isinstance(kind, GraphQLInputObjectType)]
TYPES = [
    *(form for name in INPUTS for form in (f"{name}!", f"[{name}!]", name)),
    *("ID!", "[ID!]!", "[ID]", "[[String!]]", "String", "Int!", "Boolean", "DateTime!", "Role"),
]
JUNK = st.sampled_from([None, 0, 1.5, True, "", "x", [], {}, [None], {"x": 1}, 2**40])
LEAVES = {
    "ID": st.sampled_from(["usr_1", "", 7]),
    "String": st.text(max_size=3),
    "Int": st.sampled_from([0, -1, 2**31, 1.0]),
    "Boolean": st.booleans(),
    "DateTime": st.sampled_from(["2026-01-01T00:00:00Z", "yesterday"]),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """JSON for a type: right for the most part."""
    if isinstance(kind, GraphQLNonNull):
        return _mostly(values(kind.of_type))
    return _mostly(st.none() | _present(kind))


def _mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 30).flatmap(lambda place: right if place else JUNK)


def _present(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, GraphQLList):
        return st.lists(values(kind.of_type), max_size=3) | values(kind.of_type)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from(list(kind.values))
    if not isinstance(kind, GraphQLInputObjectType):
        return LEAVES[kind.name]
    fields = {name: values(field.type) for name, field in kind.fields.items()}
    every = st.fixed_dictionaries({}, optional=fields)
    one = st.sampled_from(list(fields)).flatmap(lambda n: st.fixed_dictionaries({n: fields[n]}))
    needed = {n: fields[n] for n, f in kind.fields.items() if isinstance(f.type, GraphQLNonNull)}
    optional = {n: each for n, each in fields.items() if n not in needed}
    return every | one | st.fixed_dictionaries(needed, optional=optional)


def definitions(text: str) -> Any:
    """The variables that an operation declares: `($a: ID!)`."""
    node = parse(f"query {text} {{ viewer {{ role }} }}").definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    return node.variable_definitions


def agree(text: str, sent: dict[str, Any]) -> bool:
    """Whether it was read, and then as graphql-core reads it, down to the types of the values."""
    known = variables_of(CORE, definitions(text))
    expected = get_variable_values(CORE, definitions(text), sent)
    try:
        found = read_variables(known, sent)
    except NotPlain:
        return False
    assert not isinstance(expected, list), expected
    assert repr(_sorted(found.coerced)) == repr(_sorted(expected.coerced))
    assert _told(found) == _told(expected)
    return True


def _told(values: VariableValues) -> dict[str, Any]:
    return {
        name: (source.signature.name, str(source.signature.type), source.value)
        for name, source in values.sources.items()
    }


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=1500)
@given(st.sampled_from(TYPES).flatmap(lambda t: st.tuples(st.just(t), values(_named(t)))))
def test_any_value_is_read_as_graphql_core_reads_it_or_not_at_all(case: tuple[str, Any]) -> None:
    kind, value = case
    agree(f"($a: {kind})", {"a": value})


def _named(text: str) -> Any:
    return type_from_ast(CORE, parse_type(text))


QUESTION = {"bot": {"userId": "usr_1", "botId": "bot_1", "at": "2026-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("($a: [AccessQuestion!]!)", {"a": [QUESTION]}),
        ("($a: AddUsersToGroupInput!)", {"a": {"groupId": "grp_1", "userIds": ["usr_1"]}}),
        ("($a: GroupOrder)", {"a": {"field": "NAME", "direction": "DESC"}}),
        ("($a: UpsertUsersInput!)", {"a": {"users": [{"name": "", "email": "", "role": "ADMIN"}]}}),
        ("($a: ID, $b: Int = 50, $c: String = null)", {"a": None}),
        ("($a: Boolean! = true)", {}),
    ],
)
def test_what_is_right_is_read(text: str, sent: dict[str, Any]) -> None:
    assert agree(text, sent)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("($a: [AccessQuestion!]!)", {"a": QUESTION}),
        ("($a: [AccessQuestion!]!)", {"a": [{}]}),
        ("($a: [AccessQuestion!]!)", {"a": [{**QUESTION, "persona": None}]}),
        ("($a: [AccessQuestion!]!)", {"a": [{"bot": None}]}),
        ("($a: AddUsersToGroupInput!)", {"a": {"groupId": "grp_1"}}),
        ("($a: AddUsersToGroupInput!)", {"a": {"groupId": "", "userIds": [], "more": 1}}),
        ("($a: ID!)", {}),
        ("($a: ID!)", {"a": None}),
        ("($a: ID!)", {"a": 7}),
        ("($a: Int!)", {"a": "7"}),
        ("($a: DateTime!)", {"a": "yesterday"}),
    ],
)
def test_what_is_not_quite_right_is_left_to_graphql_core(text: str, sent: dict[str, Any]) -> None:
    assert not agree(text, sent)


def test_a_default_that_could_be_changed_is_left_to_graphql_core() -> None:
    with pytest.raises(NotPlain):
        variables_of(CORE, definitions('($a: [ID!] = ["usr_1"])'))


def test_an_instant_is_an_instant() -> None:
    known: list[Variable] = variables_of(CORE, definitions("($a: [AccessQuestion!]!)"))
    (question,) = read_variables(known, {"a": [QUESTION]}).coerced["a"]
    assert isinstance(question["bot"]["at"], datetime)


async def test_what_is_left_to_graphql_core_is_answered_or_told(ask: Asker) -> None:
    query = """query($ids: [ID!]!, $first: Int = 3) {
        nodes(ids: $ids) { id } groups(first: $first) { nodes { id } } }"""
    assert await ask(query, ids="usr_1") == {"nodes": [None], "groups": {"nodes": []}}
    answer = await ask.client.ask(query, {"ids": [None]}, ask.token)
    assert "Expected value of non-null type 'ID!' not to be None." in answer["errors"][0]["message"]
