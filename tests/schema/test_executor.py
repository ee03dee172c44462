"""The executor that completes a level at a time: what it answers is what graphql-core answers."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest
from graphql.execution import Executor
from hypothesis import HealthCheck, given, settings
from tortoise.context import TortoiseContext

from commands import demo
from models import directory
from models.database import fetch, transaction
from models.errors import Busy, LimitExceeded, Unavailable
from models.kinds import USERS
from models.organizations import all_organizations
from models.tables import Role
from models.viewer import Viewer
from schema.context import Context
from schema.documents import operation_of
from schema.executor import PlanningExecutor
from tests.factories import make_group, make_user, snapshot, viewer_of
from tests.schema.documents import documents
from tests.schema.executing import LIMITS, answer

examples = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def an_organization() -> Viewer:
    """The operator's viewer of the demo organization."""
    names = [row["name"] for row in await all_organizations()]
    if not names:
        await demo.make()
    organization = (await all_organizations())[0]
    return Viewer.operator(organization["id"])


async def a_member(viewer: Viewer) -> Viewer:
    """Somebody who is in a few groups."""
    rows = await fetch(
        "SELECT id FROM users WHERE organization_id = $1 AND role = $2 AND until_revision IS NULL "
        "AND status = 'ACTIVE' ORDER BY group_count DESC, id LIMIT 1",
        viewer.organization_id,
        Role.MEMBER,
    )
    return viewer_of(viewer, rows[0]["id"])


@examples
@given(text=documents())
async def test_any_query_is_answered_as_graphql_core_answers_it(
    database: TortoiseContext, text: str
) -> None:
    administrator = await an_organization()
    operation = operation_of(text, None, {}, LIMITS)
    for viewer in (administrator, await a_member(administrator)):
        for yes in (True, False):
            variables = {"yes": yes}
            expected = await answer(viewer, operation, None, variables)
            assert await answer(viewer, operation, PlanningExecutor, variables) == expected


async def test_a_selection_that_is_plain_has_a_plan(database: TortoiseContext) -> None:
    viewer = await an_organization()
    text = """{ groups { totalCount nodes { id name users(first: 2) {
        edges { addedAt addedBy { name } node { email bots { edges { via { name } } } } } } } } }"""
    operation = operation_of(text, None, {}, LIMITS)
    await answer(viewer, operation, PlanningExecutor, {})
    assert [plan is not None for plan in operation.plans.values()] == [True]


async def test_a_null_where_none_may_be_is_told_as_graphql_core_tells_it(
    database: TortoiseContext,
) -> None:
    viewer = await an_organization()
    async with transaction():
        await fetch(f"UPDATE {USERS.table} SET role = 'NOBODY'")
    text = "{ users(first: 2) { nodes { name role } } }"
    operation = operation_of(text, None, {}, LIMITS)
    expected = await answer(viewer, operation, None, {}, told=True)
    assert b"NOBODY" in expected
    assert await answer(viewer, operation, PlanningExecutor, {}, told=True) == expected


async def test_a_refusal_within_a_plan_is_told_where_it_happened(
    database: TortoiseContext,
) -> None:
    viewer = await an_organization()
    text = '{ groups(first: 1) { nodes { name users(after: "nonsense") { totalCount } } } }'
    operation = operation_of(text, None, {}, LIMITS)
    expected = await answer(viewer, operation, None, {}, told=True)
    assert b'"path":["groups","nodes",0,"users"]' in expected
    assert await answer(viewer, operation, PlanningExecutor, {}, told=True) == expected


@pytest.mark.parametrize(
    ("selection", "is_told"),
    [
        ("viewer @skip(if: $x) { role } organization { name }", True),
        ("groups(first: 2) { nodes { id name @skip(if: $x) } }", True),
        ("groups(first: 0) { nodes { id name @skip(if: $x) } }", False),
        ("viewer { user { name @skip(if: $x) } }", False),
    ],
)
async def test_a_switch_that_is_null_is_told_as_graphql_core_tells_it(
    database: TortoiseContext, selection: str, is_told: bool
) -> None:
    viewer = await an_organization()
    operation = operation_of(f"query($x: Boolean = true) {{ {selection} }}", None, {}, LIMITS)
    expected = await answer(viewer, operation, None, {"x": None}, told=True)
    assert (b"not to be None" in expected) is is_told
    assert await answer(viewer, operation, PlanningExecutor, {"x": None}, told=True) == expected


@pytest.mark.parametrize("error", [LimitExceeded("too large"), Busy("busy"), Unavailable("away")])
async def test_what_is_useless_to_do_again_is_not_done_again(
    database: TortoiseContext, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await an_organization()
    asked: list[str] = []

    async def fail(context: Context, **given: Any) -> Any:
        asked.append("organization")
        raise error

    monkeypatch.setattr(directory, "organization", fail)
    text = "{ a: organization { name } b: groups(first: 1) { nodes { id } } }"
    operation = operation_of(text, None, {}, LIMITS)
    with suppress(Busy, Unavailable):
        assert b"too large" in await answer(viewer, operation, PlanningExecutor, {}, told=True)
    is_told_where_it_happened = not isinstance(error, Busy | Unavailable)
    assert len(asked) == 1 + is_told_where_it_happened


# ------------------------------------------------------------------------------------------ writes

ADD = "addUsersToGroup(input: $add) { __typename revision group { id } userErrors { code } }"
REMOVE = "removeUsersFromGroup(input: $remove) { revision removedUserIds userErrors { message } }"
WRITES = [
    ADD,
    f"added: {ADD}",
    f"{ADD} {REMOVE}",
    f"{REMOVE} {ADD} __typename",
    f"a: {ADD} b: {ADD.replace(' {', ' @skip(if: true) {', 1)}",
    ADD.replace("revision", "revision @include(if: false)"),
    'addUsersToGroup(input: {groupId: "x", userIds: ["y"]}) { userErrors { field } }',
]
TYPES = {"$add": "AddUsersToGroupInput!", "$remove": "RemoveUsersFromGroupInput!"}
INPUTS = {
    "of no group": {"groupId": "x", "userIds": []},
    "of too many": {"groupId": "x", "userIds": [f"usr_{n:032x}" for n in range(1_001)]},
    "that is older": {"groupId": "x", "userIds": ["y"], "expectedRevision": 1},
    "as another type": {"groupId": 7, "userIds": "y"},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("input", INPUTS.values(), ids=INPUTS)
async def test_a_write_is_refused_as_graphql_core_would_tell_it(
    database: TortoiseContext, role: Role, input: dict[str, Any]
) -> None:
    viewer = replace(await an_organization(), role=role)
    before = await snapshot(viewer.organization_id)
    for text in WRITES:
        types = ", ".join(f"{name}: {kind}" for name, kind in TYPES.items() if name in text)
        operation = operation_of(
            f"mutation{f'({types})' if types else ''} {{ {text} }}", None, {}, LIMITS
        )
        variables = {"add": input, "remove": input}
        expected = await answer(viewer, operation, None, variables, told=True)
        assert (b"Only administrators" in expected) is (role is not Role.ADMIN)
        found = await answer(viewer, operation, PlanningExecutor, variables, told=True)
        assert found == expected
    assert await snapshot(viewer.organization_id) == before


async def test_a_write_that_is_plain_is_planned(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await an_organization()
    group, user = await make_group(viewer, "Planned"), await make_user(viewer, "Planned")

    def walk(*_: object) -> None:
        raise AssertionError("graphql-core was asked")

    monkeypatch.setattr(Executor, "execute_operation", walk)
    types = ", ".join(f"{name}: {kind}" for name, kind in TYPES.items())
    operation = operation_of(f"mutation({types}) {{ {ADD} {REMOVE} }}", None, {}, LIMITS)
    input = {"groupId": group, "userIds": [user]}
    found = await answer(viewer, operation, PlanningExecutor, {"add": input, "remove": input})
    data = orjson.loads(found)["data"]
    assert data["addUsersToGroup"]["group"] == {"id": group}
    assert data["removeUsersFromGroup"]["removedUserIds"] == [user]
