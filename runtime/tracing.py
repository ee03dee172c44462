"""Traces: a span for each request and one for each operation, sent by OTLP where configured.

This needs the packages of the extra `traces`. What `OTEL_…` variables say of the exporter, such as
headers, and of the resource holds here too, since the library reads them.
"""

import asyncio
import time
from contextlib import AbstractContextManager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.settings import Settings
from runtime.telemetry import request_id

SERVER_ERROR = 500
LONGEST_EXPORT = 2.0  # seconds, with what is tried again: so long may the end of a process take
PROPAGATOR = TraceContextTextMapPropagator()


class Traces:
    """Makes spans, and sends them from time to time."""

    def __init__(self, settings: Settings) -> None:
        self.provider = TracerProvider(
            resource=Resource.create({"service.name": "cohort"}),
            sampler=ParentBasedTraceIdRatio(settings.traces_sampled),
        )
        exporter = OTLPSpanExporter(endpoint=settings.traces_url, timeout=LONGEST_EXPORT)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self.provider.get_tracer("cohort")

    def note_operation(
        self, type: str, name: str | None, seconds: float, failed: bool, /, **figures: int
    ) -> None:
        """A span for an operation that has just ended, below that of its request."""
        end = time.time_ns()
        span = self.tracer.start_span(
            f"{type} {name}" if name else type,
            start_time=end - int(seconds * 1e9),
            attributes={
                "graphql.operation.type": type,
                "graphql.operation.name": name or "",
                **{f"cohort.{key}": value for key, value in figures.items()},
            },
        )
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    def over_request(self, scope: Scope) -> AbstractContextManager[Span]:
        """The span of a request: part of the trace that the client is in, if it says so."""
        is_graphql = scope["path"] == "/graphql"  # other paths are as many as one likes
        return self.tracer.start_as_current_span(
            f"{scope['method']} /graphql" if is_graphql else scope["method"],
            context=PROPAGATOR.extract(Headers(scope=scope)),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope["method"],
                "url.path": scope["path"],  # and not the query, which may hold a secret
                "cohort.request_id": request_id.get(),
            },
        )

    async def close(self) -> None:
        """Send what is left."""
        await asyncio.to_thread(self.provider.shutdown)


class TracedRequests:
    """Gives each HTTP request its span. (A socket has none: it lasts; its operations have.)"""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self.app = app
        self.traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.traces.over_request(scope) as span:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= SERVER_ERROR:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await self.app(scope, receive, send_and_note)
