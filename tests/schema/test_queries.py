"""What can be asked about single rows: the viewer, the organization, nodes, each kind of row."""

from datetime import datetime

import pytest

from models.groups import create_group, delete_group
from models.ids import new_id
from models.kinds import BOTS, KINDS, PERSONAS, USERS
from models.tables import Role, UserStatus
from models.tokens import create_token
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_admin, make_bot, make_entry, make_group, make_persona, make_user

ROW = "query($id: ID!) { row: %s(id: $id) { %s } }"


async def test_the_viewer_of_a_person_is_that_person(client: Client, acme: Viewer) -> None:
    ada = await make_admin(acme, "Ada", email="ada@acme.example")
    bot, persona = await make_bot(acme), await make_persona(acme)
    group = await make_group(acme, users=[ada], bots=[bot], personas=[persona])
    await make_group(acme, "Without Ada", bots=[bot])
    ask = await asker(client, acme, user=ada)
    data = await ask("""{ viewer { role user { id email } organization { name }
        groups { totalCount nodes { id } }
        bots { totalCount edges { node { id } via { id } } }
        personas { totalCount nodes { id } } } }""")
    assert data["viewer"] == {
        "role": "ADMIN",
        "user": {"id": ada, "email": "ada@acme.example"},
        "organization": {"name": "Acme"},
        "groups": {"totalCount": 1, "nodes": [{"id": group}]},
        "bots": {"totalCount": 1, "edges": [{"node": {"id": bot}, "via": [{"id": group}]}]},
        "personas": {"totalCount": 1, "nodes": [{"id": persona}]},
    }


async def test_the_viewer_of_a_token_that_is_no_persons_has_a_role_only(
    auditor: Asker, acme: Viewer
) -> None:
    await make_group(acme, users=[await make_user(acme)], bots=[await make_bot(acme)])
    nothing: dict[str, object] = {"totalCount": 0, "nodes": []}
    data = await auditor("""{ viewer { role user { id } groups { totalCount nodes { id } }
        bots { totalCount nodes { id } } personas { totalCount nodes { id } } } }""")
    assert data["viewer"] == {
        "role": "AUDITOR",
        "user": None,
        "groups": nothing,
        "bots": nothing,
        "personas": nothing,
    }


async def test_a_persons_token_does_no_more_than_its_role_says(
    client: Client, acme: Viewer
) -> None:
    ada = await make_admin(acme)
    _, secret = await create_token(acme, "Reads only", Role.AUDITOR, ada)
    answer = await client.ask("{ viewer { role user { role } } }", token=secret)
    assert answer["data"]["viewer"] == {"role": "AUDITOR", "user": {"role": "ADMIN"}}


async def test_the_organization_counts_what_is_live(ask: Asker, acme: Viewer) -> None:
    await make_user(acme)
    await make_user(acme, status=UserStatus.DEACTIVATED)
    await make_bot(acme)
    gone = await make_group(acme, "Gone")
    await make_group(acme, "Here")
    await delete_group(acme, gone)
    data = await ask("""{ organization { id name revision
        groupCount userCount botCount personaCount } }""")
    assert data["organization"] == {
        "id": acme.organization_id,
        "name": "Acme",
        "revision": 7,  # the token that asks, and the six above
        "groupCount": 1,
        "userCount": 2,
        "botCount": 1,
        "personaCount": 0,
    }


async def test_an_answer_says_which_revision_it_shows(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    before = await client.ask("{ organization { revision } }", token=ask.token)
    await make_bot(acme)
    after = await client.ask("{ organization { revision } }", token=ask.token)
    for answer in (before, after):
        assert answer["extensions"]["revision"] == answer["data"]["organization"]["revision"]
    assert after["extensions"]["revision"] == before["extensions"]["revision"] + 1


# ------------------------------------------------------------------------------------------ rows


async def test_a_user_has_all_that_was_given(ask: Asker, acme: Viewer) -> None:
    id = await make_user(
        acme,
        "Ada Lovelace",
        email="Ada@Acme.example",
        role=Role.AUDITOR,
        external_id="u-1",
        avatar_url="https://acme.example/ada.png",
    )
    fields = "id externalId name email avatarUrl role status groupCount createdAt"
    user = (await ask(ROW % ("user", fields), id=id))["row"]
    assert datetime.fromisoformat(user.pop("createdAt")).utcoffset() is not None
    assert user == {
        "id": id,
        "externalId": "u-1",
        "name": "Ada Lovelace",
        "email": "Ada@Acme.example",
        "avatarUrl": "https://acme.example/ada.png",
        "role": "AUDITOR",
        "status": "ACTIVE",
        "groupCount": 0,
    }


async def test_a_bot_has_all_that_was_given(ask: Asker, acme: Viewer) -> None:
    given = {"description": "Listens.\nAsks.", "avatar_url": "/coach.png", "external_id": "b-1"}
    id = await make_bot(acme, "Coach", features=["Voice", "日本語"], **given)
    fields = "externalId name description avatarUrl features groupCount"
    assert (await ask(ROW % ("bot", fields), id=id))["row"] == {
        "externalId": "b-1",
        "name": "Coach",
        "description": "Listens.\nAsks.",
        "avatarUrl": "/coach.png",
        "features": ["Voice", "日本語"],
        "groupCount": 0,
    }


async def test_a_persona_has_all_that_was_given(ask: Asker, acme: Viewer) -> None:
    id = await make_persona(acme, "Buyer", description="In a hurry.")
    fields = "externalId name description avatarUrl groupCount"
    assert (await ask(ROW % ("persona", fields), id=id))["row"] == {
        "externalId": None,
        "name": "Buyer",
        "description": "In a hurry.",
        "avatarUrl": None,
        "groupCount": 0,
    }


async def test_a_group_tells_what_it_holds_and_since_when(client: Client, acme: Viewer) -> None:
    ada = await make_admin(acme, "Ada")
    ask = await asker(client, acme, user=ada)
    bot, persona = await make_bot(acme), await make_persona(acme)
    members = {"user": [ada], "persona": [persona]}
    id = (await create_group(acme, "Sales", "Sells.", members)).id
    add = "mutation($input: AddBotsToGroupInput!) { addBotsToGroup(input: $input) { revision } }"
    await ask(add, input={"groupId": id, "botIds": [bot]})
    edge = "edges { node { id } addedBy { kind name user { id } } }"
    fields = f"""name description userCount botCount personaCount
        users {{ {edge} }} bots {{ {edge} }} personas {{ {edge} }}"""
    operator = {"kind": "OPERATOR", "name": "The operator", "user": None}
    person = {"kind": "USER", "name": "Ada", "user": {"id": ada}}
    assert (await ask(ROW % ("group", fields), id=id))["row"] == {
        "name": "Sales",
        "description": "Sells.",
        "userCount": 1,
        "botCount": 1,
        "personaCount": 1,
        "users": {"edges": [{"node": {"id": ada}, "addedBy": operator}]},
        "bots": {"edges": [{"node": {"id": bot}, "addedBy": person}]},
        "personas": {"edges": [{"node": {"id": persona}, "addedBy": operator}]},
    }


async def test_a_group_was_updated_when_what_it_holds_changed(ask: Asker, acme: Viewer) -> None:
    bot = await make_bot(acme)
    id = await make_group(acme)
    query = ROW % ("group", "createdAt updatedAt bots { edges { addedAt } }")
    before = (await ask(query, id=id))["row"]
    assert before["createdAt"] == before["updatedAt"]
    add = "mutation($input: AddBotsToGroupInput!) { addBotsToGroup(input: $input) { revision } }"
    await ask(add, input={"groupId": id, "botIds": [bot]})
    after = (await ask(query, id=id))["row"]
    assert after["createdAt"] == before["createdAt"]
    assert after["updatedAt"] == after["bots"]["edges"][0]["addedAt"] >= before["updatedAt"]


async def test_a_group_offers_what_it_does_not_hold_yet(ask: Asker, acme: Viewer) -> None:
    inside = {kind: await make_entry(acme, kind, "Inside") for kind in KINDS}
    outside = {kind: await make_entry(acme, kind, "Outside") for kind in KINDS}
    id = await make_group(
        acme, users=[inside[USERS]], bots=[inside[BOTS]], personas=[inside[PERSONAS]]
    )
    for kind, field in zip(KINDS, ("Users", "Bots", "Personas"), strict=True):
        query = ROW % ("group", f"all: available{field} {{ totalCount nodes {{ id }} }}")
        found = (await ask(query, id=id))["row"]["all"]
        assert found == {"totalCount": 1, "nodes": [{"id": outside[kind]}]}


# ----------------------------------------------------------------------------------------- nodes

NODE = """query($id: ID!) { node(id: $id) { __typename id
    ... on Organization { name } ... on Group { name } ... on User { name } ... on Bot { name }
    ... on Persona { name } ... on Change { summary } ... on Token { name } } }"""


async def test_node_finds_whatever_has_an_id(ask: Asker, acme: Viewer) -> None:
    token, _ = await create_token(acme, "Bridge", Role.AUDITOR)
    rows = {
        "Organization": acme.organization_id,
        "Group": await make_group(acme),
        "User": await make_user(acme),
        "Bot": await make_bot(acme),
        "Persona": await make_persona(acme),
        "Token": str(token.id),
    }
    change = (await ask("{ changes(first: 1) { nodes { id } } }"))["changes"]["nodes"][0]["id"]
    for name, id in (rows | {"Change": change}).items():
        node = (await ask(NODE, id=id))["node"]
        assert (node["__typename"], node["id"]) == (name, id)


async def test_nodes_come_in_the_order_asked_with_gaps_where_there_are_none(
    ask: Asker, acme: Viewer
) -> None:
    bot, user = await make_bot(acme), await make_user(acme)
    ids = [bot, new_id("grp"), user, "nonsense", "", bot]
    data = await ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert data["nodes"] == [{"id": bot}, None, {"id": user}, None, None, {"id": bot}]


async def test_nodes_takes_a_hundred_ids(ask: Asker) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert (await ask(query, ids=["x"] * 100))["nodes"] == [None] * 100
    assert await ask.codes(query, ids=["x"] * 101) == ["LIMIT_EXCEEDED"]


@pytest.mark.parametrize("field", ["group", "user", "bot", "persona", "node"])
async def test_what_is_unknown_or_gone_is_null(ask: Asker, acme: Viewer, field: str) -> None:
    bot, group = await make_bot(acme), await make_group(acme)
    delete = "mutation($input: DeleteBotsInput!) { deleteBots(input: $input) { revision } }"
    await ask(delete, input={"botIds": [bot]})
    await delete_group(acme, group)
    for id in (bot, group, new_id("usr"), new_id("org"), new_id("tok"), "", "grp_", "grp_x", "🎉"):
        assert (await ask(ROW % (field, "id"), id=id))["row"] is None


async def test_a_field_of_one_kind_finds_no_other(ask: Asker, acme: Viewer) -> None:
    user = await make_user(acme)
    for field in ("group", "bot", "persona"):
        assert (await ask(ROW % (field, "id"), id=user))["row"] is None
