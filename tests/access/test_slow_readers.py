"""Limits of those who listen: how many they may be, and how long they may not read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from models.groups import update_group
from models.ledger import current_revision
from models.organizations import create_organization
from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from runtime.feed import MOST_WAITING
from schema.requests import request_from
from tests.access.service import CHANGES, Service, eventually, line, listening, stream
from tests.factories import make_bot, make_group

SLOW_SECONDS = 0.5
MUCH = " ".join(f"part{number}: description" for number in range(50))
# A hundred thousand characters a change: far more than what lies between two processes holds.
LONG = f"""subscription($after: String) {{ changes(after: $after) {{
    cursor node {{ revision group {{ {MUCH} }} }} }} }}"""
# A client that reads nothing but what is asked of it.
DEAF: dict[str, Any] = {
    "max_queue": 1, "max_size": None, "compression": None, "close_timeout": 0.1
}  # fmt: skip


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    async with listening(database_url, max_sockets=2, slow_reader_seconds=SLOW_SECONDS) as service:
        yield service


@pytest.fixture
async def acme(service: Service) -> Viewer:
    return await create_organization("Acme")


@pytest.fixture
async def token(acme: Viewer) -> str:
    return (await create_token(acme, "Listener", Role.ADMIN))[1]


async def write_much(acme: Viewer, group: str, numbers: range) -> None:
    """A change of a group for each number, with a long description."""
    for count in numbers:
        await update_group(acme, group, {"description": f"{count} " + "x" * 1_990})


class Reader:
    """What a client that goes on where it was has seen."""

    def __init__(self) -> None:
        self.revisions: list[int] = []
        self.cursor: str | None = None

    def saw(self, edge: Any) -> None:
        self.revisions.append(edge["node"]["revision"])
        self.cursor = edge["cursor"]


async def is_let_go(service: Service, is_forgotten: Callable[[], bool]) -> None:
    """Wait until nothing of a client is left in the service."""
    await eventually(is_forgotten)
    assert service.runner.feed.subscriber_count == 0


async def test_a_socket_that_is_not_read_is_closed_and_resumes(
    service: Service, acme: Viewer, token: str
) -> None:
    group, reader = await make_group(acme), Reader()
    first, number = await current_revision(acme.organization_id) + 1, MOST_WAITING + 100
    async with line(service, token, **DEAF) as slow:
        await slow.subscribe(query=LONG)
        await eventually(lambda: service.runner.feed.subscriber_count == 1)
        await write_much(acme, group, range(number))
        await is_let_go(service, lambda: service.runner.sockets == 0)
        while isinstance(heard := await slow.hear_or_close(), dict):
            reader.saw(heard["payload"]["data"]["changes"])
        assert heard == 1013
    assert 0 < len(reader.revisions) < number
    async with line(service, token, max_size=None) as again:
        await again.subscribe(query=LONG, after=reader.cursor)
        for _ in range(number - len(reader.revisions)):
            reader.saw(await again.change())
    assert reader.revisions == list(range(first, first + number))


async def test_an_event_stream_that_is_not_read_is_broken_off_and_resumes(
    service: Service, acme: Viewer, token: str
) -> None:
    group, reader = await make_group(acme), Reader()
    first, number = await current_revision(acme.organization_id) + 1, MOST_WAITING + 100
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012
        async with stream(service, token, LONG) as slow:
            await eventually(lambda: service.runner.feed.subscriber_count == 1)
            await write_much(acme, group, range(number))
            await is_let_go(service, lambda: service.runner.feed.subscriber_count == 0)
            while True:
                reader.saw(await slow.change())
    assert 0 < len(reader.revisions) < number
    async with stream(service, token, LONG, after=reader.cursor) as again:
        for _ in range(number - len(reader.revisions)):
            reader.saw(await again.change())
    assert reader.revisions == list(range(first, first + number))


async def test_one_who_is_slow_keeps_nobody_else_waiting(
    service: Service, acme: Viewer, token: str
) -> None:
    group = await make_group(acme)
    first, number = await current_revision(acme.organization_id) + 1, 50
    async with (
        line(service, token, **DEAF) as slow,
        line(service, token) as quick,
    ):
        await slow.subscribe(query=LONG)
        await quick.subscribe()
        await eventually(lambda: service.runner.feed.subscriber_count == 2)
        for count in range(number):
            await write_much(acme, group, range(count, count + 1))
            assert await quick.revisions(1) == [first + count]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_whoever_floods_a_socket_without_reading_is_let_go(
    service: Service, acme: Viewer, token: str
) -> None:
    async with line(service, token, **DEAF) as flood:

        async def ask_on() -> None:
            for _ in range(10_000):
                await flood.say("ping", payload={"text": "x" * 10_000})

        flooding = asyncio.create_task(ask_on())
        await eventually(lambda: service.runner.sockets == 0)
        assert await flood.close_code() == 1013
        await asyncio.gather(flooding, return_exceptions=True)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_the_sockets_of_a_process_are_limited(service: Service, token: str) -> None:
    async with line(service, token):
        async with line(service, token):
            async with line(service) as third:
                assert await third.close_code() == 1013
            await eventually(lambda: service.runner.sockets == 2)
        await eventually(lambda: service.runner.sockets == 1)
        async with line(service, token) as third:
            assert await third.ask("{ viewer { role } }") == {"viewer": {"role": "ADMIN"}}


async def test_nothing_is_lost_to_one_who_falls_behind_what_is_handed_over(
    service: Service, acme: Viewer, token: str
) -> None:
    first, number = await current_revision(acme.organization_id) + 1, 3 * MOST_WAITING
    async with line(service, token) as socket:
        await socket.subscribe()
        await eventually(lambda: service.runner.feed.subscriber_count == 1)
        for count in range(number):
            await make_bot(acme, f"Bot {count}")
        assert await socket.revisions(number) == list(range(first, first + number))


async def test_one_who_pauses_is_told_the_rest_from_the_ledger(
    service: Service, acme: Viewer, token: str
) -> None:
    runner, number = service.runner, MOST_WAITING + 50
    viewer = await runner.authenticator.viewer(token)
    asked = request_from({"query": CHANGES})
    first = viewer.revision + 1
    async with (
        runner.feed.subscribed(acme.organization_id) as other,
        aclosing(runner.events(token, viewer, runner.operation(viewer, asked), asked)) as events,
    ):
        other.is_behind = False
        await make_bot(acme, "First")
        told = [await anext(events)]
        for count in range(number):
            await make_bot(acme, f"Bot {count}")
        await eventually(lambda: other.is_behind)
        told += [await anext(events) for _ in range(number)]
    revisions = [answer.body["data"]["changes"]["node"]["revision"] for answer in told]
    assert revisions == list(range(first, first + number + 1))
