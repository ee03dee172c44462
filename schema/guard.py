"""The guard around each operation: rate limits, the time limit, metrics, spans and the slow log."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from contextvars import Token
from types import TracebackType
from typing import TypeVar

from graphql import OperationType

from models.spans import Span, spans
from models.viewer import Viewer
from runtime.cutoff import Cutoff
from runtime.limits import AtOnce, PerMinute, TookTooLong, variable
from runtime.metrics import OPERATIONS, SLOW, Figures, figures
from runtime.settings import Settings
from schema.documents import Operation

LONGEST_NAME = 100  # of an operation, in the log

logger = logging.getLogger("cohort.slow")

DURATIONS = {type: OPERATIONS.labels(type.value) for type in OperationType}

T = TypeVar("T")


class Guard:
    """Enforces the limits on the operations of each token."""

    def __init__(self, settings: Settings) -> None:
        self.seconds = settings.request_seconds
        self.slow_seconds = settings.slow_seconds
        self.requests = PerMinute(settings.requests_per_minute, "requests_per_minute", "requests")
        self.at_once = AtOnce(
            settings.max_concurrent_requests, "max_concurrent_requests", "requests"
        )
        self.streams = AtOnce(settings.max_subscriptions, "max_subscriptions", "event streams")
        self.sockets = AtOnce(settings.max_token_sockets, "max_token_sockets", "WebSockets")

    def admit(self, viewer: Viewer) -> None:
        """Count a request. Raises TryAgainLater if there were too many in this minute already."""
        self.requests.take(viewer.counts_as)

    def over_stream(
        self, viewer: Viewer, answers: AsyncGenerator[T, None]
    ) -> AsyncGenerator[T, None]:
        """The answers of an event stream. Raises TryAgainLater if there are too many streams.

        It is counted once its answers are read, since a stream that is never started never ends.
        """
        key = viewer.counts_as
        self.streams.check(key)

        async def counted() -> AsyncGenerator[T, None]:
            with self.streams.holding(key):
                async with aclosing(answers):
                    async for answer in answers:
                        yield answer

        return counted()

    def over(self, viewer: Viewer, operation: Operation) -> "Watch":
        """A context manager for the block that executes an operation, or one event of it.

        Raises TryAgainLater if too many are in progress, and TookTooLong if it takes too long: its
        statements are cancelled, and its writes rolled back. Only a write of memberships may still
        land, as it may be a single statement, or part of a batch.
        """
        return Watch(self, viewer.counts_as, operation)


class Watch:
    """One operation, or one event. (A class, since a generator would take twice as long.)"""

    __slots__ = ("cutoff", "figures", "guard", "key", "operation", "span", "started", "token")

    def __init__(self, guard: Guard, key: str, operation: Operation) -> None:
        self.guard = guard
        self.key = key
        self.operation = operation

    @property
    def is_event(self) -> bool:
        """Whether this is an event rather than a request: events do not count as requests."""
        return self.operation.type is OperationType.SUBSCRIPTION

    async def __aenter__(self) -> None:
        if not self.is_event:
            self.guard.at_once.enter(self.key)
        self.started = time.perf_counter()
        self.figures = Figures()
        self.token: Token[Figures | None] = figures.set(self.figures)
        self.span = self._begin_span()
        self.cutoff = Cutoff(self.guard.seconds).__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.span:
            self.span.note(cost=self.operation.cost, statements=self.figures.statements)
            self.span.__exit__(kind, error, traceback)
        figures.reset(self.token)
        if not self.is_event:
            self.guard.at_once.leave(self.key)
        seconds = time.perf_counter() - self.started
        DURATIONS[self.operation.type].observe(seconds)
        if seconds >= self.guard.slow_seconds:
            self._log(seconds)
        if isinstance(error, asyncio.CancelledError):
            self.figures.cancel()
        try:
            self.cutoff.__exit__(kind, error, traceback)
        except TimeoutError:
            is_write = self.operation.type is OperationType.MUTATION
            advice = (
                "it may have been saved all the same: check before you try again"
                if is_write
                else "ask for less"
            )
            raise TookTooLong(
                f"Stopped after {self.guard.seconds:g} seconds "
                f"({variable('request_seconds')}); {advice}."
            ) from None

    def _begin_span(self) -> Span | None:
        if not (made := spans.get()):
            return None
        name = self.operation.name
        return made.operation(self.operation.type.value, name and name[:LONGEST_NAME]).__enter__()

    def _log(self, seconds: float) -> None:
        SLOW.inc()
        logger.warning(
            "slow %s %s: %.0f ms, cost %d, %d statements, for %s",
            self.operation.type.value,
            (self.operation.name or "without a name")[:LONGEST_NAME],
            seconds * 1000,
            self.operation.cost,
            self.figures.statements,
            self.key,
        )
