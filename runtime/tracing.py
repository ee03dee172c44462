"""OpenTelemetry traces: spans of requests, operations, their parts, and statements, sent by OTLP.

Needs the packages of the extra `traces`. The library also reads the `OTEL_…` variables for the
exporter (such as its headers) and the resource.
"""

import asyncio
from contextlib import AbstractContextManager
from contextvars import Token
from types import TracebackType
from typing import Self

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.spans import NOTHING, spans
from runtime.settings import Settings
from runtime.telemetry import request_id

SERVER_ERROR = 500
LONGEST_EXPORT = 2.0  # seconds, including retries: a process may take so long to shut down
LONGEST_STATEMENT = 4_000  # characters of a statement in a span
PROPAGATOR = TraceContextTextMapPropagator()


class Span:
    """A span that is the current one during its block.

    Of an error that ends the block it records only the type: the message may quote what a client
    sent, or what a row holds.
    """

    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def note(self, **figures: int) -> None:
        """Record what the operation has used."""
        self.span.set_attributes({f"cohort.{name}": figure for name, figure in figures.items()})

    def note_status(self, status: int) -> None:
        """Record the HTTP status of the response."""
        self.span.set_attribute("http.response.status_code", status)
        if status >= SERVER_ERROR:
            self.span.set_status(StatusCode.ERROR)

    def __enter__(self) -> Self:
        self.token: Token[contexts.Context] = contexts.attach(trace.set_span_in_context(self.span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        contexts.detach(self.token)
        if kind:
            self.span.set_attribute("error.type", kind.__qualname__)
            self.span.set_status(StatusCode.ERROR)
        self.span.end()


class Traces:
    """Makes spans, and sends them in batches."""

    def __init__(self, settings: Settings) -> None:
        self.provider = TracerProvider(
            resource=Resource.create({"service.name": "cohort"}),
            sampler=ParentBasedTraceIdRatio(settings.traces_sampled),
        )
        exporter = OTLPSpanExporter(endpoint=settings.traces_url, timeout=LONGEST_EXPORT)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self.provider.get_tracer("cohort")
        is_sqlite = settings.database_url.startswith("sqlite:")
        self.database = "sqlite" if is_sqlite else "postgresql"

    def request(self, scope: Scope) -> Span:
        """The span of a request, within the client's trace, if it sends one."""
        is_graphql = scope["path"] == "/graphql"  # other paths could be of any number
        return Span(
            self.tracer.start_span(
                f"{scope['method']} /graphql" if is_graphql else scope["method"],
                context=PROPAGATOR.extract(Headers(scope=scope)),
                kind=SpanKind.SERVER,
                attributes={
                    "http.request.method": scope["method"],
                    "url.path": scope["path"],  # without the query, which may contain a secret
                    "cohort.request_id": request_id.get(),
                },
            )
        )

    def operation(self, type: str, name: str | None) -> Span:
        """The span of a GraphQL operation, or of one event of a subscription."""
        return Span(
            self.tracer.start_span(
                f"{type} {name}" if name else type,
                attributes={"graphql.operation.type": type, "graphql.operation.name": name or ""},
            )
        )

    def part(self, name: str) -> AbstractContextManager[object]:
        """The span of a part of a request, if the request has one."""
        return Span(self.tracer.start_span(name)) if self._is_traced() else NOTHING

    def statement(self, sql: str) -> AbstractContextManager[object]:
        """The span of an SQL statement, if its request has one.

        It follows OpenTelemetry's conventions for database clients.
        """
        if not self._is_traced():
            return NOTHING
        return Span(
            self.tracer.start_span(
                sql.partition(" ")[0],
                kind=SpanKind.CLIENT,
                attributes={
                    "db.system.name": self.database,
                    "db.query.text": sql[:LONGEST_STATEMENT],
                },
            )
        )

    def _is_traced(self) -> bool:
        """Whether there is a parent span: without it, a part means nothing."""
        return trace.get_current_span().is_recording()

    async def aclose(self) -> None:
        """Send the remaining spans."""
        await asyncio.to_thread(self.provider.shutdown)


class TracedRequests:
    """Gives each HTTP request a span. (A socket has none, as it lasts; its operations do.)"""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self.app = app
        self.traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = spans.set(self.traces)
        try:
            if scope["type"] == "http":
                await self._over_request(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        finally:
            spans.reset(token)

    async def _over_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.traces.request(scope) as span:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.note_status(message["status"])
                await send(message)

            await self.app(scope, receive, send_and_note)
