"""Authentication by JSON Web Tokens of an OpenID Connect issuer.

The issuer says who somebody is; what they may do is stored here. A token names a user of an
organization, who must exist and be active. It grants nothing beyond the user's own rights.

Tokens are verified as in RFC 8725: the settings choose the algorithms, never the token, and a key
is used for one algorithm only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from models import tokens
from models.errors import EXPIRED, Unauthenticated
from models.tables import Role
from models.viewer import RANK, Viewer
from runtime.issuer_keys import IssuerKeys
from runtime.settings import Settings

LONGEST_TOKEN = 16_384  # characters
LONGEST_LIFETIME = 24 * 3600  # seconds
LONGEST_KEY_ID = 256
# The types accepted, among them RFC 9068's for access tokens; not others, such as `logout+jwt`.
TYPES = ("jwt", "at+jwt", "application/jwt", "application/at+jwt")
REQUIRED = ["iss", "aud", "sub", "iat", "exp"]
ROLES = {role.casefold(): role for role in Role}

UNREADABLE = "This token cannot be read."
NOBODY = "This token does not belong to anybody who may use this service."


def looks_like_jwt(secret: str) -> bool:
    """Whether a secret has three parts separated by dots; our own secrets have no dots."""
    return secret.count(".") == 2


class Issuer:
    """Recognises the tokens of one issuer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.algorithms = settings.oidc_algorithm_names
        self.keys = IssuerKeys(
            settings.oidc_issuer, settings.oidc_jwks_url, settings.oidc_algorithm_names
        )

    @classmethod
    def of(cls, settings: Settings) -> "Issuer | None":
        """The issuer of the settings; None if none is set."""
        return cls(settings) if settings.oidc_issuer else None

    async def viewer(self, token: str, *, waits: bool = True) -> Viewer:
        """The viewer that a token stands for, at the current revision. Unless it `waits`, by the
        keys that are known, though they may be out of date.

        Raises Unauthenticated, with a message that reveals nothing of the token's contents.
        """
        claims = await self._verified(token, waits)
        if "email_verified" in claims and str(claims["email_verified"]).lower() != "true":
            raise Unauthenticated("This token is for an email address that has not been verified.")
        _text(claims, "sub")
        viewer = await tokens.recognise_user(
            _text(claims, self.settings.oidc_organization_claim),
            _text(claims, self.settings.oidc_email_claim),
            self._role(claims),
            self._end(claims),
        )
        if viewer is None:
            raise Unauthenticated(NOBODY)
        return viewer

    async def _verified(self, token: str, waits: bool) -> dict[str, Any]:
        """The claims of a token, verified: signed by the issuer, for us, and currently valid."""
        header = _header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self.algorithms:
            raise Unauthenticated("This token is signed in a way that is not accepted here.")
        if str(header.get("typ", TYPES[0])).lower() not in TYPES:
            raise Unauthenticated("This token is for another purpose.")
        key = await self.keys.find(kid, algorithm, waits=waits)
        if key is None:
            raise Unauthenticated("This token is signed with a key that is not its issuer's.")
        try:
            return jwt.decode(
                token,
                key,
                self.algorithms,
                {"require": REQUIRED, "enforce_minimum_key_length": True},
                audience=self.settings.oidc_audience,
                issuer=self.settings.oidc_issuer,
                leeway=self.settings.oidc_leeway_seconds,
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(_sentence(error)) from None

    def _end(self, claims: Mapping[str, Any]) -> datetime:
        """The moment from which the token is refused. Raises Unauthenticated if its times are not
        numbers, or it is valid for too long."""
        issued, expires = claims["iat"], claims["exp"]
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise Unauthenticated(UNREADABLE)
        if expires - issued > LONGEST_LIFETIME:
            hours = LONGEST_LIFETIME // 3600
            raise Unauthenticated(f"This token is valid for too long: at most {hours} hours.")
        return datetime.fromtimestamp(int(expires) + self.settings.oidc_leeway_seconds, UTC)

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest role that the token names, MEMBER if it names none; None, for the user's own
        role, if no claim for roles is set."""
        if not self.settings.oidc_role_claim:
            return None
        given = claims.get(self.settings.oidc_role_claim)
        named = given if isinstance(given, list) else [given]
        names = [name.casefold() for name in named if isinstance(name, str)]
        roles = [ROLES[name] for name in names if name in ROLES]
        return max(roles, key=RANK.index, default=Role.MEMBER)


def _header(token: str) -> dict[str, Any]:
    """The header of a token, which is not verified yet."""
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated(f"This token is too long: at most {LONGEST_TOKEN:,} characters.")
    if not token.isascii():
        raise Unauthenticated(UNREADABLE)
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise Unauthenticated(UNREADABLE) from None
    if not isinstance(header.get("alg"), str) or len(header.get("kid", "")) > LONGEST_KEY_ID:
        raise Unauthenticated(UNREADABLE)
    return header


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be a text. (Some issuers send a list, even of a single value.)"""
    value = claims.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value.strip():
        raise Unauthenticated(f"This token lacks the claim `{name}`.")
    return value.strip()


def _sentence(error: jwt.PyJWTError) -> str:
    """The message for the sender of a token that is refused."""
    match error:
        case jwt.MissingRequiredClaimError():
            return f"This token lacks the claim `{error.claim}`."
        case jwt.ExpiredSignatureError():
            return EXPIRED
        case jwt.ImmatureSignatureError():
            return "This token is not valid yet."
        case jwt.InvalidAudienceError():
            return "This token is for another service."
        case jwt.InvalidIssuerError():
            return "This token is from another issuer."
        case jwt.InvalidSignatureError():
            return "The signature of this token is invalid."
        case _:
            return UNREADABLE
