"""The public keys of an OpenID Connect issuer: fetched, cached, and refreshed as they change.

Nobody can flood the issuer with fetches by sending tokens: whatever arrives, there is at most one
fetch in RETRY_SECONDS, and everybody who needs it waits for the same one.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

import httpx
import jwt
import orjson
from jwt import PyJWK

from models.apart import apart
from runtime.settings import is_safe_address

FRESH_SECONDS = 300.0  # how long a key may be used after its issuer has withdrawn it
RETRY_SECONDS = 10.0  # the least between two fetches
USABLE_SECONDS = 24 * 3600.0  # how long the last keys are used while the issuer does not answer
FETCH_SECONDS = 5.0
LARGEST_DOCUMENT = 256 * 1024
MOST_KEYS = 100

# The type and the curve of the keys of each algorithm (RFC 7518, section 3.1; RFC 8037).
KEY_KINDS: dict[str, tuple[str, str | None]] = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
PUBLIC = ("kty", "crv", "n", "e", "x", "y", "kid")

logger = logging.getLogger("cohort.oidc")


def usable_keys(document: Any, algorithms: Sequence[str]) -> list[PyJWK]:
    """The keys of a JWK set (RFC 7517) that verify signatures, each bound to one algorithm.

    A key that has another use, or is malformed, is skipped. Raises ValueError if the document is
    not a set of keys.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("this is no set of keys")
    return [
        key
        for jwk in keys[:MOST_KEYS]
        if isinstance(jwk, dict)
        for algorithm in algorithms
        if (key := _key(jwk, algorithm))
    ]


def _key(jwk: dict[str, Any], algorithm: str) -> PyJWK | None:
    kind, curve = KEY_KINDS[algorithm]
    if (jwk.get("kty"), jwk.get("crv")) != (kind, curve):
        return None
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        if "verify" not in jwk.get("key_ops", ["verify"]):
            return None
        # Only public members are read, even if a set exposes private ones by mistake.
        return PyJWK({name: jwk[name] for name in PUBLIC if name in jwk}, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


class IssuerKeys:
    """The keys of one issuer, each of which verifies by one of `algorithms`.

    Without `jwks_url`, the issuer's discovery document says where they are. `generation` counts how
    often they changed: tokens that were verified in an earlier one must be verified again.
    """

    def __init__(self, issuer: str, jwks_url: str, algorithms: Sequence[str]) -> None:
        self.issuer = issuer
        self.jwks_url = jwks_url
        self.algorithms = algorithms
        self.generation = 0
        # The environment may name a proxy, and the operator's own certificates, as for other
        # programs. An issuer on this machine is reached directly.
        self._from_environment = issuer.startswith("https:")
        self._tls = httpx.create_ssl_context(trust_env=self._from_environment)
        self._keys: list[PyJWK] = []
        self._document: Any = None
        self._fetched_at = float("-inf")
        self._next_fetch = float("-inf")
        self._is_silent = False
        self._fetching: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the keys should be fetched again, and may be by now."""
        now = time.monotonic()
        return now - self._fetched_at >= FRESH_SECONDS and now >= self._next_fetch

    async def find(self, kid: str | None, algorithm: str, *, waits: bool = True) -> PyJWK | None:
        """The key that a token names, for the algorithm that it names; None if there is none.

        Waits for a fetch if the keys may be out of date, or lack this one; but not if the key is
        known and the issuer did not answer last time, nor ever unless it `waits`.
        """
        age = time.monotonic() - self._fetched_at
        if age >= USABLE_SECONDS:
            self._replace([], None)
        if age >= FRESH_SECONDS:
            fetch = self.refresh()
            if fetch and waits and not self._is_silent:
                await asyncio.wait([fetch])
        key = self._pick(kid, algorithm)
        if key is None and (fetch := self.refresh()) and waits:
            await asyncio.wait([fetch])
            key = self._pick(kid, algorithm)
        return key

    def _pick(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The one key that fits; None if several do. A token may omit `kid` if there is only one
        (RFC 7515, section 4.1.4; OpenID Connect Core, section 10.1)."""
        fitting = [
            key
            for key in self._keys
            if key.algorithm_name == algorithm and kid in (None, key.key_id)
        ]
        return fitting[0] if len(fitting) == 1 else None

    # -------------------------------------------------------------------------------- fetching

    def refresh(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None if one has just ended. It never raises."""
        if self._fetching is None and time.monotonic() >= self._next_fetch:
            # It serves all who wait, so no single request may be charged for it, or cancel it.
            self._fetching = asyncio.create_task(self._fetch(), context=apart())
        return self._fetching

    async def stop(self) -> None:
        """End the fetch under way."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                document = await self._get_keys()
            keys = usable_keys(document, self.algorithms)
        except Exception as error:
            # Whatever the error is, the keys that we have remain usable for a while.
            self._is_silent = True
            logger.warning("could not fetch the keys of %s: %r", self.issuer, error)
        else:
            self._is_silent = False
            self._fetched_at = time.monotonic()
            self._replace(keys, document)
        finally:
            self._next_fetch = time.monotonic() + RETRY_SECONDS
            self._fetching = None

    def _replace(self, keys: list[PyJWK], document: Any) -> None:
        """Replace all keys, if the document has changed."""
        if document != self._document:
            self.generation += 1
            self._keys, self._document = keys, document
            logger.info("%s has %d keys that can be used", self.issuer, len(keys))

    async def _get_keys(self) -> Any:
        """The issuer's JWK set. Raises httpx.HTTPError, ValueError."""
        async with httpx.AsyncClient(
            verify=self._tls, trust_env=self._from_environment, timeout=FETCH_SECONDS
        ) as client:
            if self.jwks_url:
                return await _get(client, self.jwks_url)
            address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = await _get(client, address)
            # Otherwise one issuer could speak for another (OpenID Connect Discovery, section 4.3).
            if not isinstance(found, dict) or found.get("issuer") != self.issuer:
                raise ValueError(f"{address} does not name this issuer")
            jwks_url = found.get("jwks_uri")
            if not isinstance(jwks_url, str) or not is_safe_address(jwks_url):
                raise ValueError(f"{address} names no `jwks_uri` that begins with https://")
            return await _get(client, jwks_url)


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    """Fetch a JSON document of bounded size, without following redirects."""
    # No compression: a small body could expand to a huge one.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            raise ValueError(f"{url} answered {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LARGEST_DOCUMENT:
                raise ValueError(f"{url} answered with more than {LARGEST_DOCUMENT:,} bytes")
    return orjson.loads(body)
