"""`/metrics`: who may read it, and that the figures are of what happens."""

import asyncio
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.database import connections, fetch, transaction
from models.ledger import utc_now
from models.organizations import create_organization
from models.tables import Role
from models.viewer import Viewer
from runtime.scraping import _drop_dead_workers
from tests.access.service import PATIENCE, eventually, listening
from tests.client import Asker, Client, asker, serving
from tests.commands.running import manage
from tests.commands.test_serve import serving as served
from tests.databases import ROOT
from tests.factories import make_user
from tests.trust.slowness import slow

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


async def figures(http: httpx.AsyncClient, token: str) -> dict[str, float]:
    """Every figure, by its name and labels."""
    response = await http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


class Watched:
    """Somebody who asks, and how much each figure has grown since the last look."""

    def __init__(self, ask: Asker) -> None:
        self.ask = ask
        self.before: dict[str, float] = {}

    async def grown(self) -> dict[str, float]:
        """What has grown."""
        now = await figures(self.ask.client.http, self.ask.token)
        grown = {name: now[name] - self.before.get(name, 0) for name in now}
        self.before = now
        return {name: by for name, by in grown.items() if by}


@pytest.fixture
async def watched(ask: Asker) -> Watched:
    """An administrator who watches the figures."""
    watched = Watched(ask)
    await watched.grown()
    return watched


# --------------------------------------------------------------------------------- who reads them


@SQLITE_ONLY
async def test_strangers_and_members_may_not_read_the_figures(client: Client, acme: Viewer) -> None:
    member = await asker(client, acme, user=await make_user(acme))
    for token, status in ((None, 401), ("", 401), ("cohort_wrong", 401), (member.token, 403)):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        response = await client.http.get("/metrics", headers=headers)
        assert response.status_code == status
        assert "cohort_" not in response.text


@SQLITE_ONLY
@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
async def test_those_who_see_all_may_read_them(client: Client, acme: Viewer, role: Role) -> None:
    ask = await asker(client, acme, role)
    assert await figures(client.http, ask.token)


@SQLITE_ONLY
async def test_a_token_for_the_figures_is_the_only_one(database_url: str) -> None:
    async with serving(database_url, metrics_token="for-prometheus") as client:
        ask = await asker(client, await create_organization("Acme"))
        assert await figures(client.http, "for-prometheus")
        headers = {"Authorization": f"Bearer {ask.token}"}
        assert (await client.http.get("/metrics", headers=headers)).status_code == 401
        assert (await client.http.get("/metrics")).status_code == 401
        assert await ask.client.ask("{ __typename }", token="for-prometheus") != {}
        assert "for-prometheus" not in repr(client.app.state.settings)


# ----------------------------------------------------------------------------------- what they tell


async def test_operations_are_timed_and_their_statements_counted(watched: Watched) -> None:
    await watched.ask("{ organization { name } }")
    await watched.ask('mutation { createGroup(input: {name: "New"}) { revision } }')
    grown = await watched.grown()
    assert grown["cohort_operation_seconds_count query"] == 1
    assert grown["cohort_operation_seconds_count mutation"] == 1
    assert 0 < grown["cohort_operation_seconds_sum query"] < 60
    assert grown["cohort_responses_total 200"] == 3  # the last look at the figures is one
    assert grown["cohort_statements_total"] >= 5


async def test_errors_are_counted_by_code(watched: Watched, acme: Viewer) -> None:
    auditor = await asker(watched.ask.client, acme, Role.AUDITOR)
    assert await auditor.codes('mutation { createGroup(input: {name: "New"}) { revision } }')
    for query in ("{", "{ nothing }", "{ groups(first: 101) { totalCount } }"):
        assert await watched.ask.codes(query)
    await watched.ask.client.post("{ __typename }")
    assert (await watched.ask.client.http.post("/graphql")).status_code == 415
    grown = await watched.grown()
    assert grown["cohort_errors_total FORBIDDEN"] == 1
    assert grown["cohort_errors_total GRAPHQL_VALIDATION_FAILED"] == 2
    assert grown["cohort_errors_total LIMIT_EXCEEDED"] == 1
    assert grown["cohort_errors_total UNAUTHENTICATED"] == 1
    assert grown["cohort_errors_total BAD_REQUEST"] == 1
    assert grown["cohort_responses_total 401"] == 1


async def test_caches_tell_how_often_they_help(watched: Watched) -> None:
    query = "query Unheard { organization { id } }"
    for _ in range(3):
        await watched.ask(query)
    await watched.ask('mutation { createGroup(input: {name: "New"}) { revision } }')
    await watched.ask(query)
    grown = await watched.grown()
    assert grown["cohort_cache_lookups_total responses hit"] == 2
    assert grown["cohort_cache_lookups_total responses miss"] == 3
    assert grown["cohort_cache_lookups_total documents hit"] >= 1
    assert grown["cohort_cache_lookups_total documents miss"] >= 1


async def test_connections_of_the_database_are_in_use_or_idle(database_url: str) -> None:
    async with serving(database_url) as client:
        ask = await asker(client, await create_organization("Acme"))
        await ask('mutation { createGroup(input: {name: "New"}) { revision } }')
        async with slow("groups"):
            running = asyncio.create_task(ask.codes("{ groups { nodes { id } } }"))
            await asyncio.sleep(0.3)  # whatever told others of the write has ended by then
            await eventually(lambda: connections()[0] == 1)
            now = await figures(client.http, ask.token)
            assert now["cohort_pool_connections in use"] == 1
            running.cancel()
            await asyncio.wait([running])
            await eventually(lambda: connections()[0] == 0)
        now = await figures(client.http, ask.token)
        assert now["cohort_pool_connections in use"] == 0
        assert now["cohort_pool_connections idle"] >= 1


async def test_subscribers_are_counted_and_how_late_they_are_told(database_url: str) -> None:
    async with listening(database_url) as service:
        ask = await asker(service.client, await create_organization("Acme"))
        headers = {"Authorization": f"Bearer {ask.token}", "Accept": "text/event-stream"}
        body = {"query": "subscription { changes { node { revision } } }"}
        before = await figures(service.client.http, ask.token)
        async with httpx.AsyncClient() as http:
            async with http.stream("POST", service.http, json=body, headers=headers) as response:
                lines = response.aiter_lines()
                await service.has_subscribers(1)
                now = await figures(service.client.http, ask.token)
                assert now["cohort_subscribers"] == 1
                await ask('mutation { createGroup(input: {name: "New"}) { revision } }')
                async for line in lines:
                    if "revision" in line:
                        break
        now = await figures(service.client.http, ask.token)
        count, seconds = (
            now[f"cohort_revision_lag_seconds_{part}"]
            - before[f"cohort_revision_lag_seconds_{part}"]
            for part in ("count", "sum")
        )
        assert count >= 1
        assert 0 <= seconds < 5
        events = "cohort_operation_seconds_count subscription"
        assert now[events] - before.get(events, 0) == 1


async def test_no_lag_is_negative_where_the_ledger_is_ahead_of_the_clock(
    database_url: str,
) -> None:
    """Some machine's clock is ahead. Prometheus takes a sum that falls for a restart."""
    async with listening(database_url) as service:
        ask = await asker(service.client, await create_organization("Acme"))
        async with transaction():
            await fetch("UPDATE organizations SET changed_at = $1", utc_now() + timedelta(days=1))
        headers = {"Authorization": f"Bearer {ask.token}", "Accept": "text/event-stream"}
        body = {"query": "subscription { changes { node { revision } } }"}
        before = await figures(service.client.http, ask.token)
        async with httpx.AsyncClient() as http:
            async with http.stream("POST", service.http, json=body, headers=headers) as response:
                await service.has_subscribers(1)
                await ask('mutation { createGroup(input: {name: "New"}) { revision } }')
                async for line in response.aiter_lines():
                    if "revision" in line:
                        break
        now = await figures(service.client.http, ask.token)
        count, seconds = (f"cohort_revision_lag_seconds_{part}" for part in ("count", "sum"))
        assert now[count] > before[count]
        assert now[seconds] >= before[seconds]


@SQLITE_ONLY
async def test_no_figure_names_anybody(client: Client, ask: Asker) -> None:
    await ask("query Secretive { organization { name } }")
    await ask.codes("{ %s }" % ("x" * 50))
    response = await client.http.get("/metrics", headers={"Authorization": f"Bearer {ask.token}"})
    for told in ("Acme", "Secretive", ask.viewer.organization_id, ask.token, "xxx"):
        assert told not in response.text


# --------------------------------------------------------------------------------- several workers


@SQLITE_ONLY
async def test_whichever_worker_is_asked_tells_the_figures_of_all(database_url: str) -> None:
    await manage(database_url, "org", "create", "Acme")
    made = await manage(
        database_url, "token", "create", "--organization", "Acme", "--name", "t", "--role", "admin"
    )
    token = made.out.strip()
    async with served(database_url, "--workers", "2") as (http, _):
        async with asyncio.timeout(PATIENCE):  # until both serve
            while (await figures(http, token))["cohort_pool_connections idle"] <= 5:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        headers = {"Authorization": f"Bearer {token}"}
        for number in range(40):  # each on a connection of its own, which either may take
            async with httpx.AsyncClient(base_url=http.base_url, headers=headers) as one:
                body = {"query": f"query Q{number} {{ organization {{ name }} }}"}
                assert (await one.post("/graphql", json=body)).status_code == 200
        for _ in range(10):
            async with httpx.AsyncClient(base_url=http.base_url) as one:
                now = await figures(one, token)
            assert now["cohort_operation_seconds_count query"] == 40
            assert now["cohort_pool_connections idle"] > 5  # of two processes


def test_a_worker_that_ended_without_a_word_leaves_no_figure(tmp_path: Path) -> None:
    names = ["gauge_livesum_4194999.db", "counter_4194999.db"]  # no system has so many processes
    for name in names:
        (tmp_path / name).touch()
    _drop_dead_workers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["counter_4194999.db"]


def test_the_manual_explains_every_figure() -> None:
    root = Path(__file__).parent.parent.parent
    names = re.findall(r'"(cohort_\w+)"', (root / "runtime" / "metrics.py").read_text())
    table = re.findall(r"^\| `(cohort_\w+)`", (root / "docs" / "operations.md").read_text(), re.M)
    assert {name.removesuffix("_total") for name in table} == set(names)


def test_a_worker_without_room_for_its_figures_keeps_them_to_itself(tmp_path: Path) -> None:
    """Files that are mapped before they have their blocks end a process where the disk is full."""
    counting = """if True:
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        from prometheus_client import generate_latest
        from runtime.metrics import ERRORS
        ERRORS.labels("INTERNAL").inc()
        print(generate_latest().decode())
    """
    ended = subprocess.run(
        [sys.executable, "-c", counting],
        cwd=ROOT, env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}, timeout=60,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert 'cohort_errors_total{code="INTERNAL"} 1.0' in ended.stdout
    assert ended.stderr.startswith(f"no space for metrics in {tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_the_files_of_figures_have_their_blocks(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import runtime.metrics"],
        cwd=ROOT, env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}, timeout=60,
        check=True,
    )  # fmt: skip
    files = [path.stat() for path in tmp_path.iterdir()]
    assert len(files) == 3  # one more, and `_make_room` must know it
    assert all(file.st_blocks * 512 >= file.st_size > 0 for file in files)
