"""What a process keeps to be faster has bounds, whatever clients send: nothing grows with them."""

from typing import Any

import pytest
from starlette.requests import Request

from models.viewer import Viewer
from runtime.cache import Kept
from schema import documents, executor
from schema.documents import DOCUMENT_BYTES, LARGEST_KEPT, PLAN_BYTES, operation_of
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


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_documents_and_their_plans_have_so_much_room_together(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept[Any](4_000_000)
    monkeypatch.setattr(documents._documents, "kept", kept)
    opening = operation_of("{ viewer { role } }", None, {}, LIMITS).opening
    for number in range(200):
        text = f"query($v: Boolean!) {{ viewer {{ n{number}: role @skip(if: $v) }} }}".ljust(300)
        before = kept.size
        for v in (True, False):
            operation = operation_of(text, None, {"v": v}, LIMITS)
            await answer(viewer, operation, PlanningExecutor, {"v": v})
        assert operation_of(text, None, {"v": True}, LIMITS).opening is operation.opening
        if not number:
            assert kept.size - before > 300 * (DOCUMENT_BYTES + 2 * PLAN_BYTES)
        assert kept.size <= kept.room
    assert operation_of("{ viewer { role } }", None, {}, LIMITS).opening is not opening


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_document_with_many_plans_loses_them_and_stays(viewer: Viewer) -> None:
    names = [f"Operation{number}" for number in range(7)]
    text = " ".join(f"query {name} {{ viewer {{ role }} }}" for name in names)
    text = text.ljust(LARGEST_KEPT)
    document = operation_of(text, names[0], {}, LIMITS).document
    most = 0
    for name in names * 2:
        operation = operation_of(text, name, {}, LIMITS)
        assert operation.document is document
        await answer(viewer, operation, PlanningExecutor, {})
        most = max(most, len(operation.plans))
    assert 1 < most < len(names)


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
