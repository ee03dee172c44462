"""Pages of other origins, plain connections, and those who try to sign in again and again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from models import sessions
from models.errors import Forbidden, Unavailable
from models.organizations import create_organization
from models.sessions import create_sign_in_link
from models.viewer import Viewer
from runtime.auth import COOKIE
from tests.access.service import listening
from tests.client import JSON, Asker, Client, asker, serving
from tests.factories import count_statements, make_admin
from tests.refusals import unchanged

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

THEIRS = "https://elsewhere.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
ALLOWED = "access-control-allow-origin"


async def preflight(client: Client, origin: str) -> httpx.Response:
    """The answer to the question that a browser puts before it lets a page ask."""
    return await client.http.options("/graphql", headers={"Origin": origin, **PREFLIGHT})


# -------------------------------------------------------------------------------------------- CORS


async def test_no_page_of_another_origin_may_ask(client: Client, ask: Asker) -> None:
    response = await preflight(client, THEIRS)
    assert response.status_code == 405
    assert ALLOWED not in response.headers
    response = await client.post("{ __typename }", None, ask.token, Origin=THEIRS)
    assert ALLOWED not in response.headers


@pytest.fixture
async def open_client(database_url: str) -> AsyncIterator[Client]:
    """A client of a service that is open to two origins."""
    origins = f"{THEIRS}/, https://other.example"
    async with serving(database_url, cors_origins=origins) as client:
        yield client


@pytest.mark.parametrize("origin", [THEIRS, "https://other.example"])
async def test_pages_of_an_origin_that_is_let_in_may_ask_with_a_token(
    open_client: Client, origin: str
) -> None:
    ask = await asker(open_client, await create_organization("Acme"))
    response = await preflight(open_client, origin)
    assert response.status_code == 200
    assert response.headers[ALLOWED] == origin
    response = await open_client.post("{ __typename }", None, ask.token, Origin=origin)
    assert response.json()["data"] == {"__typename": "Query"}
    assert response.headers[ALLOWED] == origin
    assert "Retry-After" in response.headers["access-control-expose-headers"]
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("authorization,if-none-match", 200),
        ("authorization,content-type,traceparent,tracestate,x-request-id", 200),
        ("apollographql-client-name,apollographql-client-version,authorization", 200),
        ("apollo-require-preflight,authorization,graphql-require-preflight", 200),
        ("authorization,x-other", 400),
    ],
)
async def test_pages_of_an_origin_that_is_let_in_may_send_what_is_read_or_common(
    open_client: Client, names: str, expected: int
) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": names}
    response = await open_client.http.options("/graphql", headers={"Origin": THEIRS, **asked})
    assert response.status_code == expected


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://elsewhere.example", f"{THEIRS}.evil.example", "null"]
)
async def test_pages_of_other_origins_still_may_not(open_client: Client, origin: str) -> None:
    response = await preflight(open_client, origin)
    assert response.status_code == 400
    assert ALLOWED not in response.headers


@pytest.mark.parametrize("origins", ["", THEIRS, "*"])
async def test_a_cookie_is_never_good_for_pages_of_another_origin(
    database_url: str, origins: str
) -> None:
    async with serving(database_url, cors_origins=origins) as client:
        acme = await create_organization("Acme")
        link = await create_sign_in_link(acme.organization_id, await make_admin(acme))
        signed_in = await client.http.get("/sign-in", params={"secret": link})
        cookie = {"Cookie": f"{COOKIE}={signed_in.cookies[COOKIE]}"}
        client.http.cookies.clear()
        own = await client.post("{ __typename }", None, None, **cookie)
        assert own.status_code == 200
        async with unchanged(acme):
            no_scheme = {"Origin": f"://{client.http.base_url.netloc.decode()}"}
            for headers in ({"Origin": THEIRS}, {"Sec-Fetch-Site": "cross-site"}, no_scheme):
                query = 'mutation { createGroup(input: {name: "New"}) { revision } }'
                theirs = await client.post(query, None, None, **cookie, **headers)
                assert theirs.status_code == 401
                assert "access-control-allow-credentials" not in theirs.headers
                gone = await client.http.delete("/session", headers={**cookie, **headers})
                assert gone.status_code == 403


# --------------------------------------------------------------------------------------------- TLS


async def test_browsers_are_told_to_keep_to_tls_where_there_is_tls(client: Client) -> None:
    for scheme, told in (("http", None), ("https", "max-age=31536000")):
        response = await client.http.get(f"{scheme}://cohort.test/healthz")
        assert response.headers.get("strict-transport-security") == told
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_session_over_tls_never_leaves_it(client: Client, scheme: str) -> None:
    acme = await create_organization("Acme")
    link = await create_sign_in_link(acme.organization_id, await make_admin(acme))
    address = f"{scheme}://cohort.test/sign-in"
    cookie = (await client.http.get(address, params={"secret": link})).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ("Secure" in cookie) == (scheme == "https")


# ------------------------------------------------------------------------------------- signing in


async def paste(client: Client, token: str, **headers: str) -> httpx.Response:
    """Sign in by a token."""
    return await client.http.post("/session", json={"token": token}, headers=headers)


async def follow(client: Client, secret: str) -> httpx.Response:
    """Sign in by a link."""
    return await client.http.get("/sign-in", params={"secret": secret})


def assert_later(response: httpx.Response, setting: str = "COHORT_SIGN_INS_PER_MINUTE") -> None:
    """Assert that an attempt was not even looked at, and that it is told when to come again."""
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert setting in response.text
    assert "set-cookie" not in response.headers


async def test_an_address_may_fail_so_often_to_sign_in(client: Client, ask: Asker) -> None:
    acme = ask.viewer
    link = await create_sign_in_link(acme.organization_id, await make_admin(acme))
    for number in range(5):
        assert (await paste(client, f"wrong {number}")).status_code == 401
        assert (await follow(client, f"wrong {number}")).status_code == 403
    async with unchanged(acme):
        assert_later(await paste(client, ask.token))
        assert_later(await follow(client, link))
    refused = await paste(client, ask.token)
    assert refused.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
    await ask("{ __typename }")  # who is signed in already, is


async def test_many_good_links_of_one_address_at_once_are_no_failures(
    client: Client, ask: Asker
) -> None:
    acme = ask.viewer
    admin = await make_admin(acme)
    links = [await create_sign_in_link(acme.organization_id, admin) for _ in range(30)]
    followed = await asyncio.gather(*(follow(client, link) for link in links))
    assert [response.status_code for response in followed] == [303] * 30
    client.http.cookies.clear()


async def test_none_of_many_failures_at_once_is_one_too_many(client: Client, ask: Asker) -> None:
    with count_statements() as statements:
        tried = await asyncio.gather(*(follow(client, f"wrong {number}") for number in range(30)))
    assert Counter(response.status_code for response in tried) == {403: 10, 429: 20}
    assert sum("sign_in_links" in sql for sql in statements) == 10  # the others are not looked at


async def test_an_outage_is_no_failure_of_those_who_sign_in(
    client: Client, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = ask.viewer
    link = await create_sign_in_link(acme.organization_id, await make_admin(acme))

    async def be_away(link: str, lifetime: timedelta) -> str:
        raise Unavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "sign_in", be_away)
        for _ in range(15):
            assert (await follow(client, link)).status_code == 503
    assert (await follow(client, link)).status_code == 303
    client.http.cookies.clear()


async def test_a_role_that_is_taken_away_meanwhile_is_told_as_on_any_page(
    client: Client, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def be_too_late(viewer: Viewer, lifetime: timedelta) -> str:
        raise Forbidden("Your role was changed in the meantime; reload to see what you may do.")

    monkeypatch.setattr(sessions, "exchange", be_too_late)
    response = await paste(client, ask.token)
    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}


async def test_a_token_that_does_not_arrive_is_no_attempt(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(database_url, request_seconds=0.9, sign_ins_per_minute=2) as service:
        token = (await asker(service.client, await create_organization("Acme"))).token
        host, port = urlsplit(service.http).hostname, urlsplit(service.http).port
        begun = b"POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
        for _ in range(3):  # of those who hang up
            _, writer = await asyncio.open_connection(host, port)
            writer.write(begun)
            await writer.drain()
            writer.close()
        going_on = [await asyncio.open_connection(host, port) for _ in range(3)]
        for _, writer in going_on:
            writer.write(begun)
        for reader, writer in going_on:
            async with asyncio.timeout(10):
                assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()
        async with httpx.AsyncClient() as http:
            address = service.http.replace("/graphql", "/session")
            signed_in = await http.post(address, json={"token": token})
        assert signed_in.status_code == 204
    assert not [record for record in caplog.records if record.exc_info]


async def test_looking_at_a_link_does_not_use_it_up(client: Client, ask: Asker) -> None:
    link = await create_sign_in_link(ask.viewer.organization_id, await make_admin(ask.viewer))
    async with unchanged(ask.viewer):
        looked = await client.http.head("/sign-in", params={"secret": link})
    assert looked.status_code == 200
    assert "set-cookie" not in looked.headers
    assert (await follow(client, link)).status_code == 303
    client.http.cookies.clear()


async def test_signing_in_is_no_failure_where_it_succeeds(client: Client, ask: Asker) -> None:
    for _ in range(15):
        assert (await paste(client, ask.token)).status_code == 204
    client.http.cookies.clear()


async def test_an_address_may_sign_in_so_often(database_url: str) -> None:
    setting = "COHORT_SESSIONS_PER_MINUTE"
    async with serving(database_url, sessions_per_minute=3) as client:
        acme = await create_organization("Acme")
        ask, admin = await asker(client, acme), await make_admin(acme)
        first, second = [await create_sign_in_link(acme.organization_id, admin) for _ in range(2)]
        for number in range(4):  # what fails is none
            assert (await paste(client, f"wrong {number}")).status_code == 401
            assert (await follow(client, f"wrong {number}")).status_code == 403
        together = await asyncio.gather(*(paste(client, ask.token) for _ in range(2)))
        assert [response.status_code for response in together] == [204, 204]
        assert (await follow(client, first)).status_code == 303
        async with unchanged(acme):
            refused = await paste(client, ask.token)
            assert_later(refused, setting)
            assert_later(await follow(client, second), setting)
        assert refused.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
        client.http.cookies.clear()
        await ask("{ __typename }")  # who is signed in already, is


async def test_another_address_may_still_sign_in(database_url: str) -> None:
    async with serving(database_url, sign_ins_per_minute=1) as client:
        ask = await asker(client, await create_organization("Acme"))
        assert (await paste(client, "wrong")).status_code == 401
        assert_later(await paste(client, ask.token))
        transport = httpx.ASGITransport(client.app, client=("192.0.2.7", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://cohort.test") as http:
            response = await http.post("/session", json={"token": ask.token})
        assert response.status_code == 204


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{}", b'{"token": 1}', b'{"token": ""}', b"x" * 10_000]
)
async def test_nonsense_is_no_token(client: Client, ask: Asker, body: Any) -> None:
    async with unchanged(ask.viewer):
        headers = {"Content-Type": JSON}
        response = await client.http.post("/session", content=body, headers=headers)
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
