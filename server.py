"""The service: routes, middleware in order, lifespan."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from models import database, tokens
from runtime.auth import COOKIE, Authenticator
from runtime.headers import SecurityHeaders
from runtime.settings import Settings
from runtime.telemetry import RequestLog, configure_logging
from schema.endpoint import GraphQLEndpoint

DIST = Path(__file__).parent / "web" / "dist"
FOREVER = "public, max-age=31536000, immutable"
READY_SECONDS = 2.0

NOT_BUILT = "The pages are not built: run `npm ci && npm run build` in web/, or `make serve`.\n"
LINK_NOT_GOOD = (
    "This link was used already, or is too old. Ask for a new one:\n"
    "python manage.py sign-in-link --organization NAME --user EMAIL\n"
)

logger = logging.getLogger("cohort.server")


class Assets(StaticFiles):
    """Files whose names change with their content, so that a browser may keep them for good."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = FOREVER
        return response


async def home(request: Request) -> Response:
    """To the page that there is."""
    return RedirectResponse("/graphiql", 303)


async def graphiql(request: Request) -> Response:
    """GraphiQL. The page may load for anybody; its queries need a session."""
    page = DIST / "graphiql.html"
    if not page.exists():
        return PlainTextResponse(NOT_BUILT, 404)
    return FileResponse(page, headers={"Cache-Control": "no-cache"})


async def favicon(request: Request) -> Response:
    """The icon of the pages."""
    icon = DIST / "favicon.svg"
    return FileResponse(icon) if icon.exists() else PlainTextResponse(NOT_BUILT, 404)


async def sign_in(request: Request) -> Response:
    """Use a sign-in link up, set the session's cookie, and leave the secret behind."""
    settings: Settings = request.app.state.settings
    secret = await tokens.sign_in(request.query_params.get("secret", ""), settings.session_lifetime)
    if secret is None:
        return PlainTextResponse(LINK_NOT_GOOD, 403)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(settings.session_lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


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
            Route("/", home),
            Route("/graphql", GraphQLEndpoint(settings, authenticator)),
            Route("/graphiql", graphiql),
            Route("/sign-in", sign_in),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/favicon.svg", favicon),
            Mount("/assets", Assets(directory=DIST / "assets", check_dir=False)),
        ],
    )
    app.state.settings = settings
    return app


def app_from_environment() -> Starlette:
    """The application as the environment says: what each worker process runs."""
    settings = Settings()
    configure_logging(settings)
    return create_app(settings)
