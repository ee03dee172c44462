"""Fixtures: the service over a database of its own, and those who ask it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from models.organizations import create_organization
from models.tables import Role
from models.viewer import Viewer
from tests.client import Asker, Client, asker, serving
from tests.schema.connections import World, make_world


@pytest.fixture
async def client(database_url: str, options: dict[str, Any]) -> AsyncIterator[Client]:
    """A client of the service, over a database without rows."""
    async with serving(database_url, **options) as client:
        yield client


@pytest.fixture
async def acme(client: Client) -> Viewer:
    """The operator's viewer of the organization “Acme”, which is empty."""
    return await create_organization("Acme")


@pytest.fixture
async def other(client: Client) -> Viewer:
    """The operator's viewer of a second organization, “Other”, which is empty."""
    return await create_organization("Other")


@pytest.fixture
async def ask(client: Client, acme: Viewer) -> Asker:
    """An administrator of Acme, who asks."""
    return await asker(client, acme)


@pytest.fixture
async def auditor(client: Client, acme: Viewer) -> Asker:
    """An auditor of Acme, who asks."""
    return await asker(client, acme, Role.AUDITOR)


@pytest.fixture
async def world(client: Client, acme: Viewer) -> World:
    """An organization in which every list has seven rows and more, and one who asks."""
    return await make_world(client, acme)
