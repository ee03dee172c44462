"""Groups of which a query wants nothing but lists: they are not looked up, and are as they are."""

from typing import Any

import pytest
from graphql.execution import Executor

from models.database import is_postgres, watch_statements
from models.groups import delete_group
from models.kinds import USERS
from models.membership_writes import add_members
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_bot, make_group, make_user

LISTS = ["users", "bots", "personas", "availableUsers", "availableBots", "availablePersonas"]


def query(*fields: str) -> str:
    return f"query($id: ID!) {{ group(id: $id) {{ {' '.join(fields)} }} }}"


def of(field: str, *others: str) -> str:
    return f"{field} {{ nodes {{ id }} pageInfo {{ hasNextPage }} {' '.join(others)} }}"


@pytest.mark.parametrize("field", LISTS)
async def test_a_list_alone_is_the_list_beside_the_name(
    ask: Asker, acme: Viewer, field: str
) -> None:
    ada, _ = await make_user(acme, "Ada"), await make_user(acme, "Alan")
    group = await make_group(acme, "Sales", users=[ada], bots=[await make_bot(acme)])
    for list_ in (of(field), of(field, "totalCount"), f"id {of(field)} __typename"):
        beside = (await ask(query("name", list_), id=group))["group"]
        assert beside.pop("name") == "Sales"
        assert (await ask(query(list_), id=group))["group"] == beside


async def test_it_takes_a_statement_less(ask: Asker, acme: Viewer) -> None:
    group = await make_group(acme)
    for _ in range(2):  # from now on it is known who asks, and that the revision rests
        await ask("{ viewer { role } }")
    looks = []
    for fields in (["name", of("users")], [of("users")], [of("users"), of("bots")]):
        statements: list[str] = []
        with watch_statements(statements.append):
            await ask(query(*fields), id=group)
        looks.append(sum("groups g" in sql and "group_" not in sql for sql in statements))
    assert looks == ([1, 0, 0] if is_postgres() else [1, 1, 1])


@pytest.mark.parametrize("field", LISTS)
async def test_what_is_not_there_has_no_lists(
    ask: Asker, acme: Viewer, other: Viewer, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await make_group(acme, "Gone")
    await delete_group(acme, gone)

    def walk(*_: object) -> None:
        raise AssertionError("graphql-core was asked")

    monkeypatch.setattr(Executor, "execute_operation", walk)
    no_ids = ("x", "", "grp_\0", acme.organization_id)
    for id in (gone, await make_group(other), f"grp_{0:032x}", *no_ids):
        assert await ask(query(of(field)), id=id) == {"group": None}
        assert await ask(query(of(field, "totalCount"), "more: " + of("bots")), id=id) == {
            "group": None
        }


async def test_a_member_sees_the_lists_of_its_own_groups_alone(
    client: Client, acme: Viewer
) -> None:
    ada = await make_user(acme, "Ada")
    own, foreign = await make_group(acme, "Own", users=[ada]), await make_group(acme, "Foreign")
    member = await asker(client, acme, user=ada)
    users: dict[str, Any] = {"nodes": [{"id": ada}], "pageInfo": {"hasNextPage": False}}
    assert await member(query(of("users")), id=own) == {"group": {"users": users}}
    assert await member(query(of("users")), id=foreign) == {"group": None}
    available = query(of("availableUsers"))
    assert await member(available, id=foreign) == {"group": None}
    (error,) = (await client.ask(available, {"id": own}, member.token))["errors"]
    assert (error["path"], error["extensions"]["code"]) == (
        ["group", "availableUsers"],
        "FORBIDDEN",
    )


async def test_many_names_in_one_query(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme, "Ada")
    sales, support = await make_group(acme, "Sales"), await make_group(acme, "Support")
    await add_members(acme, USERS, sales, [ada])
    text = """query($a: ID!, $b: ID!) {
        a: group(id: $a) { users { nodes { id } } bots { nodes { id } } }
        b: group(id: $b) { users { nodes { id } } }
        none: group(id: "x") { users { nodes { id } } } }"""
    assert await ask(text, a=sales, b=support) == {
        "a": {"users": {"nodes": [{"id": ada}]}, "bots": {"nodes": []}},
        "b": {"users": {"nodes": []}},
        "none": None,
    }
