"""Clients that write for as long as they are let, and remember what they were told has landed."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson

from models.database import fetch
from models.ledger import current_revision
from models.verify import differences
from tests.access.service import HOST, PATIENCE
from tests.faults.servers import Server, Tenant

CREATE = """mutation($name: String!, $users: [ID!]!, $bots: [ID!]!) {
    createGroup(input: { name: $name, userIds: $users, botIds: $bots }) {
        revision group { id } userErrors { code } } }"""
REMOVE = """mutation($group: ID!, $users: [ID!]!) {
    removeUsersFromGroup(input: { groupId: $group, userIds: $users }) {
        revision userErrors { code } } }"""
ADD = """mutation($group: ID!, $users: [ID!]!) {
    addUsersToGroup(input: { groupId: $group, userIds: $users }) {
        revision userErrors { code } } }"""
RENAME = """mutation($group: ID!, $name: String!) {
    updateGroup(input: { id: $group, name: $name }) { revision userErrors { code } } }"""

OPEN = "SELECT group_id, user_id FROM group_users WHERE until_revision IS NULL"

Answer = tuple[int, dict[str, Any]]  # a status, and what was told


class Line:
    """One connection of a client, which is opened anew whenever it is lost."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token
        self._streams: tuple[StreamReader, StreamWriter] | None = None

    async def send(self, query: str, variables: dict[str, Any]) -> None:
        """Send a request. Raises ConnectionError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self.port)
        body = orjson.dumps({"query": query, "variables": variables})
        self._streams[1].write(
            f"POST /graphql HTTP/1.1\r\nHost: cohort\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    async def hear(self) -> Answer:
        """The answer to what was sent. Raises ConnectionError if there is none."""
        assert self._streams is not None
        try:
            head = (await self._streams[0].readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            body = await self._streams[0].readexactly(length)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError from None
        assert "content-type: application/json" in head, (head, body)
        return int(head.split(" ", 2)[1]), orjson.loads(body)

    async def ask(self, query: str, **variables: Any) -> Answer | None:
        """The answer to a request; None if the connection was lost, and nobody knows."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.send(query, variables)
                return await self.hear()
        except ConnectionError:
            self.close()
            return None

    def close(self) -> None:
        """Close the connection, whatever is under way on it."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


@dataclass
class Held:
    """A group that a client made: what it was told of it, as long as it was told all."""

    id: str
    name: str
    users: set[str]
    is_certain: bool = True


@dataclass
class Record:
    """What all clients were told."""

    landed: dict[int, str] = field(default_factory=dict)  # by revision: the action
    groups: dict[str, Held] = field(default_factory=dict)
    lost: int = 0  # answers that never came
    refused: list[tuple[Answer, float]] = field(default_factory=list)  # and how long each took


class Writers:
    """So many clients that write at once."""

    def __init__(
        self, server: Server, tenant: Tenant, users: Sequence[str], bots: Sequence[str]
    ) -> None:
        self.server = server
        self.tenant = tenant
        self.users = list(users)
        self.bots = list(bots)
        self.record = Record()
        self.stopped = asyncio.Event()

    async def run(self, clients: int, writes: int) -> None:
        """Write until so many writes have landed, or until they are stopped."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(clients):
                tasks.create_task(self._write_on(number, writes))

    def _is_done(self, writes: int) -> bool:
        return self.stopped.is_set() or len(self.record.landed) >= writes

    async def _write_on(self, number: int, writes: int) -> None:
        with closing(Line(self.server.port, self.tenant.token)) as line:
            for turn in count():
                if self._is_done(writes):
                    break
                await self._fill_and_empty(line, f"Group {number}.{turn}")
                line.close()  # a worker that is new gets its share of the next connections

    async def _fill_and_empty(self, line: Line, name: str) -> None:
        """Make a group and change it, until there is no answer."""
        some, others = set(self.users[:3]), set(self.users[3:])
        variables = {"name": name, "users": sorted(some), "bots": self.bots}
        data = await self._write(line, "GROUP_CREATED", CREATE, **variables)
        if data is None:
            return
        held = self.record.groups[data["group"]["id"]] = Held(data["group"]["id"], name, some)
        for action, query, ids, after in (
            ("USERS_ADDED", ADD, others, some | others),
            ("USERS_REMOVED", REMOVE, some, others),
        ):
            held.is_certain = False
            if not await self._write(line, action, query, group=held.id, users=sorted(ids)):
                return
            held.is_certain, held.users = True, after
        held.is_certain = False
        if await self._write(line, "GROUP_UPDATED", RENAME, group=held.id, name=f"{name} too"):
            held.is_certain, held.name = True, f"{name} too"

    async def _write(
        self, line: Line, action: str, query: str, **variables: Any
    ) -> dict[str, Any] | None:
        """The payload of a write that has landed; None if that is not known, or it was refused."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = await line.ask(query, **variables)
        if answer is None:
            self.record.lost += 1
            await asyncio.sleep(0.05)
            return None
        if "errors" in answer[1]:
            self.record.refused.append((answer, loop.time() - started))
            await asyncio.sleep(0.05)
            return None
        payload: dict[str, Any]
        (payload,) = answer[1]["data"].values()
        assert payload["userErrors"] == [], payload
        assert payload["revision"] not in self.record.landed
        self.record.landed[payload["revision"]] = action
        return payload


async def assert_kept(record: Record, organization_id: str) -> None:
    """Assert that every write that was told to have landed is there, and no half of any other.

    Works on the connected database.
    """
    rows = await fetch(
        "SELECT revision, action FROM changes WHERE organization_id = $1 ORDER BY revision",
        organization_id,
    )
    ledger = {row[0]: row[1] for row in rows}
    assert list(ledger) == list(range(1, await current_revision(organization_id) + 1))
    assert {revision: ledger[revision] for revision in record.landed} == record.landed
    names = {row[0]: row[1] for row in await fetch("SELECT id, name FROM groups")}
    members: dict[str, set[str]] = {id: set() for id in names}
    for row in await fetch(OPEN):
        members[row[0]].add(row[1])
    certain = [held for held in record.groups.values() if held.is_certain]
    assert {held.id: (held.name, held.users) for held in certain} == {
        held.id: (names[held.id], members[held.id]) for held in certain
    }
    assert set(record.groups) <= set(names)
    assert await differences() == []
