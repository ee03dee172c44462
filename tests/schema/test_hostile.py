"""Whatever is sent, there is an answer, and never a fault of ours: each argument gets the worst."""

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client import Asker
from tests.schema.connections import CONNECTIONS, World
from tests.schema.walking import GRAPH

TEXTS = [
    "",
    " ",
    "\x00",
    "grp_\x00",
    "tok_\x00",
    "usr_" + "0" * 32,
    "chg_" + "f" * 32,
    "x" * 3_000,
    "\U0001f600\u202e\ufffd",
    "%_\\'\";--",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-01-01T00:00:00Z",
]
OTHERS: list[Any] = [
    None,
    True,
    -1,
    2**31 - 1,
    -(2**31),
    2**31,
    2**63,
    10**30,
    1e300,
    [],
    {},
    [[]],
    {"a": 1},
]


def example(type_: Any, name: str) -> Any:
    """A value of an input type that makes sense; of objects all that they can have."""
    nullable = get_nullable_type(type_)
    if isinstance(nullable, GraphQLList):
        return [example(nullable.of_type, name)]
    if isinstance(nullable, GraphQLEnumType):
        return next(iter(nullable.values))
    if isinstance(nullable, GraphQLInputObjectType):
        fields = list(nullable.fields.items())[: 1 if nullable.is_one_of else None]
        return {field: example(value.type, field) for field, value in fields}
    if nullable.name == "Int":
        return 1
    if nullable.name == "DateTime":
        return "2026-01-01T00:00:00Z"
    return "a@b.example" if name == "email" else "a"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value within, and to the whole."""
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*path, key))


def with_value(variables: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The same variables with another value in one place."""
    changed = deepcopy(variables)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each field of the roots, as a document that takes its arguments as variables."""
    assert GRAPH.query_type is not None
    assert GRAPH.mutation_type is not None
    for kind, root in (("query", GRAPH.query_type), ("mutation", GRAPH.mutation_type)):
        for name, field in root.fields.items():
            if not field.args:
                continue
            types = ", ".join(f"${arg}: {value.type}" for arg, value in field.args.items())
            given = ", ".join(f"{arg}: ${arg}" for arg in field.args)
            inner = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
            variables = {arg: example(value.type, arg) for arg, value in field.args.items()}
            yield name, f"{kind}({types}) {{ {name}({given}) {inner} }}", variables


OPERATIONS = list(operations())


async def no_fault(ask: Asker, query: Any, variables: Any = None) -> None:
    """Ask, and see that the answer is one."""
    response = await ask.client.post(query, variables, ask.token)
    answer = response.json()
    found = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert response.status_code < 500, (variables, answer)
    assert "INTERNAL" not in found, (variables, answer)
    assert found or "data" in answer


@pytest.mark.parametrize(
    ("query", "variables"), [o[1:] for o in OPERATIONS], ids=[o[0] for o in OPERATIONS]
)
async def test_every_argument_takes_every_text(
    ask: Asker, query: str, variables: dict[str, Any]
) -> None:
    for path in places(variables):
        if path and not isinstance(path[-1], int):
            for text in TEXTS:
                await no_fault(ask, query, with_value(variables, path, text))
                await no_fault(ask, query, with_value(variables, path, [text]))


@pytest.mark.parametrize(
    ("query", "variables"), [o[1:] for o in OPERATIONS], ids=[o[0] for o in OPERATIONS]
)
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_every_argument_takes_values_of_every_type(
    ask: Asker, query: str, variables: dict[str, Any]
) -> None:
    for path in places(variables):
        for value in OTHERS if path else ():
            await no_fault(ask, query, with_value(variables, path, value))


# ---------------------------------------------------------------------------------------- cursors

KEYS: list[list[Any]] = [
    ["x", "x"], ["x"], [], [1, "x"], [2**31, "x"], [2**40, "x"], [2**63 - 1, "x"], [2**63, "x"],
    [-(2**63), "x"], [True, "x"], [1.5, "x"], [None, None], ["\x00", "x"], ["x", "\x00"], [[], {}],
    [1], [2**40], [-1], ["x", 1], ["\ud7ff\U0001f600", "x"], [1e300, "x"],
]  # fmt: skip


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def made_up(real: str) -> Iterator[str]:
    """Cursors that look like a real one, and are not."""
    mark = json.loads(base64.urlsafe_b64decode(real + "=" * (-len(real) % 4)))[0]
    return (cursor(mark, *key) for key in KEYS)


async def test_no_order_fails_for_a_cursor_that_somebody_made_up(world: World) -> None:
    for field in ("NAME", "CREATED_AT", "UPDATED_AT", "USER_COUNT"):
        for way in ("ASC", "DESC"):
            query = f"""query($c: String) {{ groups(
                first: 1, after: $c, orderBy: {{field: {field}, direction: {way}}}
            ) {{ pageInfo {{ endCursor }} }} }}"""
            real = (await world.ask(query))["groups"]["pageInfo"]["endCursor"]
            for text in made_up(real):
                await no_fault(world.ask, query, {"c": text})


async def test_no_list_fails_for_a_cursor_that_somebody_made_up(world: World) -> None:
    for connection in CONNECTIONS:
        page = await world.page(connection, "first: 1")
        for text in made_up(page["pageInfo"]["endCursor"]):
            query = connection.query(f'before: "{text}"', "{ nodes { id } }", world.ids)
            await no_fault(world.ask, query)


async def test_a_cursor_longer_than_any_of_ours_is_refused(ask: Asker) -> None:
    query = "query($c: String) { groups(after: $c) { totalCount } }"
    assert await ask.codes(query, c=cursor("group", "x" * 300, "grp_0")) == []
    assert await ask.codes(query, c=cursor("group", "x" * 5_000, "grp_0")) == ["BAD_REQUEST"]


async def test_a_very_long_text_in_many_places_is_answered(ask: Asker) -> None:
    places = " ".join(f"a{n}: users(search: $s) {{ totalCount }}" for n in range(50))
    codes = await ask.codes(f"query($s: String) {{ {places} }}", s="é" * 200_000)
    assert set(codes) == {"BAD_REQUEST"}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
in_one_database = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@in_one_database
@given(text=st.text(max_size=40) | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")))
async def test_any_text_as_a_cursor_is_refused(ask: Asker, text: str) -> None:
    query = "query($c: String) { changes(after: $c) { totalCount } }"
    response = await ask.client.http.post(
        "/graphql",
        content=json.dumps({"query": query, "variables": {"c": text}}),
        headers={"Authorization": f"Bearer {ask.token}", "Content-Type": "application/json"},
    )
    assert response.status_code in (200, 400)
    assert (response.json().get("errors") is None) is (not text)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@in_one_database
@given(body=ANY_JSON | st.fixed_dictionaries({"query": ANY_JSON, "variables": ANY_JSON}))
async def test_any_json_is_answered(ask: Asker, body: Any) -> None:
    response = await ask.client.http.post(
        "/graphql",
        content=json.dumps(body),
        headers={"Authorization": f"Bearer {ask.token}", "Content-Type": "application/json"},
    )
    assert response.status_code in (200, 400)
    assert response.json()["errors"]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@in_one_database
@given(query=st.text('{}()[]:$@!"\\#,.|&=abcuidgroups0 \n\ud7ff', max_size=60))
async def test_any_document_is_answered(ask: Asker, query: str) -> None:
    response = await ask.client.post(query or "{", token=ask.token)
    assert response.status_code in (200, 400)


DEEP = {
    "selections": "{" + "viewer{" * 900 + "role" + "}" * 901,
    "lists": "{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }",
    "objects": "{ checkAccess(questions: " + "{a:" * 900 + "1" + "}" * 900 + ") { allowed } }",
    "types": "query($a: " + "[" * 900 + "ID" + "]" * 900 + ") { viewer { role } }",
    "aliases": "{" + " ".join(f"a{n}: viewer {{ role }}" for n in range(2_000)) + "}",
    "circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "doubling": "{ ...A0 } "
    + " ".join(f"fragment A{n} on Query {{ ...A{n + 1} ...A{n + 1} }}" for n in range(40))
    + " fragment A40 on Query { viewer { role } }",
    "surrogate": '{ group(id: "\\uD800") { id } }',
    "pair": '{ group(id: "\\uD83D\\uDE00") { id } }',
    "nul": '{ group(id: "\\u0000") { id } }',
    "block": '{ group(id: """\n' + " " * 5_000 + '\n""") { id } }',
    "number": "{ users(first: " + "9" * 5_000 + ") { totalCount } }",
    "float": "{ users(first: 1e999999999) { totalCount } }",
}


@pytest.mark.parametrize("document", DEEP.values(), ids=DEEP)
async def test_a_document_that_goes_too_far_is_answered(ask: Asker, document: str) -> None:
    await no_fault(ask, document)


@pytest.mark.parametrize("depth", [100, 1_000])
async def test_variables_that_go_too_deep_are_answered(ask: Asker, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * depth + "1" + closing * depth
        body = '{"query": "query($a: ID!) { group(id: $a) { id } }", "variables": {"a": %s}}'
        response = await ask.client.http.post(
            "/graphql",
            content=(body % deep).encode(),
            headers={"Authorization": f"Bearer {ask.token}", "Content-Type": "application/json"},
        )
        assert response.status_code in (200, 400)
        assert orjson.loads(response.content)["errors"]
