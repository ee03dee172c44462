"""Strangers' connections: what they send without end, and what they never read."""

import asyncio
import logging
import re
import socket
from contextlib import suppress
from itertools import repeat

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from commands.connections import HTTP, LARGEST_HEAD, MOST_FRAMES, UNREAD_SECONDS, WebSockets
from models.organizations import create_organization
from tests.access.service import PATIENCE, Service
from tests.client import Asker, asker
from tests.factories import make_group

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

MOST_SENT = 10_000_000  # bytes: more than the system keeps for a connection by itself
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
LINE = b"X-A: " + b"y" * 1_000 + b"\r\n"
TO_HTTP_2 = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
TO_WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[WebSockets]:
    """The service's ends of the WebSockets that are opened."""
    found: list[WebSockets] = []
    initiate = WebSocketsSansIOProtocol.__init__

    def note(protocol: WebSockets, *args: object, **kwargs: object) -> None:
        initiate(protocol, *args, **kwargs)  # type: ignore[arg-type]
        found.append(protocol)

    monkeypatch.setattr(WebSockets, "__init__", note)
    return found


async def connected(service: Service) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = service.address.split(":")
    return await asyncio.open_connection(host, int(port))


async def sent_until_the_end(service: Service, begun: bytes, endless: bytes) -> int:
    """How much of a request that never ends could be sent until its connection ended."""
    _, writer = await connected(service)
    sent = 0
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(begun)
            while sent < MOST_SENT:
                writer.write(endless)
                sent += len(endless)
                await writer.drain()
                await asyncio.sleep(0)
    except ConnectionError:
        pass
    writer.close()
    return sent


@pytest.mark.parametrize(
    ("begun", "endless"),
    [
        (GET, LINE),
        (GET + b"X-A: ", b"y" * 1_000),
        (b"GET /healthz?", b"y" * 1_000),
        (GET + b"\r\n" + GET, LINE),
        (CHUNKED + b"0\r\n", LINE),
        (CHUNKED + b"2;", b"y" * 1_000),
    ],
    ids=["headers", "one header", "address", "second request", "trailers", "extension of a chunk"],
)
async def test_what_never_ends_is_not_gathered(
    service: Service, begun: bytes, endless: bytes
) -> None:
    assert await sent_until_the_end(service, begun, endless) < MOST_SENT


async def last_answer(service: Service, request: bytes) -> bytes:
    """The answer to a request that is the last of its connection."""
    reader, writer = await connected(service)
    writer.write(request)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_head_that_is_too_large_is_told_so(service: Service) -> None:
    answer = await last_answer(service, GET + b"X-A: " + b"y" * LARGEST_HEAD + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"64 KiB" in answer


async def test_a_head_that_is_too_large_is_told_so_after_other_requests(service: Service) -> None:
    reader, writer = await connected(service)
    writer.write(GET + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b'{"status":"ok"}')
        writer.write(GET + b"X-A: " + b"y" * LARGEST_HEAD + b"\r\n")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    writer.close()


async def test_what_is_large_in_its_parts_is_none_of_that(service: Service) -> None:
    reader, writer = await connected(service)
    padding = b" " * 1_000
    size = 200 * len(padding) + 2
    for _ in range(2):  # on one connection
        writer.write(GET + b"X-A: " + b"y" * (LARGEST_HEAD - 100) + b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(b'{"status":"ok"}'))
        assert head.startswith(b"HTTP/1.1 200")
    writer.write(POST + b"Content-Length: %d\r\n\r\n" % size)
    for part in repeat(padding, 200):
        writer.write(part)
        await writer.drain()
    writer.write(b"{}")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()


async def opened(service: Service) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket, before its first message."""
    reader, writer = await connected(service)
    writer.write(b"GET /graphql HTTP/1.1\r\nHost: x\r\n" + TO_WEBSOCKET)
    writer.write(b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer


async def statuses(reader: asyncio.StreamReader, number: int) -> list[bytes]:
    """The status of each of so many responses, all of them with a body of a given length."""
    found = []
    async with asyncio.timeout(PATIENCE):
        for _ in range(number):
            head = await reader.readuntil(b"\r\n\r\n")
            (length,) = re.findall(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length))
            found.append(head[9:12])
    return found


@pytest.mark.parametrize("upgrade", [TO_HTTP_2, TO_WEBSOCKET], ids=["HTTP/2", "WebSocket"])
async def test_the_body_of_a_request_to_upgrade_is_read_and_is_no_request(
    service: Service, upgrade: bytes
) -> None:
    """As Java's client and `curl --http2` send it, in one piece or in two."""
    ask = await asker(service.client, await create_organization("Acme"))
    reader, writer = await connected(service)
    signed = POST + f"Authorization: Bearer {ask.token}\r\n".encode()
    query, request = b'{"query": "{ __typename }"}', GET + b"\r\n"
    head = signed + upgrade + b"Content-Length: %d\r\n\r\n"
    for body, expected in ((query, b"200"), (request, b"400")):
        writer.write(head % len(body) + body + request)
        assert await statuses(reader, 2) == [expected, b"200"]
        writer.write(head % len(body))
        await writer.drain()
        await asyncio.sleep(0.01)  # so that the rest is received by itself
        writer.write(body + request)
        assert await statuses(reader, 2) == [expected, b"200"]
    writer.write(signed + upgrade + b"Transfer-Encoding: chunked\r\n\r\n")
    writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(query), query) + request)
    assert await statuses(reader, 2) == [b"200", b"200"]
    writer.close()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_request_to_upgrade_may_be_the_last(service: Service, version: bytes) -> None:
    head = b"GET /healthz HTTP/%b\r\nHost: x\r\n" % version
    answer = await last_answer(
        service, head + b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200")


async def test_what_speaks_http_1_0_is_not_upgraded(service: Service) -> None:
    head = b"GET /healthz HTTP/1.0\r\nHost: x\r\n"
    assert (await last_answer(service, head + TO_WEBSOCKET + b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_many_requests_to_upgrade_in_one_piece_are_all_answered(service: Service) -> None:
    reader, writer = await connected(service)
    writer.write((GET + TO_HTTP_2 + b"\r\n") * 200)
    assert await statuses(reader, 200) == [b"200"] * 200
    writer.close()


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Length: 2\r\n\r\n{}",
        b"X-A: " + b"y" * 9_000 + b"\r\n\r\n",
        b"X-A: y\r\n" * 130 + b"\r\n",
    ],
    ids=["body", "long header", "many headers"],
)
async def test_a_handshake_that_cannot_be_read_is_told_so(service: Service, more: bytes) -> None:
    handshake = b"GET /graphql HTTP/1.1\r\nHost: x\r\n" + TO_WEBSOCKET
    answer = await last_answer(service, handshake + more)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"8 KiB" in answer


@pytest.mark.parametrize("version", [b"8", b"13, 8", b""])
async def test_a_handshake_of_another_version_is_told_which(
    service: Service, version: bytes
) -> None:
    handshake = TO_WEBSOCKET.replace(b"Version: 13", b"Version: " + version)
    answer = await last_answer(
        service, b"GET /graphql HTTP/1.1\r\nHost: x\r\n" + handshake + b"\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    assert b"\r\nsec-websocket-version: 13\r\n" in answer


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /healthz HTTP/1.1", b"", b"400"),
        (b"GET /healthz HTTP/1.1", b"Host: x\r\nhost: x\r\n", b"400"),
        (b"GET /healthz HTTP/1.0", b"Host: x\r\nhost: x\r\n", b"400"),
        (b"GET /healthz HTTP/1.1", TO_HTTP_2, b"400"),
        (b"GET /graphql HTTP/1.1", TO_WEBSOCKET, b"400"),
        (b"GET /healthz HTTP/1.0", b"", b"200"),
        (b"GET /healthz HTTP/1.1", b"Host:\r\n", b"200"),
        (b"GET /graphql HTTP/1.1", b"Host: a b\r\n" + TO_WEBSOCKET, b"400"),
        (b"GET /healthz HTTP/1.0", b"Host: a/b\r\n", b"400"),
        (b"GET /healthz HTTP/1.1", b"Host: \tx:80 \t\r\n", b"200"),
    ],
    ids=["none", "two", "two in HTTP/1.0", "HTTP/2", "WebSocket", "none in HTTP/1.0", "empty",
         "invalid for a WebSocket", "invalid in HTTP/1.0", "white space around it"],
)  # fmt: skip
async def test_a_request_names_one_host(
    service: Service, request_line: bytes, headers: bytes, status: bytes
) -> None:
    reader, writer = await connected(service)
    writer.write(request_line + b"\r\n" + headers + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline())[9:12] == status
    writer.close()


HOSTS = (
    rb"x x. my_pod a,b x:99999 x: :80 127.0.0.1:80 [::1] [::ffff:10.0.0.1]:80 [fe80::1%25eth0] "
    b"xn--bcher-kva.example b%C3%BCcher.example b\xc3\xbccher.example"
)
NO_HOSTS = rb'/ a/b http://x a@b x:abc x:-1 x:80:80 ::1 [::1 [::1]x [] [x] a\b <x> x?y x#y %zz "x"'


@pytest.mark.parametrize(
    ("hosts", "status"),
    [(HOSTS.split(), b"200"), ([b"a b", b"a\tb", *NO_HOSTS.split()], b"400")],
    ids=["names and addresses", "others"],
)
async def test_a_host_is_a_name_or_an_address(
    service: Service, hosts: list[bytes], status: bytes
) -> None:
    request = b"GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: %b\r\n\r\n"
    answers = {host: await last_answer(service, request % host) for host in hosts}
    assert {host: answer[9:12] for host, answer in answers.items()} == dict.fromkeys(hosts, status)


@pytest.mark.parametrize(
    ("coding", "status"),
    [
        (b"chunked", b"401"),
        (b"Chunked ", b"401"),
        (b"gzip, chunked", b"400"),
        (b"gzip\r\nTransfer-Encoding: chunked", b"400"),
        (b"chunked, chunked", b"400"),
    ],
)
async def test_a_body_comes_in_chunks_or_in_no_coding(
    service: Service, coding: bytes, status: bytes
) -> None:
    head = POST + b"Connection: close\r\nTransfer-Encoding: %b\r\n\r\n" % coding
    answer = await last_answer(service, head + b"2\r\n{}\r\n0\r\n\r\n")
    assert answer[9:12] == status


@pytest.mark.parametrize("unreadable", [b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n"])
async def test_a_refusal_is_not_taken_for_the_answer_to_a_request_before(
    service: Service, unreadable: bytes
) -> None:
    before = GET + b"\r\n"
    answers = await last_answer(service, before + before + unreadable)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200"]
    assert answers.endswith(b'{"status":"ok"}')


async def test_a_body_that_cannot_be_read_is_refused_in_its_turn(service: Service) -> None:
    before = GET + b"\r\n"
    answers = await last_answer(service, before + before + CHUNKED + b"nonsense\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"400"]
    assert answers.endswith(b"Invalid HTTP request received.")


async def test_a_body_that_cannot_be_read_is_not_refused_after_its_answer(
    service: Service,
) -> None:
    reader, writer = await connected(service)
    writer.write(GET + b"Transfer-Encoding: chunked\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readuntil(b'{"status":"ok"}')).startswith(b"HTTP/1.1 200")
        writer.write(b"nonsense\r\n")
        assert await reader.read() == b""
    writer.close()


async def listening(
    service: Service, more: bytes = b""
) -> tuple[Asker, asyncio.StreamReader, asyncio.StreamWriter]:
    """An event stream that has begun, of a request with these headers."""
    ask = await asker(service.client, await create_organization("Acme"))
    reader, writer = await connected(service)
    writer.write(
        b"GET /graphql?query=subscription{changes{cursor}} HTTP/1.1\r\nHost: x\r\n"
        b"Accept: text/event-stream\r\n"
        + more
        + f"Authorization: Bearer {ask.token}\r\n\r\n".encode()
    )
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    return ask, reader, writer


async def test_a_refusal_is_no_part_of_an_answer_that_has_begun(service: Service) -> None:
    _, reader, writer = await listening(service, b"Transfer-Encoding: chunked\r\n")
    async with asyncio.timeout(PATIENCE):
        writer.write(b"nonsense\r\n")
        assert b"HTTP/1.1" not in await reader.read()
    writer.close()


async def test_a_head_that_is_too_large_ends_no_answer_to_a_request_before(
    service: Service,
) -> None:
    ask, reader, writer = await listening(service)
    writer.write(GET + b"X-A: " + b"y" * LARGEST_HEAD)
    for name in ("Sales", "Support"):
        writer.write(LINE)
        await writer.drain()
        await make_group(ask.viewer, name)
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"event: next")
    writer.close()


async def test_a_client_that_cannot_know_it_is_not_told_to_continue(service: Service) -> None:
    reader, writer = await connected(service)
    head = b"POST /graphql HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    writer.write(head + b"Expect: 100-continue\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.01)  # so that the body is received by itself
    writer.write(b"{}")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()


async def test_nothing_is_led_elsewhere(service: Service) -> None:
    answer = await last_answer(
        service, b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 400")


async def test_the_system_gives_a_connection_up_that_nobody_reads(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[float] = []
    make = HTTP.connection_made

    def connection_made(protocol: HTTP, transport: asyncio.Transport) -> None:
        make(protocol, transport)
        accepted = transport.get_extra_info("socket")
        option = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        seconds.append(option / 1000)

    monkeypatch.setattr(HTTP, "connection_made", connection_made)
    reader, writer = await connected(service)
    writer.write(GET + b"Connection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    assert seconds == [UNREAD_SECONDS]


@pytest.mark.parametrize(
    "frames",
    [b"\x81\x82\0\0\0\0\xff\xff", b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\x28"],
    ids=["one frame", "two frames"],
)
async def test_a_message_that_is_not_utf_8_is_no_fault(
    service: Service, caplog: pytest.LogCaptureFixture, frames: bytes
) -> None:
    reader, writer = await opened(service)
    async with asyncio.timeout(PATIENCE):
        writer.write(frames)
        assert await reader.read() == b"\x88\x02" + (1007).to_bytes(2)
    writer.close()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


EMPTY = b"\x80\0\0\0\0"  # the length of a frame without payload, and its mask
CLOSE = b"\x88" + EMPTY
NO_UTF_8 = b"\x81\x81\0\0\0\0\xff"
FLOOD = (b"\x8a" + EMPTY) * (MOST_FRAMES + 1)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (NO_UTF_8 + CLOSE, None),
        (NO_UTF_8 + NO_UTF_8, 1007),
        (FLOOD + CLOSE, None),
        (b"\x81\x82\0\0\0\0{}" + NO_UTF_8 + FLOOD, 1007),
    ],
    ids=["no UTF-8, closed", "twice no UTF-8", "flood, closed", "all"],
)
async def test_frames_that_are_refused_beside_the_end_are_no_fault(
    service: Service, caplog: pytest.LogCaptureFixture, frames: bytes, code: int | None
) -> None:
    reader, writer = await opened(service)
    async with asyncio.timeout(PATIENCE):
        writer.write(frames)
        assert await reader.read() == b"\x88" + (
            b"\0" if code is None else b"\x02" + code.to_bytes(2)
        )
    writer.close()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_flood_behind_the_end_is_no_fault(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await opened(service)
    async with asyncio.timeout(PATIENCE):
        writer.write(b"\x81\x82\0\0\0\0{}")  # no message of the protocol
        head = await reader.readexactly(2)
        assert head[:1] == b"\x88"
        await reader.readexactly(head[1])
        writer.write(FLOOD)
        with suppress(ConnectionResetError):  # where it was closed with some of it unread
            assert await reader.read() == b""
    writer.close()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("kind", [b"\x8a", b"\x89", b"\0"], ids=["pong", "ping", "continuation"])
async def test_a_flood_of_empty_frames_ends_the_connection(
    service: Service, sockets: list[WebSockets], kind: bytes
) -> None:
    reader, writer = await opened(service)
    begun = b"\x01" + EMPTY if kind == b"\0" else b""
    writer.write(begun + (kind + EMPTY) * 10 * MOST_FRAMES)
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionResetError):  # where it was closed with some of it unread
            await reader.read()
    (ended,) = sockets
    assert ended.conn.close_sent is not None
    assert ended.conn.close_sent.code == 1008
    writer.close()


async def test_a_message_has_so_many_frames_whenever_they_arrive(service: Service) -> None:
    reader, writer = await opened(service)
    part = (b"\0" + EMPTY) * (MOST_FRAMES // 2)
    message = b'{"type":"ping"}'
    last = b"\x80" + bytes([0x80 + len(message)]) + bytes(4) + message
    async with asyncio.timeout(PATIENCE):
        for parts, answer in ((1, b"\x81"), (3, b"\x88")):
            writer.write(b"\x01" + EMPTY)
            for _ in range(parts):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.05)  # so that it is read by itself
            writer.write(last)
            head = await reader.readexactly(2)
            assert head[:1] == answer
            rest = await reader.readexactly(head[1])
    assert rest == (1008).to_bytes(2)
    writer.close()


async def test_an_idle_connection_is_kept_for_longer_than_proxies_keep_theirs(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[HTTP] = []
    make = HTTP.connection_made

    def connection_made(protocol: HTTP, transport: asyncio.Transport) -> None:
        make(protocol, transport)
        made.append(protocol)

    monkeypatch.setattr(HTTP, "connection_made", connection_made)
    reader, writer = await connected(service)
    writer.write(GET + b"\r\n")
    assert await statuses(reader, 1) == [b"200"]
    (protocol,) = made
    closing = protocol.timeout_keep_alive_task
    assert closing is not None
    assert closing.when() - asyncio.get_running_loop().time() > 60
    writer.close()


async def test_pings_of_one_who_reads_nothing_are_not_gathered(
    service: Service, sockets: list[WebSockets]
) -> None:
    reader, writer = await opened(service)
    ping = b"\x89\xfd\0\0\0\0" + b"p" * 125
    pings = ping * 100
    sent = 0
    try:
        while sent < 3 * MOST_SENT:
            writer.write(pings)
            sent += len(pings)
            async with asyncio.timeout(2):
                await writer.drain()
    except TimeoutError:
        pass
    (open_socket,) = sockets
    assert open_socket.transport.get_write_buffer_size() < 1_000_000
    assert sent < 3 * MOST_SENT

    async with asyncio.timeout(PATIENCE):  # who reads again is read again
        for _ in range(sent // len(ping)):
            assert (await reader.readexactly(127))[:2] == b"\x8a\x7d"
    writer.close()
