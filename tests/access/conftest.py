"""Fixtures: those of the API's tests, and how Hypothesis is to try."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from tests.access.service import Service, on_port
from tests.client import Client
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
async def service(client: Client) -> AsyncIterator[Service]:
    """The service of `client` on a port, for clients that need one."""
    async with on_port(client) as service:
        yield service


@pytest.fixture
async def token(acme: Viewer) -> str:
    """The secret of a token with which to listen to Acme."""
    return (await create_token(acme, "Listener", Role.ADMIN))[1]
