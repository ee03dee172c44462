"""Documents at random: whatever the schema lets be asked, with arguments good and bad."""

from itertools import count

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

import schema

GRAPH = build_schema(schema.sdl())
VALUES = {
    "first": ["0", "1", "2", "7", "$size", "101", "-1"],
    "last": ["0", "1", "3"],
    "after": ['""', '"nonsense"'],
    "search": ['"a"', '"an"', '"%"', '""', "$search"],
    "at": ['"2001-01-01T00:00:00Z"', '"2999-01-01T00:00:00Z"', "null"],
    "status": ["ACTIVE", "DEACTIVATED"],
    "orderBy": ["{field: NAME, direction: DESC}", "{field: CREATED_AT, direction: ASC}"],
}
DIRECTIVES = ["", "", "", " @include(if: $yes)", " @skip(if: $yes)", " @include(if: $no)"]
VARIABLES = {
    "$yes": "Boolean!",
    "$no": "Boolean = false",
    "$size": "Int = 3",
    "$search": 'String = "e"',
}
# Those that need an id are asked about ids of the organization by the tests of queries.
ROOT = ("viewer", "organization", "groups", "users", "bots", "personas", "changes", "tokens")


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A valid document with one query."""
    numbers = count()
    root = GRAPH.query_type
    assert root is not None
    fields = draw(st.lists(st.sampled_from(ROOT), min_size=1, max_size=2))
    parts = [_field(draw, name, root.fields[name], 4, numbers) for name in fields]
    body = f"{{ organization @include(if: $yes) {{ id }} {' '.join(parts)} }}"
    used = [f"{name}: {kind}" for name, kind in VARIABLES.items() if name in body]
    return f"query({', '.join(used)}) {body}"


def _field(
    draw: st.DrawFn, name: str, definition: GraphQLField, depth: int, numbers: "count[int]"
) -> str:
    arguments = [
        f"{argument}: {draw(st.sampled_from(VALUES[argument]))}"
        for argument in definition.args
        if argument in VALUES and draw(st.integers(0, 3)) == 0
    ]
    call = f"({', '.join(arguments)})" if arguments else ""
    directive = draw(st.sampled_from(DIRECTIVES))
    kind = get_named_type(definition.type)
    inner = "" if is_leaf_type(kind) else f" {_selection(draw, kind, depth, numbers)}"
    return f"f{next(numbers)}: {name}{call}{directive}{inner}"


def _selection(draw: st.DrawFn, kind: GraphQLNamedType, depth: int, numbers: "count[int]") -> str:
    assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    leaves = {
        name: field
        for name, field in kind.fields.items()
        if is_leaf_type(get_named_type(field.type))
    }
    fields = dict(kind.fields) if depth else leaves
    names = draw(st.lists(st.sampled_from(sorted(fields) or ["__typename"]), max_size=4))
    parts = [
        _field(draw, name, fields[name], depth - 1, numbers) if name in fields else name
        for name in names
    ]
    if draw(st.booleans()):
        parts.append(f"f{next(numbers)}: __typename")
    if parts and draw(st.integers(0, 4)) == 0:
        parts = [f"... on {kind.name} {{ {' '.join(parts)} }}"]
    return f"{{ {' '.join(parts) or '__typename'} }}"
