"""The endpoint that Prometheus scrapes, `/metrics`.

With several workers, each writes its metrics to files in a directory that they share
(`PROMETHEUS_MULTIPROC_DIR`, which `manage.py serve` sets), and whichever is asked adds them up.
"""

import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from models.errors import Unauthenticated
from runtime.auth import Authenticator, secret_of
from runtime.settings import Settings

NOT_YOURS = "Metrics need a token; see docs/operations.md.\n"


def metrics_page(
    settings: Settings, authenticator: Authenticator, sample: Callable[[], None]
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint, open to COHORT_METRICS_TOKEN; if that is not set, to any token that is not a
    MEMBER's."""

    async def respond(request: Request) -> Response:
        status = await _refusal(settings, authenticator, request)
        if status:
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            return PlainTextResponse(NOT_YOURS, status, headers)
        sample()
        return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)

    return respond


async def _refusal(settings: Settings, authenticator: Authenticator, request: Request) -> int:
    """The status with which a request for the metrics is refused; 0 if it is not refused."""
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
    """The metrics of this process; with several workers, of all of them."""
    if values.ValueClass is values.MutexValue:
        return REGISTRY
    registry = CollectorRegistry()
    collector = MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    _drop_dead_workers(Path(collector._path))
    return registry


def _drop_dead_workers(directory: Path) -> None:
    """Drop the live gauges of workers that were killed: their connections no longer exist."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
