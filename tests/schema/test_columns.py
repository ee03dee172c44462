"""What a page fetches of its rows: the columns that the query wants, and no others."""

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from graphql.execution import Executor

from models.database import watch_statements
from models.viewer import Viewer
from schema.documents import operation_of
from schema.executor import PlanningExecutor
from tests.client import Asker
from tests.schema.executing import LIMITS, answer
from tests.schema.organizations import furnish
from tests.schema.walking import GRAPH

LISTS = {
    "groups": "groups { %s }",
    "users": "users { %s }",
    "bots": "bots { %s }",
    "personas": "personas { %s }",
    "changes": "changes { %s }",
    "tokens": "tokens { %s }",
    "groups.users": "groups { nodes { users { %s } } }",
    "groups.bots": "groups { nodes { bots { %s } } }",
    "groups.personas": "groups { nodes { personas { %s } } }",
    "groups.availableUsers": "groups { nodes { availableUsers { %s } } }",
    "groups.availableBots": "groups { nodes { availableBots { %s } } }",
    "groups.availablePersonas": "groups { nodes { availablePersonas { %s } } }",
    "groups.changes": "groups { nodes { changes { %s } } }",
    "users.groups": "users { nodes { groups { %s } } }",
    "users.bots": "users { nodes { bots { %s } } }",
    "users.personas": "users { nodes { personas { %s } } }",
    "bots.users": "bots { nodes { users { %s } } }",
    "personas.users": "personas { nodes { users { %s } } }",
}


def _type(kind: GraphQLObjectType, field: str) -> GraphQLObjectType:
    found = get_named_type(kind.fields[field].type)
    assert isinstance(found, GraphQLObjectType)
    return found


def _fields(kind: GraphQLObjectType) -> list[str]:
    """Each field of a type that needs no arguments, by itself; of objects the type's name."""
    return [
        name if is_leaf_type(get_named_type(field.type)) else f"{name} {{ __typename }}"
        for name, field in kind.fields.items()
        if not any(map(is_required_argument, field.args.values()))
    ]


def _connection(path: str) -> GraphQLObjectType:
    kind = GRAPH.query_type
    assert kind is not None
    first, *others = path.split(".")
    kind = _type(kind, first)
    for name in others:
        kind = _type(_type(kind, "nodes"), name)
    return kind


@pytest.mark.parametrize("path", LISTS)
async def test_each_field_finds_its_columns_by_itself(
    viewer: Viewer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(viewer, "acme")
    connection = _connection(path)
    wanted = [
        *(f"nodes {{ {field} }}" for field in _fields(_type(connection, "nodes"))),
        *(f"edges {{ {field} }}" for field in _fields(_type(connection, "edges"))),
        "edges { cursor node { id } } pageInfo { startCursor endCursor }",
        "totalCount",
    ]
    operations = [operation_of(f"{{ {LISTS[path] % each} }}", None, {}, LIMITS) for each in wanted]
    expected = [await answer(viewer, each, None, {}, told=True) for each in operations]

    def walk(*_: object) -> None:
        raise AssertionError("graphql-core was asked, since a column was missing")

    monkeypatch.setattr(Executor, "execute_operation", walk)
    for operation, full in zip(operations, expected, strict=True):
        assert await answer(viewer, operation, PlanningExecutor, {}, told=True) == full


async def test_what_nobody_wants_is_not_fetched(ask: Asker, acme: Viewer) -> None:
    await furnish(acme, "acme")
    statements: list[str] = []
    with watch_statements(statements.append):
        await ask("{ groups { nodes { name users { nodes { name } } } } }")
    page, members = (sql for sql in statements if "organizations o" in sql and "LIMIT" in sql)
    assert "g.description" not in page
    assert "e.email" not in members
    assert "e.avatar_url" not in members
