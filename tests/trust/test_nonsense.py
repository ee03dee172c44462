"""Nonsense is refused at once, whatever it is, and never as a fault of ours."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client import JSON, Asker, Client
from tests.factories import make_group
from tests.refusals import unchanged

T = TypeVar("T")

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

# A tenth of a second, where counting to a million takes an eightieth; elsewhere more, or less.
AT_ONCE = 8.0  # times as long as the counting takes
TRIES = 5  # of which the best counts, as the machine may be busy with another
LETTERS = 'query{}()[]$!:=@."#\\\n abc019-,|&fragment on Group'


def spreads(depth: int, at_the_end: str) -> str:
    """A kilobyte that spreads a fragment 2 ** `depth` times."""
    parts = [f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(depth)]
    return " ".join(["{ ...F0 }", *parts, f"fragment F{depth} on Query {{ {at_the_end} }}"])


def spreads_by_alias(depth: int) -> str:
    inner = "users {{ nodes {{ groups {{ nodes {{ a: id ...F{} }} }} }} }}"
    parts = [f"fragment F{i} on Group {{ {inner.format(i + 1)} }}" for i in range(depth)]
    last = f"fragment F{depth} on Group {{ id }}"
    return " ".join(["{ groups { nodes { ...F0 } } }", *parts, last])


def letters(count: int) -> str:
    return "".join(random.Random(count).choices(LETTERS, k=count))


DOCUMENTS = {
    "a megabyte of letters": "x" * 999_000,
    "a megabyte of nonsense": letters(990_000),
    "a long name": "x" * 99_000,
    "a long comment": "#" + "x" * 99_000,
    "many comments": "#\n" * 49_000,
    "a long text": '{ group(id: "' + "x" * 99_000,
    "a long block of text": '{ group(id: """' + "\n" * 99_000,
    "many escapes": '{ group(id: "' + "\\u0041" * 16_000 + '") }',
    "blanks": " " * 99_000,
    "byte order marks": "\ufeff" * 99_000,
    "10,000 aliases": "{ " + " ".join(f"a{i}: __typename" for i in range(10_000)) + " }",
    "1,600 aliases": "{ " + " ".join(f"a{i}: __typename" for i in range(1_600)) + " }",
    "200 levels": "{ " + "a { " * 200 + "b" + " }" * 201,
    "2,000 levels": "{ " + "a { " * 2_000 + "b" + " }" * 2_001,
    "braces that never close": "{ a " * 20_000,
    "brackets that never close": "{ nodes(ids: " + "[" * 4_900,
    "objects in objects": "{ a(b: " + "{a:" * 1_500,
    "types in types": "query($a: " + "[" * 4_900,
    "2 ** 30 spreads": spreads(30, "__typename"),
    "2 ** 14 spreads": spreads(14, "__typename"),
    "2 ** 14 spreads of nothing": spreads(14, "...Nothing"),
    "fragments in a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "a fragment in itself": "{ ...A } fragment A on Query { viewer { role } ...A }",
    "a circle that is never spread": "{ __typename } fragment A on Query { ...A }",
    "deep fragments": spreads_by_alias(50),
    "a fragment twice": "{ ...A } fragment A on Query { a } fragment A on Query { b }",
    "1,000 directives": "{ viewer " + "@a " * 1_000 + "{ role } }",
    "1,000 repetitions": "{ viewer { " + "role " * 1_000 + "} }",
    "1,000 operations": " ".join(f"query Q{i} {{ __typename }}" for i in range(999)),
    "1,000 variables": "query(" + " ".join(f"$v{i}: X{i}" for i in range(900)) + ") { a }",
    "1,600 unknown arguments": "{ groups("
    + " ".join(f"searh{i}: 1" for i in range(1_600))
    + ") { totalCount } }",
    "1,600 unknown values": "mutation { createGroup(input: {"
    + " ".join(f"nam{i}: 1" for i in range(1_600))
    + "}) { revision } }",
    "unknown fields with long names": "{" + " ".join("a" * 1_900 + str(i) for i in range(49)) + "}",
    "a number of 90,000 digits": "{ groups(first: " + "9" * 90_000 + ") { totalCount } }",
    "a great number": "{ groups(first: 1e999999999) { totalCount } }",
    "a NUL byte": "{ \0 }",
    "a lone surrogate": '{ group(id: "\\ud800") { id } }',
    "a surrogate that is half of one": '{ group(id: "\\udc00\\ud800") { id } }',
    "a code point that is none": '{ group(id: "\\u{FFFFFFFF}") { id } }',
    "a schema": "type Query { a: Int } extend schema { query: Query }",
}  # fmt: skip


@SQLITE_ONLY
@pytest.mark.parametrize("query", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_a_document_of_nonsense_is_refused_at_once(ask: Asker, query: str) -> None:
    await ask("{ __typename }")
    codes, taken = await timed(lambda: ask.codes(query))
    assert codes
    assert set(codes) <= {"LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED", "BAD_REQUEST"}
    assert taken < AT_ONCE


async def timed(ask: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    """What is answered, and how long it took: this process's time, as AT_ONCE is given."""
    best = math.inf
    for _ in range(TRIES):
        started = time.process_time()
        answer = await ask()
        answered = time.process_time()
        for _ in range(1_000_000):
            pass
        best = min(best, (answered - started) / (time.process_time() - answered))
    return answer, best


@SQLITE_ONLY
async def test_a_message_holds_no_more_of_a_document_than_is_of_use(ask: Asker) -> None:
    long = "x" * 90_000
    for query in (
        f"{{ {long} }}",
        f"query {long} {{ a }}",
        f'{{ groups(first: "{long}") {{ a }} }}',
        long,
    ):
        errors = await ask.errors(query)
        assert errors
        assert all(len(message) <= 501 for _, message in errors)


# ------------------------------------------------------------------------------------ variables

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def variables(value: bytes, query: str = NODES) -> bytes:
    """A body with such a value for the variable `ids`."""
    return b'{"query": %s, "variables": {"ids": %s}}' % (orjson.dumps(query), value)


BODIES = {
    "a list of a million": variables(b"[" + b"1," * 999_999 + b"1]"),
    "as long a list as fits": variables(b"[" + b"1," * 499_000 + b"1]"),
    "lists of lists": variables(b"[" + b"[1,1,1,1,1,1,1,1,1]," * 45_000 + b"[]]"),
    "an object of 90,000": variables(orjson.dumps({str(i): 1 for i in range(90_000)})),
    "900 levels": variables(b"[" * 900 + b"]" * 900),
    "a million levels": variables(b"[" * 490_000 + b"]" * 490_000),
    "a number of 5,000 digits": variables(b"9" * 5_000),
    "a list of such a number": variables(b"[" + b"9" * 5_000 + b"]"),
    "a great number": variables(b"1e999"),
    "a lone surrogate": variables(b'["\\ud800"]'),
    "half a megabyte of text": variables(b'{"a": "' + b"x" * 500_000 + b'"}'),
}


@SQLITE_ONLY
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_variables_of_nonsense_are_refused_at_once(
    client: Client, ask: Asker, body: bytes
) -> None:
    await ask("{ __typename }")
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {ask.token}"}
    response, taken = await timed(
        lambda: client.http.post("/graphql", content=body, headers=headers)
    )
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] in ("LIMIT_EXCEEDED", "BAD_REQUEST")
    assert len(error["message"]) <= 501
    assert taken < AT_ONCE


async def test_what_no_text_may_hold_is_never_a_fault(ask: Asker) -> None:
    """NUL bytes, and what is no character, in every text that reaches the database."""
    query = """query($t: String, $id: ID!) {
        groups(search: $t, after: $t) { totalCount } node(id: $id) { id } group(id: $id) { id }
        changes(groupId: $id) { totalCount }
        checkAccess(questions: [{bot: {userId: $id, botId: $id}}]) { allowed }
    }"""
    write = """mutation($t: String!) {
        createGroup(input: {name: $t, description: $t}) { userErrors { code } }
        upsertUsers(input: {users: [{name: $t, email: $t, externalId: $t}]}) { userErrors { code } }
    }"""
    async with unchanged(ask.viewer):
        for text in ("\0", "a\0b", "\uffff\0", "\x7f\0"):
            assert "INTERNAL" not in await ask.codes(query, t=text, id=text)
            assert "INTERNAL" not in await ask.codes(write, t=text)


# -------------------------------------------------------------------------------------- the rest


async def test_others_are_answered_meanwhile(ask: Asker) -> None:
    group = await make_group(ask.viewer)
    enough = asyncio.Event()

    async def nonsense(name: str) -> None:
        while not enough.is_set():
            assert await ask.codes(DOCUMENTS[name])
            await asyncio.sleep(0)  # as the network does

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for name in ("a megabyte of nonsense", "200 levels", "2 ** 30 spreads", "1,600 aliases"):
            tasks.create_task(nonsense(name))
        for _ in range(5):
            found = await ask("query($id: ID!) { group(id: $id) { id } }", id=group)
            assert found["group"]["id"] == group
        enough.set()


DOCUMENT = st.lists(
    st.sampled_from(
        ["{", "}", "(", ")", "[", "]", "...", "F", "fragment", "on", "Query", "query", "mutation",
         "groups", "nodes", "users", "id", "viewer", "__typename", "$a", ":", "Int", "!", "=", "1",
         '"a"', '"""', "@include", "@skip", "if", "true", "null", "a:", "{a: 1}", "#", "\n", "\0",
         "__schema", "types", "fields", "9" * 30, "-", "1e400", "\ud7ff", "first:"]
    ),
    max_size=60,
)  # fmt: skip
TEXT = st.text(max_size=200).map(lambda text: text.encode(errors="replace"))


@SQLITE_ONLY
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parts=DOCUMENT)
async def test_no_document_is_a_fault_of_ours(ask: Asker, parts: list[str]) -> None:
    response = await ask.client.post(" ".join(parts), token=ask.token)
    assert response.status_code in (200, 400)
    codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
    assert "INTERNAL" not in codes


@SQLITE_ONLY
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=200) | TEXT)
async def test_no_body_is_a_fault_of_ours(client: Client, ask: Asker, body: bytes) -> None:
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {ask.token}"}
    response = await client.http.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
