"""Creating, updating and deleting groups."""

from typing import Any

import pytest

from models.ids import new_id
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.viewer import Viewer
from tests.client import Asker
from tests.factories import make_bot, make_entry, make_group, make_persona, make_user
from tests.schema.writing import TOO_MANY, refused, unchanged, write

WHOLE = """group { id name description userCount botCount personaCount
    users { nodes { id } } bots { nodes { id } } personas { nodes { id } } }"""


async def revision_of(ask: Asker) -> int:
    revision: int = (await ask("{ organization { revision } }"))["organization"]["revision"]
    return revision


# -------------------------------------------------------------------------------------- creating


async def test_a_group_is_created_with_its_members(ask: Asker, acme: Viewer) -> None:
    user, bot, persona = await make_user(acme), await make_bot(acme), await make_persona(acme)
    before = await revision_of(ask)
    payload = await write(
        ask,
        "createGroup",
        WHOLE,
        name="  Sales ",
        description="They sell.\nA lot.",
        userIds=[user, user],
        botIds=[bot],
        personaIds=[persona],
        expectedRevision=before,
    )
    assert payload["revision"] == before + 1
    group = payload["group"]
    assert group["id"].startswith("grp_")
    del group["id"], group["__typename"]
    assert group == {
        "name": "Sales",
        "description": "They sell.\nA lot.",
        "userCount": 1,
        "botCount": 1,
        "personaCount": 1,
        "users": {"nodes": [{"id": user}]},
        "bots": {"nodes": [{"id": bot}]},
        "personas": {"nodes": [{"id": persona}]},
    }


async def test_the_edge_of_a_new_group_is_a_place_in_the_list(ask: Asker, acme: Viewer) -> None:
    await make_group(acme, "A")
    await make_group(acme, "C")
    edge = (await write(ask, "createGroup", "edge { cursor node { name } }", name="B"))["edge"]
    assert edge["node"] == {"name": "B"}
    after = await ask(
        "query($c: String) { groups(after: $c) { nodes { name } } }", c=edge["cursor"]
    )
    assert after["groups"]["nodes"] == [{"name": "C"}]


@pytest.mark.parametrize("empty", [{}, {"description": None, "userIds": None}, {"userIds": []}])
async def test_a_group_may_be_created_with_a_name_only(ask: Asker, empty: dict[str, Any]) -> None:
    group = (await write(ask, "createGroup", WHOLE, name="Empty", **empty))["group"]
    assert (group["description"], group["userCount"], group["botCount"]) == (None, 0, 0)


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"name": ""}, [("BLANK", "input.name")]),
        ({"name": " \t "}, [("BLANK", "input.name")]),
        ({"name": "x" * 121}, [("TOO_LONG", "input.name")]),
        ({"name": "a\x00b"}, [("INVALID", "input.name")]),
        ({"name": "two\nlines"}, [("INVALID", "input.name")]),
        ({"name": "N", "description": "x" * 2_001}, [("TOO_LONG", "input.description")]),
        ({"name": "N", "description": "bell \x07"}, [("INVALID", "input.description")]),
        (
            {"name": "", "description": "x" * 2_001},
            [("BLANK", "input.name"), ("TOO_LONG", "input.description")],
        ),
        ({"name": "sALES"}, [("TAKEN", "input.name")]),
        ({"name": "N", "userIds": TOO_MANY}, [("TOO_MANY", "input.userIds")]),
        ({"name": "N", "botIds": TOO_MANY}, [("TOO_MANY", "input.botIds")]),
        ({"name": "N", "personaIds": TOO_MANY}, [("TOO_MANY", "input.personaIds")]),
        ({"name": "N", "expectedRevision": 0}, [("CONFLICT", "input.expectedRevision")]),
        ({"name": "N", "expectedRevision": 10**9}, [("CONFLICT", "input.expectedRevision")]),
    ],
    ids=lambda value: None if isinstance(value, dict) else "+".join(code for code, _ in value),
)
async def test_a_group_that_makes_no_sense_is_not_created(
    ask: Asker, acme: Viewer, given: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    await make_group(acme, "Sales")
    assert await refused(ask, "createGroup", **given) == errors


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_group_is_not_created_with_members_who_do_not_exist(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    here = await make_entry(acme, kind, "Here")
    ids = [here, new_id(kind.prefix), "", here, acme.organization_id]
    assert await refused(ask, "createGroup", name="N", **{kind.ids_field: ids}) == [
        ("NOT_FOUND", f"input.{kind.ids_field}.{index}") for index in (1, 2, 4)
    ]


# -------------------------------------------------------------------------------------- updating


async def test_a_group_is_renamed_and_described(ask: Asker, acme: Viewer) -> None:
    id = await make_group(acme, "Old")
    new = {"id": id, "name": " New ", "description": "What it is for."}
    payload = await write(ask, "updateGroup", "group { name description }", **new)
    assert payload["group"]["name"] == "New"
    assert payload["group"]["description"] == "What it is for."


async def test_what_an_update_leaves_out_stays(ask: Asker, acme: Viewer) -> None:
    id = await make_group(acme, "Sales")
    selection = "group { name description }"
    await write(ask, "updateGroup", selection, id=id, description="Kept")
    renamed = await write(ask, "updateGroup", selection, id=id, name="Marketing")
    assert (renamed["group"]["name"], renamed["group"]["description"]) == ("Marketing", "Kept")
    for nothing in ({}, {"name": None}, {"name": "Marketing"}, {"description": " Kept "}):
        await unchanged(ask, "updateGroup", id=id, **nothing)


@pytest.mark.parametrize("empty", [None, "", "  "])
async def test_null_takes_a_description_away(ask: Asker, acme: Viewer, empty: str | None) -> None:
    id = await make_group(acme, "Sales")
    await write(ask, "updateGroup", id=id, description="Something")
    payload = await write(ask, "updateGroup", "group { description }", id=id, description=empty)
    assert payload["group"]["description"] is None


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"name": ""}, [("BLANK", "input.name")]),
        ({"name": "x" * 121}, [("TOO_LONG", "input.name")]),
        ({"name": "\x1b[0m"}, [("INVALID", "input.name")]),
        ({"description": "x" * 2_001}, [("TOO_LONG", "input.description")]),
        (
            {"name": " ", "description": "\x00"},
            [("BLANK", "input.name"), ("INVALID", "input.description")],
        ),
        ({"name": "MARKETING"}, [("TAKEN", "input.name")]),
        ({"name": "N", "id": "grp_"}, [("NOT_FOUND", "input.id")]),
        ({"name": "N", "expectedRevision": 1}, [("CONFLICT", "input.expectedRevision")]),
    ],
)
async def test_an_update_that_makes_no_sense_is_refused(
    ask: Asker, acme: Viewer, given: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    await make_group(acme, "Marketing")
    id = await make_group(acme, "Sales")
    assert await refused(ask, "updateGroup", **{"id": id, **given}) == errors


# -------------------------------------------------------------------------------------- deleting


async def test_a_deleted_group_is_gone_and_gives_nothing(ask: Asker, acme: Viewer) -> None:
    user, bot, persona = await make_user(acme), await make_bot(acme), await make_persona(acme)
    id = await make_group(acme, users=[user], bots=[bot], personas=[persona])
    revision = await revision_of(ask)
    payload = await write(ask, "deleteGroup", id=id, expectedRevision=revision)
    assert (payload["deletedGroupId"], payload["revision"]) == (id, revision + 1)
    data = await ask(f"""{{ group(id: "{id}") {{ id }} organization {{ groupCount }}
        user(id: "{user}") {{ groupCount bots {{ totalCount }} personas {{ totalCount }} }}
        bot(id: "{bot}") {{ groupCount }} }}""")
    assert data == {
        "group": None,
        "organization": {"groupCount": 0},
        "user": {"groupCount": 0, "bots": {"totalCount": 0}, "personas": {"totalCount": 0}},
        "bot": {"groupCount": 0},
    }


async def test_a_group_is_deleted_once(ask: Asker, acme: Viewer) -> None:
    id = await make_group(acme)
    await write(ask, "deleteGroup", id=id)
    assert await refused(ask, "deleteGroup", id=id) == [("NOT_FOUND", "input.id")]


async def test_a_group_is_not_deleted_unseen(ask: Asker, acme: Viewer) -> None:
    id = await make_group(acme)
    stale = await revision_of(ask)
    await make_bot(acme)
    assert await refused(ask, "deleteGroup", id=id, expectedRevision=stale) == [
        ("CONFLICT", "input.expectedRevision")
    ]


# ------------------------------------------------------------------------------ adding, removing

kinds = pytest.mark.parametrize("kind", [USERS, BOTS, PERSONAS], ids=lambda kind: kind.noun)


def add(kind: Kind) -> str:
    return f"add{kind.plural.title()}ToGroup"


def remove(kind: Kind) -> str:
    return f"remove{kind.plural.title()}FromGroup"


def counted(kind: Kind) -> str:
    return f"group {{ count: {kind.noun}Count all: {kind.plural} {{ nodes {{ name }} }} }}"


@kinds
async def test_members_are_added_and_removed(ask: Asker, acme: Viewer, kind: Kind) -> None:
    group = await make_group(acme)
    ids = [await make_entry(acme, kind, name) for name in ("B", "A", "C")]
    edges = f"{counted(kind)} addedEdges {{ cursor addedAt addedBy {{ kind }} node {{ id }} }}"
    added = await write(ask, add(kind), edges, groupId=group, **{kind.ids_field: ids})
    assert [edge["node"]["id"] for edge in added["addedEdges"]] == ids
    assert {edge["addedBy"]["kind"] for edge in added["addedEdges"]} == {"TOKEN"}
    assert added["group"]["count"] == 3
    assert [node["name"] for node in added["group"]["all"]["nodes"]] == ["A", "B", "C"]
    gone = [ids[2], ids[0]]
    removed = await write(ask, remove(kind), counted(kind), groupId=group, **{kind.ids_field: gone})
    assert removed[f"removed{kind.ids_field[0].upper()}{kind.ids_field[1:]}"] == gone
    assert removed["group"]["all"]["nodes"] == [{"name": "A"}]
    assert removed["group"]["count"] == 1


@kinds
async def test_the_edge_of_a_new_member_is_its_place_in_the_list(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    group = await make_group(acme)
    ids = [await make_entry(acme, kind, name) for name in ("A", "B", "C")]
    selection = "addedEdges { cursor }"
    added = await write(ask, add(kind), selection, groupId=group, **{kind.ids_field: ids})
    query = f"""query($id: ID!, $after: String) {{
        group(id: $id) {{ all: {kind.plural}(after: $after) {{ nodes {{ name }} }} }} }}"""
    found = await ask(query, id=group, after=added["addedEdges"][1]["cursor"])
    assert found["group"]["all"]["nodes"] == [{"name": "C"}]


@kinds
async def test_a_retry_is_safe(ask: Asker, acme: Viewer, kind: Kind) -> None:
    group, id = await make_group(acme), await make_entry(acme, kind, "One")
    more = await make_entry(acme, kind, "More")
    ids = {"groupId": group, kind.ids_field: [id, id]}
    await unchanged(ask, remove(kind), **ids)
    await write(ask, add(kind), **ids)
    assert (await unchanged(ask, add(kind), **ids))["addedEdges"] == []
    partly = {"groupId": group, kind.ids_field: [id, more]}
    added = await write(ask, add(kind), "addedEdges { node { id } }", **partly)
    assert [edge["node"]["id"] for edge in added["addedEdges"]] == [more]
    await write(ask, remove(kind), **partly)
    await unchanged(ask, remove(kind), **partly)


@kinds
async def test_a_write_about_members_is_all_or_nothing(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    group, id = await make_group(acme), await make_entry(acme, kind, "One")
    inside = await make_entry(acme, kind, "Inside")
    await write(ask, add(kind), groupId=group, **{kind.ids_field: [inside]})
    ids = [id, new_id(kind.prefix), inside, "nonsense", new_id("grp")]
    missing = [("NOT_FOUND", f"input.{kind.ids_field}.{index}") for index in (1, 3, 4)]
    for mutation in (add(kind), remove(kind)):
        assert await refused(ask, mutation, groupId=group, **{kind.ids_field: ids}) == missing


@kinds
async def test_a_write_about_members_is_refused_for_its_own_reasons(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    group, id = await make_group(acme), await make_entry(acme, kind, "One")
    for mutation in (add(kind), remove(kind)):
        for given, error in (
            ({"groupId": new_id("grp")}, ("NOT_FOUND", "input.groupId")),
            ({"groupId": ""}, ("NOT_FOUND", "input.groupId")),
            ({kind.ids_field: TOO_MANY}, ("TOO_MANY", f"input.{kind.ids_field}")),
            ({"expectedRevision": 1}, ("CONFLICT", "input.expectedRevision")),
        ):
            input = {"groupId": group, kind.ids_field: [id], **given}
            assert await refused(ask, mutation, **input) == [error]
        await unchanged(ask, mutation, **{"groupId": group, kind.ids_field: []})


async def test_no_more_than_a_hundred_errors_are_told(ask: Asker, acme: Viewer) -> None:
    group = await make_group(acme)
    errors = await refused(ask, "addUsersToGroup", groupId=group, userIds=TOO_MANY[:1_000])
    assert errors == [("NOT_FOUND", f"input.userIds.{index}") for index in range(100)]


# --------------------------------------------------------------------------------------- undoing


async def test_a_deleted_group_is_brought_back_as_it_was(ask: Asker, acme: Viewer) -> None:
    user, bot = await make_user(acme), await make_bot(acme)
    id = await make_group(acme, "Sales", users=[user], bots=[bot])
    before = await ask(
        f"query($id: ID!) {{ {WHOLE.replace('group', 'group(id: $id)', 1)} }}", id=id
    )
    await write(ask, "deleteGroup", id=id)
    newest = "{ changes(first: 2) { nodes { id action group { id } undoneBy { id } } } }"
    deletion = (await ask(newest))["changes"]["nodes"][0]
    selection = f"change {{ id action group {{ id }} undoneBy {{ id }} }} {WHOLE}"
    payload = await write(ask, "undoChange", selection, changeId=deletion["id"])
    for part in ("change", "group"):
        del payload[part]["__typename"]
    assert payload["group"] == before["group"]
    undo, undone = (await ask(newest))["changes"]["nodes"]
    assert payload["change"] == undo
    assert (undo["action"], undo["group"]) == ("CHANGE_UNDONE", {"id": id})
    assert (undone["id"], undone["undoneBy"]) == (deletion["id"], {"id": undo["id"]})


async def test_what_cannot_be_undone_is_refused(ask: Asker, acme: Viewer) -> None:
    await make_user(acme)
    of_user = (await ask("{ changes(first: 1) { nodes { id } } }"))["changes"]["nodes"][0]["id"]
    assert await refused(ask, "undoChange", changeId=of_user) == [("INVALID", "input.changeId")]
    for unknown in (new_id("chg"), ""):
        errors = await refused(ask, "undoChange", changeId=unknown)
        assert errors == [("NOT_FOUND", "input.changeId")]
