"""Two deploys at once: one makes the tables, the others wait, and all of them serve."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from models.database import pending_migrations
from models.verify import differences
from tests.databases import ROOT, opened
from tests.faults.servers import serving

DEPLOYS = 4


async def migrate(url: str) -> tuple[int | None, str, str]:
    """`manage.py migrate` as a process: its exit code, and what it wrote to each stream."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "migrate",
        cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    return process.returncode, out.decode(), said.decode()


async def test_of_several_that_migrate_one_works_and_the_others_wait(
    empty_database_url: str,
) -> None:
    ended = await asyncio.gather(*(migrate(empty_database_url) for _ in range(DEPLOYS)))
    assert [(code, said) for code, _, said in ended] == [(0, "")] * DEPLOYS
    printed = sorted(out for _, out, _ in ended)
    assert printed[0].startswith("Applied 0001_initial")
    assert printed[1:] == ["The tables are up to date.\n"] * (DEPLOYS - 1)
    async with opened(empty_database_url):
        assert await pending_migrations() == []
        assert await differences() == []


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_servers_that_begin_on_an_empty_file_all_serve(
    empty_database_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        servers = await asyncio.gather(
            *(
                stack.enter_async_context(serving(empty_database_url, tmp_path, workers=workers))
                for workers in (1, 2)
            )
        )
        assert [server.log for server in servers] == ["", ""]
