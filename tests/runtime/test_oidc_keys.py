"""The keys of an issuer: fetched seldom, by one for all, and only from where they may be."""

import asyncio
import logging
import time
from typing import Any

import orjson
import pytest

from runtime import issuer_keys
from runtime.issuer_keys import KEY_KINDS, LARGEST_DOCUMENT, IssuerKeys
from runtime.settings import OIDC_ALGORITHMS
from tests.runtime.issuing import DISCOVERY, KEYS, KeyServer, Signer, serving_keys, signer

RS256 = ("key-RS256", "RS256")


def keys_of(server: KeyServer, *algorithms: str, jwks_url: str = "") -> IssuerKeys:
    return IssuerKeys(server.address, jwks_url, algorithms or OIDC_ALGORITHMS)


async def has(keys: IssuerKeys, signer: Signer) -> bool:
    return await keys.find(signer.kid, signer.algorithm) is not None


async def fetched_again(keys: IssuerKeys) -> None:
    """Wait for a fetch that goes on in the background."""
    if fetch := keys.refresh():
        await asyncio.wait([fetch])


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the keys be old at once, and a fetch be possible again at once."""
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", 0)
    monkeypatch.setattr(issuer_keys, "RETRY_SECONDS", 0)


def test_every_algorithm_that_may_be_set_has_its_kind_of_key() -> None:
    assert set(KEY_KINDS) == set(OIDC_ALGORITHMS)


# ---------------------------------------------------------------------------------- how often


async def test_keys_are_fetched_once(key_server: KeyServer) -> None:
    keys = keys_of(key_server)
    for _ in range(10):
        assert await has(keys, signer())
    assert key_server.asked == [DISCOVERY, KEYS]
    assert not keys.is_due


async def test_all_who_come_meanwhile_share_one_fetch(key_server: KeyServer) -> None:
    keys = keys_of(key_server)
    key_server.may_answer.clear()
    known = [asyncio.create_task(has(keys, signer())) for _ in range(50)]
    unknown = [asyncio.create_task(keys.find(f"key {n}", "RS256")) for n in range(50)]
    await asyncio.sleep(0.05)
    known[0].cancel()  # it does not take the fetch with it
    key_server.may_answer.set()
    assert all(await asyncio.gather(*known[1:]))
    assert not any(await asyncio.gather(*unknown))
    assert key_server.fetches == 1


async def test_strangers_cannot_make_us_fetch(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(key_server)
    assert await has(keys, signer())
    for number in range(100):
        assert await keys.find(f"key {number}", "RS256") is None
    assert key_server.fetches == 1
    monkeypatch.setattr(keys, "_next_fetch", 0)  # some seconds later
    for number in range(100):
        assert await keys.find(f"key {number}", "RS256") is None
    assert key_server.fetches == 2


async def test_a_new_key_is_found_as_soon_as_a_token_names_it(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(key_server)
    assert await has(keys, signer())
    generation = keys.generation
    new = signer("ES256")
    key_server.keys = [new.jwk()]
    assert not await has(keys, new)  # it was fetched a moment ago
    monkeypatch.setattr(keys, "_next_fetch", 0)
    assert await has(keys, new)
    assert not await has(keys, signer())
    assert keys.generation == generation + 1


@pytest.mark.usefixtures("always_due")
async def test_a_key_that_was_withdrawn_is_dropped_though_no_token_names_another(
    key_server: KeyServer,
) -> None:
    keys = keys_of(key_server)
    assert await has(keys, signer())
    key_server.keys = []
    assert keys.is_due
    assert not await has(keys, signer())


# ------------------------------------------------------------------------------- when it is silent


async def test_known_keys_stay_while_the_issuer_is_down(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving_keys(signer()) as server:
        keys = keys_of(server)
        assert await has(keys, signer())
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", 0)
    monkeypatch.setattr(keys, "_next_fetch", 0)
    generation = keys.generation
    for number in range(20):
        assert await has(keys, signer())
        assert await keys.find(f"key {number}", "RS256") is None
    assert keys.generation == generation
    assert not keys.is_due  # for some seconds
    [record] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert record.getMessage().startswith(f"could not fetch the keys of {server.address}: ")


@pytest.mark.usefixtures("always_due")
async def test_an_issuer_that_hangs_holds_up_nobody_whose_key_is_known(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(key_server)
    assert await has(keys, signer())
    monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 0.2)
    key_server.may_answer.clear()
    started = time.monotonic()
    assert await has(keys, signer())
    assert time.monotonic() - started >= 0.2  # for as long as a fetch may take, the first one waits
    monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 60)
    fetch = keys.refresh()
    assert fetch
    for _ in range(10):
        assert await has(keys, signer())
    assert not fetch.done()
    await keys.stop()


@pytest.mark.usefixtures("always_due")
async def test_keys_are_kept_only_so_long_without_their_issuer(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(key_server)
    assert await has(keys, signer())
    generation = keys.generation
    key_server.fail()
    assert await has(keys, signer())
    await fetched_again(keys)
    monkeypatch.setattr(issuer_keys, "USABLE_SECONDS", 0)
    assert not await has(keys, signer())
    assert keys.generation == generation + 1


@pytest.mark.usefixtures("always_due")
async def test_an_issuer_that_is_back_is_asked_again(key_server: KeyServer) -> None:
    keys = keys_of(key_server)
    key_server.fail()
    assert not await has(keys, signer())
    key_server.answers.clear()
    assert await has(keys, signer())


async def test_a_fetch_under_way_ends_with_the_service(key_server: KeyServer) -> None:
    keys = keys_of(key_server)
    key_server.may_answer.clear()
    fetch = keys.refresh()
    assert fetch
    await asyncio.sleep(0.05)
    await keys.stop()
    assert fetch.cancelled()
    await keys.stop()


# ----------------------------------------------------------------------------- what is not believed


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, (500, {}, b"")),
        (DISCOVERY, (200, {}, b"")),
        (DISCOVERY, (200, {}, b"[]")),
        (DISCOVERY, (200, {}, b"{}")),
        (DISCOVERY, (200, {}, b"[" * 100_000)),
        (KEYS, (404, {}, b"")),
        (KEYS, (200, {}, b"<html>")),
        (KEYS, (200, {}, b"[]")),
        (KEYS, (200, {}, b'{"keys": {}}')),
        (KEYS, (200, {}, b" " * LARGEST_DOCUMENT + b'{"keys": []}')),
        (KEYS, (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b")),
    ],
    ids=range(11),
)
async def test_an_answer_that_makes_no_sense_leaves_the_keys_as_they_are(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch, path: str, answer: Any
) -> None:
    keys = keys_of(key_server)
    assert await has(keys, signer())
    key_server.answers[path] = answer
    monkeypatch.setattr(keys, "_next_fetch", 0)
    assert await keys.find("another", "RS256") is None
    assert key_server.asked.count(path) == 2
    assert await has(keys, signer())


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
async def test_no_redirect_is_followed(key_server: KeyServer, path: str) -> None:
    with serving_keys(signer()) as elsewhere:
        key_server.answers[path] = (302, {"Location": elsewhere.address + path}, b"")
        assert not await has(keys_of(key_server), signer())
        assert not elsewhere.asked


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://evil.example/keys"},
        {"jwks_uri": "file:///etc/keys"},
        {"jwks_uri": "https://"},
        {"jwks_uri": ["https://evil.example"]},
    ],
    ids=str,
)
async def test_a_discovery_document_that_leads_astray_is_not_followed(
    key_server: KeyServer, change: dict[str, Any]
) -> None:
    right = {"issuer": key_server.address, "jwks_uri": f"{key_server.address}{KEYS}"}
    key_server.answers[DISCOVERY] = (200, {}, orjson.dumps({**right, **change}))
    assert not await has(keys_of(key_server), signer())
    assert key_server.asked == [DISCOVERY]


async def test_keys_can_be_fetched_without_a_discovery_document(key_server: KeyServer) -> None:
    keys = keys_of(key_server, jwks_url=key_server.address + KEYS)
    assert await has(keys, signer())
    assert key_server.asked == [KEYS]


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": 5},
        {"alg": "RS512"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-256"},
        {"n": "!"},
        {"n": None},
        {"e": 5},
        {"kid": 7},
        {"kid": "another"},
    ],
    ids=str,
)
async def test_a_key_that_is_no_key_to_verify_with_is_passed_over(
    key_server: KeyServer, change: dict[str, Any]
) -> None:
    key_server.keys = [signer().jwk(**change), signer("ES256").jwk(), "none"]  # type: ignore[list-item]
    keys = keys_of(key_server, "RS256", "ES256")
    assert not await has(keys, signer())
    assert await has(keys, signer("ES256"))


async def test_a_private_key_that_is_shown_by_mistake_is_read_as_a_public_one(
    key_server: KeyServer,
) -> None:
    key_server.keys = [signer().jwk(d="AQAB", p="AQAB")]
    keys = keys_of(key_server)
    key = await keys.find(*RS256)
    assert key
    assert not hasattr(key.key, "private_numbers")


async def test_a_token_may_leave_out_the_key_where_there_is_one_only(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(key_server, "RS256", "ES256")
    key_server.keys = [signer().jwk(kid=None, alg=None), signer("ES256").jwk()]
    assert await keys.find(None, "RS256")
    assert await keys.find(None, "ES256")
    key_server.keys.append(signer("RS256", "another").jwk())
    monkeypatch.setattr(keys, "_next_fetch", 0)
    assert await keys.find("another", "RS256")
    assert await keys.find(None, "RS256") is None
