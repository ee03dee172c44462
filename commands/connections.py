"""uvicorn's protocols with limits that it lacks: on the size of a request's head, on how long a
client may take to read, and on how many of its pings may wait to be answered."""

import asyncio
import logging
import socket

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LARGEST_HEAD = 64 * 1024  # bytes of the address and the headers
UNREAD_SECONDS = 60.0  # longer than the application's own limits, which give a reason

TOO_LARGE = b"The address and the headers of a request may be 64 KiB long, not more.\n"
REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b"
) % (len(TOO_LARGE), TOO_LARGE)

logger = logging.getLogger("cohort.connections")


class HTTP(HttpToolsProtocol):
    """An HTTP connection that is closed if the head of a request is too large, or nobody reads.

    A closed transport waits until all that was written is read: forever, without TCP_USER_TIMEOUT.
    """

    unfinished = 0  # bytes since the last complete head, part of a body, or request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        accepted = transport.get_extra_info("socket")
        if hasattr(socket, "TCP_USER_TIMEOUT") and accepted.family != socket.AF_UNIX:
            milliseconds = int(UNREAD_SECONDS * 1000)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    def data_received(self, data: bytes) -> None:
        self.unfinished += len(data)
        super().data_received(data)
        if self.unfinished > LARGEST_HEAD and not self.transport.is_closing():
            logger.warning("the head of a request is too large")
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self.unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unfinished = 0
        super().on_message_complete()


class WebSockets(WebSocketsSansIOProtocol):
    """A WebSocket that is not read while its client does not read: not even for pings, to which the
    answers would pile up."""

    def handle_ping(self) -> None:
        super().handle_ping()
        if not self.writable.is_set() and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.read_paused and self.queue.empty() and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()
