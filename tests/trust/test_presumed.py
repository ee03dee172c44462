"""A request begins with whom its token stood for when that was last asked. What other processes
change meanwhile comes to light before anything is told to it, and before anything is written."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from models import groups, ledger
from models.database import fetch, snapshot
from models.directory import delete_entries
from models.kinds import BOTS, USERS
from models.ledger import current_revision
from models.tables import Role, UserStatus
from models.tokens import authenticate, create_token, revoke_token
from models.upserts import upsert_entries
from models.viewer import Viewer
from runtime.revisions import Revisions
from schema import executor
from tests.client import Asker, Client, asker
from tests.factories import make_admin, make_entries, make_group, make_user
from tests.refusals import unchanged
from tests.trust.test_persisted import named

WHO = "{ viewer { role } }"
CREATE = "mutation($name: String!) { createGroup(input: {name: $name}) { userErrors { code } } }"
CREATE_AND_LOOK = """mutation($name: String!) { createGroup(input: {name: $name}) {
    revision group { name availableUsers { nodes { email } } } } }"""
REQUESTS: dict[str, dict[str, Any]] = {
    "query": {"query": "{ groups { nodes { name } } }"},
    "write": {"query": CREATE, "variables": {"name": "New"}},
    "write that is refused": {"query": CREATE, "variables": {"name": " "}},
    "nonsense": {"query": "{ nonsense }"},
    "no request": {"query": 7},
    "hash": named("{ organization { name } }"),
}


@contextmanager
def elsewhere() -> Any:
    """What is written in the block is written by another process: nobody here hears of it."""
    heard, ledger.listeners[:] = ledger.listeners[:], []
    try:
        yield
    finally:
        ledger.listeners[:] = heard


async def of_user(client: Client, acme: Viewer, role: Role) -> tuple[Asker, str]:
    """A user of a role, who has asked and is known, and whose revision rests; and the id."""
    await make_admin(acme)  # there must be one
    ada = await make_user(acme, "Ada")
    await change(acme, ada, role=role)
    ask = await asker(client, acme, None, ada)
    for _ in range(3):
        await ask(WHO)
    return ask, ada


async def change(acme: Viewer, id: str, **given: Any) -> None:
    (row,) = await fetch("SELECT name, email FROM users WHERE id = $1", id)
    await upsert_entries(acme, USERS, [{"name": row["name"], "email": row["email"], **given}])


async def revoke(acme: Viewer, ask: Asker, ada: str) -> None:
    viewer = await authenticate(ask.token)
    assert viewer
    assert viewer.token_id
    await revoke_token(acme, viewer.token_id)


async def deactivate(acme: Viewer, ask: Asker, ada: str) -> None:
    await change(acme, ada, status=UserStatus.DEACTIVATED)


async def delete(acme: Viewer, ask: Asker, ada: str) -> None:
    await delete_entries(acme, USERS, [ada])


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("end", [revoke, deactivate, delete])
async def test_who_is_nobody_any_more_is_told_that_and_nothing_else(
    client: Client,
    acme: Viewer,
    end: Callable[[Viewer, Asker, str], Awaitable[None]],
    request_: dict[str, Any],
) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    with elsewhere():
        await make_group(acme, "Secret")
        await end(acme, ask, ada)
    headers = {"Authorization": f"Bearer {ask.token}"}
    async with unchanged(acme):
        response = await client.http.post("/graphql", json=request_, headers=headers)
    assert response.status_code == 401
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "data" not in response.json()


async def test_who_was_demoted_writes_nothing(client: Client, acme: Viewer) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    with elsewhere():
        await change(acme, ada, role=Role.AUDITOR)
    async with unchanged(acme):
        answer = await client.ask(CREATE, {"name": "New"}, ask.token)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_who_was_promoted_may_write(client: Client, acme: Viewer) -> None:
    ask, ada = await of_user(client, acme, Role.MEMBER)
    with elsewhere():
        await change(acme, ada, role=Role.ADMIN)
    assert await ask(CREATE, name="New") == {"createGroup": {"userErrors": []}}


async def test_a_change_names_its_actor_as_of_then(client: Client, acme: Viewer) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    with elsewhere():
        await change(acme, ada, name="Countess")
    await ask(CREATE, name="New")
    found = await ask("{ changes(first: 1) { nodes { summary actor { name } } } }")
    assert found["changes"]["nodes"] == [
        {"summary": "Countess created New", "actor": {"name": "Countess"}}
    ]


async def test_a_query_sees_what_others_wrote(client: Client, acme: Viewer) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    with elsewhere():
        await make_group(acme, "New")
        await change(acme, ada, role=Role.AUDITOR)
    found = await ask("{ viewer { role } groups { nodes { name } } }")
    assert found == {"viewer": {"role": "AUDITOR"}, "groups": {"nodes": [{"name": "New"}]}}


# ------------------------------------------------------------------------- while others are written


UPSERT = """mutation($name: String!, $email: String!) {
    upsertUsers(input: {users: [{name: $name, email: $email}]}) { userErrors { code } } }"""


async def test_writes_land_beside_others_about_people(client: Client, acme: Viewer) -> None:
    ask, _ = await of_user(client, acme, Role.ADMIN)
    done = asyncio.Event()

    async def upsert(place: int) -> None:
        number = 0
        while not done.is_set():
            name = f"User {place} {number}"
            number += 1
            await ask(UPSERT, name=name, email=f"{place}.{number}@acme.example")

    async with asyncio.TaskGroup() as tasks:
        for place in range(3):
            tasks.create_task(upsert(place))
        group = await make_group(acme)
        bots = await make_entries(acme, BOTS, [f"Bot {number}" for number in range(10)])
        for number in range(10):
            assert await ask(CREATE, name=f"New {number}") == {"createGroup": {"userErrors": []}}
            added = await ask(ADD, group=group, bots=[bots[number]])
            assert added == {"addBotsToGroup": {"userErrors": []}}
        done.set()


ADD = """mutation($group: ID!, $bots: [ID!]!) {
    addBotsToGroup(input: {groupId: $group, botIds: $bots}) { userErrors { code } } }"""


async def test_many_at_once_revoke_tokens(client: Client, acme: Viewer) -> None:
    ask, _ = await of_user(client, acme, Role.ADMIN)
    ids = [(await create_token(acme, f"T {n}", Role.ADMIN))[0].id for n in range(8)]
    revoke_one = "mutation($id: ID!) { revokeToken(input: {id: $id}) { token { revokedAt } } }"
    answers = await asyncio.gather(*(ask(revoke_one, id=id) for id in ids))
    assert all(answer["revokeToken"]["token"]["revokedAt"] for answer in answers)


# -------------------------------------------------------------------------- who ends its own rights


@pytest.mark.parametrize("fields", ["revision", "revision token { id revokedAt }"])
async def test_who_revokes_its_own_token_is_told_so(
    client: Client, acme: Viewer, fields: str
) -> None:
    ask, _ = await of_user(client, acme, Role.ADMIN)
    viewer = await authenticate(ask.token)
    assert viewer
    revoking = f"mutation($id: ID!) {{ revokeToken(input: {{id: $id}}) {{ {fields} }} }}"
    answer = (await ask(revoking, id=viewer.token_id))["revokeToken"]
    assert answer["revision"] == await current_revision(acme.organization_id)
    assert (await client.post(WHO, token=ask.token)).status_code == 401


async def test_a_token_that_is_changed_for_another_is_told_the_secret(
    client: Client, acme: Viewer
) -> None:
    ask, _ = await of_user(client, acme, Role.ADMIN)
    viewer = await authenticate(ask.token)
    assert viewer
    answer = await ask(
        """mutation($id: ID!) {
            createToken(input: {name: "Next", role: ADMIN}) { secret token { name } }
            revokeToken(input: {id: $id}) { revision } }""",
        id=viewer.token_id,
    )
    assert answer["createToken"]["token"] == {"name": "Next"}
    assert (await client.post(WHO, token=answer["createToken"]["secret"])).status_code == 200


async def test_who_deletes_itself_is_told_so(client: Client, acme: Viewer) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    deleting = "mutation($id: ID!) { deleteUsers(input: {userIds: [$id]}) { deletedUserIds } }"
    assert await ask(deleting, id=ada) == {"deleteUsers": {"deletedUserIds": [ada]}}
    assert (await client.post(WHO, token=ask.token)).status_code == 401


async def test_a_payload_shows_what_the_viewer_may_see_by_then(
    client: Client, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    create = groups.create_group

    async def create_and_be_demoted(*given: Any) -> Any:
        outcome = await create(*given)
        with elsewhere():
            await change(acme, ada, role=Role.MEMBER)
        return outcome

    monkeypatch.setattr(groups, "create_group", create_and_be_demoted)
    await make_user(acme, "Secret", email="secret@example.com")
    answer = await client.ask(CREATE_AND_LOOK, {"name": "New"}, ask.token)
    assert "secret" not in str(answer)
    assert answer["extensions"]["revision"] == await current_revision(acme.organization_id)


async def test_a_payload_shows_what_the_viewer_may_see_in_its_snapshot(
    client: Client, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time that a payload is about to be read in a snapshot, somebody's rights change."""
    ask, ada = await of_user(client, acme, Role.ADMIN)
    await make_user(acme, "Secret", email="secret@example.com")
    bob = await make_user(acme, "Bob")
    landing = [(bob, Role.AUDITOR), (ada, Role.MEMBER)]

    @asynccontextmanager
    async def snapshot_behind_a_change() -> AsyncIterator[None]:
        if landing:
            user, role = landing.pop(0)
            with elsewhere():
                await change(acme, user, role=role)
        async with snapshot():
            yield

    async def be_overtaken(revisions: Revisions, organization_id: str) -> int:
        return -1

    monkeypatch.setattr(executor, "snapshot", snapshot_behind_a_change)
    monkeypatch.setattr(Revisions, "read", be_overtaken)
    for _ in (1, 2):
        answer = await client.ask(CREATE_AND_LOOK, {"name": f"New {len(landing)}"}, ask.token)
        ada_is_a_member = not landing
        assert ("secret" in str(answer)) is not ada_is_a_member
    assert ada_is_a_member


async def test_a_write_by_get_from_nobody_is_told_that(client: Client, acme: Viewer) -> None:
    ask, ada = await of_user(client, acme, Role.ADMIN)
    with elsewhere():
        await revoke(acme, ask, ada)
    headers = {"Authorization": f"Bearer {ask.token}"}
    query = {"query": 'mutation { createGroup(input: {name: "New"}) { revision } }'}
    async with unchanged(acme):
        response = await client.http.get("/graphql", params=query, headers=headers)
    assert response.status_code == 401
