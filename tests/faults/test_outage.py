"""PostgreSQL is stopped and started under load: errors are clear, and nothing needs a hand."""

import asyncio
from asyncio import Task
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from models.database import fetch
from models.kinds import BOTS, USERS
from models.ledger import current_revision
from models.organizations import find_organization
from models.tokens import revoke_token
from tests.access.service import CHANGES, PATIENCE
from tests.databases import opened
from tests.factories import make_entries
from tests.faults.postmaster import OwnPostgres
from tests.faults.servers import Server, Tenant, make_tenant, serving, until
from tests.faults.writers import Answer, Line, Writers, assert_kept

READ = "{ organization { name revision } groups(first: 3) { nodes { id name userCount } } }"
QUICK = 8.0  # seconds: COHORT_POOL_SECONDS, and some for a machine that is busy
MESSAGE = "The database is not responding at the moment. Try again in a while."


@dataclass
class Readers:
    """Clients that read all the while, and what they were answered."""

    server: Server
    token: str
    answers: list[tuple[Answer, float]] = field(default_factory=list)

    async def run(self) -> None:
        """Read until this is cancelled."""
        line, loop = Line(self.server.port, self.token), asyncio.get_running_loop()
        with closing(line):
            while True:
                started = loop.time()
                answer = await line.ask(READ)
                assert answer is not None, "the service hung up"
                self.answers.append((answer, loop.time() - started))
                await asyncio.sleep(0.01)


@dataclass
class Listener:
    """A client that is told of changes, and begins again behind the last one when it must."""

    revisions: list[int] = field(default_factory=list)
    cursor: str | None = None

    async def run(self, server: Server, token: str) -> None:
        """Listen until this is cancelled."""
        while True:
            await self._listen(server, token)
            await asyncio.sleep(0.05)

    async def _listen(self, server: Server, token: str) -> None:
        """Listen until the stream ends: after an error."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        body = {"query": CHANGES, "variables": {"after": self.cursor}}
        async with (
            httpx.AsyncClient(timeout=None) as http,
            http.stream("POST", server.url("/graphql"), json=body, headers=headers) as response,
        ):
            async for line in response.aiter_lines():
                told = orjson.loads(line[6:]) if line.startswith("data: {") else {}
                if "errors" in told:
                    assert told["errors"][0]["message"] == MESSAGE
                elif told:
                    self.cursor = told["data"]["changes"]["cursor"]
                    self.revisions.append(told["data"]["changes"]["node"]["revision"])


def assert_clear(answers: list[tuple[Answer, float]]) -> None:
    """Assert that whatever was refused was refused quickly, with the code and a plain sentence."""
    for (status, body), seconds in answers:
        assert status == 503, body
        assert "data" not in body
        (error,) = body["errors"]
        assert error["message"] == MESSAGE
        assert error["extensions"].keys() == {"code", "requestId"}
        assert error["extensions"]["code"] == "INTERNAL"
        assert seconds < QUICK


@asynccontextmanager
async def under_load(
    server: Server, tenant: Tenant, users: list[str], bots: list[str]
) -> AsyncIterator[tuple[Writers, Readers, Listener]]:
    """Writers, readers and a listener at work for as long as the block lasts."""
    writers, readers = Writers(server, tenant, users, bots), Readers(server, tenant.token)
    listener = Listener()
    async with asyncio.TaskGroup() as tasks:
        running: list[Task[Any]] = [
            tasks.create_task(listener.run(server, tenant.token)),
            *(tasks.create_task(readers.run()) for _ in range(3)),
        ]
        writing = tasks.create_task(writers.run(4, 1_000_000))
        yield writers, readers, listener
        writers.stopped.set()
        await writing
        await told_all(tenant, listener)
        for task in running:
            task.cancel()


async def told_all(tenant: Tenant, listener: Listener) -> None:
    """Wait until the listener was told the last change, and assert that it was told every one."""
    last = await current_revision(tenant.viewer.organization_id)
    await until(lambda: listener.revisions[-1] >= last)
    first = listener.revisions[0]
    assert listener.revisions == list(range(first, last + 1))


async def until_written(writers: Writers, number: int) -> None:
    """Wait until so many writes more have landed."""
    goal = len(writers.record.landed) + number
    await until(lambda: len(writers.record.landed) >= goal)


async def outage(postgres: OwnPostgres, mode: str, server: Server, writers: Writers) -> None:
    """Stop the database, look how the service takes it, and start the database again."""
    await until_written(writers, 50)
    await postgres.stop(mode)
    try:
        before = len(writers.record.refused)
        await server.until_ready(503)
        assert await server.status("/healthz") == 200
        await asyncio.sleep(1)
        await until(lambda: len(writers.record.refused) > before)
    finally:
        await postgres.start()
    await server.until_ready()
    await until_written(writers, 50)


async def assert_listens_again() -> None:
    """Assert that the service hears the notifications of others."""
    async with asyncio.timeout(PATIENCE):
        while not await fetch(  # noqa: ASYNC110  # nobody tells
            "SELECT pid FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        ):
            await asyncio.sleep(0.05)


async def test_the_service_outlives_outages_of_its_database(
    own_postgres: OwnPostgres, postgres_url: str, tmp_path: Path
) -> None:
    tenant = await make_tenant(postgres_url)
    async with opened(postgres_url), serving(postgres_url, tmp_path, pool_size=3) as server:
        users = await make_entries(tenant.viewer, USERS, [f"User {n}" for n in range(6)])
        bots = await make_entries(tenant.viewer, BOTS, ["Coach", "Clerk"])
        async with under_load(server, tenant, users, bots) as (writers, readers, listener):
            for mode in ("fast", "immediate", "fast"):
                await outage(own_postgres, mode, server, writers)
            await assert_listens_again()
        refused = [answer for answer in readers.answers if "errors" in answer[0][1]]
        assert refused
        assert_clear(refused)
        assert_clear(writers.record.refused)
        assert writers.record.lost == 0  # the service itself has always answered
        assert server.process.returncode is None
        await assert_kept(writers.record, tenant.viewer.organization_id)
        await assert_viewers_are_right(server, tenant)
        assert "Traceback" not in server.log, server.log


async def assert_viewers_are_right(server: Server, tenant: Tenant) -> None:
    """Assert that a token that is revoked now is nobody's at once."""
    with closing(Line(server.port, tenant.token)) as line:
        assert (await line.ask(READ) or (0,))[0] == 200
        rows = await fetch("SELECT id FROM tokens")
        await revoke_token(tenant.viewer, rows[0]["id"])
        assert (await line.ask(READ) or (0,))[0] == 401


async def test_a_worker_that_begins_without_a_database_serves_once_there_is_one(
    own_postgres: OwnPostgres, postgres_url: str, tmp_path: Path
) -> None:
    tenant = await make_tenant(postgres_url)
    async with serving(postgres_url, tmp_path, workers=2) as server:
        await own_postgres.stop("fast")
        try:
            doomed = server.workers()
            for worker in doomed:
                server.kill(worker)
            await until(lambda: len(set(server.workers()) - set(doomed)) == 2)
            await server.until_ready(503)
        finally:
            await own_postgres.start()
        await server.until_ready()
        with closing(Line(server.port, tenant.token)) as line:
            assert (await line.ask(READ) or (0,))[0] == 200
        async with opened(postgres_url):
            await assert_listens_again()
            assert await find_organization("Acme")
        assert "Traceback" not in server.log


@pytest.mark.parametrize("path", ["/session", "/sign-in?secret=wrong", "/metrics"])
async def test_pages_say_that_the_database_is_away(
    own_postgres: OwnPostgres, postgres_url: str, tmp_path: Path, path: str
) -> None:
    async with serving(postgres_url, tmp_path) as server, httpx.AsyncClient() as http:
        await own_postgres.stop("fast")
        try:
            if path == "/session":
                response = await http.post(server.url(path), json={"token": "wrong"})
            else:
                headers = {"Authorization": "Bearer wrong"}
                response = await http.get(server.url(path), headers=headers)
        finally:
            await own_postgres.start()
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert response.json()["errors"][0]["message"] == MESSAGE
        assert "Traceback" not in server.log
