"""An older state is restored under a process that runs: it forgets the state that is gone."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from models import ledger
from models.database import fetch, transaction
from models.errors import Unauthenticated
from models.tables import Role
from models.tokens import authenticate, create_token, revoke_token
from models.viewer import Viewer
from schema import subscription
from schema.execution import Answer
from schema.requests import request_from
from tests.access.service import CHANGES, PATIENCE, Service, eventually, line
from tests.client import Asker
from tests.factories import make_bot, make_group, make_user, snapshot

BOTS = "{ bots { nodes { name } } }"
QUERIES = [
    "{ viewer { role } }",
    'mutation { createGroup(input: {name: "New"}) { revision } }',
    'mutation { removeUsersFromGroup(input: {groupId: "%s", userIds: ["%s"]}) { revision } }',
]
KINDS_OF_QUERIES = ["a query", "a write", "a write of one membership"]


async def revision_of(acme: Viewer) -> int:
    return await ledger.current_revision(acme.organization_id)


async def go_back(revision: int) -> None:
    """Restore the state before any bot was made, and the token “Later”."""
    async with transaction():
        await fetch("DELETE FROM tokens WHERE name = 'Later'")
        await fetch("DELETE FROM bots")
        await fetch("DELETE FROM changes WHERE revision > $1", revision)
        await fetch("UPDATE organizations SET revision = $1, bot_count = 0", revision)


async def go_back_to_nothing() -> None:
    """Restore the state before the organization was created."""
    async with transaction():
        for table in ("tokens", "changes", "organizations"):
            await fetch(f"DELETE FROM {table}")


async def about_somebody(acme: Viewer, query: str) -> str:
    """A query about a new group and its member, if it takes one."""
    if "%s" not in query:
        return query
    user = await make_user(acme)
    return query % (await make_group(acme, users=[user]), user)


async def asker_with_token(acme: Viewer, ask: Asker, role: Role) -> tuple[Asker, str]:
    """One who asks with a token of its own, and the token's id."""
    _, secret = await create_token(acme, "Bridge", role)
    token = await authenticate(secret)
    assert token
    assert token.token_id
    return Asker(ask.client, secret, acme), token.token_id


async def test_answers_and_viewers_of_the_state_that_is_gone_are_forgotten(
    acme: Viewer, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    bridge, token_id = await asker_with_token(acme, ask, Role.AUDITOR)
    before = await revision_of(acme)
    await make_bot(acme, "Gone")
    for each in (ask, bridge):
        for _ in range(3):
            assert await each(BOTS) == {"bots": {"nodes": [{"name": "Gone"}]}}
    await go_back(before)
    await ask("{ viewer { role } }")
    await revoke_token(acme, token_id)
    assert await revision_of(acme) == before + 1
    assert await ask(BOTS) == {"bots": {"nodes": []}}
    assert await bridge.codes(BOTS) == ["UNAUTHENTICATED"]
    told = [each.getMessage() for each in caplog.records if each.name == "cohort.revisions"]
    assert told == [
        f"{acme.organization_id} has gone back: it is at revision {before}, and was at "
        f"{before + 1}. Restart every process after a restore"
    ]


@pytest.mark.parametrize("times", [1, 3])  # at first, the revision is read with the viewer
async def test_answers_are_forgotten_also_where_the_same_revision_came_again(
    acme: Viewer, ask: Asker, times: int
) -> None:
    before = await revision_of(acme)
    await make_bot(acme, "Gone")
    for _ in range(times):
        assert await ask(BOTS) == {"bots": {"nodes": [{"name": "Gone"}]}}
    await go_back(before)
    await make_bot(acme, "Instead")
    assert await revision_of(acme) == before + 1
    assert await ask(BOTS) == {"bots": {"nodes": [{"name": "Instead"}]}}


@pytest.mark.parametrize("query", QUERIES, ids=KINDS_OF_QUERIES)
async def test_a_viewer_is_recognised_again_also_where_the_same_revision_came_again(
    acme: Viewer, ask: Asker, query: str
) -> None:
    query = await about_somebody(acme, query)
    bridge, token_id = await asker_with_token(acme, ask, Role.ADMIN)
    before = await revision_of(acme)
    await make_bot(acme, "Gone")
    assert await bridge(BOTS) == {"bots": {"nodes": [{"name": "Gone"}]}}
    await go_back(before)
    await revoke_token(acme, token_id)
    rows = await snapshot(acme.organization_id)
    assert await bridge.codes(query) == ["UNAUTHENTICATED"]
    assert await snapshot(acme.organization_id) == rows
    assert await revision_of(acme) == before + 1


@pytest.mark.parametrize("query", QUERIES, ids=KINDS_OF_QUERIES)
async def test_a_viewer_of_the_state_that_is_gone_is_recognised_again_behind_its_revision(
    acme: Viewer, ask: Asker, query: str
) -> None:
    query = await about_somebody(acme, query)
    bridge, token_id = await asker_with_token(acme, ask, Role.ADMIN)
    before = await revision_of(acme)
    await make_bot(acme, "Gone")
    await bridge(BOTS)
    for name in ("Gone too", "Gone as well"):
        await make_bot(acme, name)
    await ask(BOTS)
    await go_back(before)
    await revoke_token(acme, token_id)  # at the revision that it was recognised at
    await make_bot(acme, "Instead")
    rows = await snapshot(acme.organization_id)
    assert await bridge.codes(query) == ["UNAUTHENTICATED"]
    assert await snapshot(acme.organization_id) == rows


async def test_what_another_process_wrote_instead_is_noticed_by_any_query(
    acme: Viewer, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge, token_id = await asker_with_token(acme, ask, Role.AUDITOR)
    before = await revision_of(acme)
    await make_bot(acme, "Gone")
    for _ in range(3):  # so that the revision is at rest
        assert await bridge(BOTS) == {"bots": {"nodes": [{"name": "Gone"}]}}
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(ledger, "listeners", [])
        await go_back(before)
        await revoke_token(acme, token_id)
    assert await revision_of(acme) == before + 1
    assert await bridge.codes("{ bots { nodes { id } } }") == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    "query", [BOTS, 'mutation { createGroup(input: {name: "New"}) { revision } }']
)
async def test_who_was_of_an_organization_that_is_gone_is_a_stranger(
    acme: Viewer, ask: Asker, query: str
) -> None:
    for _ in range(2):
        await ask(BOTS)
    await go_back_to_nothing()
    for _ in range(2):
        assert await ask.codes(query) == ["UNAUTHENTICATED"]


async def test_subscribers_are_told_what_comes_instead(
    service: Service, acme: Viewer, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    before = await revision_of(acme)
    async with line(service, ask.token) as socket:
        await socket.subscribe()
        await service.has_subscribers(1)
        for name in ("Gone", "Gone too"):
            await make_bot(acme, name)
        assert await socket.revisions(2) == [before + 1, before + 2]
        await go_back(before)
        await eventually(lambda: f"to {before}" in caplog.text)
        await make_bot(acme, "Other")
        assert (await socket.change())["node"] == {
            "revision": before + 1,
            "action": "BOTS_UPSERTED",
            "summary": "The operator added Other",
        }
        told = [each for each in caplog.records if each.name == "cohort.feed"]
        assert [each.levelname for each in told] == ["WARNING"]


@pytest.mark.parametrize(("lost", "landed"), [(1, 1), (2, 2), (3, 2)])
async def test_subscribers_are_told_all_that_took_the_place_of_what_was_lost(
    service: Service, acme: Viewer, ask: Asker, lost: int, landed: int
) -> None:
    before = await revision_of(acme)
    async with line(service, ask.token) as socket:
        await socket.subscribe()
        await service.has_subscribers(1)
        for number in range(lost):
            await make_bot(acme, f"Gone {number}")
        assert await socket.revisions(lost) == [before + 1 + number for number in range(lost)]
        async with transaction():  # so that nobody sees what is in between
            await go_back(before)
            for number in range(landed):
                await make_bot(acme, f"Instead {number}")
        for number in range(landed):
            change = (await socket.change())["node"]
            assert (change["revision"], change["summary"]) == (
                before + 1 + number,
                f"The operator added Instead {number}",
            )


@pytest.mark.parametrize("is_organization_gone", [False, True])
async def test_a_subscriber_that_is_gone_with_the_restored_state_is_told_nothing(
    service: Service, acme: Viewer, ask: Asker, is_organization_gone: bool
) -> None:
    before = await revision_of(acme)
    _, secret = await create_token(acme, "Later", Role.AUDITOR)
    async with line(service, secret) as socket:
        await socket.subscribe()
        await service.has_subscribers(1)
        await (go_back_to_nothing() if is_organization_gone else go_back(before))
        ended = await socket.hear()
        assert ended["type"] == "error"
        assert ended["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("is_organization_gone", [False, True])
async def test_one_who_is_gone_before_it_listens_is_told_so(
    service: Service, acme: Viewer, is_organization_gone: bool
) -> None:
    before = await revision_of(acme)
    _, secret = await create_token(acme, "Later", Role.AUDITOR)
    viewer = await service.runner.authenticator.viewer(secret)
    await (go_back_to_nothing() if is_organization_gone else go_back(before))
    async with aclosing(listen(service, secret, viewer)) as told:
        with pytest.raises(Unauthenticated):
            async with asyncio.timeout(PATIENCE):
                await anext(told)
    assert service.runner.feed.subscriber_count == 0


async def test_one_who_was_recognised_in_the_lost_state_is_told_what_comes_instead(
    service: Service, acme: Viewer, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await revision_of(acme)
    for number in range(3):
        await make_bot(acme, f"Gone {number}")
    authenticator, is_again = service.runner.authenticator, asyncio.Event()
    recognise, viewer = authenticator.viewer, await authenticator.viewer(ask.token)

    async def recognise_again(secret: str | None) -> Viewer:
        found = await recognise(secret)
        is_again.set()
        return found

    monkeypatch.setattr(authenticator, "viewer", recognise_again)
    await go_back(before)
    async with aclosing(listen(service, ask.token, viewer)) as told, asyncio.timeout(PATIENCE):
        first = asyncio.ensure_future(anext(told))
        await is_again.wait()
        await make_bot(acme, "Instead")
        assert revision_in(await first) == before + 1


def listen(service: Service, secret: str, viewer: Viewer) -> AsyncGenerator[Answer, None]:
    """What a viewer is told who was recognised before."""
    asked = request_from({"query": CHANGES})
    operation = service.runner.operation(viewer, asked)
    return service.runner.events(secret, viewer, operation, asked)


def revision_in(event: Answer) -> int:
    revision: int = event.body["data"]["changes"]["node"]["revision"]
    return revision


async def test_one_that_is_behind_misses_nothing_of_the_restored_state(
    service: Service, acme: Viewer, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "READ_AT_ONCE", 1)  # so that it does not read ahead
    seen = await revision_of(acme)
    viewer = await service.runner.authenticator.viewer(ask.token)
    async with (
        service.runner.feed.subscribed(acme.organization_id) as other,
        aclosing(listen(service, ask.token, viewer)) as told,
    ):
        for number in range(4):
            await make_group(acme, f"Group {number}")
        revisions = [revision_in(await anext(told))]
        await make_bot(acme, "Gone")
        while (await other.take())[-1]["revision"] <= seen + 4:
            pass
        await go_back(seen + 4)
        await eventually(lambda: other.back_at is not None)
        await make_group(acme, "Instead")
        while revisions[-1] < seen + 5:
            revisions.append(revision_in(await anext(told)))
    assert revisions == list(range(seen + 1, seen + 6))
