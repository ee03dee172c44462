"""Sending a finished answer: a large one in parts, with a time limit on each."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PART = 256 * 1024  # bytes; anything up to this is sent in one piece


class Body(Response):
    """A response that is abandoned if the client does not read on for so many seconds: sent in one
    piece, it would stay in memory for as long as the client likes."""

    def __init__(
        self,
        content: bytes,
        status_code: int,
        headers: Mapping[str, str],
        media_type: str,
        seconds: float,
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self.body) <= PART:
            await super().__call__(scope, receive, send)
            return
        with suppress(TimeoutError):
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            for begin in range(0, len(self.body), PART):
                end = begin + PART
                async with asyncio.timeout(self.seconds):
                    await send(
                        {
                            "type": "http.response.body",
                            "body": self.body[begin:end],
                            "more_body": end < len(self.body),
                        }
                    )
