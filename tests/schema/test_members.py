"""What the three roles see: a MEMBER its own groups and what they hold, by whatever path."""

from dataclasses import dataclass
from typing import Any

import pytest

from models.directory import delete_entries
from models.groups import delete_group, update_group
from models.history import changes
from models.kinds import BOTS, KINDS, PERSONAS, USERS
from models.ledger import utc_now
from models.listing import Slice, fetch_page
from models.membership_writes import add_members, remove_members
from models.tables import Role
from models.tokens import create_token
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_bot, make_entries, make_entry, make_group, make_user, snapshot
from tests.schema.organizations import furnish
from tests.schema.walking import (
    NO_LIMITS,
    Ids,
    arguments_of,
    assert_like_unknown,
    texts,
    walk,
    without_revisions,
)
from tests.schema.writing import MUTATION, document

OUTSIDE = "outside"


@pytest.fixture
def options() -> dict[str, Any]:
    """A service that takes queries of any size."""
    return NO_LIMITS


@dataclass(frozen=True)
class Team:
    """A member, and ids of what it may see and of what it may not."""

    ask: Asker
    ids: Ids
    outside: Ids


@pytest.fixture
async def team(client: Client, acme: Viewer) -> Team:
    """Mia and Max in one group with a bot and a persona, and all else outside of it.

    A bot and a teammate are in a group outside as well. Others were in Mia's group, and Mia was in
    another one, with others: at the moment that is asked about, too.
    """
    people = [
        {"name": n, "email": f"{n.lower()}@private.example", "external_id": f"private-{n}"}
        for n in ("Mia", "Max")
    ]
    mia, max_ = (await upsert_entries(acme, USERS, people)).changed
    bot = await make_bot(acme, "Coach", description="Ours.")
    persona = await make_entry(acme, PERSONAS, "Buyer")
    group = await make_group(acme, "Team", users=[mia, max_], bots=[bot], personas=[persona])
    await update_group(acme, group, {"description": "Ours."})
    page = await fetch_page(changes(acme, group), Slice(10))
    outside = await furnish(acme, OUTSIDE, prefix="Outside ")
    for kind, id in ((USERS, max_), (BOTS, bot), (PERSONAS, persona)):
        await add_members(acme, kind, outside.by_noun["group"][0], [id])
    former = {kind: await make_entry(acme, kind, "Former") for kind in KINDS}
    left = await make_group(acme, "Outside by now", users=[mia, max_], bots=[former[BOTS]])
    for kind, id in former.items():
        await add_members(acme, kind, group, [id])
    then = utc_now()
    for kind, id in former.items():
        await remove_members(acme, kind, group, [id])
        outside.by_noun[kind.noun].append(id)
    await remove_members(acme, USERS, left, [mia])
    outside.by_noun["group"].append(left)
    own = {"user": [mia, max_], "bot": [bot], "persona": [persona], "group": [group]}
    own["change"] = [row["id"] for row in page.rows]
    own["organization"] = [acme.organization_id]
    return Team(await asker(client, acme, user=mia), Ids(own, [then]), outside)


def everything(team: Team) -> Ids:
    """What it may see, and then all the rest."""
    own, outside = team.ids.by_noun, team.outside.by_noun
    by_noun = {noun: own.get(noun, []) + outside[noun] for noun in outside}
    return Ids(by_noun, team.ids.moments)


async def test_no_path_leads_a_member_out_of_its_groups(team: Team) -> None:
    answers = await walk(team.ask, everything(team))
    found = set(texts(list(answers.values())))
    assert {"Mia", "Max", "Coach", "Buyer", "Team", "mia@private.example"} <= found
    assert "The operator added 3 users" not in found
    whole = "\n".join(found)
    hidden = [
        id for noun, ids in team.outside.by_noun.items() for id in ids if noun != "organization"
    ]
    for trace in ("outside", "Outside", "max@private", "private-Max", *hidden):
        assert trace not in whole


async def test_what_is_outside_of_its_groups_is_to_a_member_like_what_never_was(
    team: Team,
) -> None:
    by_noun = {noun: ids for noun, ids in team.outside.by_noun.items() if noun != "organization"}
    await assert_like_unknown(team.ask, Ids(by_noun, team.ids.moments))


async def change_outside(team: Team, acme: Viewer) -> None:
    """Change all sorts of things that the member may not see, also of what it may see."""
    ids = {noun: team.ids.by_noun[noun][-1:] for noun in ("user", "bot", "persona")}
    users = [ids["user"][0], await make_user(acme, "Outside Too")]
    await make_group(acme, "Outside Too", users=users, bots=ids["bot"], personas=ids["persona"])
    await make_entries(acme, BOTS, ["Outside Three", "Outside Four"])
    outside = team.outside.by_noun
    await update_group(acme, outside["group"][0], {"name": "A"})
    await delete_group(acme, outside["group"][-1])
    max_ = {"name": "Max", "external_id": "private-Max", "email": "a@private.example"}
    await upsert_entries(acme, USERS, [max_])
    for kind in (BOTS, PERSONAS):
        former = {"id": outside[kind.noun][-1], "name": "A", "description": "Outside"}
        await upsert_entries(acme, kind, [former])
    await delete_entries(acme, BOTS, outside["bot"][-1:])
    await delete_entries(acme, USERS, outside["user"][-1:])
    await create_token(acme, "Outside", None, ids["user"][0])


async def test_what_happens_outside_of_its_groups_changes_no_answer_to_a_member(
    team: Team, acme: Viewer
) -> None:
    before = await walk(team.ask, team.ids)
    await change_outside(team, acme)
    after = await walk(team.ask, team.ids)
    assert list(map(without_revisions, after.values())) == list(
        map(without_revisions, before.values())
    )


async def test_a_member_sees_itself_its_teammates_and_their_groups(team: Team) -> None:
    data = await team.ask("""{ organization { groupCount userCount botCount personaCount }
        groups { totalCount nodes { name userCount } }
        users { totalCount nodes { name email externalId groupCount groups { nodes { name } } } }
        bots { totalCount nodes { name groupCount users { totalCount edges { via { name } } } } }
        personas { totalCount nodes { name groups { totalCount } } }
        changes(last: 2) { nodes { action groupName } } }""")
    groups = {"nodes": [{"name": "Team"}]}
    via = [{"via": [{"name": "Team"}]}] * 2
    assert data == {
        "organization": {"groupCount": 1, "userCount": 2, "botCount": 1, "personaCount": 1},
        "groups": {"totalCount": 1, "nodes": [{"name": "Team", "userCount": 2}]},
        "users": {
            "totalCount": 2,
            "nodes": [
                {"name": "Max", "email": "", "externalId": None, "groupCount": 1, "groups": groups},
                {
                    "name": "Mia",
                    "email": "mia@private.example",
                    "externalId": "private-Mia",
                    "groupCount": 1,
                    "groups": groups,
                },
            ],
        },
        "bots": {
            "totalCount": 1,
            "nodes": [{"name": "Coach", "groupCount": 1, "users": {"totalCount": 2, "edges": via}}],
        },
        "personas": {"totalCount": 1, "nodes": [{"name": "Buyer", "groups": {"totalCount": 1}}]},
        "changes": {
            "nodes": [
                {"action": "GROUP_UPDATED", "groupName": "Team"},
                {"action": "GROUP_CREATED", "groupName": "Team"},
            ]
        },
    }


async def test_a_member_does_not_find_people_by_an_email_that_it_may_not_see(team: Team) -> None:
    query = """query($search: String) { users(search: $search) { nodes { name } }
        groups { nodes { users(search: $search) { nodes { name } } } }
        bots { nodes { users(search: $search) { nodes { name } } } } }"""
    for search in ("max@private", "private.example", "@"):
        found = set(texts(await team.ask(query, search=search)))
        assert "Max" not in found


async def test_a_member_in_no_group_sees_itself_only(client: Client, acme: Viewer) -> None:
    await furnish(acme, OUTSIDE)
    ask = await asker(client, acme, user=await make_user(acme, "Solo"))
    data = await ask("""{ users { nodes { name } } groups { totalCount } bots { totalCount }
        personas { totalCount } changes { totalCount } }""")
    nothing = {"totalCount": 0}
    assert data == {
        "users": {"nodes": [{"name": "Solo"}]},
        **dict.fromkeys(("groups", "bots", "personas", "changes"), nothing),
    }


async def test_one_who_leaves_a_group_sees_it_no_more(team: Team, acme: Viewer) -> None:
    group = team.ids.by_noun["group"][0]
    admin = await asker(team.ask.client, acme)
    remove = document("removeUsersFromGroup")
    await admin(remove, input={"groupId": group, "userIds": team.ids.by_noun["user"][:1]})
    data = await team.ask(f"""{{ group(id: "{group}") {{ id }} bots {{ totalCount }}
        users {{ nodes {{ name }} }} changes(groupId: "{group}") {{ totalCount }} }}""")
    assert data == {
        "group": None,
        "bots": {"totalCount": 0},
        "users": {"nodes": [{"name": "Mia"}]},
        "changes": {"totalCount": 0},
    }


@pytest.mark.parametrize("field", ["availableUsers", "availableBots", "availablePersonas"])
async def test_a_member_is_not_told_what_its_group_lacks(team: Team, field: str) -> None:
    query = f"{{ groups {{ nodes {{ {field} {{ totalCount nodes {{ id }} }} }} }} }}"
    assert await team.ask.codes(query) == ["FORBIDDEN"]


async def test_a_member_sees_no_tokens(team: Team) -> None:
    assert await team.ask.codes("{ tokens { totalCount } }") == ["FORBIDDEN"]
    token = team.outside.by_noun["token"][0]
    assert await team.ask(f'{{ node(id: "{token}") {{ id }} }}') == {"node": None}


async def test_what_is_refused_takes_nothing_from_what_is_asked_beside_it(team: Team) -> None:
    group = team.ids.by_noun["group"][0]
    fields = "nodes { groupCount groups { nodes { name } } }"
    answer = await team.ask.client.ask(
        f"""{{ mine: viewer {{ user {{ groupCount groups {{ nodes {{ name }} }} }} }}
            refused: group(id: "{group}") {{ users {{ {fields} }} availableUsers {{ {fields} }} }}
            also: node(id: "{group}") {{ ... on Group {{ users {{ {fields} }} }} }} }}""",
        token=team.ask.token,
    )
    one = {"groupCount": 1, "groups": {"nodes": [{"name": "Team"}]}}
    assert [error["path"] for error in answer["errors"]] == [["refused", "availableUsers"]]
    assert answer["data"] == {
        "mine": {"user": one},
        "refused": None,
        "also": {"users": {"nodes": [one, one]}},
    }


# ------------------------------------------------------------------------------ auditors, writes


async def test_an_auditor_reads_what_an_administrator_reads(
    client: Client, acme: Viewer, auditor: Asker, ask: Asker
) -> None:
    ids = await furnish(acme, OUTSIDE)

    def less_role(answers: dict[str, Any]) -> list[Any]:
        return [answer for name, answer in answers.items() if name != "viewer"]

    assert less_role(await walk(auditor, ids, steps=1)) == less_role(await walk(ask, ids, steps=1))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_only_an_administrator_writes(client: Client, acme: Viewer, role: Role) -> None:
    ids = await furnish(acme, OUTSIDE)
    ask = await asker(client, acme, user=await make_user(acme, role=role))
    before = await snapshot(acme.organization_id)
    for name, mutation in MUTATION.fields.items():
        written = list(arguments_of(name, mutation, ids))
        assert written
        for arguments in written:
            query = f"mutation {{ {name}{arguments} {{ revision }} }}"
            assert await ask.errors(query) == [
                ("FORBIDDEN", "Only administrators may change anything.")
            ]
    assert await snapshot(acme.organization_id) == before
