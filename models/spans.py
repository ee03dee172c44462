"""Where traces hook in: what stands around the parts of a request while they run.

Nothing does, unless traces are configured: `runtime/tracing.py` makes the spans then. Without them
a part costs a look at a variable, and no more.
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from types import TracebackType
from typing import Protocol, Self

from models.apart import of_request

NOTHING = nullcontext()


class Span(Protocol):
    """How long a block took, and what ran within it."""

    def note(self, **figures: int) -> None:
        """Say what it has used."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Spans(Protocol):
    """Makes spans, each below the one whose block it is in."""

    def operation(self, type: str, name: str | None) -> Span:
        """The span of a GraphQL operation, or of one event of a subscription."""

    def statement(self, sql: str) -> AbstractContextManager[object]:
        """The span of an SQL statement, whose text has placeholders where its parameters go."""

    def part(self, name: str) -> AbstractContextManager[object]:
        """The span of any other part of a request."""


spans: ContextVar[Spans | None] = of_request("spans")


def over_statement(sql: str) -> AbstractContextManager[object]:
    """What stands around the block that runs a statement."""
    made = spans.get()
    return made.statement(sql) if made else NOTHING


def over_part(name: str) -> AbstractContextManager[object]:
    """What stands around the block that is a part of a request."""
    made = spans.get()
    return made.part(name) if made else NOTHING
