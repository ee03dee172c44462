"""The cost of an operation: how many objects its answer may hold. Too many are refused."""

from typing import Any

import pytest
from graphql import get_introspection_query

from models.groups import create_group
from models.organizations import create_organization
from tests.client import Asker, Client, asker, serving
from tests.factories import count_statements, make_group, make_users
from tests.refusals import unchanged

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

PRICES = {
    "texts are free": ("{ __typename }", 0),
    "an object costs 1": ("{ organization { id name userCount } }", 1),
    "so does one that is not there": ('{ group(id: "grp_0") { name } }', 1),
    "a page that is not asked for costs nothing": ("{ groups(first: 100) { totalCount } }", 1),
    "a page costs as many as it may hold": ("{ groups(first: 7) { nodes { id } } }", 1 + 7),
    "it holds 50 if nothing is said": ("{ groups { nodes { id } } }", 1 + 50),
    "it may be counted from the end": ("{ groups(last: 8) { nodes { id } } }", 1 + 8),
    "the first say more than the last": ("{ groups(first: 9, last: 2) { nodes { id } } }", 1 + 9),
    "an empty page is empty": ("{ groups(first: 0) { nodes { id } } }", 1),
    "null is as good as nothing": ("{ groups(first: null) { nodes { id } } }", 1 + 50),
    "edges are objects too": ("{ groups(first: 7) { edges { cursor node { id } } } }", 1 + 7 * 2),
    "edges and nodes are told both": (
        "{ groups(first: 7) { edges { cursor } nodes { id } } }",
        1 + 7 + 7,
    ),
    "pages in pages multiply": (
        "{ groups(first: 7) { nodes { users(first: 3) { nodes { id } } } } }",
        1 + 7 * (1 + 1 + 3),
    ),
    "other lists are short": (
        '{ user(id: "usr_0") { bots(first: 7) { edges { via { id } } } } }',
        1 + 1 + 7 * (1 + 2),
    ),
    "ids are counted": ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
    "what is within them is not so many": (
        '{ checkAccess(questions: [{bot: {userId: "a", botId: "b"}}]) { via { id } } }',
        1 + 2,
    ),
    "all types that may be found are counted": (
        '{ node(id: "grp_0") { ... on Group { users(first: 7) { nodes { id } } } ... on User { '
        "groups(first: 5) { nodes { id } } } } }",
        1 + (1 + 7) + (1 + 5),
    ),
    "a fragment is counted where it is spread": (
        "{ a: groups(first: 7) { ...F } b: groups(first: 5) { ...F } } "
        "fragment F on GroupConnection { nodes { id } }",
        1 + 7 + 1 + 5,
    ),
    "a look at the schema costs 1,000": ("{ __schema { queryType { name } } }", 1_000),
}


async def cost_of(ask: Asker, query: str, **variables: Any) -> Any:
    """The cost that the answer tells."""
    answer = await ask.client.ask(query, variables, ask.token)
    assert "errors" not in answer, answer["errors"]
    return answer["extensions"]["cost"]


@SQLITE_ONLY
@pytest.mark.parametrize(("query", "cost"), PRICES.values(), ids=PRICES)
async def test_each_answer_tells_its_cost(ask: Asker, query: str, cost: int) -> None:
    assert await cost_of(ask, query) == cost
    assert await cost_of(ask, query) == cost  # also where the answer is one that was kept


@SQLITE_ONLY
async def test_variables_are_priced_as_they_are_given(ask: Asker) -> None:
    query = """query($n: Int = 4, $ids: [ID!] = ["x", "y"]) {
        groups(first: $n) { nodes { id } } nodes(ids: $ids) { id }
    }""".replace("[ID!] =", "[ID!]! =")
    assert await cost_of(ask, query) == 1 + 4 + 2
    assert await cost_of(ask, query, n=None) == 1 + 50 + 2
    assert await cost_of(ask, query, n=7, ids=["a", "b"]) == 1 + 7 + 2
    assert await cost_of(ask, query, ids="a") == 1 + 4 + 1


async def test_a_write_costs_10_and_returns_as_many_as_it_takes(ask: Asker) -> None:
    users = await make_users(ask.viewer, 3)
    group = await make_group(ask.viewer)
    query = """mutation($ids: [ID!]!) {
        addUsersToGroup(input: {groupId: "%s", userIds: $ids}) { addedEdges { node { name } } }
    }"""
    assert await cost_of(ask, query % group, ids=users) == 10 + 1 + 3 * (1 + 1)
    query = """mutation($input: AddUsersToGroupInput!) {
        addUsersToGroup(input: $input) { addedEdges { node { name } } }
    }"""
    given = {"groupId": group, "userIds": users}
    assert await cost_of(ask, query, input=given) == 10 + 1 + 3 * (1 + 1)


@SQLITE_ONLY
async def test_the_operation_that_is_asked_for_is_priced(client: Client, ask: Asker) -> None:
    query = "query A { groups(first: 7) { nodes { id } } } query B { organization { id } }"
    headers = {"Authorization": f"Bearer {ask.token}"}
    for name, cost in (("A", 8), ("B", 1)):
        body = {"query": query, "operationName": name}
        response = await client.http.post("/graphql", json=body, headers=headers)
        assert response.json()["extensions"]["cost"] == cost


@SQLITE_ONLY
async def test_a_look_at_the_whole_schema_costs_no_less_than_it_holds(ask: Asker) -> None:
    """So that one who looks again and again, each time under another name, is told to stop."""

    def objects(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(objects, value))
        return 1 + sum(map(objects, value.values())) if isinstance(value, dict) else 0

    answer = await ask.client.ask(get_introspection_query(), token=ask.token)
    assert objects(answer["data"]) <= answer["extensions"]["cost"] < 10_000
    deep = "fields { args { type { name } } type { fields { name } ofType { fields { name } } } }"
    answer = await ask.client.ask(f"{{ __schema {{ types {{ {deep} }} }} }}", token=ask.token)
    assert objects(answer["data"]) <= answer["extensions"]["cost"]
    many = " ".join(f"a{number}: types {{ {deep} }}" for number in range(12))
    assert await ask.codes(f"{{ __schema {{ {many} }} }}") == ["LIMIT_EXCEEDED"]


# ----------------------------------------------------------------------------------- the limit

WIDE = """{ groups(first: %d) { nodes { users(first: %d) { nodes {
    bots(first: %d) { nodes { id } }
} } } } }"""


async def test_what_costs_too_much_is_refused_before_anything_is_executed(
    client: Client, ask: Asker
) -> None:
    await ask("{ organization { id } }")  # so that the token is known
    async with unchanged(ask.viewer):
        with count_statements() as statements:
            ((code, message),) = await ask.errors(WIDE % (100, 100, 100))
    assert code == "LIMIT_EXCEEDED"
    assert message == (
        "This may return 1,020,201 objects; at most 50,000 at once (COHORT_MAX_COST). "
        "Ask for smaller pages, or for less in each."
    )
    assert not [sql for sql in statements if "FROM groups" in sql]


@SQLITE_ONLY
@pytest.mark.parametrize("size", ["first: -100", "last: -100", "first: $n"])
async def test_a_page_of_less_than_nothing_makes_no_other_cheaper(ask: Asker, size: str) -> None:
    much = (WIDE % (100, 100, 100))[1:-1]
    less = much.replace("groups(first: 100)", f"less: groups({size})")
    query = f"query{'($n: Int = -100)' if '$' in size else ''} {{ {much} {less} }}"
    assert await ask.codes(query) == ["LIMIT_EXCEEDED"]


async def test_what_would_be_too_large_is_refused_before_anything_is_executed(ask: Asker) -> None:
    await ask("{ organization { id } }")
    names = " ".join(f"{letter * 1_000}: name" for letter in "abc")
    queries = (
        f"{{ groups(first: 100) {{ nodes {{ users(first: 100) {{ nodes {{ {names} }} }} }} }} }}",
        f"{{ __schema {{ types {{ fields {{ {'A' * 40_000}: name }} }} }} }}",
    )
    for query in queries:
        with count_statements() as statements:
            ((code, message),) = await ask.errors(query)
        assert code == "LIMIT_EXCEEDED"
        assert "COHORT_MAX_ANSWER_BYTES" in message
        assert not [sql for sql in statements if "FROM groups" in sql]
    async with unchanged(ask.viewer):
        create = """mutation { createGroup(input: {name: "New"}) {
            group { users(first: 100) { nodes { groups(first: 100) { nodes { %s } } } } } } }"""
        assert await ask.codes(create % names) == ["LIMIT_EXCEEDED"]


@SQLITE_ONLY
async def test_what_turns_out_too_large_is_not_sent(database_url: str) -> None:
    async with serving(database_url, max_answer_bytes=100_000) as client:
        ask = await asker(client, await create_organization("Acme"))
        query = "{ groups(first: 100) { nodes { description } } }"
        for number in range(100):
            name = f"Group {number}"
            outcome = await create_group(ask.viewer, name, "x" * 2_000)
            assert outcome.changed == ()
            if number == 10:
                assert len((await ask(query))["groups"]["nodes"]) == 11
        ((code, message),) = await ask.errors(query)
        assert (code, "COHORT_MAX_ANSWER_BYTES" in message) == ("LIMIT_EXCEEDED", True)


@SQLITE_ONLY
async def test_the_ceiling_itself_may_be_reached(database_url: str) -> None:
    async with serving(database_url, max_cost=1 + 99) as client:
        ask = await asker(client, await create_organization("Acme"))
        assert await cost_of(ask, "{ groups(first: 99) { nodes { id } } }") == 100
        query = "{ groups(first: 100) { nodes { id } } }"
        assert await ask.codes(query) == ["LIMIT_EXCEEDED"]


@SQLITE_ONLY
async def test_a_price_without_end_is_refused_as_well(ask: Asker) -> None:
    query = "query($n: Int) { groups(first: $n) { nodes { id } } }"
    for number in (2**31 - 1, 2**63, 1e300):
        assert await ask.codes(query, n=number) == ["LIMIT_EXCEEDED"]
    others: tuple[Any, ...] = (-1, True, "1", 1.5, [1], {})
    for other in others:
        assert await ask.codes(query, n=other) == ["BAD_REQUEST"]
