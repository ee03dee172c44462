"""A disk that is full, a database that is read-only: a clear error, reads go on, nothing lost."""

import asyncio
import ctypes
import os
import resource
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from models.database import connection, fetch
from models.kinds import BOTS, USERS
from models.organizations import create_organization
from models.tables import Role
from models.tokens import create_token
from models.verify import differences
from tests.access.service import PATIENCE
from tests.client import asker
from tests.client import serving as serving_here
from tests.databases import END_OTHERS, ROOT, SqliteFiles, opened, with_rights
from tests.factories import make_entries, make_group
from tests.faults.servers import Server, make_tenant, serving, until
from tests.faults.writers import Line, Writers, assert_kept
from tests.refusals import unchanged

MESSAGE = "Nothing can be written at the moment, only read. Try again in a while."
READ = "{ organization { groupCount } groups(first: 1) { nodes { name } } }"
CREATE = 'mutation { createGroup(input: {name: "New"}) { revision } }'
ADD = """mutation($group: ID!, $bots: [ID!]!) {
    addBotsToGroup(input: {groupId: $group, botIds: $bots}) { revision } }"""
MANY = "mutation($users: [UserInput!]!) { upsertUsers(input: {users: $users}) { revision } }"
on_sqlite = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("databases", ["postgres"], indirect=True)


def let_files_grow(server: Server, most: int) -> None:
    """Let no file of a process be larger; writing beyond that fails as on a full disk."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@on_sqlite
async def test_a_disk_that_is_full_loses_nothing_and_serves_on_when_there_is_room(
    database_url: str, tmp_path: Path
) -> None:
    tenant = await make_tenant(database_url)
    async with opened(database_url):
        users = await make_entries(tenant.viewer, USERS, [f"User {n}" for n in range(6)])
        bots = await make_entries(tenant.viewer, BOTS, ["Coach", "Clerk"])
    async with serving(database_url, tmp_path) as server:
        writers = Writers(server, tenant, users, bots)
        writing = asyncio.create_task(writers.run(4, 1_000_000))
        await until(lambda: len(writers.record.landed) >= 50)
        let_files_grow(server, 4096)
        await until(lambda: len(writers.record.refused) >= 10)
        with closing(Line(server.port, tenant.token)) as line:
            status, body = await line.ask(READ) or (0, {})
            assert (status, body["data"]["groups"]["nodes"] != []) == (200, True)
        let_files_grow(server, resource.RLIM_INFINITY)
        landed = len(writers.record.landed)
        await until(lambda: len(writers.record.landed) >= landed + 50)
        writers.stopped.set()
        await writing
        for (status, body), _ in writers.record.refused:
            (error,) = body["errors"]
            assert (status, error["message"]) == (503, MESSAGE)
            assert error["extensions"]["code"] == "INTERNAL"
        assert writers.record.lost == 0
        assert "disk I/O error" in server.log
        assert "Traceback" not in server.log
    async with opened(database_url):
        await assert_kept(writers.record, tenant.viewer.organization_id)


async def forbid_writes(code: str) -> None:
    """Let SQLite refuse to write, with one of its codes."""
    writing: Any = connection()._connection
    pragma = "query_only = ON" if code == "READONLY" else "max_page_count = 1"  # what it has now
    await (await writing.execute(f"PRAGMA {pragma}")).close()


@on_sqlite
@pytest.mark.parametrize(
    ("code", "reason"),
    [("FULL", "database or disk is full"), ("READONLY", "attempt to write a readonly database")],
)
async def test_sqlite_that_cannot_write_says_so(
    database_url: str, caplog: pytest.LogCaptureFixture, code: str, reason: str
) -> None:
    async with serving_here(database_url) as client:
        acme = await create_organization("Acme")
        ask = await asker(client, acme)
        await make_group(acme)
        await forbid_writes(code)
        users = [{"name": "A" * 60, "email": f"{n}@example.com"} for n in range(500)]
        async with unchanged(acme):
            response = await client.post(MANY, {"users": users}, ask.token)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        (error,) = response.json()["errors"]
        assert error["message"] == MESSAGE
        assert error["extensions"]["code"] == "INTERNAL"
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
        assert reason in caplog.text
        assert "Traceback" not in caplog.text
        assert (await ask(READ))["organization"] == {"groupCount": 1}
        assert await differences() == []


@on_postgres
async def test_postgresql_that_cannot_be_written_says_so(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a failover to a server that only follows another."""
    async with serving_here(database_url) as client:
        acme = await create_organization("Acme")
        ask = await asker(client, acme)
        await make_group(acme)
        name = (await fetch("SELECT current_database()"))[0][0]
        outsider = await asyncpg.connect(database_url)
        try:
            await outsider.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            await connection()._pool.expire_connections()
            async with unchanged(acme):
                response = await client.post(CREATE, token=ask.token)
            assert response.status_code == 503
            assert response.json()["errors"][0]["message"] == MESSAGE
            assert "read-only transaction" in caplog.text
            assert "Traceback" not in caplog.text
            assert (await ask(READ))["organization"] == {"groupCount": 1}
        finally:
            await outsider.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await outsider.close()
            await connection()._pool.expire_connections()
        await ask(CREATE)
        assert await differences() == []


@on_postgres
async def test_what_began_while_postgresql_was_read_only_is_not_so_for_good(
    database_url: str,
) -> None:
    """A session keeps what it began with, and ours would last as long as the process."""
    async with serving_here(database_url) as client:
        acme = await create_organization("Acme")
        ask = await asker(client, acme)
        name = (await fetch("SELECT current_database()"))[0][0]
        outsider = await asyncpg.connect(database_url)
        try:
            await outsider.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            await outsider.execute(END_OTHERS)
            await asyncio.gather(*(client.post(READ, token=ask.token) for _ in range(8)))
            assert (await client.post(CREATE, token=ask.token)).status_code == 503
        finally:
            await outsider.execute("SET default_transaction_read_only = off")
            await outsider.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await outsider.close()
        async with asyncio.timeout(PATIENCE):
            while (await client.post(CREATE, token=ask.token)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await ask(READ))["organization"] == {"groupCount": 1}
        assert await differences() == []


@on_postgres
async def test_rights_to_write_that_are_missing_are_told_alike(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(database_url):
        acme = await create_organization("Acme")
        group, bots = await make_group(acme), await make_entries(acme, BOTS, ["Coach"])
        _, secret = await create_token(acme, "Robot", Role.ADMIN)
        adding = {"group": group, "bots": bots}
        async with with_rights(database_url, "SELECT") as url:
            async with unchanged(acme), serving_here(url) as client:
                for document, variables in ((CREATE, {}), (ADD, adding)):
                    response = await client.post(document, variables, secret)
                    assert response.status_code == 503
                    assert response.json()["errors"][0]["message"] == MESSAGE
                assert "data" in await client.ask(READ, token=secret)
    assert "permission denied for table" in caplog.text
    assert "Traceback" not in caplog.text


CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24  # linux/capability.h, linux/prctl.h


def obey_permissions() -> None:
    """Hold root, too, to the permissions of files; others are."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def run_as_others(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py that must obey the permissions of files."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, timeout=60,
        capture_output=True, text=True, preexec_fn=obey_permissions, check=False,
    )  # fmt: skip


BESIDE = (
    "beside which SQLite must create files, and the current user may not write to that directory."
)


@pytest.mark.parametrize(
    ("of_directory", "left", "reason"),
    [
        (False, [], "which the current user may not write to."),
        (True, [], BESIDE),
        (True, ["wal"], BESIDE),  # as a power cut may leave it
    ],
)
def test_a_file_that_may_not_be_written_is_told_at_the_start(
    sqlite: SqliteFiles, tmp_path: Path, of_directory: bool, left: list[str], reason: str
) -> None:
    file = Path(shutil.copy(sqlite.template, tmp_path))
    beside = [file.with_name(f"{file.name}-{name}") for name in left]
    for each in beside:
        each.touch()
    locked = tmp_path if of_directory else file
    mode = locked.stat().st_mode
    locked.chmod(mode & ~0o222)
    try:
        ended = run_as_others(f"sqlite://{file}", "serve", "--port", "0")
    finally:
        locked.chmod(mode)
    assert ended.returncode == 2
    assert ended.stderr == f"DATABASE_URL names {file}, {reason}\n"
    assert sorted(tmp_path.iterdir()) == [file, *beside]


def test_a_link_to_the_file_may_lie_where_nothing_can_be_written(tmp_path: Path) -> None:
    file, links = tmp_path / "cohort.sqlite3", tmp_path / "links"
    links.mkdir()
    link = links / "database"
    link.symlink_to(file)
    links.chmod(0o555)
    for said in ("Applied", "The tables are up to date."):
        ended = run_as_others(f"sqlite://{link}", "migrate")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith(said)
    assert list(links.iterdir()) == [link]


def test_whoever_may_only_read_the_lock_can_migrate(tmp_path: Path) -> None:
    file = tmp_path / "cohort.sqlite3"
    file.with_name(f"{file.name}.lock").touch(0o444)
    ended = run_as_others(f"sqlite://{file}", "migrate")
    assert (ended.returncode, ended.stderr) == (0, "")
