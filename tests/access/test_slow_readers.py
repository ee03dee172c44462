"""Limits of those who listen: how many they may be, and how long they may not read."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
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
def options() -> dict[str, Any]:
    return {"max_sockets": 2, "slow_reader_seconds": SLOW_SECONDS}


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
        await service.has_subscribers(1)
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
            await service.has_subscribers(1)
            await write_much(acme, group, range(number))
            await is_let_go(service, lambda: service.runner.feed.subscriber_count == 0)
            while True:
                reader.saw(await slow.change())
    assert 0 < len(reader.revisions) < number
    async with stream(service, token, LONG, after=reader.cursor) as again:
        for _ in range(number - len(reader.revisions)):
            reader.saw(await again.change())
    assert reader.revisions == list(range(first, first + number))


async def test_a_large_answer_that_is_not_read_is_given_up(
    service: Service, acme: Viewer, token: str
) -> None:
    group = await make_group(acme)
    await write_much(acme, group, range(100))
    name = "a" * 90_000  # it stands in the answer for each change
    query = f"{{ changes(first: 100) {{ nodes {{ {name}: summary details: summary }} }} }}"
    body = orjson.dumps({"query": query})
    head = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    head = f"POST /graphql HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    address = urlsplit(service.http)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (address.hostname, address.port))
        await loop.sock_sendall(deaf, request)
        await asyncio.sleep(2 * SLOW_SECONDS)
        received = b""
        async with asyncio.timeout(30):
            while part := await loop.sock_recv(deaf, 1_000_000):
                received += part
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert not received.endswith(b"}")


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
        await service.has_subscribers(2)
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


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_the_sockets_of_one_token_leave_room_for_others(database_url: str) -> None:
    async with listening(database_url, max_token_sockets=1) as service:
        acme = await create_organization("Acme")
        one, other = [(await create_token(acme, name, Role.ADMIN))[1] for name in ("One", "Other")]
        async with line(service, one):
            async with line(service) as second:
                await second.say("connection_init", payload={"Authorization": f"Bearer {one}"})
                assert await second.close_code() == 1013
            async with line(service, other) as of_other:
                assert await of_other.ask("{ viewer { role } }") == {"viewer": {"role": "ADMIN"}}
        await eventually(lambda: service.runner.sockets == 0)
        async with line(service, one) as again:
            assert await again.ask("{ viewer { role } }") == {"viewer": {"role": "ADMIN"}}


async def test_nothing_is_lost_to_one_who_falls_behind_what_is_handed_over(
    service: Service, acme: Viewer, token: str
) -> None:
    first, number = await current_revision(acme.organization_id) + 1, 3 * MOST_WAITING
    async with line(service, token) as socket:
        await socket.subscribe()
        await service.has_subscribers(1)
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
