"""Traces, as a collector receives them."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.database import fetch, transaction
from models.groups import delete_group
from models.organizations import create_organization
from models.spans import NOTHING, over_part, over_statement
from tests.access.service import PATIENCE, line, listening
from tests.client import Asker, Client, asker, serving
from tests.databases import ROOT
from tests.factories import count_statements, make_admin, make_group, make_user
from tests.trust.slowness import slow

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector:
    """Receives spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    async def receive(self, request: Request) -> Response:
        """What an exporter sends."""
        sent = ExportTraceServiceRequest.FromString(await request.body())
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return Response()

    def span(self, name: str) -> Span:
        """The one span of that name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def below(self, parent: Span) -> list[Span]:
        """The spans right below another, in the order in which they began."""
        found = [span for span in self.spans if span.parent_span_id == parent.span_id]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    @property
    def statements(self) -> list[Span]:
        """The spans of statements."""
        return [span for span in self.spans if span.kind == Span.SPAN_KIND_CLIENT]


def attributes(span: Span) -> Mapping[str, Any]:
    """The attributes of a span."""
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "")
        for each in span.attributes
    }


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    """A collector on a port, and its address."""
    collector = Collector()
    app = Starlette(routes=[Route("/v1/traces", collector.receive, methods=["POST"])])
    listening = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(listening.serve(sockets=[listener]))
        try:
            yield collector, f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"
        finally:
            listening.should_exit = True
            await running


@asynccontextmanager
async def traced(database_url: str, url: str, **settings: Any) -> AsyncIterator[Asker]:
    """An administrator who asks a service that sends its traces there; all, when it ends."""
    async with serving(database_url, traces_url=url, **settings) as client:
        yield await asker(client, await create_organization("Acme"))


@SQLITE_ONLY
async def test_a_request_and_its_operation_are_spans_of_the_clients_trace(
    database_url: str,
) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "request-0001"}
            query = "query Some { groups(first: 7) { nodes { id } } }"
            response = await ask.client.post(query, None, ask.token, **headers)
            assert response.status_code == 200
    request, operation = collector.span("POST /graphql"), collector.span("query Some")
    assert request.trace_id.hex() == operation.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == PARENT
    assert operation.parent_span_id == request.span_id
    assert attributes(request) == {
        "http.request.method": "POST",
        "url.path": "/graphql",
        "http.response.status_code": 200,
        "cohort.request_id": "request-0001",
    }
    told = attributes(operation)
    assert told["graphql.operation.type"] == "query"
    assert told["graphql.operation.name"] == "Some"
    assert told["cohort.cost"] == 8
    assert told["cohort.statements"] >= 1
    assert request.start_time_unix_nano <= operation.start_time_unix_nano
    assert operation.end_time_unix_nano <= request.end_time_unix_nano


@SQLITE_ONLY
async def test_the_last_spans_are_sent_also_when_the_service_ends_by_a_fault(
    database_url: str,
) -> None:
    async with collecting() as (collector, url):
        with suppress(ZeroDivisionError):
            async with traced(database_url, url) as ask:
                await ask("query Last { viewer { role } }")
                raise ZeroDivisionError
        assert collector.span("query Last")


NESTED = """query Nested { groups(first: 3) { nodes { name
    users(first: 2) { nodes { groups(first: 2) { nodes { id } } } } } } }"""


async def test_the_statements_of_an_operation_are_spans_below_what_needs_them(
    database_url: str,
) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            await make_group(ask.viewer, users=[await make_user(ask.viewer)])
            await ask(NESTED)
    operation = collector.span("query Nested")
    page, users, *_ = below = collector.below(operation)
    # The page of the root, then a level after the other; the revision comes with each.
    assert [span.name for span in below] == ["SELECT", "Group.users", "User.groups"]
    assert "FROM groups g" in attributes(page)["db.query.text"]
    (statement,) = collector.below(users)
    assert "FROM group_users" in attributes(statement)["db.query.text"]
    assert attributes(statement)["db.system.name"] == (
        "sqlite" if database_url.startswith("sqlite") else "postgresql"
    )
    assert set(attributes(statement)) == {"db.system.name", "db.query.text"}
    for outer, inner in pairwise([operation, users, statement]):
        assert outer.start_time_unix_nano <= inner.start_time_unix_nano
        assert inner.end_time_unix_nano <= outer.end_time_unix_nano
    statements = [span for span in collector.statements if span.trace_id == operation.trace_id]
    assert attributes(operation)["cohort.statements"] == len(statements) - 1  # who asks is one


async def test_the_statements_of_a_write_are_spans_too(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            await ask('mutation Add { createGroup(input: {name: "Confidential"}) { revision } }')
    texts = [
        attributes(span)["db.query.text"]
        for span in collector.below(collector.span("mutation Add"))
        if span.kind == Span.SPAN_KIND_CLIENT
    ]
    assert "FOR UPDATE" in texts[0]
    assert "INSERT INTO groups" in "".join(texts)
    assert "INSERT INTO changes" in texts[-1]
    assert "UPDATE organizations" in texts[-1]  # in the same round trip


async def test_a_statement_that_is_stopped_is_told(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url, request_seconds=0.3) as ask:
            await make_group(ask.viewer)
            async with slow("groups"):
                assert await ask.codes("query Slow { groups { nodes { id } } }")
    operation = collector.span("query Slow")
    statement = collector.below(operation)[0]
    for span in (operation, statement):
        assert span.status.code == span.status.STATUS_CODE_ERROR
        assert attributes(span)["error.type"] == "CancelledError"


async def test_an_error_is_told_without_what_it_quotes(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            create = 'mutation { createGroup(input: {name: "Secret"}) { revision } }'
            await delete_group(ask.viewer, await make_group(ask.viewer, "Secret"))
            async with transaction():
                await fetch("CREATE UNIQUE INDEX names_ever ON groups (name)")
            try:
                await ask.codes(create)
            finally:  # another test gets this database
                async with transaction():
                    await fetch("DROP INDEX names_ever")
    failed = [span for span in collector.statements if "error.type" in attributes(span)]
    (error,) = [attributes(span)["error.type"] for span in failed]
    assert error in ("IntegrityError", "UniqueViolationError")  # PostgreSQL's quotes the name
    assert "Secret" not in str(failed)
    assert not [span for span in collector.spans if span.events or span.status.message]


@SQLITE_ONLY
async def test_each_event_of_a_subscription_is_an_operation(database_url: str) -> None:
    query = "subscription Live { changes { node { users { name } } } }"
    async with collecting() as (collector, url):
        async with listening(database_url, traces_url=url) as service:
            acme = await create_organization("Acme")
            ask = await asker(service.client, acme)
            async with line(service, ask.token) as socket:
                await socket.subscribe(query=query)
                await service.has_subscribers(1)
                for name in ("Ada", "Bob"):
                    await make_admin(acme, name)
                    await socket.change()
    events = [span for span in collector.spans if span.name == "subscription Live"]
    assert len({span.trace_id for span in events}) == 2  # a socket has no span
    for event in events:
        (loader,) = [span for span in collector.below(event) if span.name == "Change.users"]
        assert collector.below(loader)
    # Whoever reads changes for all, or asks who somebody is on a socket, does so for no request.
    assert {span.trace_id for span in collector.spans} == {span.trace_id for span in events}


@SQLITE_ONLY
async def test_a_statement_for_several_requests_is_in_no_trace_but_the_waiting_is(
    database_url: str,
) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            await ask("{ __typename }")  # whoever asks is known from now on
            with count_statements() as statements:
                await asyncio.gather(*(ask("query { viewer { role } }") for _ in range(5)))
    shared = [sql for sql in statements if "FROM organizations WHERE id = ANY" in sql]
    assert shared
    traced_ones = {attributes(span)["db.query.text"] for span in collector.statements}
    assert traced_ones.isdisjoint(shared)
    requests = [span for span in collector.spans if span.name == "POST /graphql"]
    assert len(requests) == 6
    for request in requests[1:]:
        assert "revision" in [span.name for span in collector.below(request)]


@SQLITE_ONLY
async def test_no_span_holds_a_secret_or_what_somebody_sent(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            await ask("{ organization { name } }")
            await ask('{ users(search: "Confidential") { nodes { id } } }')
            await ask('mutation { createGroup(input: {name: "Confidential"}) { revision } }')
            await ask.client.http.get("/sign-in", params={"secret": ask.token})
            await ask.client.http.post("/session", json={"token": ask.token})
            await ask.client.http.get(f"/graphql?query=%7Ba%7D&token={ask.token}")
    assert len(collector.statements) >= 3
    for text in (ask.token, "Confidential", ask.viewer.organization_id):
        assert not [span for span in collector.spans if text in str(span)]


@SQLITE_ONLY
async def test_without_traces_nothing_stands_around_a_statement(client: Client) -> None:
    assert over_statement("SELECT 1") is over_part("Group.users") is NOTHING


@SQLITE_ONLY
async def test_what_is_not_sampled_is_not_sent(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url, traces_sampled=0.0) as ask:
            await ask("{ organization { name } }")
    assert collector.spans == []


# As where the extra is not installed.
WITHOUT = "import sys; sys.modules['opentelemetry'] = None; from manage import app; app(['serve'])"


@SQLITE_ONLY
async def test_traces_that_cannot_be_made_are_told_at_the_start(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COHORT_TRACES_URL", "http://127.0.0.1:4318/v1/traces")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WITHOUT, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 2
    assert said.decode().splitlines() == [
        "COHORT_TRACES_URL: Value error, needs packages that are missing: "
        "pip install -r requirements/traces.txt; it is 'http://127.0.0.1:4318/v1/traces'."
    ]


@SQLITE_ONLY
async def test_a_collector_that_is_down_harms_nobody(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"
    async with serving(database_url, traces_url=url) as client:
        assert isinstance(client, Client)
        ask = await asker(client, await create_organization("Acme"))
        assert await ask("{ organization { name } }") == {"organization": {"name": "Acme"}}
