"""The service: routes, middleware in order, lifespan."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from models import database
from runtime.auth import Authenticator
from runtime.headers import SecurityHeaders
from runtime.sessions import session_routes
from runtime.settings import Settings
from runtime.telemetry import RequestLog, configure_logging
from schema.endpoint import GraphQLEndpoint

DIST = Path(__file__).parent / "web" / "dist"
FOREVER = "public, max-age=31536000, immutable"
READY_SECONDS = 2.0

NOT_BUILT = "The pages are not built: run `npm ci && npm run build` in web/, or `make serve`.\n"
logger = logging.getLogger("cohort.server")


class Assets(StaticFiles):
    """Files whose names change with their content, so that a browser may keep them for good."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = FOREVER
        return response


def page(name: str) -> Callable[[Request], Awaitable[Response]]:
    """A page that was built. It may load for anybody; what it asks needs a session."""

    async def respond(request: Request) -> Response:
        file = DIST / name
        if not file.exists():
            return PlainTextResponse(NOT_BUILT, 404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return respond


async def healthz(request: Request) -> Response:
    """Whether the process lives."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Whether it can answer: the database is there, and its tables are up to date."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            pending = await database.pending_migrations()
    except Exception as error:
        logger.warning("not ready: %r", error)
        return JSONResponse({"status": "the database does not answer"}, 503)
    if pending:
        return JSONResponse({"status": "migrations are pending: run manage.py migrate"}, 503)
    return JSONResponse({"status": "ok"})


def create_app(settings: Settings) -> Starlette:
    """The ASGI application, for these settings."""
    authenticator = Authenticator()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with database.opened(settings.database_url, pool_size=settings.pool_size):
            if not database.is_postgres():
                await database.migrate()
            async with authenticator.noting():
                yield

    app = Starlette(
        lifespan=lifespan,
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            Middleware(GZipMiddleware, minimum_size=8_000),
        ],
        routes=[
            Route("/graphql", GraphQLEndpoint(settings, authenticator)),
            *session_routes(settings, authenticator),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount("/assets", Assets(directory=DIST / "assets", check_dir=False)),
            Route("/favicon.svg", page("favicon.svg")),
            Route("/graphiql", page("graphiql.html")),
            # The console finds its own way from the address; without it, GraphiQL is the page.
            Route("/{path:path}", page("index.html")),
        ],
    )
    app.state.settings = settings
    return app


def app_from_environment() -> Starlette:
    """The application as the environment says: what each worker process runs."""
    settings = Settings()
    configure_logging(settings)
    return create_app(settings)
