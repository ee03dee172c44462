"""Tokens of an issuer: which are good, and every way in which one is not."""

import hmac
import time
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from models.errors import Unauthenticated
from models.viewer import Viewer
from runtime.oidc import LONGEST_TOKEN
from tests.factories import make_user
from tests.runtime.issuing import (
    KeyServer,
    Signer,
    compact,
    encoded,
    private_key,
    serving_keys,
    signer,
)

ALGORITHMS = ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"]
TOO_LONG = f"This token is too long: at most {LONGEST_TOKEN:,} characters."
UNREADABLE = "This token cannot be read."
NOT_ACCEPTED = "This token is signed in a way that is not accepted here."
NOT_ITS_KEY = "This token is signed with a key that is not its issuer's."
WRONG_SIGNATURE = "The signature of this token is invalid."
NOT_GOOD_YET = "This token is not valid yet."
HEADER = {"alg": "RS256", "kid": "key-RS256", "typ": "JWT"}


async def why(server: KeyServer, token: str, **settings: Any) -> str:
    """The sentence with which a token is refused, which fits the end of a WebSocket as well."""
    with pytest.raises(Unauthenticated) as refusal:
        await server.issuer(**settings).viewer(token)
    sentence = str(refusal.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence.encode()) <= 123
    assert refusal.value.__cause__ is None
    return sentence


@pytest.fixture
async def ada(viewer: Viewer) -> str:
    return await make_user(viewer, email="ada@acme.example")


# ------------------------------------------------------------------------------------------- good


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_that_is_signed_in_an_accepted_way_is_good(ada: str, algorithm: str) -> None:
    signers = [signer(each) for each in ALGORITHMS]
    with serving_keys(*signers) as server:
        issuer = server.issuer(oidc_algorithms=",".join(ALGORITHMS))
        viewer = await issuer.viewer(server.token(signer(algorithm)))
        assert viewer.user_id == ada


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", "cohort"]},
        {"email_verified": True},
        {"email_verified": "true"},
        {"nbf": 1_000_000_000},
        {"email": " ADA@acme.example "},
        {"email": ["ada@acme.example"]},
        {"scope": "openid", "azp": "console"},
    ],
    ids=str,
)
async def test_these_claims_are_good_too(
    key_server: KeyServer, ada: str, changes: dict[str, Any]
) -> None:
    assert (await key_server.issuer().viewer(key_server.token(**changes))).user_id == ada


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize("type", [None, "JWT", "jwt", "at+jwt", "application/at+JWT"])
async def test_a_token_to_sign_in_and_one_for_access_are_good(
    key_server: KeyServer, ada: str, type: str | None
) -> None:
    token = signer().sign(key_server.claims(), typ=type)
    assert (await key_server.issuer().viewer(token)).user_id == ada


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_clocks_may_differ_a_little(key_server: KeyServer, ada: str) -> None:
    now = int(time.time())
    for changes in ({"exp": now - 60}, {"nbf": now + 60}, {"iat": now + 60, "exp": now + 360}):
        token = key_server.token(**changes)
        assert (await key_server.issuer(oidc_leeway_seconds=120).viewer(token)).user_id == ada
        assert await why(key_server, token, oidc_leeway_seconds=5)


# ----------------------------------------------------------------------------------- the signature


async def test_a_key_of_somebody_else_signs_in_vain(key_server: KeyServer) -> None:
    forger = Signer("key-RS256", "RS256", private_key("RS256"))
    assert await why(key_server, key_server.token(forger)) == WRONG_SIGNATURE


@pytest.mark.parametrize("part", ["payload", "header", "signature"])
async def test_a_token_that_was_changed_is_good_no_more(key_server: KeyServer, part: str) -> None:
    header, payload, signature = key_server.token().split(".")
    other_header, other_payload, other_signature = (
        signer().sign(key_server.claims(email="grace@acme.example"), typ="at+jwt").split(".")
    )
    changed = {
        "payload": f"{header}.{other_payload}.{signature}",
        "header": f"{other_header}.{payload}.{signature}",
        "signature": f"{header}.{payload}.{other_signature}",
    }
    assert await why(key_server, changed[part]) == WRONG_SIGNATURE


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "RS1", "ES256K"])
@pytest.mark.parametrize("kid", ["key-RS256", None])
async def test_the_token_does_not_choose_how_it_is_verified(
    key_server: KeyServer, algorithm: str, kid: str | None
) -> None:
    header = {"alg": algorithm, **({"kid": kid} if kid else {})}
    for signature in (b"", b"signature"):
        token = compact(header, key_server.claims(), signature)
        assert await why(key_server, token) == NOT_ACCEPTED
    assert not key_server.asked


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
async def test_the_public_key_is_no_secret_to_sign_with(
    key_server: KeyServer, algorithm: str
) -> None:
    public = signer().key.public_key()
    for format in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
        secret = public.public_bytes(Encoding.PEM, format)
        signed = compact({**HEADER, "alg": algorithm}, key_server.claims()).rstrip(".")
        code = hmac.digest(secret, signed.encode(), sha256)
        expected = NOT_ACCEPTED if algorithm == "HS256" else WRONG_SIGNATURE
        assert await why(key_server, f"{signed}.{encoded(code)}") == expected


async def test_an_algorithm_that_is_not_set_is_not_accepted() -> None:
    with serving_keys(signer("ES256"), signer("RS256")) as server:
        for algorithms, other in (("ES256", "RS256"), ("RS256,PS256", "ES256")):
            token = server.token(signer(other))
            assert await why(server, token, oidc_algorithms=algorithms) == NOT_ACCEPTED


async def test_a_key_serves_the_algorithm_that_its_issuer_says() -> None:
    both = "RS256,PS256"
    key = signer("RS256")
    with serving_keys(key) as server:
        token = server.token(Signer(key.kid, "PS256", key.key))
        assert await why(server, token, oidc_algorithms=both) == NOT_ITS_KEY


async def test_a_token_does_not_bring_its_own_key(key_server: KeyServer) -> None:
    forger = Signer("key-RS256", "RS256", private_key("RS256"))
    with serving_keys(forger) as elsewhere:
        for header in (
            {"jwk": forger.jwk()},
            {"jku": f"{elsewhere.address}/keys"},
            {"x5u": f"{elsewhere.address}/keys"},
        ):
            token = forger.sign(key_server.claims(), **header)
            assert await why(key_server, token) == WRONG_SIGNATURE
        assert not elsewhere.asked


@pytest.mark.parametrize(
    "more", [{"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}], ids=str
)
async def test_a_token_that_asks_for_more_than_is_understood_is_refused(
    key_server: KeyServer, more: dict[str, Any]
) -> None:
    token = compact({**HEADER, **more}, key_server.claims(), b"signature")
    assert await why(key_server, token) == UNREADABLE


@pytest.mark.parametrize("type", ["logout+jwt", "secevent+jwt", "dpop+jwt", ""])
async def test_a_token_for_another_purpose_is_refused(key_server: KeyServer, type: str) -> None:
    token = compact({**HEADER, "typ": type}, key_server.claims(), b"signature")
    assert await why(key_server, token) == "This token is for another purpose."


# -------------------------------------------------------------------------------------- the claims


def lacks(name: str) -> str:
    return f"This token lacks the claim `{name}`."


NOW = int(time.time())
DAY = 24 * 3600
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"iat": NOW - 900, "exp": NOW - 600}, "This token has expired."),
    ({"exp": 0}, "This token has expired."),
    ({"exp": True}, "This token has expired."),
    ({"nbf": NOW + DAY}, NOT_GOOD_YET),
    ({"iat": NOW + DAY, "exp": NOW + DAY + 300}, NOT_GOOD_YET),
    ({"exp": NOW + 2 * DAY}, "This token is valid for too long: at most 24 hours."),
    ({"exp": 10**30}, "This token is valid for too long: at most 24 hours."),
    ({"iat": NOW - DAY}, "This token is valid for too long: at most 24 hours."),
    ({"exp": "soon"}, UNREADABLE),
    ({"exp": str(NOW + DAY // 2)}, UNREADABLE),
    ({"iat": str(NOW)}, UNREADABLE),
    ({"nbf": {}}, UNREADABLE),
    ({"exp": float("inf")}, UNREADABLE),
    ({"iat": float("nan")}, UNREADABLE),
    ({"aud": "other"}, "This token is for another service."),
    ({"aud": "cohort "}, "This token is for another service."),
    ({"aud": ["other", "another"]}, "This token is for another service."),
    ({"aud": {"cohort": 1}}, "This token is for another service."),
    ({"aud": []}, lacks("aud")),
    ({"iss": "https://evil.example"}, "This token is from another issuer."),
    ({"email_verified": False}, "This token is for an email address that has not been verified."),
    ({"email_verified": "false"}, "This token is for an email address that has not been verified."),
    ({"sub": " "}, lacks("sub")),
    ({"email": ""}, lacks("email")),
    ({"email": 5}, lacks("email")),
    ({"email": ["ada@acme.example", "grace@acme.example"]}, lacks("email")),
    ({"organization": {"Acme": {}}}, lacks("organization")),
    *(
        ({name: None}, lacks(name))
        for name in ("iss", "aud", "sub", "iat", "exp", "email", "organization")
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED, ids=range(len(REFUSED)))
async def test_a_token_with_such_claims_is_refused(
    key_server: KeyServer, changes: dict[str, Any], sentence: str
) -> None:
    assert await why(key_server, key_server.token(**changes)) == sentence


async def test_an_issuer_is_named_to_the_letter(key_server: KeyServer) -> None:
    token = key_server.token(iss=f"{key_server.address}/")
    assert await why(key_server, token) == "This token is from another issuer."


# ----------------------------------------------------------------------------------------- garbage

GARBAGE = [
    ("..", UNREADABLE),
    ("a.b.c", UNREADABLE),
    ("é.é.é", UNREADABLE),
    ("\ud800.a.b", UNREADABLE),
    ("eyJ.eyJ.sig\n", UNREADABLE),
    (compact([], {}), UNREADABLE),
    (compact({"alg": 5}, {}), UNREADABLE),
    (compact({"alg": ["RS256"]}, {}), UNREADABLE),
    (compact({**HEADER, "kid": None}, {}), UNREADABLE),
    (compact({**HEADER, "kid": {"a": 1}}, {}), UNREADABLE),
    (compact({**HEADER, "kid": "k" * 257}, {}), UNREADABLE),
    (compact(b"[" * 10_000, {}), UNREADABLE),
    (compact(b'{"alg":' + b"9" * 10_000 + b"}", {}), UNREADABLE),
    (compact(HEADER, b"[" * 10_000, b"x"), WRONG_SIGNATURE),
    (compact(HEADER, {}, b"x" * 10_000), WRONG_SIGNATURE),
    ("=" * 10_000 + ".a.b", UNREADABLE),
    ("a" * LONGEST_TOKEN + ".b.c", TOO_LONG),
    ("a" * 5_000_000 + ".b.c", TOO_LONG),
]


@pytest.mark.parametrize(("token", "sentence"), GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_refused(key_server: KeyServer, token: str, sentence: str) -> None:
    issuer = key_server.issuer()
    await issuer.keys.find("key-RS256", "RS256")
    with pytest.raises(Unauthenticated, match=f"^{sentence}$") as refusal:
        await issuer.viewer(token)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("payload", [b"[]", b"7", b"{", b"[" * 10_000, b"\xff"], ids=range(5))
async def test_claims_that_are_none_are_refused_though_they_are_signed(
    key_server: KeyServer, payload: bytes
) -> None:
    token = jwt.PyJWS().encode(payload, signer().key, "RS256", {"kid": signer().kid})
    assert await why(key_server, token) == UNREADABLE
