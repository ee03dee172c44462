"""The official audits of GraphQL over HTTP (`serverAudits` of the npm package graphql-http)."""

import asyncio
import fcntl
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from models.organizations import create_organization
from tests.access.service import Service
from tests.client import asker

CLIENTS = Path(__file__).parent / "clients"


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.fixture
async def node() -> str:
    """Node, with the packages of the lock installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are missing, so the official audits cannot run")
    await asyncio.to_thread(_install, npm)
    return node


def _install(npm: str) -> None:
    installed = CLIENTS / "node_modules" / ".package-lock.json"
    with (CLIENTS / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several test runs, one installs
        if not installed.exists() or installed.stat().st_mtime < Path(lock.name).stat().st_mtime:
            subprocess.run([npm, "ci"], cwd=CLIENTS, check=True, capture_output=True)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_every_official_audit_passes(node: str, service: Service) -> None:
    ask = await asker(service.client, await create_organization("Acme"))
    told = await _run(node, "audits.mjs", service.http, ask.token)
    audits = [json.loads(line) for line in told.splitlines()]
    assert len(audits) > 60
    assert [audit for audit in audits if audit["status"] != "ok"] == []
