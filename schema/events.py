"""GraphQL over Server-Sent Events, distinct connections mode (graphql-sse's PROTOCOL.md).

Lines end with LF alone: not every client reads CRLF, though the standard allows it.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from schema.execution import Answer, encode, refusal
from schema.requests import EVENT_STREAM

HEARTBEAT = b":\n\n"  # a comment, so that no intermediary closes a silent connection
HEARTBEAT_SECONDS = 12.0
COMPLETE = b"event: complete\ndata: \n\n"


class EventStream(StreamingResponse):
    """A response of frames. A client that does not read is dropped, so that nothing piles up."""

    def __init__(
        self, frames: AsyncGenerator[bytes, None], headers: Mapping[str, str], seconds: float
    ) -> None:
        # Asks proxies not to buffer the response.
        super().__init__(
            frames, headers={**headers, "X-Accel-Buffering": "no"}, media_type=EVENT_STREAM
        )
        self.frames = frames
        self.seconds = seconds  # that a client may go without reading

    async def stream_response(self, send: Send) -> None:
        """Send the frames. If nobody reads them, break off without completing the stream."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self.seconds):
                await send(message)

        async with aclosing(self.frames):
            with suppress(TimeoutError):
                await super().stream_response(send_in_time)


def frame(answer: Answer) -> bytes:
    """One answer as an event."""
    return b"event: next\ndata: " + encode(answer.body) + b"\n\n"


async def once(answer: Answer) -> AsyncGenerator[bytes, None]:
    """The stream of an operation that has one answer."""
    yield frame(answer)
    yield COMPLETE


async def stream(
    answers: AsyncGenerator[Answer, None], closing: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    """The stream of a subscription. It breaks off, without `complete`, when the service closes."""
    queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)

    async def pump() -> None:
        try:
            async with aclosing(answers):
                async for answer in answers:
                    await queue.put(frame(answer))
        except Exception as error:
            await queue.put(frame(refusal(error)))
        await queue.put(COMPLETE)

    async def break_off() -> None:
        await closing.wait()
        await queue.put(b"")

    tasks = [asyncio.create_task(pump()), asyncio.create_task(break_off())]
    data = HEARTBEAT
    try:
        while data and data is not COMPLETE:
            yield data
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    data = await queue.get()
            except TimeoutError:
                data = HEARTBEAT
        if data:
            yield data
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
