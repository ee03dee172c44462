"""The service as an operator starts it, in processes of its own, and what may be done to them."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.organizations import create_organization
from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from tests.access.service import HOST, PATIENCE
from tests.databases import ROOT, opened
from tests.ports import free_port


async def until(condition: Callable[[], bool], seconds: float = 2 * PATIENCE) -> None:
    """Wait until something holds, though not forever."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.005)


def _command_of(pid: str) -> bytes:
    """The command of a process; nothing if it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@dataclass(frozen=True)
class Server:
    """A running service: its first process, its port, and the file with its log."""

    process: Process
    port: int
    log_file: Path

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self.log_file.read_text()

    def url(self, path: str) -> str:
        """The address of a page of it."""
        return f"http://{HOST}:{self.port}{path}"

    def workers(self) -> list[int]:
        """The ids of the processes that serve, where there are several."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in _command_of(child)]

    def kill(self, worker: int) -> None:
        """End one of its workers without a word."""
        assert worker in self.workers()
        os.kill(worker, signal.SIGKILL)

    async def status(self, path: str) -> int:
        """The status with which a page of it is answered; 0 if it is not."""
        try:
            async with httpx.AsyncClient(timeout=PATIENCE) as http:
                return (await http.get(self.url(path))).status_code
        except httpx.TransportError:
            return 0

    async def until_ready(self, ready: int = 200) -> None:
        """Wait until it says that it is ready, or with 503 that it is not."""
        async with asyncio.timeout(2 * PATIENCE):
            while await self.status("/readyz") != ready:
                assert self.process.returncode is None, self.log
                await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(url: str, directory: Path, **settings: object) -> AsyncIterator[Server]:
    """The service over the database of `url`; it is asked to end when the block does, and does."""
    with free_port() as port:
        async with _serving_on(port, url, directory, settings) as server:
            yield server


@asynccontextmanager
async def _serving_on(
    port: int, url: str, directory: Path, settings: Mapping[str, object]
) -> AsyncIterator[Server]:
    log_file = directory / f"server-{port}.log"
    environment = {f"COHORT_{name.upper()}": str(value) for name, value in settings.items()}
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "manage.py", "serve", "--host", HOST, "--port", str(port),
            cwd=ROOT, stdout=log, stderr=log,
            env={**os.environ, "COHORT_LOG_LEVEL": "WARNING", **environment, "DATABASE_URL": url},
        )  # fmt: skip
    server = Server(process, port, log_file)
    try:
        await server.until_ready()
        yield server
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    finally:
        if process.returncode is None:
            for worker in server.workers():
                os.kill(worker, signal.SIGKILL)
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Tenant:
    """An organization of the database, and the secret of an administrator's token."""

    viewer: Viewer
    token: str


async def make_tenant(url: str, name: str = "Acme") -> Tenant:
    """A new organization, made before the service starts."""
    async with opened(url):
        viewer = await create_organization(name)
        _, secret = await create_token(viewer, "Writer", Role.ADMIN)
    return Tenant(viewer, secret)
