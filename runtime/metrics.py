"""Prometheus metrics of the service. They are totals, and name no tenant, person or query."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, mmap_dict, values
from prometheus_client.multiprocess import MultiProcessCollector

from models import database
from models.apart import of_request

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SAMPLED_SECONDS = 5.0

logger = logging.getLogger("cohort.metrics")


def _make_room() -> None:
    """Allocate this process's metric files on the disk before they are mapped.

    prometheus_client makes them sparse, and a write to a hole in one on a full disk ends the
    process with SIGBUS. If there is no space, the metrics are kept in the process.
    """
    if values.ValueClass is values.MutexValue:
        return  # one worker
    if not hasattr(os, "posix_fallocate"):
        return  # macOS
    directory = Path(MultiProcessCollector(CollectorRegistry())._path)  # type: ignore[no-untyped-call]
    names = ("counter", "histogram", "gauge_livesum")
    files = [directory / f"{name}_{os.getpid()}.db" for name in names]
    try:
        for path in files:
            with path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, mmap_dict._INITIAL_MMAP_SIZE)
    except OSError as error:
        logger.warning(
            "no space for metrics in %s; this worker reports its own on /metrics: %s",
            directory,
            error.strerror,
        )
        values.ValueClass = values.MutexValue
        for path in files:
            with suppress(OSError):
                path.unlink()


_make_room()

RESPONSES = Counter("cohort_responses", "HTTP responses, by status.", ["status"])
OPERATIONS = Histogram(
    "cohort_operation_seconds",
    "How long GraphQL operations took, by type, and events of subscriptions; `_count` is how many "
    "there were.",
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
    """What one operation has used so far: its statements, and the tasks that ran them."""

    __slots__ = ("statements", "tasks")

    def __init__(self) -> None:
        self.statements = 0
        self.tasks: set[asyncio.Task[Any] | None] = set()

    def cancel(self) -> None:
        """Cancel statements that still run: those of fields that are fetched in other tasks."""
        for task in self.tasks - {asyncio.current_task()}:
            if task:
                task.cancel()


figures: ContextVar[Figures | None] = of_request("figures")


def _count_statement(sql: str) -> None:
    STATEMENTS.inc()
    if current := figures.get():
        current.statements += 1
        current.tasks.add(asyncio.current_task())


@asynccontextmanager
async def sampling(sample: Callable[[], None]) -> AsyncIterator[None]:
    """Count statements, and call `sample` periodically to set gauges, during the block."""

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
    """Set the gauges of the database connections."""
    in_use, idle = database.connections()
    IN_USE.set(in_use)
    IDLE.set(idle)
