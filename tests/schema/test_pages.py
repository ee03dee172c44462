"""Every connection of the graph, as Relay's GraphQL Cursor Connections Specification has it."""

from itertools import product
from typing import Any

import pytest
from graphql import GraphQLEnumType

from models.database import fetch, transaction
from models.kinds import BOTS, USERS
from models.membership_writes import add_members
from models.text import name_key
from models.viewer import Viewer
from tests.client import Asker
from tests.factories import make_entries, make_group
from tests.schema.connections import CONNECTIONS, GRAPH, Connection, World


def ids_of(page: Any) -> list[str]:
    return [node["id"] for node in page["nodes"]]


def cursors_of(page: Any) -> list[str]:
    return [edge["cursor"] for edge in page["edges"]]


def flags_of(page: Any) -> tuple[bool, bool]:
    """Whether more come in front, and whether more come behind."""
    return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("connection", CONNECTIONS, ids=str)
async def test_a_connection_keeps_to_the_specification(
    world: World, connection: Connection
) -> None:
    whole = await world.page(connection, "first: 100")
    ids, cursors = ids_of(whole), cursors_of(whole)
    assert len(ids) >= 5
    assert len(set(ids)) == len(set(cursors)) == len(ids)
    assert flags_of(whole) == (False, False)
    await has_a_count(world, connection, len(ids))
    await goes_forward_and_backward(world, connection, ids)
    await cuts_between_cursors(world, connection, ids, cursors)


async def has_a_count(world: World, connection: Connection, number: int) -> None:
    for arguments in ("", "first: 1", "first: 0", "last: 1"):
        query = connection.query(arguments, "{ totalCount }", world.ids)
        assert connection.read(await world.ask(query)) == {"totalCount": number}


async def goes_forward_and_backward(world: World, connection: Connection, ids: list[str]) -> None:
    found: list[str] = []
    arguments = "first: 3"
    while True:
        page = await world.page(connection, arguments)
        assert flags_of(page)[0] is bool(found)
        found += ids_of(page)
        if not flags_of(page)[1]:
            break
        arguments = f'first: 3, after: "{page["pageInfo"]["endCursor"]}"'
    assert found == ids

    found, arguments = [], "last: 3"
    while True:
        page = await world.page(connection, arguments)
        assert flags_of(page)[1] is bool(found)
        found = ids_of(page) + found
        if not flags_of(page)[0]:
            break
        arguments = f'last: 3, before: "{page["pageInfo"]["startCursor"]}"'
    assert found == ids


async def cuts_between_cursors(
    world: World, connection: Connection, ids: list[str], cursors: list[str]
) -> None:
    between = f'after: "{cursors[0]}", before: "{cursors[4]}"'
    parts = {
        between: (ids[1:4], (True, False)),
        f"first: 2, {between}": (ids[1:3], (True, True)),
        f"last: 2, {between}": (ids[2:4], (True, True)),
        f'last: 100, after: "{cursors[0]}"': (ids[1:], (False, False)),
        f'first: 100, before: "{cursors[4]}"': (ids[:4], (False, False)),
        "first: 4, last: 2": (ids[2:4], (True, True)),
        "first: 2, last: 4": (ids[:2], (False, True)),
        f'first: 100, last: 1, after: "{cursors[0]}"': (ids[-1:], (True, False)),
        "first: 0": ([], (False, True)),
        "last: 0": ([], (True, False)),
        f'first: 100, after: "{cursors[-1]}"': ([], (True, False)),
        f'last: 100, before: "{cursors[0]}"': ([], (False, True)),
        "first: null, last: 2": (ids[-2:], (True, False)),
        "first: 2, after: null, last: null, before: null": (ids[:2], (False, True)),
    }
    for arguments, (expected, flags) in parts.items():
        page = await world.page(connection, arguments)
        assert ids_of(page) == expected, arguments
        assert flags_of(page) == flags, arguments


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_connection_refuses_what_makes_no_page(world: World) -> None:
    refused = {
        "first: 101": ("LIMIT_EXCEEDED", "`first` is at most 100"),
        "last: 101": ("LIMIT_EXCEEDED", "`last` is at most 100"),
        "first: 1, last: 101": ("LIMIT_EXCEEDED", "`last` is at most 100"),
        "first: -1": ("BAD_REQUEST", "`first` can't be negative."),
        "last: -1": ("BAD_REQUEST", "`last` can't be negative."),
        'after: "x"': ("BAD_REQUEST", "`after` is not a cursor of this list in this order."),
        'before: "x"': ("BAD_REQUEST", "`before` is not a cursor of this list in this order."),
    }
    for connection, (arguments, (code, words)) in product(CONNECTIONS, refused.items()):
        query = connection.query(arguments, "{ totalCount }", world.ids)
        [(given, message)] = await world.ask.errors(query)
        assert given == code, (connection, arguments)
        assert message.startswith(words), (connection, arguments)


async def test_a_page_has_fifty_unless_one_says_else(ask: Asker, acme: Viewer) -> None:
    await make_entries(acme, USERS, [f"User {number:03}" for number in range(120)])
    data = await ask("{ users { nodes { id } } most: users(first: 100) { nodes { id } } }")
    assert len(data["users"]["nodes"]) == 50
    assert len(data["most"]["nodes"]) == 100


# ----------------------------------------------------------------------- cursors of other lists


@pytest.mark.parametrize(
    ("from_", "into"),
    [
        (Connection("Query", "users"), Connection("Query", "groups")),
        (Connection("Query", "groups"), Connection("Query", "bots")),
        (Connection("Query", "bots"), Connection("Group", "personas")),
        (Connection("Query", "changes"), Connection("Query", "tokens")),
        (Connection("Query", "tokens"), Connection("Query", "users")),
        (Connection("Group", "users"), Connection("Group", "bots")),
        (Connection("User", "groups"), Connection("User", "bots")),
        (Connection("Group", "changes"), Connection("Group", "users")),
    ],
    ids=str,
)
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_cursor_of_another_list_is_refused(
    world: World, from_: Connection, into: Connection
) -> None:
    cursor = (await world.page(from_, "first: 1"))["pageInfo"]["endCursor"]
    query = into.query(f'after: "{cursor}"', "{ totalCount }", world.ids)
    assert await world.ask.codes(query) == ["BAD_REQUEST"]


@pytest.mark.parametrize("list_", ["groups", "users"])
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_cursor_of_another_order_is_refused(world: World, list_: str) -> None:
    enum = GRAPH[f"{list_.title()[:-1]}OrderField"]
    assert isinstance(enum, GraphQLEnumType)
    orders = [
        f"{{field: {field}, direction: {way}}}" for field in enum.values for way in ("ASC", "DESC")
    ]
    for order in orders:
        query = f"{{ {list_}(first: 2, orderBy: {order}) {{ pageInfo {{ endCursor }} }} }}"
        cursor = (await world.ask(query))[list_]["pageInfo"]["endCursor"]
        for other in orders:
            query = f'{{ {list_}(after: "{cursor}", orderBy: {other}) {{ totalCount }} }}'
            if other == order:
                await world.ask(query)
            else:
                assert await world.ask.codes(query) == ["BAD_REQUEST"], (order, other)


# --------------------------------------------------------------- rows that come and go meanwhile


async def test_a_cursor_stays_good_while_rows_come_and_go_around_it(
    ask: Asker, acme: Viewer
) -> None:
    names = ["B", "D", "F", "H"]
    users = await make_entries(acme, USERS, names)
    group = await make_group(acme, users=users)
    query = f"""query($after: String) {{ node(id: "{group}") {{ ... on Group {{
        users(first: 2, after: $after) {{ nodes {{ name }} pageInfo {{ endCursor hasNextPage }} }}
    }} }} }}"""
    first = (await ask(query))["node"]["users"]
    assert [user["name"] for user in first["nodes"]] == ["B", "D"]
    come = await make_entries(acme, USERS, ["A", "C", "E", "Z"])
    await add_members(acme, USERS, group, come)
    remove = """mutation($input: RemoveUsersFromGroupInput!) {
        removeUsersFromGroup(input: $input) { removedUserIds } }"""
    await ask(remove, input={"groupId": group, "userIds": [users[1], users[2]]})
    found, after = [], first["pageInfo"]["endCursor"]
    while after:
        page = (await ask(query, after=after))["node"]["users"]
        found += [user["name"] for user in page["nodes"]]
        after = page["pageInfo"]["hasNextPage"] and page["pageInfo"]["endCursor"]
    assert found == ["E", "H", "Z"]


async def test_a_cursor_outlives_its_own_row(ask: Asker, acme: Viewer) -> None:
    bots = await make_entries(acme, BOTS, ["A", "B", "C"])
    query = """query($after: String) {
        bots(first: 2, after: $after) { nodes { name } pageInfo { endCursor hasPreviousPage } }
    }"""
    cursor = (await ask(query))["bots"]["pageInfo"]["endCursor"]
    delete = "mutation($input: DeleteBotsInput!) { deleteBots(input: $input) { revision } }"
    for gone in (bots[1], bots[0]):
        await ask(delete, input={"botIds": [gone]})
        page = (await ask(query, after=cursor))["bots"]
        assert page["nodes"] == [{"name": "C"}]
        assert page["pageInfo"]["hasPreviousPage"]  # as described: none needs to be left


async def test_a_page_follows_a_name_from_before_such_names_were_refused(
    ask: Asker, acme: Viewer
) -> None:
    await make_entries(acme, BOTS, ["Ab", "B"])
    old = "A\u2028\u2029b"
    async with transaction():
        rename = "UPDATE bots SET name = $1, name_key = $2 WHERE name = 'Ab' RETURNING id"
        assert await fetch(rename, old, name_key(old))
    query = "query($after: String) { bots(first: 1, after: $after) { nodes { name } %s } }"
    page = (await ask(query % "pageInfo { endCursor }"))["bots"]
    assert page["nodes"] == [{"name": old}]
    cursor = page["pageInfo"]["endCursor"]
    assert (await ask(query % "", after=cursor))["bots"]["nodes"] == [{"name": "B"}]


def test_every_kind_of_list_is_tested_here() -> None:
    found = {str(connection) for connection in CONNECTIONS}
    assert {"Query.groups", "Query.tokens", "Viewer.bots", "Group.availableUsers"} <= found
    assert {"User.personas", "Bot.users", "Persona.groups", "Group.changes"} <= found
