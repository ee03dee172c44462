"""`serve` as processes of its own: with a link to sign in, until a signal ends them."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from commands.serving import prepare
from models.database import fetch, transaction
from models.directory import delete_entries
from models.kinds import USERS
from models.ledger import lock
from models.tables import Role, UserStatus
from models.tokens import create_token
from models.viewer import Viewer
from runtime.settings import Settings
from tests.commands.running import manage, refusal
from tests.factories import make_admin, make_user
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 90.0  # seconds for a process to begin or to end
STARTED = re.compile(r'"Started server process \[(\d+)\]"')
LINK = re.compile(r"http://127\.0\.0\.1:\d+/sign-in\?secret=\S+")
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted"

on_sqlite = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


async def start(url: str, port: int, *arguments: str) -> Process:
    """`serve` as a process."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "serve", "--port", str(port), *arguments,
        cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip


@asynccontextmanager
async def serving(url: str, *arguments: str) -> AsyncIterator[tuple[httpx.AsyncClient, Process]]:
    """A client of a server that is ready; the server ends with the block."""
    with free_port() as port:
        process = await start(url, port, *arguments)
        try:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE
            ) as client:
                await _until_ready(client, process)
                yield client, process
        finally:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait_for(process.communicate(), PATIENCE)


async def _until_ready(client: httpx.AsyncClient, process: Process) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await _is_ready(client):
            assert process.returncode is None, await process.communicate()
            await asyncio.sleep(0.05)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def end(process: Process) -> tuple[str, str]:
    """Send the signal that asks a process to end; returns its output."""
    process.terminate()
    out, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    return out.decode(), said.decode()


async def test_it_serves_and_its_link_signs_in_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHORT_LOG_LEVEL", "DEBUG")
    await manage(database_url, "demo")
    async with serving(database_url, "--sign-in-link") as (client, process):
        assert process.stdout is not None
        out = b""
        while not (found := LINK.search(out.decode())):
            out += await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert "Sign in as Fatima El-Sayed of Larkspur Supplies" in out.decode()
        first, second = [await client.get(found.group()) for _ in range(2)]
        assert (first.status_code, second.status_code) == (303, 403)
        assert "set-cookie" in first.headers
        address = f"ws://{client.base_url.netloc.decode()}/graphql?token=of-the-address"
        session = first.cookies["cohort_session"]
        async with connect(
            address,
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers={"Cookie": f"cohort_session={session}"},
        ):
            pass
        _, said = await end(process)
    assert "of-the-address" not in said
    assert session not in said
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_what_takes_too_long_to_end_is_told(
    viewer: Viewer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = await create_token(viewer, "Writer", Role.ADMIN)
    monkeypatch.setenv("COHORT_SHUTDOWN_SECONDS", "1")
    body = {"query": 'mutation { createGroup(input: {name: "Late"}) { revision } }'}
    headers = {"Authorization": f"Bearer {token}"}
    async with serving(database_url) as (client, process):
        async with transaction():
            await lock(viewer.organization_id)
            asked = asyncio.create_task(client.post("/graphql", json=body, headers=headers))
            async with asyncio.timeout(PATIENCE):
                while not await fetch(WAITING):  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.01)
            _, said = await end(process)
            response = await asked
    assert response.status_code == 503
    assert response.json()["errors"][0]["message"].startswith("The service is stopping.")
    assert response.json()["errors"][0]["extensions"]["requestId"]
    assert "Traceback" not in said
    assert await fetch("SELECT id FROM groups") == []


@on_sqlite
async def test_it_limits_what_connections_may_do(empty_database_url: str) -> None:
    """Those of `commands.connections`, and the options of uvicorn."""
    async with serving(empty_database_url) as (client, process):
        assert "server" not in (await client.get("/healthz")).headers
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")  # which names no host
        assert (await asyncio.wait_for(reader.readline(), PATIENCE))[9:12] == b"400"
        writer.close()
        announced = b"\x81\xff" + (10_000_000).to_bytes(8) + bytes(4)  # and never sent
        for frame, code in ((announced, 1009), (b"\x81\x81\0\0\0\0\xff", 1007)):
            async with connect(
                f"ws://{client.base_url.netloc.decode()}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
            ) as websocket:
                assert websocket.response is not None
                assert "Sec-WebSocket-Extensions" not in websocket.response.headers
                websocket.transport.write(frame)
                await asyncio.wait_for(websocket.wait_closed(), PATIENCE)
                assert websocket.close_code == code
        _, said = await end(process)
    assert "Traceback" not in said


@on_sqlite
async def test_several_processes_share_the_port_and_one_that_dies_is_replaced(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHORT_LOG_FORMAT", "json")
    async with serving(empty_database_url, "--workers", "2") as (_, process):
        assert process.stderr is not None
        said, killed = b"", False
        while len(started := STARTED.findall(said.decode())) < 3:
            if len(started) == 2 and not killed:
                os.kill(int(started[0]), signal.SIGSTOP)
                await asyncio.sleep(1)  # so that its parent waits for its answer
                os.kill(int(started[0]), signal.SIGKILL)
                killed = True
            said += await asyncio.wait_for(process.stderr.readline(), PATIENCE)
        out, rest = await end(process)
    assert process.returncode == 0
    assert out == ""
    messages = [json.loads(line)["message"] for line in (said.decode() + rest).splitlines()]
    assert f"Child process [{started[0]}] died" in messages
    assert sum(message.startswith("Finished server process") for message in messages) == 2


@on_sqlite
async def test_workers_do_not_outlive_their_parent(empty_database_url: str) -> None:
    async with serving(empty_database_url, "--workers", "2") as (_, process):
        process.kill()
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE)  # of all processes
    assert "Finished server process" in said.decode()
    assert "Traceback" not in said.decode()


@on_sqlite
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_standard_streams_that_are_closed_are_nobody_elses(empty_database_url: str) -> None:
    with free_port() as port:
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
            sys.executable, "manage.py", "serve", "--port", str(port), "--workers", "2",
            cwd=ROOT, env={**os.environ, "DATABASE_URL": empty_database_url},
        )  # fmt: skip
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                await _until_ready(client, process)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            workers = [int(pid) for pid in children.read_text().split()]  # noqa: ASYNC240
            streams = [f"/proc/{pid}/fd/{n}" for pid in (process.pid, *workers) for n in range(3)]
            assert {os.readlink(stream) for stream in streams} <= {"/dev/null"}
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE)


@on_sqlite
@pytest.mark.parametrize("workers", [1, 2])
async def test_it_leaves_nothing_behind(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    async with serving(empty_database_url, "--workers", str(workers)) as (_, process):
        await end(process)
    left = [path.name for path in tmp_path.glob("cohort-*")]  # noqa: ASYNC240
    assert left == []


@on_sqlite
async def test_a_port_that_is_taken_is_told(database_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await start(database_url, taken.getsockname()[1])
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode not in (0, None)
    assert "address already in use" in said.decode()
    assert "Traceback" not in said.decode()


@on_sqlite
@pytest.mark.parametrize(
    ("flag", "value", "variable"),
    [("--port", "70000", "PORT"), ("--workers", "0", "COHORT_WORKERS")],
)
async def test_a_flag_is_a_setting(
    database_url: str, monkeypatch: pytest.MonkeyPatch, flag: str, value: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")  # restored afterwards, whatever the command makes of it
    said = await refusal(database_url, "serve", flag, value)
    assert said.startswith(f"{variable}: Input should be")


# ------------------------------------------------------------------------ whom the link is for


@pytest.fixture
def printed(database_url: str, capsys: pytest.CaptureFixture[str]) -> "Printed":
    """What is printed before serving."""
    return Printed(database_url, capsys)


class Printed:
    """Prepares to serve, and tells what was printed."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings = Settings(database_url=url)
        self.capsys = capsys

    async def __call__(self) -> str:
        """The results, or else what was said."""
        self.capsys.readouterr()
        await prepare(self.settings, link=True)
        out, said = self.capsys.readouterr()
        assert bool(out) is not bool(said)
        return (out or said).strip()


async def test_the_link_is_for_the_first_active_administrator(
    viewer: Viewer, printed: Printed
) -> None:
    gone = await make_admin(viewer, "Eve")
    await make_user(viewer, "Ada")
    await make_admin(viewer, "Abe", status=UserStatus.DEACTIVATED)
    await make_admin(viewer, "Zoe")
    await make_admin(viewer, "Bob")
    await delete_entries(viewer, USERS, [gone])
    text = await printed()
    assert text.startswith("Sign in as Zoe of Acme, once, within an hour:")
    assert LINK.search(text)


async def test_without_an_administrator_there_is_no_link(viewer: Viewer, printed: Printed) -> None:
    assert await printed() == "No sign-in link, since Acme has no active administrator yet."


async def test_without_an_organization_there_is_no_link(printed: Printed) -> None:
    assert (await printed()).startswith("No sign-in link, since there are 0 organizations.")


async def test_among_several_organizations_the_demo_has_the_link(
    viewer: Viewer, other: Viewer, printed: Printed, database_url: str
) -> None:
    await make_admin(viewer)
    assert (await printed()).startswith("No sign-in link, since there are 2 organizations.")
    await manage(database_url, "demo")
    assert (await printed()).startswith("Sign in as Fatima El-Sayed of Larkspur Supplies")
