"""The service with tokens of an issuer beside its own: over requests, sockets and event streams."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from models import ledger
from models.database import fetch, snapshot, watch_statements
from models.errors import Unauthenticated
from models.kinds import USERS
from models.organizations import create_organization, find_organization
from models.tables import UserStatus
from models.upserts import upsert_entries
from models.viewer import Viewer
from runtime import issuer_keys
from runtime.auth import COOKIE
from runtime.revisions import Revisions
from schema import executor, subscription
from tests.access.service import PATIENCE, Service, line, listening, stream
from tests.client import Asker, Client, asker, serving
from tests.clock import put_on
from tests.factories import count_statements, make_admin, make_bot, make_user
from tests.refusals import unchanged
from tests.runtime.issuing import KeyServer, signer
from tests.schema.writing import write

EMAIL = "ada@acme.example"
WHO = "{ viewer { role user { id name } organization { name } } }"
CREATE = 'mutation { createGroup(input: {name: "Sales"}) { revision userErrors { code } } }'
CREATE_AND_LOOK = """mutation { createGroup(input: {name: "Sales"}) {
    group { availableUsers { nodes { name } } } } }"""
NOBODY = "This token does not belong to anybody who may use this service."


@pytest.fixture
async def client(database_url: str, key_server: KeyServer) -> AsyncIterator[Client]:
    async with serving(database_url, **key_server.settings()) as client:
        yield client


@pytest.fixture
async def ada(acme: Viewer) -> str:
    await make_admin(acme, "Grace")  # one must be left when Ada goes
    return await make_admin(acme, "Ada", email=EMAIL)


async def refusal(client: Client, token: str, query: str = WHO) -> str:
    """The sentence with which a request is refused."""
    response = await client.post(query, None, token)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert token not in response.text
    return str(error["message"])


def some_minutes_later(client: Client) -> None:
    """Let the issuer's keys be old, and a fetch be possible."""
    issuer = Service("", client).runner.authenticator.issuer
    assert issuer
    issuer.keys._fetched_at -= issuer_keys.FRESH_SECONDS
    issuer.keys._next_fetch = 0


# -------------------------------------------------------------------------------------- requests


async def test_a_token_of_the_issuer_says_who_is_asking(
    client: Client, key_server: KeyServer, ada: str
) -> None:
    answer = await client.ask(WHO, None, key_server.token())
    assert answer["data"]["viewer"] == {
        "role": "ADMIN",
        "user": {"id": ada, "name": "Ada"},
        "organization": {"name": "Acme"},
    }


async def test_what_is_done_with_it_the_user_has_done(
    client: Client, key_server: KeyServer, ada: str
) -> None:
    created = await client.ask(CREATE, None, key_server.token())
    assert created["data"]["createGroup"]["userErrors"] == []
    rows = await fetch(
        "SELECT actor_kind, actor_name, actor_user_id FROM changes ORDER BY revision DESC LIMIT 1"
    )
    assert tuple(rows[0]) == ("USER", "Ada", ada)


@pytest.mark.usefixtures("ada")
async def test_a_token_that_is_not_good_changes_nothing(
    client: Client, acme: Viewer, key_server: KeyServer
) -> None:
    good = key_server.token()
    past = int(time.time()) - 600
    refused = {
        f"{good[:-40]}{'A' * 40}": "The signature of this token is invalid.",
        key_server.token(iat=past, exp=past + 300): "This token has expired.",
        key_server.token(aud="other"): "This token is for another service.",
        key_server.token(email="grace@acme.example"): NOBODY,
        key_server.token(organization="Other"): NOBODY,
        "a.b.c": "This token cannot be read.",
    }
    async with unchanged(acme):
        for token, sentence in refused.items():
            assert await refusal(client, token, CREATE) == sentence
        assert await refusal(client, "cohort_none", CREATE) != NOBODY


async def test_without_an_issuer_its_tokens_are_like_any_that_is_unknown(
    database_url: str, key_server: KeyServer
) -> None:
    async with serving(database_url) as client:
        await make_admin(await create_organization("Acme"), "Ada", email=EMAIL)
        expected = await refusal(client, "cohort_unknown")
        assert await refusal(client, key_server.token()) == expected
    assert not key_server.asked


async def test_our_own_tokens_are_good_beside_it(
    client: Client, acme: Viewer, key_server: KeyServer
) -> None:
    ask = await asker(client, acme)
    key_server.fail()
    assert (await ask(WHO))["viewer"]["role"] == "ADMIN"


async def test_no_connection_is_held_while_keys_are_fetched(
    client: Client, key_server: KeyServer, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys grow old just when a payload, which was overtaken, is read in a snapshot."""
    issuer = Service("", client).runner.authenticator.issuer
    assert issuer
    fetching, hangs = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        fetching.set()
        await hangs.wait()

    @asynccontextmanager
    async def snapshot_with_old_keys() -> AsyncIterator[None]:
        async with snapshot():
            some_minutes_later(client)
            monkeypatch.setattr(issuer.keys, "_fetch", hang)
            yield

    async def be_overtaken(revisions: Revisions, organization_id: str) -> int:
        return -1

    monkeypatch.setattr(executor, "snapshot", snapshot_with_old_keys)
    monkeypatch.setattr(Revisions, "read", be_overtaken)
    async with asyncio.timeout(PATIENCE):
        answer = await client.ask(CREATE_AND_LOOK, None, key_server.token())
        assert {"name": "Ada"} in answer["data"]["createGroup"]["group"]["availableUsers"]["nodes"]
        await fetching.wait()


# ------------------------------------------------------------------------------ good, good no more


async def test_one_who_is_deactivated_is_out_at_once(
    client: Client, acme: Viewer, ask: Asker, key_server: KeyServer, ada: str
) -> None:
    token = key_server.token()
    assert (await client.post(WHO, None, token)).status_code == 200
    users = [{"name": "Ada", "email": EMAIL, "status": "DEACTIVATED"}]
    await write(ask, "upsertUsers", users=users)
    async with unchanged(acme):
        assert await refusal(client, token, CREATE) == NOBODY
    await write(ask, "upsertUsers", users=[{**users[0], "status": "ACTIVE"}])
    assert (await client.post(WHO, None, token)).status_code == 200


async def test_a_role_that_is_taken_away_is_gone_at_once(
    client: Client, ask: Asker, key_server: KeyServer, ada: str
) -> None:
    token = key_server.token()
    assert (await client.ask(WHO, None, token))["data"]["viewer"]["role"] == "ADMIN"
    await write(ask, "upsertUsers", users=[{"name": "Ada", "email": EMAIL, "role": "MEMBER"}])
    assert (await client.ask(WHO, None, token))["data"]["viewer"]["role"] == "MEMBER"


@pytest.mark.usefixtures("ada")
async def test_one_who_was_recognised_is_known_without_another_look(
    client: Client, key_server: KeyServer
) -> None:
    token = key_server.token()
    issuer = client.app.state.runner.authenticator.issuer
    await issuer.keys.find(
        "key-RS256", "RS256"
    )  # they come as the service begins; from now on they rest
    with count_statements() as first:
        await client.ask(WHO, None, token)
    with count_statements() as second:
        await client.ask(WHO, None, token)
    assert [sql for sql in first if "email_key" in sql]
    assert not [sql for sql in second if "email_key" in sql]
    assert key_server.fetches == 1


@pytest.mark.usefixtures("ada")
async def test_tokens_of_a_key_that_was_withdrawn_are_out_though_they_were_known(
    client: Client, key_server: KeyServer
) -> None:
    old, other = key_server.token(), key_server.token(sub="another")
    for token in (old, other):
        assert (await client.post(WHO, None, token)).status_code == 200
    new = signer("ES256")
    key_server.keys = [new.jwk()]
    assert (await client.post(WHO, None, old)).status_code == 200  # for some minutes
    some_minutes_later(client)
    for token in (old, other):
        assert "a key that is not its issuer's" in await refusal(client, token)
    assert (await client.post(WHO, None, key_server.token(new))).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_a_key_that_is_withdrawn_while_its_token_is_checked_is_good_no_more(
    client: Client, acme: Viewer, key_server: KeyServer
) -> None:
    authenticator = client.app.state.runner.authenticator
    token = key_server.token()
    await authenticator.viewer(token)
    await make_bot(acme)  # so that the viewer is remembered anew, at the new revision

    def withdraw(sql: str) -> None:
        authenticator.issuer.keys._replace([], {"keys": []})

    with watch_statements(withdraw):
        await authenticator.viewer(token)
    with pytest.raises(Unauthenticated, match="a key that is not its issuer's"):
        await authenticator.viewer(token)


@pytest.mark.usefixtures("ada")
async def test_an_issuer_that_is_down_keeps_nobody_out_who_has_a_token(
    client: Client, key_server: KeyServer
) -> None:
    known = key_server.token()
    assert (await client.post(WHO, None, known)).status_code == 200
    key_server.fail()
    some_minutes_later(client)
    for token in (known, key_server.token(sub="another")):
        assert (await client.post(WHO, None, token)).status_code == 200
    unknown = key_server.token(signer("ES256"))
    assert "a key that is not its issuer's" in await refusal(client, unknown)


async def test_the_service_starts_though_its_issuer_is_down(
    database_url: str, key_server: KeyServer
) -> None:
    key_server.may_answer.clear()
    async with serving(database_url, **key_server.settings()) as client:
        assert (await client.http.get("/readyz")).status_code == 200
        ask = await asker(client, await create_organization("Acme"))
        assert (await ask(WHO))["viewer"]["role"] == "ADMIN"


# ---------------------------------------------------------------------------- what goes by tokens


async def test_requests_are_counted_by_the_user(database_url: str, key_server: KeyServer) -> None:
    async with serving(database_url, requests_per_minute=2, **key_server.settings()) as client:
        acme = await create_organization("Acme")
        await make_admin(acme, "Ada", email=EMAIL)
        await make_admin(acme, "Grace", email="grace@acme.example")
        statuses = [
            (await client.post(WHO, None, key_server.token(jti=str(n)))).status_code
            for n in range(3)
        ]
        assert statuses == [200, 200, 429]
        graces = key_server.token(email="grace@acme.example")
        assert (await client.post(WHO, None, graces)).status_code == 200


async def test_there_is_no_last_use_to_note(database_url: str, key_server: KeyServer) -> None:
    with count_statements() as statements:
        async with serving(database_url, **key_server.settings()) as client:
            await make_admin(await create_organization("Acme"), "Ada", email=EMAIL)
            assert (await client.post(WHO, None, key_server.token())).status_code == 200
    assert not [sql for sql in statements if "UPDATE tokens" in sql]


async def test_a_browser_signs_in_with_it_for_as_long_as_it_is_good(
    client: Client, key_server: KeyServer, ada: str
) -> None:
    token = key_server.token(padding="x" * 8_000)
    response = await client.http.post("/session", json={"token": token})
    assert response.status_code == 204
    session = response.cookies[COOKIE]
    assert session.startswith("cohort_")
    assert (await client.ask(WHO, None, session))["data"]["viewer"]["user"]["id"] == ada
    [row] = await fetch("SELECT user_id, role, expires_at FROM tokens")
    assert (row["user_id"], row["role"]) == (ada, "ADMIN")
    assert row["expires_at"].timestamp() < time.time() + 331


@pytest.mark.usefixtures("ada")
async def test_signing_out_with_it_has_nothing_to_revoke(
    client: Client, acme: Viewer, key_server: KeyServer
) -> None:
    token = key_server.token()
    async with unchanged(acme):
        response = await client.http.delete("/session", headers={"Cookie": f"{COOKIE}={token}"})
    assert response.status_code == 204
    assert (await client.post(WHO, None, token)).status_code == 200


# ---------------------------------------------------------------------- sockets and event streams


@pytest.fixture
async def service(database_url: str, key_server: KeyServer) -> AsyncIterator[Service]:
    settings = key_server.settings(oidc_leeway_seconds=0)
    async with listening(database_url, **settings) as service:
        acme = await create_organization("Acme")
        await make_admin(acme, "Ada", email=EMAIL)
        yield service


async def acme_of(service: Service) -> Viewer:
    found = await find_organization("Acme")
    assert found
    return found


async def test_a_socket_takes_it_in_its_first_message_and_in_its_header(
    service: Service, key_server: KeyServer
) -> None:
    token = key_server.token()
    async with line(service, token) as socket:
        assert (await socket.ask(WHO))["viewer"]["user"]["name"] == "Ada"
    header = {"Authorization": f"Bearer {token}"}
    async with line(service, additional_headers=header) as socket:
        await socket.say("connection_init")
        assert await socket.hear() == {"type": "connection_ack"}
        assert (await socket.ask(WHO))["viewer"]["user"]["name"] == "Ada"


async def test_a_socket_ends_where_it_is_not_good(service: Service, key_server: KeyServer) -> None:
    forged = f"{key_server.token()[:-40]}{'A' * 40}"
    for token in (forged, key_server.token(aud="other"), key_server.token(email="x@y.z")):
        async with line(service) as socket:
            await socket.say("connection_init", payload={"Authorization": f"Bearer {token}"})
            assert await socket.close_code() == 4403


async def test_live_updates_end_when_it_expires(
    service: Service, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = int(time.time()) + 3600
    token = key_server.token(exp=end)
    async with line(service, token) as socket, stream(service, token) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        await make_user(await acme_of(service), "Grace")
        for listener in (socket, events):
            assert (await listener.change())["node"]["action"] == "USERS_UPSERTED"
        put_on(monkeypatch, datetime.fromtimestamp(end - 0.5, UTC))
        await make_bot(await acme_of(service))  # whoever is told of it sees how long is left
        while (message := await socket.hear())["type"] == "next":
            pass
        assert message["type"] == "error"
        while "errors" not in (told := await events.hear())[1]:
            pass
        event, body = told
        assert event == "next"
        for errors in (message["payload"], body["errors"]):
            assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]
        assert ledger.utc_now().timestamp() >= end
        await socket.subscribe("again", WHO)
        assert (await socket.hear())["type"] == "error"


async def test_live_updates_end_when_the_user_is_deactivated(
    service: Service, key_server: KeyServer
) -> None:
    token = key_server.token()
    async with line(service, token) as socket, stream(service, token) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        acme = await acme_of(service)
        await make_admin(acme, "Grace")
        for listener in (socket, events):
            await listener.change()
        users = [{"name": "Ada", "email": EMAIL, "status": UserStatus.DEACTIVATED}]
        await upsert_entries(acme, USERS, users)
        message = await socket.hear()
        assert (message["type"], message["payload"][0]["message"]) == ("error", NOBODY)
        _, body = await events.hear()
        assert body["errors"][0]["message"] == NOBODY


async def test_live_updates_end_when_the_key_is_withdrawn(
    service: Service, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = key_server.token()
    async with line(service, token) as socket, stream(service, token) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        acme = await acme_of(service)
        key_server.keys = [signer("ES256").jwk()]
        await make_bot(acme)
        for listener in (socket, events):  # for some minutes
            assert (await listener.change())["node"]["action"] == "BOTS_UPSERTED"
        some_minutes_later(service.client)
        monkeypatch.setattr(subscription, "VOUCHED", timedelta(0))
        await make_bot(acme, "Another")
        message = await socket.hear()
        assert message["type"] == "error"
        _, body = await events.hear()
        for errors in (message["payload"], body["errors"]):
            assert "a key that is not its issuer's" in errors[0]["message"]
