"""Several processes over one database, and the clients that people use: nothing is lost between."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from shutil import which
from typing import Any

import httpx
import pytest
from gql import Client as GqlClient
from gql import gql
from gql.transport.websockets import WebsocketsTransport

from models.history import NEWEST_FIRST, changes_after
from models.ledger import current_revision
from models.organizations import create_organization
from models.tables import Role
from models.tokens import create_token
from models.verify import differences
from models.viewer import Viewer
from schema.pagination import encode_cursor
from tests.access.service import CHANGES, PATIENCE
from tests.access.workers import CLIENTS, Listener, Worker, listener, two_workers
from tests.databases import opened
from tests.factories import make_bot
from tests.once import install_packages

CREATE = "mutation($name: String!) { createGroup(input: { name: $name }) { userErrors { code } } }"
KINDS = ("graphql-ws", "graphql-sse")


@dataclass(frozen=True)
class House:
    """Two workers over one database, an administrator's token, and where the ledger stands."""

    workers: tuple[Worker, Worker]
    acme: Viewer
    token: str
    cursor: str
    revision: int
    client: httpx.AsyncClient

    async def ask(self, worker: Worker, query: str, **variables: Any) -> Any:
        """The data of an answer of one of the workers."""
        body = {"query": query, "variables": variables}
        answer = (await self.client.post(worker.http, json=body)).json()
        assert "errors" not in answer, answer
        return answer["data"]


@pytest.fixture(scope="session")
def clients() -> None:
    """The packages of clients/, as its lock file says."""
    if which("node") is None or which("npm") is None:
        pytest.skip("node is missing: the clients that browsers use can not be tried")
    install_packages(CLIENTS)


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with opened(database_url):
        acme = await create_organization("Acme")
        revision, cursor, token = await _first_change(acme)
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            two_workers(database_url) as workers,
            httpx.AsyncClient(timeout=PATIENCE, headers=headers) as client,
        ):
            yield House(workers, acme, token, cursor, revision, client)
            assert await differences() == []


async def _first_change(acme: Viewer) -> tuple[int, str, str]:
    """The revision of a new token's change, the change's cursor, and the token's secret."""
    _, token = await create_token(acme, "Listener", Role.ADMIN)
    (change,) = await changes_after(acme.organization_id, 0, 1)
    return change["revision"], encode_cursor(NEWEST_FIRST, change), token


async def write_on(house: House, number: int) -> None:
    """So many groups, created at one worker and at the other, or at the one that still lives."""
    for count in range(number):
        for one in (house.workers[count % 2], house.workers[1]):
            try:
                await house.ask(one, CREATE, name=f"Group {count}")
                break
            except httpx.TransportError:
                continue  # whether it was written is not known; at the other it may be TAKEN


async def begin_writing(house: House, number: int, *listeners: Listener) -> "asyncio.Task[None]":
    """Write on, once all of them listen; the task that does, when each was told a part of it."""
    await house.ask(house.workers[0], CREATE, name="First")
    for each in listeners:
        await each.until(lambda it: len(it.revisions) > 0)
    writing = asyncio.create_task(write_on(house, number))
    for each in listeners:
        await each.until(lambda it: len(it.revisions) > 20)
    return writing


async def assert_told_all(house: House, *listeners: Listener) -> None:
    """Assert that each is told every revision once, in order."""
    last = await current_revision(house.acme.organization_id)
    expected = list(range(house.revision + 1, last + 1))
    for each in listeners:
        await each.until(lambda it: len(it.revisions) >= len(expected))
        assert each.revisions == expected


async def test_clients_go_on_elsewhere_when_a_worker_is_killed(clients: None, house: House) -> None:
    doomed = house.workers[0]
    at_doomed = (house.token, house.cursor, *house.workers)
    async with listener("graphql-ws", *at_doomed) as ws, listener("graphql-sse", *at_doomed) as sse:
        writing = await begin_writing(house, 120, ws, sse)
        assert not writing.done()
        doomed.process.kill()
        await writing
        await assert_told_all(house, ws, sse)
        assert any("error" in line for line in ws.said)
        assert any("error" in line for line in sse.said)


async def test_clients_go_on_elsewhere_when_a_worker_is_asked_to_end(
    clients: None, house: House
) -> None:
    leaving = house.workers[0]
    at_leaving = (house.token, house.cursor, *house.workers)
    async with (
        listener("graphql-ws", *at_leaving) as ws,
        listener("graphql-sse", *at_leaving) as sse,
    ):
        writing = await begin_writing(house, 100, ws, sse)
        leaving.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await leaving.process.wait()
        await writing
        await assert_told_all(house, ws, sse)
        assert [line["closed"] for line in ws.said if "closed" in line][:1] == [1012]
        assert not any("complete" in line for line in ws.said + sse.said)


async def test_what_one_worker_writes_is_told_at_the_other(clients: None, house: House) -> None:
    first, second = house.workers
    async with (
        listener("graphql-ws", house.token, house.cursor, second) as ws,
        listener("graphql-sse", house.token, house.cursor, second) as sse,
    ):
        for count in range(5):
            await house.ask(first, CREATE, name=f"Group {count}")
            await assert_told_all(house, ws, sse)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_client_is_told_why_it_is_refused(clients: None, house: House) -> None:
    def is_told(line: dict[str, Any]) -> bool:
        return "error" in line or "errors" in line

    for kind in KINDS:
        for token, cursor in (("wrong", house.cursor), (house.token, "nonsense")):
            async with listener(kind, token, cursor, house.workers[0]) as refused:
                await refused.until(lambda it: any(map(is_told, it.said)))
                if token == "wrong" and kind == "graphql-ws":
                    assert refused.said[0]["closed"] == 4403
                if token == house.token:
                    assert "BAD_REQUEST" in str(next(filter(is_told, refused.said)))


async def test_a_client_in_python_listens_and_resumes(house: House) -> None:
    revisions, cursor = [], house.cursor
    for count in range(4):
        transport = WebsocketsTransport(
            house.workers[count % 2].ws,
            init_payload={"Authorization": f"Bearer {house.token}"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        await make_bot(house.acme, f"Bot {count}")
        await make_bot(house.acme, f"Bot {count} too")
        async with GqlClient(transport=transport) as session:
            document = gql(CHANGES)
            document.variable_values = {"after": cursor}
            async for told in session.subscribe(document):
                edge = told["changes"]
                revisions.append(edge["node"]["revision"])
                cursor = edge["cursor"]
                if len(revisions) == 2 * (count + 1):
                    break
    assert revisions == list(range(house.revision + 1, house.revision + 9))
