"""Event streams: distinct connections mode of graphql-sse's PROTOCOL.md; and when JSON is due."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from tests.access.service import CHANGES, PATIENCE, Service
from tests.factories import make_bot

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

QUERY = "{ viewer { role } }"
ANSWER = {"viewer": {"role": "ADMIN"}}
JSON, GRAPHQL_JSON = "application/json", "application/graphql-response+json"
EVENTS = "text/event-stream"
URQL = f"{GRAPHQL_JSON}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed"


@pytest.fixture
async def http(service: Service, acme: Viewer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service, signed in."""
    _, secret = await create_token(acme, "Listener", Role.ADMIN)
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {secret}"}, timeout=PATIENCE
    ) as client:
        yield client


async def post(
    http: httpx.AsyncClient, service: Service, accept: str, query: str = QUERY
) -> httpx.Response:
    body = {"query": query}
    return await http.post(service.http, json=body, headers={"Accept": accept})


def media_type(response: httpx.Response) -> str:
    return response.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (JSON, JSON),
        ("*/*", JSON),
        (URQL, GRAPHQL_JSON),
        (f"{EVENTS}, {JSON}", JSON),
        (f"{JSON};q=0.9, {EVENTS};q=0.9", JSON),
        (f"{GRAPHQL_JSON}, {EVENTS}", GRAPHQL_JSON),
        (EVENTS, EVENTS),
        (f"{EVENTS}, {JSON};q=0.5", EVENTS),
        (f"{JSON};q=0, {EVENTS}", EVENTS),
    ],
)
async def test_a_query_is_answered_as_events_only_where_they_are_wanted_most(
    service: Service, http: httpx.AsyncClient, accept: str, expected: str
) -> None:
    response = await post(http, service, accept)
    assert (response.status_code, media_type(response)) == (200, expected)
    if expected != EVENTS:
        assert response.json()["data"] == ANSWER
        return
    next_event, complete, rest = response.content.split(b"\n\n")
    assert next_event.startswith(b"event: next\ndata: {")
    assert orjson.loads(next_event.partition(b"data: ")[2])["data"] == ANSWER
    assert (complete, rest) == (b"event: complete\ndata: ", b"")


@pytest.mark.parametrize("accept", [URQL, EVENTS, f"{EVENTS}, {JSON}"])
async def test_a_subscription_is_a_stream_of_events_wherever_they_are_taken(
    service: Service, acme: Viewer, http: httpx.AsyncClient, accept: str
) -> None:
    headers = {"Accept": accept}
    async with http.stream("POST", service.http, json={"query": CHANGES}, headers=headers) as got:
        assert (got.status_code, media_type(got)) == (200, EVENTS)
        assert got.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in got.headers
        pieces = got.aiter_raw()
        heard = await anext(pieces)
        assert heard == b":\n\n"  # at once, so that a client knows that it has begun
        await make_bot(acme)
        async with asyncio.timeout(PATIENCE):
            while heard.count(b"\n\n") < 2:
                heard += await anext(pieces)
        assert b"\r" not in heard
        assert heard.startswith(b':\n\nevent: next\ndata: {"data":')


async def test_a_subscription_can_be_asked_for_by_get(
    service: Service, acme: Viewer, http: httpx.AsyncClient
) -> None:
    parameters = {"query": CHANGES, "variables": "{}"}
    headers = {"Accept": EVENTS}
    async with http.stream("GET", service.http, params=parameters, headers=headers) as got:
        assert (got.status_code, media_type(got)) == (200, EVENTS)


async def test_a_subscription_is_refused_where_no_events_are_taken(
    service: Service, http: httpx.AsyncClient
) -> None:
    for accept in (JSON, GRAPHQL_JSON, "*/*"):
        response = await post(http, service, accept, CHANGES)
        assert response.status_code == 406
        assert EVENTS in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { changes(after: "x") { cursor } }', "BAD_REQUEST"),
        ('subscription { changes(after: "x") { cursor } } query Q { a }', None),
    ],
)
async def test_what_is_wrong_is_told_as_an_event_and_then_complete(
    service: Service, http: httpx.AsyncClient, query: str, code: str | None
) -> None:
    response = await post(http, service, EVENTS, query)
    assert (response.status_code, media_type(response)) == (200, EVENTS)
    *_, next_event, complete, rest = response.content.removeprefix(b":\n\n").split(b"\n\n")
    told: dict[str, Any] = orjson.loads(next_event.removeprefix(b"event: next\ndata: "))
    assert "data" not in told
    if code:
        assert {error["extensions"]["code"] for error in told["errors"]} == {code}
    assert (complete, rest) == (b"event: complete\ndata: ", b"")


async def test_nobody_listens_without_a_token(service: Service) -> None:
    async with httpx.AsyncClient() as stranger:
        response = await post(stranger, service, EVENTS, CHANGES)
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
