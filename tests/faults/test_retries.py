"""A write that is sent again because its answer was lost changes nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

from models.database import fetch
from models.errors import Unavailable
from models.kinds import BOTS, PERSONAS, USERS
from models.ledger import current_revision
from models.organizations import create_organization
from models.verify import differences
from runtime.revisions import Revisions
from tests.access.service import Service, listening
from tests.client import Asker, asker
from tests.factories import make_bot, make_entry, make_group, make_persona, make_user
from tests.faults.servers import until
from tests.faults.writers import Line
from tests.refusals import unchanged

# Each write as it is sent, and the code of the second answer; empty where there is nothing to
# refuse, since what is asked for is so already. $… are the ids of `things`.
WRITES = {
    "createGroup": ('{name: "New", userIds: ["$user"], botIds: ["$bot"]}', "TAKEN"),
    "updateGroup": ('{id: "$group", name: "Renamed", description: "Anew"}', ""),
    "deleteGroup": ('{id: "$group"}', "NOT_FOUND"),
    "addUsersToGroup": ('{groupId: "$group", userIds: ["$other_user"]}', ""),
    "removeUsersFromGroup": ('{groupId: "$group", userIds: ["$user"]}', ""),
    "addBotsToGroup": ('{groupId: "$group", botIds: ["$other_bot"]}', ""),
    "removeBotsFromGroup": ('{groupId: "$group", botIds: ["$bot"]}', ""),
    "addPersonasToGroup": ('{groupId: "$group", personaIds: ["$other_persona"]}', ""),
    "removePersonasFromGroup": ('{groupId: "$group", personaIds: ["$persona"]}', ""),
    "undoChange": ('{changeId: "$change"}', "NOTHING_TO_UNDO"),
    "upsertUsers": ('{users: [{name: "New", email: "new@example.com"}]}', ""),
    "upsertBots": ('{bots: [{name: "New", externalId: "new"}]}', ""),
    "upsertPersonas": ('{personas: [{name: "New", externalId: "new"}]}', ""),
    "deleteUsers": ('{userIds: ["$user"]}', "NOT_FOUND"),
    "deleteBots": ('{botIds: ["$bot"]}', "NOT_FOUND"),
    "deletePersonas": ('{personaIds: ["$persona"]}', "NOT_FOUND"),
    "revokeToken": ('{id: "$token"}', ""),
}
UNGUARDED = ("revokeToken",)  # they take no `expectedRevision`
each_write = pytest.mark.parametrize("field", WRITES)


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The service on a port."""
    async with listening(database_url) as service:
        yield service


@pytest.fixture
async def ask(service: Service) -> Asker:
    """An administrator of Acme, which is empty."""
    return await asker(service.client, await create_organization("Acme"))


@pytest.fixture
async def things(ask: Asker) -> dict[str, str]:
    """A group with one of each kind, one more of each, the group's change, and a token."""
    acme = ask.viewer
    user, bot, persona = await make_user(acme), await make_bot(acme), await make_persona(acme)
    others = {
        f"other_{kind.noun}": await make_entry(acme, kind, "Other")
        for kind in (USERS, BOTS, PERSONAS)
    }
    group = await make_group(acme, users=[user], bots=[bot], personas=[persona])
    change = (await fetch("SELECT id FROM changes WHERE group_id = $1", group))[0][0]
    await asker(ask.client, acme)
    token = (await fetch("SELECT id FROM tokens ORDER BY id DESC LIMIT 1"))[0][0]
    ids = {"user": user, "bot": bot, "persona": persona, "group": group}
    return {**ids, **others, "change": change, "token": token}


def written(field: str, things: dict[str, str], expected: int | None = None) -> str:
    """The document of a write."""
    text, _ = WRITES[field]
    for name in sorted(things, key=len, reverse=True):
        text = text.replace(f"${name}", things[name])
    if expected is not None:
        text = f"{text[:-1]}, expectedRevision: {expected}}}"
    return f"mutation {{ {field}(input: {text}) {{ revision userErrors {{ code }} }} }}"


async def lose(service: Service, ask: Asker, query: str) -> int:
    """Send a write, and hang up before its answer comes; returns the revision that it left."""
    revisions: list[int] = []

    async def watch() -> None:
        before = await current_revision(ask.viewer.organization_id)
        with closing(Line(int(service.address.rpartition(":")[2]), ask.token)) as line:
            await line.send(query, {})
            await asyncio.sleep(0)
        while await current_revision(ask.viewer.organization_id) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        revisions.append(await current_revision(ask.viewer.organization_id))

    watching = asyncio.create_task(watch())
    await until(watching.done)
    await watching
    return revisions[0]


async def again(ask: Asker, field: str, query: str) -> tuple[int, list[str]]:
    """Send a write again, which must not change one row; returns its revision and codes."""
    async with unchanged(ask.viewer):
        payload: dict[str, Any] = (await ask(query))[field]
    assert await differences() == []
    return payload["revision"], [error["code"] for error in payload["userErrors"]]


@each_write
async def test_a_write_that_is_sent_again_changes_nothing_twice(
    service: Service, ask: Asker, things: dict[str, str], field: str
) -> None:
    query = written(field, things)
    revision = await lose(service, ask, query)
    code = WRITES[field][1]
    assert await again(ask, field, query) == (revision, [code] if code else [])


@pytest.mark.parametrize("field", [field for field in WRITES if field not in UNGUARDED])
async def test_an_expected_revision_tells_that_a_write_has_landed(
    service: Service, ask: Asker, things: dict[str, str], field: str
) -> None:
    expected = await current_revision(ask.viewer.organization_id)
    query = written(field, things, expected)
    revision = await lose(service, ask, query)
    assert revision == expected + 1
    assert await again(ask, field, query) == (revision, ["CONFLICT"])


@each_write
async def test_a_write_that_has_landed_is_told_though_the_revision_cannot_be_read(
    ask: Asker, things: dict[str, str], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def be_away(revisions: Revisions, organization_id: str) -> int:
        raise Unavailable("no connection")

    monkeypatch.setattr(Revisions, "read", be_away)
    before = await current_revision(ask.viewer.organization_id)
    answer = await ask.client.ask(written(field, things), None, ask.token)
    assert answer["data"][field] == {"revision": before + 1, "userErrors": []}
    assert "errors" not in answer
    assert answer["extensions"]["revision"] == before + 1  # as the payload says
