"""Server processes that share a database, and clients in processes of their own."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.access.service import HOST, PATIENCE
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
CLIENTS = Path(__file__).parent / "clients"


@dataclass(frozen=True)
class Worker:
    """A server process."""

    process: Process
    address: str

    @property
    def http(self) -> str:
        return f"http://{self.address}/graphql"

    @property
    def ws(self) -> str:
        return f"ws://{self.address}/graphql"


async def _end(process: Process) -> None:
    """End a process that was started here, if it still runs."""
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _start(url: str, port: int) -> Worker:
    """Start a server over the database of `url`, as an operator does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "serve", "--host", HOST, "--port", str(port),
        cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL,
        env={**os.environ, "DATABASE_URL": url, "COHORT_LOG_LEVEL": "ERROR"},
    )  # fmt: skip
    return Worker(process, f"{HOST}:{port}")


@asynccontextmanager
async def two_workers(url: str) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two servers over the database of `url`."""
    with free_port() as first_port, free_port() as second_port:
        first = await _start(url, first_port)
        second = await _start(url, second_port)
        try:
            for worker in (first, second):
                await _is_ready(f"http://{worker.address}/readyz", worker.process)
            yield first, second
        finally:
            for worker in (first, second):
                await _end(worker.process)


async def _is_ready(url: str, process: Process) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(int(PATIENCE * 10)):
            assert process.returncode is None, "the server ended at once"
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError("the server was never ready")


@dataclass
class Listener:
    """A client in a process of its own (clients/listen.mjs), and all that it has said."""

    process: Process
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def revisions(self) -> list[int]:
        """The revisions that it was told, in the order in which it was."""
        return [line["revision"] for line in self.said if "revision" in line]

    async def until(self, condition: "Callable[[Listener], bool]") -> None:
        """Read what it says until something holds."""
        assert self.process.stdout is not None
        async with asyncio.timeout(3 * PATIENCE):
            while not condition(self):
                line = await self.process.stdout.readline()
                assert line, f"the client ended; it said {self.said[-3:]}"
                self.said.append(orjson.loads(line))


@asynccontextmanager
async def listener(
    kind: str, token: str, cursor: str | None, *workers: Worker
) -> AsyncIterator[Listener]:
    """A client that listens behind a cursor, at one worker after the other."""
    node = shutil.which("node")
    assert node
    urls = [worker.http for worker in workers]
    process = await asyncio.create_subprocess_exec(
        node, "listen.mjs", kind, token, cursor or "-", *urls, cwd=CLIENTS, stdin=PIPE, stdout=PIPE
    )
    try:
        yield Listener(process)
    finally:
        await _end(process)
