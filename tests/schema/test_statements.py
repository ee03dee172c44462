"""What queries cost: one statement a level, however many rows, and however far into a list."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from models import listing
from models.apart import apart
from models.database import (
    fetch,
    is_in_transaction,
    is_postgres,
    read,
    transaction,
    watch_statements,
)
from models.directory import organization
from models.kinds import BOTS, KINDS, USERS
from models.ledger import current_revision
from models.membership_writes import add_members
from models.viewer import Viewer
from runtime.telemetry import request_id
from tests.client import Asker
from tests.factories import make_entries, make_group, make_users
from tests.schema.walking import NO_LIMITS


@pytest.fixture
def options() -> dict[str, Any]:
    """A service that keeps no answers, and takes queries of any size."""
    return NO_LIMITS


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of requests; the service reads and tells changes beside them."""
    statements: list[str] = []

    def note(sql: str) -> None:
        if request_id.get() != "-":
            statements.append(sql)

    with watch_statements(note):
        yield statements


async def cost(ask: Asker, query: str, **variables: Any) -> int:
    """How many statements a query takes, or a write."""
    for _ in range(2):  # from now on it is known who asks, and that the revision rests
        await ask("{ viewer { role } }")
    with counted() as statements:
        await ask(query, **variables)
    return len(statements)


async def fill(acme: Viewer, groups: int, members: int) -> list[str]:
    """So many groups, each with so many users, bots and personas; returns the groups' ids."""
    ids = [await make_group(acme, f"Group {number:03}") for number in range(groups)]
    for kind in KINDS:
        entries = await make_entries(acme, kind, [f"Entry {n:03}" for n in range(members)])
        for group in ids:
            await add_members(acme, kind, group, entries)
    return ids


async def test_the_nested_view_takes_one_statement_a_level(ask: Asker, acme: Viewer) -> None:
    await fill(acme, groups=25, members=20)
    query = """{ groups(first: 25) { nodes { name userCount botCount personaCount
        users(first: 20) { nodes { name email } pageInfo { hasNextPage } }
        bots(first: 20) { nodes { name features } }
        personas(first: 20) { nodes { name } } } } }"""
    assert await cost(ask, query) == 4
    groups = (await ask(query))["groups"]["nodes"]
    assert len(groups) == 25
    assert all(
        len(group[part]["nodes"]) == 20
        for group in groups
        for part in ("users", "bots", "personas")
    )


async def test_the_number_of_rows_adds_no_statement(ask: Asker, acme: Viewer) -> None:
    await fill(acme, groups=8, members=8)
    query = """query($first: Int) { groups(first: $first) { nodes {
        users(first: $first) { edges { addedBy { name } node { groups { nodes { name } } } } }
        changes(first: 3) { nodes { users { name } group { name } } }
        availableBots { totalCount nodes { id } } } } }"""
    # groups; users, actors, groups of users; changes, users, group; bots, and the organization
    assert await cost(ask, query, first=1) == await cost(ask, query, first=8) <= 9


async def test_access_takes_the_same_statements_for_one_user_and_for_many(
    ask: Asker, acme: Viewer
) -> None:
    await fill(acme, groups=3, members=12)
    query = """query($first: Int) { users(first: $first) { nodes {
        bots { totalCount edges { node { name } via { name } } } } } }"""
    assert await cost(ask, query, first=1) == await cost(ask, query, first=12) <= 6


async def test_a_hundred_questions_take_the_statements_of_one(ask: Asker, acme: Viewer) -> None:
    await fill(acme, groups=3, members=10)
    users = [node["id"] for node in (await ask("{ users { nodes { id } } }"))["users"]["nodes"]]
    bots = [node["id"] for node in (await ask("{ bots { nodes { id } } }"))["bots"]["nodes"]]
    questions = [{"bot": {"userId": user, "botId": bot}} for user in users for bot in bots]
    query = """query($questions: [AccessQuestion!]!) {
        checkAccess(questions: $questions) { allowed via { name } } }"""
    assert await cost(ask, query, questions=questions) == await cost(
        ask, query, questions=questions[:1]
    )


@pytest.mark.parametrize("field", ["groups", "users", "bots", "personas", "changes", "tokens"])
async def test_counting_costs_a_statement_only_when_asked_for(
    ask: Asker, acme: Viewer, field: str
) -> None:
    await fill(acme, groups=1, members=3)
    page = await cost(ask, f"{{ {field} {{ nodes {{ id }} }} }}")
    assert page == 1
    assert await cost(ask, f"{{ {field} {{ nodes {{ id }} totalCount }} }}") == page + 1


async def test_the_lists_of_many_rows_are_counted_together(ask: Asker, acme: Viewer) -> None:
    await fill(acme, groups=6, members=6)
    query = """query($first: Int) {
        users(first: $first) { nodes { groups { totalCount } } }
        bots(first: $first) { nodes { groups { totalCount } users(last: 1) { totalCount } } }
        groups(first: $first) { nodes { changes { totalCount } users(search: "e") { totalCount }
            availablePersonas(search: "e") { totalCount } } } }"""
    # each list, and its count; the users of a bot are few enough to be counted with the page
    assert await cost(ask, query, first=1) == await cost(ask, query, first=6) == 3 + 2 * 6


async def test_the_counts_of_a_group_stand_in_its_row(ask: Asker, acme: Viewer) -> None:
    await fill(acme, groups=3, members=3)
    query = """{ groups { nodes { userCount users(first: 1) { nodes { id } totalCount }
        bots(first: 1) { nodes { id } totalCount } } } }"""
    assert await cost(ask, query) == 3


async def test_nodes_of_one_kind_come_in_one_statement(ask: Asker, acme: Viewer) -> None:
    users = await make_users(acme, 50)
    bots = await make_entries(acme, BOTS, [f"Bot {number}" for number in range(50)])
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await cost(ask, query, ids=[*users, *bots]) == 2


async def test_the_last_page_of_a_large_group_takes_what_the_first_takes(
    ask: Asker, acme: Viewer
) -> None:
    group = await make_group(acme)
    await crowd(acme, group, 10_000)
    query = """query($id: ID!, $after: String) { group(id: $id) { userCount users(
        first: 100, after: $after) { totalCount nodes { name } pageInfo { endCursor hasNextPage }
    } } }"""
    assert await cost(ask, query, id=group) == 2
    costs, names, after = [], list[str](), None
    while after is not False:
        with counted() as statements:
            page = (await ask(query, id=group, after=after))["group"]["users"]
        costs.append(len(statements))
        names += [user["name"] for user in page["nodes"]]
        after = page["pageInfo"]["hasNextPage"] and page["pageInfo"]["endCursor"]
    assert costs == [costs[-1]] * 100
    assert names == [f"User {number:05}" for number in range(10_000)]
    assert page["totalCount"] == 10_000


async def crowd(acme: Viewer, group: str, number: int) -> None:
    """Put so many new users into a group, by the tables: the verbs take a thousand at once."""
    revision = (await organization(acme))["revision"]
    series = (
        f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {number - 1})"
    )
    digits = "SUBSTR('00000' || i, LENGTH('00000' || i) - 4)"
    id, name = f"'usr_000000000000000000000000000' || {digits}", f"'ser ' || {digits}"
    async with transaction():
        await fetch(
            "INSERT INTO users (id, organization_id, name, name_key, email, email_key, role, "
            f"status, group_count, created_at, since_revision) {series} "
            f"SELECT {id}, $1, 'U' || {name}, 'u' || {name}, "
            "'u' || i || '@acme.example', 'u' || i || '@acme.example', 'MEMBER', 'ACTIVE', 1, "
            "o.created_at, $2 FROM n CROSS JOIN organizations o WHERE o.id = $1",
            acme.organization_id,
            revision,
        )
        await fetch(
            "INSERT INTO group_users (id, organization_id, group_id, user_id, sort_key, added_at, "
            "since_revision) SELECT 'm' || u.id, $1, $2, u.id, u.name_key, u.created_at, $3 "
            "FROM users u WHERE u.organization_id = $1",
            acme.organization_id,
            group,
            revision,
        )
        await fetch("UPDATE groups SET user_count = $2 WHERE id = $1", group, number)


ADD = """mutation($input: AddUsersToGroupInput!) {{ addUsersToGroup(input: $input) {{
    revision group {{ {fields} }} userErrors {{ code }} }} }}"""


async def test_a_write_brings_its_group_along(ask: Asker, acme: Viewer) -> None:
    group, (ada, alan) = await make_group(acme), await make_users(acme, 2)
    shown = ADD.format(fields="name userCount")
    # all at once; on SQLite the lock, what is read, and all that is written
    number = 1 if is_postgres() else 3
    assert await cost(ask, shown, input={"groupId": group, "userIds": [ada]}) == number
    deep = ADD.format(fields="userCount users { nodes { id } }")
    answer = await ask(deep, input={"groupId": group, "userIds": [alan]})
    assert answer["addUsersToGroup"]["group"] == {
        "userCount": 2,
        "users": {"nodes": [{"id": ada}, {"id": alan}]},
    }


async def test_writes_that_land_together_show_their_group_at_the_revision_they_name(
    ask: Asker, acme: Viewer
) -> None:
    group, users = await make_group(acme), await make_users(acme, 20)
    start = await current_revision(acme.organization_id)
    bodies = await asyncio.gather(
        *(
            ask.client.ask(
                ADD.format(fields="userCount" if place % 3 else "userCount users { totalCount }"),
                {"input": {"groupId": group, "userIds": [user]}},
                ask.token,
            )
            for place, user in enumerate(users)
        )
    )
    landed = [body["data"]["addUsersToGroup"] for body in bodies]
    assert sorted(each["revision"] for each in landed) == list(range(start + 1, start + 21))
    for body, each in zip(bodies, landed, strict=True):
        assert each["userErrors"] == []
        shown = body["extensions"]["revision"]
        assert shown >= each["revision"]
        assert each["group"]["userCount"] == shown - start
        if "users" in each["group"]:
            assert each["group"]["users"]["totalCount"] == shown - start


async def test_the_revision_of_several_writes_is_that_of_the_last(ask: Asker, acme: Viewer) -> None:
    group, (ada,) = await make_group(acme), await make_users(acme, 1)
    several = """mutation($add: AddUsersToGroupInput!, $delete: DeleteGroupInput!) {
        first: addUsersToGroup(input: $add) { group { userCount } }
        last: deleteGroup(input: $delete) { revision } }"""
    variables = {"add": {"groupId": group, "userIds": [ada]}, "delete": {"id": group}}
    body = await ask.client.ask(several, variables, ask.token)
    assert body["data"]["first"]["group"] == {"userCount": 1}
    newest = await current_revision(acme.organization_id)
    assert body["extensions"]["revision"] == body["data"]["last"]["revision"] == newest


async def test_a_query_that_is_overtaken_is_asked_again(
    ask: Asker, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, (ada, alan) = await make_group(acme), await make_users(acme, 2)
    query = "{ groups { nodes { userCount users { nodes { id } } } } }"
    for _ in range(2):  # from now on it is known who asks, and that the revision rests
        await ask(query)
    left, tries = [ada, alan], 0

    async def be_overtaken(sql: str, *params: Any) -> Any:
        nonlocal tries
        if "group_users" in sql:
            tries += 1
            if left:
                added = add_members(acme, USERS, group, [left.pop(0)])
                await asyncio.create_task(added, context=apart())
        return await read(sql, *params)

    monkeypatch.setattr(listing, "read", be_overtaken)
    body = await ask.client.ask(query, None, ask.token)
    assert body["data"] == {
        "groups": {"nodes": [{"userCount": 2, "users": {"nodes": [{"id": ada}, {"id": alan}]}}]}
    }
    assert body["extensions"]["revision"] == await current_revision(acme.organization_id)
    assert tries == 3


async def test_a_payload_that_is_overtaken_is_read_again_in_one_transaction(
    ask: Asker, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, users = await make_group(acme), await make_users(acme, 2)
    tries = []

    async def be_overtaken(sql: str, *params: Any) -> Any:
        if "group_users" in sql:
            tries.append(is_in_transaction())
            if len(tries) == 1:
                added = add_members(acme, USERS, group, [users[1]])
                await asyncio.create_task(added, context=apart())
        return await read(sql, *params)

    monkeypatch.setattr(listing, "read", be_overtaken)
    query = ADD.format(fields="userCount users { nodes { id } }")
    variables = {"input": {"groupId": group, "userIds": [users[0]]}}
    body = await ask.client.ask(query, variables, ask.token)
    written = body["data"]["addUsersToGroup"]
    assert written["group"] == {"userCount": 2, "users": {"nodes": [{"id": id} for id in users]}}
    assert body["extensions"]["revision"] == written["revision"] + 1
    assert tries == [False, True]
