"""Logs: one line a request, and each line with the id of the request that it belongs to."""

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

LONGEST_PATH = 200  # that is logged
X_REQUEST_ID = b"x-request-id"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

logger = logging.getLogger("cohort.request")
request_id: ContextVar[str] = ContextVar("request_id", default="-")


_responses = cache(RESPONSES.labels)  # which looks its labels up behind a lock


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class TimedFormatter(logging.Formatter):
    """Writes the text of a second once, for all lines of it: it takes longer than all the rest."""

    _second = -1
    _text = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        if (second := int(record.created)) != self._second:
            self._second = second
            self._text = time.strftime(self.default_time_format, time.localtime(second))
        return f"{self._text},{record.msecs:03.0f}"


class _JsonFormatter(TimedFormatter, JsonFormatter):
    """Each line as JSON."""


def _tells_no_address(record: logging.LogRecord) -> bool:
    """Whether a line is none of uvicorn's of a WebSocket, which tell its address with the query."""
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
    # The DEBUG lines of libraries hold what goes over the wire: cookies, tokens, parameters.
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    logging.getLogger("cohort").setLevel(level)
    logging.captureWarnings(True)
    sys.unraisablehook = _log_unraisable
    # What no line tells need not be found out for each (logging's HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # Every request has its line from RequestLog, which keeps secrets in addresses out of it.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_tells_no_address)


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
