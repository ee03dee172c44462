"""A worker that is killed with writes under way takes none with it that was acknowledged."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from commands.serving import WORKER_SECONDS
from models.kinds import BOTS, USERS
from tests.databases import opened
from tests.factories import make_entries
from tests.faults.servers import Server, make_tenant, serving, until
from tests.faults.writers import Writers, assert_kept

WRITES = int(os.environ.get("COHORT_FAULT_WRITES", "1000"))
KILLS = 4
CLIENTS = 8
WORKERS = 2


async def kill_now_and_then(server: Server, writers: Writers) -> None:
    """Kill a worker without a word, each time that another part of the writes has landed."""
    chance = random.Random(1)
    for kill in range(1, KILLS + 1):
        goal = kill * WRITES // (KILLS + 1)
        await until(lambda goal=goal: len(writers.record.landed) >= goal, WRITES)  # type: ignore[misc]
        await until(lambda: len(server.workers()) == WORKERS)
        server.kill(chance.choice(server.workers()))


async def test_a_worker_that_is_killed_loses_no_write_that_was_acknowledged(
    durable_url: str, tmp_path: Path
) -> None:
    tenant = await make_tenant(durable_url)
    async with opened(durable_url):
        users = await make_entries(tenant.viewer, USERS, [f"User {n}" for n in range(6)])
        bots = await make_entries(tenant.viewer, BOTS, ["Coach", "Clerk"])
    async with serving(durable_url, tmp_path, workers=WORKERS) as server:
        first = server.process.pid
        writers = Writers(server, tenant, users, bots)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(kill_now_and_then(server, writers))
            tasks.create_task(writers.run(CLIENTS, WRITES))
        assert server.process.pid == first
        assert server.process.returncode is None
        record = writers.record
        assert len(record.landed) >= WRITES
        assert record.lost > 0, "no write was under way when a worker was killed"
        assert record.refused == []
        async with opened(durable_url):
            await assert_kept(record, tenant.viewer.organization_id)
        assert "Traceback" not in server.log


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_worker_that_is_slow_is_let_live(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, workers=WORKERS) as server:
        workers = server.workers()
        os.kill(workers[0], signal.SIGSTOP)
        await asyncio.sleep(6)  # longer than uvicorn would wait by itself
        os.kill(workers[0], signal.SIGCONT)
        assert server.workers() == workers


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_worker_that_dies_is_replaced_also_while_it_owes_its_parent_an_answer(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, workers=WORKERS) as server:
        before = server.workers()
        os.kill(before[0], signal.SIGSTOP)
        await asyncio.sleep(1.5)  # within half a second its parent asks
        server.kill(before[0])
        await until(lambda: len(set(server.workers()) - {before[0]}) == WORKERS, WORKER_SECONDS / 2)
        assert before[1] in server.workers()
