"""Work for more than the request that happens to start it: it is nobody's to count, or to stop."""

from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

_of_requests: list[ContextVar[Any]] = []


def of_request(name: str) -> "ContextVar[T | None]":
    """A variable that belongs to a request, and is None outside of one."""
    variable: ContextVar[T | None] = ContextVar(name, default=None)
    _of_requests.append(variable)
    return variable


def apart() -> Context:
    """The context of a task that belongs to no request."""
    context = copy_context()
    for variable in _of_requests:
        context.run(variable.set, None)
    return context
