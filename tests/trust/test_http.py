"""GraphQL over HTTP: media types, methods, bodies, and the status of each class of error."""

import gzip
from typing import Any

import orjson
import pytest

from models.tables import Role
from models.viewer import Viewer
from tests.client import JSON, Asker, Client, asker
from tests.factories import make_group
from tests.refusals import unchanged

GRAPHQL_JSON = "application/graphql-response+json"
QUERY = "{ organization { name } }"
CREATE = 'mutation { createGroup(input: {name: "New"}) { group { id } } }'

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


def code(response: Any) -> str:
    """The code of the one error in a response."""
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


# -------------------------------------------------------------------------------- what is accepted


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("APPLICATION/JSON ; charset=utf-8", JSON),
        (f"{JSON}; charset=utf-8", JSON),
        (f'{JSON};charset="UTF-8"', JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.9, {JSON};q=0.8", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON};q=0.9", JSON),
        (f"{GRAPHQL_JSON};q=0, {JSON}", JSON),
        (f"{GRAPHQL_JSON};q=0, */*", JSON),
        (f"{GRAPHQL_JSON};q=0.5, */*;q=0.1", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};charset=iso-8859-1, {JSON};q=0.1", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        (f"*/*, {JSON};q=0", GRAPHQL_JSON),
        (f"application/*, {JSON};q=0.1", GRAPHQL_JSON),
        (f"*/*;q=0.5, {JSON};q=0.5", JSON),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),  # Java's, before 20
        (f"{GRAPHQL_JSON};q=.25, {JSON};q=.2", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.33333, {JSON};q=0.33334", JSON),
    ],
)
async def test_the_answer_is_of_the_type_that_is_liked_most(
    client: Client, ask: Asker, accept: str | None, expected: str
) -> None:
    headers = {"Accept": accept} if accept is not None else {}
    client.http.headers.pop("accept", None)
    response = await client.post(QUERY, None, ask.token, **headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    assert response.json()["data"] == {"organization": {"name": "Acme"}}


@SQLITE_ONLY
@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/*",
        "nonsense",
        f"{JSON};q=0",
        f"{JSON};q=.0",
        f"{JSON};q=.",
        f"{JSON};q=",
        f"{JSON};charset=utf-16",
        f"{JSON};q=2",
        f"{JSON};q=nan",
        f"{JSON};q=much",
    ],
)
async def test_an_answer_that_nobody_would_take_is_406(
    client: Client, ask: Asker, accept: str
) -> None:
    response = await client.post(QUERY, token=ask.token, Accept=accept)
    assert response.status_code == 406
    assert code(response) == "BAD_REQUEST"


@SQLITE_ONLY
async def test_lines_of_one_name_are_one_list(client: Client, ask: Asker) -> None:
    def headers(*accept: str) -> list[tuple[str, str]]:
        given = [("Accept", each) for each in accept]
        return [("Authorization", f"Bearer {ask.token}"), *given]

    client.http.headers.pop("accept", None)
    for accept, expected in (
        (("text/html", JSON), JSON),
        ((JSON, "text/html"), JSON),
        ((f"{JSON};q=0.5", GRAPHQL_JSON), GRAPHQL_JSON),
    ):
        sent = headers(*accept)
        response = await client.http.post("/graphql", json={"query": QUERY}, headers=sent)
        assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    two = [("Authorization", f"Bearer {ask.token}"), *headers(JSON)]
    response = await client.http.post("/graphql", json={"query": QUERY}, headers=two)
    assert response.status_code == 401  # which of them is meant, nobody can tell


@SQLITE_ONLY
async def test_who_names_the_answer_it_has_is_told_that_it_has_it(
    client: Client, ask: Asker
) -> None:
    async def get(*if_none_match: str, accept: str = JSON) -> Any:
        headers = [("Authorization", f"Bearer {ask.token}"), ("Accept", accept)]
        headers += [("If-None-Match", each) for each in if_none_match]
        return await client.http.get("/graphql", params={"query": QUERY}, headers=headers)

    client.http.headers.pop("accept", None)
    tag = (await get()).headers["etag"]
    for known in ((tag,), (f"W/{tag}",), ("*",), (f'"x", {tag}',), ('"x"', tag)):
        assert (await get(*known)).status_code == 304
    for unknown in (('"x"',), (f"x{tag}",), (tag.strip('"'),), (f'"x{tag[1:]}',)):
        assert (await get(*unknown)).status_code == 200
    assert (await get(tag, accept=GRAPHQL_JSON)).status_code == 200  # another representation


# ------------------------------------------------------------------------------------- methods


@SQLITE_ONLY
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY"])
async def test_another_method_than_get_and_post_is_405(client: Client, method: str) -> None:
    response = await client.http.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    if method != "HEAD":
        assert code(response) == "BAD_REQUEST"


@SQLITE_ONLY
async def test_a_get_asks_in_its_address(client: Client, ask: Asker) -> None:
    params = {
        "query": "query One { __typename } query Two($id: ID!) { group(id: $id) { id } }",
        "operationName": "Two",
        "variables": '{"id": "grp_0"}',
        "extensions": "",
    }
    headers = {"Authorization": f"Bearer {ask.token}"}
    response = await client.http.get("/graphql", params=params, headers=headers)
    assert response.status_code == 200
    assert response.json()["data"] == {"group": None}


async def test_a_get_never_writes(client: Client, ask: Asker) -> None:
    headers = {"Authorization": f"Bearer {ask.token}"}
    async with unchanged(ask.viewer):
        response = await client.http.get("/graphql", params={"query": CREATE}, headers=headers)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert code(response) == "BAD_REQUEST"


@SQLITE_ONLY
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"query": ""},
        {"variables": "{}"},
        *({"query": QUERY, "variables": variables} for variables in ("{", "[1]", "7", '"x"')),
    ],
    ids=str,
)
async def test_a_get_that_is_no_request_is_400(
    client: Client, ask: Asker, params: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {ask.token}"}
    response = await client.http.get("/graphql", params=params, headers=headers)
    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"


@SQLITE_ONLY
async def test_no_answer_is_kept_by_anybody_in_between(client: Client, ask: Asker) -> None:
    headers = {"Authorization": f"Bearer {ask.token}"}
    for response in (
        await client.post(QUERY, token=ask.token),
        await client.post("{", token=ask.token),
        await client.http.get("/graphql", params={"query": QUERY}, headers=headers),
    ):
        assert "private" in response.headers["cache-control"]
        vary = {part.strip() for part in response.headers["vary"].split(",")}
        assert {"Accept", "Cookie"} <= vary


# --------------------------------------------------------------------------------------- bodies


async def post(client: Client, ask: Asker, body: bytes, **headers: str) -> Any:
    """The response to a body as it is, which says that it is JSON unless told otherwise."""
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {ask.token}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return await client.http.post("/graphql", content=body, headers=headers)


@SQLITE_ONLY
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/graphql", f"{JSON}; charset=latin-1", f"{JSON}x", f"{JSON}; a=b; charset=utf-16"],
)  # fmt: skip
async def test_a_body_of_another_type_is_415(client: Client, ask: Asker, content_type: str) -> None:
    async with unchanged(ask.viewer):
        body = b'{"query": "mutation { createGroup(input: {name: \\"x\\"}) { revision } }"}'
        response = await post(client, ask, body, Content_Type=content_type)
    assert response.status_code == 415
    assert code(response) == "BAD_REQUEST"


@SQLITE_ONLY
async def test_a_compressed_body_is_415(client: Client, ask: Asker) -> None:
    body = gzip.compress(b'{"query": "{ __typename }"}')
    refused = await post(client, ask, body, Content_Encoding="gzip")
    assert refused.status_code == 415
    assert refused.headers["accept-encoding"] == "identity"  # RFC 9110, section 12.5.3
    for none in ("identity", ""):
        plain = await post(client, ask, gzip.decompress(body), Content_Encoding=none)
        assert plain.status_code == 200


@SQLITE_ONLY
@pytest.mark.parametrize(
    "content_type",
    [JSON, JSON.upper(), f"{JSON};charset=utf8", f'{JSON}; charset="UTF-8"', f"{JSON}; a=b"],
)
async def test_a_body_in_utf_8_is_taken(client: Client, ask: Asker, content_type: str) -> None:
    response = await post(client, ask, b'{"query": "{ __typename }"}', Content_Type=content_type)
    assert response.json()["data"] == {"__typename": "Query"}


MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"NONSENSE",
    "half of it": b'{"query":',
    "not UTF-8": b'{"query": "{ __typename }", "x": "\xff"}',
    "a byte order mark": b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "a lone surrogate in the query": b'{"query": "{ __typename } # \\ud800"}',
    "a lone surrogate": b'{"query": "{ group(id: \\"\\ud800\\") { id } }", "x": "\\ud800"}',
    "another number": b'{"query": "{ __typename }", "x": NaN}',
    "a batch": b'[{"query": "{ __typename }"}]',
    "an empty batch": b"[]",
    "a text": b'"{ __typename }"',
    "null": b"null",
    "no query": b"{}",
    "a misspelt query": b'{"qeury": "{ __typename }"}',
    "a query of null": b'{"query": null}',
    "a query of nothing": b'{"query": ""}',
    "a query that is a number": b'{"query": 1}',
    "a query that is an object": b'{"query": {"x": 1}}',
    "a query without a document": b'{"query": " "}',
    "variables in a list": b'{"query": "{ __typename }", "variables": [7]}',
    "variables in a text": b'{"query": "{ __typename }", "variables": "{}"}',
    "an operation's name that is a number": b'{"query": "{ __typename }", "operationName": 0}',
    "extensions that are a number": b'{"query": "{ __typename }", "extensions": 1}',
    "extensions in a list": b'{"query": "{ __typename }", "extensions": []}',
    "a thousand levels": b'{"query": "{ __typename }", "variables": {"x": '
    + b"[" * 1_100 + b"]" * 1_100 + b"}}",
    "a hundred thousand levels": b"[" * 100_000,
}  # fmt: skip


@SQLITE_ONLY
@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_body_that_is_no_request_is_400(
    client: Client, ask: Asker, body: bytes, accept: str
) -> None:
    response = await post(client, ask, body, Accept=accept)
    assert response.status_code == 400
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert code(response) == "BAD_REQUEST"


@SQLITE_ONLY
async def test_what_is_null_is_left_out_and_what_else_is_sent_does_not_matter(
    client: Client, ask: Asker
) -> None:
    body = b'{"query": "{ __typename }", "variables": null, "operationName": null, "id": 1}'
    assert (await post(client, ask, body)).json()["data"] == {"__typename": "Query"}
    body = b'{"query": "{ __typename }", "extensions": {}}'
    assert (await post(client, ask, body)).json()["data"] == {"__typename": "Query"}


@SQLITE_ONLY
async def test_one_of_several_operations_is_named(client: Client, ask: Asker) -> None:
    query = "query A { __typename } query B { organization { name } }"

    async def named(name: str | None) -> Any:
        body = orjson.dumps({"query": query, "operationName": name})
        return await post(client, ask, body, Accept=GRAPHQL_JSON)

    assert (await named("B")).json()["data"] == {"organization": {"name": "Acme"}}
    for unclear in ("C", None):
        response = await named(unclear)
        assert response.status_code == 400
        assert code(response) == "BAD_REQUEST"


# --------------------------------------------------------------------------------------- status

REQUEST_ERRORS = {
    "no GraphQL": "{",
    "an unknown field": "{ nothing }",
    "no operation": "fragment A on Query { __typename }",
    "two operations": "query A { __typename } query B { __typename }",
    "a variable of the wrong type": "query($id: ID!) { group(id: $id) { id } }",
    "too much": "{ groups(first: 101) { totalCount } }",
}


@SQLITE_ONLY
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 400)])
@pytest.mark.parametrize("query", REQUEST_ERRORS.values(), ids=REQUEST_ERRORS)
async def test_what_graphql_refuses_is_400_or_200_to_older_clients(
    client: Client, ask: Asker, query: str, accept: str, status: int
) -> None:
    response = await client.post(query, {"id": []}, ask.token, Accept=accept)
    assert response.status_code == status
    assert response.json().keys() == {"errors"}


@SQLITE_ONLY
async def test_a_write_that_a_rule_refuses_is_an_answer_like_any(
    client: Client, ask: Asker
) -> None:
    query = 'mutation { createGroup(input: {name: ""}) { userErrors { code } } }'
    response = await client.post(query, token=ask.token, Accept=GRAPHQL_JSON)
    assert response.status_code == 200
    assert response.json()["data"] == {"createGroup": {"userErrors": [{"code": "BLANK"}]}}
    assert "errors" not in response.json()


@SQLITE_ONLY
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 294)])
async def test_data_with_errors_is_a_partial_success_or_200_to_older_clients(
    client: Client, acme: Viewer, accept: str, status: int
) -> None:
    auditor = await asker(client, acme, Role.AUDITOR)
    async with unchanged(acme):
        response = await client.post(CREATE, token=auditor.token, Accept=accept)
    assert response.status_code == status
    assert response.json()["data"] is None
    assert code(response) == "FORBIDDEN"


@SQLITE_ONLY
@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_a_stranger_is_401(client: Client, acme: Viewer, accept: str) -> None:
    await make_group(acme)
    for token in (None, "", "cohort_wrong", "x" * 10_000):
        response = await client.post(QUERY, token=token, Accept=accept)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert code(response) == "UNAUTHENTICATED"


@SQLITE_ONLY
@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Basic YTpi", "wrong", "Bearer \xff"]
)
async def test_an_authorization_that_is_none_is_401(client: Client, authorization: str) -> None:
    headers = {b"Authorization": authorization.encode("latin-1")}
    response = await client.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert response.status_code == 401
    assert code(response) == "UNAUTHENTICATED"


@SQLITE_ONLY
async def test_the_name_of_the_scheme_has_no_case(client: Client, ask: Asker) -> None:
    headers = {"Authorization": f"bEARER  {ask.token}"}
    response = await client.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert response.status_code == 200


@SQLITE_ONLY
async def test_a_stranger_learns_nothing_of_the_schema(client: Client, acme: Viewer) -> None:
    for query in ("{ nothing }", "{ __schema { types { name } } }", "{"):
        response = await client.post(query)
        assert response.status_code == 401
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == [
            "UNAUTHENTICATED"
        ]
