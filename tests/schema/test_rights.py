"""Rights that change while something is under way: nothing is told, kept or written by old ones."""

from itertools import product
from typing import Any

import pytest

from models.groups import delete_group
from models.kinds import USERS
from models.ledger import utc_now
from models.membership_writes import add_members
from models.organizations import create_organization
from models.tables import Role, UserStatus
from models.tokens import authenticate, create_token
from models.upserts import upsert_entries
from models.viewer import Viewer
from schema import execution
from schema.execution import TRIES, Runner
from schema.requests import GraphQLRequest
from tests.client import Asker, Client, asker, serving
from tests.factories import (
    count_statements,
    make_admin,
    make_bot,
    make_group,
    make_user,
    make_users,
)
from tests.refusals import unchanged


def runner_of(client: Client) -> Runner:
    """What runs the operations of the service."""
    runner: Runner = client.app.state.runner
    return runner


async def give_role(acme: Viewer, user: str, role: Role) -> None:
    row = {"name": user, "email": f"{user}@acme.example", "external_id": user, "role": role}
    await upsert_entries(acme, USERS, [row])


async def test_an_answer_is_kept_for_whom_it_was_made_not_for_who_asked(
    client: Client, acme: Viewer
) -> None:
    await give_role(acme, "ada", Role.MEMBER)
    outcome = await upsert_entries(
        acme, USERS, [{"name": "ada", "email": "ada@acme.example", "external_id": "ada"}]
    )
    _, secret = await create_token(acme, "Full", None, outcome.changed[0])
    before = await authenticate(secret)
    assert before is not None
    await give_role(acme, "ada", Role.ADMIN)
    runner, asked = runner_of(client), GraphQLRequest("{ viewer { role } }", None, None)
    operation = runner.operation(before, asked)
    answer = await runner.answer(secret, before, operation, asked)
    assert answer.body["data"] == {"viewer": {"role": "ADMIN"}}
    assert answer.kept_for is not None
    assert (answer.kept_for.role, before.role) == (Role.ADMIN, Role.MEMBER)
    assert answer.kept_for.revision == answer.body["extensions"]["revision"]


async def test_an_answer_that_was_kept_goes_to_nobody_else(
    client: Client, acme: Viewer, other: Viewer
) -> None:
    query = "{ viewer { role user { id } } organization { id } groups { totalCount } }"
    expected = {}
    for viewer in (acme, other):
        users = (None, await make_admin(viewer), await make_admin(viewer))
        for user, role in product(users, (Role.ADMIN, Role.AUDITOR)):
            _, secret = await create_token(viewer, "Token", role, user)
            expected[secret] = {
                "viewer": {"role": role, "user": user and {"id": user}},
                "organization": {"id": viewer.organization_id},
                "groups": {"totalCount": 0},
            }
    for is_kept in (False, True):
        for secret, data in expected.items():
            with count_statements() as statements:
                assert (await client.ask(query, token=secret))["data"] == data
            assert any("FROM groups" in sql for sql in statements) is not is_kept


async def test_a_write_behind_the_loss_of_rights_is_refused(client: Client, acme: Viewer) -> None:
    outcome, secret = await create_token(acme, "Own", Role.ADMIN)
    query = """mutation($id: ID!) { revokeToken(input: {id: $id}) { revision }
        createGroup(input: {name: "Late"}) { group { id } } }"""
    answer = await client.ask(query, {"id": outcome.id}, secret)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    check = await asker(client, acme)
    assert (await check("{ groups { totalCount } }"))["groups"]["totalCount"] == 0


async def test_a_write_by_one_who_was_demoted_meanwhile_is_refused(acme: Viewer) -> None:
    await give_role(acme, "grace", Role.ADMIN)
    await give_role(acme, "ada", Role.ADMIN)
    ada = await upsert_entries(
        acme, USERS, [{"name": "ada", "email": "ada@acme.example", "external_id": "ada"}]
    )
    _, secret = await create_token(acme, "Full", None, ada.changed[0])
    viewer = await authenticate(secret)
    assert viewer is not None
    await give_role(acme, "ada", Role.AUDITOR)
    async with unchanged(acme):
        with pytest.raises(Exception, match="role was changed"):
            await upsert_entries(viewer, USERS, [{"name": "x", "email": "x@acme.example"}])


async def test_a_member_is_told_nothing_of_a_group_before_it_joined(
    client: Client, acme: Viewer
) -> None:
    early, late = await make_user(acme, "Early"), await make_user(acme, "Late")
    group = await make_group(acme, "Sales", users=[early], bots=[await make_bot(acme)])
    before = utc_now().isoformat()
    await add_members(acme, USERS, group, [late])
    after = utc_now().isoformat()
    query = """query($id: ID!, $at: DateTime!) { group(id: $id) {
        users(at: $at) { nodes { name } } bots(at: $at) { totalCount } } }"""
    member = await asker(client, acme, None, late)

    async def seen(ask: Asker, at: str) -> tuple[Any, Any]:
        found = (await ask(query, id=group, at=at))["group"]
        return [user["name"] for user in found["users"]["nodes"]], found["bots"]["totalCount"]

    assert await seen(member, before) == ([], 0)
    assert await seen(member, after) == (["Early", "Late"], 1)
    assert await seen(await asker(client, acme), before) == (["Early"], 1)


async def test_a_member_is_not_told_what_held_something_before_it_joined(
    client: Client, acme: Viewer
) -> None:
    given = {"name": "Ada", "email": "ada@acme.example"}
    ada, bot = await make_user(acme, "Ada", email=given["email"]), await make_bot(acme)
    await make_group(acme, "Early", users=[ada], bots=[bot])
    late = await make_group(acme, "Late", bots=[bot])
    await upsert_entries(acme, USERS, [given | {"status": UserStatus.DEACTIVATED}])
    then = utc_now().isoformat()
    await upsert_entries(acme, USERS, [given | {"status": UserStatus.ACTIVE}])
    await add_members(acme, USERS, late, [ada])
    query = """query($user: ID!, $bot: ID!, $at: DateTime!) {
        checkAccess(questions: [{bot: {userId: $user, botId: $bot, at: $at}}]) {
            reason heldBy { name } } }"""
    for ask, groups in (
        (await asker(client, acme, None, ada), ["Early"]),
        (await asker(client, acme), ["Early", "Late"]),
    ):
        (decision,) = (await ask(query, user=ada, bot=bot, at=then))["checkAccess"]
        held_by = [{"name": name} for name in groups]
        assert decision == {"reason": "USER_DEACTIVATED", "heldBy": held_by}


async def test_a_group_that_is_gone_counts_nobody(ask: Asker, acme: Viewer) -> None:
    ada, bot = await make_user(acme), await make_bot(acme)
    group = await make_group(acme, "Gone", users=[ada], bots=[bot])
    then = utc_now().isoformat()
    await delete_group(acme, group)
    query = """query($id: ID!, $at: DateTime!) { user(id: $id) { bots(at: $at) { edges {
        via { name userCount botCount users { totalCount nodes { id } } } } } } }"""
    edges = (await ask(query, id=ada, at=then))["user"]["bots"]["edges"]
    empty = {"totalCount": 0, "nodes": []}
    assert edges == [{"via": [{"name": "Gone", "userCount": 0, "botCount": 0, "users": empty}]}]


@pytest.mark.parametrize("tries", [TRIES, 0])  # 0: at once inside one transaction, without plans
async def test_lists_without_pages_count_towards_the_limit(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    monkeypatch.setattr(execution, "TRIES", tries)
    async with serving(database_url, max_cost=100) as client:
        acme = await create_organization("Acme")
        await make_users(acme, 150)
        ask = await asker(client, acme)
        query = "{ changes(last: 1) { nodes { users { id } } } }"
        assert await ask.codes(query) == ["LIMIT_EXCEEDED"]
