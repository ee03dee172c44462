"""What a process keeps to be faster has bounds, whatever clients send: nothing grows with them."""

import pytest
from starlette.requests import Request

from models.viewer import Viewer
from schema import executor
from schema.documents import LARGEST_KEPT, operation_of
from schema.executor import PlanningExecutor
from schema.requests import LONGEST_CACHED, Accepted, accepted
from tests.schema.executing import LIMITS, answer


def taken(accept: str) -> Accepted:
    """What is read from a request with this header."""
    return accepted(Request({"type": "http", "headers": [(b"accept", accept.encode())]}))


@pytest.mark.parametrize(("length", "is_kept"), [(LARGEST_KEPT, True), (LARGEST_KEPT + 1, False)])
def test_a_large_document_is_prepared_anew_each_time(length: int, is_kept: bool) -> None:
    text = "{ viewer { role } }".ljust(length)
    once, again = (operation_of(text, None, {}, LIMITS) for _ in range(2))
    assert (once.opening is again.opening) is is_kept


@pytest.mark.parametrize(
    ("length", "is_kept"), [(LONGEST_CACHED, True), (LONGEST_CACHED + 1, False)]
)
def test_long_headers_are_read_anew_each_time(length: int, is_kept: bool) -> None:
    header = "application/json".ljust(length)
    assert (taken(header) is taken(header)) is is_kept


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_document_has_so_many_plans_whatever_its_variables_say(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "MOST_PLANS", 3)
    names = [f"v{number}" for number in range(3)]
    given = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: role @skip(if: ${name})" for name in names)
    text = f"query({given}) {{ viewer {{ kind: __typename {fields} }} }}"
    for number in range(2 ** len(names)):
        variables = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        operation = operation_of(text, None, variables, LIMITS)
        await answer(viewer, operation, PlanningExecutor, variables)
        assert 0 < len(operation.plans) <= 3
