"""Logging: one line per request, and the request's id on every line."""

import logging
import re
import sys
import time
from contextvars import ContextVar
from functools import cache
from secrets import token_hex

from pythonjsonlogger.json import JsonFormatter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.metrics import RESPONSES
from runtime.settings import Settings

LONGEST_PATH = 200  # bytes of a path that are logged
X_REQUEST_ID = b"x-request-id"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

logger = logging.getLogger("cohort.request")
request_id: ContextVar[str] = ContextVar("request_id", default="-")


_responses = cache(RESPONSES.labels)  # without the lock of each look-up


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class TimedFormatter(logging.Formatter):
    """Formats the time once per second, for all lines of it: the slowest part of a line."""

    _second = -1
    _text = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        if (second := int(record.created)) != self._second:
            self._second = second
            self._text = time.strftime(self.default_time_format, time.localtime(second))
        return f"{self._text},{record.msecs:03.0f}"


class _JsonFormatter(TimedFormatter, JsonFormatter):
    """Each line as JSON."""


def _has_no_address(record: logging.LogRecord) -> bool:
    """False for uvicorn's lines about WebSockets, which contain the address with its query."""
    return '"WebSocket %s"' not in str(record.msg)


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    logger.warning("ignored in %r", unraisable.object, exc_info=unraisable.exc_value)


def configure_logging(settings: Settings) -> None:
    """Send all logs to standard error, as text or as JSON, one line each."""
    fields = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WithRequestId())
    handler.setFormatter(
        _JsonFormatter(fields) if settings.log_format == "json" else TimedFormatter(fields)
    )
    level = logging.getLevelNamesMapping()[settings.log_level]
    # The DEBUG lines of libraries show what goes over the wire: cookies, tokens, parameters.
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    logging.getLogger("cohort").setLevel(level)
    logging.captureWarnings(True)
    sys.unraisablehook = _log_unraisable
    # Skip what our lines do not show (logging's HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # RequestLog writes a line for each request, without the secrets that an address may contain.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_has_no_address)


class RequestLog:
    """Gives each request an id, returns it as `X-Request-ID`, and logs the request at its end.

    An id that the client or a proxy has sent is kept if it is well-formed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        sent = next((value for name, value in scope["headers"] if name == X_REQUEST_ID), b"")
        raw_id = sent if REQUEST_ID.fullmatch(sent) else token_hex(16).encode()
        token = request_id.set(raw_id.decode())
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (X_REQUEST_ID, raw_id)]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            _responses(status).inc()
            # Only the path, as the query string may contain a secret; and undecoded, as a decoded
            # one may contain line breaks, and so forge other lines.
            logger.info(
                "%s %s %s %.1f ms",
                scope.get("method", "WEBSOCKET"),
                scope["raw_path"][:LONGEST_PATH].decode("latin-1"),
                status or "-",
                (time.perf_counter() - started) * 1000,
            )
            request_id.reset(token)
