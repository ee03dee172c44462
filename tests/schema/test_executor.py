"""The executor that completes a level at a time: what it answers is what graphql-core answers."""

from contextlib import suppress
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLSchema, execute
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
from runtime.feed import Feed
from runtime.revisions import Revisions
from runtime.settings import Settings
from schema import schema
from schema.context import Context
from schema.documents import Operation, operation_of
from schema.execution import encode
from schema.executor import PlanningExecutor
from schema.limits import Limits
from tests.factories import viewer_of
from tests.schema.documents import documents
from tests.schema.walking import NO_LIMITS

LIMITS = Limits.of(Settings.model_validate(NO_LIMITS))
CORE: GraphQLSchema = schema._schema
examples = settings(
    max_examples=60,
    deadline=None,
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


async def answer(
    viewer: Viewer, operation: Operation, executor: Any, variables: Any, *, told: bool = False
) -> bytes:
    """The result of an execution, with what its errors say if they are to be `told`."""

    async def recognise() -> Viewer:
        return viewer

    context = Context(viewer, recognise, Feed(), Revisions(), operation.plans, 10_000_000)
    if executor is None:
        result = execute(CORE, operation.document, context_value=context, variable_values=variables)
    else:
        begun = executor.begin(CORE, operation, variables, context)
        result = begun.execute_operation()
    if not isinstance(result, ExecutionResult):
        result = await result
    # Of several errors that null the same object, the first to arrive is told, whichever that is:
    # so errors at random are compared by whether there are any.
    errors = [error.formatted for error in result.errors or ()]
    return encode({"data": result.data, "errors": errors if told else bool(errors)})


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


async def test_a_switch_that_is_null_is_told_as_graphql_core_tells_it(
    database: TortoiseContext,
) -> None:
    viewer = await an_organization()
    text = "query($x: Boolean = true) { viewer @skip(if: $x) { role } organization { name } }"
    operation = operation_of(text, None, {}, LIMITS)
    expected = await answer(viewer, operation, None, {"x": None}, told=True)
    assert b"not to be None" in expected
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
