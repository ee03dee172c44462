"""Detaching a task from the request that starts it, where it serves other requests as well.

Such a task must not appear in the request's metrics or trace, or end with it.
"""

from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

_of_requests: list[ContextVar[Any]] = []


def of_request(name: str) -> "ContextVar[T | None]":
    """A context variable that belongs to a request, and is None outside of any."""
    variable: ContextVar[T | None] = ContextVar(name, default=None)
    _of_requests.append(variable)
    return variable


def apart() -> Context:
    """The context for a task that belongs to no request."""
    context = copy_context()
    for variable in _of_requests:
        context.run(variable.set, None)
    return context
