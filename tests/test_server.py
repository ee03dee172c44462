"""The service as a whole: its health, its pages, signing in, and how it ends."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

import server
from models.database import fetch, transaction
from models.kinds import USERS
from models.ledger import utc_now
from models.organizations import create_organization
from models.sessions import create_sign_in_link
from models.tables import Role, UserStatus
from models.tokens import create_token
from models.upserts import upsert_entries
from models.viewer import Viewer
from runtime.auth import COOKIE
from tests.client import Client, asker, serving
from tests.databases import Databases, opened
from tests.factories import make_admin, make_user
from tests.refusals import unchanged

ROOT = Path(server.__file__).parent


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[Client]:
    async with serving(database_url) as client:
        yield client


@pytest.fixture
async def acme(client: Client) -> Viewer:
    return await create_organization("Acme")


async def test_graphql_is_found_where_a_path_stands_before_it(client: Client) -> None:
    for path in ("", "/cohort"):
        transport = httpx.ASGITransport(client.app, root_path=path)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
            response = await http.post(f"{path}/graphql", json={"query": "{ __typename }"})
            assert response.status_code == 401
            assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


# ----------------------------------------------------------------------------------------- health


async def test_it_lives_and_is_ready(client: Client) -> None:
    for path in ("/healthz", "/readyz"):
        response = await client.http.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_it_is_not_ready_while_migrations_are_pending(client: Client) -> None:
    async with transaction():
        await fetch("ALTER TABLE tortoise_migrations RENAME TO elsewhere")
    try:
        response = await client.http.get("/readyz")
        assert (await client.http.get("/healthz")).status_code == 200
    finally:
        async with transaction():
            await fetch("ALTER TABLE elsewhere RENAME TO tortoise_migrations")
    assert response.status_code == 503
    assert "migrate" in response.json()["status"]
    assert (await client.http.get("/readyz")).status_code == 200


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_it_is_not_ready_when_the_database_is_gone(databases: Databases) -> None:
    url = await databases.create(empty=True)
    async with serving(url) as client:
        await databases.drop(url)
        response = await client.http.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {"status": "the database does not answer"}
        assert (await client.http.get("/healthz")).status_code == 200


async def test_sqlite_gets_its_tables_at_the_start(databases: Databases) -> None:
    url = await databases.create(empty=True)
    async with serving(url) as client:
        status = (await client.http.get("/readyz")).status_code
    await databases.drop(url)
    # On PostgreSQL the operator migrates, since several servers may share the tables.
    assert status == (200 if url.startswith("sqlite") else 503)


# ---------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize(
    "path", ["/healthz", "/graphql", "/graphiql", "/sign-in", "/assets/none.js"]
)
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_every_response_has_the_security_headers(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "assets").mkdir()
    monkeypatch.setattr(server, "DIST", tmp_path)
    async with serving(database_url) as client:
        await check_headers(client, path)


async def check_headers(client: Client, path: str) -> None:
    headers = (await client.http.get(path)).headers
    policy = headers["content-security-policy"]
    if path == "/graphql":  # which is no page
        assert policy == "default-src 'none'; frame-ancestors 'none'"
    else:
        assert "default-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in headers
    assert "server" not in headers
    secure = await client.http.get(f"https://cohort.test{path}")
    assert secure.headers["strict-transport-security"].startswith("max-age=")


# ------------------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_the_pages_are_there_if_they_are_built(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DIST", tmp_path)
    async with serving(database_url) as client:
        missing = await client.http.get("/graphiql")
        assert missing.status_code == 404
        assert "npm run build" in missing.text
        missing = await client.http.get("/assets/main-1a2b.js")
        assert missing.status_code == 404
        assert "content-security-policy" in missing.headers
    (tmp_path / "graphiql.html").write_text("<title>GraphiQL</title>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-1a2b.js").write_text("go()")
    async with serving(database_url) as client:
        page = await client.http.get("/graphiql")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
        assert page.headers["content-type"].startswith("text/html")
        asset = await client.http.get("/assets/main-1a2b.js")
        assert "immutable" in asset.headers["cache-control"]
        assert (await client.http.get("/assets/../graphiql.html")).status_code != 500
        assert (await client.http.get("/assets/%2e%2e/graphiql.html")).status_code == 404


# --------------------------------------------------------------------------------------- signing in


async def link_of(acme: Viewer, user: str, lifetime: timedelta = timedelta(hours=1)) -> str:
    """The path of a sign-in link."""
    return f"/sign-in?secret={await create_sign_in_link(acme.organization_id, user, lifetime)}"


async def test_a_link_signs_in_and_leaves_its_secret_behind(client: Client, acme: Viewer) -> None:
    response = await client.http.get(await link_of(acme, await make_user(acme, "Ada")))
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=cohort_")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=1209600"} <= attributes
    assert "secure" not in attributes
    answer = await client.http.post("/graphql", json={"query": "{ viewer { user { name } } }"})
    assert answer.json()["data"]["viewer"]["user"] == {"name": "Ada"}


async def test_a_link_signs_in_once(client: Client, acme: Viewer) -> None:
    path = await link_of(acme, await make_user(acme))
    statuses = [response.status_code for response in await asyncio.gather(
        *(client.http.get(path) for _ in range(4))
    )]  # fmt: skip
    assert sorted(statuses) == [303, 403, 403, 403]
    refused = await client.http.get(path)
    assert refused.status_code == 403
    assert "sign-in-link" in refused.text
    assert "set-cookie" not in refused.headers


async def test_a_link_that_is_not_good_signs_nobody_in(client: Client, acme: Viewer) -> None:
    ada = await make_user(acme, "Ada", email="ada@acme.example")
    idle = await make_user(acme, status=UserStatus.DEACTIVATED)
    paths = [
        "/sign-in",
        "/sign-in?secret=",
        "/sign-in?secret=wrong",
        "/sign-in?secret=%00%ff",
        await link_of(acme, ada, timedelta(seconds=-1)),
        await link_of(acme, idle),
    ]
    for path in paths:
        response = await client.http.get(path)
        assert (response.status_code, response.headers.get("set-cookie")) == (403, None), path


async def test_a_link_signs_nobody_in_as_a_part_of_a_page(client: Client, acme: Viewer) -> None:
    path = await link_of(acme, await make_user(acme))
    async with unchanged(acme):
        parts = [{"Sec-Fetch-Dest": part} for part in ("image", "iframe", "script", "empty")]
        for headers in (*parts, {"Accept": "image/avif,image/webp,image/*,*/*;q=0.8"}):
            refused = await client.http.get(path, headers=headers)
            assert (refused.status_code, refused.headers.get("set-cookie")) == (403, None)
            assert "has not been used up" in refused.text
    opened = await client.http.get(path, headers={"Sec-Fetch-Dest": "document"})
    assert opened.status_code == 303


async def test_a_browser_is_told_by_a_page_and_any_other_client_by_text(client: Client) -> None:
    path = "/sign-in?secret=wrong"
    text = await client.http.get(path)
    page = await client.http.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (text.status_code, page.status_code) == (403, 403)
    assert text.headers["content-type"].startswith("text/plain")
    assert page.headers["content-type"].startswith("text/html")
    assert text.headers["vary"] == page.headers["vary"] == "Accept"
    for line in text.text.splitlines():
        assert line in page.text
    assert 'href="/"' in page.text
    assert "<script" not in page.text


async def test_a_session_ends_with_its_person(client: Client, acme: Viewer) -> None:
    await make_admin(acme, "Grace")
    ada = {"name": "Ada", "email": "ada@acme.example"}
    id = (await upsert_entries(acme, USERS, [ada])).changed[0]
    await client.http.get(await link_of(acme, id))
    body = {"query": "{ viewer { role } }"}
    assert (await client.http.post("/graphql", json=body)).status_code == 200
    await upsert_entries(acme, USERS, [{**ada, "status": UserStatus.DEACTIVATED}])
    assert (await client.http.post("/graphql", json=body)).status_code == 401


async def test_signing_in_is_a_change_that_can_be_told(client: Client, acme: Viewer) -> None:
    await client.http.get(await link_of(acme, await make_user(acme, "Ada")))
    ask = await asker(client, acme)
    found = await ask(
        "{ changes(first: 2) { nodes { summary action } } tokens { nodes { name expiresAt } } }"
    )
    assert found["changes"]["nodes"][1] == {"summary": "Ada signed in", "action": "TOKEN_CREATED"}
    expires = found["tokens"]["nodes"][1]["expiresAt"]
    assert expires > (utc_now() + timedelta(days=13)).isoformat()


# ------------------------------------------------------------------------------------------ ending


async def said(process: asyncio.subprocess.Process, pattern: str) -> re.Match[str]:
    """The first line of the process's log that matches."""
    assert process.stderr is not None
    async for line in process.stderr:
        if match := re.search(pattern, line.decode()):
            return match
    raise AssertionError(f"it ended without saying {pattern}")


async def test_a_request_in_flight_is_finished_at_the_end(database_url: str) -> None:
    async with opened(database_url):
        _, token = await create_token(await create_organization("Acme"), "Slow", Role.ADMIN)
    body = b'{"query": "{ organization { name } }"}'
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: cohort\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--factory", "server:app_from_environment"),
        *("--port", "0", "--no-access-log"),
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "COHORT_LOG_LEVEL": "INFO"},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        port = int((await said(process, r"running on http://127\.0\.0\.1:(\d+)"))[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body[:10])
        await writer.drain()
        async with httpx.AsyncClient() as other:  # so that the first request has been taken up
            assert (await other.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
        process.terminate()
        await said(process, "Shutting down")
        writer.write(body[10:])
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'{"name":"Acme"}' in answer
        await said(process, "Application shutdown complete")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
