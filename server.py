"""The ASGI application: its routes, its middleware from the outside in, and its lifespan."""

import asyncio
import gc
import logging
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from models import database
from models.errors import Busy, Unavailable
from runtime.auth import Authenticator
from runtime.feed import Feed
from runtime.headers import SecurityHeaders, open_to
from runtime.metrics import SOCKETS, SUBSCRIBERS, sample_pool, sampling
from runtime.oidc import Issuer
from runtime.revisions import Revisions
from runtime.scraping import metrics_page
from runtime.sessions import Sessions
from runtime.settings import Settings
from runtime.telemetry import RequestLog, configure_logging
from schema.documents import count_lookups
from schema.endpoint import GraphQLEndpoint
from schema.execution import Runner, refusal
from schema.requests import status_of

try:
    from runtime import tracing
except ImportError:  # the extra `traces` is not installed, and the settings refuse its use
    tracing = None  # type: ignore[assignment]

DIST = Path(__file__).parent / "web" / "dist"
FOREVER = "public, max-age=31536000, immutable"
READY_SECONDS = 2.0
# The collector's threshold for its youngest generation. A page of a list makes hundreds of objects
# that soon die: with 5,000 the nested view is 8 % faster than with Python's 700; 20,000 does not
# help any further.
YOUNG_OBJECTS = 5_000
# A request that is stopped cancels its own statements. PostgreSQL ends any that slip through.
SLACK_SECONDS = 5.0
# On SQLite, a write that waits for another process cannot be cancelled. It gives up by itself, well
# before its request times out, so that the client learns why.
WRITER_SHARE = 0.5

NOT_BUILT = "The pages are not built: run `npm ci && npm run build` in web/, or `make serve`.\n"
logger = logging.getLogger("cohort.server")


class Assets(StaticFiles):
    """Files whose names change with their content, so browsers may cache them forever."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = FOREVER
        return response


def assets() -> list[Mount]:
    """The mount for the web pages' assets, if the pages are built."""
    directory = DIST / "assets"
    if not directory.is_dir():
        return []
    return [Mount("/assets", GZipMiddleware(Assets(directory=directory)))]


class Shortcut:
    """Sends requests for one path straight to its endpoint: nearly all of them skip the router.

    The application's exception handlers do not apply to the endpoint, which handles its own errors.
    """

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self.app = app
        self.path = path
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        await (self.endpoint if path == self.path else self.app)(scope, receive, send)


def page(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Serve a built page. Anybody may load it; the requests that it makes need a session."""

    async def respond(request: Request) -> Response:
        file = DIST / name
        if not file.exists():
            return PlainTextResponse(NOT_BUILT, 404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return respond


async def healthz(request: Request) -> Response:
    """Liveness: the process is running."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Readiness: the database answers, and its tables are up to date."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            pending = await database.pending_migrations()
    except Exception as error:
        logger.warning("not ready: %r", error)
        return JSONResponse({"status": "the database does not answer"}, 503)
    if pending:
        return JSONResponse({"status": "migrations are pending: run manage.py migrate"}, 503)
    return JSONResponse({"status": "ok"})


async def unavailable(request: Request, error: Exception) -> Response:
    """The response outside of GraphQL when the database is busy or unavailable."""
    status, headers = status_of(error)
    return JSONResponse(refusal(error).body, status, headers)


@contextmanager
def closing_on_signal(feed: Feed) -> Iterator[None]:
    """End the event streams as soon as the process is told to stop.

    The server waits for open responses before it shuts the application down, and event streams
    would never end by themselves. The server's own signal handlers are still called. Outside the
    main thread, or where no handlers are installed, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def close(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(feed.closing.set)
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, close)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def create_app(settings: Settings) -> Starlette:
    """Build the ASGI application from settings."""
    authenticator = Authenticator(Revisions(), Issuer.of(settings))
    feed = Feed(settings.poll_seconds)
    runner = Runner(settings, authenticator, feed)

    def sample() -> None:
        sample_pool()
        count_lookups()
        SUBSCRIBERS.set(feed.subscriber_count)
        SOCKETS.set(runner.sockets)

    endpoint = GraphQLEndpoint(runner)
    traces = tracing.Traces(settings) if settings.traces_url else None

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            aclosing(traces) if traces else nullcontext(),
            database.opened(
                settings.database_url,
                pool_size=settings.pool_size,
                pool_seconds=settings.pool_seconds,
                statement_seconds=settings.request_seconds + SLACK_SECONDS,
                writer_seconds=settings.request_seconds * WRITER_SHARE,
                without=settings.left_out,
            ),
        ):
            if not database.is_postgres():
                await database.migrate()
            async with authenticator.running(), feed.running(), sampling(sample):
                with closing_on_signal(feed):
                    if settings.does("frozen"):
                        # All objects so far live as long as the process; never scan them again.
                        gc.collect()
                        gc.freeze()
                        gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
                    yield

    app = Starlette(
        lifespan=lifespan,
        middleware=[
            Middleware(RequestLog),
            *([Middleware(tracing.TracedRequests, traces=traces)] if traces else []),
            Middleware(SecurityHeaders),
            *open_to(settings),
            Middleware(Shortcut, path="/graphql", endpoint=endpoint),
        ],
        exception_handlers={Busy: unavailable, Unavailable: unavailable},
        routes=[
            *Sessions(settings, authenticator).routes(),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics_page(settings, authenticator, sample)),
            *assets(),
            Route("/favicon.svg", page("favicon.svg")),
            Route("/graphiql", page("graphiql.html")),
            # The console does its own routing, so it serves every other path.
            Route("/{path:path}", page("index.html")),
        ],
    )
    app.state.settings, app.state.runner = settings, runner
    return app


def app_from_environment() -> Starlette:
    """Build the application from the environment; the factory that each worker process calls."""
    settings = Settings()
    configure_logging(settings)
    return create_app(settings)
