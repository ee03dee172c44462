"""How many requests of a token are taken: at once, and in a minute."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from models.organizations import create_organization
from runtime.limits import AtOnce, PerMinute, TryAgainLater, address_key
from tests.access.service import Service, eventually, listening
from tests.client import Asker, Client, asker, serving
from tests.factories import make_group
from tests.refusals import unchanged
from tests.trust.slowness import slow

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
CREATE = 'mutation { createGroup(input: {name: "New"}) { revision } }'


@asynccontextmanager
async def limited(database_url: str, **settings: Any) -> AsyncIterator[tuple[Client, Asker, Asker]]:
    """A client of a service with such limits, and two who ask."""
    async with serving(database_url, kept_megabytes=0, **settings) as client:
        acme = await create_organization("Acme")
        yield client, await asker(client, acme), await asker(client, acme)


def assert_later(response: httpx.Response, setting: str, longest: int) -> None:
    """Assert that a request was refused for now, and that it is told when to come again."""
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= longest
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert setting in error["message"]


async def test_a_token_has_so_many_requests_a_minute(database_url: str) -> None:
    async with limited(database_url, requests_per_minute=3) as (client, ask, other):
        for query in ("{ __typename }", "{ organization { name } }", "{"):  # a mistake counts too
            response = await client.post(query, token=ask.token)
            assert response.status_code == 200
        async with unchanged(ask.viewer):
            response = await client.post(CREATE, token=ask.token)
        assert_later(response, "COHORT_REQUESTS_PER_MINUTE", longest=60)
        await other("{ __typename }")  # another token has its own


@SQLITE_ONLY
async def test_an_answer_that_was_kept_counts_as_well(database_url: str) -> None:
    async with serving(database_url, requests_per_minute=2) as client:
        ask = await asker(client, await create_organization("Acme"))
        for _ in range(2):
            await ask("{ organization { name } }")
        assert await ask.codes("{ organization { name } }") == ["LIMIT_EXCEEDED"]


async def test_a_token_has_so_many_requests_at_once(database_url: str) -> None:
    async with limited(database_url, max_concurrent_requests=2) as (client, ask, other):
        await make_group(ask.viewer)
        async with slow("groups"):
            query = "{ groups { nodes { id } } }"
            running = [asyncio.create_task(client.post(query, token=ask.token)) for _ in range(2)]
            at_once = Service("", client).runner.guard.at_once
            await eventually(lambda: list(at_once._counts.values()) == [2])
            assert_later(
                await client.post("{ __typename }", token=ask.token),
                "COHORT_MAX_CONCURRENT_REQUESTS",
                longest=1,
            )
            await other("{ __typename }")
            for each in running:
                each.cancel()
            await asyncio.wait(running)
            await eventually(lambda: not at_once._counts)
        await ask("{ __typename }")  # each has given its place back


@SQLITE_ONLY
async def test_requests_on_a_socket_count_as_well(database_url: str) -> None:
    async with listening(database_url, requests_per_minute=2) as service:
        ask = await asker(service.client, await create_organization("Acme"))
        headers = {"Authorization": f"Bearer {ask.token}"}
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(
            service.ws, subprotocols=[protocol], additional_headers=headers
        ) as connection:
            await connection.send('{"type": "connection_init"}')
            await connection.recv()
            types = []
            for id in ("1", "2", "3"):
                message = {"type": "subscribe", "id": id, "payload": {"query": "{ __typename }"}}
                await connection.send(orjson.dumps(message).decode())
                answer = orjson.loads(await connection.recv())
                types.append(answer["type"])
                if answer["type"] == "next":
                    await connection.recv()  # complete
        assert types == ["next", "next", "error"]
        (error,) = answer["payload"]
        assert "COHORT_REQUESTS_PER_MINUTE" in error["message"]


@SQLITE_ONLY
async def test_a_token_has_so_many_event_streams(database_url: str) -> None:
    async with listening(database_url, max_subscriptions=2) as service:
        ask = await asker(service.client, await create_organization("Acme"))
        headers = {"Authorization": f"Bearer {ask.token}", "Accept": "text/event-stream"}
        body = {"query": "subscription { changes { cursor } }"}

        async def open_one(http: httpx.AsyncClient, stack: AsyncExitStack) -> None:
            request = http.stream("POST", service.http, json=body, headers=headers)
            response = await stack.enter_async_context(request)
            assert response.status_code == 200

        async with httpx.AsyncClient() as http:
            async with AsyncExitStack() as stack:
                for _ in range(2):
                    await open_one(http, stack)
                streams = service.runner.guard.streams
                await eventually(lambda: list(streams._counts.values()) == [2])
                refused = await http.post(service.http, json=body, headers=headers)
                assert_later(refused, "COHORT_MAX_SUBSCRIPTIONS", longest=1)
            await eventually(lambda: not streams._counts)  # it has noticed that they are closed


# -------------------------------------------------------------------------------------- counting


def test_a_minute_later_the_count_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    requests = PerMinute(2, "requests_per_minute", "requests")
    requests.take("a")
    now += 30
    requests.take("a")
    with pytest.raises(TryAgainLater) as refused:
        requests.take("a")
    assert refused.value.retry_after == 30
    requests.take("b")
    now += 30
    requests.take("a")


def test_what_is_refused_does_not_count() -> None:
    requests = PerMinute(1, "requests_per_minute", "requests")
    requests.take("a")
    for _ in range(3):
        with pytest.raises(TryAgainLater):
            requests.take("a")
    requests.give_back("a")
    requests.take("a")


def test_what_has_ended_leaves_nothing_behind() -> None:
    at_once = AtOnce(1, "max_concurrent_requests", "requests")
    with at_once.holding("a"), pytest.raises(TryAgainLater):
        at_once.enter("a")
    with at_once.holding("a"), at_once.holding("b"):
        pass
    assert at_once._counts == {}


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_an_address_stands_for_one_subscriber(host: str | None, key: str) -> None:
    assert address_key(host) == key
