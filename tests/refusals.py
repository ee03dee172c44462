"""Asserting that something was refused, or did nothing, and that no row was changed by it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from models.errors import Code, DomainError, Forbidden
from models.tables import Role
from models.viewer import Viewer
from tests.factories import snapshot, viewer_of

Expected = tuple[Code, *tuple[str, ...]]


@asynccontextmanager
async def unchanged(viewer: Viewer) -> AsyncIterator[None]:
    """Assert that not one row of the organization changes meanwhile, in the ledger or elsewhere."""
    before = await snapshot(viewer.organization_id)
    yield
    assert await snapshot(viewer.organization_id) == before


@asynccontextmanager
async def refused(viewer: Viewer, *expected: Expected) -> AsyncIterator[None]:
    """Assert a DomainError with exactly these problems, `(code, *field)`, that changes nothing.

    Each problem is told by a sentence, from its beginning to its full stop.
    """
    async with unchanged(viewer):
        with pytest.raises(DomainError) as caught:
            yield
    problems = caught.value.problems
    assert [(problem.code, *problem.field) for problem in problems] == list(expected)
    for problem in problems:
        assert problem.message[0].isupper() or problem.message[0] == "“"
        assert problem.message[-1] == "."


async def assert_forbidden(viewer: Viewer, verb: Callable[[Viewer], Awaitable[object]]) -> None:
    """Assert that nobody but an administrator may do it, and that trying it changes nothing."""
    for role in (Role.AUDITOR, Role.MEMBER):
        async with unchanged(viewer):
            with pytest.raises(Forbidden):
                await verb(viewer_of(viewer, "usr_0", role))
