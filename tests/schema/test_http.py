"""GraphQL over HTTP: methods, media types, statuses."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from models.viewer import Viewer
from tests.client import Asker, Client, asker, serving
from tests.factories import make_user, snapshot
from tests.schema.writing import document

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
QUERY = {"query": "{ viewer { role } }"}
CREATE = 'mutation { createGroup(input: {name: "N"}) { revision } }'


async def send(ask: Asker, content: Any = None, *, method: str = "POST", **headers: str) -> Any:
    """The response to a request of somebody's, as raw as it is given."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    bearer = {"Authorization": f"Bearer {ask.token}", "Content-Type": JSON}
    body = content if isinstance(content, bytes | AsyncIterator) else orjson.dumps(content)
    return await ask.client.http.request(
        method, "/graphql", content=body, headers={**bearer, **names}
    )


def codes(response: Any) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


# ------------------------------------------------------------------------------------ media types


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON}", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL_JSON};q=0.9, {JSON};q=0.8", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0, */*", JSON),
        ("APPLICATION/JSON ; charset=utf-8", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
    ],
)
async def test_an_answer_has_the_media_type_that_is_taken(
    ask: Asker, accept: str, media_type: str
) -> None:
    response = await send(ask, QUERY, Accept=accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.json()["data"] == {"viewer": {"role": "ADMIN"}}


@pytest.mark.parametrize(
    "accept", ["text/html", f"{JSON};q=0", "image/*", "nonsense", f"{JSON};q=much"]
)
async def test_who_takes_nothing_of_ours_gets_406(ask: Asker, accept: str) -> None:
    response = await send(ask, QUERY, Accept=accept)
    assert response.status_code == 406
    assert codes(response) == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": ""},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Type": "application/graphql"},
        {"Content_Type": f"{JSON}; charset=latin-1"},
        {"Content_Encoding": "gzip"},
    ],
    ids=str,
)
async def test_a_body_that_is_no_json_is_not_read(
    ask: Asker, acme: Viewer, headers: dict[str, str]
) -> None:
    before = await snapshot(acme.organization_id)
    response = await send(ask, {"query": CREATE}, **headers)
    assert response.status_code == 415
    assert codes(response) == ["BAD_REQUEST"]
    assert await snapshot(acme.organization_id) == before


@pytest.mark.parametrize(
    "type_", [f"{JSON};charset=UTF-8", f'{JSON}; charset="utf-8"', JSON.upper()]
)
async def test_json_may_be_called_by_its_other_names(ask: Asker, type_: str) -> None:
    assert (await send(ask, QUERY, Content_Type=type_)).status_code == 200


# ------------------------------------------------------------------------------------------ bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'"{ viewer { role } }"',
        b"[]",
        orjson.dumps([QUERY]),
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": "{ viewer { role } }", "variables": []}',
        b'{"query": "{ viewer { role } }", "variables": "{}"}',
        b'{"query": "{ viewer { role } }", "extensions": 1}',
        b'{"query": "{ viewer { role } }", "operationName": 1}',
        b'{"query": "{ viewer { role } }\xff"}',
        b'{"query": "{ viewer { role } } # \\ud800"}',
        b'{"query": "{ viewer { role } }", "variables": {"a": NaN}}',
        b'{"query": "{ viewer { role } }", "variables": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
)
async def test_a_body_that_is_no_request_gets_400(ask: Asker, body: bytes) -> None:
    response = await send(ask, body)
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]


@pytest.mark.parametrize("empty", [{"variables": None}, {"operationName": None, "extensions": {}}])
async def test_what_is_optional_may_be_null(ask: Asker, empty: dict[str, Any]) -> None:
    assert (await send(ask, {**QUERY, **empty})).status_code == 200


async def test_a_body_that_is_too_large_gets_413(database_url: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    async with serving(database_url, max_body_bytes=1_000) as client:
        ask = Asker(client, "whoever", Viewer.operator("org_"))
        for body in (b" " * 1_001, chunks()):
            response = await send(ask, body)
            assert response.status_code == 413
            assert codes(response) == ["LIMIT_EXCEEDED"]


async def test_one_of_several_operations_is_named(client: Client, ask: Asker) -> None:
    query = "query A { viewer { role } } query B { organization { name } }"
    chosen = await send(ask, {"query": query, "operationName": "B"})
    assert chosen.json()["data"] == {"organization": {"name": "Acme"}}
    for name in ("C", None):
        response = await send(ask, {"query": query, "operationName": name}, Accept=GRAPHQL_JSON)
        assert response.status_code == 400
        assert codes(response) == ["BAD_REQUEST"]


# ---------------------------------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "{ nobody }"},
        {"query": "query($id: ID!) { group(id: $id) { id } }", "variables": {"id": []}},
    ],
)
async def test_what_is_not_executed_is_400_in_the_newer_media_type_only(
    ask: Asker, body: dict[str, Any]
) -> None:
    assert (await send(ask, body, Accept=GRAPHQL_JSON)).status_code == 400
    assert (await send(ask, body, Accept=JSON)).status_code == 200


async def test_what_is_refused_in_its_place_is_an_answer(ask: Asker) -> None:
    response = await send(ask, {"query": "{ users(first: -1) { totalCount } }"}, Accept=JSON)
    assert response.status_code == 200
    assert response.json()["data"] is None


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", "wrong", "Bearer \xff"],
)
async def test_who_is_nobody_gets_401(client: Client, authorization: str | None) -> None:
    headers: dict[bytes, bytes] = {}
    if authorization is not None:
        headers = {b"Authorization": authorization.encode("latin-1")}
    response = await client.http.post("/graphql", json=QUERY, headers=headers)
    assert response.status_code == 401
    assert codes(response) == ["UNAUTHENTICATED"]
    assert response.headers["www-authenticate"] == "Bearer"


async def test_the_name_of_the_scheme_has_no_case(client: Client, ask: Asker) -> None:
    headers = {"Authorization": f"bEARER  {ask.token}"}
    assert (await client.http.post("/graphql", json=QUERY, headers=headers)).status_code == 200


# ------------------------------------------------------------------------------------- other verbs


async def get(client: Client, token: str, **parameters: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return await client.http.get("/graphql", params=parameters, headers=headers)


async def test_get_is_for_queries(client: Client, ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme, "Ada")
    query = "query One($id: ID!) { user(id: $id) { name } } query Two { viewer { role } }"
    variables = orjson.dumps({"id": ada}).decode()
    response = await get(client, ask.token, query=query, variables=variables, operationName="One")
    assert response.json()["data"] == {"user": {"name": "Ada"}}


async def test_get_changes_nothing(client: Client, ask: Asker, acme: Viewer) -> None:
    before = await snapshot(acme.organization_id)
    response = await get(client, ask.token, query=CREATE)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert codes(response) == ["BAD_REQUEST"]
    assert await snapshot(acme.organization_id) == before


@pytest.mark.parametrize(
    "parameters",
    [{}, {"query": ""}, {"query": "{ viewer { role } }", "variables": "{"}, {"variables": "{}"},
     {"query": "{ viewer { role } }", "variables": "[]"}],
)  # fmt: skip
async def test_a_get_that_is_no_request_gets_400(
    client: Client, ask: Asker, parameters: dict[str, str]
) -> None:
    assert (await get(client, ask.token, **parameters)).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_no_other_method_is_taken(ask: Asker, method: str) -> None:
    response = await send(ask, QUERY, method=method)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert codes(response) == ["BAD_REQUEST"]


async def test_no_answer_is_kept_by_anybody_in_between(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    other = await asker(client, acme)
    for response in (
        await send(ask, QUERY),
        await send(ask, b"{"),
        await get(client, other.token, query="{ viewer { role } }"),
    ):
        assert "private" in response.headers["cache-control"]
        assert {"Accept", "Cookie"} <= {
            part.strip() for part in response.headers["vary"].split(",")
        }


async def test_a_write_that_a_rule_refuses_is_an_answer_like_any(ask: Asker) -> None:
    body = {"query": document("createGroup"), "variables": {"input": {"name": ""}}}
    response = await send(ask, body, Accept=GRAPHQL_JSON)
    assert response.status_code == 200
    assert "errors" not in response.json()
