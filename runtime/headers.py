"""Security headers on every response, and CORS for the configured origins."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.settings import Settings

# GraphiQL's editor sets styles from scripts, and runs its workers from blobs; avatars may be hosted
# anywhere, but not come over plain HTTP. Nothing else comes from another origin.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: https:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
OVER_TLS = [*HEADERS, (b"strict-transport-security", b"max-age=31536000")]
# Besides those that any page may send: those that the service reads, and those that clients of
# GraphQL send to any service, which could send it nothing if these were not allowed.
ALLOWED_REQUEST_HEADERS = [
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    "Apollo-Require-Preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "GraphQL-Require-Preflight",
]


class SecurityHeaders:
    """Adds the headers that a response does not set itself; HSTS only if it goes over TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                names = {name for name, _ in headers}
                ours = OVER_TLS if scope["scheme"] == "https" else HEADERS
                message["headers"] = headers + [each for each in ours if each[0] not in names]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def open_to(settings: Settings) -> list[Middleware]:
    """The middleware that lets pages of the configured origins send requests (CORS): with a token,
    never with a cookie."""
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=ALLOWED_REQUEST_HEADERS,
            expose_headers=["ETag", "Retry-After", "X-Request-ID"],
            allow_credentials=False,
            max_age=3_600,
        )
    ]
