"""The ledger and the tokens, as the graph shows them."""

from datetime import datetime, timedelta

from models.groups import delete_group
from models.ids import new_id
from models.kinds import BOTS, USERS
from models.ledger import utc_now
from models.membership_writes import add_members
from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_admin, make_bot, make_group, make_user

CHANGES = """query($groupId: ID) { changes(groupId: $groupId) { totalCount nodes {
    revision action summary groupName group { id } users { name } bots { name } personas { name }
    actor { kind name user { id } } } } }"""


async def test_every_change_is_told_newest_first(client: Client, acme: Viewer) -> None:
    ada = await make_admin(acme, "Ada")
    ask = await asker(client, acme, user=ada)
    create = "mutation($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }"
    group = (await ask(create, input={"name": "Sales", "userIds": [ada]}))["createGroup"]["group"]
    actor = {"kind": "USER", "name": "Ada", "user": {"id": ada}}
    operator = {"kind": "OPERATOR", "name": "The operator", "user": None}
    nothing: dict[str, object] = {"group": None, "groupName": None, "bots": [], "personas": []}
    assert (await ask(CHANGES))["changes"] == {
        "totalCount": 3,
        "nodes": [
            {
                **nothing,
                "revision": 3,
                "action": "GROUP_CREATED",
                "summary": "Ada created Sales",
                "groupName": "Sales",
                "group": group,
                "users": [{"name": "Ada"}],
                "actor": actor,
            },
            {
                **nothing,
                "revision": 2,
                "action": "TOKEN_CREATED",
                "summary": f"The operator created the token Token of {ada}",
                "users": [],
                "actor": operator,
            },
            {
                **nothing,
                "revision": 1,
                "action": "USERS_UPSERTED",
                "summary": "The operator added Ada",
                "users": [{"name": "Ada"}],
                "actor": operator,
            },
        ],
    }


async def test_a_token_that_is_no_persons_acts_under_its_own_name(ask: Asker) -> None:
    upsert = "mutation($input: UpsertBotsInput!) { upsertBots(input: $input) { revision } }"
    await ask(upsert, input={"bots": [{"name": "Coach"}]})
    change = (await ask(CHANGES))["changes"]["nodes"][0]
    assert change["actor"] == {"kind": "TOKEN", "name": "Token of ADMIN", "user": None}
    assert change["summary"] == "Token of ADMIN added Coach"


async def test_the_history_of_a_group_is_its_own(ask: Asker, acme: Viewer) -> None:
    bot = await make_bot(acme)
    group = await make_group(acme, "One")
    await make_group(acme, "Two", bots=[bot])
    await add_members(acme, BOTS, group, [bot])
    query = f'{{ group(id: "{group}") {{ changes {{ totalCount nodes {{ action }} }} }} }}'
    of_field = (await ask(query))["group"]["changes"]
    of_argument = (await ask(CHANGES, groupId=group))["changes"]
    assert of_field["totalCount"] == of_argument["totalCount"] == 2
    for found in (of_field, of_argument):
        assert [node["action"] for node in found["nodes"]] == ["BOTS_ADDED", "GROUP_CREATED"]
    for unknown in (new_id("grp"), "nonsense", ""):
        assert (await ask(CHANGES, groupId=unknown))["changes"]["totalCount"] == 0
    assert (await ask(CHANGES, groupId=None))["changes"]["totalCount"] == 5


async def test_a_group_that_is_gone_keeps_its_history(ask: Asker, acme: Viewer) -> None:
    group = await make_group(acme, "Sales")
    await delete_group(acme, group)
    changes = (await ask(CHANGES, groupId=group))["changes"]["nodes"]
    assert [change["action"] for change in changes] == ["GROUP_DELETED", "GROUP_CREATED"]
    assert {change["groupName"] for change in changes} == {"Sales"}
    assert {change["group"] for change in changes} == {None}


async def test_a_change_tells_those_whom_it_touched_less_those_who_are_gone(
    ask: Asker, acme: Viewer
) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    group = await make_group(acme)
    await add_members(acme, USERS, group, [ada, bob])
    delete = "mutation($input: DeleteUsersInput!) { deleteUsers(input: $input) { revision } }"
    await ask(delete, input={"userIds": [ada]})
    deleted, added = (await ask(CHANGES))["changes"]["nodes"][:2]
    assert (added["action"], added["users"]) == ("USERS_ADDED", [{"name": "Bob"}])
    assert (deleted["action"], deleted["users"]) == ("USERS_DELETED", [])
    assert deleted["summary"] == "Token of ADMIN deleted Ada"


async def test_revisions_have_no_gaps_and_the_clock_never_goes_back(
    ask: Asker, acme: Viewer
) -> None:
    for number in range(5):
        await make_bot(acme, f"Bot {number}")
    changes = (await ask("{ changes { nodes { revision at } } }"))["changes"]["nodes"]
    assert [change["revision"] for change in changes] == [6, 5, 4, 3, 2, 1]
    instants = [datetime.fromisoformat(change["at"]) for change in changes]
    assert instants == sorted(instants, reverse=True)
    assert {instant.utcoffset() for instant in instants} == {timedelta(0)}


# ----------------------------------------------------------------------------------------- tokens

TOKENS = """{ tokens { totalCount nodes {
    name role user { id } expiresAt lastUsedAt revokedAt } } }"""


async def test_tokens_are_told_newest_first_with_the_role_they_have(
    ask: Asker, acme: Viewer
) -> None:
    ada = await make_user(acme, role=Role.AUDITOR)
    expires = utc_now() + timedelta(days=1)
    await create_token(acme, "Of Ada", None, ada, expires)
    await create_token(acme, "Of Ada, for more", Role.ADMIN, ada)
    blank = {"user": None, "expiresAt": None, "lastUsedAt": None, "revokedAt": None}
    of_ada = {**blank, "user": {"id": ada}, "role": "AUDITOR"}
    assert (await ask(TOKENS))["tokens"] == {
        "totalCount": 3,
        "nodes": [
            {**of_ada, "name": "Of Ada, for more"},
            {**of_ada, "name": "Of Ada", "expiresAt": expires.isoformat().replace("+00:00", "Z")},
            {**blank, "name": "Token of ADMIN", "role": "ADMIN"},
        ],
    }


async def test_no_answer_holds_a_secret_or_its_hash(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    _, secret = await create_token(acme, "Bridge", Role.AUDITOR)
    response = await client.post(TOKENS, token=ask.token)
    assert "Bridge" in response.text
    assert secret not in response.text
    assert "hash" not in response.text
