"""`accessImpact` through the graph, and the revision that makes a write do just what it told."""

from collections.abc import Callable
from typing import Any

import pytest

from models.ids import new_id
from models.kinds import BOTS, KINDS, USERS, Kind
from models.membership_writes import add_members, remove_members
from models.organizations import create_organization
from models.tables import Role
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import (
    count_statements,
    make_bot,
    make_entries,
    make_group,
    make_persona,
    make_user,
    make_users,
)
from tests.refusals import unchanged

DIFFS = "totalCount botCount personaCount nodes { user { name } bots { name } personas { name } }"
IMPACT = f"""query($of: AccessImpactInput!) {{ accessImpact(of: $of) {{ revision
    gains {{ {DIFFS} }} losses {{ {DIFFS} }} kept {{ {DIFFS} }} }} }}"""


def diffs(*found: tuple[str, list[str], list[str]]) -> dict[str, Any]:
    """A list of users with the names of bots and personas."""
    return {
        "totalCount": len(found),
        "botCount": len({name for _, bots, _ in found for name in bots}),
        "personaCount": len({name for *_, personas in found for name in personas}),
        "nodes": [
            {
                "user": {"name": user},
                "bots": [{"name": name} for name in bots],
                "personas": [{"name": name} for name in personas],
            }
            for user, bots, personas in found
        ],
    }


async def test_deleting_a_group_tells_who_loses_and_who_keeps(ask: Asker, acme: Viewer) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    coach, guide = await make_bot(acme, "Coach"), await make_bot(acme, "Guide")
    buyer = await make_persona(acme, "Buyer")
    await make_group(acme, "Other", users=[ada], bots=[coach])
    group = await make_group(acme, "Sales", users=[bob, ada], bots=[guide, coach], personas=[buyer])
    impact = (await ask(IMPACT, of={"deleteGroup": group}))["accessImpact"]
    assert impact == {
        "revision": (await ask("{ organization { revision } }"))["organization"]["revision"],
        "gains": diffs(),
        "losses": diffs(("Ada", ["Guide"], ["Buyer"]), ("Bob", ["Coach", "Guide"], ["Buyer"])),
        "kept": diffs(("Ada", ["Coach"], [])),
    }


async def test_what_is_there_already_is_neither_gained_nor_kept(ask: Asker, acme: Viewer) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    coach = await make_bot(acme, "Coach")
    group = await make_group(acme, users=[ada], bots=[coach])
    of = {"addUsers": {"groupId": group, "userIds": [ada, bob, bob]}}
    impact = (await ask(IMPACT, of=of))["accessImpact"]
    assert (impact["gains"], impact["kept"]) == (diffs(("Bob", ["Coach"], [])), diffs())
    of = {"removeUsers": {"groupId": group, "userIds": [bob]}}
    assert (await ask(IMPACT, of=of))["accessImpact"]["losses"] == diffs()
    of = {"removeUsers": {"groupId": group, "userIds": []}}
    assert (await ask(IMPACT, of=of))["accessImpact"]["losses"] == diffs()


async def test_one_who_was_in_the_group_once_gains_it_all_again(ask: Asker, acme: Viewer) -> None:
    ada, coach = await make_user(acme, "Ada"), await make_bot(acme, "Coach")
    group = await make_group(acme, users=[ada], bots=[coach])
    for kind, id in ((USERS, ada), (BOTS, coach)):
        await remove_members(acme, kind, group, [id])
        of = {f"add{kind.plural.capitalize()}": {"groupId": group, kind.ids_field: [id]}}
        gains = (await ask(IMPACT, of=of))["accessImpact"]["gains"]
        assert gains == diffs(("Ada", ["Coach"], []))
        await add_members(acme, kind, group, [id])


async def test_an_impact_comes_in_pages(ask: Asker, acme: Viewer) -> None:
    users = await make_users(acme, 7)
    group = await make_group(acme, users=users, bots=[await make_bot(acme)])
    query = """query($of: AccessImpactInput!, $after: String, $before: String, $first: Int,
        $last: Int) { accessImpact(of: $of) { losses(first: $first, after: $after, last: $last,
        before: $before) { totalCount botCount nodes { user { name } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""

    async def walk(size: str, place: str, end: str, more: str) -> list[list[str]]:
        pages, cursor = [], None
        while True:
            variables = {"of": {"deleteGroup": group}, size: 3, place: cursor}
            page = (await ask(query, **variables))["accessImpact"]["losses"]
            assert (page["totalCount"], page["botCount"]) == (7, 1)  # of all, on each page
            pages.append([node["user"]["name"][-1] for node in page["nodes"]])
            if not page["pageInfo"][more]:
                return pages
            cursor = page["pageInfo"][end]

    assert await walk("first", "after", "endCursor", "hasNextPage") == [
        ["0", "1", "2"], ["3", "4", "5"], ["6"]
    ]  # fmt: skip
    assert await walk("last", "before", "startCursor", "hasPreviousPage") == [
        ["4", "5", "6"], ["1", "2", "3"], ["0"]
    ]  # fmt: skip


async def test_the_impact_on_ten_thousand_users_takes_no_more_statements_than_on_one(
    ask: Asker, acme: Viewer
) -> None:
    bots = await make_entries(acme, BOTS, [f"Bot {number:02}" for number in range(50)])
    large = await make_group(acme, "Large", bots=bots)
    for _ in range(10):
        users = await make_users(acme, 1_000)
        await add_members(acme, USERS, large, users)
    ada = await make_user(acme, "Ada")
    small = await make_group(acme, "Small", users=[ada], bots=bots[:2])
    await make_group(acme, "Keeps", users=[ada, users[-1]], bots=bots[:1])
    counts = []
    for group in (small, large):
        with count_statements() as statements:
            impact = (await ask(IMPACT, of={"deleteGroup": group}))["accessImpact"]
        counts.append(len(statements))
    # Who asks and whether the revision stands, eight for the impact, then users, bots and personas,
    # of losses and of keeps together or apart.
    assert max(counts) <= 16
    assert counts[1] - counts[0] <= 2
    assert impact["losses"]["totalCount"] == 10_000
    assert {len(node["bots"]) for node in impact["losses"]["nodes"]} == {50}
    assert impact["kept"] == diffs(("User 00999", ["Bot 00"], []))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_what_is_not_there_has_no_impact(
    ask: Asker, acme: Viewer, other: Viewer, kind: Kind
) -> None:
    ids, foreign = await make_entries(acme, kind, ["One"]), await make_entries(other, kind, ["Two"])
    group, group_of_other = await make_group(acme), await make_group(other)
    name = kind.plural.capitalize()

    def of(group_id: str, members: list[str]) -> dict[str, Any]:
        return {f"add{name}": {"groupId": group_id, kind.ids_field: members}}

    good = await ask(IMPACT, of=of(group, ids))
    assert good["accessImpact"]["gains"] == diffs()
    wrong = [of(group_of_other, ids), of(new_id("grp"), ids), of("nonsense", ids)]
    wrong += [of(group, [*ids, bad]) for bad in (*foreign, new_id(kind.prefix), "nonsense", "")]
    messages = {tuple(await ask.errors(IMPACT, of=each)) for each in wrong[:3]}
    assert len(messages) == 1  # a foreign id and an unknown one get the same answer
    for each in wrong:
        assert await ask.codes(IMPACT, of=each) == ["BAD_REQUEST"]


async def test_an_impact_is_of_one_write_of_at_most_a_thousand(ask: Asker, acme: Viewer) -> None:
    group = await make_group(acme)
    many = {"groupId": group, "userIds": [new_id("usr")] * 1_001}
    assert await ask.codes(IMPACT, of={"addUsers": many}) == ["LIMIT_EXCEEDED"]
    for of in ({}, {"deleteGroup": None}, {"deleteGroup": group, "addUsers": many}):
        assert await ask.codes(IMPACT, of=of) == ["BAD_REQUEST"]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
async def test_deleting_by_an_empty_id_is_answered_like_by_an_unknown_one(
    client: Client, acme: Viewer, role: Role
) -> None:
    ask = await asker(client, acme, user=await make_user(acme, role=role))
    answers = [await ask.errors(IMPACT, of={"deleteGroup": id}) for id in ("", new_id("grp"))]
    assert answers[0] == answers[1]


async def test_a_member_is_told_no_impact(client: Client, acme: Viewer) -> None:
    ada = await make_user(acme, "Ada")
    group = await make_group(acme, users=[ada])
    of = {"deleteGroup": group}
    ask = await asker(client, acme, user=ada)
    assert await ask.codes(IMPACT, of=of) == ["FORBIDDEN"]
    auditor = await asker(client, acme, Role.AUDITOR)
    assert (await auditor(IMPACT, of=of))["accessImpact"]["losses"] == diffs()


# ------------------------------------------------------------------------------ expectedRevision

Input = Callable[[dict[str, str]], dict[str, Any]]

WRITES: dict[str, Input] = {
    "createGroup": lambda ids: {"name": "New"},
    "updateGroup": lambda ids: {"id": ids["group"], "name": "New"},
    "deleteGroup": lambda ids: {"id": ids["group"]},
    "undoChange": lambda ids: {"changeId": ids["change"]},
    "upsertUsers": lambda ids: {"users": [{"name": "New", "email": "new@example.com"}]},
    "upsertBots": lambda ids: {"bots": [{"name": "New"}]},
    "upsertPersonas": lambda ids: {"personas": [{"name": "New"}]},
    "deleteUsers": lambda ids: {"userIds": [ids["user"]]},
    "deleteBots": lambda ids: {"botIds": [ids["bot"]]},
    "deletePersonas": lambda ids: {"personaIds": [ids["persona"]]},
    "addUsersToGroup": lambda ids: {"groupId": ids["group"], "userIds": [ids["user"]]},
    "addBotsToGroup": lambda ids: {"groupId": ids["group"], "botIds": [ids["bot"]]},
    "addPersonasToGroup": lambda ids: {"groupId": ids["group"], "personaIds": [ids["persona"]]},
    "removeUsersFromGroup": lambda ids: {"groupId": ids["full"], "userIds": [ids["user"]]},
    "removeBotsFromGroup": lambda ids: {"groupId": ids["full"], "botIds": [ids["bot"]]},
    "removePersonasFromGroup": lambda ids: {"groupId": ids["full"], "personaIds": [ids["persona"]]},
}


async def test_every_write_is_refused_at_another_revision_and_changes_nothing(
    client: Client, acme: Viewer
) -> None:
    for name, of in WRITES.items():
        organization = await create_organization(f"Of {name}")
        ask = await asker(client, organization)
        ids = {
            "user": await make_user(organization),
            "bot": await make_bot(organization),
            "persona": await make_persona(organization),
        }
        ids["full"] = await make_group(
            organization, "Full", users=[ids["user"]], bots=[ids["bot"]], personas=[ids["persona"]]
        )
        ids["group"] = await make_group(organization, "Group")
        newest = (await ask("{ changes(first: 1) { nodes { id revision } } }"))["changes"]["nodes"]
        ids["change"], revision = newest[0]["id"], newest[0]["revision"]
        type = f"{name[0].upper()}{name[1:]}Input"
        query = f"""mutation($input: {type}!) {{ {name}(input: $input) {{ revision
            userErrors {{ code field }} }} }}"""
        conflict = {"code": "CONFLICT", "field": ["input", "expectedRevision"]}

        for wrong in (revision - 1, revision + 1, 0, -1):
            async with unchanged(organization):
                told = await ask(query, input={**of(ids), "expectedRevision": wrong})
            assert told[name] == {"revision": revision, "userErrors": [conflict]}
        told = await ask(query, input={**of(ids), "expectedRevision": revision})
        assert told[name] == {"revision": revision + 1, "userErrors": []}


async def test_what_an_impact_told_can_be_committed_only_while_it_is_true(
    ask: Asker, acme: Viewer
) -> None:
    ada, bot = await make_user(acme, "Ada"), await make_bot(acme, "Coach")
    group = await make_group(acme, users=[ada], bots=[bot])
    revision = (await ask(IMPACT, of={"deleteGroup": group}))["accessImpact"]["revision"]
    await add_members(acme, USERS, group, [await make_user(acme, "Bob")])
    delete = """mutation($input: DeleteGroupInput!) { deleteGroup(input: $input) {
        deletedGroupId userErrors { code } } }"""
    told = await ask(delete, input={"id": group, "expectedRevision": revision})
    assert told["deleteGroup"] == {"deletedGroupId": None, "userErrors": [{"code": "CONFLICT"}]}

    impact = (await ask(IMPACT, of={"deleteGroup": group}))["accessImpact"]
    assert impact["losses"] == diffs(("Ada", ["Coach"], []), ("Bob", ["Coach"], []))
    told = await ask(delete, input={"id": group, "expectedRevision": impact["revision"]})
    assert told["deleteGroup"] == {"deletedGroupId": group, "userErrors": []}
