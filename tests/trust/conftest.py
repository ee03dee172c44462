"""Fixtures: the service over a database of its own, in this process and on a port."""

from collections.abc import AsyncIterator

import pytest

from models.organizations import create_organization
from models.viewer import Viewer
from tests.access.conftest import service
from tests.client import Asker, Client, asker, serving

__all__ = ["service"]


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[Client]:
    """A client of the service, over a database without rows."""
    async with serving(database_url) as client:
        yield client


@pytest.fixture
async def acme(client: Client) -> Viewer:
    """The operator's viewer of the organization “Acme”, which is empty."""
    return await create_organization("Acme")


@pytest.fixture
async def ask(client: Client, acme: Viewer) -> Asker:
    """An administrator of Acme, who asks."""
    return await asker(client, acme)
