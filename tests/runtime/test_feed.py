"""What a process tells the others of its writes."""

import asyncio

import pytest

from models import database
from models.errors import Unavailable
from models.viewer import Viewer
from runtime.feed import Feed
from tests.factories import make_group


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_others_are_told_later_of_what_they_could_not_be_told(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    told = asyncio.Event()

    async def notify(organization_id: str) -> None:
        tried.append(organization_id)
        if len(tried) == 1:
            raise Unavailable
        told.set()

    monkeypatch.setattr(database, "notify", notify)
    async with Feed(poll_seconds=0.01).running():
        await make_group(viewer, "Sales")
        async with asyncio.timeout(10):
            await told.wait()
    assert tried == [viewer.organization_id] * 2
