"""The hook for traces: context managers around the parts of a request.

They do nothing unless traces are configured; then `runtime/tracing.py` makes the spans. Without
traces, a part costs no more than reading a context variable.
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from types import TracebackType
from typing import Protocol, Self

from models.apart import of_request

NOTHING = nullcontext()


class Span(Protocol):
    """Records how long its block took, as the parent of all spans within."""

    def note(self, **figures: int) -> None:
        """Record what the block has used."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Spans(Protocol):
    """Makes spans, each a child of the one whose block it is in."""

    def operation(self, type: str, name: str | None) -> Span:
        """The span of a GraphQL operation, or of one event of a subscription."""

    def statement(self, sql: str) -> AbstractContextManager[object]:
        """The span of an SQL statement, whose text has placeholders for its parameters."""

    def part(self, name: str) -> AbstractContextManager[object]:
        """The span of any other part of a request."""


spans: ContextVar[Spans | None] = of_request("spans")


def over_statement(sql: str) -> AbstractContextManager[object]:
    """The span around the block that runs a statement, if there are traces."""
    made = spans.get()
    return made.statement(sql) if made else NOTHING


def over_part(name: str) -> AbstractContextManager[object]:
    """The span around the block that is a part of a request, if there are traces."""
    made = spans.get()
    return made.part(name) if made else NOTHING
