"""Figures for Prometheus, at `/metrics`. They tell totals, and name no tenant, person or query.

With several workers each writes its figures to files of a directory that they share
(`PROMETHEUS_MULTIPROC_DIR`, which `manage.py serve` sets), and whichever is asked adds them up.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from models import database
from models.errors import Unauthenticated
from runtime.auth import Authenticator, secret_of
from runtime.settings import Settings

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SAMPLED_SECONDS = 5.0

RESPONSES = Counter("cohort_responses", "HTTP responses, by status.", ["status"])
OPERATIONS = Histogram(
    "cohort_operation_seconds",
    "How long GraphQL operations took, by type; `_count` is how many there were.",
    ["type"],
    buckets=SECONDS,
)
SLOW = Counter("cohort_slow_operations", "Operations that took COHORT_SLOW_SECONDS or more.")
ERRORS = Counter("cohort_errors", "Errors that clients were told, by code.", ["code"])
STATEMENTS = Counter("cohort_statements", "SQL statements.")
CACHE = Counter("cohort_cache_lookups", "Lookups in a cache, by what they gave.", ["cache", "gave"])
LAG = Histogram(
    "cohort_revision_lag_seconds",
    "From the moment that a change was made until this process told its subscribers.",
    buckets=SECONDS,
)
POOL = Gauge(
    "cohort_pool_connections",
    "Database connections, by whether they are in use.",
    ["state"],
    multiprocess_mode="livesum",
)
SUBSCRIBERS = Gauge(
    "cohort_subscribers", "Subscriptions that are open.", multiprocess_mode="livesum"
)
SOCKETS = Gauge("cohort_sockets", "WebSockets that are open.", multiprocess_mode="livesum")

IN_USE, IDLE = POOL.labels("in use"), POOL.labels("idle")


class Figures:
    """What one operation has used so far."""

    __slots__ = ("statements", "tasks")

    def __init__(self) -> None:
        self.statements = 0
        self.tasks: set[asyncio.Task[Any] | None] = set()  # that have run statements for it

    def cancel(self) -> None:
        """Stop the statements that still run: those of loaders, which have tasks of their own."""
        for task in self.tasks - {asyncio.current_task()}:
            if task:
                task.cancel()


figures: ContextVar[Figures | None] = ContextVar("figures", default=None)


def _count_statement(sql: str) -> None:
    STATEMENTS.inc()
    if current := figures.get():
        current.statements += 1
        current.tasks.add(asyncio.current_task())


@asynccontextmanager
async def sampling(sample: Callable[[], None]) -> AsyncIterator[None]:
    """Count statements, and take the figures that nobody counts, as long as the block lasts."""

    async def forever() -> None:
        while True:
            sample()
            await asyncio.sleep(SAMPLED_SECONDS)

    with database.watch_statements(_count_statement):
        task = asyncio.create_task(forever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def sample_pool() -> None:
    """Take the figures of the database connections."""
    in_use, idle = database.connections()
    IN_USE.set(in_use)
    IDLE.set(idle)


def metrics_page(
    settings: Settings, authenticator: Authenticator, sample: Callable[[], None]
) -> Callable[[Request], Awaitable[Response]]:
    """`/metrics`: for the bearer of COHORT_METRICS_TOKEN; without one, of a token that sees all."""

    async def respond(request: Request) -> Response:
        status = await _refusal(settings, authenticator, request)
        if status:
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            return PlainTextResponse(
                "Metrics need a token; see docs/operations.md.\n", status, headers
            )
        sample()
        return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)

    return respond


async def _refusal(settings: Settings, authenticator: Authenticator, request: Request) -> int:
    """The status that a request for the figures is refused with; 0 if it is not."""
    secret = secret_of(request) or ""
    if expected := settings.metrics_token.get_secret_value():
        good = secrets.compare_digest(secret.encode(errors="replace"), expected.encode())
        return 0 if good else 401
    try:
        viewer = await authenticator.viewer(secret)
    except Unauthenticated:
        return 401
    return 0 if viewer.sees_all else 403


def _registry() -> CollectorRegistry:
    """The figures of this process; with several workers, of all."""
    if values.ValueClass is values.MutexValue:
        return REGISTRY
    registry = CollectorRegistry()
    collector = MultiProcessCollector(registry)
    _forget_the_dead(Path(collector._path))
    return registry


def _forget_the_dead(directory: Path) -> None:
    """Take away what workers left that ended without a word: their connections are no more."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(directory))
