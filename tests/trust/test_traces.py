"""Traces, as a collector receives them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import server
from models.organizations import create_organization
from runtime.settings import Settings
from tests.client import Asker, Client, asker, serving

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

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


async def test_no_span_holds_a_secret(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url) as ask:
            await ask("{ organization { name } }")
            await ask.client.http.get("/sign-in", params={"secret": ask.token})
            await ask.client.http.get(f"/graphql?query=%7Ba%7D&token={ask.token}")
    assert len(collector.spans) >= 3
    assert not [span for span in collector.spans if ask.token in str(span)]


async def test_what_is_not_sampled_is_not_sent(database_url: str) -> None:
    async with collecting() as (collector, url):
        async with traced(database_url, url, traces_sampled=0.0) as ask:
            await ask("{ organization { name } }")
    assert collector.spans == []


async def test_traces_that_cannot_be_made_are_told_at_the_start(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "tracing", None)  # as where the extra is not installed
    settings = Settings(database_url=database_url, traces_url="http://127.0.0.1:4318/v1/traces")
    with pytest.raises(RuntimeError, match="COHORT_TRACES_URL needs the extra"):
        server.create_app(settings)


async def test_a_collector_that_is_down_harms_nobody(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"
    async with serving(database_url, traces_url=url) as client:
        assert isinstance(client, Client)
        ask = await asker(client, await create_organization("Acme"))
        assert await ask("{ organization { name } }") == {"organization": {"name": "Acme"}}
