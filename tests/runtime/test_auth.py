"""Who is asking: bearer tokens, cookies of our own pages, and tokens that are good no more."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from models.database import fetch, snapshot, transaction, watch_statements
from models.ledger import current_revision, utc_now
from models.organizations import create_organization
from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from runtime import auth
from runtime.auth import COOKIE, Authenticator
from runtime.revisions import Revisions
from tests.client import Asker, Client, asker, serving
from tests.databases import opened
from tests.factories import make_admin, make_group, make_user
from tests.schema.writing import write

WHO = {"query": "{ viewer { role user { name } } }"}
HOST = "cohort.test"


async def status_with(client: Client, **headers: str) -> int:
    """The status of a question of who one is."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await client.http.post("/graphql", json=WHO, headers=named)).status_code


async def test_a_bearer_token_says_who_is_asking(ask: Asker) -> None:
    assert await status_with(ask.client, Authorization=f"Bearer {ask.token}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": f"http://{HOST}"},
        {"Origin": f"https://{HOST}", "Sec_Fetch_Site": "same-origin"},
    ],
    ids=str,
)
async def test_a_cookie_counts_where_our_own_page_sends_it(
    ask: Asker, headers: dict[str, str]
) -> None:
    assert await status_with(ask.client, Cookie=f"{COOKIE}={ask.token}", **headers) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": f"http://{HOST}"},
        {"Origin": "https://evil.example"},
        {"Origin": f"https://{HOST}.evil.example"},
        {"Origin": f"http://{HOST}:8080"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
    ],
    ids=str,
)
async def test_a_cookie_that_another_site_sends_along_counts_for_nothing(
    ask: Asker, headers: dict[str, str]
) -> None:
    assert await status_with(ask.client, Cookie=f"{COOKIE}={ask.token}", **headers) == 401
    # A token in a header was put there by somebody who has it; no browser does that by itself.
    assert await status_with(ask.client, Authorization=f"Bearer {ask.token}", **headers) == 200


@pytest.mark.parametrize(
    ("cookies", "status"),
    [
        ("a=b; {0};c", 200),
        ("{0}; a=b", 200),
        (f"{COOKIE}=wrong; {{0}}", 200),
        (f"{{0}}; {COOKIE}=wrong", 401),
        ("x{0}", 401),
        (f"{COOKIE}", 401),
        ("a={0}", 401),
    ],
)
async def test_the_cookie_is_found_among_others(ask: Asker, cookies: str, status: int) -> None:
    sent = cookies.format(f"{COOKIE}={ask.token}")
    assert await status_with(ask.client, Cookie=sent) == status


async def test_the_cookie_is_read_as_it_was_set(ask: Asker) -> None:
    """Taking quotes off, as cookies never had them here, takes Python quadratic time."""
    assert await status_with(ask.client, Cookie=f'{COOKIE}="{ask.token}"') == 401
    escapes = "\\" * 60_000  # half a minute of them
    assert await status_with(ask.client, Cookie=f'{COOKIE}="{escapes}"') == 401


async def test_a_token_in_the_header_counts_more_than_a_cookie(ask: Asker) -> None:
    cookie = f"{COOKIE}={ask.token}"
    assert await status_with(ask.client, Cookie=cookie, Authorization="Bearer wrong") == 401


# -------------------------------------------------------------------------- good, and good no more


async def is_known(ask: Asker) -> bool:
    answer = await ask.client.ask("{ viewer { role } }", token=ask.token)
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes in ([], ["UNAUTHENTICATED"])
    return not codes


async def test_a_revoked_token_is_out_at_once(ask: Asker, acme: Viewer) -> None:
    outcome, secret = await create_token(acme, "Bridge", Role.AUDITOR)
    bridge = Asker(ask.client, secret, acme)
    assert await is_known(bridge)
    await write(ask, "revokeToken", id=outcome.id)
    assert not await is_known(bridge)


@pytest.mark.parametrize(
    "change", [{"status": "DEACTIVATED"}, None], ids=["deactivated", "deleted"]
)
async def test_one_who_goes_is_out_at_once(ask: Asker, acme: Viewer, change: Any) -> None:
    id = await make_user(acme, "Ada", email="ada@acme.example")
    ada = await asker(ask.client, acme, user=id)
    assert await is_known(ada)
    if change:
        users = [{"name": "Ada", "email": "ada@acme.example", **change}]
        await write(ask, "upsertUsers", users=users)
    else:
        await write(ask, "deleteUsers", userIds=[id])
    assert not await is_known(ada)


async def test_a_role_that_is_taken_away_is_gone_at_once(ask: Asker, acme: Viewer) -> None:
    id = await make_admin(acme, "Ada", email="ada@acme.example")
    await make_admin(acme, "Bob")
    ada = await asker(ask.client, acme, user=id)
    await write(ada, "createGroup", name="While she may")
    users = [{"name": "Ada", "email": "ada@acme.example", "role": "MEMBER"}]
    await write(ask, "upsertUsers", users=users)
    mutation = 'mutation { createGroup(input: {name: "Too late"}) { revision } }'
    assert await ada.codes(mutation) == ["FORBIDDEN"]
    assert await ada.codes("{ tokens { totalCount } }") == ["FORBIDDEN"]


async def test_a_token_that_has_expired_opens_nothing(client: Client, acme: Viewer) -> None:
    outcome, secret = await create_token(
        acme, "Short", Role.ADMIN, None, utc_now() + timedelta(hours=1)
    )
    async with transaction():
        past = utc_now() - timedelta(seconds=1)
        await fetch("UPDATE tokens SET expires_at = $2 WHERE id = $1", outcome.id, past)
    assert not await is_known(Asker(client, secret, acme))


async def test_a_token_of_one_organization_is_of_that_one(client: Client, acme: Viewer) -> None:
    ask = await asker(client, acme)
    data = await ask("{ viewer { organization { id } } }")
    assert data["viewer"]["organization"]["id"] == acme.organization_id


# --------------------------------------------------------------------------------------- last use


async def test_the_last_use_is_noted_for_all_requests_together(database_url: str) -> None:
    statements: list[str] = []
    async with serving(database_url) as client:
        acme = await create_organization("Acme")
        ask, unused = await asker(client, acme), await asker(client, acme, Role.AUDITOR)
        with watch_statements(statements.append):
            for _ in range(5):
                await ask("{ viewer { role } }")
    assert not [sql for sql in statements if "UPDATE tokens" in sql]
    async with opened(database_url):
        rows = await fetch("SELECT last_used_at FROM tokens ORDER BY id")
    assert [row["last_used_at"] is None for row in rows] == [False, True]
    assert unused.token != ask.token


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_the_last_use_is_noted_also_of_one_who_is_known(acme: Viewer) -> None:
    authenticator = Authenticator(Revisions())
    _, secret = await create_token(acme, "Robot", Role.ADMIN)
    uses = []
    for _ in range(2):  # recognised, then known
        await authenticator.viewer(secret)
        await authenticator.note_used()
        uses.append((await fetch("SELECT last_used_at FROM tokens"))[0]["last_used_at"])
    assert uses[0] < uses[1]


async def test_a_viewer_who_is_known_is_in_a_transaction_as_of_its_snapshot(acme: Viewer) -> None:
    revisions = Revisions()
    authenticator = Authenticator(revisions)
    _, secret = await create_token(acme, "Robot", Role.ADMIN)
    known = await authenticator.viewer(secret)
    begun, written = asyncio.Event(), asyncio.Event()

    async def recognise() -> Viewer:
        async with snapshot():
            await current_revision(acme.organization_id)
            begun.set()
            await written.wait()
            return await authenticator.viewer(secret)

    recognising = asyncio.create_task(recognise())
    await begun.wait()
    await make_group(acme)
    written.set()
    assert await revisions.read(acme.organization_id) == known.revision + 1  # at the same time
    assert await recognising == known


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_no_more_than_so_many_are_remembered(
    acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "MOST_RECOGNISED", 2)
    authenticator = Authenticator(Revisions())
    secrets = [(await create_token(acme, "Robot", Role.ADMIN))[1] for _ in range(3)]
    for secret in (*secrets[:2], secrets[0], secrets[2]):
        await authenticator.viewer(secret)
    # The one that was not used for longest is forgotten.
    assert [bool(authenticator.presumed(secret)) for secret in secrets] == [True, False, True]
