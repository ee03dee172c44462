"""What clients are told when something goes wrong: a code always, and of faults of ours no more."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from models import listing
from models.database import fetch, is_in_transaction, read, transaction
from models.viewer import Viewer
from tests.client import Asker, Client
from tests.factories import snapshot
from tests.schema.writing import document

GRAPHQL_JSON = "application/graphql-response+json"


@asynccontextmanager
async def missing(table: str) -> AsyncIterator[None]:
    """The table is not there as long as the block lasts: a fault of ours, if anything is."""
    async with transaction():
        await fetch(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
    try:
        yield
    finally:
        async with transaction():
            await fetch(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")


async def only_error(client: Client, query: str, token: str, **variables: Any) -> Any:
    """The one error of an answer."""
    [error] = (await client.ask(query, variables, token))["errors"]
    return error


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nobody }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ group { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ group(id: {a: "b"}) { id } }', "GRAPHQL_VALIDATION_FAILED"),
        ("{ users(first: 2147483648) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ users(status: ASLEEP) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { ...More } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($id: ID!) { group(id: $id) { id } }", "BAD_REQUEST"),
        ("fragment More on Viewer { role }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { role } } query B { viewer { role } }", "BAD_REQUEST"),
        ("{ users(first: -1) { totalCount } }", "BAD_REQUEST"),
        ('{ users(after: "x") { totalCount } }', "BAD_REQUEST"),
        ('query($id: ID = "x") { group(id: $id) { id } }', None),
        ("{ users(first: 101) { totalCount } }", "LIMIT_EXCEEDED"),
    ],
)
async def test_every_error_has_a_code(ask: Asker, query: str, code: str | None) -> None:
    assert set(await ask.codes(query)) == ({code} if code else set())


async def test_an_argument_that_turns_out_null_is_the_clients_mistake(
    client: Client, ask: Asker
) -> None:
    query = 'query($id: ID = "x") { group(id: $id) { id } }'
    error = await only_error(client, query, ask.token, id=None)
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert error["path"] == ["group"]


async def test_an_error_says_where_it_is(client: Client, ask: Asker) -> None:
    error = await only_error(client, "{\n  viewer { role }\n  nobody\n}", ask.token)
    assert error["locations"] == [{"line": 3, "column": 3}]
    error = await only_error(client, "{ page: users(first: -1) { totalCount } }", ask.token)
    assert error["path"] == ["page"]


async def test_what_is_forbidden_says_so_in_its_place(client: Client, auditor: Asker) -> None:
    answer = await client.ask(document("createGroup"), {"input": {"name": "N"}}, auditor.token)
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]) == (["createGroup"], {"code": "FORBIDDEN"})
    assert answer["data"] is None


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($n: Int) { users(first: $n) { totalCount } }", {"n": "many"}),
        (document("createGroup"), {"input": {"name": "N", "expectedRevision": 2**31}}),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [None]}),
        ("query($s: UserStatus) { users(status: $s) { totalCount } }", {"s": "active"}),
        (document("createGroup"), {"input": {}}),
        (document("createGroup"), {"input": {"name": "N", "color": "red"}}),
        (document("createGroup"), {"input": {"name": 1}}),
        (document("createGroup"), {}),
    ],
)
async def test_a_variable_of_the_wrong_type_executes_nothing(
    client: Client, ask: Asker, query: str, variables: dict[str, Any]
) -> None:
    answer = await client.ask(query, variables, ask.token)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_REQUEST"}
    assert "data" not in answer


async def test_a_mistake_in_a_payload_leaves_the_rest_of_it(
    client: Client, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []

    async def note(sql: str, *params: Any) -> Any:
        try:
            return await read(sql, *params)
        except asyncio.CancelledError:
            if is_in_transaction():  # PostgreSQL might have ended all of it
                stopped.append(sql)
            raise

    monkeypatch.setattr(listing, "read", note)
    create = """mutation { createGroup(input: {name: "New"}) {
        group { users(after: "x") { totalCount } changes { nodes { id } } }
        edge { node { name changes { nodes { summary } } } } } }"""
    body = await client.ask(create, token=ask.token)
    [error] = body["errors"]
    assert (error["path"][-1], error["extensions"]["code"]) == ("users", "BAD_REQUEST")
    changes = {"nodes": [{"summary": "Token of ADMIN created New"}]}
    edge = {"node": {"name": "New", "changes": changes}}
    assert body["data"]["createGroup"] == {"group": None, "edge": edge}
    assert stopped == []


# --------------------------------------------------------------------------------- faults of ours


async def test_a_fault_is_masked_and_logged_under_the_id_of_its_request(
    client: Client, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    async with missing("bots"):
        response = await client.post("{ bots { nodes { id } } }", token=ask.token)
    id = response.headers["x-request-id"]
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": id}
    assert error["message"].endswith(f"{id}.")
    for secret in ("bots_elsewhere", "SELECT", "no such table", "does not exist", "Traceback"):
        assert secret not in response.text
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert "bots" in str(record.exc_info[1])


async def test_a_fault_takes_with_it_no_more_than_it_must(client: Client, ask: Asker) -> None:
    async with missing("bots"):
        answer = await client.ask(
            '{ organization { name } bot(id: "bot_00000000000000000000000000000000") { id } }',
            token=ask.token,
        )
    assert answer["data"] == {"organization": {"name": "Acme"}, "bot": None}
    assert [error["path"] for error in answer["errors"]] == [["bot"]]


async def test_a_fault_in_a_write_leaves_everything_as_it_was(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    before = await snapshot(acme.organization_id)
    async with missing("changes"):
        error = await only_error(
            client, document("createGroup"), ask.token, input={"name": "Half done"}
        )
    assert error["extensions"]["code"] == "INTERNAL"
    assert await snapshot(acme.organization_id) == before
    await ask(document("createGroup"), input={"name": "Half done"})


async def test_a_fault_before_anything_is_executed_is_masked_and_logged_too(
    client: Client, acme: Viewer, caplog: pytest.LogCaptureFixture
) -> None:
    id = "request-0001"
    async with missing("tokens"):
        response = await client.post("{ viewer { role } }", None, "whoever", **{"X-Request-ID": id})
    assert response.status_code == 500
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": id}
    assert error["message"].endswith(f"{id}.")
    assert "tokens" not in response.text
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "cohort.graphql"
    assert record.exc_info is not None
    assert "tokens" in str(record.exc_info[1])


async def test_the_service_goes_on_after_a_fault(client: Client, ask: Asker) -> None:
    async with missing("users"):
        assert await ask.codes("{ users { totalCount } }") == ["INTERNAL"]
    assert await ask("{ users { totalCount } }") == {"users": {"totalCount": 0}}
