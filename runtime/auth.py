"""Authentication: recognising the viewer by a bearer token, or a browser's session cookie."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from starlette.requests import HTTPConnection

from models import ledger, tokens
from models.database import is_in_transaction
from models.errors import NOT_VALID, Busy, Unauthenticated, Unavailable
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
    """Whether the request was sent by a page of this service, or by no page at all.

    Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`); other clients do not, and
    have no cookie unless they were given one on purpose.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    # Behind a proxy that terminates TLS, we may not know the scheme of the page.
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == connection.headers.get("host")


def secret_of(connection: HTTPConnection) -> str | None:
    """The secret that a request carries: in `Authorization`, or else in our own pages' cookie."""
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        return secret_in(authorization)
    return cookie_of(connection) if is_same_origin(connection) else None


def cookie_of(connection: HTTPConnection) -> str | None:
    """The secret in the session cookie, exactly as it was set; None if there is no such cookie.

    (`connection.cookies` also takes quotes off values, which before Python 3.11.10 takes quadratic
    time: CVE-2024-7592.)
    """
    sent = "; ".join(connection.headers.getlist("cookie"))
    cookies = [part.strip().partition("=") for part in sent.split(";")]
    return next((value for name, _, value in reversed(cookies) if name == COOKIE), None)


def secret_in(authorization: str) -> str:
    """The secret in a value of `Authorization`; empty if it is not a bearer token."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


class Authenticator:
    """Recognises viewers by their secrets, and records from time to time which tokens were used.

    Everything that alters who a viewer is, or what it may do, is a change in the ledger, and each
    organization keeps the revision of the last such change. A viewer recognised since then is still
    valid, unless its token has expired, or its `issuer` has replaced its keys.
    """

    def __init__(self, revisions: Revisions, issuer: Issuer | None = None) -> None:
        self.revisions = revisions
        self.issuer = issuer
        self._used: dict[str, datetime] = {}
        self._recognised: OrderedDict[str, Viewer] = OrderedDict()
        revisions.when_back.append(self.forget)

    def presumed(self, secret: str | None) -> Viewer | None:
        """The viewer that the secret stood for when it was last checked; None if that is unknown.

        The secret may have been revoked since, or the viewer's rights changed. Before anything is
        answered or written, that must be verified: call `viewer`; writes do it on their own.
        """
        if not secret:
            return None
        key = self._key(secret)
        known = self._recognised.get(key)
        if known is None or known.has_expired(utc_now()):
            return None
        if known.token_id is None and self.issuer and self.issuer.keys.is_due:
            return None
        self._recognised.move_to_end(key)
        newest = self.revisions.newest(known.organization_id)
        return replace(known, newest=newest) if newest[0] > known.revision else known

    async def viewer(self, secret: str | None) -> Viewer:
        """The viewer that a secret stands for, at the current revision; inside a transaction, as
        of its snapshot. Raises Unauthenticated."""
        # Revisions are read for all who ask, on a connection of their own.
        known = None if is_in_transaction() else self.presumed(secret)
        if known is None or secret is None:
            return await self._recognise(secret)
        key = self._key(secret)  # before the await: the issuer's keys may change meanwhile
        try:
            at = await self.revisions.at(known.organization_id)
        except LookupError:  # an older state was restored, from before there was the organization
            return await self._recognise(secret)
        # It is forgotten if an older state was found to be restored (`forget`).
        if not at.knows(known) or key not in self._recognised:
            return await self._recognise(secret)
        if known.revision != at.revision:
            known = replace(known, revision=at.revision, changed_at=at.changed_at)
            self._recognised[key] = known
        self.note(known)
        return known

    async def _recognise(self, secret: str | None) -> Viewer:
        """The same, always read from the database. Raises Unauthenticated."""
        if not secret:
            raise Unauthenticated(
                "Sign in, or send a token in the header `Authorization: Bearer …`."
            )
        key = self._key(secret)  # before the await: the issuer's keys may change meanwhile
        try:
            viewer = await self._identify(secret)
        except Unauthenticated:
            self._recognised.pop(key, None)
            raise
        self.note(viewer)
        self.revisions.saw(viewer.organization_id, viewer.revision, viewer.changed_at)
        self._recognised[key] = viewer
        if len(self._recognised) > MOST_RECOGNISED:
            self._recognised.popitem(last=False)
        return viewer

    def forget(self, organization_id: str) -> None:
        """Drop all recognised viewers of an organization, so that they are recognised again."""
        for key, viewer in list(self._recognised.items()):
            if viewer.organization_id == organization_id:
                del self._recognised[key]

    async def _identify(self, secret: str) -> Viewer:
        if self.issuer and looks_like_jwt(secret):
            # Who is in a transaction was recognised a moment ago, and holds a connection.
            return await self.issuer.viewer(secret, waits=not is_in_transaction())
        viewer = await tokens.authenticate(secret)
        if viewer is None:
            raise Unauthenticated(NOT_VALID)
        return viewer

    def _key(self, secret: str) -> str:
        """The key of a recognised viewer. It includes the generation of the issuer's keys, so that
        nothing is found under it once they change."""
        if self.issuer and looks_like_jwt(secret):
            return f"{self.issuer.keys.generation} {hash_secret(secret)}"
        return hash_secret(secret)

    def note(self, viewer: Viewer) -> None:
        """Note that a viewer's token was used just now."""
        if viewer.token_id:
            self._used[viewer.token_id] = utc_now()

    async def note_used(self) -> None:
        """Store when tokens were last used, all in one statement."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await tokens.mark_used(used)
        except (Busy, Unavailable) as error:
            logger.warning("could not note the last use of %d tokens: %s", len(used), error)
        except Exception:
            # It is only information for people; nothing depends on it.
            logger.warning("could not note the last use of %d tokens", len(used), exc_info=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen to writes, and store the use of tokens periodically and once more at the end.

        The issuer's keys are fetched at the start, so that the log shows early if that fails.
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
