"""Browser sessions: signing in by a link or a pasted token, and signing out.

A session is a token in a cookie.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models import sessions
from models.errors import Forbidden, Unauthenticated
from runtime.auth import COOKIE, Authenticator, cookie_of, is_same_origin
from runtime.cutoff import Cutoff
from runtime.limits import PerMinute, TryAgainLater, address_key
from runtime.metrics import ERRORS
from runtime.oidc import LONGEST_TOKEN
from runtime.settings import Settings
from runtime.words import message_page

NOT_SIGNED_IN = "This link did not sign you in"
LINK_NOT_GOOD = (
    "This link has already been used, or has expired. Ask for a new one:\n"
    "python manage.py sign-in-link --organization NAME --user EMAIL\n"
)
NOT_OPENED = "Open this link as a page of its own. It has not been used up.\n"
LARGEST_BODY = LONGEST_TOKEN + 1_000


class Sessions:
    """The endpoints by which browsers sign in and out, rate-limited by address."""

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self.settings = settings
        self.authenticator = authenticator
        self.failures = PerMinute(
            settings.sign_ins_per_minute, "sign_ins_per_minute", "failed attempts to sign in"
        )
        self.sign_ins = PerMinute(settings.sessions_per_minute, "sessions_per_minute", "sign-ins")
        self.under_way: Counter[str] = Counter()  # attempts in progress, by address
        self.ended = asyncio.Event()  # set when the next of them ends, and then replaced

    def routes(self) -> list[Route]:
        """`/sign-in` for links, `/session` for pages."""
        return [
            Route("/sign-in", self.follow_link, methods=["GET"]),
            Route("/session", _for_own_pages(self.begin), methods=["POST"]),
            Route("/session", _for_own_pages(self.end), methods=["DELETE"]),
        ]

    async def follow_link(self, request: Request) -> Response:
        """Use up a sign-in link, set the cookie, and redirect to an address without the secret."""
        if request.method == "HEAD":  # mail programs check links like this, without using them up
            return Response()
        if not _is_opened(request):
            return message_page(request, NOT_SIGNED_IN, NOT_OPENED, 403)
        link = request.query_params.get("secret", "")
        try:
            async with self._attempt(request):
                secret = await sessions.sign_in(link, self.settings.session_lifetime)
                if secret is None:
                    raise Unauthenticated(LINK_NOT_GOOD)
        except TryAgainLater as error:
            return message_page(request, NOT_SIGNED_IN, f"{error}\n", 429, _retry_after(error))
        except Unauthenticated as error:
            return message_page(request, NOT_SIGNED_IN, str(error), 403)
        return self._with_cookie(RedirectResponse("/", 303), request, secret)

    async def begin(self, request: Request) -> Response:
        """Set the cookie for the token in the body: `{"token": "…"}`."""
        token = await _pasted_token(request, self.settings.request_seconds)
        async with self._attempt(request):
            viewer = await self.authenticator.viewer(token)
        secret = await sessions.exchange(viewer, self.settings.session_lifetime)
        return self._with_cookie(Response(status_code=204), request, secret)

    async def end(self, request: Request) -> Response:
        """Revoke the session, and delete the cookie."""
        await sessions.sign_out(await self.authenticator.viewer(cookie_of(request)))
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    @asynccontextmanager
    async def _attempt(self, request: Request) -> AsyncIterator[None]:
        """An attempt to sign in, which fails if the block raises Unauthenticated.

        All attempts in progress from one address may still fail. If one more could then exceed the
        limit, it waits for one of them to end. Raises TryAgainLater at the limit.
        """
        address = address_key(request.client.host if request.client else None)
        while self.failures.check(address) + self.under_way[address] >= self.failures.most:
            await self.ended.wait()
        self.sign_ins.take(address)
        self.under_way[address] += 1
        try:
            yield
        except BaseException as error:
            self.sign_ins.give_back(address)
            if isinstance(error, Unauthenticated):
                self.failures.take(address)
            raise
        finally:
            self.under_way[address] -= 1
            self.under_way += Counter()  # drops addresses whose count is 0
            self.ended.set()
            self.ended = asyncio.Event()

    def _with_cookie(self, response: Response, request: Request, secret: str) -> Response:
        response.set_cookie(
            COOKIE,
            secret,
            max_age=int(self.settings.session_lifetime.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response


def _is_opened(request: Request) -> bool:
    """Whether a browser shows the response as a page.

    As a picture in a page of ours, such as an avatar, a link would replace the reader's session.
    """
    part = request.headers.get("sec-fetch-dest")
    if part is None:  # not a browser, or an older one, or over plain HTTP
        return not request.headers.get("accept", "").startswith("image/")
    return part == "document"


def _for_own_pages(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """The handler, for requests of our own pages only. Errors become JSON in GraphQL's form."""

    async def guarded(request: Request) -> Response:
        if not is_same_origin(request):
            return _refusal("Only pages of this service may ask for this.", "FORBIDDEN", 403)
        try:
            return await handler(request)
        except TryAgainLater as error:
            return _refusal(str(error), error.code, 429, _retry_after(error))
        except Unauthenticated as error:
            return _refusal(str(error), error.code, 401)
        except Forbidden as error:  # its role was changed meanwhile
            return _refusal(str(error), error.code, 403)
        except TimeoutError:
            return _refusal("The body took too long to arrive.", "LIMIT_EXCEEDED", 408)
        except ClientDisconnect:
            return Response()  # nobody reads it

    return guarded


async def _pasted_token(request: Request, seconds: float) -> str:
    """The token in the body; an empty text if there is none.

    Raises TimeoutError if the body takes longer, and ClientDisconnect if the client goes away.
    """
    body = bytearray()
    with Cutoff(seconds):
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return ""
    try:
        token = orjson.loads(body)["token"]
    except (ValueError, KeyError, TypeError):
        return ""
    return token.strip() if isinstance(token, str) else ""


def _retry_after(error: TryAgainLater) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after)}


def _refusal(
    message: str, code: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    ERRORS.labels(code).inc()
    errors = [{"message": message, "extensions": {"code": code}}]
    return JSONResponse({"errors": errors}, status, headers)
