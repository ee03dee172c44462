"""An OpenID Connect issuer for the tests: keys made here, a server of them, and tokens."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from runtime.oidc import Issuer
from runtime.settings import Settings

AUDIENCE = "cohort"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"

Answer = tuple[int, dict[str, str], bytes]


def private_key(algorithm: str) -> Any:
    """A new private key for an algorithm."""
    match algorithm:
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case _:
            return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Signer:
    """A key of an issuer, with which it signs."""

    kid: str
    algorithm: str
    key: Any

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public key as the issuer shows it; `None` leaves a member out."""
        algorithm: Any = get_default_algorithms()[self.algorithm]
        shown = algorithm.to_jwk(self.key.public_key(), as_dict=True)
        shown |= {"kid": self.kid, "use": "sig", "alg": self.algorithm, **changes}
        return {name: value for name, value in shown.items() if value is not None}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A token of these claims; a member of the header that is None is left out."""
        return jwt.encode(claims, self.key, self.algorithm, {"kid": self.kid, **header})


@cache
def signer(algorithm: str = "RS256", kid: str = "") -> Signer:
    """A signer, the same for the same names: keys of RSA take their time."""
    return Signer(kid or f"key-{algorithm}", algorithm, private_key(algorithm))


def compact(header: Any, claims: Any, signature: bytes = b"") -> str:
    """A token put together from whatever its parts are."""
    parts = [part if isinstance(part, bytes) else orjson.dumps(part) for part in (header, claims)]
    return ".".join(encoded(part) for part in (*parts, signature))


def encoded(part: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(part).rstrip(b"=").decode()


@dataclass
class KeyServer:
    """A server of an issuer's discovery document and its keys, which tells what it was asked."""

    address: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)  # by path: instead of the right ones
    asked: list[str] = field(default_factory=list)
    may_answer: Event = field(default_factory=Event)

    @property
    def fetches(self) -> int:
        """How often the keys were fetched."""
        return self.asked.count(KEYS)

    def answer(self, path: str) -> Answer:
        """What a path answers."""
        self.asked.append(path)
        self.may_answer.wait(10)
        documents: dict[str, Any] = {
            DISCOVERY: {"issuer": self.address, "jwks_uri": self.address + KEYS},
            KEYS: {"keys": self.keys},
        }
        found = documents.get(path)
        right: Answer = (200, {}, orjson.dumps(found)) if found else (404, {}, b"")
        return self.answers.get(path, right)

    def fail(self) -> None:
        """Answer nothing but that it is broken."""
        self.answers = dict.fromkeys((DISCOVERY, KEYS), (503, {}, b"down"))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, for `ada@acme.example`; `None` leaves one out."""
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
            "email": "ada@acme.example",
            "organization": "Acme",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, by: Signer | None = None, /, **changes: Any) -> str:
        """A good token, but for `changes` of its claims."""
        return (by or signer()).sign(self.claims(**changes))

    def settings(self, **others: Any) -> dict[str, Any]:
        """Settings of a service that accepts this issuer's tokens."""
        return {"oidc_issuer": self.address, "oidc_audience": AUDIENCE, **others}

    def issuer(self, **others: Any) -> Issuer:
        """What recognises its tokens."""
        return Issuer(Settings(**self.settings(**others)))


@contextmanager
def serving_keys(*signers: Signer) -> Iterator[KeyServer]:
    """The server of an issuer with these keys, on a port of its own."""
    keys = KeyServer(keys=[each.jwk() for each in signers])
    keys.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = keys.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # whoever asked has heard enough

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        keys.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield keys
        finally:
            keys.may_answer.set()
            server.shutdown()
            thread.join()
