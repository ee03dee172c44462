"""uvicorn's protocols with limits that it lacks: on the size of a request's head, on how long a
client may take to read, on how many of its pings may wait to be answered, and on how many frames it
may send at once; and with an answer to requests to upgrade that it mistakes, to those that do not
name one host, to bodies in codings that it does not know, and to requests that cannot be read while
others are answered."""

import asyncio
import logging
import re
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

LARGEST_HEAD = 64 * 1024  # bytes of the address and the headers
UNREAD_SECONDS = 60.0  # longer than the application's own limits, which give a reason
# How long a connection may be idle between two requests: longer than proxies keep theirs (60 by
# default in nginx and AWS's load balancers), or they send requests on one that was just closed.
IDLE_SECONDS = 75
PIECE = 8 * 1024  # bytes of a WebSocket that are parsed at a time
MOST_FRAMES = 4_000  # of a WebSocket, in what is read at once (some 256 KiB), or in one message
# What `Host` may be (RFC 9112, section 3.2): empty, or an address or a name, and perhaps a port.
# Some clients send zones of addresses (RFC 6874), and names that they should have encoded in ASCII.
ADDRESS = rb"\[[0-9A-Fa-f:.]+(?:%[\w.~%-]+)?\]"  # of IPv6; others are like names
NAME = rb"(?:[\w.~!$&'()*+,;=\x80-\xff-]|%[0-9A-Fa-f]{2})*"
HOST = re.compile(rb"(?:%b|%b)(?::\d*)?" % (ADDRESS, NAME))


def refusal(status: bytes, message: bytes, headers: bytes = b"connection: close\r\n") -> bytes:
    """A response that is the last of its connection."""
    return (
        b"HTTP/1.1 %b\r\n%bcontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b"
    ) % (status, headers, len(message), message)


TOO_LARGE = refusal(
    b"431 Request Header Fields Too Large",
    b"The address and the headers of a request may be 64 KiB long, not more.\n",
)
NO_HANDSHAKE = refusal(
    b"400 Bad Request",
    b"A WebSocket begins with a GET without a body, of at most 128 headers of 8 KiB each.\n",
)
OTHER_VERSION = refusal(
    b"426 Upgrade Required",
    b"A WebSocket has the version 13.\n",
    b"connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
)

logger = logging.getLogger("cohort.connections")


async def unreadable(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request whose body cannot be read, whatever it asks for."""
    body = b"Invalid HTTP request received."
    length = (b"content-length", b"%d" % len(body))
    headers = [(b"content-type", b"text/plain; charset=utf-8"), length]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Parser(HttpRequestParser):
    """A parser that ignores a request to upgrade to anything but a WebSocket, as a server may
    (RFC 9110, section 7.8), and reads the body of such a request like that of any.

    httptools takes all that follows the head for the other protocol. uvicorn would drop it, or, if
    it arrives later, take it for the next request.
    """

    def __init__(self, protocol: "HTTP") -> None:
        super().__init__(protocol)
        self.protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def feed_data(self, data: Any) -> None:
        """Parse the bytes that were received.

        Raises HttpParserUpgrade after the head of a WebSocket, and HttpParserError.
        """
        parser = self
        while True:
            try:
                HttpRequestParser.feed_data(parser, data)
                return
            except HttpParserUpgrade as upgrade:
                if self.protocol.begins_websocket():
                    raise
                data = memoryview(data)[upgrade.args[0] :]
            if parser.get_method() == b"CONNECT":
                raise HttpParserError("This is no proxy.")
            head = self.protocol.head_without_upgrade()
            # A new one: for the old, the connection may be over (`Connection: close, Upgrade`).
            parser = self.protocol.parser = Parser(self.protocol)
            HttpRequestParser.feed_data(parser, head)


class HTTP(HttpToolsProtocol):
    """An HTTP connection that is closed if the head of a request is too large, or nobody reads.

    A closed transport waits until all that was written is read: forever, without TCP_USER_TIMEOUT.
    """

    unfinished = 0  # bytes since the last complete head, part of a body, or request
    is_in_body = False  # of the request whose head was parsed last

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = Parser(self)
        self.timeout_keep_alive = IDLE_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        accepted = transport.get_extra_info("socket")
        if hasattr(socket, "TCP_USER_TIMEOUT") and accepted.family != socket.AF_UNIX:
            milliseconds = int(UNREAD_SECONDS * 1000)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    def data_received(self, data: bytes) -> None:
        if self.unfinished > LARGEST_HEAD:  # refused, but others are still to be answered
            return
        self.unfinished += len(data)
        super().data_received(data)
        if self.unfinished > LARGEST_HEAD and not self.transport.is_closing():
            logger.warning("the head of a request is too large")
            self.refuse(self.send_431_response)

    def send_431_response(self) -> None:
        """Refuse the head of a request, and end the connection."""
        self.transport.write(TOO_LARGE)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, in its turn, and end the connection."""
        self.refuse(partial(super().send_400_response, msg))

    def refuse(self, at_once: Callable[[], None]) -> None:
        """Refuse what cannot be read and end the connection: by `at_once`, or in its turn, after
        the answers to the requests before it.

        What begins no request gets no answer if others came before: the first of them would be
        taken for the refused one. Nor does a request whose own answer has begun.
        """
        cycle = self.cycle
        if self.is_in_body and self.pipeline:  # the request waits
            cycle.keep_alive = self.is_in_body = False
            self.pipeline[0] = (cycle, unreadable)
        elif self.is_in_body and cycle.response_started:
            self.transport.close()
        elif self.is_in_body or cycle is None or cycle.response_complete:
            at_once()
        else:
            cycle.keep_alive = False

    def begins_websocket(self) -> bool:
        """Whether the request whose head was parsed last, and which asks to upgrade, is for a
        WebSocket. One over HTTP/1.0 is not: a proxy that knows no other may have passed on what it
        did not understand (RFC 9110, section 7.8)."""
        is_named = any(
            name == b"upgrade" and value.lower() == b"websocket" for name, value in self.headers
        )
        version = self.parser.get_http_version()
        return is_named and version != "1.0" and self.parser.get_method() == b"GET"

    def head_without_upgrade(self) -> bytes:
        """The head of the request that was parsed last, without the header `Upgrade`."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _should_upgrade(self) -> bool:
        """Whether to do nothing with a request to upgrade until the parser raises: always, since
        the parser reads those that are ignored once more, as requests like any."""
        return True

    def on_headers_complete(self) -> None:
        self.unfinished = 0
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise HttpParserError("A request names one host (RFC 9112, section 3.2).")
        # The parser leaves white space behind a value, which is no part of it (section 5.1).
        if hosts and not HOST.fullmatch(hosts[0].rstrip(b" \t")):
            raise HttpParserError("A host is a name or an address, and perhaps a port.")
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        # The parser takes whatever ends in `chunked` for that alone, and would pass on gzip.
        if codings and b",".join(codings).lower().rstrip(b" ") != b"chunked":
            raise HttpParserError("A body may be sent in chunks, but in no other coding.")
        if self.parser.get_http_version() == "1.0":  # RFC 9110, section 10.1.1
            self.expect_100_continue = False
        super().on_headers_complete()
        self.is_in_body = True

    def on_body(self, body: bytes) -> None:
        self.unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unfinished = 0
        self.is_in_body = False
        super().on_message_complete()


class WebSockets(WebSocketsSansIOProtocol):
    """A WebSocket that is not read while its client does not read: not even for pings, to which the
    answers would pile up.

    One that sends too many frames at once is closed: empty ones take as long as others, but tens of
    thousands of them are read at once, and nothing else is done meanwhile.
    """

    frames_read = 0  # at once

    def data_received(self, data: bytes) -> None:
        self.frames_read = 0
        for start in range(0, len(data), PIECE):
            if not self.transport.is_closing():
                super().data_received(data[start : start + PIECE])
        if self.conn.handshake_exc and not self.handshake_initiated:  # uvicorn would keep silent
            self.transport.write(NO_HANDSHAKE)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake; name the version to one of another (RFC 6455, section 4.4)."""
        if event.headers.get_all("Sec-WebSocket-Version") == ["13"]:
            super().handle_connect(event)
            return
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(OTHER_VERSION)
        self.transport.close()

    def handle_events(self) -> None:
        """Handle the frames that were parsed last, unless they are too many."""
        self.frames_read += len(self.conn.events)
        if max(self.frames_read, len(self.frames)) > MOST_FRAMES:
            self._fail(CloseCode.POLICY_VIOLATION)
        else:
            super().handle_events()

    def _fail(self, code: CloseCode) -> None:
        """End the connection; with this code, unless either side has begun to close it."""
        self.frames = []
        self.conn.fail(code)
        self.handle_parser_exception()

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; one that is not UTF-8 ends the connection.

        uvicorn would log it as a fault, though anybody can send one.
        """
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA)
                return
        super().send_receive_event_to_app()

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
