"""The protocol graphql-transport-ws (PROTOCOL.md of graphql-ws): whatever is said, the answer is
the right one, or the close code is.
"""

import asyncio
from typing import Any

import pytest

from models.viewer import Viewer
from tests.access.service import Service, cursor_of, line
from tests.factories import make_bot

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

INIT_SECONDS = 1.0


@pytest.fixture
def options() -> dict[str, Any]:
    return {"init_seconds": INIT_SECONDS, "max_subscriptions": 3}


NO_MESSAGES: dict[str, str | bytes] = {
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "a list of messages": '[{"type": "ping"}]',
    "a text": '"ping"',
    "a number": "1",
    "true": "true",
    "no JSON": "{",
    "two messages": '{"type": "ping"}{"type": "ping"}',
    "a binary frame": b'{"type": "ping"}',
    "an empty binary frame": b"",
    "a binary frame that is not in UTF-8": b"\xff",
    "no type": "{}",
    "a type that is null": '{"type": null}',
    "a type that is a number": '{"type": 1}',
    "a type that is a list": '{"type": ["ping"]}',
    "an unknown type": '{"type": "start"}',
    "what only a server says": '{"type": "connection_ack"}',
    "a type in capitals": '{"type": "PING"}',
    "a payload that is a list": '{"type": "ping", "payload": []}',
    "a payload that is a text": '{"type": "ping", "payload": "x"}',
    "a nest of lists": "[" * 100_000,
    "a nest that is a ping's": '{"type":"ping","payload":' + '{"a":' * 500 + "1" + "}" * 501,
    "a lone surrogate": '{"type": "\\ud800"}',
}


@pytest.mark.parametrize("frame", NO_MESSAGES.values(), ids=NO_MESSAGES)
async def test_what_is_no_message_ends_the_connection(
    service: Service, token: str, frame: str | bytes
) -> None:
    async with line(service) as first:
        await first.raw(frame)
        assert await first.close_code() == 4400
    async with line(service, token) as later:
        await later.raw(frame)
        assert await later.close_code() == 4400


NO_SUBSCRIBES = {
    "no id": '{"type": "subscribe", "payload": {"query": "{ viewer { role } }"}}',
    "an id that is null": '{"type": "subscribe", "id": null, "payload": {"query": "{ a }"}}',
    "an id that is a number": '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}',
    "an id that is an object": '{"type": "subscribe", "id": {}, "payload": {"query": "{ a }"}}',
    "an id that is empty": '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}',
    "no payload": '{"type": "subscribe", "id": "1"}',
    "a payload that is null": '{"type": "subscribe", "id": "1", "payload": null}',
    "a payload without query": '{"type": "subscribe", "id": "1", "payload": {}}',
    "a query that is null": '{"type": "subscribe", "id": "1", "payload": {"query": null}}',
    "a query that is a number": '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
    "variables that are a list": (
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}'
    ),
    "a name that is a number": (
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}'
    ),
    "extensions that are a text": (
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "extensions": "x"}}'
    ),
    "a complete without id": '{"type": "complete"}',
    "a complete with a number": '{"type": "complete", "id": 1}',
}


@pytest.mark.parametrize("frame", NO_SUBSCRIBES.values(), ids=NO_SUBSCRIBES)
async def test_a_message_of_the_wrong_form_ends_the_connection(
    service: Service, token: str, frame: str
) -> None:
    async with line(service, token) as signed_in:
        await signed_in.raw(frame)
        assert await signed_in.close_code() == 4400


async def test_a_message_that_is_too_big_ends_the_connection(service: Service, token: str) -> None:
    async with line(service, token) as signed_in:
        await signed_in.say("ping", payload={"text": "x" * 1_000_001})
        assert await signed_in.close_code() == 1009


async def test_only_one_protocol_is_offered(service: Service) -> None:
    async with line(service, None, "graphql-ws", "graphql-transport-ws") as both:
        assert both.connection.subprotocol == "graphql-transport-ws"
    for unknown in ("graphql-ws", "graphql-transport-ws-v2"):
        async with line(service, None, unknown) as made:
            assert made.connection.subprotocol is None
            assert await made.close_code() == 4406


# ------------------------------------------------------------------------------------- beginning


async def test_nothing_is_executed_before_the_acknowledgement(service: Service) -> None:
    async with line(service) as eager:
        await eager.subscribe(query="{ viewer { role } }")
        assert await eager.close_code() == 4401


async def test_one_initialisation_is_enough(service: Service, token: str) -> None:
    async with line(service, token) as signed_in:
        await signed_in.say("connection_init")
        assert await signed_in.close_code() == 4429


async def test_an_initialisation_must_not_take_forever(service: Service) -> None:
    async with line(service) as silent:
        assert await silent.close_code() == 4408
    async with line(service) as pinging:

        async def ping_on() -> None:
            for _ in range(100):
                await pinging.say("ping")
                await asyncio.sleep(INIT_SECONDS / 10)

        pings = asyncio.create_task(ping_on())
        assert await pinging.close_code() == 4408  # pings are no excuse
        pings.cancel()
        await asyncio.gather(pings, return_exceptions=True)


async def test_whoever_is_nobody_is_told_so(service: Service, token: str) -> None:
    for payload in (
        *({}, {"a": [1]}, {"Token": f"Bearer {token}"}, {"Authorization": 1}),
        *({"Authorization": "Bearer wrong"}, {"Authorization": token}),
    ):
        async with line(service) as made:
            await made.say("connection_init", payload=payload)
            assert await made.close_code() == 4403


async def test_pings_are_answered_before_and_after(service: Service, token: str) -> None:
    async with line(service) as made:
        for signs_in in (True, False):
            await made.say("ping")
            assert await made.hear() == {"type": "pong"}
            await made.say("ping", payload={"at": [1, None]})
            assert await made.hear() == {"type": "pong", "payload": {"at": [1, None]}}
            await made.say("pong")  # unasked, and no matter
            if signs_in:
                await made.sign_in(token)


# ------------------------------------------------------------------------------------ operations


async def test_queries_and_mutations_are_answered_too(service: Service, token: str) -> None:
    async with line(service, token) as made:
        assert await made.ask("{ viewer { role } }") == {"viewer": {"role": "ADMIN"}}
        create = 'mutation { createGroup(input: { name: "Team" }) { group { name } } }'
        assert await made.ask(create) == {"createGroup": {"group": {"name": "Team"}}}


REFUSED = {
    "a syntax error": ("subscription {", "GRAPHQL_VALIDATION_FAILED"),
    "an empty document": ("", "BAD_REQUEST"),
    "an unknown field": ("subscription { nonsense }", "GRAPHQL_VALIDATION_FAILED"),
    "no operation": ("fragment F on Query { viewer { role } }", None),
    "a cursor that is none": (
        'subscription { changes(after: "nonsense") { cursor } }',
        "BAD_REQUEST",
    ),
    "a variable that is missing": (
        "query($id: ID!) { group(id: $id) { name } }",
        "BAD_REQUEST",
    ),
}


@pytest.mark.parametrize(("query", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_wrong_with_one_operation_ends_only_that_one(
    service: Service, token: str, acme: Viewer, query: str, code: str | None
) -> None:
    async with line(service, token) as made:
        await made.subscribe("good")
        await made.subscribe("bad", query)
        answer = await made.hear()
        assert (answer["type"], answer["id"]) == ("error", "bad")
        assert all(error["message"] for error in answer["payload"])
        if code:
            assert {error["extensions"]["code"] for error in answer["payload"]} == {code}
        await service.has_subscribers(1)
        await make_bot(acme)
        assert (await made.change("good"))["node"]["action"] == "BOTS_UPSERTED"
        assert await made.ask("{ viewer { role } }", "bad") == {"viewer": {"role": "ADMIN"}}


async def test_an_id_names_one_operation_at_a_time(service: Service, token: str) -> None:
    async with line(service, token) as made:
        await made.subscribe("1")
        await made.subscribe("1")
        assert await made.close_code() == 4409


async def test_a_long_id_is_told_as_far_as_there_is_room(service: Service, token: str) -> None:
    for id in ("a" * 128, "ä" * 128, "a" + "ä" * 127):  # of the last, it is full within a letter
        async with line(service, token) as made:
            for _ in range(2):
                await made.subscribe(id)
            assert await made.close_code() == 4409
    async with line(service, token) as made:
        await made.subscribe("a" * 129)
        assert await made.close_code() == 4400


async def test_an_id_is_free_again_once_its_operation_has_ended(
    service: Service, token: str, acme: Viewer
) -> None:
    async with line(service, token) as made:
        for number in range(50):
            assert await made.ask("{ viewer { role } }", "1")
            await made.subscribe("2")
            await made.say("complete", id="2")
            await made.subscribe("2")
            await made.say("complete", id="2")
            await made.subscribe("3", "{")
            assert (await made.hear())["type"] == "error", number
        await made.say("complete", id="unknown")
        await service.has_subscribers(0)
        await made.subscribe("2")
        await service.has_subscribers(1)
        await make_bot(acme)
        assert (await made.change("2"))["node"]["action"] == "BOTS_UPSERTED"


async def test_a_completed_subscription_is_told_nothing_more(
    service: Service, token: str, acme: Viewer
) -> None:
    async with line(service, token) as made:
        await made.subscribe("1")
        await made.subscribe("2")
        await service.has_subscribers(2)
        await made.say("complete", id="1")
        await service.has_subscribers(1)
        await make_bot(acme)
        await made.change("2")
        await make_bot(acme, "Another")
        await made.change("2")


async def test_the_operations_of_a_connection_are_limited(
    service: Service, token: str, acme: Viewer
) -> None:
    cursor = await cursor_of(service, token)
    async with line(service, token) as made:
        for id in ("1", "2", "3"):
            await made.subscribe(id)
        await service.has_subscribers(3)
        await made.subscribe("4")
        answer = await made.hear()
        assert (answer["type"], answer["id"]) == ("error", "4")
        assert answer["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await made.say("complete", id="2")
        await made.subscribe("4", after=cursor)
        await made.say("complete", id="3")
        await made.ask("{ viewer { role } }")  # so that this has been read
        await make_bot(acme)
        assert {(await made.hear())["id"] for _ in range(2)} == {"1", "4"}
