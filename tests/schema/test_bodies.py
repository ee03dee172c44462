"""A finished answer: whole, whether it is sent in one piece or in parts."""

import pytest
from starlette.types import Message, Scope

from schema.bodies import PART, Body


async def receive() -> Message:
    raise AssertionError("nothing is to be received")


@pytest.mark.parametrize(
    ("size", "parts"), [(0, 1), (PART, 1), (PART + 1, 2), (2 * PART, 2), (2 * PART + 7, 3)]
)
async def test_all_of_an_answer_is_sent(size: int, parts: int) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    content = bytes(number % 251 for number in range(size))
    scope: Scope = {"type": "http"}
    await Body(content, 201, {"X-A": "y"}, "text/plain", 1.0)(scope, receive, send)
    start, *bodies = sent
    assert (start["type"], start["status"]) == ("http.response.start", 201)
    headers = dict(start["headers"])
    assert (headers[b"x-a"], headers[b"content-length"]) == (b"y", str(size).encode())
    assert b"".join(body["body"] for body in bodies) == content
    assert [body.get("more_body", False) for body in bodies] == [True] * (parts - 1) + [False]
