"""The official audits of GraphQL over HTTP (`serverAudits` of the npm package graphql-http)."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from models.organizations import create_organization
from tests.access.service import Service
from tests.client import asker
from tests.once import install_packages

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
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("node and npm are missing, so the official audits cannot run")
    await asyncio.to_thread(install_packages, CLIENTS)
    return node


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_every_official_audit_passes(node: str, service: Service) -> None:
    ask = await asker(service.client, await create_organization("Acme"))
    told = await _run(node, "audits.mjs", service.http, ask.token)
    audits = [json.loads(line) for line in told.splitlines()]
    assert len(audits) > 60
    assert [audit for audit in audits if audit["status"] != "ok"] == []
