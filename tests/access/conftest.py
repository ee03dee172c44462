"""Fixtures: those of the API's tests, and how Hypothesis is to try."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.access.service import Service, listening
from tests.schema.conftest import acme, ask, auditor, client, other

__all__ = ["acme", "ask", "auditor", "client", "other"]

# Each example is an organization of its own, in the one database of its test.
settings.register_profile(
    "access",
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def service(database_url: str, options: dict[str, Any]) -> AsyncIterator[Service]:
    """The service on a port, for clients that need one."""
    async with listening(database_url, **options) as service:
        yield service
