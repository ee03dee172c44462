"""Logs: one line a request, and each line with the id of the request that it belongs to."""

import logging
import re
import sys
import time
from contextvars import ContextVar
from uuid import uuid4

from pythonjsonlogger.json import JsonFormatter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.metrics import RESPONSES
from runtime.settings import Settings

LONGEST_PATH = 200  # that is logged
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

logger = logging.getLogger("cohort.request")
request_id: ContextVar[str] = ContextVar("request_id", default="-")


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def configure_logging(settings: Settings) -> None:
    """Send all logs to standard error, as text or as JSON, one line each."""
    fields = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WithRequestId())
    handler.setFormatter(
        JsonFormatter(fields) if settings.log_format == "json" else logging.Formatter(fields)
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    # Every request has its line from RequestLog, which keeps secrets in addresses out of it.
    logging.getLogger("uvicorn.access").disabled = True


class RequestLog:
    """Gives each request an id, tells it in `X-Request-ID`, and logs the request when it is done.

    An id that the client, or a proxy, sent is kept if it has the form of one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        id = sent if REQUEST_ID.fullmatch(sent) else uuid4().hex
        token = request_id.set(id)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            RESPONSES.labels(status).inc()
            # The path only: a query string may hold a secret. As it was sent: decoded, it could
            # hold the end of a line, and what looks like another.
            logger.info(
                "%s %s %s %.1f ms",
                scope.get("method", "WEBSOCKET"),
                scope["raw_path"][:LONGEST_PATH].decode("latin-1"),
                status or "-",
                (time.perf_counter() - started) * 1000,
            )
            request_id.reset(token)
