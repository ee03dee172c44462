"""Limits of what one request may ask: what they allow passes, one more is refused by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tests.client import JSON, Asker, Client
from tests.refusals import unchanged
from tests.trust import shapes

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


def no_variables(n: int) -> dict[str, Any]:
    return {}


def some_questions(n: int) -> dict[str, Any]:
    return {"q": [{"bot": {"userId": "x", "botId": "y"}}] * n}


@dataclass(frozen=True)
class Limit:
    """A setting, its default, and a document and variables with so many of what it limits."""

    setting: str
    most: int
    document: Callable[[int], str]
    variables: Callable[[int], dict[str, Any]] = no_variables

    def __str__(self) -> str:
        return self.document.__name__.replace("_", " ")


LIMITS = [
    Limit("max_document_characters", 100_000, shapes.characters),
    Limit("max_tokens", 5_000, shapes.tokens),
    Limit("max_depth", 15, shapes.fields_in_fields),
    Limit("max_depth", 15, shapes.fields_in_fields_of_a_fragment),
    Limit("max_depth", 15, shapes.fragments_in_fragments),
    Limit("max_depth", 15, shapes.inline_fragments_in_each_other),
    Limit("max_selections", 2_000, shapes.selections),
    Limit("max_fragments", 100, shapes.fragments),
    Limit("max_root_fields", 50, shapes.root_fields),
    Limit("max_root_fields", 50, shapes.root_fields_of_fragments),
    Limit("max_aliases", 100, shapes.aliases),
    Limit("max_aliases", 100, shapes.aliases_of_a_fragment_that_is_spread_again),
    Limit("max_directives", 50, shapes.directives),
    Limit("max_directives", 50, shapes.directives_of_a_fragment_that_is_spread_again),
    Limit("max_duplicates", 100, shapes.repeated_fields),
    Limit("max_duplicates", 100, shapes.repeated_fields_in_what_is_merged),
    Limit("max_duplicates", 100, shapes.repeated_fields_of_fragments),
    Limit("max_introspection_depth", 2, shapes.lists_in_lists_of_introspection),
    Limit("max_introspection_depth", 2, shapes.lists_in_lists_of_introspection_by_fragments),
    Limit("max_ids", 100, shapes.ids, lambda n: {"ids": ["x"] * n}),
    Limit("max_ids", 100, shapes.ids_in_the_document),
    Limit("max_ids", 100, shapes.questions, some_questions),
    Limit("max_page_size", 100, shapes.first),
    Limit("max_page_size", 100, shapes.last),
    Limit("max_page_size", 100, shapes.last_beside_first),
    Limit("max_page_size", 100, shapes.first_by_variable, lambda n: {"n": n}),
    Limit("max_page_size", 100, shapes.first_by_variable, lambda n: {"n": float(n)}),
    Limit("max_page_size", 100, shapes.first_by_default),
    Limit("max_page_size", 100, shapes.first_in_a_fragment),
]


@SQLITE_ONLY
@pytest.mark.parametrize("limit", LIMITS, ids=str)
async def test_as_much_as_a_limit_allows_is_answered(ask: Asker, limit: Limit) -> None:
    await ask(limit.document(limit.most), **limit.variables(limit.most))


@SQLITE_ONLY
@pytest.mark.parametrize("limit", LIMITS, ids=str)
async def test_more_than_a_limit_allows_is_refused_by_its_name(ask: Asker, limit: Limit) -> None:
    more = limit.most + 1
    ((code, message),) = await ask.errors(limit.document(more), **limit.variables(more))
    assert code == "LIMIT_EXCEEDED"
    assert f"(COHORT_{limit.setting.upper()})" in message
    assert f"at most {limit.most:,}" in message


@SQLITE_ONLY
async def test_the_operations_of_a_document_count_together(ask: Asker) -> None:
    query = shapes.root_fields_of_operations(51)
    ((code, message),) = await ask.errors(query)
    assert code == "LIMIT_EXCEEDED"
    assert "COHORT_MAX_ROOT_FIELDS" in message


ANYWHERE = {
    "on an operation": ("MAX_DIRECTIVES", 50, "query {} {{ __typename }}", "@x"),
    "on a variable": ("MAX_DIRECTIVES", 50, "query($a: Int {}) {{ __typename }}", "@x"),
    "on a fragment": (
        "MAX_DIRECTIVES", 50, "{{ ...F }} fragment F on Query {} {{ __typename }}", "@x",
    ),
    "an alias in a fragment that is never spread": (
        "MAX_ALIASES", 100, "{{ __typename }} fragment F on Query {{ __typename {} }}", "a: f",
    ),
    "a field in a fragment that is never spread": (
        "MAX_DUPLICATES", 100, "{{ __typename }} fragment F on Query {{ f {} }}", "f",
    ),
}  # fmt: skip


@SQLITE_ONLY
@pytest.mark.parametrize(("limit", "most", "document", "one"), ANYWHERE.values(), ids=ANYWHERE)
async def test_what_is_not_valid_counts_as_well(
    ask: Asker, limit: str, most: int, document: str, one: str
) -> None:
    codes = await ask.codes(document.format(f"{one} " * most))
    assert set(codes) == {"GRAPHQL_VALIDATION_FAILED"}
    ((code, message),) = await ask.errors(document.format(f"{one} " * (most + 1)))
    assert code == "LIMIT_EXCEEDED"
    assert f"COHORT_{limit}" in message


@SQLITE_ONLY
async def test_a_fragment_counts_where_it_is_spread_and_not_where_it_was_first(ask: Asker) -> None:
    def nested(inner: str, levels: int) -> str:
        return "... { " * levels + inner + " }" * levels

    fragment = f"fragment F on Query {{ {nested('__typename', 9)} }}"
    assert await ask(f"{{ ...F {nested('...F', 5)} }} {fragment}") == {"__typename": "Query"}
    ((code, message),) = await ask.errors(f"{{ ...F {nested('...F', 6)} }} {fragment}")
    assert code == "LIMIT_EXCEEDED"
    assert "COHORT_MAX_DEPTH" in message


@SQLITE_ONLY
async def test_lists_in_lists_are_too_deep_as_well(ask: Asker) -> None:
    query = "{ nodes(ids: " + "[" * 200 + "]" * 200 + ") { id } }"
    ((code, message),) = await ask.errors(query)
    assert code == "LIMIT_EXCEEDED"
    assert "COHORT_MAX_DEPTH" in message


async def test_a_write_that_is_too_much_changes_nothing(ask: Asker) -> None:
    create = 'createGroup(input: {name: "Group %d"}) { revision }'
    query = " ".join(f"a{i}: {create % i}" for i in range(51))
    async with unchanged(ask.viewer):
        assert await ask.codes(f"mutation {{ {query} }}") == ["LIMIT_EXCEEDED"]


# ------------------------------------------------------------------------------------ variables

DELETE = "mutation($ids: [ID!]!) { deleteUsers(input: {userIds: $ids}) { userErrors { code } } }"
UPSERT = (
    "mutation($bots: [BotInput!]!) { upsertBots(input: {bots: $bots}) { userErrors { code } } }"
)


async def test_a_list_may_have_so_many_items(ask: Asker) -> None:
    async with unchanged(ask.viewer):
        # The write itself takes fewer, and says so to the person who asked.
        data = await ask(DELETE, ids=["x"] * 5_000)
        assert [error["code"] for error in data["deleteUsers"]["userErrors"]] == ["TOO_MANY"]
        ((code, message),) = await ask.errors(DELETE, ids=["x"] * 5_001)
    assert code == "LIMIT_EXCEEDED"
    assert "at most 5,000 (COHORT_MAX_LIST_ITEMS)" in message


async def test_all_values_count_together(ask: Asker) -> None:
    nameless = {"name": "", "features": ["x"] * 17}  # twenty values, with its place in the list
    last = {"name": "", "features": ["x"] * 16}
    most = [*[nameless] * 999, last]  # and the list itself is one: 20,000
    async with unchanged(ask.viewer):
        # What is allowed is looked at, and refused for want of names.
        data = await ask(UPSERT, bots=most)
        assert {error["code"] for error in data["upsertBots"]["userErrors"]} == {"BLANK"}
        ((code, message),) = await ask.errors(UPSERT, bots=[nameless] * 1_000)
    assert code == "LIMIT_EXCEEDED"
    assert "at most 20,000 (COHORT_MAX_INPUT_VALUES)" in message


async def test_variables_that_hold_no_others_count_as_well(ask: Asker) -> None:
    query, known = "{ organization { name } }", {f"v{number}": 0 for number in range(20_000)}
    assert await ask.codes(query, **known) == []
    assert await ask.codes(query, **known, one_more=0) == ["LIMIT_EXCEEDED"]


# ----------------------------------------------------------------------------------------- body


async def post(client: Client, ask: Asker, body: bytes | Any) -> tuple[int, Any]:
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {ask.token}"}
    response = await client.http.post("/graphql", content=body, headers=headers)
    return response.status_code, response.json()


def body_of(size: int) -> bytes:
    body = orjson.dumps({"query": "{ __typename }"})
    return body + b" " * (size - len(body))


@SQLITE_ONLY
async def test_a_body_may_have_so_many_bytes(client: Client, ask: Asker) -> None:
    status, answer = await post(client, ask, body_of(1_000_000))
    assert status == 200
    assert answer["data"] == {"__typename": "Query"}
    status, answer = await post(client, ask, body_of(1_000_001))
    assert status == 413
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert "1,000,000 bytes (COHORT_MAX_BODY_BYTES)" in error["message"]


@SQLITE_ONLY
async def test_a_body_that_does_not_say_its_size_is_read_no_further(
    client: Client, ask: Asker
) -> None:
    read = 0

    async def chunks() -> Any:
        nonlocal read
        for _ in range(1_000):
            read += 1
            yield b" " * 10_000

    status, _ = await post(client, ask, chunks())
    assert status == 413
    assert read < 110
