"""Who is asking: from a bearer token, or from the session cookie of a browser."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from starlette.requests import HTTPConnection

from models import ledger, tokens
from models.errors import Busy, Unauthenticated, Unavailable
from models.ledger import utc_now
from models.tokens import hash_secret
from models.viewer import Viewer
from runtime.oidc import Issuer, looks_like_jwt
from runtime.revisions import Revisions

COOKIE = "cohort_session"
SECONDS_BETWEEN_NOTES = 30.0
MOST_RECOGNISED = 10_000

logger = logging.getLogger("cohort.auth")


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a page of this service sent the request, or no page at all.

    Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`); other clients say nothing,
    and carry no cookie unless somebody gave it to them.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    # Behind a proxy that ends TLS, the scheme of the page is not always known here.
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == connection.headers.get("host")


def secret_of(connection: HTTPConnection) -> str | None:
    """The secret that a request bears: in `Authorization`, else in the cookie of our own pages."""
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        return secret_in(authorization)
    return connection.cookies.get(COOKIE) if is_same_origin(connection) else None


def secret_in(authorization: str) -> str:
    """The secret in a value of `Authorization`; empty if it is no bearer token."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


class Authenticator:
    """Recognises secrets, and notes now and then which tokens were used.

    Whatever changes who somebody is, or what they may do, is a change: it moves the revision of
    their organization, which remembers the last of them. So a viewer who was recognised since then
    is good as it is, unless its token has expired meanwhile, or its `issuer` has other keys now.
    """

    def __init__(self, revisions: Revisions, issuer: Issuer | None = None) -> None:
        self.revisions = revisions
        self.issuer = issuer
        self._used: dict[str, datetime] = {}
        self._recognised: OrderedDict[str, Viewer] = OrderedDict()
        revisions.when_back.append(self.forget)

    def presumed(self, secret: str | None) -> Viewer | None:
        """The viewer that a secret stood for when it was last asked about; None if that is no help.

        It may be somebody else by now, or nobody: nothing may be told to it, nor written for it,
        before that is known. `viewer` tells it; a write finds out by itself.
        """
        known = self._recognised.get(self._key(secret)) if secret else None
        if known is None or (known.expires_at and known.expires_at <= utc_now()):
            return None
        if known.token_id is None and self.issuer and self.issuer.keys.is_due:
            return None
        return known

    async def viewer(self, secret: str | None) -> Viewer:
        """The viewer that a secret stands for, at the present revision. Raises Unauthenticated."""
        known = self.presumed(secret)
        if known is None or secret is None:
            return await self.recognise(secret)
        at = await self.revisions.at(known.organization_id)
        if not at.knows(known):
            return await self.recognise(secret)
        if known.revision != at.revision:
            known = replace(known, revision=at.revision)
            self._recognised[self._key(secret)] = known
        self.note(known)
        return known

    async def recognise(self, secret: str | None) -> Viewer:
        """The same, asked of the database. Raises Unauthenticated."""
        if not secret:
            raise Unauthenticated(
                "Sign in, or send a token in the header `Authorization: Bearer …`."
            )
        key = self._key(secret)  # as of now: the issuer may have other keys when it is recognised
        try:
            viewer = await self._identify(secret)
        except Unauthenticated:
            self._recognised.pop(key, None)
            raise
        self.note(viewer)
        self.revisions.saw(viewer.organization_id, viewer.revision)
        self._recognised[key] = viewer
        if len(self._recognised) > MOST_RECOGNISED:
            self._recognised.popitem(last=False)
        return viewer

    def forget(self, organization_id: str) -> None:
        """Recognise the viewers of an organization anew."""
        for key, viewer in list(self._recognised.items()):
            if viewer.organization_id == organization_id:
                del self._recognised[key]

    async def _identify(self, secret: str) -> Viewer:
        if self.issuer and looks_like_jwt(secret):
            return await self.issuer.viewer(secret)
        viewer = await tokens.authenticate(secret)
        if viewer is None:
            raise Unauthenticated("This token is unknown, expired or revoked.")
        return viewer

    def _key(self, secret: str) -> str:
        """Where a viewer is kept: not to be found any more once its issuer's keys change."""
        if self.issuer and looks_like_jwt(secret):
            return f"{self.issuer.keys.generation} {hash_secret(secret)}"
        return hash_secret(secret)

    def note(self, viewer: Viewer) -> None:
        """Remember that a viewer's token was used just now."""
        if viewer.token_id:
            self._used[viewer.token_id] = utc_now()

    async def note_used(self) -> None:
        """Write down when tokens were last used: one write for all of them."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await tokens.mark_used(used)
        except (Busy, Unavailable) as error:
            logger.warning("could not note the last use of %d tokens: %s", len(used), error)
        except Exception:
            # It is kept for people to read, and nothing depends on it.
            logger.warning("could not note the last use of %d tokens", len(used), exc_info=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Note now and then while the service runs, and once more at its end. Hear of writes, too.

        The issuer's keys are fetched as it begins, so that the log tells soon if that fails.
        """

        async def forever() -> None:
            while True:
                await asyncio.sleep(SECONDS_BETWEEN_NOTES)
                await self.note_used()

        task = asyncio.create_task(forever())
        ledger.listeners.append(self.revisions.moved)
        if self.issuer:
            self.issuer.keys.refresh()
        try:
            yield
        finally:
            ledger.listeners.remove(self.revisions.moved)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if self.issuer:
                await self.issuer.keys.stop()
            await self.note_used()
