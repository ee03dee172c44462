"""The root's lists: what they hold, how they are searched and sorted."""

import pytest

from models.groups import update_group
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.membership_writes import add_members
from models.sql import SEARCH_LENGTH
from models.tables import UserStatus
from models.viewer import Viewer
from tests.client import Asker
from tests.factories import make_bot, make_entries, make_entry, make_group, make_user, make_users


async def names(ask: Asker, field: str, arguments: str = "first: 100") -> list[str]:
    """The names in a list of the root, in its order."""
    data = await ask(f"{{ list: {field}({arguments}) {{ totalCount nodes {{ name }} }} }}")
    assert data["list"]["totalCount"] == len(data["list"]["nodes"])
    return [node["name"] for node in data["list"]["nodes"]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_list_is_sorted_by_name_whatever_its_case(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    await make_entries(acme, kind, ["bob", "Ada", "ÉMILE", "Zoë", "cid", "émile", "10", "Ａ"])
    assert await names(ask, kind.plural) == [
        "10", "Ada", "bob", "cid", "Zoë", "ÉMILE", "émile", "Ａ"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ADA", ["Ada Lovelace"]),
        ("ace", ["Ada Lovelace"]),
        (" love ", ["Ada Lovelace"]),
        ("straße", ["STRASSE"]),
        ("strasse", ["STRASSE"]),
        ("e\u0301mile", ["Émile"]),
        ("100%", ["100% Sure"]),
        ("%", ["100% Sure"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("'", ["O'Neill"]),
        ("nobody", []),
        (
            "",
            [
                "100% Sure",
                "Ada Lovelace",
                "back\\slash",
                "O'Neill",
                "snake_case",
                "STRASSE",
                "Émile",
            ],
        ),
    ],
)
@pytest.mark.parametrize("field", ["users", "bots", "personas", "groups"])
async def test_a_search_finds_what_contains_it(
    ask: Asker, acme: Viewer, field: str, search: str, found: list[str]
) -> None:
    given = [
        "Ada Lovelace",
        "Émile",
        "STRASSE",
        "100% Sure",
        "snake_case",
        "back\\slash",
        "O'Neill",
    ]
    if field == "groups":
        for name in given:
            await make_group(acme, name)
    else:
        await make_entries(acme, next(kind for kind in KINDS if kind.plural == field), given)
    query = (
        f"query($search: String) {{ {field}(search: $search) {{ totalCount nodes {{ name }} }} }}"
    )
    page = (await ask(query, search=search))[field]
    assert [node["name"] for node in page["nodes"]] == found
    assert page["totalCount"] == len(found)


async def test_users_are_found_by_email_too(ask: Asker, acme: Viewer) -> None:
    await make_user(acme, "Ada", email="countess@acme.example")
    await make_user(acme, "Bob", email="bob@acme.example")
    assert await names(ask, "users", 'search: "COUNTESS@"') == ["Ada"]
    assert await names(ask, "users", 'search: "acme"') == ["Ada", "Bob"]


@pytest.mark.parametrize(
    "search", ["x" * (SEARCH_LENGTH + 1), "a\x00b", "a\nb"], ids=["long", "nul", "line"]
)
async def test_a_search_for_what_no_name_can_be_is_refused(ask: Asker, search: str) -> None:
    query = "query($search: String) { groups(search: $search) { totalCount } }"
    assert await ask.codes(query, search=search) == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("kind", "field"), [(USERS, "users"), (BOTS, "bots"), (PERSONAS, "personas")]
)
async def test_what_a_group_holds_or_lacks_can_be_searched(
    ask: Asker, acme: Viewer, kind: Kind, field: str
) -> None:
    inside = await make_entries(acme, kind, ["In One", "In Two"])
    await make_entries(acme, kind, ["Out One", "Out Two"])
    group = await make_group(acme)
    await add_members(acme, kind, group, inside)
    data = await ask(f"""{{ group(id: "{group}") {{
        in: {field}(search: "ONE") {{ totalCount nodes {{ name }} }}
        out: available{field.title()}(search: "one") {{ totalCount nodes {{ name }} }} }} }}""")
    assert data["group"]["in"] == {"totalCount": 1, "nodes": [{"name": "In One"}]}
    assert data["group"]["out"] == {"totalCount": 1, "nodes": [{"name": "Out One"}]}


async def test_what_somebody_reaches_can_be_searched(ask: Asker, acme: Viewer) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    bots = await make_entries(acme, BOTS, ["Coach", "Critic"])
    await make_group(acme, "One", users=[ada, bob], bots=bots)
    await make_group(acme, "Two", users=[ada], bots=bots)
    data = await ask(f"""{{
        user(id: "{ada}") {{ bots(search: "coa") {{ totalCount nodes {{ name }} }} }}
        bot(id: "{bots[0]}") {{ users(search: "bob") {{ totalCount nodes {{ name }} }} }} }}""")
    assert data["user"]["bots"] == {"totalCount": 1, "nodes": [{"name": "Coach"}]}
    assert data["bot"]["users"] == {"totalCount": 1, "nodes": [{"name": "Bob"}]}


async def test_users_can_be_told_apart_by_status(ask: Asker, acme: Viewer) -> None:
    await make_user(acme, "Ada")
    await make_user(acme, "Bob", status=UserStatus.DEACTIVATED)
    assert await names(ask, "users", "status: ACTIVE") == ["Ada"]
    assert await names(ask, "users", "status: DEACTIVATED") == ["Bob"]
    assert await names(ask, "users", "status: null") == ["Ada", "Bob"]
    assert await names(ask, "users", 'status: ACTIVE, search: "b"') == []


# --------------------------------------------------------------------------------------- sorting


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("NAME", ["Alpha", "beta", "Gamma"]),
        ("CREATED_AT", ["Gamma", "Alpha", "beta"]),
        ("UPDATED_AT", ["Alpha", "beta", "Gamma"]),
        ("USER_COUNT", ["beta", "Alpha", "Gamma"]),
    ],
)
async def test_groups_are_sorted_as_one_likes(
    ask: Asker, acme: Viewer, field: str, expected: list[str]
) -> None:
    users = await make_users(acme, 3)
    gamma = await make_group(acme, "Gamma", users=users)
    await make_group(acme, "Alpha", users=users[:2])
    await make_group(acme, "beta")
    await update_group(acme, gamma, {"description": "Now the last one to change."})
    for way, wanted in (("ASC", expected), ("DESC", expected[::-1])):
        order = f"orderBy: {{field: {field}, direction: {way}}}"
        assert await names(ask, "groups", order) == wanted
        one_by_one, after = [], ""
        for _ in wanted:
            data = await ask(f"""{{ groups(first: 1, {order}{after}) {{
                nodes {{ name }} pageInfo {{ endCursor }} }} }}""")
            one_by_one += [node["name"] for node in data["groups"]["nodes"]]
            after = f', after: "{data["groups"]["pageInfo"]["endCursor"]}"'
        assert one_by_one == wanted


@pytest.mark.parametrize(
    ("field", "expected"), [("NAME", ["ada", "Bob", "Cid"]), ("CREATED_AT", ["Cid", "ada", "Bob"])]
)
async def test_users_are_sorted_as_one_likes(
    ask: Asker, acme: Viewer, field: str, expected: list[str]
) -> None:
    for name in ("Cid", "ada", "Bob"):
        await make_user(acme, name)
    for way, wanted in (("ASC", expected), ("DESC", expected[::-1])):
        order = f"orderBy: {{field: {field}, direction: {way}}}"
        assert await names(ask, "users", order) == wanted
        assert await names(ask, "users", f'{order}, search: "b"') == ["Bob"]


async def test_equal_keys_are_told_apart_by_id_both_ways(ask: Asker, acme: Viewer) -> None:
    ids = [await make_group(acme, f"Group {number}") for number in range(4)]
    for way, wanted in (("ASC", ids), ("DESC", ids[::-1])):
        order = f"orderBy: {{field: USER_COUNT, direction: {way}}}"
        data = await ask(f"{{ groups({order}) {{ nodes {{ id }} }} }}")
        assert [node["id"] for node in data["groups"]["nodes"]] == wanted


async def test_an_entry_is_listed_until_it_is_deleted(ask: Asker, acme: Viewer) -> None:
    await make_entry(acme, BOTS, "Stays")
    goes = await make_bot(acme, "Goes")
    assert await names(ask, "bots") == ["Goes", "Stays"]
    delete = "mutation($input: DeleteBotsInput!) { deleteBots(input: $input) { revision } }"
    await ask(delete, input={"botIds": [goes]})
    assert await names(ask, "bots") == ["Stays"]
